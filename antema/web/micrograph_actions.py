"""What can be done with ticked micrographs: set their scale, move them, leave them out, take them back."""

import math
from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from antema.domain import AntemaError
from antema.storage import Store

ACTIONS: dict[str, tuple[str, str]] = {
    "scale": (
        "Set pixel size",
        "The size of one pixel, for all ticked micrographs. Empty goes back to what the file says.",
    ),
    "move": ("Move", "To another sample, with what was measured left behind in this one's old results."),
    "leave-out": ("Leave out", "Kept, but not analysed and not counted, until somebody takes it back."),
    "take-back": ("Take back", "Analysed and counted again."),
}


def action_modal(action: str) -> dbc.Modal:
    """Return the dialog of one action."""
    title, words = ACTIONS[action]

    def identity(part: str) -> dict[str, str]:
        return {"type": f"action-{part}", "action": action}

    body: list[Any] = [html.P(words, className="quiet")]
    if action == "scale":
        number = dbc.Input(id=identity("value"), type="number", min=0, step="any", placeholder="0.0640")
        body.append(dbc.InputGroup([number, dbc.InputGroupText("nm per pixel")]))
    if action == "move":
        body.append(dcc.Dropdown(id=identity("targets"), placeholder="Choose a sample", options=[]))
    if action != "take-back":
        body.append(dbc.Input(id=identity("why"), placeholder="Why (kept with your name)", className="mt-2"))
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(title)),
            dbc.ModalBody(body),
            dbc.ModalFooter(
                [
                    html.Button("Cancel", id=identity("cancel"), className="btn btn-outline-secondary"),
                    html.Button(title, id=identity("do"), className="btn btn-primary"),
                ]
            ),
        ],
        id=identity("modal"),
        is_open=False,
    )


def apply_action(
    store: Store,
    action: str,
    micrographs: Sequence[int],
    *,
    value: float | None,
    target: int | None,
    why: str | None,
    by: str,
) -> None:
    """Do one action to the ticked micrographs.

    Raises
    ------
    AntemaError
        For a missing or impossible value, in the words of the dialog.
    """
    reason = (why or "").strip()
    if action == "scale":
        if value is None:
            store.set_pixel_size(micrographs, None, by=by, why=reason)
            return
        if not math.isfinite(value) or value <= 0:
            msg = f"Pixel size: expected a number above 0 in nm, found {value}"
            raise AntemaError(msg)
        store.set_pixel_size(micrographs, float(value), by=by, why=reason)
        return
    if action == "move" and target is None:
        msg = "Move: expected a sample to move to, found none"
        raise AntemaError(msg)
    if action == "leave-out" and not reason:
        msg = "Leave out: expected a reason, found none"
        raise AntemaError(msg)
    for micrograph in micrographs:
        if action == "move":
            store.move_micrograph(micrograph, target, by=by, why=reason)
        elif action == "leave-out":
            store.leave_out(micrograph, reason, by=by)
        else:
            store.take_back(micrograph, by=by)
