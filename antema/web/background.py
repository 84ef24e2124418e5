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


def run_job(request: dict[str, Any] | None) -> Any:  # noqa: ANN401 - Dash's no_update
    """Run the requested job; the job row tells how it goes."""
    if not request:
        return no_update
    from antema import jobs
    from antema.settings import get_settings

    jobs.run(request["job"], get_settings().data)
    return request


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
