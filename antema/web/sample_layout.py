"""The sample page's layout: static, filled by the page's callbacks."""

from typing import Any

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import dcc, html

from antema.web import sample_classes, sample_page
from antema.web.figures import empty_figure
from antema.web.micrograph_actions import ACTIONS
from antema.web.sample_choice import SampleChoice
from antema.web.state import settings
from antema.web.view_controls import (
    VIEWER,
    border_switch,
    certainty_slider,
    exclusions_switch,
    quantity_choice,
    weighting_choice,
)

_CERTAINTY_WORDS = (
    "Below this certainty a particle is unknown. Acts at once and makes no new result. What is to be expected right is "
    "the mean of the probabilities that the model gave, and holds for particles of the kind that it learned from."
)
_GRAPH = {
    "displaylogo": False,
    "toImageButtonOptions": {"format": "svg"},
    "modeBarButtonsToRemove": ["select2d", "lasso2d"],
}


def sample_head() -> html.Div:
    """Return the sample's name and what can be done with the whole sample."""
    return html.Div(
        [
            html.H1(id="sample-name"),
            html.Div(
                [
                    html.Button("Edit", id="sample-edit-open", className="btn btn-outline-secondary"),
                    html.Button("Archive", id="sample-archive", className="btn btn-outline-secondary"),
                    html.Button("Delete", id="sample-delete", className="btn btn-outline-secondary"),
                    dbc.DropdownMenu(id="sample-downloads", label="Download", color="secondary", disabled=True),
                    html.Button("Recipe", id="recipe-open", className="btn btn-outline-secondary"),
                    html.Button("Analyse", id="sample-analyse", className="btn btn-primary"),
                ],
                className="actions",
            ),
        ],
        className="page-head",
    )


def micrographs_section(sample_id: int) -> html.Section:
    """Return where micrographs are dropped, listed and ticked."""
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Micrographs"),
                    html.Div(
                        [
                            html.Button(
                                label,
                                id={"type": "micrograph-action", "action": name},
                                className="btn btn-sm btn-outline-secondary",
                                disabled=True,
                            )
                            for name, (label, _) in ACTIONS.items()
                        ]
                        + [
                            html.Button("Tick all", id="micrographs-all", className="btn btn-sm btn-link"),
                            html.Button(
                                "Tick those without scale",
                                id="micrographs-bare",
                                className="btn btn-sm btn-link",
                                hidden=True,
                            ),
                        ],
                        className="actions",
                    ),
                ],
                className="section-head",
            ),
            html.Div(
                [
                    html.I(className="bi bi-upload"),
                    html.Span(" Drop micrographs or folders of them here, or click to choose"),
                    html.Small(
                        "dm3, dm4, emd, ser, mrc, tif, png, jpg … as they come from the microscope", className="quiet"
                    ),
                ],
                className="drop-zone",
                role="button",
                tabIndex=0,
                **{
                    "data-sample": str(sample_id),
                    "data-max-files": str(settings().max_upload_files),
                    "data-max-mb": str(settings().max_upload_mb),
                },
            ),
            html.Div(id="upload-outcome", role="status"),
            html.Ul(id="upload-list"),
            html.Div(
                [
                    html.Span(id="scale-words"),
                    html.Button(
                        id="scale-bars-use",
                        className="btn btn-sm btn-primary",
                        title="Take the pixel size that each one's scale bar gives, where the file has none",
                    ),
                ],
                id="scale-banner",
                className="scale-banner",
                hidden=True,
            ),
            html.Div(id="sample-cards", className="cards"),
        ],
        className="micrographs",
    )


def results_section(choice: SampleChoice, results: list[dict[str, Any]]) -> html.Section:
    """Return the distribution, the micrograph, the numbers and the particle table of the chosen result."""
    return html.Section(
        [
            _result_head(choice, results),
            html.Div(
                [
                    html.Div(id="sample-trust-words", className="trust-words"),
                    html.Button(
                        id="sample-trust-leave-out",
                        className="btn btn-sm btn-outline-secondary",
                        title="Out of the statistics at once, until somebody takes them back",
                    ),
                ],
                id="sample-trust",
                className="trust-alert",
                role="status",
                hidden=True,
            ),
            html.Div(id="sample-headline"),
            html.Div([_distribution_panel(choice), _viewer_panel()], className="panels"),
            html.Div(
                [
                    html.Span(id="sample-selection-words"),
                    html.Button("Show all", id="sample-selection-clear", className="btn btn-sm btn-outline-secondary"),
                ],
                id="sample-selection-bar",
                className="selection-bar",
                hidden=True,
            ),
            _statistics_panels(),
            *_crystallinity_section(choice),
            *_particle_table(),
        ],
        className="results",
        id="sample-results",
        hidden=True,
    )


def _result_head(choice: SampleChoice, results: list[dict[str, Any]]) -> html.Div:
    return html.Div(
        [
            html.H2("Result"),
            html.Div(
                [
                    html.Button(
                        "Make this the sample's result",
                        id="sample-make-current",
                        className="btn btn-sm btn-outline-primary",
                        hidden=True,
                    ),
                    # with its options from the start: where they come later the value has no words (plotly/dash 2931)
                    dcc.Dropdown(
                        results,
                        choice.analysis,
                        id="sample-analysis",
                        clearable=False,
                        placeholder="No result yet",
                        className="result-choice",
                    ),
                    html.Button(
                        "Delete",
                        id="result-delete",
                        className="btn btn-sm btn-outline-secondary",
                        title="This result: into the bin",
                    ),
                ],
                className="actions",
            ),
        ],
        className="section-head",
    )


def _distribution_panel(choice: SampleChoice) -> html.Div:
    saves = [
        html.Button(
            form.upper(),
            id={"type": "sample-save", "format": form},
            className="btn btn-sm btn-link",
            title=f"Save this plot as {form.upper()}",
        )
        for form in ("svg", "png", "csv")
    ]
    controls = [
        quantity_choice("sample-quantity", choice.column),
        weighting_choice("sample-weighting", choice.view.weighting),
        border_switch("sample-border", value=choice.view.border_weighted),
        exclusions_switch("sample-exclusions", value=choice.view.exclusions),
        dbc.Switch(id="sample-log", label="log axis", value=choice.log),
        html.Div(
            dbc.Switch(id="sample-by-class", label="by class", value=choice.by_class),
            id="sample-by-class-box",
            title="Colour the bars and the outlines by crystallinity",
            hidden=True,
        ),
        html.Div(saves, className="saves"),
        dcc.Download(id="sample-plot-csv"),
        html.Button(
            "Keep this view",
            id="sample-view-keep",
            className="btn btn-sm btn-outline-secondary",
            title="Open this result with this weighting, border correction and certainty from now on, for everybody. "
            "A link to this page keeps them too.",
            hidden=True,
        ),
    ]
    return html.Div(
        [
            html.Div(controls, className="controls"),
            html.P(id="sample-exclusions-words", className="quiet hindrance"),
            html.P(id="sample-border-hindrance", className="quiet hindrance"),
            dcc.Graph(id="sample-histogram", config=_GRAPH, className="graph"),
        ],
        className="panel",
    )


def _viewer_panel() -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    dcc.Dropdown(id="sample-viewer-image", clearable=False, className="image-choice"),
                    dbc.Switch(id="sample-overlay", label="outlines", value=True),
                    dcc.Link("Open image page", id="sample-image-link", href="", className="d-none"),
                ],
                className="controls",
            ),
            dcc.Graph(id="sample-viewer", config=VIEWER, className="graph viewer"),
            html.Div(sample_page.outline_keys(), id="sample-viewer-keys", className="keys"),
        ],
        className="panel",
    )


def _statistics_panels() -> html.Div:
    return html.Div(
        [
            html.Div(
                [html.H3("Statistics"), html.Div(id="sample-statistics", className="scroll-x")],
                className="panel wide",
            ),
            html.Div(
                [
                    html.H3("Left out"),
                    html.Div(id="sample-left-out"),
                    html.Div(
                        [html.H3("Crystallinity"), html.P(id="sample-unclassified-words", className="quiet")],
                        id="sample-unclassified",
                        hidden=True,
                    ),
                ],
                className="panel",
            ),
        ],
        className="panels statistics",
    )


def _crystallinity_section(choice: SampleChoice) -> list[html.Div]:
    return [
        html.Div(
            [
                html.Div(
                    [html.H3("Crystallinity"), html.Span(id="sample-classes-model", className="quiet")],
                    className="classes-head",
                ),
                html.Div(
                    [
                        _class_panel("shares", html.Div(id="sample-words-shares")),
                        _class_panel("sizes", html.Div(id="sample-words-sizes")),
                        _class_panel(
                            "coverage",
                            html.P(id="sample-words-coverage", className="coverage-now", role="status"),
                            html.P(_CERTAINTY_WORDS, className="quiet"),
                            above=certainty_slider("sample-certainty", choice.view.crystallinity_certainty),
                        ),
                    ],
                    className="panels classes",
                ),
                dcc.Download(id="sample-classes-csv"),
            ],
            id="sample-classes",
            hidden=True,
        )
    ]


def _class_panel(plot: str, *below: html.Div | html.P, above: html.Div | None = None) -> html.Div:
    saves = [
        html.Button(
            form.upper(),
            id={"type": "sample-classes-save", "plot": plot, "format": form},
            className="btn btn-sm btn-link",
            title=f"Save this plot as {form.upper()}",
        )
        for form in ("svg", "png", "csv")
    ]
    return html.Div(
        [
            html.Div(
                [html.H4(sample_classes.PLOTS[plot]), html.Div(saves, className="compare-save")],
                className="compare-plot-head",
            ),
            *([above] if above is not None else []),
            dcc.Graph(id=f"sample-plot-{plot}", figure=empty_figure(""), config=_GRAPH, className="graph"),
            *below,
        ],
        className="panel",
    )


def _particle_table() -> list[html.Div | dag.AgGrid]:
    further = dcc.Checklist(
        sample_page.further_columns(),
        [],
        id="sample-columns",
        inline=True,
        persistence=True,
        className="choices",
    )
    return [
        html.Div(
            [html.H3("Particles"), html.Details([html.Summary("More columns"), further], className="more-columns")],
            className="particles-head",
        ),
        dag.AgGrid(
            id="sample-grid",
            columnDefs=sample_page.grid_columns(),
            rowModelType="infinite",
            getRowId="params.data.id",
            defaultColDef={"resizable": True, "flex": 1},
            dashGridOptions={
                "theme": {"function": "themeQuartz"},
                "rowSelection": {
                    "mode": "multiRow",
                    "checkboxes": False,
                    "headerCheckbox": False,
                    "enableClickSelection": True,
                },
                "cacheBlockSize": 100,
                "maxBlocksInCache": 20,
                "infiniteInitialRowCount": 1,
            },
            className="grid particles",
        ),
    ]
