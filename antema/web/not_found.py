"""What a page shows for something that does not exist."""

from dash import dcc, html


def not_found(sentence: str) -> html.Div:
    """Return the sentence with a way back."""
    return html.Div(
        [html.H1("Not here"), html.P(sentence), dcc.Link("All samples", href="/samples", className="btn btn-primary")],
        className="empty",
    )
