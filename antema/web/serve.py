"""Serve the dashboard on this machine: by gunicorn where it runs, by Flask's own server elsewhere (Windows)."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from antema.settings import Settings
from antema.web.guard import allowed_hosts
from antema.web.proxies import address_of, is_this_machine
from antema.web.state import settings

ROOT = Path(__file__).parents[2]


def banner() -> str:
    """Return what a starting server says."""
    name, address = settings().host, address_of(settings().host)
    if address is not None and address.is_unspecified:
        name = next((host for host in allowed_hosts(settings()) if not host.startswith("*")), name)
    elif address is not None and address.version == 6:
        name = f"[{address}]"
    return f"ANTEMA is at http://{name}:{settings().port} (data in {settings().data}); Ctrl-C stops it."


def why_not_served(addresses: Iterable[str], chosen: Settings) -> str:
    """Return why the dashboard is not served at these addresses with these settings; empty where it may be.

    Parameters
    ----------
    addresses : iterable of str
        What is listened on: addresses, names of this machine, ``unix`` for a socket file.
    chosen : Settings
        Who may reach it.
    """
    if chosen.forwarded_user_header and not chosen.trusted_proxies.strip():
        return (
            f"ANTEMA_FORWARDED_USER_HEADER={chosen.forwarded_user_header} is believed from named proxies only, and "
            "none is named: set ANTEMA_TRUSTED_PROXIES to the proxy's address, such as 127.0.0.1 (docs/deploy.md)."
        )
    elsewhere = [address for address in addresses if not is_this_machine(address)]
    if elsewhere and not chosen.forwarded_user_header and not chosen.open:
        return (
            f"The dashboard is to listen on {', '.join(elsewhere)}, where other machines reach it, and has no login. "
            "Listen on 127.0.0.1 behind a reverse proxy with a login (docs/deploy.md), or set ANTEMA_OPEN=1 if "
            "everybody who can reach it may read and change everything."
        )
    return ""


def serve() -> None:
    """Serve until interrupted."""
    if why := why_not_served([settings().host], settings()):
        sys.exit(why)
    if os.name == "posix":
        # gunicorn takes this process over; its workers build the app.
        arguments = ["-m", "gunicorn", "--chdir", str(ROOT), "-c", "python:antema.web.gunicorn_conf", "app:server"]
        os.execv(sys.executable, [sys.executable, *arguments])
    from antema.web.app import create_app

    app = create_app()
    print(banner(), flush=True)
    app.run(host=settings().host, port=settings().port, debug=False)
