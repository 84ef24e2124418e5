"""`/jobs`: what runs, what ran, on which device; cancel and go on."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ALL, Input, Output, callback, ctx, dcc, html, no_update

from antema import jobs
from antema.domain import AntemaError
from antema.storage import Job
from antema.web.background import job_request
from antema.web.format import NOTHING, duration
from antema.web.jobs_view import STATUS_COLOURS, eta_sentence, is_own, places, to_show
from antema.web.shell import message
from antema.web.state import settings, store
from antema.web.user import current_user

dash.register_page(__name__, path="/jobs", title="Jobs · ANTEMA")

_SHOWN = 100


def layout(**_: str) -> html.Div:
    """Return the list of jobs."""
    return html.Div(
        [
            html.Div([html.H1("Jobs"), html.Div(_device_words(), className="quiet")], className="page-head"),
            html.Div(id="jobs-list", className="scroll-x"),
        ]
    )


def _device_words() -> str:
    slots = settings().job_slots
    many = "one job at a time" if slots == 1 else f"{slots} jobs at a time"
    # Asking JAX would load it into the server; a job that ran has written down what it found.
    found = next((job.device for job in store().jobs(limit=_SHOWN) if job.device), None)
    last = f"the last job ran on {found}" if found else "no job has run yet"
    return f"Device: {settings().device} (setting), {last} · {many}"


@callback(Output("jobs-list", "children"), Input("jobs-changed", "data"))
def _list(_: object) -> Any:  # noqa: ANN401 - a component
    line, reader = places(store().line()), current_user()
    rows = [_row(job, line, reader) for job in to_show(store(), _SHOWN)]
    if not rows:
        return html.P("No job yet: open a sample and press Analyse.", className="empty")
    head = ["Sample", "State", "Progress", "Device", "Started", "Took", "By", ""]
    return html.Table(
        [html.Thead(html.Tr([html.Th(text) for text in head])), html.Tbody(rows)], className="numbers jobs"
    )


def _row(job: Job, line: dict[int, int], reader: str) -> html.Tr:
    started = job.started_at.strftime("%Y-%m-%d %H:%M UTC") if job.started_at else NOTHING
    took = (
        duration((job.finished_at - job.started_at).total_seconds()) if job.finished_at and job.started_at else NOTHING
    )
    words: list[Any] = [eta_sentence(job, line, is_own=is_own(job, reader))]
    if job.error:
        words.append(html.Div(job.error, className="danger"))
    button: Any = ""
    if job.is_active:
        button = html.Button(
            "Cancel", id={"type": "cancel-job", "job": job.id}, className="btn btn-sm btn-outline-secondary"
        )
    elif job.can_resume:
        button = html.Button(
            "Go on", id={"type": "resume-job", "job": job.id}, className="btn btn-sm btn-outline-primary"
        )
    return html.Tr(
        [
            html.Td(dcc.Link(job.sample_name, href=f"/samples/{job.sample_id}")),
            html.Td(dbc.Badge(job.status, color=STATUS_COLOURS[job.status])),
            html.Td(words),
            html.Td(job.device or NOTHING),
            html.Td(started),
            html.Td(took),
            html.Td(job.created_by),
            html.Td(button),
        ]
    )


@callback(
    Output("job-request", "data", allow_duplicate=True),
    Output("message", "data", allow_duplicate=True),
    Input({"type": "resume-job", "job": ALL}, "n_clicks"),
    prevent_initial_call=True,
)
def _resume(clicks: list[int | None]) -> tuple[Any, Any]:
    if not any(clicks) or not isinstance(ctx.triggered_id, dict):
        return no_update, no_update
    try:
        job = jobs.resume(store(), ctx.triggered_id["job"], by=current_user())
    except AntemaError as error:
        return no_update, message(str(error))
    return job_request(job.id), no_update
