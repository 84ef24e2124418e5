"""Colours that pictures and pages share, as a stylesheet."""

import flask

from antema.imaging.palette import BURNED_IN_COLOUR, CRYSTALLINITY_COLOURS, OUTLINE_COLOURS

theme = flask.Blueprint("theme", __name__)

STYLESHEET = "/theme.css"


@theme.get(STYLESHEET)
def stylesheet() -> flask.Response:
    """Answer the colours of outlines and classes as CSS variables, from the palette that draws the overlays."""
    variables = " ".join(f"--outline-{name}: {colour};" for name, colour in OUTLINE_COLOURS.items())
    variables += "".join(f" --class-{name}: {colour};" for name, colour in CRYSTALLINITY_COLOURS.items())
    variables += f" --burned-in: {BURNED_IN_COLOUR};"
    return flask.Response(f":root {{ {variables} }}", mimetype="text/css")
