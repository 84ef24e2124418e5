"""The functions that Dash runs in spawned processes; importable by name, and light to import."""

import logging
import uuid
from collections.abc import Callable, Hashable
from typing import Any

from dash import no_update

_log = logging.getLogger(__name__)
_PRESS = "Press Load the demo on the start page."


def job_request(*job_ids: int) -> dict[str, Any]:
    """Return a value for the shell's `job-request` store: run these jobs now, one after another."""
    # The uuid keeps two requests apart that are the same otherwise; Dash would hand out the first one's result.
    return {"jobs": list(job_ids), "request": uuid.uuid4().hex}


def jobs_asked_for(arguments: Any) -> list[int]:  # noqa: ANN401 - what Dash hands to a background callback
    """Return the jobs that a `job_request` among a callback's arguments names."""
    values = arguments.values() if isinstance(arguments, dict) else arguments
    return next((value["jobs"] for value in values if isinstance(value, dict) and "jobs" in value), [])


def run_jobs(request: dict[str, Any] | None) -> Any:  # noqa: ANN401 - Dash's no_update
    """Run the requested jobs; their rows tell how it goes."""
    if not request:
        return no_update
    from antema import jobs
    from antema.settings import get_settings

    def ahead(job: jobs.Job) -> None:
        from antema.web.ahead import remember_page

        if job.status == "done":
            remember_page(job.analysis_id)

    jobs.run_all(request["jobs"], get_settings().data, after=ahead)
    return request


def check_jobs(request: object) -> Hashable:
    """Raise unless the request names jobs that wait for a process; return what tells them from others.

    Raises
    ------
    AntemaError
        For a request that no page makes, a job that is not stored, or one that works or has ended.
    """
    from antema.domain import AntemaError
    from antema.web.state import store

    if not request:
        return None
    job_ids = request.get("jobs") if isinstance(request, dict) else None
    if (
        not isinstance(job_ids, list)
        or not job_ids
        or not all(isinstance(one, int) and not isinstance(one, bool) for one in job_ids)
        or len(set(job_ids)) < len(job_ids)
    ):
        msg = "Expected the numbers of jobs to start, found none in the request. Press Analyse on a sample's page."
        raise AntemaError(msg)
    for job_id in job_ids:
        job = store().job(job_id)
        if job.status != "queued":
            msg = f"Job {job.id}: expected one that waits, found one that is {job.status}"
            raise AntemaError(msg)
        if job.pid is not None:
            msg = f"Job {job.id}: expected one that nobody has taken up, found that a process waits with it already"
            raise AntemaError(msg)
    return "jobs", *job_ids


def run_demo(set_progress: Callable[[str], None], request: dict[str, Any] | None) -> Any:  # noqa: ANN401 - Dash's no_update
    """Analyse those samples of the demo that no shipped results fit."""
    if not request:
        return no_update
    from antema.domain import AntemaError
    from antema.settings import get_settings
    from antema.web.demo import finish_demo

    try:
        finish_demo(get_settings().data, request["samples"], by=request["by"])
    except AntemaError as error:
        set_progress(f"The demo could not be analysed: {error}")
    except Exception:
        # nobody else hears of it: the process ends, and the page shows its progress line only
        _log.exception("the demo could not be analysed")
        set_progress("The demo could not be analysed: unexpected error, see the server's log")
    return request


def check_demo(request: object) -> Hashable:
    """Raise unless the demo is on offer and the request is one for its samples; return what tells it from jobs.

    Raises
    ------
    AntemaError
        Where the installation has no demo, it is there or being made, or the request is none that a page makes.
    """
    from antema.domain import AntemaError
    from antema.web.demo import is_offered, is_sample
    from antema.web.state import settings, store
    from antema.web.user import current_user

    if not request:
        return None
    samples, by = (request.get("samples"), request.get("by")) if isinstance(request, dict) else (None, None)
    if by != current_user():
        msg = f"Expected a request of {current_user()}, who asks for the demo, found {by!r}. {_PRESS}"
        raise AntemaError(msg)
    if not isinstance(samples, list) or not samples or not all(is_sample(store(), sample) for sample in samples):
        msg = f"Expected the numbers of samples of the demo, found {samples!r}. {_PRESS}"
        raise AntemaError(msg)
    if not settings().demo or not is_offered(store()):
        msg = "The demo is not on offer: it is there already, is being made, or this server has samples of its own."
        raise AntemaError(msg)
    return "demo"
