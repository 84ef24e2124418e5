"""What can be done with ticked micrographs: set their scale, move them, leave them out, take them back, delete them."""

import math
from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from antema.domain import AntemaError
from antema.stats import count_text
from antema.storage import ImageResult, Store
from antema.web.deleting import KEPT_WORDS
from antema.web.trust_view import strange

ACTIONS: dict[str, tuple[str, str]] = {
    "scale": ("Set pixel size", "The size of one pixel, for all ticked micrographs."),
    "move": ("Move", "To another sample, with what was measured left behind in this one's old results."),
    "leave-out": ("Leave out", "Kept, but not analysed and not counted, until somebody takes it back."),
    "take-back": ("Take back", "Analysed and counted again."),
    "delete": ("Delete", f"Out of the sample and its results. {KEPT_WORDS}"),
}


#: What else the dialog of an action can do: its dialog, and what the button says.
FURTHER: dict[str, tuple[str, str]] = {
    "file-scale": ("scale", "Back to the files' own"),
    "scale-bars": ("scale", "Use their scale bars"),
}


def dialog_of(action: str) -> str:
    """Return the name of the dialog in which an action is chosen."""
    return FURTHER[action][0] if action in FURTHER else action


def action_modal(action: str) -> dbc.Modal:
    """Return the dialog of one action."""
    title, words = ACTIONS[action]

    def identity(part: str) -> dict[str, str]:
        return {"type": f"action-{part}", "action": action}

    body: list[Any] = [html.P(words, className="quiet")]
    if action == "scale":
        number = dbc.Input(id=identity("value"), type="number", step="any", placeholder="0.0640")
        body.append(html.P(id=identity("hint")))
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
                    *[
                        html.Button(
                            label, id={"type": "action-do", "action": name}, className="btn btn-outline-primary"
                        )
                        for name, (dialog, label) in FURTHER.items()
                        if dialog == action
                    ],
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
    value: float | None = None,
    target: int | None = None,
    why: str | None = None,
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
        if value is None or not math.isfinite(value) or value <= 0:
            found = "none" if value is None else f"{value:g}"
            msg = f"Pixel size: expected a number above 0, the nm that one pixel is long, found {found}"
            raise AntemaError(msg)
        store.set_pixel_size(micrographs, float(value), by=by, why=reason)
        return
    if action == "file-scale":
        store.set_pixel_size(micrographs, None, by=by, why=reason)
        return
    if action == "scale-bars":
        if not store.use_scale_bars(micrographs, by=by):
            msg = "Scale bars: expected one that was read and is not in use yet, found none in the ticked micrographs"
            raise AntemaError(msg)
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
        elif action == "delete":
            store.delete("micrograph", micrograph, by=by, why=reason)
        else:
            store.take_back(micrograph, by=by)


def leave_strange_out(store: Store, results: Sequence[ImageResult], *, by: str) -> str:
    """Leave out the images that the network does not know well, each for its own reason; return what was done."""
    found = strange(results)
    for result in found:
        assert result.trust is not None
        reason = (*result.trust.reasons, result.trust.verdict_words)[0]
        store.leave_out(result.micrograph_id, reason.rstrip("."), by=by)
    return f"{count_text(len(found), 'micrograph')} left out. Tick and take back to count again."
