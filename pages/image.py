"""`/images/<id>`: one micrograph at full resolution, every particle reviewable."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update

from antema.domain import AntemaError, NotFound
from antema.web import image_page, sample_page
from antema.web.not_found import not_found
from antema.web.shell import message
from antema.web.state import store
from antema.web.user import current_user

dash.register_page(__name__, path_template="/images/<micrograph_id>", title="Micrograph · ANTEMA")

_VIEWER = {"displaylogo": False, "scrollZoom": True, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def layout(micrograph_id: str = "", analysis: str = "", **_: str) -> html.Div:
    """Return the page of one micrograph."""
    try:
        micrograph = store().micrograph(int(micrograph_id))
        sample = store().sample(micrograph.sample_id)
    except (NotFound, ValueError):
        return not_found(f"There is no micrograph {micrograph_id}.")
    options = image_page.results_of(micrograph)
    values = [option["value"] for option in options]
    wanted = int(analysis) if analysis.isdecimal() else sample.current_analysis_id
    before, after = image_page.neighbours(micrograph)
    return html.Div(
        [
            dcc.Store(id="image-id", data=micrograph.id),
            dcc.Store(id="image-changed", data=0),
            dcc.Store(id="image-particle"),
            dcc.Store(id="image-keys"),
            dcc.Store(id="image-neighbours", data=[before, after]),
            html.Div(
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
            ),
            html.Div(
                [
                    html.Div(
                        [
                            html.Div(
                                [
                                    dcc.Dropdown(
                                        options,
                                        wanted if wanted in values else next(iter(values), None),
                                        id="image-analysis",
                                        clearable=False,
                                        placeholder="No result yet",
                                        className="result-choice",
                                    ),
                                    dbc.Switch(id="image-overlay", label="outlines (O)", value=True),
                                ],
                                className="controls",
                            ),
                            dcc.Graph(id="image-viewer", config=_VIEWER, className="graph viewer tall"),
                            html.Div(
                                [
                                    *sample_page.outline_keys(),
                                    html.A(
                                        "Save picture (PNG)", id="image-save", className="save-picture", hidden=True
                                    ),
                                ],
                                className="keys",
                            ),
                            html.P(id="image-counts", className="quiet"),
                        ],
                        className="panel wide",
                    ),
                    html.Div(
                        [
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
                            html.Div("Click a particle to see its numbers.", id="image-particle-numbers"),
                            html.Div(
                                [
                                    dcc.Dropdown(
                                        list(image_page.EXCLUSION_REASONS),
                                        id="image-reason-choice",
                                        placeholder="Reason …",
                                    ),
                                    dbc.Input(id="image-reason", placeholder="or in your own words", className="mt-1"),
                                    html.Button(
                                        "Exclude (X)", id="image-exclude", className="btn btn-sm btn-danger mt-2"
                                    ),
                                ],
                                id="image-exclude-box",
                                hidden=True,
                            ),
                            html.Button(
                                "Take back",
                                id="image-restore",
                                className="btn btn-sm btn-outline-primary mt-2",
                                hidden=True,
                            ),
                            html.H3("Micrograph"),
                            html.Div(image_page.facts(micrograph), id="image-facts"),
                            html.H3("Changes"),
                            html.Div(id="image-trail"),
                        ],
                        className="panel side",
                    ),
                ],
                className="panels image",
            ),
        ]
    )


def _step(label: str, target: int | None, identity: str, icon: str) -> dcc.Link:
    return dcc.Link(
        html.I(className=f"bi {icon}"),
        href=f"/images/{target}" if target is not None else "",
        id=identity,
        title=label,
        className="btn btn-outline-secondary" + ("" if target is not None else " disabled"),
    )


@callback(
    Output("image-viewer", "figure"),
    Output("image-counts", "children"),
    Input("image-analysis", "value"),
    Input("image-overlay", "value"),
    Input("image-particle", "data"),
    Input("image-changed", "data"),
    State("image-id", "data"),
)
def _viewer(
    analysis_id: int | None, overlay: bool, particle: int | None, _: int, micrograph_id: int
) -> tuple[Any, str]:
    micrograph = store().micrograph(micrograph_id)
    selection = {"particles": [[micrograph_id, particle]]} if particle is not None else None
    figure = sample_page.viewer(micrograph, analysis_id, selection=selection, overlay_on=overlay)
    if analysis_id is None:
        return figure, image_page.counts(sample_page.no_rows(), None)
    rows, result = sample_page.of_micrograph(analysis_id, micrograph_id)
    return figure, image_page.counts(rows, result)


@callback(
    Output("image-previous", "href"),
    Output("image-next", "href"),
    Output("image-save", "href"),
    Output("image-save", "hidden"),
    Input("image-analysis", "value"),
    Input("image-changed", "data"),
    State("image-neighbours", "data"),
    State("image-id", "data"),
)
def _links(
    analysis_id: int | None, _: int, neighbours: list[int | None], micrograph_id: int
) -> tuple[str, str, str, bool]:
    query = f"?analysis={analysis_id}" if analysis_id is not None else ""
    previous, following = (f"/images/{target}{query}" if target is not None else "" for target in neighbours)
    picture = f"/media/preview/{analysis_id}/{micrograph_id}.png?size=2048"
    return previous, following, picture, analysis_id is None


@callback(
    Output("image-particle", "data"),
    Input("image-viewer", "clickData"),
    Input("image-analysis", "value"),
    Input("image-following", "n_clicks"),
    Input("image-preceding", "n_clicks"),
    State("image-particle", "data"),
    State("image-id", "data"),
    prevent_initial_call=True,
)
def _pick(
    point: dict[str, Any] | None,
    analysis_id: int | None,
    _following: int | None,
    _preceding: int | None,
    picked: int | None,
    micrograph_id: int,
) -> Any:  # noqa: ANN401 - Dash's no_update
    if ctx.triggered_id == "image-analysis":
        return None
    if ctx.triggered_id in ("image-following", "image-preceding"):
        if analysis_id is None:
            return no_update
        return image_page.step(analysis_id, micrograph_id, picked, 1 if ctx.triggered_id == "image-following" else -1)
    if not point or "customdata" not in point["points"][0]:
        return no_update
    return point["points"][0]["customdata"]


@callback(
    Output("image-particle-numbers", "children"),
    Output("image-exclude-box", "hidden"),
    Output("image-restore", "hidden"),
    Input("image-particle", "data"),
    Input("image-changed", "data"),
    State("image-analysis", "value"),
    State("image-id", "data"),
)
def _particle(particle: int | None, _: int, analysis_id: int | None, micrograph_id: int) -> tuple[Any, bool, bool]:
    if particle is None or analysis_id is None:
        return html.P("Click a particle to see its numbers.", className="quiet"), True, True
    rows, _result = sample_page.of_micrograph(analysis_id, micrograph_id)
    row = rows[rows["particle"] == particle].iloc[0]
    numbers = [html.H4(f"No. {particle}"), *image_page.particle_numbers(row)]
    return numbers, row["status"] != "measured", row["drop_reason"] != "excluded_by_user"


@callback(
    Output("image-changed", "data"),
    Output("message", "data", allow_duplicate=True),
    Output("image-reason", "value"),
    Input("image-exclude", "n_clicks"),
    Input("image-restore", "n_clicks"),
    State("image-particle", "data"),
    State("image-analysis", "value"),
    State("image-id", "data"),
    State("image-reason-choice", "value"),
    State("image-reason", "value"),
    State("image-changed", "data"),
    prevent_initial_call=True,
)
def _edit(
    _exclude: int | None,
    _restore: int | None,
    particle: int | None,
    analysis_id: int | None,
    micrograph_id: int,
    choice: str | None,
    words: str | None,
    changed: int,
) -> tuple[Any, Any, Any]:
    if particle is None or analysis_id is None or not ctx.triggered or not ctx.triggered[0]["value"]:
        return no_update, no_update, no_update
    reason = (words or "").strip() or choice or ""
    try:
        if ctx.triggered_id == "image-restore":
            store().restore_particle(analysis_id, micrograph_id, particle, by=current_user())
        elif not reason:
            return no_update, message("Exclude: expected a reason, found none. Choose one or type it."), no_update
        else:
            store().exclude_particle(analysis_id, micrograph_id, particle, reason, by=current_user())
    except AntemaError as error:
        return no_update, message(str(error)), no_update
    return changed + 1, no_update, ""


@callback(Output("image-trail", "children"), Input("image-id", "data"), Input("image-changed", "data"))
def _trail(micrograph_id: int, _: int) -> list[Any]:
    return image_page.edit_trail(micrograph_id)


# Review by keyboard: arrows step through the micrographs, N and P through the particles, O shows the outlines, X
# excludes.
clientside_callback(
    """(id) => {
        if (window.antemaKeys) document.removeEventListener("keydown", window.antemaKeys);
        window.antemaKeys = (event) => {
            if (event.target.closest("input, textarea, select, .ag-root") || event.ctrlKey || event.metaKey) return;
            const press = (name) => { const b = document.getElementById(name); if (b) b.click(); };
            if (event.key === "ArrowLeft") press("image-previous");
            if (event.key === "ArrowRight") press("image-next");
            if (event.key === "n" || event.key === "N") press("image-following");
            if (event.key === "p" || event.key === "P") press("image-preceding");
            if (event.key === "x" || event.key === "X") press("image-exclude");
            if (event.key === "o" || event.key === "O") press("image-overlay");
        };
        document.addEventListener("keydown", window.antemaKeys);
        return window.dash_clientside.no_update;
    }""",
    Output("image-keys", "data"),
    Input("image-id", "data"),
)
