"""A job as a page shows it."""

import dash_bootstrap_components as dbc
from dash import dcc, html

from antema.storage import Job
from antema.web.format import counted, duration

STATUS_COLOURS = {
    "queued": "secondary",
    "running": "primary",
    "done": "success",
    "failed": "danger",
    "cancelled": "warning",
    "interrupted": "warning",
}


def eta_sentence(job: Job) -> str:
    """Return how far a job is, in one line."""
    if job.is_active and job.cancel_requested:
        return "stopping after this image"
    if job.status == "queued":
        return "waiting for its turn"
    images = f"{job.images_done} of {counted(job.images_total, 'image')}"
    within = f" and {100 * job.current_share:.0f} % of the next" if job.current_share else ""
    failed = f", {job.images_failed} failed" if job.images_failed else ""
    left = f", about {duration(job.eta_s)} left" if job.status == "running" and job.eta_s is not None else ""
    return f"{images}{within}{failed}, {counted(job.particles, 'particle')}{left}"


def job_badge(job: Job) -> html.Div:
    """Return one line of the shell for a job at work."""
    done, waits = 100 * job.share_done, job.status == "queued"
    return html.Div(
        [
            dcc.Link(job.sample_name, href=f"/samples/{job.sample_id}", className="job-sample"),
            dbc.Progress(value=done, className="job-bar", color="primary", striped=waits),
            html.Span(eta_sentence(job), className="job-text"),
            html.Button(
                "Cancel",
                id={"type": "cancel-job", "job": job.id},
                className="btn btn-sm btn-outline-secondary",
                title="Stop after the current image; what is done is kept",
            ),
        ],
        className="job-line",
    )
