"""Downloads of one result: report, tables, pictures, everything."""

import re
from collections.abc import Callable

import flask

from antema.domain import AntemaError
from antema.reports import SampleReport, archive_zip, particles_csv, sample_report_pdf, unique_stems, workbook_xlsx
from antema.stats import WEIGHTINGS
from antema.web.answers import XLSX, plain_error
from antema.web.made_files import made_once, state_of
from antema.web.media import preview_png
from antema.web.report_data import require_analysis, sample_report
from antema.web.sample_choice import view_from_query
from antema.web.state import store
from antema.web.user import current_user

downloads = flask.Blueprint("downloads", __name__, url_prefix="/download")

downloads.register_error_handler(AntemaError, plain_error)


@downloads.get("/analysis/<int:analysis_id>/report.pdf")
def report(analysis_id: int) -> flask.Response:
    """Answer the PDF report."""
    return _file(analysis_id, sample_report_pdf, "report.pdf", "application/pdf", pictures=True)


@downloads.get("/analysis/<int:analysis_id>/particles.csv")
def particles(analysis_id: int) -> flask.Response:
    """Answer the particle table."""
    return _file(
        analysis_id, lambda report: particles_csv(report.called_table), "particles.csv", "text/csv", pictures=False
    )


@downloads.get("/analysis/<int:analysis_id>/workbook.xlsx")
def workbook(analysis_id: int) -> flask.Response:
    """Answer summary, particles and recipe as a workbook."""
    return _file(analysis_id, workbook_xlsx, "workbook.xlsx", XLSX, pictures=False)


@downloads.get("/analysis/<int:analysis_id>/everything.zip")
def everything(analysis_id: int) -> flask.Response:
    """Answer report, tables and overlays in one archive."""

    def build(report: SampleReport) -> bytes:
        exclusions = report.view.exclusions
        results = [r for r in store().image_results(analysis_id, exclusions=exclusions) if r.counts]
        stems = unique_stems(r.filename for r in results)
        full = {
            f"overlays/{stem}.png": preview_png(
                analysis_id,
                r.micrograph_id,
                max_px=None,
                certainty=report.view.crystallinity_certainty,
                with_legend=True,
                exclusions=exclusions,
            )
            for stem, r in zip(stems, results, strict=True)
            if r.status == "done"
        }
        return archive_zip(report, further=full)

    return _file(analysis_id, build, "everything.zip", "application/zip", pictures=True)


def _file(
    analysis_id: int, build: Callable[[SampleReport], bytes], name: str, mimetype: str, *, pictures: bool
) -> flask.Response:
    asked = flask.request.args
    if asked.get("weighting", "number") not in WEIGHTINGS:
        flask.abort(400, f"weighting: expected one of {', '.join(WEIGHTINGS)}, found {asked['weighting']}")
    if asked.get("border", "0") not in ("0", "1"):
        flask.abort(400, f"border: expected 0 or 1, found {asked['border']}")
    if asked.get("exclusions", "1") not in ("0", "1"):
        flask.abort(400, f"exclusions: expected 0 or 1, found {asked['exclusions']}")
    require_analysis(analysis_id)
    view = view_from_query(asked, usual=store().analysis(analysis_id).view)
    sample = store().sample(store().analysis(analysis_id).sample_id)
    stem = re.sub(r"[^\w.-]+", "_", sample.name).strip("_") or "sample"
    by = current_user()
    return made_once(
        repr((name, view, by, state_of(analysis_id))),
        lambda: build(sample_report(analysis_id, view, by=by, pictures=pictures)),
        f"{stem}_{name}",
        mimetype,
    )
