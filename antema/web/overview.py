"""The list of samples with the numbers one looks for first."""

import math
from typing import Any

from antema.domain import AntemaError
from antema.storage import SampleSummary, state_of
from antema.web.results import measured
from antema.web.state import memory, store


def sample_rows(*, archived: bool) -> list[dict[str, Any]]:
    """Return one row per sample for the grid."""
    return [_row(summary) for summary in store().samples(archived=archived)]


def _row(summary: SampleSummary) -> dict[str, Any]:
    median, state = None, _state(summary)
    try:
        median = _median_nm(summary)
    except AntemaError:
        # The sample's own page says what is lost; the list stays readable.
        state = "particle file lost: analyse again"
    return {
        "id": summary.sample.id,
        "name": summary.sample.name,
        "material": summary.sample.material,
        "batch": summary.sample.batch,
        "synthesis_date": summary.sample.synthesis_date.isoformat() if summary.sample.synthesis_date else "",
        "operator": summary.sample.operator,
        "micrographs": summary.n_micrographs,
        "particles": summary.n_particles,
        "median": median,
        "state": state,
    }


def _median_nm(summary: SampleSummary) -> float | None:
    """Return the median equivalent diameter of the measured particles in nm; None without any."""
    if summary.current_analysis_id is None or not summary.n_particles:
        return None
    analysis_id = summary.current_analysis_id
    images = store().image_results(analysis_id)

    def of_all() -> float:
        return float(measured(store().particles(analysis_id, images=images))["equivalent_diameter_nm"].median())

    median = memory().value(["median", state_of(images)], of_all)
    return median if math.isfinite(median) else None


def _state(summary: SampleSummary) -> str:
    if summary.sample.archived:
        return "archived"
    if summary.n_micrographs == 0:
        return "no micrographs"
    if summary.n_without_scale:
        return f"{summary.n_without_scale} without scale"
    return "analysed" if summary.current_analysis_id is not None else "not analysed"
