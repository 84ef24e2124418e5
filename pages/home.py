"""`/`: where one starts."""

import uuid
from typing import Any

import dash
from dash import Input, Output, callback, dcc, html, no_update

from antema.stats import count_text
from antema.storage import SampleSummary
from antema.web.demo import is_offered, load_demo
from antema.web.state import settings, store
from antema.web.user import current_user

dash.register_page(__name__, path="/", title="ANTEMA")

_RECENT = 8


def layout(**_: str) -> html.Div:
    """Return the start page."""
    return html.Div(
        [
            html.Div(
                [
                    html.H1("What nanoparticles did we make?"),
                    html.P(
                        "Drop the micrographs of a synthesis batch on a sample, press Analyse, and read the size "
                        "distribution with its intervals, every particle outlined on its image.",
                        className="lead",
                    ),
                    html.Div(
                        [
                            dcc.Link("New sample", href="/samples?new=1", className="btn btn-primary btn-lg"),
                            html.Button(
                                "Load the demo",
                                id="demo-start",
                                className="btn btn-outline-primary btn-lg",
                                title="Two simulated batches of gold, about 2 nm and 4 nm, with their results",
                            ),
                        ],
                        className="actions",
                    ),
                ],
                className="hero",
            ),
            html.Div(id="home-samples"),
        ]
    )


@callback(Output("home-samples", "children"), Input("jobs-changed", "data"))
def _recent(*_: object) -> list[Any]:
    samples = store().samples(archived=False)[:_RECENT]
    if not samples:
        return [html.P("There is no sample yet.", className="quiet")]
    cards = [_card(summary) for summary in samples]
    return [html.H2("Recent samples"), html.Div(cards, className="cards")]


def _card(summary: SampleSummary) -> dcc.Link:
    picture = (
        html.Img(src=f"/media/blob/{summary.thumbnail_sha256}.png", alt="", className="card-picture")
        if summary.thumbnail_sha256
        else html.Div("no micrographs yet", className="card-picture none")
    )
    counts = f"{count_text(summary.n_micrographs, 'micrograph')} · {count_text(summary.n_particles, 'particle')}"
    words = html.Div(
        [html.Div(summary.sample.name, className="card-name"), html.Div(counts, className="quiet")],
        className="card-text",
    )
    return dcc.Link([picture, words], href=f"/samples/{summary.sample.id}", className="card-micrograph")


# Not an input here: "demo-finished". While the demo is analysed, Dash holds back all that waits for its output.
@callback(Output("demo-start", "hidden"), Input("jobs-changed", "data"), Input("demo-start", "n_clicks"))
def _offer_demo(_: object, clicks: int | None) -> bool:
    return bool(clicks) or not settings().demo or not is_offered(store())


@callback(
    Output("demo-request", "data"),
    Input("demo-start", "n_clicks"),
    running=[(Output("demo-progress", "children"), "The demo is being loaded …", "")],
    prevent_initial_call=True,
)
def _demo(clicks: int | None) -> Any:  # noqa: ANN401 - Dash's no_update
    if not clicks:
        return no_update
    by = current_user()
    missing = load_demo(store(), by=by)
    return {"samples": missing, "by": by, "request": uuid.uuid4().hex} if missing else no_update
