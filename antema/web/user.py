"""Who did something: the reverse proxy's header where configured, else the name kept in a cookie."""

from urllib.parse import unquote

import flask

from antema.web.state import settings

COOKIE = "antema_user"
ANONYMOUS = "anonymous"
_LONGEST_NAME = 80


def current_user() -> str:
    """Return the name of who sends the current request."""
    header = settings().forwarded_user_header
    name = flask.request.headers.get(header, "") if header else unquote(flask.request.cookies.get(COOKIE, ""))
    return name.strip()[:_LONGEST_NAME] or ANONYMOUS
