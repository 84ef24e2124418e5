"""Which requests are answered at all: for the right host, from the own pages, by somebody, not too large."""

import http
from urllib.parse import urlsplit

import flask
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from antema.settings import Settings, listed
from antema.web.answers import READS, hang_up, refused
from antema.web.pace import paced
from antema.web.proxies import PEER, address_of, is_this_machine

FIRST_REQUEST = "antema.first"
"""Key of the environment of the request that the program sends to itself; no client can set it."""

MOST_BODY_BYTES = 1_000_000
"""Most that a request may carry, but for uploads, which have a limit of their own."""

_SAME_ORIGIN = ("same-origin", "none")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_BODY_TIMEOUT_S = 30.0
_GARBLED = "The request broke off, or what it carries is not in the form that it says; nothing was done. Send it again."
_CARRIES = (
    f"Expected a request without a body, since {', '.join(READS)} read only; found one with a body. Send it without."
)


def guard(server: flask.Flask, settings: Settings) -> None:
    """Let the server refuse, each with a sentence, what is not meant for it or not meant well."""
    hosts = allowed_hosts(settings)
    header = settings.forwarded_user_header
    server.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES

    @server.before_request
    def refuse() -> flask.Response | None:
        request = flask.request
        reads = request.method in READS
        if reads and (request.content_length or "Transfer-Encoding" in request.headers):
            # its body would hold a thread for as long as it trickles
            return hang_up(refused(_CARRIES, http.HTTPStatus.BAD_REQUEST))
        if FIRST_REQUEST in request.environ or (reads and request.path == "/healthz"):
            return None
        if (why := _wrong_host(request, hosts)) or (why := _not_open(request, settings)):
            return refused(why, http.HTTPStatus.FORBIDDEN)
        if not reads and (why := _other_site(request)):
            return refused(why, http.HTTPStatus.FORBIDDEN)
        if header and not request.headers.get(header, "").strip():
            return refused(_nobody(header), http.HTTPStatus.UNAUTHORIZED)
        if request.blueprint != "uploads" and not reads:
            return _take_body(request)
        return None

    @server.errorhandler(ParseException)
    def garbled(_: ParseException) -> flask.Response:
        return refused(_GARBLED, http.HTTPStatus.BAD_REQUEST)

    @server.errorhandler(RequestEntityTooLarge)
    def too_large(_: RequestEntityTooLarge) -> flask.Response:
        return refused(_too_large(), http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def allowed_hosts(settings: Settings) -> list[str]:
    """Return the names that a request may be for: those of the settings, and the address that is listened on."""
    hosts = [host.lower() for host in listed(settings.allowed_hosts)]
    listens_on = address_of(settings.host)
    if listens_on is not None and not listens_on.is_unspecified:
        hosts.append(f"[{listens_on}]" if listens_on.version == 6 else str(listens_on))
    return list(dict.fromkeys(hosts))


def _wrong_host(request: flask.Request, hosts: list[str]) -> str:
    name = _name_of(request.headers.get("Host", ""))
    if any(name == host or (host.startswith("*.") and name.endswith(host[1:])) for host in hosts):
        return ""
    return (
        f"This dashboard answers to {', '.join(hosts)} and was asked for {name or 'no host'}. "
        "If that is a name of this server, add it to ANTEMA_ALLOWED_HOSTS."
    )


def _name_of(host: str) -> str:
    """Return a Host header without its port, in lower case."""
    host = host.strip().lower()
    end = host.rfind("]")
    return host[: end + 1] if end >= 0 else host.partition(":")[0]


def _not_open(request: flask.Request, settings: Settings) -> str:
    # where the server was started in a way that did not ask `serve.why_not_served`
    if settings.open or settings.forwarded_user_header or is_this_machine(request.environ.get(PEER, "")):
        return ""
    return (
        "This dashboard has no login and answers this machine only. Put a login in front of it (docs/deploy.md), or "
        "set ANTEMA_OPEN=1 if everybody who can reach it may read and change everything."
    )


def _other_site(request: flask.Request) -> str:
    """Return why a request that changes something does not come from a page of this dashboard; empty where it does.

    A browser names the page's origin; a program that is none need not.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None and site not in _SAME_ORIGIN:
        return f"Refused: expected a request from a page of this dashboard, found one from another site ({site})."
    if origin is not None and not _is_own(origin, request.headers.get("Host", "")):
        return (
            f"Refused: expected a request from a page of {request.headers.get('Host', '')}, found one from {origin}. "
            "Behind a reverse proxy, let it hand on Host as it came (docs/deploy.md)."
        )
    return ""


def _is_own(origin: str, host: str) -> bool:
    try:
        parts, own = urlsplit(origin), urlsplit(f"{urlsplit(origin).scheme}://{host}")
        default = _DEFAULT_PORTS.get(parts.scheme)
        return default is not None and (parts.hostname, parts.port or default) == (own.hostname, own.port or default)
    except ValueError:
        return False


def _nobody(header: str) -> str:
    return (
        f"Who is asking? The reverse proxy of this dashboard names the user in the header {header}; this request has "
        "none that counts. Come in through the proxy and log in; ANTEMA_TRUSTED_PROXIES must name its address."
    )


def _take_body(request: flask.Request) -> flask.Response | None:
    """Read a body to its end while its sender is watched, so that none holds a thread by trickling."""
    carried = 0
    with paced(request.environ, timeout_s=_BODY_TIMEOUT_S) as pace:
        try:
            carried = len(request.get_data())
        except (OSError, ClientDisconnected):
            if not pace.broken_off:
                raise
    if pace.broken_off:
        why = f"The request took longer than {_BODY_TIMEOUT_S:g} s to come in and was broken off; nothing was done."
        return refused(why, http.HTTPStatus.REQUEST_TIMEOUT)
    if request.content_length is None and carried >= MOST_BODY_BYTES:
        # of unknown length, it was cut there without a word
        return refused(_too_large(), http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return None


def _too_large() -> str:
    return f"A request may carry at most {MOST_BODY_BYTES / 1e6:g} MB; this one carries more. Nothing of it was kept."
