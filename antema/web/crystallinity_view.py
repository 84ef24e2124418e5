"""What the pages say of crystallinity: shares, sizes by class, why some are unknown, why there may be no classes."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from dash import html
from numpy.typing import NDArray

from antema.domain import LEAST_LATTICE, UNKNOWN, UNKNOWN_REASONS, Recipe, View
from antema.imaging.palette import CRYSTALLINITY_COLOURS
from antema.reports import CLASSES
from antema.reports.numbers import weights_of
from antema.stats import Coverage, Estimate, Shares, Summary, coverage, weighted_quantiles
from antema.storage import ImageResult
from antema.web.models_view import crystallinity_available
from antema.web.results import Series, measured

LEAST_CERTAINTY_PERCENT = 34
"""The likeliest of three classes has at least a third; below that a certainty says nothing."""

NO_MODEL = "No crystallinity model is installed: particles are not classified."
LEFT_OUT = "The recipe of this result leaves crystallinity out: particles are not classified."
OLDER = "This result was made without a crystallinity model. Analyse again to classify its particles."
NOTHING = "No particle was measured, so there is none to classify."

_QUANTILES = {"d10": 0.1, "q1": 0.25, "median": 0.5, "q3": 0.75, "d90": 0.9}


def is_classified(table: pd.DataFrame) -> bool:
    """Return whether a measured particle of the table was asked for its crystallinity."""
    return bool((measured(table)["crystallinity"] != "").any())


def why_unclassified(table: pd.DataFrame, recipe: Recipe) -> str:
    """Return why the particles of a result have no class; empty where they have."""
    return why_without_classes(recipe, classified=is_classified(table), n_measured=len(measured(table)))


def why_without_classes(recipe: Recipe, *, classified: bool, n_measured: int) -> str:
    """Return the same for a result of which it is known whether a particle was classified, and how many there are."""
    if classified:
        return ""
    if not recipe.crystallinity:
        return LEFT_OUT
    if not crystallinity_available():
        return NO_MODEL
    return OLDER if n_measured else NOTHING


def model_words(images: Iterable[ImageResult]) -> str:
    """Return which model classified the particles of a result."""
    models = {
        (str(i.crystallinity_model["name"]), str(i.crystallinity_model["sha256"])): None
        for i in images
        if i.counts and i.crystallinity_model
    }
    names = [name if len(models) == 1 else f"{name} ({sha256[:8]})" for name, sha256 in models]
    if len(names) > 1:
        return f"Classified by different models, whose shares do not belong together: {', '.join(names)}."
    return f"Classified by {names[0]}." if names else ""


def class_keys() -> list[html.Span]:
    """Return the legend of the outlines coloured by class."""
    return [html.Span(name, className=f"key key-{name}") for name in CLASSES] + [
        html.Span("left out", className="key key-dropped")
    ]


def swatch(name: str) -> html.Span:
    """Return a class's colour."""
    return html.Span(className="compare-swatch", style={"backgroundColor": CRYSTALLINITY_COLOURS[name]})


def reason_counts(table: pd.DataFrame) -> list[tuple[str, str, int]]:
    """Return (reason, words, count) of the measured particles that are unknown, most frequent first."""
    rows = measured(table)
    counts = rows.loc[rows["crystallinity"] == UNKNOWN, "crystallinity_reason"].value_counts()
    return [(str(reason), UNKNOWN_REASONS[str(reason)], int(n)) for reason, n in counts.items() if n]


def reasons_list(table: pd.DataFrame) -> list[Any]:
    """Return why particles are unknown, with how many of each."""
    found = reason_counts(table)
    if not found:
        return []
    total = sum(n for _, _, n in found)
    items = [html.Li([html.B(f"{n:,}"), f" {words}"]) for _, words, n in found]
    heading = f"{total:,} {'is' if total == 1 else 'are'} unknown:"
    return [html.P(heading, className="reasons-head"), html.Ul(items, className="reasons")]


def shares_words(shares: Shares, view: View, n_unclassified: int = 0) -> str:
    """Return how the shares came about, in sentences."""
    crystalline = shares.shares[1].value + shares.shares[2].value
    each = "Each particle counts once"
    each += ", corrected for border loss." if view.border_weighted else ", whatever the weighting."
    sentences = [
        f"Unknown below {100 * view.crystallinity_certainty:.4g} % certainty, and where no lattice could be seen.",
        f"Mono- and polycrystalline together: {100 * crystalline:.0f} %." if shares.n else "",
        each,
        f"95 % intervals: {shares.interval_method}.",
        shares.note,
        f"{n_unclassified:,} further particles were not classified." if n_unclassified else "",
    ]
    return " ".join(filter(None, sentences))


def percent(share: Estimate) -> str:
    """Return a share with its interval."""
    value = f"{100 * share.value:.0f} %"
    if share.low is None or share.high is None:
        return value
    return f"{value}, {100 * share.low:.0f} to {100 * share.high:.0f} %"


def shares_rows(shares: Shares) -> pd.DataFrame:
    """Return what the bars of the classes draw."""
    return pd.DataFrame(
        {
            "crystallinity": CLASSES,
            "particles": shares.counts,
            "of": shares.n,
            "images": shares.n_images,
            "share": [one.value for one in shares.shares],
            "share_low": [one.low for one in shares.shares],
            "share_high": [one.high for one in shares.shares],
            "level": shares.level,
            "interval_method": shares.interval_method,
        }
    )


def size_rows(by_class: Sequence[tuple[str, Series]]) -> pd.DataFrame:
    """Return what the boxes of the classes draw: particles, images, and weighted quantiles; NaN of no particle."""
    rows: list[dict[str, Any]] = []
    for name, data in by_class:
        found = (
            weighted_quantiles(data.values, list(_QUANTILES.values()), data.weights)
            if len(data.values)
            else np.full(len(_QUANTILES), np.nan)
        )
        images = len(np.unique(data.images))
        quantiles = dict(zip(_QUANTILES, found.tolist(), strict=True))
        rows.append({"crystallinity": name, "particles": len(data.values), "images": images} | quantiles)
    return pd.DataFrame(rows)


def size_table(by_class: Sequence[tuple[str, Summary]], unit: str) -> html.Table:
    """Return the median of each class with its interval."""
    of = f" ({unit})" if unit else ""
    rows = [
        html.Tr(
            [
                html.Th([swatch(name), name], scope="row"),
                html.Td(f"{summary.n:,}"),
                html.Td(summary.n_images),
                html.Td(
                    [summary.median.value_text(), html.Span(f" {summary.median.interval_text()}", className="quiet")]
                ),
            ]
        )
        for name, summary in by_class
        if summary.n
    ]
    head = html.Tr([html.Th(text, scope="col") for text in ("Class", "n", "Images", f"Median{of}")])
    return html.Table([html.Thead(head), html.Tbody(rows)], className="numbers")


def certainty_curve(table: pd.DataFrame, view: View, recipe: Recipe) -> Coverage:
    """Return share and expected accuracy of the particles that have a class, for whole percents of certainty."""
    return _coverage(table, view, recipe, np.arange(LEAST_CERTAINTY_PERCENT, 101) / 100)


def certainty_words(table: pd.DataFrame, view: View, recipe: Recipe) -> str:
    """Return what the certainty of a view leaves with a class, and how many of those are to be expected right."""
    found = _coverage(table, view, recipe, np.array([view.crystallinity_certainty]))
    certainty, share, accuracy = view.crystallinity_certainty, float(found.share[0]), float(found.accuracy[0])
    right = "" if np.isnan(accuracy) else f"; {100 * accuracy:.1f} % of them are to be expected right"
    return f"At {100 * certainty:.4g} %: {100 * share:.1f} % of the particles have a class{right}."


def _coverage(table: pd.DataFrame, view: View, recipe: Recipe, certainties: NDArray[np.float64]) -> Coverage:
    rows = measured(table)
    asked = (rows["crystallinity"] != "").to_numpy(bool)
    weights = weights_of(table, replace(view, weighting="number"), recipe)[asked] if view.border_weighted else None
    # what no certainty gives a name has no confidence either
    unseen = (rows["p_lattice_visible"] < LEAST_LATTICE).to_numpy(bool)
    confidence = np.where(unseen, np.nan, rows["confidence"].to_numpy(float))
    return coverage(confidence[asked], certainties, weights)


def coverage_rows(found: Coverage) -> pd.DataFrame:
    """Return what the curve over the certainty draws."""
    columns = {"certainty": found.certainties, "coverage": found.share, "expected_accuracy": found.accuracy}
    return pd.DataFrame(columns | {"particles": found.n})
