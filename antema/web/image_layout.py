"""The image page's layout: static, filled by the page's callbacks."""

import dash_bootstrap_components as dbc
from dash import dcc, html

from antema.domain import CRYSTALLINITIES
from antema.storage import Sample, StoredMicrograph
from antema.web import image_page, sample_page
from antema.web.figures import empty_figure
from antema.web.state import store
from antema.web.view_controls import VIEWER

_OTHER_IMAGE = (
    "The image of the file that this micrograph is. Another one is another micrograph: its results are new, and those "
    "of this one stay with it."
)


def image_head(sample: Sample, micrograph: StoredMicrograph, neighbours: tuple[int | None, int | None]) -> html.Div:
    """Return the micrograph's name, the way back to its sample and the steps to its neighbours."""
    before, after = neighbours
    return html.Div(
        [
            html.Div(
                [
                    dcc.Link(sample.name, href=f"/samples/{sample.id}", className="crumb"),
                    html.H1(micrograph.filename),
                ]
            ),
            html.Div(
                [
                    _step("Previous", before, "image-previous", "bi-chevron-left"),
                    _step("Next", after, "image-next", "bi-chevron-right"),
                ],
                className="actions",
            ),
        ],
        className="page-head",
    )


def _step(label: str, target: int | None, identity: str, icon: str) -> dcc.Link:
    return dcc.Link(
        html.I(className=f"bi {icon}"),
        href=f"/images/{target}" if target is not None else "",
        id=identity,
        title=label,
        className="btn btn-outline-secondary" + ("" if target is not None else " disabled"),
    )


def picture_panel(micrograph: StoredMicrograph, analysis_id: int | None, *, by_class: bool) -> html.Div:
    """Return the picture with what is drawn over it, for that result if the micrograph has one of it."""
    return html.Div(
        [
            _picture_controls(micrograph, analysis_id, by_class=by_class),
            dcc.Graph(id="image-viewer", config=VIEWER, className="graph viewer tall"),
            html.Div(
                [
                    html.Div(sample_page.outline_keys(), id="image-outline-keys", className="keys"),
                    html.Span("burned in", className="key key-burned"),
                    html.A("Save picture (PNG)", id="image-save", className="save-picture", hidden=True),
                ],
                className="keys",
            ),
            html.P(id="image-counts", className="quiet"),
        ],
        className="panel wide",
    )


def _picture_controls(micrograph: StoredMicrograph, analysis_id: int | None, *, by_class: bool) -> html.Div:
    results = image_page.results_of(micrograph)
    values = [option["value"] for option in results]
    images = store().file_images(micrograph.id)
    return html.Div(
        [
            dcc.Dropdown(
                results,
                analysis_id if analysis_id in values else next(iter(values), None),
                id="image-analysis",
                clearable=False,
                placeholder="No result yet",
                className="result-choice",
            ),
            html.Div(
                dcc.Dropdown(
                    image_page.image_options(images),
                    image_page.chosen_image(micrograph, images),
                    id="image-data",
                    clearable=False,
                ),
                id="image-data-box",
                className="data-choice",
                title=_OTHER_IMAGE,
                hidden=len(images) < 2,
            ),
            dbc.Switch(id="image-overlay", label="outlines (O)", value=True),
            html.Div(
                dbc.Switch(id="image-by-class", label="by class (C)", value=by_class),
                id="image-by-class-box",
                title="Colour the outlines by crystallinity",
                hidden=True,
            ),
            dbc.Switch(id="image-burned-in", label="bar and captions (B)", value=True),
        ],
        className="controls",
    )


def side_panel() -> html.Div:
    """Return the picked particle, the scale, what is known of the micrograph and what was changed."""
    return html.Div(
        [
            *_particle_controls(),
            html.H3("Scale"),
            html.Div(id="image-scale"),
            _scale_controls(),
            html.H3("Micrograph"),
            html.Div(id="image-facts"),
            html.H3("Changes"),
            html.Div(id="image-trail"),
        ],
        className="panel side",
    )


def _particle_controls() -> list[html.Div | html.Button]:
    return [
        html.Div(
            [
                html.H3("Particle"),
                html.Div(
                    [
                        html.Button("P", id="image-preceding", title="Previous particle (P)"),
                        html.Button("N", id="image-following", title="Next particle (N)"),
                    ],
                    className="steps",
                ),
            ],
            className="section-head",
        ),
        html.Div(id="image-particle-numbers"),
        _look(),
        html.Div(
            [
                dcc.Dropdown(list(image_page.EXCLUSION_REASONS), id="image-reason-choice", placeholder="Reason …"),
                dbc.Input(id="image-reason", placeholder="or in your own words", className="mt-1"),
                html.Button("Exclude (X)", id="image-exclude", className="btn btn-sm btn-danger mt-2"),
            ],
            id="image-exclude-box",
            hidden=True,
        ),
        html.Button("Take back", id="image-restore", className="btn btn-sm btn-outline-primary mt-2", hidden=True),
        html.Div(id="image-particle-facts", className="mt-2"),
    ]


def _look() -> html.Div:
    """Return the place where the picked particle is looked at: grey values with evidence, transform with spots."""
    short = {name: name.removesuffix("crystalline") for name in CRYSTALLINITIES}
    choices = [{"label": "none", "value": ""}, *({"label": short[name], "value": name} for name in CRYSTALLINITIES)]
    evidence = html.Div(
        [
            html.Span("Evidence for (E) ", className="quiet"),
            dcc.RadioItems(choices, "", id="image-evidence", inline=True, className="choices"),
        ],
        id="image-evidence-box",
        className="evidence-choice",
        title="Where the network saw what speaks for a class, in the class's colour, and against it, in purple",
        hidden=True,
    )
    return html.Div(
        [
            evidence,
            # dimmed while the next particle is looked at: what is shown is of the one before till then
            dcc.Loading(
                [
                    html.Div(
                        [
                            _look_graph("crop", "Its own grey values (nm)"),
                            _look_graph("transform", "Fourier transform (1/nm)"),
                        ],
                        className="look-graphs",
                    ),
                    html.Div(id="image-spots", className="spots"),
                ],
                delay_show=250,
                overlay_style={"visibility": "visible", "opacity": 0.3},
            ),
        ],
        id="image-look",
        hidden=True,
    )


def _look_graph(name: str, caption: str) -> html.Figure:
    config = VIEWER | {"displayModeBar": False, "doubleClick": "reset"}
    save = html.Button(
        "PNG",
        id={"type": "image-look-save", "plot": name},
        className="btn btn-sm btn-link p-0",
        title="Save this picture as PNG",
    )
    graph = dcc.Graph(id=f"image-{name}", figure=empty_figure(""), config=config, className="look-graph")
    return html.Figure([graph, html.Figcaption([f"{caption} ", save])])


def _scale_controls() -> html.Div:
    return html.Div(
        [
            html.Button(
                id="image-use-bar",
                className="btn btn-sm btn-primary",
                title="Take the pixel size that the scale bar in the image gives",
                hidden=True,
            ),
            dbc.InputGroup(
                [
                    dbc.Input(id="image-nm", type="number", step="any", placeholder="0.0640"),
                    dbc.InputGroupText("nm/px"),
                    html.Button("Set", id="image-set-nm", className="btn btn-outline-secondary"),
                ],
                size="sm",
            ),
            html.Button(
                "Back to the file's own",
                id="image-file-nm",
                className="btn btn-sm btn-outline-secondary",
                hidden=True,
            ),
        ],
        className="scale-buttons",
    )
