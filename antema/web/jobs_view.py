"""A job as a page shows it."""

from collections.abc import Mapping, Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html

from antema.stats import count_text
from antema.storage import InLine, Job, Store
from antema.web.format import duration
from antema.web.user import ANONYMOUS

STATUS_COLOURS = {
    "queued": "secondary",
    "running": "primary",
    "done": "success",
    "failed": "danger",
    "cancelled": "warning",
    "interrupted": "warning",
}


_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def places(line: Sequence[InLine]) -> dict[int, int]:
    """Return the place of each job in the line (`Store.line`), from 1 on."""
    return {job.job_id: place for place, job in enumerate(line, start=1)}


def to_show(store: Store, latest: int) -> list[Job]:
    """Return the jobs that wait or work, however many there are, and the latest beside them; newest first."""
    found = {job.id: job for job in (*store.jobs(limit=latest), *store.jobs(active=True))}
    return sorted(found.values(), key=lambda job: -job.id)


def is_own(job: Job, reader: str) -> bool:
    """Return whether a reader started a job; nobody knows it of those who gave no name."""
    return reader != ANONYMOUS and job.created_by == reader


def eta_sentence(job: Job, places: Mapping[int, int] | None = None, *, is_own: bool = False) -> str:
    """Return how far a job is, in one line.

    Parameters
    ----------
    job : Job
        Which.
    places : mapping, optional
        Places of the jobs in line, as `places` gives them.
    is_own : bool
        Whether it is the reader's own job.
    """
    if job.is_active and job.cancel_requested:
        return "stopping after this image"
    place = (places or {}).get(job.id)
    if job.status == "queued":
        if place is None:
            return "starting"
        return f"{'yours is' if is_own else 'waiting:'} {_ordinal(place)} in line"
    images = f"{job.images_done} of {count_text(job.images_total, 'image')}"
    within = f" and {100 * job.current_share:.0f} % of the next" if job.current_share else ""
    failed = f", {job.images_failed} failed" if job.images_failed else ""
    others = len(places or {}) - 1
    left = ""
    if job.status == "running" and job.eta_s is not None:
        left = f", about {duration(job.eta_s)} of work left" if others > 0 else f", about {duration(job.eta_s)} left"
    if job.waits_for_turn:
        left += ", waits while another job has its turn"
    return f"{images}{within}{failed}, {count_text(job.particles, 'particle')}{left}"


def _ordinal(place: int) -> str:
    if place <= len(_ORDINALS):
        return _ORDINALS[place - 1]
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


def job_badge(job: Job, places: Mapping[int, int] | None = None, *, is_own: bool = False) -> html.Div:
    """Return one line of the shell for a job at work; the parameters are those of `eta_sentence`."""
    done, waits = 100 * job.share_done, job.status == "queued"
    return html.Div(
        [
            dcc.Link(job.sample_name, href=f"/samples/{job.sample_id}", className="job-sample"),
            dbc.Progress(value=done, className="job-bar", color="primary", striped=waits),
            html.Span(eta_sentence(job, places, is_own=is_own), className="job-text"),
            html.Button(
                "Cancel",
                id={"type": "cancel-job", "job": job.id},
                className="btn btn-sm btn-outline-secondary",
                title="Stop after the current image; what is done is kept",
            ),
        ],
        className="job-line",
    )
