"""How gunicorn serves the dashboard: `gunicorn -c python:antema.web.gunicorn_conf app:server`."""

from typing import Any

from antema.web.serve import banner
from antema.web.state import settings

bind = f"{settings().host}:{settings().port}"
worker_class = "gthread"
workers = 1
threads = 8
loglevel = "warning"


def post_worker_init(_: Any) -> None:  # noqa: ANN401 - gunicorn's worker
    """Say where the dashboard is, once it answers."""
    print(banner(), flush=True)
