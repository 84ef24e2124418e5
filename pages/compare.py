"""`/compare?samples=1,2`: samples side by side; the address holds the choice."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ALL, Input, Output, State, callback, clientside_callback, dcc, html, no_update

from antema.web import compare_page
from antema.web.compare_choice import MOST_SAMPLES, Choice
from antema.web.compare_samples import load
from antema.web.compare_warnings import warnings
from antema.web.figures import empty_figure
from antema.web.sample_choice import view_of
from antema.web.view_controls import border_switch, certainty_slider, quantity_choice, weighting_choice

dash.register_page(__name__, path="/compare", title="Compare · ANTEMA")

_PLOTS = {
    "histogram": ("Distribution", "histogram.csv"),
    "cumulative": ("Cumulative", "cumulative.csv"),
    "violin": ("Spread", "values.csv"),
    "crystallinity": ("Crystallinity", "crystallinity.csv"),
}


def layout(**query: str) -> html.Div:
    """Return the comparison that the address asks for."""
    choice = Choice.from_query(query)
    return html.Div(
        [
            dcc.Store(id="compare-query"),
            html.Div(
                [
                    html.H1("Compare samples"),
                    html.Div(
                        dbc.DropdownMenu(id="compare-downloads", label="Download", color="secondary", disabled=True),
                        className="actions",
                    ),
                ],
                className="page-head",
            ),
            _controls(choice),
            html.Div(id="compare-empty", className="compare-empty", hidden=True),
            html.Div(
                [
                    html.Div(id="compare-warnings"),
                    html.Div([_plot(name) for name in ("histogram", "cumulative")], className="panels"),
                    html.Div(
                        [html.H3("Side by side"), html.Div(id="compare-statistics", className="scroll-x")],
                        className="panel compare-wide",
                    ),
                    html.Div(
                        [html.H3("Differences"), dcc.Loading(html.Div(id="compare-differences"), delay_show=400)],
                        className="panel compare-wide",
                    ),
                    html.Div([_plot("violin"), _crystallinity_panel(choice)], className="panels"),
                    html.Div(
                        [html.H3("Differences of crystallinity"), html.Div(id="compare-share-differences")],
                        id="compare-share-panel",
                        className="panel compare-wide",
                        hidden=True,
                    ),
                ],
                id="compare-body",
                hidden=True,
            ),
        ]
    )


def _controls(choice: Choice) -> html.Div:
    return html.Div(
        [
            html.Div(
                dcc.Dropdown(
                    compare_page.sample_options(choice.samples),
                    list(choice.samples),
                    id="compare-samples",
                    multi=True,
                    placeholder=f"Choose two to {MOST_SAMPLES} samples",
                    maxHeight=360,
                ),
                className="compare-choice",
            ),
            quantity_choice("compare-quantity", choice.column),
            weighting_choice("compare-weighting", choice.weighting),
            border_switch("compare-border", value=choice.border),
            dbc.Switch(id="compare-log", label="log axis", value=choice.log),
        ],
        className="panel controls compare-controls",
    )


def _crystallinity_panel(choice: Choice) -> html.Div:
    slider = html.Div(
        certainty_slider("compare-certainty", choice.certainty),
        id="compare-certainty-box",
        className="compare-certainty",
    )
    return _plot("crystallinity", above=slider)


def _plot(name: str, *, above: html.Div | None = None) -> html.Div:
    title, file = _PLOTS[name]
    config: Any = {
        "displaylogo": False,
        "toImageButtonOptions": {"format": "svg", "filename": f"comparison_{name}"},
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    }
    save = [
        html.Button(
            form.upper(),
            id={"type": "compare-save", "plot": name, "format": form},
            className="btn btn-sm btn-link",
            title=f"Save this plot as {form.upper()}",
        )
        for form in ("svg", "png")
    ]
    csv = html.A(
        "CSV",
        id={"type": "compare-file", "file": file},
        className="btn btn-sm btn-link",
        title="Save what this plot draws",
        download="",
    )
    return html.Div(
        [
            html.Div(
                [html.H3(title), html.Div([*save, csv], id=f"compare-save-{name}", className="compare-save")],
                className="compare-plot-head",
            ),
            *([above] if above is not None else []),
            html.Div(
                dcc.Graph(id=f"compare-plot-{name}", figure=empty_figure(""), config=config, className="graph"),
                id=f"compare-frame-{name}",
            ),
            html.Div(id=f"compare-words-{name}"),
        ],
        className="panel",
    )


_CHOICE = (
    Input("compare-samples", "value"),
    Input("compare-quantity", "value"),
    Input("compare-weighting", "value"),
    Input("compare-border", "value"),
    Input("compare-log", "value"),
)


@callback(
    Output("compare-query", "data"),
    Output("compare-downloads", "children"),
    Output({"type": "compare-file", "file": ALL}, "href"),
    *_CHOICE,
    Input("compare-certainty", "value"),
    State({"type": "compare-file", "file": ALL}, "id"),
)
def _address(
    samples: list[int] | None,
    column: str,
    weighting: str,
    border: bool,
    log: bool,
    certainty: float | None,
    files: list[dict[str, str]],
) -> tuple[str, list[html.A], list[str]]:
    at = view_of(None, certainty, border=None).crystallinity_certainty
    choice = Choice.of(samples, column, weighting, log=log, border=border, certainty=at)
    return (
        choice.query,
        compare_page.downloads_menu(choice),
        [compare_page.download_address(control["file"], choice) for control in files],
    )


# The address is replaced where it stands: through dcc.Location the page would be laid out anew at each change.
clientside_callback(
    """(query) => {
        if (query === undefined || window.location.pathname !== "/compare") return;
        const search = query ? "?" + query : "";
        if (window.location.search === search) return;
        window.history.replaceState(window.history.state, "", "/compare" + search);
    }""",
    Input("compare-query", "data"),
)


@callback(
    Output("compare-samples", "options"),
    Input("jobs-changed", "data"),
    State("compare-samples", "value"),
    prevent_initial_call=True,
)
def _options(_: object, samples: list[int] | None) -> list[dict[str, Any]]:
    return compare_page.sample_options(samples or [])


@callback(
    Output("compare-empty", "children"),
    Output("compare-empty", "hidden"),
    Output("compare-body", "hidden"),
    Output("compare-downloads", "disabled"),
    Output("compare-warnings", "children"),
    *_CHOICE,
)
def _state(samples: list[int] | None, column: str, weighting: str, border: bool, log: bool) -> tuple[Any, ...]:
    comparable = load(Choice.of(samples, column, weighting, log=log, border=border))
    enough = comparable.is_enough
    return (compare_page.empty_state(comparable), enough, not enough, not enough, warnings(comparable))


@callback(
    Output("compare-plot-histogram", "figure"),
    Output("compare-plot-cumulative", "figure"),
    Output("compare-plot-violin", "figure"),
    Output("compare-words-histogram", "children"),
    Output("compare-words-violin", "children"),
    Output("compare-statistics", "children"),
    *_CHOICE,
)
def _numbers(samples: list[int] | None, column: str, weighting: str, border: bool, log: bool) -> tuple[Any, ...]:
    comparable = load(Choice.of(samples, column, weighting, log=log, border=border))
    if not comparable.is_enough:
        return (no_update,) * 6
    return (
        *compare_page.plots(comparable),
        compare_page.histogram_words(comparable),
        compare_page.violin_words(comparable),
        compare_page.statistics_table(comparable),
    )


@callback(Output("compare-differences", "children"), *_CHOICE)
def _differences(samples: list[int] | None, column: str, weighting: str, border: bool, log: bool) -> Any:  # noqa: ANN401
    comparable = load(Choice.of(samples, column, weighting, log=log, border=border))
    return compare_page.differences(comparable) if comparable.is_enough else no_update


@callback(
    Output("compare-plot-crystallinity", "figure"),
    Output("compare-frame-crystallinity", "hidden"),
    Output("compare-save-crystallinity", "hidden"),
    Output("compare-certainty-box", "hidden"),
    Output("compare-words-crystallinity", "children"),
    Output("compare-share-differences", "children"),
    Output("compare-share-panel", "hidden"),
    Input("compare-samples", "value"),
    Input("compare-border", "value"),
    Input("compare-certainty", "value"),
)
def _crystallinity(samples: list[int] | None, border: bool, certainty: float | None) -> tuple[Any, ...]:
    at = view_of(None, certainty, border=None).crystallinity_certainty
    comparable = load(Choice.of(samples, None, None, log=False, border=border, certainty=at))
    if not comparable.is_enough:
        return (no_update,) * 7
    figure, words = compare_page.crystallinity(comparable)
    nothing = figure is None
    differences = compare_page.share_differences(comparable)
    return no_update if nothing else figure, nothing, nothing, nothing, words, differences, not differences


clientside_callback(
    """(clicks) => {
        const button = window.dash_clientside.callback_context.triggered_id;
        if (!button || !clicks.some(Boolean)) return;
        const plot = document.querySelector(`#compare-plot-${button.plot} .js-plotly-plot`);
        window.Plotly.downloadImage(plot, {
            format: button.format,
            filename: `comparison_${button.plot}`,
            width: plot.clientWidth,
            height: plot.clientHeight,
            scale: button.format === "png" ? 3 : 1,
            setBackground: "opaque",
        });
    }""",
    Input({"type": "compare-save", "plot": ALL, "format": ALL}, "n_clicks"),
    prevent_initial_call=True,
)
