"""The numbers of a report, from its table: what the PDF, the workbook and the JSON all print."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from antema import stats
from antema.analysis import called
from antema.domain import (
    CRYSTALLINITIES,
    DROP_REASONS,
    QUANTITIES,
    UNKNOWN,
    UNKNOWN_REASONS,
    Quantity,
    Recipe,
    Trust,
    View,
)
from antema.reports.contents import ComparisonReport, SampleReport

if TYPE_CHECKING:
    import pandas as pd

_STRANGE = {"doubtful": "doubtful", "outside": "of an unknown kind"}
CLASSES = (*CRYSTALLINITIES, UNKNOWN)
"""What a particle is called, in the order of tables."""


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


@dataclass(frozen=True)
class SharePair:
    """The comparison of the shares of crystallinities in two samples of a report.

    Parameters
    ----------
    a, b : int
        Places of the samples in the report.
    comparison : antema.stats.ShareComparison
        What tells them apart, class by class in the order of `CLASSES`.
    corrected_p : tuple of float or None
        The p-value of each class corrected (Holm) for the number of classes and pairs of the report.
    """

    a: int
    b: int
    comparison: stats.ShareComparison
    corrected_p: tuple[float | None, ...]


@dataclass(frozen=True, eq=False)
class _ClassCounts:
    """Measured and classified particles of one sample: images x `CLASSES`."""

    counts: NDArray[np.int64]
    weight_sums: NDArray[np.float64] | None
    worth: float | None

    @property
    def are_all_unknown(self) -> bool:
        """Whether no particle has a class."""
        return not self.counts[:, : CLASSES.index(UNKNOWN)].any()


def measured(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows of measured particles."""
    rows = (table["status"] == "measured").to_numpy(dtype=np.bool_)
    return table if rows.all() else table.loc[rows]


def image_ids(table: "pd.DataFrame") -> NDArray[Any]:
    """Return what tells images apart: their id where the table has one, else their name."""
    if "micrograph_id" in table.columns:
        return table["micrograph_id"].to_numpy()
    return table["image"].to_numpy(dtype=object)


def border_correction(table: "pd.DataFrame", recipe: Recipe) -> stats.BorderCorrection:
    """Return by how much the measured particles of a table count for those of their extent that the edge cut."""
    factors = measured(table)["border_weight"].to_numpy(dtype=np.float64, na_value=np.nan)
    return stats.border_correction(factors, border_dropped=recipe.drop_border)


def view_of(reports: Sequence[SampleReport], view: View) -> View:
    """Return the view as it can be applied to all of these samples: without what one of them cannot be corrected for.

    A correction of some samples and not of others would make them differ by itself.
    """
    if not view.border_weighted:
        return view
    possible = all(border_correction(report.table, report.recipe).is_possible for report in reports)
    return replace(view, border_weighted=possible)


def border_note(report: SampleReport, *, asked: bool, applied: bool) -> str:
    """Return what a reader has to know of the sample's border particles.

    Parameters
    ----------
    report : SampleReport
        The sample.
    asked, applied : bool
        Whether a correction for border loss was asked for, and whether it was applied.

    Returns
    -------
    str
        What the correction does, or why it was asked for in vain; that cut particles were kept; else nothing.
    """
    correction = border_correction(report.table, report.recipe)
    if applied or (asked and not correction.is_possible):
        return correction.note
    return "" if report.recipe.drop_border else stats.CUT_KEPT


def trust_note(trusts: Sequence[Trust | None]) -> str:
    """Return how many of a sample's analysed images the network does not know well; empty where it knows them all."""
    verdicts = [trust.verdict for trust in trusts if trust is not None and trust.warning]
    if not verdicts:
        return ""
    one = len(verdicts) == 1
    kinds = [f"{verdicts.count(kind)} {words}" for kind, words in _STRANGE.items() if kind in verdicts]
    which = f"{len(verdicts)} of {stats.count_text(len(trusts), 'micrograph')} {'is' if one else 'are'}"
    return (
        f"{which} not of the kind that the network knows well ({', '.join(kinds)}): "
        f"look at {'its' if one else 'their'} outlines before the numbers."
    )


def weights_of(table: "pd.DataFrame", view: View, recipe: Recipe) -> NDArray[np.float64]:
    """Return the weight of each measured particle of a table.

    Raises
    ------
    ValueError
        For a correction for border loss that is not possible, see `view_of`.
    """
    rows = measured(table)
    weights = stats.weights(rows["equivalent_diameter_nm"].to_numpy(np.float64, na_value=np.nan), view.weighting)
    if not view.border_weighted:
        return weights
    correction = border_correction(table, recipe)
    if correction.factors is None:
        raise ValueError(correction.reason)
    return weights * correction.factors


def words_of(view: View) -> str:
    """Return how a view's weighting is printed beside a number."""
    return stats.weighting_words(view.weighting, border_weighted=view.border_weighted)


def values_of(table: "pd.DataFrame", quantity: Quantity) -> NDArray[np.float64]:
    """Return one quantity of every row, NaN where it does not apply."""
    return table[quantity.column].to_numpy(dtype=np.float64, na_value=np.nan)


def summaries(report: SampleReport, view: View | None = None) -> dict[str, stats.Summary]:
    """Return the summary of each of `antema.domain.QUANTITIES`, by column.

    Parameters
    ----------
    report : SampleReport
        The sample.
    view : View, optional
        The report's own, as it can be applied, where absent.
    """
    view = view or view_of([report], report.view)
    table = measured(report.table)
    weights, images = weights_of(report.table, view, report.recipe), image_ids(table)
    return {
        quantity.column: stats.summarise(
            values_of(table, quantity),
            images,
            weights=weights,
            weighting=view.weighting,
            border_weighted=view.border_weighted,
            n_images_total=report.n_images_done,
            upper=quantity.upper,
        )
        for quantity in QUANTITIES
    }


def enough(report: SampleReport, precision: float = 0.05) -> stats.Enough:
    """Return what it takes to know the mean equivalent diameter to a precision."""
    table, view = measured(report.table), view_of([report], report.view)
    weights = weights_of(report.table, view, report.recipe)
    return stats.enough(values_of(table, QUANTITIES[0]), image_ids(table), precision, weights=weights)


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
        Rows with the columns of crystallinity.
    certainty : float
        Least confidence.
    """
    return called(table, certainty)["crystallinity"].to_numpy(dtype=object)


def crystallinity_shares(report: SampleReport) -> stats.Shares | None:
    """Return the shares of `CLASSES` among the measured particles; None where nothing was classified.

    Each particle counts once, whatever the weighting; with the correction for border loss, by its factor.
    """
    found = _class_counts(report, view_of([report], report.view))
    if found is None:
        return None
    return stats.share_interval(found.counts, weight_sums=found.weight_sums, worth=found.worth)


def unknown_reasons(report: SampleReport) -> dict[str, int]:
    """Return how many measured particles are unknown for each reason that occurs, in the order of `UNKNOWN_REASONS`."""
    rows = measured(report.called_table)
    found = rows.loc[rows["crystallinity"] == UNKNOWN, "crystallinity_reason"].value_counts()
    counts = {str(reason): int(n) for reason, n in found.items() if n}
    known = {reason: counts.pop(reason) for reason in UNKNOWN_REASONS if reason in counts}
    return known | dict(sorted(counts.items()))


def size_by_class(report: SampleReport, quantity: Quantity = QUANTITIES[0]) -> dict[str, stats.Summary]:
    """Return the summary of one quantity of the measured particles of each of `CLASSES` that occurs."""
    view = view_of([report], report.view)
    rows = measured(report.called_table)
    labels = rows["crystallinity"].to_numpy(dtype=object)
    values, images, weights = values_of(rows, quantity), image_ids(rows), weights_of(report.table, view, report.recipe)
    return {
        name: stats.summarise(
            values[labels == name],
            images[labels == name],
            weights=weights[labels == name],
            weighting=view.weighting,
            border_weighted=view.border_weighted,
            upper=quantity.upper,
        )
        for name in CLASSES
        if (labels == name).any()
    }


def class_counts_of_images(report: SampleReport) -> list[dict[str, int]]:
    """Return for each image of a report how many of its measured particles are of each of `CLASSES`.

    Empty for an image of which none was classified.
    """
    rows = measured(report.called_table)
    has_ids = "micrograph_id" in rows.columns and all(image.micrograph_id is not None for image in report.images)
    keys = rows["micrograph_id" if has_ids else "image"].astype(str)
    tables = {str(key): part["crystallinity"] for key, part in rows.groupby(keys)}
    found: list[dict[str, int]] = []
    for image in report.images:
        labels = tables.get(str(image.micrograph_id) if has_ids else image.name)
        counts = {} if labels is None else {name: int((labels == name).sum()) for name in CLASSES}
        found.append(counts if any(counts.values()) else {})
    return found


def unknown_note(report: SampleReport) -> str:
    """Return why the shares of a sample are not compared: none of its particles has a class; empty where one has."""
    found = _class_counts(report, view_of([report], report.view))
    if found is None or not found.are_all_unknown:
        return ""
    n = int(found.counts.sum())
    reasons = unknown_reasons(report)
    most = max(reasons, key=lambda reason: reasons[reason], default="")
    because = f", most often because {UNKNOWN_REASONS.get(most, most)}" if most else ""
    every = "the one classified particle is" if n == 1 else f"all {n:,} classified particles are"
    return f"{every} unknown{because}: its classes could not be told, so its shares are not compared."


def share_pairs_of(report: ComparisonReport) -> list[SharePair]:
    """Return the comparison of the shares of `CLASSES` for every pair of samples whose classes are known.

    A sample whose particles are all unknown has no shares to compare: that nothing could be told is no difference.
    """
    view = view_of(report.samples, report.view)
    found = {
        place: counts
        for place, one in enumerate(report.samples)
        if (counts := _class_counts(one, view)) and not counts.are_all_unknown
    }
    places = [(a, b) for a in found for b in found if a < b]
    comparisons = [
        stats.compare_shares(
            found[a].counts,
            found[b].counts,
            weight_sums_a=found[a].weight_sums,
            weight_sums_b=found[b].weight_sums,
            worth_a=found[a].worth,
            worth_b=found[b].worth,
        )
        for a, b in places
    ]
    corrected = iter(stats.holm([one.p_value for comparison in comparisons for one in comparison.classes]))
    return [
        SharePair(a, b, comparison, tuple(next(corrected) for _ in comparison.classes))
        for (a, b), comparison in zip(places, comparisons, strict=True)
    ]


def _class_codes(table: "pd.DataFrame") -> NDArray[np.intp]:
    """Return the place of each row's class in `CLASSES`, -1 where it was not classified."""
    import pandas as pd

    return np.asarray(pd.Index(CLASSES).get_indexer(pd.Index(table["crystallinity"].astype(object))), dtype=np.intp)


def _class_counts(report: SampleReport, view: View) -> _ClassCounts | None:
    """Return what a sample has of each class in a view; None where nothing was classified."""
    table = measured(called(report.table, view.crystallinity_certainty))
    codes = _class_codes(table)
    classified = codes >= 0
    if not classified.any():
        return None
    image, _ = stats.factorise(image_ids(table)[classified])
    where = image, codes[classified]
    counts = np.zeros((int(image.max()) + 1, len(CLASSES)), dtype=np.int64)
    np.add.at(counts, where, 1)
    if not view.border_weighted:
        return _ClassCounts(counts, None, None)
    correction = border_correction(table.loc[classified], report.recipe)
    sums = np.zeros(counts.shape)
    np.add.at(sums, where, weights_of(table.loc[classified], replace(view, weighting="number"), report.recipe))
    return _ClassCounts(counts, sums, correction.worth)


def pairs_of(report: ComparisonReport, quantity: Quantity) -> list[Pair]:
    """Return the comparison of every pair of samples in one quantity."""
    view = view_of(report.samples, report.view)
    columns: list[tuple[NDArray[np.float64], NDArray[Any], NDArray[np.float64]]] = []
    for sample in report.samples:
        table = measured(sample.table)
        columns.append((values_of(table, quantity), image_ids(table), weights_of(sample.table, view, sample.recipe)))
    places = [(a, b) for a in range(len(columns)) for b in range(a + 1, len(columns))]
    found = [_compare(columns[a], columns[b], view) for a, b in places]
    corrected = stats.holm([comparison.p_value for comparison in found])
    return [Pair(a, b, c, p) for (a, b), c, p in zip(places, found, corrected, strict=True)]


def recipe_differences(samples: Sequence[SampleReport]) -> list[str]:
    """Return the recipe parameters that are not the same for all samples."""
    recipes = [sample.recipe.to_dict() for sample in samples]
    return (
        [name for name in recipes[0] if any(recipe[name] != recipes[0][name] for recipe in recipes)] if recipes else []
    )


def _compare(
    a: tuple[NDArray[np.float64], NDArray[Any], NDArray[np.float64]],
    b: tuple[NDArray[np.float64], NDArray[Any], NDArray[np.float64]],
    view: View,
) -> stats.Comparison:
    return stats.compare(
        a[0],
        a[1],
        b[0],
        b[1],
        weights_a=a[2],
        weights_b=b[2],
        weighting=view.weighting,
        border_weighted=view.border_weighted,
    )
