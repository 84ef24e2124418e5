"""The Dash app put together: routes, pages, shell."""

import http
import logging
from pathlib import Path

import dash
import flask
from multiprocess.process import current_process

from antema import jobs
from antema.logs import start_logging
from antema.private import is_open_to_others
from antema.web import compare_downloads, downloads, media, uploads
from antema.web.answers import protect
from antema.web.background import check_demo, check_jobs, run_demo, run_jobs
from antema.web.guard import FIRST_REQUEST, guard
from antema.web.health import health
from antema.web.kept_answers import keep_answers
from antema.web.manager import SpawnManager
from antema.web.proxies import TrustedProxies
from antema.web.shell import layout, register_shell, report_error
from antema.web.state import settings, store
from antema.web.theme import STYLESHEET, theme
from antema.web.vendor import STYLESHEETS, vendor

_log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]


def create_app() -> dash.Dash:
    """Return the dashboard.

    The pages are imported and the first request is answered here: Dash registers its bundles at the first request, and
    several threads that race for it get errors (plotly/dash#3971). What an earlier server left undone is found here
    too. A spawned job imports this module as well but serves nothing, so it skips both.
    """
    server = flask.Flask("antema")
    app = dash.Dash(
        "antema",
        server=server,
        use_pages=True,
        pages_folder=str(ROOT / "pages"),
        assets_folder=str(ROOT / "assets"),
        external_stylesheets=[*STYLESHEETS, STYLESHEET],
        background_callback_manager=SpawnManager(
            settings().data / "mailbox", checks={run_jobs: check_jobs, run_demo: check_demo}
        ),
        title="ANTEMA",
        update_title="",
        suppress_callback_exceptions=True,
        serve_locally=True,
        on_error=report_error,
    )
    app.index_string = _INDEX
    for blueprint in _BLUEPRINTS:
        server.register_blueprint(blueprint)
    app.layout = layout
    register_shell(app)
    protect(app)
    guard(server, settings())
    keep_answers(app)
    server.wsgi_app = TrustedProxies(server.wsgi_app, settings())
    if current_process().name == "MainProcess":
        start_logging()
        warn_of_onlookers(settings().data)
        jobs.recover(store())
        with server.test_client() as client:
            first = client.get("/", environ_overrides={FIRST_REQUEST: True})
        if first.status_code != http.HTTPStatus.OK:
            msg = f"the dashboard answers its first request with status {first.status_code}; the log above says why"
            raise RuntimeError(msg)
    return app


def warn_of_onlookers(data: Path) -> None:
    """Say in the log where others on this machine may look into the data folder, as an earlier version made it."""
    if is_open_to_others(data):
        _log.warning("others on this machine may look into %s; chmod -R go= %s keeps them out", data, data)


_BLUEPRINTS = (
    vendor,
    theme,
    media.media,
    uploads.uploads,
    downloads.downloads,
    compare_downloads.compare_downloads,
    health,
)

_INDEX = """<!DOCTYPE html>
<html lang="en" data-bs-theme="light">
  <head>
    {%metas%}
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{%title%}</title>
    {%favicon%}
    {%css%}
  </head>
  <body>
    {%app_entry%}
    <footer>{%config%}{%scripts%}{%renderer%}</footer>
  </body>
</html>
"""
