"""`/bin`: what people deleted, taken back or deleted for good."""

from datetime import UTC, datetime
from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ALL, Input, Output, State, callback, ctx, dcc, html, no_update

from antema.domain import AntemaError
from antema.storage import DAYS_IN_BIN
from antema.web.bin_view import bin_table, bin_words, size_text
from antema.web.shell import message
from antema.web.state import store
from antema.web.user import current_user

dash.register_page(__name__, path="/bin", title="Bin · ANTEMA")


def layout(**_: str) -> html.Div:
    """Return what lies in the bin."""
    store().empty_expired()
    return html.Div(
        [
            dcc.Store(id="bin-changed", data=0),
            dcc.Store(id="bin-asked"),
            html.Div(
                [
                    html.Div([html.H1("Bin"), html.Div(id="bin-words", className="quiet")]),
                    html.Button("Empty the bin", id="bin-empty", className="btn btn-outline-danger", disabled=True),
                ],
                className="page-head",
            ),
            html.P(
                f"Samples, micrographs and results that are deleted lie here for {DAYS_IN_BIN} days and can be taken "
                "back; then they are deleted for good, with their files. The history of a sample keeps who deleted "
                "what.",
                className="quiet",
            ),
            html.Div(id="bin-list", className="scroll-x"),
            dbc.Modal(
                [
                    dbc.ModalHeader(dbc.ModalTitle("Delete for good")),
                    dbc.ModalBody(html.P(id="bin-question")),
                    dbc.ModalFooter(
                        [
                            html.Button("Cancel", id="bin-cancel", className="btn btn-outline-secondary"),
                            html.Button("Delete for good", id="bin-do", className="btn btn-danger"),
                        ]
                    ),
                ],
                id="bin-modal",
                is_open=False,
            ),
        ]
    )


@callback(
    Output("bin-list", "children"),
    Output("bin-words", "children"),
    Output("bin-empty", "disabled"),
    Input("bin-changed", "data"),
)
def _show(_: int) -> tuple[Any, str, bool]:
    entries = store().bin()
    return bin_table(entries, datetime.now(UTC)), bin_words(entries), not entries


@callback(
    Output("bin-changed", "data", allow_duplicate=True),
    Output("message", "data", allow_duplicate=True),
    Input({"type": "bin-back", "entry": ALL}, "n_clicks"),
    State("bin-changed", "data"),
    prevent_initial_call=True,
)
def _take_back(clicks: list[int | None], changed: int) -> tuple[Any, Any]:
    if not any(clicks) or not isinstance(ctx.triggered_id, dict):
        return no_update, no_update
    try:
        entry = store().take_out_of_bin(ctx.triggered_id["entry"], by=current_user())
    except AntemaError as error:
        return no_update, message(str(error))
    return changed + 1, message(f"{entry.name} is back.", "success")


@callback(
    Output("bin-modal", "is_open"),
    Output("bin-question", "children"),
    Output("bin-asked", "data"),
    Input({"type": "bin-end", "entry": ALL}, "n_clicks"),
    Input("bin-empty", "n_clicks"),
    Input("bin-cancel", "n_clicks"),
    Input("bin-changed", "data"),
    prevent_initial_call=True,
)
def _ask(ends: list[int | None], _empty: int | None, _cancel: int | None, _changed: int) -> tuple[bool, str, Any]:
    asked, entries = ctx.triggered_id, store().bin()
    if isinstance(asked, dict) and any(ends):
        chosen = [entry for entry in entries if entry.id == asked["entry"]]
    elif asked == "bin-empty":
        chosen = entries
    else:
        chosen = []
    if not chosen:
        return False, "", None
    what = chosen[0].name if len(chosen) == 1 else f"All {len(chosen)} things in the bin"
    size = size_text(sum(entry.n_bytes for entry in chosen))
    return True, f"{what}, {size}? Nobody can take that back.", [entry.id for entry in chosen]


@callback(
    Output("bin-changed", "data", allow_duplicate=True),
    Output("message", "data", allow_duplicate=True),
    Input("bin-do", "n_clicks"),
    State("bin-asked", "data"),
    State("bin-changed", "data"),
    prevent_initial_call=True,
)
def _end(clicks: int | None, asked: list[int] | None, changed: int) -> tuple[Any, Any]:
    if not clicks or not asked:
        return no_update, no_update
    try:
        freed = store().empty_bin(asked, by=current_user())
    except AntemaError as error:
        return no_update, message(str(error))
    return changed + 1, message(f"Deleted for good; {size_text(freed)} freed.", "success")
