"""What lies in the bin, as its page shows it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dash import html

from antema.storage import BinEntry

_KINDS = {"sample": "sample", "micrograph": "micrograph"}


def bin_words(entries: Sequence[BinEntry]) -> str:
    """Return how much lies in the bin."""
    if not entries:
        return "Nothing lies in the bin."
    things = "1 thing" if len(entries) == 1 else f"{len(entries):,} things"
    return f"{things}, {size_text(sum(entry.n_bytes for entry in entries))}"


def bin_table(entries: Sequence[BinEntry], now: datetime) -> html.Table | None:
    """Return what lies in the bin with the buttons that take it back or delete it for good."""
    if not entries:
        return None
    head = ("What", "Of the sample", "Deleted by", "On", "Why", "Left", "Size")
    rows = [_row(entry, now) for entry in entries]
    return html.Table(
        [html.Thead(html.Tr([html.Th(text) for text in head])), html.Tbody(rows)], className="numbers bin"
    )


def size_text(n_bytes: int) -> str:
    """Return a size with its unit.

    Examples
    --------
    >>> [size_text(size) for size in (0, 999, 12_345, 5_600_000, 7_890_000_000)]
    ['0 kB', '1 kB', '12 kB', '5.6 MB', '7.9 GB']
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.1f} {unit}"
    return f"{-(-n_bytes // 1000) if n_bytes < 1000 else round(n_bytes / 1000)} kB"


def _row(entry: BinEntry, now: datetime) -> html.Tr:
    days = max(0, (entry.ends_at - now).days)
    name = entry.name if entry.target == "analysis" else f"{_KINDS[entry.target]} {entry.name}"
    # under the name, where a narrow window shows them too
    buttons = html.Div([_button("Take back", "bin-back", entry), _button("Delete for good", "bin-end", entry)])
    cells: list[Any] = [
        [html.Div(name), buttons],
        entry.sample_name if entry.target != "sample" else "",
        entry.by,
        f"{entry.at:%Y-%m-%d %H:%M} UTC",
        entry.why,
        "1 day" if days == 1 else f"{days} days",
        size_text(entry.n_bytes),
    ]
    return html.Tr([html.Td(cell) for cell in cells])


def _button(label: str, kind: str, entry: BinEntry) -> html.Button:
    colour = "primary" if kind == "bin-back" else "danger"
    return html.Button(
        label,
        id={"type": kind, "entry": entry.id},
        className=f"btn btn-sm btn-outline-{colour} me-2 mt-1",
        title="Put it back to where it was"
        if kind == "bin-back"
        else "Delete it now, before its time; nobody can take that back",
    )
