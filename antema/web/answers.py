"""Answers of the routes: files to save, errors as plain text, and the headers that every answer carries."""

import http
import io
from functools import cache

import dash
import flask

from antema.domain import AntemaError, NotFound
from antema.web.pace import connection_of, let_go

READS = ("GET", "HEAD", "OPTIONS")
"""Methods of requests that change nothing."""

_LINGER_S = 0.5

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def attachment(content: bytes, name: str, mimetype: str) -> flask.Response:
    """Answer bytes to be saved as a file; its name may hold any letters."""
    return flask.send_file(io.BytesIO(content), mimetype=mimetype, as_attachment=True, download_name=name)


def plain_error(error: AntemaError) -> flask.Response:
    """Answer the sentence of an error as plain text: it names what users typed, which is nothing to be run."""
    status = http.HTTPStatus.NOT_FOUND if isinstance(error, NotFound) else http.HTTPStatus.CONFLICT
    return flask.Response(f"{error}\n", status=status, mimetype="text/plain")


def refused(sentence: str, status: http.HTTPStatus) -> flask.Response:
    """Answer why a request is refused: as JSON to the upload script, as plain text to others.

    What such a request still carries is not read: its connection ends.
    """
    if flask.request.blueprint == "uploads":
        response = flask.jsonify(ok=False, error=sentence)
    else:
        response = flask.Response(f"{sentence}\n", mimetype="text/plain")
    response.status_code = status
    return response if flask.request.method in READS else hang_up(response)


def hang_up(response: flask.Response) -> flask.Response:
    """End the connection after an answer that was given before all of the request had come."""
    connection = connection_of(flask.request.environ)
    response.headers["Connection"] = "close"
    response.call_on_close(lambda: let_go(connection, _LINGER_S))
    return response


def protect(app: dash.Dash) -> None:
    """Let every answer say what a browser may do with it.

    Only the program's own scripts may run, nothing comes from or goes to another site, no other site may frame or embed
    a page, and no type is to be guessed.
    """

    # The inline scripts of clientside callbacks are allowed by digest; all are known from the first request on.
    @cache
    def policy() -> str:
        return "; ".join(
            (
                "default-src 'self'",
                " ".join(("script-src 'self'", *app.csp_hashes())),
                # Plotly and AG Grid write style elements, and Plotly saves pictures by way of blobs.
                "style-src 'self' 'unsafe-inline'",
                "img-src 'self' data: blob:",
                "font-src 'self' data:",  # AG Grid's icons
                "object-src 'none'",
                "base-uri 'self'",
                "form-action 'self'",
                "frame-ancestors 'none'",
            )
        )

    @app.server.after_request
    def add_headers(response: flask.Response) -> flask.Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = policy()
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response
