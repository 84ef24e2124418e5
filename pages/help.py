"""`/help`: what the numbers mean."""

import dash
from dash import Input, Output, clientside_callback, html

from antema.web.help_page import help_page

dash.register_page(__name__, path="/help", title="Help · ANTEMA")


def layout(**_: str) -> html.Div:
    """Return the help."""
    return html.Div([html.Div(html.H1("Help"), className="page-head"), help_page()], id="help-root")


# The page is there only after its address was read, too late for the browser to go to the section by itself.
clientside_callback(
    """(root) => {
        const section = window.location.hash.slice(1);
        if (section) window.setTimeout(() => document.getElementById(section)?.scrollIntoView(), 100);
        return window.dash_clientside.no_update;
    }""",
    Output("help-root", "className"),
    Input("help-root", "id"),
)
