"""Several samples analysed as one action: asked on the list of samples, done one after another."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, callback, ctx, html, no_update

from antema import jobs
from antema.domain import AntemaError, Recipe
from antema.stats import count_text
from antema.storage import SampleSummary
from antema.web.background import job_request
from antema.web.models_view import default_recipe
from antema.web.shell import message
from antema.web.state import store
from antema.web.user import current_user

_DEFAULT, _AS_BEFORE = "default", "as before"
_MOST_NAMED = 5


def analyse_button() -> html.Button:
    """Return the button beside the list: what it does is for the rows that are ticked."""
    return html.Button(
        "Analyse",
        id="samples-analyse",
        className="btn btn-outline-primary",
        disabled=True,
        title="Tick samples in the list first",
    )


def analyse_modal() -> dbc.Modal:
    """Return the dialog that asks with which recipe."""
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(id="samples-analyse-title")),
            dbc.ModalBody(
                [
                    dbc.RadioItems(
                        [
                            {"label": "With the default recipe and networks, the same for all", "value": _DEFAULT},
                            {"label": "Each with the recipe of the result that it shows now", "value": _AS_BEFORE},
                        ],
                        _DEFAULT,
                        id="samples-analyse-recipe",
                    ),
                    html.P(id="samples-analyse-words", className="mt-3"),
                    html.P(
                        "They are done one after another; on the Jobs page any of them can be cancelled. "
                        "Results of before are kept with each sample.",
                        className="quiet",
                    ),
                ]
            ),
            dbc.ModalFooter(
                [
                    html.Button("Cancel", id="samples-analyse-cancel", className="btn btn-outline-secondary"),
                    html.Button("Analyse", id="samples-analyse-do", className="btn btn-primary"),
                ]
            ),
        ],
        id="samples-analyse-modal",
        is_open=False,
    )


@callback(
    Output("samples-analyse", "disabled"),
    Output("samples-analyse", "children"),
    Input("samples-grid", "selectedRows"),
)
def _ticked(rows: list[dict[str, Any]] | None) -> tuple[bool, str]:
    return not rows, f"Analyse {count_text(len(rows), 'sample')}" if rows else "Analyse"


@callback(
    Output("samples-analyse-modal", "is_open"),
    Output("samples-analyse-title", "children"),
    Input("samples-analyse", "n_clicks"),
    Input("samples-analyse-cancel", "n_clicks"),
    Input("samples-analyse-do", "n_clicks"),
    State("samples-grid", "selectedRows"),
    prevent_initial_call=True,
)
def _ask(
    _open: int | None, _cancel: int | None, _do: int | None, rows: list[dict[str, Any]] | None
) -> tuple[bool, Any]:
    if ctx.triggered_id != "samples-analyse":
        return False, no_update
    return bool(rows), f"Analyse {count_text(len(rows or []), 'sample')}"


@callback(
    Output("samples-analyse-words", "children"),
    Input("samples-analyse-modal", "is_open"),
    Input("samples-analyse-recipe", "value"),
    State("samples-grid", "selectedRows"),
    prevent_initial_call=True,
)
def _words(_: object, recipe: str, rows: list[dict[str, Any]] | None) -> str:
    chosen = _chosen(rows)
    images = sum(one.n_micrographs for one in chosen)
    words = [f"{count_text(images, 'micrograph')}, as far as they have a pixel size."]
    if recipe == _AS_BEFORE:
        new = [one for one in chosen if one.current_analysis_id is None]
        if new:
            words.append(f"Without a result so far, hence with the default recipe: {_named(new)}.")
    return " ".join(words)


@callback(
    Output("job-request", "data", allow_duplicate=True),
    Output("message", "data", allow_duplicate=True),
    Output("samples-grid", "selectedRows"),
    Input("samples-analyse-do", "n_clicks"),
    State("samples-analyse-recipe", "value"),
    State("samples-grid", "selectedRows"),
    prevent_initial_call=True,
)
def _start(clicks: int | None, recipe: str, rows: list[dict[str, Any]] | None) -> tuple[Any, Any, Any]:
    if not clicks or not rows:
        return no_update, no_update, no_update
    started, refused = start_all(_chosen(rows), as_before=recipe == _AS_BEFORE, by=current_user())
    words = [f"{count_text(len(started), 'sample')} in line: see Jobs."] if started else []
    if refused:
        words.append(f"Not analysed: {' '.join(refused)}")
    told = message(" ".join(words), "danger" if not started else "info" if refused else "success")
    return job_request(*started) if started else no_update, told, []


def start_all(samples: Sequence[SampleSummary], *, as_before: bool, by: str) -> tuple[list[int], list[str]]:
    """Make the jobs of samples, queued.

    Parameters
    ----------
    samples : sequence of SampleSummary
        In the order in which they are to be done.
    as_before : bool
        Whether each is analysed with the recipe of its current result; the default recipe otherwise, and where there
        is no result.
    by : str
        Who asks.

    Returns
    -------
    jobs : list of int
        In the same order.
    refused : list of str
        A sentence for each sample that cannot be analysed.
    """
    started: list[int] = []
    refused: list[str] = []
    for one in samples:
        try:
            recipe = _recipe_before(one) if as_before else default_recipe()
            started.append(jobs.start(store(), one.sample.id, recipe, by=by).id)
        except AntemaError as error:
            refused.append(f"{error}.")
    return started, refused


def _recipe_before(summary: SampleSummary) -> Recipe:
    if summary.current_analysis_id is None:
        return default_recipe()
    return store().analysis(summary.current_analysis_id).recipe


def _chosen(rows: list[dict[str, Any]] | None) -> list[SampleSummary]:
    """Return what the store has of ticked rows; a sample that somebody deleted meanwhile is none any more."""
    at_hand = {one.sample.id: one for one in store().samples(archived=True)}
    return [at_hand[row["id"]] for row in rows or [] if row.get("id") in at_hand]


def _named(samples: Sequence[SampleSummary]) -> str:
    names = [one.sample.name for one in samples[:_MOST_NAMED]]
    more = len(samples) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
