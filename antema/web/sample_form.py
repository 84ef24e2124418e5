"""The form with what is known of a sample."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from antema.domain import AntemaError
from antema.storage import Sample, Store

FIELDS: dict[str, tuple[str, str, str]] = {
    "name": ("Name", "text", "Au-2nm-A"),
    "material": ("Material", "text", "gold, thiolate-capped"),
    "batch": ("Batch", "text", "KK-2026-11"),
    "synthesis_date": ("Synthesis date", "date", ""),
    "operator": ("Operator", "text", ""),
    "properties": ("More", "textarea", "one a line, as  ligand: glutathione"),
    "notes": ("Notes", "textarea", ""),
}


def sample_form(prefix: str, title: str, save: str, *, is_open: bool = False) -> dbc.Modal:
    """Return the form as a modal; every control's id starts with `prefix`."""
    rows = []
    for name, (label, kind, placeholder) in FIELDS.items():
        identity = f"{prefix}-{name}"
        control = (
            dbc.Textarea(id=identity, placeholder=placeholder, rows=3)
            if kind == "textarea"
            else dbc.Input(id=identity, type=kind, placeholder=placeholder, autofocus=name == "name")
        )
        rows.append(html.Div([dbc.Label(label, html_for=identity), control], className="field"))
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(title)),
            dbc.ModalBody([*rows, html.Div(id=f"{prefix}-error", className="form-error", role="alert")]),
            dbc.ModalFooter(
                [
                    html.Button("Cancel", id=f"{prefix}-cancel", className="btn btn-outline-secondary"),
                    html.Button(save, id=f"{prefix}-save", className="btn btn-primary"),
                ]
            ),
        ],
        id=f"{prefix}-modal",
        is_open=is_open,
    )


def values_of(values: Sequence[str | None]) -> dict[str, Any]:
    """Return what the form's controls say, in the order of `FIELDS`, as `Store.create_sample` takes it.

    Raises
    ------
    AntemaError
        For a missing name, a line of More without a colon, a date that is none.
    """
    texts = {name: (value or "").strip() for name, value in zip(FIELDS, values, strict=True)}
    if not texts["name"]:
        msg = "Name: expected a name for the sample, found none"
        raise AntemaError(msg)
    return {**texts, "synthesis_date": _date(texts["synthesis_date"]), "properties": _properties(texts["properties"])}


def save_changes(
    store: Store, sample_id: int, seen: Sequence[str | None], values: Sequence[str | None], *, by: str
) -> None:
    """Keep of the form's controls what differs from what they showed when the form was opened.

    Raises
    ------
    AntemaError
        As `values_of` does, and where somebody else has changed the same since (`ChangedMeanwhile`).
    """
    changed = [name for name, old, new in zip(FIELDS, seen, values, strict=True) if (old or "") != (new or "")]
    if changed:
        before, after = values_of(seen), values_of(values)
        store.update_sample(
            sample_id, by=by, seen={name: before[name] for name in changed}, **{name: after[name] for name in changed}
        )


def form_values(sample: Sample) -> list[str]:
    """Return what the form's controls show for a sample."""
    return [_shown(name, getattr(sample, name)) for name in FIELDS]


def seen_now(seen: Sequence[str], present: Mapping[str, object]) -> list[str]:
    """Return what a person has seen of a form, once told what some of its fields hold by now."""
    return [_shown(name, present[name]) if name in present else old for name, old in zip(FIELDS, seen, strict=True)]


def _shown(name: str, value: Any) -> str:  # noqa: ANN401 - of any field
    if name == "properties":
        return "\n".join(f"{key}: {text}" for key, text in value.items())
    return value.isoformat() if isinstance(value, date) else value or ""


def _date(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        msg = f"Synthesis date: expected a day like 2026-11-21, found {text}"
        raise AntemaError(msg) from None


def _properties(text: str) -> dict[str, str]:
    properties: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        key, colon, value = line.partition(":")
        if not colon or not key.strip():
            msg = f"More: expected lines like  ligand: glutathione, found {line.strip()}"
            raise AntemaError(msg)
        properties[key.strip()] = value.strip()
    return properties
