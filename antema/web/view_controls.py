"""Controls of how results are looked at, the same on the sample page and in a comparison."""

from itertools import groupby
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from antema.domain import QUANTITIES
from antema.stats import WEIGHTINGS
from antema.web.crystallinity_view import LEAST_CERTAINTY_PERCENT

# How a picture is looked at: zoomed with the wheel, nothing marked out in it.
VIEWER = {"displaylogo": False, "scrollZoom": True, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}

_BORDER_WORDS = (
    "A large particle is cut by the image's edge, and dropped, more often than a small one: what is left favours small "
    "particles. With this switch each particle counts by the inverse of the chance that one of its extent lies wholly "
    "inside the image."
)


def quantity_choice(identity: str, column: str) -> dcc.Dropdown:
    """Return the list of what can be plotted."""
    options: list[dict[str, Any]] = []
    for group, quantities in groupby(QUANTITIES, key=lambda quantity: quantity.group):
        options.append({"label": group, "value": f"group {group}", "disabled": True})
        options += [{"label": quantity.axis, "value": quantity.column} for quantity in quantities]
    return dcc.Dropdown(
        options,
        column,
        id=identity,
        clearable=False,
        searchable=False,
        maxHeight=520,
        optionHeight=30,
        className="quantity-choice",
    )


def weighting_choice(identity: str, weighting: str) -> dbc.RadioItems:
    """Return the choice between the weightings."""
    options = [{"label": name.capitalize(), "value": name} for name in WEIGHTINGS]
    return dbc.RadioItems(options, weighting, id=identity, inline=True)


def certainty_slider(identity: str, certainty: float) -> html.Div:
    """Return the slider of the least certainty, in percent, that gives a particle its class."""
    slider = dcc.Slider(
        LEAST_CERTAINTY_PERCENT,
        100,
        1,
        # what was kept may lie between two steps
        value=round(100 * certainty, 7),
        marks={percent: f"{percent} %" for percent in (40, 60, 80, 100)},
        id=identity,
    )
    return html.Div(slider, className="certainty", title="A particle whose likeliest class is less certain is unknown")


def border_switch(identity: str, *, value: bool) -> html.Div:
    """Return the switch of the correction for border loss, with what it does."""
    return html.Div(dbc.Switch(id=identity, label="correct for border loss", value=value), title=_BORDER_WORDS)


def exclusions_switch(identity: str, *, value: bool) -> html.Div:
    """Return the switch that lets act what people took out of a result; hidden where they took nothing."""
    title = "Micrographs and particles that people took out stay out of the numbers; without it all is as computed."
    switch = dbc.Switch(id=identity, label="without what people took out", value=value)
    return html.Div(switch, id=f"{identity}-box", title=title, hidden=True)
