"""The functions that Dash runs in spawned processes; importable by name, and light to import."""

import logging
import uuid
from collections.abc import Callable, Hashable
from typing import Any

from dash import no_update

_log = logging.getLogger(__name__)
_PRESS = "Press Load the demo on the start page."


def job_request(job_id: int) -> dict[str, Any]:
    """Return a value for the shell's `job-request` store: run this job now."""
    # The uuid keeps two requests apart that are the same otherwise; Dash would hand out the first one's result.
    return {"job": job_id, "request": uuid.uuid4().hex}


def job_asked_for(arguments: Any) -> int | None:  # noqa: ANN401 - what Dash hands to a background callback
    """Return the job that a `job_request` among a callback's arguments names; None where there is none."""
    values = arguments.values() if isinstance(arguments, dict) else arguments
    jobs = [value["job"] for value in values if isinstance(value, dict) and isinstance(value.get("job"), int)]
    return jobs[0] if jobs else None


def run_job(request: dict[str, Any] | None) -> Any:  # noqa: ANN401 - Dash's no_update
    """Run the requested job; the job row tells how it goes."""
    if not request:
        return no_update
    from antema import jobs
    from antema.settings import get_settings

    jobs.run(request["job"], get_settings().data)
    return request


def check_job(request: object) -> Hashable:
    """Raise unless the request names a job that waits for a process; return what tells the job from others.

    Raises
    ------
    AntemaError
        For a request that no page makes, a job that is not stored, or one that works or has ended.
    """
    from antema.domain import AntemaError
    from antema.web.state import store

    if not request:
        return None
    job_id = request.get("job") if isinstance(request, dict) else None
    if not isinstance(job_id, int) or isinstance(job_id, bool):
        msg = "Expected the number of a job to start, found none in the request. Press Analyse on a sample's page."
        raise AntemaError(msg)
    job = store().job(job_id)
    if job.status != "queued":
        msg = f"Job {job.id}: expected one that waits, found one that is {job.status}"
        raise AntemaError(msg)
    if job.pid is not None:
        msg = f"Job {job.id}: expected one that nobody has taken up, found that a process waits with it already"
        raise AntemaError(msg)
    return "job", job.id


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
