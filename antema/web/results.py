"""What the pages say of a result: numbers, shares, reasons. Frames in, plain values out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from antema.domain import DROP_REASONS, QUANTITIES, Quantity
from antema.stats import Summary, summarise, weights

MOST_PICKED = 5000


def quantity_of(column: str) -> Quantity:
    """Return the quantity of this column."""
    return next(quantity for quantity in QUANTITIES if quantity.column == column)


def measured(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that count: measured and not excluded."""
    return table[table["status"] == "measured"]


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
    """

    values: NDArray[np.float64]
    weights: NDArray[np.float64] | None
    images: NDArray[np.int64]
    n_images: int

    def summary(self, weighting: str) -> Summary:
        """Return the statistics with their intervals; `weighting` names what `weights` are."""
        return summarise(
            self.values, self.images, weights=self.weights, weighting=weighting, n_images_total=self.n_images
        )


def series(table: pd.DataFrame, column: str, weighting: str, n_images: int) -> Series:
    """Return the values of `column` over the measured particles of `table`, weighted."""
    rows = measured(table)
    rows = rows[np.isfinite(rows[column].to_numpy(float))]
    by = None if weighting == "number" else weights(rows["equivalent_diameter_nm"].to_numpy(float), weighting)
    return Series(rows[column].to_numpy(float), by, rows["micrograph_id"].to_numpy(np.int64), n_images)


def dropped_counts(table: pd.DataFrame) -> list[tuple[str, str, int]]:
    """Return (reason, words, count) of what was left out, most frequent first."""
    counts = table.loc[table["status"] == "dropped", "drop_reason"].value_counts()
    return [(str(reason), DROP_REASONS.get(str(reason), str(reason)), int(n)) for reason, n in counts.items()]


def class_counts(table: pd.DataFrame, certainty: float) -> dict[str, int]:
    """Return how many measured particles are of each crystallinity; empty where none was classified."""
    rows = measured(table)
    classified = rows[rows["crystallinity"].fillna("") != ""]
    if classified.empty:
        return {}
    classes = classified["crystallinity"].where(classified["confidence"].fillna(0.0) >= certainty, "unknown")
    return {str(name): int(n) for name, n in classes.value_counts().items()}


def pick(table: pd.DataFrame, selection: dict[str, Any] | None) -> pd.Series:
    """Return which rows of `table` a selection means.

    Parameters
    ----------
    table : DataFrame
        The particle table with ``micrograph_id``.
    selection : dict or None
        ``{"column", "low", "high", "last"}`` for a histogram bin (closed above when it is the last), ``{"particles":
        [[micrograph_id, particle], ...]}`` for single ones, None for nothing.
    """
    if not selection:
        return pd.Series(data=False, index=table.index)
    if "column" in selection:
        values = table[selection["column"]]
        above = values <= selection["high"] if selection.get("last") else values < selection["high"]
        return (table["status"] == "measured") & (values >= selection["low"]) & above
    wanted = {(int(micrograph), int(particle)) for micrograph, particle in selection["particles"][:MOST_PICKED]}
    pairs = zip(table["micrograph_id"], table["particle"], strict=True)
    return pd.Series([(int(m), int(p)) in wanted for m, p in pairs], index=table.index)


def hover_text(row: pd.Series) -> str:
    """Return the numbers of a particle as the hover shows them."""
    lines = [f"<b>Particle {row['particle']}</b>"]
    if row["status"] == "dropped":
        lines.append(f"left out: {DROP_REASONS.get(row['drop_reason'], row['drop_reason'])}")
    for quantity in QUANTITIES:
        value = row[quantity.column]
        if np.isfinite(value):
            unit = f" {quantity.unit}" if quantity.unit else ""
            lines.append(f"{quantity.label}: {value:.3g}{unit}")
    if row["separated"]:
        lines.append("separated from neighbours")
    return "<br>".join(lines)


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
        for _, row in table.iterrows()
    ]
