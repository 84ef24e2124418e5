"""Answers of the routes: files to save, errors as plain text, and the headers that every answer carries."""

import http
import io
from functools import cache

import dash
import flask

from antema.domain import AntemaError, NotFound

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def attachment(content: bytes, name: str, mimetype: str) -> flask.Response:
    """Answer bytes to be saved as a file; its name may hold any letters."""
    return flask.send_file(io.BytesIO(content), mimetype=mimetype, as_attachment=True, download_name=name)


def plain_error(error: AntemaError) -> flask.Response:
    """Answer the sentence of an error as plain text: it names what users typed, which is nothing to be run."""
    status = http.HTTPStatus.NOT_FOUND if isinstance(error, NotFound) else http.HTTPStatus.CONFLICT
    return flask.Response(f"{error}\n", status=status, mimetype="text/plain")


def protect(app: dash.Dash) -> None:
    """Let every answer say that only the program's own scripts may run, and that its type is not to be guessed."""

    # The inline scripts of clientside callbacks are allowed by digest; all are known from the first request on.
    @cache
    def policy() -> str:
        return "; ".join(
            (
                " ".join(("script-src 'self'", *app.csp_hashes())),
                # Plotly and AG Grid write style elements, and Plotly saves pictures by way of blobs.
                "style-src 'self' 'unsafe-inline'",
                "img-src 'self' data: blob:",
                "object-src 'none'",
                "base-uri 'self'",
            )
        )

    @app.server.after_request
    def add_headers(response: flask.Response) -> flask.Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = policy()
        return response
