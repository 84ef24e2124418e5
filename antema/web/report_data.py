"""A stored result as the reports take it."""

from typing import TYPE_CHECKING, Any

from antema import nets
from antema.analysis import ALGORITHM_VERSION, called
from antema.domain import NotFound, View, scale_disagreements
from antema.provenance import provenance
from antema.reports import ReportImage, SampleReport
from antema.results.changes import notes_of
from antema.storage import ImageResult, StoredMicrograph
from antema.web.media import preview_png
from antema.web.state import store

if TYPE_CHECKING:
    import pandas as pd

REPORT_PICTURE_PX = 1400


def sample_report(analysis_id: int, view: View, *, by: str, pictures: bool = True) -> SampleReport:
    """Return one analysis of a sample as a report.

    Parameters
    ----------
    analysis_id : int
        Which result.
    view : View
        How it is looked at.
    by : str
        Who asks for it.
    pictures : bool
        Whether to draw the annotated micrographs (tables need none).
    """
    analysis = store().analysis(analysis_id)
    sample = store().sample(analysis.sample_id)
    results = [one for one in store().image_results(analysis_id, exclusions=view.exclusions) if one.counts]
    table = store().particles(analysis_id, exclusions=view.exclusions)
    return SampleReport(
        sample={
            "name": sample.name,
            "material": sample.material,
            "batch": sample.batch,
            "synthesis_date": sample.synthesis_date.isoformat() if sample.synthesis_date else "",
            "operator": sample.operator,
            "notes": sample.notes,
            "properties": dict(sample.properties),
        },
        table=table,
        images=[
            _image(result, view, has_classes=_has_classes(table, result, view), pictures=pictures) for result in results
        ],
        recipe=analysis.recipe,
        view=view,
        model=model_card(analysis.recipe.model, results),
        provenance=provenance()
        | {
            # the results' own: the program may have moved on since
            "algorithm_version": next((r.algorithm_version for r in results if r.algorithm_version), ALGORITHM_VERSION),
            "analysed": f"{analysis.finished_at or analysis.created_at:%Y-%m-%d %H:%M} UTC",
            "who": analysis.created_by,
            "requested_by": by,
        },
        crystallinity_model=crystallinity_card(results),
        remarks=notes_of(store(), analysis, exclusions=view.exclusions),
    )


def model_card(name: str, results: list[ImageResult]) -> dict[str, Any]:
    """Return the card of the model that made these results, as far as it is still installed."""
    return _card_of(next((dict(result.model) for result in results if result.model), {"name": name}))


def crystallinity_card(results: list[ImageResult]) -> dict[str, Any]:
    """Return the card of the model that classified these results' particles; empty where none did."""
    used = next((dict(result.crystallinity_model) for result in results if result.crystallinity_model), {})
    return _card_of(used) if used else {}


def _card_of(used: dict[str, Any]) -> dict[str, Any]:
    card = next((dict(card.content) for card in nets.models() if card.name == used["name"]), {})
    return card | used


def _has_classes(table: "pd.DataFrame", result: ImageResult, view: View) -> bool:
    """Return whether any particle of a result is called by a class; `table` is that of the whole analysis."""
    if not result.crystallinity_model:
        return False
    rows = table.loc[table["micrograph_id"] == result.micrograph_id]
    return any(called(rows, view.crystallinity_certainty)["crystallinity"].tolist())


def _image(result: ImageResult, view: View, *, has_classes: bool, pictures: bool) -> ReportImage:
    micrograph = store().micrograph(result.micrograph_id)
    done = result.status == "done"
    png = b""
    if done and pictures and result.analysis_id is not None:
        png = preview_png(
            result.analysis_id,
            result.micrograph_id,
            max_px=REPORT_PICTURE_PX,
            certainty=view.crystallinity_certainty,
            exclusions=view.exclusions,
        )
    return ReportImage(
        name=result.filename,
        sha256=micrograph.sha256,
        pixel_size_nm=result.pixel_size.nm,
        pixel_size_source=result.pixel_size.source,
        png=png,
        n_measured=result.n_measured,
        n_dropped=result.n_dropped,
        status=result.status,
        error=result.error,
        notes=tuple(result.notes),
        trust=result.trust,
        polarity=result.polarity,
        scales=result.scales,
        micrograph_id=result.micrograph_id,
        is_coloured_by_class=bool(png) and has_classes,
        changes=result.stale_reason,
        **_scale_check(micrograph, result),
    )


def _scale_check(micrograph: StoredMicrograph, result: ImageResult) -> dict[str, Any]:
    """Return what else is known of the scale that a result was computed with."""
    if not result.is_present_image:
        return {"scale_warnings": ("Another image of the file was chosen after this result.",)}
    bar = micrograph.scale_bar
    found = scale_disagreements(result.pixel_size, file_nm=micrograph.file_pixel_size_nm, bar=bar)
    return {
        "bar_pixel_size_nm": None if bar is None else bar.pixel_size_nm,
        "scale_warnings": tuple(disagreement.sentence for disagreement in found),
    }


def require_analysis(analysis_id: int) -> None:
    """Raise `NotFound` where there is no such analysis or it holds no result yet."""
    if not any(result.status == "done" for result in store().image_results(analysis_id)):
        store().particles(analysis_id)  # says so where there was one, and its files are lost
        msg = f"Analysis {analysis_id} has no result to download."
        raise NotFound(msg)
