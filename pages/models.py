"""`/models`: the networks that are installed."""

from typing import Any

import dash
from dash import Input, Output, callback, html

from antema.web.model_cards import model_cards

dash.register_page(__name__, path="/models", title="Models · ANTEMA")


def layout(**_: str) -> html.Div:
    """Return the page; the cards come after it, because their weight files are checked first."""
    return html.Div(
        [
            html.Div(html.H1("Models"), className="page-head"),
            html.Div(html.P("Checking the weight files …", className="quiet"), id="models-cards"),
        ]
    )


@callback(Output("models-cards", "children"), Input("models-cards", "id"))
def _cards(_: str) -> list[Any]:
    return model_cards()
