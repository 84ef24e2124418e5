"""`/samples/<id>`: micrographs in, distributions out."""

from typing import Any

import dash
from dash import ALL, Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update

from antema import jobs
from antema.domain import AntemaError, ChangedMeanwhile, NotFound, View
from antema.domain.material_names import classes_caution
from antema.reports import frame_csv
from antema.web import sample_classes, sample_page
from antema.web.background import job_request
from antema.web.crystallinity_view import model_words
from antema.web.deleting import delete_modals
from antema.web.figures import empty_figure
from antema.web.micrograph_actions import ACTIONS, action_modal, apply_action, dialog_of, leave_strange_out
from antema.web.models_view import default_recipe, models_to_choose
from antema.web.not_found import not_found
from antema.web.recipe_panel import controls_of, recipe_from_controls, recipe_panel
from antema.web.sample_choice import SampleChoice, asked_choice, usual_choice, view_of
from antema.web.sample_form import FIELDS, form_values, sample_form, save_changes, seen_now
from antema.web.sample_layout import micrographs_section, results_section, sample_head
from antema.web.scale_question import ask_or_apply, question_dialog, register_question
from antema.web.scale_view import banner, bars_words
from antema.web.shell import message
from antema.web.state import store
from antema.web.trust_view import leave_out_words
from antema.web.user import current_user
from antema.web.viewer import drawn, drawn_store, keep_view

dash.register_page(__name__, path_template="/samples/<sample_id>", title="Sample · ANTEMA")

_ARCHIVE = "Archive"


def layout(sample_id: str = "", **query: str) -> html.Div:
    """Return the page of one sample, as its address asks for it."""
    try:
        sample = store().sample(int(sample_id))
    except (NotFound, ValueError):
        return not_found(f"There is no sample {sample_id}.")
    choice = asked_choice(sample.id, query)
    results, _ = sample_page.analysis_options(sample.id)
    return html.Div(
        [
            dcc.Store(id="sample-id", data=sample.id),
            dcc.Store(id="sample-changed", data=0),
            dcc.Store(id="sample-selection"),
            dcc.Store(id="sample-viewer-offer"),
            dcc.Store(id="sample-offer"),
            dcc.Store(id="sample-current"),
            dcc.Store(id="sample-made-current", data=0),
            dcc.Store(id="sample-jobs"),
            dcc.Store(id="sample-address"),
            dcc.Store(id="sample-kept", data=0),
            dcc.Store(id="sample-edit-seen"),
            drawn_store("sample-viewer"),
            dcc.Store(id="upload-move"),
            dcc.Store(id="upload-moved"),
            sample_head(),
            html.Div(id="sample-details", className="details"),
            html.Div(id="sample-failures"),
            html.Div(
                [micrographs_section(sample.id), results_section(choice, results)],
                className="sample-body",
                id="sample-body",
            ),
            recipe_panel(models_to_choose()),
            sample_form("sample-edit", "Edit sample", "Save"),
            *[action_modal(name) for name in ACTIONS],
            *delete_modals(),
            question_dialog("sample"),
        ]
    )


@callback(
    Output("sample-jobs", "data"),
    Input("jobs-changed", "data"),
    Input("sample-id", "data"),
    State("sample-jobs", "data"),
)
def _own_jobs(_: object, sample_id: int, seen: list[Any] | None) -> Any:  # noqa: ANN401 - Dash's no_update
    # The page follows its own jobs only: another sample's would redraw it for nothing at every image.
    own = [[job.id, job.status, job.images_done] for job in store().jobs(sample_id=sample_id)]
    return no_update if own == seen else own


@callback(
    Output("sample-name", "children"),
    Output("sample-details", "children"),
    Output("sample-archive", "children"),
    Input("sample-id", "data"),
    Input("sample-changed", "data"),
)
def _details(sample_id: int, _: int) -> tuple[str, list[Any], str]:
    sample = store().sample(sample_id)
    facts = [sample.material, sample.batch and f"batch {sample.batch}"]
    facts += [sample.synthesis_date and f"synthesised {sample.synthesis_date:%Y-%m-%d}"]
    facts += [sample.operator and f"by {sample.operator}"]
    facts += [f"{key}: {value}" for key, value in sample.properties.items()]
    shown: list[Any] = [html.Span(fact, className="fact") for fact in facts if fact]
    if sample.notes:
        shown.append(html.P(sample.notes, className="notes"))
    return sample.name, shown, "Bring back" if sample.archived else _ARCHIVE


@callback(
    Output("sample-cards", "children"),
    Input("sample-id", "data"),
    Input("sample-changed", "data"),
    Input("uploaded", "data"),
    Input("sample-analysis", "value"),
    Input("sample-jobs", "data"),
    Input("micrographs-all", "n_clicks"),
    Input("micrographs-bare", "n_clicks"),
    State({"type": "micrograph-check", "micrograph": ALL}, "value"),
)
def _cards(
    sample_id: int,
    _changed: int,
    _uploaded: object,
    analysis_id: int | None,
    _jobs: object,
    _all: int | None,
    _bare: int | None,
    _ticks: list[list[str]],
) -> list[html.Div]:
    checked = _ticked()
    if ctx.triggered_id == "micrographs-all":
        everything = {box["id"]["micrograph"] for box in _boxes()}
        checked = set() if checked == everything else everything
    elif ctx.triggered_id == "micrographs-bare":
        checked = sample_page.without_scale(sample_id)
    elif ctx.triggered_id == "sample-changed":
        checked = set()
    return sample_page.cards(sample_id, analysis_id, checked)


@callback(
    Output("scale-words", "children"),
    Output("scale-bars-use", "children"),
    Output("scale-bars-use", "hidden"),
    Output("scale-banner", "hidden"),
    Output("micrographs-bare", "hidden"),
    Input("sample-id", "data"),
    Input("sample-changed", "data"),
    Input("uploaded", "data"),
)
def _scales(sample_id: int, _changed: int, _uploaded: object) -> tuple[str, str, bool, bool, bool]:
    words, use = banner(store().micrographs(sample_id))
    return words, use, not use, not words, not sample_page.without_scale(sample_id)


@callback(
    Output("sample-changed", "data", allow_duplicate=True),
    Output("message", "data", allow_duplicate=True),
    Output("sample-scale-asked", "data"),
    Input({"type": "use-bar", "micrograph": ALL}, "n_clicks"),
    Input("scale-bars-use", "n_clicks"),
    State("sample-id", "data"),
    State("sample-changed", "data"),
    prevent_initial_call=True,
)
def _use_scale_bars(_one: list[int | None], _all: int | None, sample_id: int, changed: int) -> tuple[Any, Any, Any]:
    button = ctx.triggered_id
    if not ctx.triggered[0]["value"]:
        return no_update, no_update, no_update
    chosen = [button["micrograph"]] if isinstance(button, dict) else sorted(sample_page.without_scale(sample_id))
    try:
        asked = ask_or_apply("scale-bars", chosen)
    except AntemaError as error:
        return no_update, message(str(error)), no_update
    return no_update if asked else changed + 1, no_update, asked


register_question("sample")


@callback(
    Output("sample-changed", "data", allow_duplicate=True),
    Output("message", "data", allow_duplicate=True),
    Output("upload-moved", "data"),
    Input("upload-move", "data"),
    State("sample-id", "data"),
    State("sample-changed", "data"),
    prevent_initial_call=True,
)
def _move_here(asked: dict[str, int] | None, sample_id: int, changed: int) -> tuple[Any, Any, Any]:
    """Move a micrograph here that was uploaded and found to be in another sample."""
    if not asked:
        return no_update, no_update, no_update
    try:
        apply_action(store(), "move", [asked["micrograph"]], target=sample_id, by=current_user())
    except AntemaError as error:
        return no_update, message(str(error)), no_update
    return changed + 1, no_update, {"micrograph": asked["micrograph"], "sample": sample_id}


clientside_callback(
    "(moved) => { if (moved) window.antemaUploads.moved(moved.sample, moved.micrograph); }",
    Input("upload-moved", "data"),
    prevent_initial_call=True,
)


def _boxes() -> list[dict[str, Any]]:
    """Return the boxes to tick as they were sent: with their ids asked for too, a large sample's would be too much."""
    sent = [box for group in ctx.states_list if isinstance(group, list) for box in group]
    return [box for box in sent if box["id"]["type"] == "micrograph-check"]


def _ticked() -> set[int]:
    return {box["id"]["micrograph"] for box in _boxes() if box.get("value")}


@callback(
    Output({"type": "micrograph-action", "action": ALL}, "disabled"),
    Input({"type": "micrograph-check", "micrograph": ALL}, "value"),
)
def _enable_actions(values: list[list[str]]) -> list[bool]:
    return [not any(values)] * len(ACTIONS)


@callback(
    Output({"type": "action-modal", "action": ALL}, "is_open"),
    Output({"type": "action-targets", "action": ALL}, "options"),
    Output({"type": "action-value", "action": ALL}, "value"),
    Output({"type": "action-why", "action": ALL}, "value"),
    Output({"type": "action-hint", "action": ALL}, "children"),
    Input({"type": "micrograph-action", "action": ALL}, "n_clicks"),
    Input({"type": "action-cancel", "action": ALL}, "n_clicks"),
    Input("sample-changed", "data"),
    State("sample-id", "data"),
    State({"type": "micrograph-check", "micrograph": ALL}, "value"),
    prevent_initial_call=True,
)
def _open_action(
    opens: list[int | None],
    _cancels: list[int | None],
    _changed: int,
    sample_id: int,
    _ticks: list[list[str]],
) -> tuple[list[bool], list[Any], list[None], list[None], list[str]]:
    asked = ctx.triggered_id
    wanted = (
        asked["action"] if isinstance(asked, dict) and asked["type"] == "micrograph-action" and any(opens) else None
    )
    others = [
        {"label": other.sample.name, "value": other.sample.id}
        for other in store().samples(archived=False)
        if other.sample.id != sample_id
    ]
    ticked = _ticked()
    hint = bars_words([m for m in store().micrographs(sample_id) if m.id in ticked])
    _modals, targets, values, whys, hints = ctx.outputs_list
    return (
        [name == wanted for name in ACTIONS],
        [others for _ in targets],
        [None for _ in values],
        [None for _ in whys],
        [hint for _ in hints],
    )


@callback(
    Output("sample-changed", "data", allow_duplicate=True),
    Output("message", "data", allow_duplicate=True),
    Output("sample-scale-asked", "data", allow_duplicate=True),
    Input({"type": "action-do", "action": ALL}, "n_clicks"),
    State({"type": "action-value", "action": ALL}, "value"),
    State({"type": "action-value", "action": ALL}, "id"),
    State({"type": "action-targets", "action": ALL}, "value"),
    State({"type": "action-why", "action": ALL}, "value"),
    State({"type": "action-why", "action": ALL}, "id"),
    State({"type": "micrograph-check", "micrograph": ALL}, "value"),
    State("sample-changed", "data"),
    prevent_initial_call=True,
)
def _do_action(
    clicks: list[int | None],
    values: list[Any],
    value_ids: list[dict[str, str]],
    targets: list[int | None],
    whys: list[str | None],
    why_ids: list[dict[str, str]],
    _ticks: list[list[str]],
    changed: int,
) -> tuple[Any, Any, Any]:
    if not any(clicks) or not isinstance(ctx.triggered_id, dict):
        return no_update, no_update, no_update
    action = ctx.triggered_id["action"]
    dialog = dialog_of(action)
    value = next((v for v, i in zip(values, value_ids, strict=True) if i["action"] == dialog), None)
    why = next((v for v, i in zip(whys, why_ids, strict=True) if i["action"] == dialog), None)
    target = targets[0] if targets else None
    chosen = sorted(_ticked())
    try:
        if dialog == "scale":
            asked = ask_or_apply(action, chosen, value=value, why=why)
            return no_update if asked else changed + 1, no_update, asked
        apply_action(store(), action, chosen, target=target, why=why, by=current_user())
    except AntemaError as error:
        return no_update, message(str(error)), no_update
    return changed + 1, no_update, no_update


@callback(
    Output("sample-offer", "data"),
    Input("sample-id", "data"),
    Input("sample-jobs", "data"),
    Input("sample-made-current", "data"),
)
def _offer(sample_id: int, *_: object) -> dict[str, Any]:
    options, current = sample_page.analysis_options(sample_id)
    return {"options": options, "current": current}


# In the browser, so that what counts is the choice at the offer's arrival, not the one it was asked with. A result that
# became current while the page was open is shown, unless the user looks at another one. The first time, when
# nothing has been seen, the choice is said even where it stays: what hangs on it waits for it.
clientside_callback(
    """(offer, shown, seen) => {
        const values = offer.options.map((option) => option.value);
        const follows = shown === seen && offer.current !== null;
        const chosen = values.includes(shown) && !follows ? shown
            : values.includes(offer.current) ? offer.current
            : values.length ? values[0] : null;
        const first = seen === undefined || seen === null;
        const value = !first && chosen === shown ? window.dash_clientside.no_update : chosen;
        const body = chosen === null ? "sample-body" : "sample-body has-results";
        return [offer.options, value, offer.current ?? 0, chosen === null, body];
    }""",
    Output("sample-analysis", "options"),
    Output("sample-analysis", "value"),
    Output("sample-current", "data"),
    Output("sample-results", "hidden"),
    Output("sample-body", "className"),
    Input("sample-offer", "data"),
    State("sample-analysis", "value"),
    State("sample-current", "data"),
)


@callback(
    Output({"type": "recipe", "field": ALL}, "value", allow_duplicate=True),
    Input("sample-analysis", "value"),
    State({"type": "recipe", "field": ALL}, "id"),
    prevent_initial_call=True,
)
def _stored(analysis_id: int | None, ids: list[dict[str, str]]) -> list[Any]:
    """Show how the chosen result was made."""
    if analysis_id is None:
        return [no_update] * len(ids)
    shown = controls_of(store().analysis(analysis_id).recipe)
    return [shown[control["field"]] for control in ids]


_EXCLUSIONS = Input("sample-exclusions", "value")
_WEIGHTS = (Input("sample-weighting", "value"), Input("sample-border", "value"), _EXCLUSIONS)
_VIEW = (*_WEIGHTS, Input("sample-certainty", "value"))


@callback(
    Output("sample-address", "data"),
    Output("sample-view-keep", "hidden"),
    Input("sample-analysis", "value"),
    Input("sample-quantity", "value"),
    Input("sample-log", "value"),
    Input("sample-by-class", "value"),
    *_VIEW,
    Input("sample-current", "data"),
    Input("sample-kept", "data"),
    State("sample-id", "data"),
)
def _address(
    analysis_id: int | None,
    column: str,
    log: bool,
    by_class: bool,
    weighting: str,
    border: bool,
    exclusions: bool,
    certainty: float | None,
    _current: int | None,
    _kept: int,
    sample_id: int,
) -> tuple[dict[str, str], bool]:
    view = view_of(weighting, certainty, border=border, exclusions=exclusions)
    choice = SampleChoice(analysis_id, column, view, bool(log), bool(by_class))
    usual = usual_choice(sample_id)
    kept = usual_choice(sample_id, analysis_id).view
    query = "" if analysis_id is None else choice.query_beside(usual)
    return {"path": f"/samples/{sample_id}", "query": query}, analysis_id is None or choice.view == kept


# The address is replaced where it stands: through dcc.Location the page would be laid out anew at each change.
clientside_callback(
    """(address) => {
        if (!address || window.location.pathname.replace(/\\/$/, "") !== address.path) return;
        const search = address.query ? "?" + address.query : "";
        if (window.location.search === search) return;
        window.history.replaceState(window.history.state, "", address.path + search);
    }""",
    Input("sample-address", "data"),
)


@callback(
    Output("sample-kept", "data"),
    Output("message", "data", allow_duplicate=True),
    Input("sample-view-keep", "n_clicks"),
    State("sample-analysis", "value"),
    *(State(control.component_id, control.component_property) for control in _VIEW),
    State("sample-kept", "data"),
    prevent_initial_call=True,
)
def _keep_view(
    clicks: int | None,
    analysis_id: int | None,
    weighting: str,
    border: bool,
    exclusions: bool,
    certainty: float | None,
    kept: int,
) -> tuple[Any, Any]:
    if not clicks or analysis_id is None:
        return no_update, no_update
    view = view_of(weighting, certainty, border=border, exclusions=exclusions)
    store().set_view(analysis_id, view, by=current_user())
    return kept + 1, message("This result opens with this view from now on.", "success")


@callback(
    Output("sample-border", "disabled"),
    Output("sample-border-hindrance", "children"),
    Input("sample-analysis", "value"),
    _EXCLUSIONS,
    Input("sample-changed", "data"),
    Input("sample-jobs", "data"),
)
def _border(analysis_id: int | None, exclusions: bool, *_: object) -> tuple[bool, str]:
    if analysis_id is None:
        return True, ""
    hindrance = sample_page.border_hindrance(sample_page.load(analysis_id, exclusions=exclusions))
    return bool(hindrance), hindrance and f"No correction for border loss. {hindrance}"


@callback(
    Output("sample-exclusions-words", "children"),
    Output("sample-exclusions-box", "hidden"),
    Input("sample-analysis", "value"),
    _EXCLUSIONS,
    Input("sample-changed", "data"),
    Input("sample-jobs", "data"),
)
def _taken_out(analysis_id: int | None, exclusions: bool, *_: object) -> tuple[str, bool]:
    words = "" if analysis_id is None else sample_page.exclusion_words(analysis_id, exclusions=exclusions)
    return words, not words


@callback(
    Output("sample-make-current", "hidden"),
    Input("sample-analysis", "value"),
    Input("sample-current", "data"),
)
def _offer_current(analysis_id: int | None, current: int | None) -> bool:
    return analysis_id is None or analysis_id == current or store().analysis(analysis_id).status != "done"


@callback(
    Output("sample-made-current", "data"),
    Output("message", "data", allow_duplicate=True),
    Input("sample-make-current", "n_clicks"),
    State("sample-id", "data"),
    State("sample-analysis", "value"),
    State("sample-made-current", "data"),
    prevent_initial_call=True,
)
def _make_current(clicks: int | None, sample_id: int, analysis_id: int | None, made: int) -> tuple[Any, Any]:
    if not clicks or analysis_id is None:
        return no_update, no_update
    store().set_current_analysis(sample_id, analysis_id, by=current_user())
    return made + 1, message("Lists, comparisons and reports now use this result.", "success")


@callback(
    Output("sample-headline", "children"),
    Output("sample-left-out", "children"),
    Output("sample-failures", "children"),
    Input("sample-analysis", "value"),
    *_WEIGHTS,
    Input("sample-changed", "data"),
    Input("sample-jobs", "data"),
)
def _numbers(analysis_id: int | None, weighting: str, border: bool, exclusions: bool, *_: object) -> tuple[Any, ...]:
    if analysis_id is None:
        return [], [], []
    result = sample_page.load(analysis_id, exclusions=exclusions)
    view = view_of(weighting, None, border=border, exclusions=exclusions)
    return sample_page.headline(result, view), sample_page.left_out(result), sample_page.failures(result)


@callback(
    Output("sample-downloads", "children"),
    Output("sample-downloads", "disabled"),
    Input("sample-analysis", "value"),
    *_VIEW,
    Input("sample-changed", "data"),
    Input("sample-jobs", "data"),
)
def _downloads(
    analysis_id: int | None, weighting: str, border: bool, exclusions: bool, certainty: float | None, *_: object
) -> tuple[list[Any], bool]:
    if analysis_id is None:
        return [], True
    view = view_of(weighting, certainty, border=border, exclusions=exclusions)
    nothing = sample_page.load(analysis_id, exclusions=exclusions).n_images == 0
    return sample_page.downloads_menu(analysis_id, view), nothing


@callback(
    Output("sample-unclassified-words", "children"),
    Output("sample-unclassified", "hidden"),
    Output("sample-classes", "hidden"),
    Output("sample-by-class-box", "hidden"),
    Output("sample-classes-model", "children"),
    Input("sample-analysis", "value"),
    _EXCLUSIONS,
    Input("sample-changed", "data"),
    Input("sample-jobs", "data"),
)
def _classified(analysis_id: int | None, exclusions: bool, *_: object) -> tuple[str, bool, bool, bool, str]:
    if analysis_id is None:
        return "", True, True, True, ""
    result = sample_page.load(analysis_id, exclusions=exclusions)
    why = sample_classes.unclassified(result)
    caution = classes_caution(store().sample(result.analysis.sample_id).material)
    return why, not why, bool(why), bool(why), f"{model_words(result.images)} {caution}".strip()


@callback(
    Output("sample-plot-shares", "figure"),
    Output("sample-words-shares", "children"),
    Output("sample-plot-coverage", "figure"),
    Output("sample-words-coverage", "children"),
    Input("sample-classes", "hidden"),
    Input("sample-analysis", "value"),
    *_VIEW,
    Input("sample-selection", "data"),
    Input("sample-changed", "data"),
    Input("sample-jobs", "data"),
)
def _shares(
    hidden: bool,
    analysis_id: int | None,
    weighting: str,
    border: bool,
    exclusions: bool,
    certainty: float | None,
    selection: dict[str, Any] | None,
    *_: object,
) -> tuple[Any, ...]:
    view = view_of(weighting, certainty, border=border, exclusions=exclusions)
    result = _classified_result(analysis_id, view, hidden=hidden)
    if result is None:
        return (no_update,) * 4
    return sample_classes.remembered_shares(result, view, selection)


# by itself: it resamples images for each class, which the slider's own answer is not to wait for
@callback(
    Output("sample-plot-sizes", "figure"),
    Output("sample-words-sizes", "children"),
    Input("sample-classes", "hidden"),
    Input("sample-analysis", "value"),
    Input("sample-quantity", "value"),
    Input("sample-log", "value"),
    *_VIEW,
    Input("sample-changed", "data"),
    Input("sample-jobs", "data"),
)
def _sizes(
    hidden: bool,
    analysis_id: int | None,
    column: str,
    log: bool,
    weighting: str,
    border: bool,
    exclusions: bool,
    certainty: float | None,
    *_: object,
) -> tuple[Any, ...]:
    view = view_of(weighting, certainty, border=border, exclusions=exclusions)
    result = _classified_result(analysis_id, view, hidden=hidden)
    if result is None:
        return no_update, no_update
    return sample_classes.remembered_sizes(result, column, view, log=log)


def _classified_result(analysis_id: int | None, view: View, *, hidden: bool) -> sample_page.Result | None:
    """Return a result with its classes at the view's certainty; None where there are none to show."""
    if hidden or analysis_id is None:
        return None
    result = sample_page.load(analysis_id, view.crystallinity_certainty, exclusions=view.exclusions)
    # another result may have been chosen since the section was shown
    return None if sample_classes.unclassified(result) else result


# While the slider is dragged its point is read off the curve that the browser has; all else follows once it is let go.
clientside_callback(
    """(percent) => {
        const plot = document.querySelector("#sample-plot-coverage .js-plotly-plot");
        if (!plot || !plot.data || plot.data.length < 4) return window.dash_clientside.no_update;
        const [share, , accuracy] = plot.data;
        const near = (value) => Math.abs(value - percent);
        const at = share.x.reduce((best, value, k) => near(value) < near(share.x[best]) ? k : best, 0);
        const x = share.x[at];
        window.Plotly.restyle(plot, {x: [[x], [x]], y: [[share.y[at]], [accuracy.y[at]]]}, [1, 3]);
        window.Plotly.relayout(plot, {"shapes[0].x0": x, "shapes[0].x1": x});
        const right = accuracy.y[at] === null ? ""
            : `; ${accuracy.y[at].toFixed(1)} % of them are to be expected right`;
        return `At ${x} %: ${share.y[at].toFixed(1)} % of the particles have a class${right}.`;
    }""",
    Output("sample-words-coverage", "children", allow_duplicate=True),
    Input("sample-certainty", "drag_value"),
    prevent_initial_call=True,
)


@callback(
    Output("sample-classes-csv", "data"),
    Input({"type": "sample-classes-save", "plot": ALL, "format": "csv"}, "n_clicks"),
    State("sample-analysis", "value"),
    State("sample-quantity", "value"),
    *(State(control.component_id, control.component_property) for control in _VIEW),
    prevent_initial_call=True,
)
def _classes_csv(
    clicks: list[int | None],
    analysis_id: int | None,
    column: str,
    weighting: str,
    border: bool,
    exclusions: bool,
    certainty: float | None,
) -> Any:  # noqa: ANN401 - Dash's no_update
    if not any(clicks) or analysis_id is None or not isinstance(ctx.triggered_id, dict):
        return no_update
    view, plot = view_of(weighting, certainty, border=border, exclusions=exclusions), ctx.triggered_id["plot"]
    result = sample_page.load(analysis_id, view.crystallinity_certainty, exclusions=exclusions)
    table = sample_classes.plot_rows(plot, result, column, view)
    return {"content": frame_csv(table).decode(), "filename": f"crystallinity_{plot}.csv"}


clientside_callback(
    """(clicks) => {
        const button = window.dash_clientside.callback_context.triggered_id;
        if (!button || button.format === "csv" || !clicks.some(Boolean)) return;
        const plot = document.querySelector(`#sample-plot-${button.plot} .js-plotly-plot`);
        window.Plotly.downloadImage(plot, {
            format: button.format,
            filename: `crystallinity_${button.plot}`,
            width: plot.clientWidth,
            height: plot.clientHeight,
            scale: button.format === "png" ? 3 : 1,
        });
    }""",
    Input({"type": "sample-classes-save", "plot": ALL, "format": ALL}, "n_clicks"),
    prevent_initial_call=True,
)


@callback(
    Output("sample-trust-words", "children"),
    Output("sample-trust-leave-out", "children"),
    Output("sample-trust-leave-out", "hidden"),
    Output("sample-trust", "hidden"),
    Input("sample-analysis", "value"),
    _EXCLUSIONS,
    Input("sample-changed", "data"),
    Input("sample-jobs", "data"),
)
def _trust(analysis_id: int | None, exclusions: bool, *_: object) -> tuple[Any, ...]:
    if analysis_id is None:
        return [], "", True, True
    words = sample_page.cautions(analysis_id, exclusions=exclusions)
    # what is left out already is not offered again, though the numbers may count it
    leave_out = leave_out_words(store().image_results(analysis_id))
    return words, leave_out, not leave_out, not words


@callback(
    Output("sample-changed", "data", allow_duplicate=True),
    Output("message", "data", allow_duplicate=True),
    Input("sample-trust-leave-out", "n_clicks"),
    State("sample-analysis", "value"),
    State("sample-changed", "data"),
    prevent_initial_call=True,
)
def _leave_strange_out(clicks: int | None, analysis_id: int | None, changed: int) -> tuple[Any, Any]:
    if not clicks or analysis_id is None:
        return no_update, no_update
    said = leave_strange_out(store(), store().image_results(analysis_id), by=current_user())
    return changed + 1, message(said, "success")


# by itself: the intervals of so many quantities take a second or two, which the headline is not to wait for
@callback(
    Output("sample-statistics", "children"),
    Input("sample-analysis", "value"),
    *_WEIGHTS,
    Input("sample-changed", "data"),
    Input("sample-jobs", "data"),
)
def _statistics(analysis_id: int | None, weighting: str, border: bool, exclusions: bool, *_: object) -> Any:  # noqa: ANN401 - a table or nothing
    if analysis_id is None:
        return []
    view = view_of(weighting, None, border=border)
    return sample_page.statistics_table(sample_page.load(analysis_id, exclusions=exclusions), view)


@callback(
    Output("sample-histogram", "figure"),
    Input("sample-analysis", "value"),
    Input("sample-quantity", "value"),
    *_WEIGHTS,
    Input("sample-log", "value"),
    Input("sample-selection", "data"),
    Input("sample-by-class", "value"),
    Input("sample-certainty", "value"),
    Input("sample-changed", "data"),
    Input("sample-jobs", "data"),
)
def _histogram(
    analysis_id: int | None,
    column: str,
    weighting: str,
    border: bool,
    exclusions: bool,
    log: bool,
    selection: dict[str, Any] | None,
    by_class: bool,
    certainty: float | None,
    *_: object,
) -> Any:  # noqa: ANN401 - a figure or no_update
    if analysis_id is None or (ctx.triggered_id == "sample-certainty" and not _shows_classes(by_class, selection)):
        return no_update
    view = view_of(weighting, certainty, border=border, exclusions=exclusions)
    result = sample_page.load(analysis_id, view.crystallinity_certainty, exclusions=exclusions)
    if selection:
        return sample_page.distribution(result, column, view, log=log, selection=selection, by_class=by_class)
    return sample_page.plain_distribution(result, column, view, log=log, by_class=by_class)


def _shows_classes(by_class: bool, selection: dict[str, Any] | None) -> bool:
    """Return whether a picture of particles changes with the certainty."""
    return bool(by_class) or (selection is not None and "crystallinity" in selection)


@callback(
    Output("sample-plot-csv", "data"),
    Input({"type": "sample-save", "format": "csv"}, "n_clicks"),
    State("sample-analysis", "value"),
    State("sample-quantity", "value"),
    State("sample-weighting", "value"),
    State("sample-border", "value"),
    State("sample-exclusions", "value"),
    State("sample-log", "value"),
    State("sample-by-class", "value"),
    State("sample-certainty", "value"),
    prevent_initial_call=True,
)
def _plot_csv(
    clicks: int | None,
    analysis_id: int | None,
    column: str,
    weighting: str,
    border: bool,
    exclusions: bool,
    log: bool,
    by_class: bool,
    certainty: float | None,
) -> Any:  # noqa: ANN401 - Dash's no_update
    if not clicks or analysis_id is None:
        return no_update
    view = view_of(weighting, certainty, border=border, exclusions=exclusions)
    result = sample_page.load(analysis_id, view.crystallinity_certainty, exclusions=exclusions)
    table = sample_page.bins_table(result, column, view, log=log, by_class=by_class)
    return {"content": frame_csv(table).decode(), "filename": f"{column}_histogram.csv"}


clientside_callback(
    """(clicks) => {
        const button = window.dash_clientside.callback_context.triggered_id;
        if (!button || button.format === "csv" || !clicks.some(Boolean)) return;
        const plot = document.querySelector("#sample-histogram .js-plotly-plot");
        window.Plotly.downloadImage(plot, {
            format: button.format,
            filename: "distribution",
            width: plot.clientWidth,
            height: plot.clientHeight,
            scale: button.format === "png" ? 3 : 1,
        });
    }""",
    Input({"type": "sample-save", "format": ALL}, "n_clicks"),
    prevent_initial_call=True,
)


@callback(
    Output("sample-viewer-offer", "data"),
    Input("sample-analysis", "value"),
    Input("sample-changed", "data"),
    Input("sample-jobs", "data"),
    Input("sample-selection", "data"),
    _EXCLUSIONS,
)
def _viewer_offer(
    analysis_id: int | None, _changed: int, _jobs: object, selection: dict[str, Any] | None, exclusions: bool
) -> dict[str, Any]:
    if analysis_id is None:
        return {"options": [], "wanted": None}
    picked = selection.get("particles") if ctx.triggered_id == "sample-selection" and selection else None
    options = sample_page.viewer_targets(sample_page.load(analysis_id, exclusions=exclusions))
    return {"options": options, "wanted": picked[0][0] if picked else None}


# In the browser, as the choice of the result is: an image picked while this was on its way stays.
clientside_callback(
    """(offer, shown) => {
        const values = offer.options.map((option) => option.value);
        const chosen = [offer.wanted, shown, values[0]].find((value) => values.includes(value));
        return [offer.options, chosen ?? null];
    }""",
    Output("sample-viewer-image", "options"),
    Output("sample-viewer-image", "value"),
    Input("sample-viewer-offer", "data"),
    State("sample-viewer-image", "value"),
)


@callback(
    Output(drawn("sample-viewer"), "data"),
    Output("sample-viewer-keys", "children"),
    Input("sample-viewer-image", "value"),
    Input("sample-analysis", "value"),
    Input("sample-selection", "data"),
    Input("sample-overlay", "value"),
    Input("sample-by-class", "value"),
    Input("sample-certainty", "value"),
    _EXCLUSIONS,
    Input("sample-changed", "data"),
)
def _viewer(
    micrograph_id: int | None,
    analysis_id: int | None,
    selection: dict[str, Any] | None,
    overlay: bool,
    by_class: bool,
    certainty: float | None,
    exclusions: bool,
    _: int,
) -> tuple[Any, Any]:
    if micrograph_id is None or analysis_id is None:
        return empty_figure("No micrograph of this result could be analysed."), []
    micrograph, at = store().micrograph(micrograph_id), view_of(None, certainty, border=None).crystallinity_certainty
    coloured = sample_page.is_coloured_by_class(analysis_id, asked=by_class)
    figure = sample_page.viewer(
        micrograph,
        analysis_id,
        selection=selection,
        overlay_on=overlay,
        by_class=coloured,
        certainty=at,
        exclusions=exclusions,
    )
    return figure, sample_page.outline_keys(by_class=coloured)


keep_view("sample-viewer")


# The link to the image page waits for the images of a result just chosen; till then it would lead to the result before.
clientside_callback(
    "() => 'd-none'",
    Output("sample-image-link", "className", allow_duplicate=True),
    Input("sample-analysis", "value"),
    prevent_initial_call=True,
)
clientside_callback(
    """(micrograph, analysis, certainty, byClass) => micrograph && analysis
        ? [`/images/${micrograph}?analysis=${analysis}&certainty=${certainty}${byClass ? "&classes=1" : ""}`, ""]
        : ["", "d-none"]""",
    Output("sample-image-link", "href"),
    Output("sample-image-link", "className"),
    Input("sample-viewer-image", "value"),
    Input("sample-analysis", "value"),
    Input("sample-certainty", "value"),
    Input("sample-by-class", "value"),
)


@callback(
    Output("sample-selection", "data"),
    Input("sample-histogram", "clickData"),
    Input("sample-plot-shares", "clickData"),
    Input("sample-grid", "selectedRows"),
    Input("sample-viewer", "clickData"),
    Input("sample-selection-clear", "n_clicks"),
    Input("sample-analysis", "value"),
    State("sample-quantity", "value"),
    State("sample-viewer-image", "value"),
    State("sample-selection", "data"),
    prevent_initial_call=True,
)
def _select(
    bar: dict[str, Any] | None,
    share: dict[str, Any] | None,
    rows: list[dict[str, Any]] | None,
    point: dict[str, Any] | None,
    _clear: int | None,
    _analysis: int | None,
    column: str,
    micrograph_id: int | None,
    selection: dict[str, Any] | None,
) -> Any:  # noqa: ANN401 - Dash's no_update
    match ctx.triggered_id:
        case "sample-histogram" if bar and "customdata" in bar["points"][0]:
            low, high, last = bar["points"][0]["customdata"]
            return {"column": column, "low": low, "high": high, "last": last}
        case "sample-plot-shares" if share and "customdata" in share["points"][0]:
            return {"crystallinity": share["points"][0]["customdata"][0]}
        case "sample-grid" if rows:
            # what the table is narrowed to stays; the picked rows are marked in it and elsewhere
            within = selection.get("within") if selection and selection.get("from") == "table" else selection
            picked = [[row["micrograph_id"], row["particle"]] for row in rows]
            return {"particles": picked, "from": "table", "within": within}
        case "sample-viewer" if point and "customdata" in point["points"][0]:
            return {"particles": [[micrograph_id, point["points"][0]["customdata"]]], "from": "image"}
        case "sample-selection-clear" | "sample-analysis":
            return None
    return no_update


@callback(
    Output("sample-selection-words", "children"),
    Output("sample-selection-bar", "hidden"),
    Input("sample-selection", "data"),
    Input("sample-certainty", "value"),
    _EXCLUSIONS,
    State("sample-analysis", "value"),
)
def _selection_words(
    selection: dict[str, Any] | None, certainty: float | None, exclusions: bool, analysis_id: int | None
) -> tuple[str, bool]:
    if not selection or analysis_id is None:
        return "", True
    at = view_of(None, certainty, border=None).crystallinity_certainty
    result = sample_page.load(analysis_id, at, exclusions=exclusions)
    return sample_page.selection_words(result, selection), False


@callback(
    Output("sample-grid", "columnDefs"),
    Input("sample-columns", "value"),
    prevent_initial_call=True,
)
def _grid_columns(further: list[str] | None) -> list[dict[str, Any]]:
    return sample_page.grid_columns(further or [])


@callback(
    Output("sample-grid", "getRowsResponse"),
    Input("sample-grid", "getRowsRequest"),
    State("sample-analysis", "value"),
    State("sample-selection", "data"),
    State("sample-certainty", "value"),
    State("sample-exclusions", "value"),
)
def _grid_rows(
    request: dict[str, Any] | None,
    analysis_id: int | None,
    selection: dict[str, Any] | None,
    certainty: float | None,
    exclusions: bool,
) -> Any:  # noqa: ANN401 - Dash's no_update
    if request is None:
        return no_update
    if analysis_id is None:
        return {"rowData": [], "rowCount": 0}
    # Rows picked in the table itself are marked there and hide no other.
    shown = selection.get("within") if selection and selection.get("from") == "table" else selection
    at = view_of(None, certainty, border=None).crystallinity_certainty
    return sample_page.grid_rows(sample_page.load(analysis_id, at, exclusions=exclusions), request, shown)


clientside_callback(
    """async (analysis, selection, changed, jobs, certainty, exclusions) => {
        const isCertainty = window.dash_clientside.callback_context.triggered_id === "sample-certainty";
        if (selection && selection.from === "table" && !isCertainty) return window.dash_clientside.no_update;
        const grid = await window.dash_ag_grid.getApiAsync("sample-grid");
        grid.deselectAll();
        grid.purgeInfiniteCache();
        return window.dash_clientside.no_update;
    }""",
    Output("sample-grid", "id"),
    Input("sample-analysis", "value"),
    Input("sample-selection", "data"),
    Input("sample-changed", "data"),
    Input("sample-jobs", "data"),
    Input("sample-certainty", "value"),
    _EXCLUSIONS,
)


@callback(
    Output("recipe-panel", "is_open"),
    Input("recipe-open", "n_clicks"),
    State("recipe-panel", "is_open"),
    prevent_initial_call=True,
)
def _recipe_open(_: int | None, is_open: bool) -> bool:
    return not is_open


@callback(
    Output({"type": "recipe", "field": ALL}, "value"),
    Input("recipe-reset", "n_clicks"),
    State({"type": "recipe", "field": ALL}, "id"),
    prevent_initial_call=True,
)
def _recipe_reset(_: int | None, ids: list[dict[str, str]]) -> list[Any]:
    shown = controls_of(default_recipe())
    return [shown[control["field"]] for control in ids]


@callback(
    Output("job-request", "data", allow_duplicate=True),
    Output("message", "data", allow_duplicate=True),
    Input("sample-analyse", "n_clicks"),
    State("sample-id", "data"),
    State({"type": "recipe", "field": ALL}, "id"),
    State({"type": "recipe", "field": ALL}, "value"),
    prevent_initial_call=True,
)
def _analyse(clicks: int | None, sample_id: int, ids: list[dict[str, str]], values: list[Any]) -> tuple[Any, Any]:
    if not clicks:
        return no_update, no_update
    try:
        job = jobs.start(store(), sample_id, recipe_from_controls(ids, values), by=current_user())
    except AntemaError as error:
        return no_update, message(str(error))
    return job_request(job.id), no_update


@callback(
    Output("sample-edit-modal", "is_open"),
    Output("sample-edit-seen", "data"),
    Output("sample-edit-error", "children", allow_duplicate=True),
    *[Output(f"sample-edit-{name}", "value") for name in FIELDS],
    Input("sample-edit-open", "n_clicks"),
    Input("sample-edit-cancel", "n_clicks"),
    Input("sample-changed", "data"),
    State("sample-id", "data"),
    prevent_initial_call=True,
)
def _edit_open(_open: int | None, _cancel: int | None, _changed: int, sample_id: int) -> tuple[Any, ...]:
    shown = form_values(store().sample(sample_id))
    return ctx.triggered_id == "sample-edit-open", shown, "", *shown


@callback(
    Output("sample-changed", "data", allow_duplicate=True),
    Output("sample-edit-error", "children"),
    Output("sample-edit-seen", "data", allow_duplicate=True),
    Input("sample-edit-save", "n_clicks"),
    State("sample-id", "data"),
    State("sample-changed", "data"),
    State("sample-edit-seen", "data"),
    *[State(f"sample-edit-{name}", "value") for name in FIELDS],
    prevent_initial_call=True,
)
def _edit_save(
    clicks: int | None, sample_id: int, changed: int, seen: list[str], *values: str | None
) -> tuple[Any, str, Any]:
    if not clicks:
        return no_update, "", no_update
    try:
        save_changes(store(), sample_id, seen, values, by=current_user())
    except ChangedMeanwhile as error:
        # told now: saving once more is meant
        return no_update, str(error), seen_now(seen, error.present)
    except AntemaError as error:
        return no_update, str(error), no_update
    return changed + 1, "", no_update


@callback(
    Output("sample-changed", "data", allow_duplicate=True),
    Input("sample-archive", "n_clicks"),
    State("sample-archive", "children"),
    State("sample-id", "data"),
    State("sample-changed", "data"),
    prevent_initial_call=True,
)
def _archive(clicks: int | None, says: str, sample_id: int, changed: int) -> Any:  # noqa: ANN401 - Dash's no_update
    if not clicks:
        return no_update
    # what the button said when it was pressed: somebody else may have done the same meanwhile
    store().archive_sample(sample_id, by=current_user(), archived=says == _ARCHIVE)
    return changed + 1
