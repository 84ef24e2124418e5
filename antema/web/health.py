"""`/healthz`: whether the server answers and its database does."""

import flask

from antema.web.state import store

health = flask.Blueprint("health", __name__)


@health.get("/healthz")
def healthz() -> flask.Response:
    """Answer `ok` after asking the database for something."""
    samples = len(store().samples())
    return flask.jsonify(status="ok", samples=samples)
