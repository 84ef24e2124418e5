"""Serve the dashboard on this machine: by gunicorn where it runs, by Flask's own server elsewhere (Windows)."""

import os
import sys
from pathlib import Path

from antema.web.state import settings

ROOT = Path(__file__).parents[2]


def banner() -> str:
    """Return what a starting server says."""
    where = f"http://{settings().host}:{settings().port}"
    return f"ANTEMA is at {where} (data in {settings().data}); Ctrl-C stops it."


def serve() -> None:
    """Serve until interrupted."""
    if os.name == "posix":
        # gunicorn takes this process over; its workers build the app.
        arguments = ["-m", "gunicorn", "--chdir", str(ROOT), "-c", "python:antema.web.gunicorn_conf", "app:server"]
        os.execv(sys.executable, [sys.executable, *arguments])
    from antema.web.app import create_app

    app = create_app()
    print(banner(), flush=True)
    app.run(host=settings().host, port=settings().port, debug=False)
