"""How gunicorn serves the dashboard: `gunicorn -c python:antema.web.gunicorn_conf app:server`.

Options of the command line go before these values.
"""

import sys
from pathlib import Path
from typing import Any

from antema.web.serve import banner, why_not_served
from antema.web.state import settings

_host = settings().host
bind = f"[{_host}]:{settings().port}" if ":" in _host else f"{_host}:{settings().port}"
worker_class = "gthread"
# Two, so that a long computation of one person leaves a Python interpreter to the others.
workers = 2
threads = 8

# Open pages ask every 1.5 s. A connection that closes between two of their questions is met closing now and then, and
# the question is lost; this is longer than the 60 s after which usual proxies let go of an idle one.
keepalive = 75
# The worker's main thread gives its sign of life between others' computations; only one that hangs is to be ended.
timeout = 120
# What a stopping server waits for answers that are on their way.
graceful_timeout = 10
# The sign of life is a file: in memory, a busy disk cannot keep it waiting.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None

loglevel = settings().log_level
# What proxies say is looked at in one place, `antema.web.proxies`.
forwarded_allow_ips = ""
forwarder_headers = ""
control_socket_disable = True


def on_starting(server: Any) -> None:  # noqa: ANN401 - gunicorn's arbiter
    """Refuse to serve other machines without a login."""
    addresses = [address[0] if isinstance(address, tuple) else "unix" for address in server.cfg.address]
    if why := why_not_served(addresses, settings()):
        sys.exit(why)


def post_worker_init(worker: Any) -> None:  # noqa: ANN401 - gunicorn's worker
    """Keep threads for all but uploads, and say where the dashboard is, once it answers."""
    from antema.web.upload_slots import share_of_threads

    share_of_threads(worker.cfg.threads)
    if worker.age == 1:
        print(banner(), flush=True)
