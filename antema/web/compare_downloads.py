"""Downloads of a comparison: the report, its numbers, and what each of its plots draws."""

from collections.abc import Callable
from datetime import UTC, datetime

import flask
import pandas as pd

from antema.domain import AntemaError, NotFound
from antema.provenance import provenance
from antema.reports import (
    ComparisonReport,
    columns_csv,
    comparison_report_pdf,
    frame_csv,
    particles_csv,
    tables_xlsx,
    zip_files,
)
from antema.web import compare_tables
from antema.web.answers import XLSX, attachment, plain_error
from antema.web.compare_choice import Choice
from antema.web.compare_samples import Comparable, load
from antema.web.made_files import made_once, state_of
from antema.web.report_data import sample_report
from antema.web.state import store
from antema.web.user import current_user

compare_downloads = flask.Blueprint("compare_downloads", __name__, url_prefix="/download/compare")
compare_downloads.register_error_handler(AntemaError, plain_error)

_TABLES: dict[str, Callable[[Comparable], pd.DataFrame]] = {
    "statistics": compare_tables.statistics_rows,
    "differences": compare_tables.difference_rows,
    "histogram": compare_tables.histogram_rows,
    "cumulative": compare_tables.cumulative_rows,
    "values": compare_tables.value_rows,
    "crystallinity": compare_tables.crystallinity_rows,
    "crystallinity_differences": compare_tables.share_difference_rows,
}


@compare_downloads.get("/report.pdf")
def report() -> flask.Response:
    """Answer the PDF report of the chosen samples, weighted as chosen."""
    return _made("comparison_report.pdf", "application/pdf", lambda: _report_pdf(_comparable(), _now()))


@compare_downloads.get("/particles.csv")
def particles() -> flask.Response:
    """Answer every object of the chosen samples in one table, each with its sample's name."""
    return attachment(particles_csv(_particles(_comparable())), "comparison_particles.csv", "text/csv")


@compare_downloads.get("/workbook.xlsx")
def workbook() -> flask.Response:
    """Answer the tables, and every object of the chosen samples, as a workbook."""
    return _made("comparison_workbook.xlsx", XLSX, lambda: _workbook(_comparable(), _now()))


@compare_downloads.get("/everything.zip")
def everything() -> flask.Response:
    """Answer report, workbook and all tables in one archive."""
    return _made("comparison_everything.zip", "application/zip", lambda: _archive(_comparable(), _now()))


def _archive(comparable: Comparable, date: datetime) -> bytes:
    files = {
        "report.pdf": _report_pdf(comparable, date),
        "workbook.xlsx": _workbook(comparable, date),
        "particles.csv": particles_csv(_particles(comparable)),
        "columns.csv": columns_csv(),
    }
    files |= {f"{name}.csv": frame_csv(rows(comparable)) for name, rows in _TABLES.items()}
    return zip_files(files, date)


@compare_downloads.get("/<name>.csv")
def table(name: str) -> flask.Response:
    """Answer one table of numbers."""
    if name not in _TABLES:
        flask.abort(404, f"There is no table {name}; there are {', '.join(sorted(_TABLES))} and particles.")
    return attachment(frame_csv(_TABLES[name](_comparable())), f"comparison_{name}.csv", "text/csv")


def _made(name: str, mimetype: str, build: Callable[[], bytes]) -> flask.Response:
    choice = Choice.from_query(flask.request.args)
    states = [_state(sample_id) for sample_id in choice.samples]
    return made_once(repr((name, choice, current_user(), states)), build, name, mimetype)


def _state(sample_id: int) -> str:
    try:
        current = store().current_analysis(sample_id)
    except NotFound:
        return ""
    return "" if current is None else state_of(current.id)


def _now() -> datetime:
    return datetime.now(UTC)


def _particles(comparable: Comparable) -> pd.DataFrame:
    """Return every object of the samples, called as they are looked at."""
    tables = [member.report(comparable.view).called_table.assign(sample=member.name) for member in comparable.members]
    return pd.concat(tables, ignore_index=True)


def _workbook(comparable: Comparable, date: datetime) -> bytes:
    # a row for each particle once: their values, weighted, stand in their own CSV files
    names = ("statistics", "differences", "histogram", "crystallinity", "crystallinity_differences")
    tables = {name: _TABLES[name](comparable) for name in names}
    title = " and ".join(member.name for member in comparable.members)
    return tables_xlsx(tables | {"particles": _particles(comparable)}, title, date)


def _report_pdf(comparable: Comparable, date: datetime) -> bytes:
    by, chosen = current_user(), comparable.choice.view
    content = ComparisonReport(
        [sample_report(member.analysis.id, chosen, by=by, pictures=False) for member in comparable.members],
        chosen,
        provenance() | {"date": date.isoformat(timespec="seconds"), "requested_by": by},
        comparable.choice.quantity,
    )
    return comparison_report_pdf(content)


def _comparable() -> Comparable:
    comparable = load(Choice.from_query(flask.request.args))
    if not comparable.is_enough:
        why = " ".join(comparable.missing)
        flask.abort(404, f"Expected at least two samples with a result in samples=…, found fewer. {why}".strip())
    return comparable
