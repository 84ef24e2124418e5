"""`/images/<id>`: one micrograph at full resolution, every particle reviewable."""

from typing import Any

import dash
import numpy as np
from dash import ALL, Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update

from antema.domain import AntemaError, NotFound
from antema.web import image_page, sample_page
from antema.web.figures import empty_figure
from antema.web.image_layout import image_head, picture_panel, side_panel
from antema.web.intake import choose_image, examine_if_needed
from antema.web.not_found import not_found
from antema.web.particle_figures import crop_figure, transform_figure
from antema.web.particle_look import look
from antema.web.particle_view import spots_statement
from antema.web.sample_choice import asked_certainty
from antema.web.scale_question import ask_or_apply, question_dialog, register_question
from antema.web.scale_view import use_words
from antema.web.shell import message
from antema.web.state import store
from antema.web.trust_view import trust_statement
from antema.web.user import current_user
from antema.web.viewer import drawn, drawn_store, keep_view

dash.register_page(__name__, path_template="/images/<micrograph_id>", title="Micrograph · ANTEMA")

_CHOSEN = "This micrograph is now another image of its file. Results of the one before stay with it: analyse again."


def layout(micrograph_id: str = "", analysis: str = "", certainty: str = "", classes: str = "", **_: str) -> html.Div:
    """Return the page of one micrograph, with the classes at a certainty in percent; that kept with the result."""
    try:
        micrograph = store().micrograph(int(micrograph_id))
        sample = store().sample(micrograph.sample_id)
    except (NotFound, ValueError):
        return not_found(f"There is no micrograph {micrograph_id}.")
    wanted = int(analysis) if analysis.isdecimal() else sample.current_analysis_id
    neighbours = image_page.neighbours(micrograph)
    return html.Div(
        [
            dcc.Store(id="image-id", data=micrograph.id),
            dcc.Store(id="image-changed", data=0),
            dcc.Store(id="image-particle"),
            dcc.Store(id="image-stepped", data=False),
            drawn_store("image-viewer"),
            dcc.Store(id="image-keys"),
            dcc.Store(id="image-certainty", data=asked_certainty(certainty)),
            dcc.Store(id="image-neighbours", data=list(neighbours)),
            image_head(sample, micrograph, neighbours),
            html.Div(id="image-trust"),
            html.Div(
                [picture_panel(micrograph, wanted, by_class=classes == "1"), side_panel()], className="panels image"
            ),
            question_dialog("image"),
        ]
    )


@callback(
    Output(drawn("image-viewer"), "data"),
    Output("image-counts", "children"),
    Output("image-trust", "children"),
    Output("image-outline-keys", "children"),
    Output("image-by-class-box", "hidden"),
    Input("image-analysis", "value"),
    Input("image-overlay", "value"),
    Input("image-by-class", "value"),
    Input("image-burned-in", "value"),
    Input("image-particle", "data"),
    Input("image-changed", "data"),
    State("image-stepped", "data"),
    State("image-certainty", "data"),
    State("image-id", "data"),
)
def _viewer(
    analysis_id: int | None,
    overlay: bool,
    by_class: bool,
    burned_in: bool,
    particle: int | None,
    _: int,
    stepped: bool,
    certainty: float | None,
    micrograph_id: int,
) -> tuple[Any, ...]:
    micrograph = store().micrograph(micrograph_id)
    selection = {"particles": [[micrograph_id, particle]]} if particle is not None else None
    coloured = analysis_id is not None and sample_page.is_coloured_by_class(analysis_id, asked=by_class)
    figure = sample_page.viewer(
        micrograph,
        analysis_id,
        selection=selection,
        overlay_on=overlay,
        annotations_on=burned_in,
        by_class=coloured,
        certainty=certainty,
        # a particle that was clicked is in view, and one stepped to may have been left again
        bring=bool(stepped) and ctx.triggered_id == "image-particle",
    )
    keys = sample_page.outline_keys(by_class=coloured)
    if analysis_id is None:
        return figure, image_page.counts(sample_page.no_rows(), None), [], keys, True
    rows, result = sample_page.of_micrograph(analysis_id, micrograph_id)
    has_classes = sample_page.is_coloured_by_class(analysis_id, asked=True)
    return figure, image_page.counts(rows, result), trust_statement(result), keys, not has_classes


keep_view("image-viewer")


@callback(
    Output("image-scale", "children"),
    Output("image-use-bar", "children"),
    Output("image-use-bar", "hidden"),
    Output("image-file-nm", "hidden"),
    Output("image-facts", "children"),
    Output("image-data", "options"),
    Output("image-data", "value"),
    Output("image-data-box", "hidden"),
    Input("image-id", "data"),
    Input("image-changed", "data"),
)
def _facts(micrograph_id: int, _: int) -> tuple[Any, ...]:
    micrograph, images = store().micrograph(micrograph_id), store().file_images(micrograph_id)
    use = use_words(micrograph)
    return (
        image_page.scale_facts(micrograph),
        use,
        not use,
        micrograph.user_pixel_size_nm is None,
        image_page.facts(micrograph, images),
        image_page.image_options(images),
        image_page.chosen_image(micrograph, images),
        len(images) < 2,
    )


@callback(
    Output("image-changed", "data", allow_duplicate=True),
    Output("message", "data", allow_duplicate=True),
    Output("image-nm", "value"),
    Output("image-scale-asked", "data"),
    Input("image-use-bar", "n_clicks"),
    Input("image-set-nm", "n_clicks"),
    Input("image-file-nm", "n_clicks"),
    Input("image-nm", "n_submit"),
    State("image-nm", "value"),
    State("image-id", "data"),
    State("image-changed", "data"),
    prevent_initial_call=True,
)
def _set_scale(
    _bar: int | None,
    _set: int | None,
    _file: int | None,
    _enter: int | None,
    nm: float | None,
    micrograph_id: int,
    changed: int,
) -> tuple[Any, Any, Any, Any]:
    if not ctx.triggered[0]["value"]:
        return no_update, no_update, no_update, no_update
    action = {"image-use-bar": "scale-bars", "image-file-nm": "file-scale"}.get(str(ctx.triggered_id), "scale")
    try:
        asked = ask_or_apply(action, [micrograph_id], value=nm)
    except AntemaError as error:
        return no_update, message(str(error)), no_update, no_update
    return no_update if asked else changed + 1, no_update, no_update if asked else None, asked


register_question("image", field="image-nm")


@callback(
    Output("image-changed", "data", allow_duplicate=True),
    Output("message", "data", allow_duplicate=True),
    Input("image-data", "value"),
    State("image-id", "data"),
    State("image-changed", "data"),
    prevent_initial_call=True,
)
def _choose_image(number: int | None, micrograph_id: int, changed: int) -> tuple[Any, Any]:
    if number is None:
        return no_update, no_update
    try:
        is_other = choose_image(store(), micrograph_id, number, by=current_user())
    except AntemaError as error:
        # shows again the image that it still is
        return changed + 1, message(str(error))
    return (changed + 1, message(_CHOSEN, "info")) if is_other else (no_update, no_update)


@callback(
    Output("image-changed", "data", allow_duplicate=True),
    Input("image-id", "data"),
    State("image-changed", "data"),
    prevent_initial_call="initial_duplicate",
)
def _look_into_file(micrograph_id: int, changed: int) -> Any:  # noqa: ANN401 - Dash's no_update
    """Find out what an earlier version did not ask of a file."""
    return changed + 1 if examine_if_needed(store(), micrograph_id) else no_update


@callback(
    Output("image-previous", "href"),
    Output("image-next", "href"),
    Output("image-save", "href"),
    Output("image-save", "hidden"),
    Input("image-analysis", "value"),
    Input("image-by-class", "value"),
    Input("image-changed", "data"),
    State("image-certainty", "data"),
    State("image-neighbours", "data"),
    State("image-id", "data"),
)
def _links(
    analysis_id: int | None,
    by_class: bool,
    _: int,
    certainty: float | None,
    neighbours: list[int | None],
    micrograph_id: int,
) -> tuple[str, str, str, bool]:
    if analysis_id is None:
        previous, following = (f"/images/{target}" if target is not None else "" for target in neighbours)
        return previous, following, "", True
    query = image_page.address_query(analysis_id, certainty, by_class=by_class)
    previous, following = (f"/images/{target}?{query}" if target is not None else "" for target in neighbours)
    picture = f"/media/preview/{analysis_id}/{micrograph_id}.png?size=2048"
    if sample_page.is_coloured_by_class(analysis_id, asked=by_class):
        picture += f"&certainty={image_page.certainty_of(analysis_id, certainty):g}"
    return previous, following, picture, False


@callback(
    Output("image-particle", "data"),
    Output("image-stepped", "data"),
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
) -> tuple[Any, Any]:
    if ctx.triggered_id == "image-analysis":
        return None, False
    if ctx.triggered_id in ("image-following", "image-preceding"):
        if analysis_id is None:
            return no_update, no_update
        by = 1 if ctx.triggered_id == "image-following" else -1
        return image_page.step(analysis_id, micrograph_id, picked, by), True
    if not point or "customdata" not in point["points"][0]:
        return no_update, no_update
    return point["points"][0]["customdata"], False


@callback(
    Output("image-particle-numbers", "children"),
    Output("image-particle-facts", "children"),
    Output("image-exclude-box", "hidden"),
    Output("image-restore", "hidden"),
    Output("image-look", "hidden"),
    Output("image-evidence-box", "hidden"),
    Input("image-particle", "data"),
    Input("image-analysis", "value"),
    Input("image-changed", "data"),
    State("image-certainty", "data"),
    State("image-id", "data"),
)
def _particle(
    particle: int | None, analysis_id: int | None, _: int, certainty: float | None, micrograph_id: int
) -> tuple[Any, ...]:
    if analysis_id is None:
        words = image_page.no_particles(store().micrograph(micrograph_id))
        return html.P(words, className="quiet"), [], True, True, True, True
    rows, _result = sample_page.of_micrograph(analysis_id, micrograph_id, certainty)
    # the result may be another one than that of which the particle was picked
    chosen = rows[rows["particle"] == particle]
    if particle is None or chosen.empty:
        words = "Click a particle, or press N, to see its numbers, its Fourier transform and its crystallinity."
        return html.P(words, className="quiet"), [], True, True, True, True
    row = chosen.iloc[0]
    said = image_page.particle_class(analysis_id, row, certainty)
    return (
        [html.H4(f"No. {particle}"), *said],
        image_page.particle_numbers(row),
        row["status"] != "measured",
        row["drop_reason"] != "excluded_by_user",
        False,
        not np.isfinite(row["confidence"]),
    )


@callback(
    Output("image-transform", "figure"),
    Output("image-spots", "children"),
    Input("image-particle", "data"),
    State("image-analysis", "value"),
    State("image-certainty", "data"),
    State("image-id", "data"),
)
def _transform(
    particle: int | None, analysis_id: int | None, certainty: float | None, micrograph_id: int
) -> tuple[Any, Any]:
    if particle is None or analysis_id is None:
        return no_update, no_update
    try:
        seen = look(analysis_id, micrograph_id, particle)
    except AntemaError as error:
        return empty_figure(""), html.P(str(error), className="quiet")
    rows, _ = sample_page.of_micrograph(analysis_id, micrograph_id, certainty)
    row = rows[rows["particle"] == particle].iloc[0]
    differ = image_page.particle_differences(analysis_id, row, seen.spots.crystallinity, certainty)
    return transform_figure(seen), [*spots_statement(seen), *differ]


@callback(
    Output("image-crop", "figure"),
    Input("image-particle", "data"),
    Input("image-evidence", "value"),
    State("image-analysis", "value"),
    State("image-id", "data"),
)
def _crop(particle: int | None, evidence: str, analysis_id: int | None, micrograph_id: int) -> Any:  # noqa: ANN401
    if particle is None or analysis_id is None:
        return no_update
    try:
        return crop_figure(look(analysis_id, micrograph_id, particle), evidence or None)
    except AntemaError:
        # the spots' place says why
        return empty_figure("")


clientside_callback(
    """(clicks) => {
        const button = window.dash_clientside.callback_context.triggered_id;
        if (!button || !clicks.some(Boolean)) return;
        const plot = document.querySelector(`#image-${button.plot} .js-plotly-plot`);
        window.Plotly.downloadImage(plot, {
            format: "png",
            filename: `particle_${button.plot}`,
            width: plot.clientWidth,
            height: plot.clientHeight,
            scale: 4,
        });
    }""",
    Input({"type": "image-look-save", "plot": ALL}, "n_clicks"),
    prevent_initial_call=True,
)


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


# Review by keyboard: arrows step through the micrographs, N and P through the particles, O shows the outlines, C
# colours them by class, E steps through the evidence, X excludes, B frames what is burned in.
clientside_callback(
    """(id) => {
        if (window.antemaKeys) document.removeEventListener("keydown", window.antemaKeys);
        window.antemaKeys = (event) => {
            const isChoice = ["radio", "checkbox"].includes(event.target.type);
            if (event.target.closest("input, textarea, select, .ag-root") && !isChoice) return;
            if (event.ctrlKey || event.metaKey || (isChoice && event.key.startsWith("Arrow"))) return;
            const press = (name) => { const b = document.getElementById(name); if (b) b.click(); };
            if (event.key === "ArrowLeft") press("image-previous");
            if (event.key === "ArrowRight") press("image-next");
            if (event.key === "n" || event.key === "N") press("image-following");
            if (event.key === "p" || event.key === "P") press("image-preceding");
            if (event.key === "x" || event.key === "X") press("image-exclude");
            if (event.key === "o" || event.key === "O") press("image-overlay");
            if (event.key === "c" || event.key === "C") press("image-by-class");
            if (event.key === "e" || event.key === "E") {
                const choices = [...document.querySelectorAll("#image-evidence input")];
                const next = choices[(choices.findIndex((choice) => choice.checked) + 1) % choices.length];
                if (next) next.click();
            }
            if (event.key === "b" || event.key === "B") press("image-burned-in");
        };
        document.addEventListener("keydown", window.antemaKeys);
        return window.dash_clientside.no_update;
    }""",
    Output("image-keys", "data"),
    Input("image-id", "data"),
)
