"""Bootstrap's stylesheets and icons, served from the installed Bootstrap-Flask wheel: no CDN, nothing copied."""

from importlib.util import find_spec
from pathlib import Path

import flask

STYLESHEETS = ("/vendor/css/bootstrap.min.css", "/vendor/css/font/bootstrap-icons.min.css")


def _static_folder() -> str:
    spec = find_spec("flask_bootstrap")
    if spec is None or spec.origin is None:
        msg = "bootstrap-flask is not installed: pip install -r requirements.txt"
        raise RuntimeError(msg)
    return str(Path(spec.origin).parent / "static" / "bootstrap5")


vendor = flask.Blueprint("vendor", __name__, static_folder=_static_folder(), static_url_path="/vendor")
