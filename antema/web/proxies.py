"""Whose word counts: what a reverse proxy says of a request is believed of those alone that the settings name."""

from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

from antema.settings import Settings, listed

PEER = "antema.peer"
"""Key of a request's environment: the address that it really came from; ``unix`` for a socket file."""

_FORWARDED = "HTTP_X_FORWARDED_"
Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]


class TrustedProxies:
    """Hands requests of trusted proxies on with the client's address and scheme, others without what they claim.

    Of the host a proxy's word is not taken: it hands on ``Host`` as it came, which the allowed names are compared with.

    Parameters
    ----------
    application : callable
        The WSGI application behind.
    settings : Settings
        Names the proxies and the header in which they name the user.
    """

    def __init__(self, application: Application, settings: Settings) -> None:
        self._plain = application
        self._behind_proxy = ProxyFix(application, x_for=1, x_proto=1, x_host=0, x_port=0, x_prefix=0)
        self._trusted = listed(settings.trusted_proxies)
        header = settings.forwarded_user_header
        self._user_key = f"HTTP_{header.upper().replace('-', '_')}" if header else ""

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI's
        """Answer one request."""
        environ[PEER] = environ.get("REMOTE_ADDR") or "unix"
        if is_among(environ[PEER], self._trusted):
            return self._behind_proxy(environ, start_response)
        for key in [key for key in environ if key.startswith(_FORWARDED) or key == self._user_key]:
            del environ[key]
        return self._plain(environ, start_response)


def is_among(peer: str, trusted: Iterable[str]) -> bool:
    """Return whether an address is one of these or lies in one of these networks."""
    address = address_of(peer)
    if address is None:
        return peer in trusted
    return any(part != "unix" and address in ip_network(part) for part in trusted)


def is_this_machine(host: str) -> bool:
    """Return whether an address or the name of one is only to be reached from this machine."""
    address = address_of(host)
    return host in ("localhost", "unix") if address is None else address.is_loopback


def address_of(text: str) -> Any:  # noqa: ANN401 - one of two classes
    """Return an IP address, an IPv4 one in IPv6's clothes as what it is; None for what is none."""
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
