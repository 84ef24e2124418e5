"""The functions that Dash runs in spawned processes; importable by name, and light to import."""

import logging
import uuid
from collections.abc import Callable
from typing import Any

from dash import no_update

_log = logging.getLogger(__name__)


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


def run_demo(set_progress: Callable[[str], None], request: dict[str, Any] | None) -> Any:  # noqa: ANN401 - Dash's no_update
    """Simulate the demo's micrographs, store them like uploads and analyse both samples."""
    if not request:
        return no_update
    from antema.domain import AntemaError
    from antema.settings import get_settings
    from antema.web.demo import make_demo

    try:
        make_demo(get_settings().data, by=request["by"], progress=set_progress)
    except AntemaError as error:
        set_progress(f"The demo could not be made: {error}")
    except Exception:
        # nobody else hears of it: the process ends, and the page shows its progress line only
        _log.exception("the demo could not be made")
        set_progress("The demo could not be made: unexpected error, see the server's log")
    return request
