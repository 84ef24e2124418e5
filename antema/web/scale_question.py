"""A pixel size that can hardly be meant is asked about before it is taken: the question, and what a yes does."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, callback, ctx, dcc, html, no_update, set_props

from antema.domain import AntemaError
from antema.domain.plausible_scale import scale_question
from antema.storage import Store
from antema.web.micrograph_actions import apply_action
from antema.web.shell import message
from antema.web.state import store
from antema.web.user import current_user


def doubts(store: Store, action: str, micrographs: Sequence[int], value: float | None) -> list[str]:
    """Return what is to be asked before an action gives these micrographs their pixel size; empty where nothing is."""
    asked = [store.micrograph(identity) for identity in micrographs]
    sizes: Mapping[int, float | None] = {
        "scale": {one.id: value for one in asked},
        "scale-bars": {one.id: one.scale_bar and one.scale_bar.pixel_size_nm for one in asked},
        "file-scale": {one.id: one.file_pixel_size.nm for one in asked},
    }.get(action, {})
    new = {identity: nm for identity, nm in sizes.items() if nm is not None and nm > 0}
    present = {
        one.id: one.pixel_size.nm
        for sample_id in {one.sample_id for one in asked}
        for one in store.micrographs(sample_id)
        if one.id not in new and one.pixel_size.nm is not None and not one.is_left_out
    }
    questions = [
        scale_question(nm, [other for beside, other in (present | new).items() if beside != identity])
        if action == "scale-bars"
        # one size typed for many is no witness for itself
        else scale_question(nm, list(present.values()))
        for identity, nm in new.items()
    ]
    return [question for question in dict.fromkeys(questions) if question]


def ask_or_apply(
    action: str, micrographs: Sequence[int], *, value: float | None = None, why: str | None = None
) -> dict[str, Any] | None:
    """Do an action that gives micrographs their pixel size; where it is doubtful, return what is to be asked instead.

    Raises
    ------
    AntemaError
        As `apply_action` does.
    """
    words = doubts(store(), action, micrographs, value)
    if not words:
        apply_action(store(), action, micrographs, value=value, why=why, by=current_user())
        return None
    return {"words": words, "action": action, "micrographs": list(micrographs), "value": value, "why": why}


def question_dialog(page: str) -> html.Div:
    """Return the dialog of a page, with the place of what is asked."""
    return html.Div(
        [
            dcc.Store(id=f"{page}-scale-asked"),
            dbc.Modal(
                [
                    dbc.ModalHeader(dbc.ModalTitle("Is this pixel size meant?")),
                    dbc.ModalBody(id=f"{page}-scale-words"),
                    dbc.ModalFooter(
                        [
                            html.Button("No", id=f"{page}-scale-no", className="btn btn-outline-secondary"),
                            html.Button("Yes, take it", id=f"{page}-scale-yes", className="btn btn-primary"),
                        ]
                    ),
                ],
                id=f"{page}-scale-question",
                is_open=False,
            ),
        ]
    )


def register_question(page: str, field: str | None = None) -> None:
    """Register the dialog's callbacks; a yes tells the page's ``-changed`` store and empties the field of the size."""

    @callback(
        Output(f"{page}-scale-question", "is_open"),
        Output(f"{page}-scale-words", "children"),
        Input(f"{page}-scale-asked", "data"),
        Input(f"{page}-scale-no", "n_clicks"),
        prevent_initial_call=True,
    )
    def show(asked: dict[str, Any] | None, _no: int | None) -> tuple[bool, Any]:
        if ctx.triggered_id != f"{page}-scale-asked" or not asked:
            return False, no_update
        return True, [html.P(words) for words in asked["words"]]

    @callback(
        Output(f"{page}-changed", "data", allow_duplicate=True),
        Output("message", "data", allow_duplicate=True),
        Output(f"{page}-scale-asked", "data", allow_duplicate=True),
        Input(f"{page}-scale-yes", "n_clicks"),
        State(f"{page}-scale-asked", "data"),
        State(f"{page}-changed", "data"),
        prevent_initial_call=True,
    )
    def take(clicks: int | None, asked: dict[str, Any] | None, changed: int) -> tuple[Any, Any, Any]:
        if not clicks or not asked:
            return no_update, no_update, no_update
        action, micrographs, value, why = (asked[name] for name in ("action", "micrographs", "value", "why"))
        try:
            apply_action(store(), action, micrographs, value=value, why=why, by=current_user())
        except AntemaError as error:
            return no_update, message(str(error)), None
        if field:
            set_props(field, {"value": None})
        return changed + 1, no_update, None
