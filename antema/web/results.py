"""What the pages say of a result: numbers, shares, reasons. Frames in, plain values out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from antema.domain import DROP_REASONS, QUANTITIES, UNKNOWN, UNKNOWN_REASONS, Quantity, Recipe, View
from antema.reports.numbers import weights_of
from antema.stats import Summary, summarise

MOST_PICKED = 5000


def quantity_of(column: str) -> Quantity:
    """Return the quantity of this column."""
    return next(quantity for quantity in QUANTITIES if quantity.column == column)


def measured(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that count: measured and not excluded."""
    rows = (table["status"] == "measured").to_numpy(bool)
    return table if rows.all() else table[rows]


@dataclass(frozen=True)
class Series:
    """The values of one quantity over a sample.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Finite values of the measured particles.
    weights : ndarray, shape (n,), or None
        Their weights; None counts each particle once.
    images : ndarray, shape (n,)
        Which micrograph each came from.
    n_images : int
        Micrographs analysed, those without particles too.
    view : View
        What the weights are.
    upper : float or None
        What the quantity cannot pass.
    """

    values: NDArray[np.float64]
    weights: NDArray[np.float64] | None
    images: NDArray[np.int64]
    n_images: int
    view: View
    upper: float | None = None

    def summary(self) -> Summary:
        """Return the statistics with their intervals."""
        return summarise(
            self.values,
            self.images,
            weights=self.weights,
            weighting=self.view.weighting,
            border_weighted=self.view.border_weighted,
            n_images_total=self.n_images,
            upper=self.upper,
        )


def series(table: pd.DataFrame, column: str, view: View, recipe: Recipe, n_images: int) -> Series:
    """Return the values of `column` over the measured particles of `table`, weighted as the view says."""
    rows = measured(table)
    values = rows[column].to_numpy(float)
    kept = np.isfinite(values)
    alike = view.weighting == "number" and not view.border_weighted
    weights = None if alike else weights_of(table, view, recipe)[kept]
    images = rows["micrograph_id"].to_numpy(np.int64)[kept]
    return Series(values[kept], weights, images, n_images, view, quantity_of(column).upper)


def pick(table: pd.DataFrame, selection: dict[str, Any] | None) -> pd.Series:
    """Return which rows of `table` a selection means.

    Parameters
    ----------
    table : DataFrame
        The particle table with ``micrograph_id``.
    selection : dict or None
        ``{"column", "low", "high", "last"}`` for a histogram bin (closed above when it is the last),
        ``{"crystallinity": name}`` for a class, ``{"particles": [[micrograph_id, particle], ...]}`` for single ones,
        None for nothing.
    """
    if not selection:
        return pd.Series(data=False, index=table.index)
    if "column" in selection:
        values = table[selection["column"]]
        above = values <= selection["high"] if selection.get("last") else values < selection["high"]
        return (table["status"] == "measured") & (values >= selection["low"]) & above
    if "crystallinity" in selection:
        return (table["status"] == "measured") & (table["crystallinity"] == selection["crystallinity"])
    wanted = selection["particles"][:MOST_PICKED]
    pairs = pd.MultiIndex.from_arrays([table["micrograph_id"], table["particle"]])
    return pd.Series(pairs.isin([(int(m), int(p)) for m, p in wanted]), index=table.index)


def hover_text(row: Mapping[str, Any]) -> str:
    """Return the numbers of a particle as the hover shows them."""
    lines = [f"<b>Particle {row['particle']}</b>"]
    if row["status"] == "dropped":
        lines.append(f"left out: {DROP_REASONS.get(row['drop_reason'], row['drop_reason'])}")
    for quantity in (quantity for quantity in QUANTITIES if quantity.is_main):
        value = row[quantity.column]
        if np.isfinite(value):
            unit = f" {quantity.unit}" if quantity.unit else ""
            lines.append(f"{quantity.label}: {value:.3g}{unit}")
    if row["separated"]:
        lines.append("separated from neighbours")
    if row["crystallinity"]:
        lines.append(class_words(row))
    return "<br>".join(lines)


def class_words(row: Mapping[str, Any]) -> str:
    """Return what a particle is called and how certain that is, or why it is not called anything."""
    if row["crystallinity"] == UNKNOWN:
        return f"unknown crystallinity: {UNKNOWN_REASONS[row['crystallinity_reason']]}"
    return f"{row['crystallinity']}, {100 * row['confidence']:.0f} %"


def viewer_particles(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of one micrograph as the viewer needs them (see `figures.micrograph_figure`)."""
    return [
        {
            "particle": int(row["particle"]),
            "x_px": float(row["bbox_x_px"] + row["bbox_w_px"] / 2),
            "y_px": float(row["bbox_y_px"] + row["bbox_h_px"] / 2),
            "w_px": float(row["bbox_w_px"]),
            "h_px": float(row["bbox_h_px"]),
            "hover": hover_text(row),
        }
        for row in table.to_dict("records")
    ]
