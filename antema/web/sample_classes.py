"""Crystallinity on the sample page: all that a certainty changes at once, without a new result."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go
from dash import html

from antema.domain import View
from antema.reports import CLASSES, crystallinity_shares
from antema.reports.numbers import words_of
from antema.stats import Shares
from antema.web import crystallinity_figures as figures
from antema.web import crystallinity_view as words
from antema.web.results import Series, measured, quantity_of, series
from antema.web.sample_result import Result

PLOTS = {"shares": "Shares", "sizes": "Size by class", "coverage": "Certainty"}


def unclassified(result: Result) -> str:
    """Return why a result has no classes; empty where it has."""
    return words.why_without_classes(result.analysis.recipe, **_known(result))


def shares(result: Result, view: View, selection: dict[str, Any] | None) -> tuple[go.Figure, list[Any]]:
    """Return the bars of the classes; how they came about, and why particles are unknown."""
    found = _shares(result, view)
    rest = int((measured(result.measured)["crystallinity"] == "").sum())
    said = words.shares_words(found, result.applied(view), rest)
    picked = picked_class(selection)
    return figures.shares_figure(found, picked), [
        *words.reasons_list(result.measured),
        html.P(said, className="quiet"),
    ]


def picked_class(selection: dict[str, Any] | None) -> str | None:
    """Return the class that is picked; None where none is."""
    return selection.get("crystallinity") if selection else None


def sizes(result: Result, column: str, view: View, *, log: bool) -> tuple[go.Figure, list[Any]]:
    """Return a quantity by class: boxes, and the medians with their intervals."""
    by_class, quantity = _by_class(result, column, view), quantity_of(column)
    values = {name: data.values for name, data in by_class}
    figure = figures.sizes_figure(quantity, words.size_rows(by_class), values, log=log)
    weighted = words_of(result.applied(view))
    return figure, [
        html.Div(
            words.size_table([(name, data.summary()) for name, data in by_class], quantity.unit), className="scroll-x"
        ),
        html.P(f"Boxes: quartiles and median, whiskers D10 and D90, {weighted}.", className="quiet"),
    ]


def coverage(result: Result, view: View) -> tuple[go.Figure, str]:
    """Return what every certainty leaves with a class and how much of that is to be expected right; the present one."""
    applied = result.applied(view)
    found = words.certainty_curve(result.measured, applied, result.analysis.recipe)
    said = words.certainty_words(result.measured, applied, result.analysis.recipe)
    return figures.coverage_figure(found, view.crystallinity_certainty), said


def remembered_shares(result: Result, view: View, selection: dict[str, Any] | None = None) -> tuple[Any, ...]:
    """Return what `shares` and `coverage` return, as plain JSON values, remembered."""
    of = [view.border_weighted, view.crystallinity_certainty]
    bars = result.rendered("shares", [*of, picked_class(selection)], lambda: shares(result, view, selection))
    return *bars, *result.rendered("coverage", of, lambda: coverage(result, view))


def remembered_sizes(result: Result, column: str, view: View, *, log: bool) -> tuple[Any, ...]:
    """Return what `sizes` returns, as plain JSON values, remembered."""
    of = [column, bool(log), view.weighting, view.border_weighted, view.crystallinity_certainty]
    return tuple(result.rendered("sizes", of, lambda: sizes(result, column, view, log=log)))


def plot_rows(plot: str, result: Result, column: str, view: View) -> pd.DataFrame:
    """Return what one of `PLOTS` draws."""
    if plot == "shares":
        return words.shares_rows(_shares(result, view))
    if plot == "sizes":
        return words.size_rows(_by_class(result, column, view)).assign(quantity=column, weighting=view.weighting)
    return words.coverage_rows(words.certainty_curve(result.measured, result.applied(view), result.analysis.recipe))


def _known(result: Result) -> dict[str, Any]:
    return {"classified": result.facts["classified"], "n_measured": result.facts["measured"]}


def _shares(result: Result, view: View) -> Shares:
    found = crystallinity_shares(result.report(view))
    assert found is not None  # asked of classified results alone
    return found


def _by_class(result: Result, column: str, view: View) -> list[tuple[str, Series]]:
    # what can be corrected for is decided for the sample as a whole
    applied, recipe = result.applied(view), result.analysis.recipe
    parts = ((name, result.measured[result.measured["crystallinity"] == name]) for name in CLASSES)
    return [
        (name, series(part, column, applied, recipe, result.n_images)) for name, part in parts if len(measured(part))
    ]
