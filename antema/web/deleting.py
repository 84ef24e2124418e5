"""The sample and its results deleted from the sample's page: what is asked before, and what is done."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, callback, ctx, html, no_update

from antema.domain import AntemaError
from antema.stats import count_text
from antema.storage import DAYS_IN_BIN
from antema.web.shell import message
from antema.web.state import store
from antema.web.user import current_user

KEPT_WORDS = f"Kept in the bin for {DAYS_IN_BIN} days, from where anybody can take it back; then deleted for good."


def delete_modals() -> list[dbc.Modal]:
    """Return the dialogs that ask before the sample, or the result that is shown, is deleted."""
    return [_modal("sample-delete", "Delete sample"), _modal("result-delete", "Delete result")]


def _modal(name: str, title: str) -> dbc.Modal:
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(title)),
            dbc.ModalBody(
                [
                    html.P(id=f"{name}-words"),
                    html.P(KEPT_WORDS, className="quiet"),
                    dbc.Input(id=f"{name}-why", placeholder="Why (kept with your name)"),
                ]
            ),
            dbc.ModalFooter(
                [
                    html.Button("Cancel", id=f"{name}-cancel", className="btn btn-outline-secondary"),
                    html.Button("Delete", id=f"{name}-do", className="btn btn-danger"),
                ]
            ),
        ],
        id=f"{name}-modal",
        is_open=False,
    )


@callback(
    Output("sample-delete-modal", "is_open"),
    Output("sample-delete-words", "children"),
    Output("sample-delete-why", "value"),
    Input("sample-delete", "n_clicks"),
    Input("sample-delete-cancel", "n_clicks"),
    State("sample-id", "data"),
    prevent_initial_call=True,
)
def _ask_sample(_open: int | None, _cancel: int | None, sample_id: int) -> tuple[bool, str, str]:
    sample = store().sample(sample_id)
    micrographs = count_text(store().count_micrographs(sample_id), "micrograph")
    results = count_text(len(store().analyses(sample_id)), "result")
    words = f"{sample.name} with its {micrographs} and {results}?"
    return ctx.triggered_id == "sample-delete", words, ""


@callback(
    Output("url", "href", allow_duplicate=True),
    Output("message", "data", allow_duplicate=True),
    Input("sample-delete-do", "n_clicks"),
    State("sample-delete-why", "value"),
    State("sample-id", "data"),
    prevent_initial_call=True,
)
def _delete_sample(clicks: int | None, why: str | None, sample_id: int) -> tuple[Any, Any]:
    if not clicks:
        return no_update, no_update
    try:
        entry = store().delete("sample", sample_id, by=current_user(), why=why or "")
    except AntemaError as error:
        return no_update, message(str(error))
    return "/samples", message(f"{entry.name} is in the bin now.", "success")


@callback(
    Output("result-delete-modal", "is_open"),
    Output("result-delete-words", "children"),
    Output("result-delete-why", "value"),
    Input("result-delete", "n_clicks"),
    Input("result-delete-cancel", "n_clicks"),
    Input("sample-made-current", "data"),
    State("sample-analysis", "value"),
    prevent_initial_call=True,
)
def _ask_result(_open: int | None, _cancel: int | None, _done: int, analysis_id: int | None) -> tuple[bool, str, str]:
    if ctx.triggered_id != "result-delete" or analysis_id is None:
        return False, "", ""
    analysis = store().analysis(analysis_id)
    shown = ", the one that the sample shows" if analysis.is_current else ""
    return True, f"The result of {analysis.created_at:%Y-%m-%d %H:%M} UTC by {analysis.created_by}{shown}?", ""


@callback(
    Output("sample-made-current", "data", allow_duplicate=True),
    Output("message", "data", allow_duplicate=True),
    Input("result-delete-do", "n_clicks"),
    State("result-delete-why", "value"),
    State("sample-analysis", "value"),
    State("sample-made-current", "data"),
    prevent_initial_call=True,
)
def _delete_result(clicks: int | None, why: str | None, analysis_id: int | None, done: int) -> tuple[Any, Any]:
    if not clicks or analysis_id is None:
        return no_update, no_update
    try:
        entry = store().delete("analysis", analysis_id, by=current_user(), why=why or "")
    except AntemaError as error:
        return no_update, message(str(error))
    return done + 1, message(f"The {entry.name} is in the bin now.", "success")
