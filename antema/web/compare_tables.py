"""What a comparison draws and says, as tables to download; lengths in the unit that their column names."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from antema.reports import CLASSES
from antema.results.changes import notes_of
from antema.stats import Estimate, ecdf, histogram
from antema.web.compare_figures import common_edges
from antema.web.compare_samples import Comparable
from antema.web.results import measured
from antema.web.state import store


def statistics_rows(comparable: Comparable) -> pd.DataFrame:
    """Return one row per sample: counts, and each statistic with the ends of its interval."""
    rows = [
        {
            "sample": member.name,
            "quantity": comparable.choice.column,
            "weighting": summary.weighting,
            "border_weighted": summary.border_weighted,
            "convention": member.analysis.recipe.convention,
            "particles": summary.n,
            "images": summary.n_images,
            "images_analysed": summary.n_images_total,
            **_numbers("mean", summary.mean),
            **_numbers("sd", summary.sd),
            **_numbers("median", summary.median),
            **_numbers("d10", summary.d10),
            **_numbers("d90", summary.d90),
            "level": summary.level,
            "interval_method": summary.interval_method,
            "remarks": " ".join(notes_of(store(), member.analysis)),
        }
        for member, summary in zip(comparable.members, comparable.summaries, strict=True)
    ]
    return pd.DataFrame(rows)


def difference_rows(comparable: Comparable) -> pd.DataFrame:
    """Return one row per pair of samples: difference of medians, Cliff's delta, p-values, and what limits them."""
    rows = [
        {
            "sample_a": comparable.members[pair.a].name,
            "sample_b": comparable.members[pair.b].name,
            "quantity": comparable.choice.column,
            "weighting": pair.comparison.weighting,
            "border_weighted": pair.comparison.border_weighted,
            "median_a": pair.comparison.median_a,
            "median_b": pair.comparison.median_b,
            **_numbers("difference", pair.comparison.difference),
            **_numbers("cliffs_delta", pair.comparison.cliffs_delta),
            "p": pair.comparison.p_value,
            "p_holm": pair.corrected_p,
            "permutations": pair.comparison.permutations,
            "exact": pair.comparison.exact,
            "level": pair.comparison.level,
            "method": pair.comparison.method,
            "note": pair.comparison.note,
        }
        for pair in comparable.pairs
    ]
    return pd.DataFrame(rows)


def bin_edges(comparable: Comparable) -> NDArray[np.float64]:
    """Return the edges of the bins that serve all samples, shape (k + 1,)."""
    quantity = comparable.choice.quantity
    values = [(data.values, data.weights) for data in comparable.series]
    return common_edges(values, log=comparable.choice.log, least_width=quantity.least_bin_width, upper=quantity.upper)


def histogram_rows(comparable: Comparable) -> pd.DataFrame:
    """Return the bins of every sample: edges, particles, share of the weight, density as it is drawn.

    The density is per unit of the quantity, or per decade on a logarithmic axis; the column's name says which.
    """
    log = comparable.choice.log
    density = "density_per_decade" if log else f"density_per_{comparable.choice.quantity.unit or 'unit'}"
    edges = bin_edges(comparable)
    tables: list[pd.DataFrame] = []
    for member, data in zip(comparable.members, comparable.series, strict=True):
        bins = histogram(data.values, data.weights, bins=edges, log=log)
        columns = {"from": edges[:-1], "to": edges[1:], "particles": bins.counts, "share": bins.share}
        tables.append(pd.DataFrame({"sample": member.name} | columns | {density: bins.density}))
    return _with_choice(pd.concat(tables, ignore_index=True), comparable)


def cumulative_rows(comparable: Comparable) -> pd.DataFrame:
    """Return the cumulative distribution of every sample, a row for each different value."""
    tables: list[pd.DataFrame] = []
    for member, data in zip(comparable.members, comparable.series, strict=True):
        x, y = ecdf(data.values, data.weights)
        tables.append(pd.DataFrame({"sample": member.name, comparable.choice.column: x, "cumulative_share": y}))
    return _with_choice(pd.concat(tables, ignore_index=True), comparable)


def value_rows(comparable: Comparable) -> pd.DataFrame:
    """Return the value and the weight of every measured particle; weights of a sample have the mean 1."""
    column = comparable.choice.column
    tables: list[pd.DataFrame] = []
    for member, data in zip(comparable.members, comparable.series, strict=True):
        rows = measured(member.table)
        rows = rows.loc[np.isfinite(rows[column].to_numpy(float))]
        columns = {"image": rows["image"], "particle": rows["particle"], column: rows[column]}
        weights = np.ones(len(rows)) if data.weights is None else data.weights / data.weights.mean()
        tables.append(pd.DataFrame({"sample": member.name} | columns | {"weight": weights}))
    return _with_choice(pd.concat(tables, ignore_index=True), comparable)


def crystallinity_rows(comparable: Comparable) -> pd.DataFrame:
    """Return the share of each crystallinity class in each sample, with its interval."""
    rows = [
        {
            "sample": member.name,
            "crystallinity": name,
            "particles": particles,
            "of": shares.n,
            "images": shares.n_images,
            **_numbers("share", estimate),
            "crystallinity_certainty": comparable.view.crystallinity_certainty,
            "border_weighted": comparable.view.border_weighted,
            "level": shares.level,
            "interval_method": shares.interval_method,
            "note": comparable.unknown_notes.get(member.name, ""),
        }
        for member, shares in comparable.shares
        for name, particles, estimate in zip(CLASSES, shares.counts, shares.shares, strict=True)
    ]
    columns = ["sample", "crystallinity", "particles", "of", "images", "share", "share_low", "share_high"]
    view = ["crystallinity_certainty", "border_weighted"]
    return pd.DataFrame(rows, columns=[*columns, *view, "level", "interval_method", "note"])


def share_difference_rows(comparable: Comparable) -> pd.DataFrame:
    """Return one row per class and pair of classified samples: difference of shares, Cohen's h, p-values."""
    rows = [
        {
            "sample_a": comparable.members[pair.a].name,
            "sample_b": comparable.members[pair.b].name,
            "crystallinity": name,
            "crystallinity_certainty": comparable.view.crystallinity_certainty,
            "border_weighted": comparable.view.border_weighted,
            **_numbers("share_a", one.share_a),
            **_numbers("share_b", one.share_b),
            **_numbers("difference", one.difference),
            **_numbers("cohens_h", one.cohens_h),
            "p": one.p_value,
            "p_holm": corrected,
            "permutations": pair.comparison.permutations,
            "exact": pair.comparison.exact,
            "level": pair.comparison.level,
            "method": pair.comparison.method,
            "note": pair.comparison.note,
        }
        for pair in comparable.share_pairs
        for name, one, corrected in zip(CLASSES, pair.comparison.classes, pair.corrected_p, strict=True)
    ]
    names = [member.name for member, _ in comparable.shares]
    rows += [
        {"sample_a": a, "sample_b": b, "note": " ".join(f"{name}: {notes[name]}" for name in (a, b) if name in notes)}
        for notes in [comparable.unknown_notes]
        for a, b in itertools.combinations(names, 2)
        if a in notes or b in notes
    ]
    columns = ["sample_a", "sample_b", "crystallinity", "difference", "p", "note"]
    return pd.DataFrame(rows, columns=None if rows and "p" in rows[0] else columns)


def _numbers(name: str, estimate: Estimate) -> dict[str, float | None]:
    found = dataclasses.asdict(estimate)
    return {name: found["value"], f"{name}_low": found["low"], f"{name}_high": found["high"]}


def _with_choice(table: pd.DataFrame, comparable: Comparable) -> pd.DataFrame:
    quantity = comparable.choice.column
    named = table if quantity in table.columns else table.assign(quantity=quantity)
    return named.assign(weighting=comparable.view.weighting, border_weighted=comparable.view.border_weighted)
