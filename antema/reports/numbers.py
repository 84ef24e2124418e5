"""The numbers of a report, from its table: what the PDF, the workbook and the JSON all print."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from antema import stats
from antema.domain import DROP_REASONS, QUANTITIES, Quantity
from antema.reports.contents import ComparisonReport, SampleReport

if TYPE_CHECKING:
    import pandas as pd

CRYSTALLINITIES = ("amorphous", "monocrystalline", "polycrystalline", "unknown")


@dataclass(frozen=True)
class Pair:
    """The comparison of two samples of a report.

    Parameters
    ----------
    a, b : int
        Places of the samples in the report.
    comparison : antema.stats.Comparison
        What tells them apart.
    corrected_p : float or None
        The p-value corrected (Holm) for the number of pairs of the report.
    """

    a: int
    b: int
    comparison: stats.Comparison
    corrected_p: float | None


def measured(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows of measured particles."""
    return table.loc[table["status"] == "measured"]


def image_ids(table: "pd.DataFrame") -> NDArray[np.object_]:
    """Return what tells images apart: their id where the table has one, else their name."""
    column = "micrograph_id" if "micrograph_id" in table.columns else "image"
    return table[column].to_numpy(dtype=object)


def weights_of(table: "pd.DataFrame", weighting: str) -> NDArray[np.float64]:
    """Return each row's weight."""
    return stats.weights(table["equivalent_diameter_nm"].to_numpy(dtype=np.float64, na_value=np.nan), weighting)


def values_of(table: "pd.DataFrame", quantity: Quantity) -> NDArray[np.float64]:
    """Return one quantity of every row, NaN where it does not apply."""
    return table[quantity.column].to_numpy(dtype=np.float64, na_value=np.nan)


def summaries(report: SampleReport, weighting: str | None = None) -> dict[str, stats.Summary]:
    """Return the summary of each of `antema.domain.QUANTITIES`, by column.

    Parameters
    ----------
    report : SampleReport
        The sample.
    weighting : str, optional
        The report's own where absent.
    """
    weighting = weighting or report.view.weighting
    table = measured(report.table)
    weights, images = weights_of(table, weighting), image_ids(table)
    return {
        quantity.column: stats.summarise(
            values_of(table, quantity),
            images,
            weights=weights,
            weighting=weighting,
            n_images_total=report.n_images_done,
        )
        for quantity in QUANTITIES
    }


def enough(report: SampleReport, precision: float = 0.05) -> stats.Enough:
    """Return what it takes to know the mean equivalent diameter to a precision."""
    table = measured(report.table)
    values = values_of(table, QUANTITIES[0])
    return stats.enough(values, image_ids(table), precision, weights=weights_of(table, report.view.weighting))


def dropped_counts(table: "pd.DataFrame") -> dict[str, int]:
    """Return how many objects were dropped for each reason that occurs, in the order of `DROP_REASONS`."""
    found = table.loc[table["status"] != "measured", "drop_reason"].value_counts()
    counts = {str(reason): int(n) for reason, n in found.items()}
    known = {reason: counts.pop(reason) for reason in DROP_REASONS if reason in counts}
    return known | dict(sorted(counts.items()))


def crystallinity_labels(table: "pd.DataFrame", certainty: float) -> NDArray[np.object_]:
    """Return each row's crystallinity as it is looked at: unknown below the certainty, empty where not classified.

    Parameters
    ----------
    table : DataFrame
        Rows with ``crystallinity`` and ``confidence``.
    certainty : float
        Least confidence.
    """
    labels = table["crystallinity"].fillna("").astype(str).to_numpy(dtype=object)
    confidence = table["confidence"].to_numpy(dtype=np.float64, na_value=np.nan)
    unsure = (labels != "") & (confidence < certainty)
    return np.where(unsure, "unknown", labels)


def crystallinity_shares(report: SampleReport) -> stats.Shares | None:
    """Return the shares of `CRYSTALLINITIES` among the measured particles; None where nothing was classified."""
    table = measured(report.table)
    labels = crystallinity_labels(table, report.view.crystallinity_certainty)
    classified = labels != ""
    if not classified.any():
        return None
    _, image = np.unique(image_ids(table)[classified].astype(str), return_inverse=True)
    counts = np.zeros((int(image.max()) + 1, len(CRYSTALLINITIES)), dtype=np.int64)
    place = {name: k for k, name in enumerate(CRYSTALLINITIES)}
    np.add.at(counts, (image, np.array([place[str(label)] for label in labels[classified]])), 1)
    return stats.share_interval(counts)


def pairs_of(report: ComparisonReport, quantity: Quantity) -> list[Pair]:
    """Return the comparison of every pair of samples in one quantity."""
    columns: list[tuple[NDArray[np.float64], NDArray[np.object_], NDArray[np.float64]]] = []
    for sample in report.samples:
        table = measured(sample.table)
        columns.append((values_of(table, quantity), image_ids(table), weights_of(table, report.view.weighting)))
    places = [(a, b) for a in range(len(columns)) for b in range(a + 1, len(columns))]
    found = [_compare(columns[a], columns[b], report.view.weighting) for a, b in places]
    corrected = stats.holm([comparison.p_value for comparison in found])
    return [Pair(a, b, c, p) for (a, b), c, p in zip(places, found, corrected, strict=True)]


def recipe_differences(samples: Sequence[SampleReport]) -> list[str]:
    """Return the recipe parameters that are not the same for all samples."""
    recipes = [sample.recipe.to_dict() for sample in samples]
    return (
        [name for name in recipes[0] if any(recipe[name] != recipes[0][name] for recipe in recipes)] if recipes else []
    )


def _compare(
    a: tuple[NDArray[np.float64], NDArray[np.object_], NDArray[np.float64]],
    b: tuple[NDArray[np.float64], NDArray[np.object_], NDArray[np.float64]],
    weighting: str,
) -> stats.Comparison:
    return stats.compare(a[0], a[1], b[0], b[1], weights_a=a[2], weights_b=b[2], weighting=weighting)
