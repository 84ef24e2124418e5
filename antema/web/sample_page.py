"""What the sample page shows, computed from the store; the page's callbacks only call in here."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from urllib.parse import urlencode

import dash_bootstrap_components as dbc
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from dash import html
from numpy.typing import NDArray

from antema.analysis import called
from antema.domain import (
    COLUMN_MEANINGS,
    DROP_REASONS,
    PARTICLE_COLUMNS,
    QUANTITIES,
    UNKNOWN,
    UNKNOWN_REASONS,
    Quantity,
    View,
)
from antema.imaging.palette import CRYSTALLINITY_COLOURS
from antema.reports.numbers import border_note, words_of
from antema.results.changes import changes_since, exclusion_note
from antema.results.clumps import clump_note
from antema.stats import Histogram, Summary, count_text, histogram
from antema.storage import AnalysisRow, ImageResult, StoredMicrograph
from antema.web import figures
from antema.web.cards import micrograph_card
from antema.web.crystallinity_view import class_keys
from antema.web.media import picture_versions, what_counts
from antema.web.results import (
    Series,
    pick,
    quantity_of,
    viewer_particles,
)
from antema.web.sample_choice import view_parts
from antema.web.sample_result import Result, load
from antema.web.state import memory, store
from antema.web.trust_view import trust_alert

NOT_CLASSIFIED = "#c9ced6"
_THREADS = os.cpu_count() or 1
_WORTH_THREADS = 100_000  # particles from which on several quantities are summarised at a time
MOST_GRID_ROWS = 200
"""Most rows of the particle table in one answer; the grid asks for fewer."""

_SHOWN_COLUMNS = (
    "image",
    "particle",
    "status",
    "drop_reason",
    "separated",
    "equivalent_diameter_nm",
    "feret_min_nm",
    "feret_max_nm",
    "area_nm2",
    "perimeter_nm",
    "aspect_ratio",
    "circularity",
    "convexity",
    "solidity",
    "crystallinity",
    "confidence",
)
_FURTHER_COLUMNS = (
    "crystallinity_reason",
    "p_amorphous",
    "p_monocrystalline",
    "p_polycrystalline",
    "p_lattice_visible",
    "eccentricity",
    "orientation_deg",
    "nearest_neighbour_nm",
    "overlap_fraction",
    "contrast",
    "mean_grey",
    "edge_width_nm",
    "border_weight",
    "centroid_x_nm",
    "centroid_y_nm",
)
_COLUMN_LABELS = {
    "drop_reason": "Reason",
    "orientation_deg": "Orientation (°)",
    "mean_grey": "Mean grey value",
    "border_weight": "Border factor",
    "centroid_x_nm": "Centre x (nm)",
    "centroid_y_nm": "Centre y (nm)",
    "crystallinity_reason": "Why unknown",
    "p_amorphous": "P amorphous",
    "p_monocrystalline": "P monocrystalline",
    "p_polycrystalline": "P polycrystalline",
    "p_lattice_visible": "P lattice visible",
}

#: What the cells of the table say instead of the keys that the files hold.
_CELL_WORDS: dict[str, dict[Any, str]] = {
    "status": {"dropped": "left out"},
    "drop_reason": DROP_REASONS,
    "separated": {True: "yes", False: "no"},
    "crystallinity_reason": dict(UNKNOWN_REASONS),
}


def analysis_options(sample_id: int) -> tuple[list[dict[str, Any]], int | None]:
    """Return the results to choose from, newest first, and the current one."""
    current = store().current_analysis(sample_id)
    options = [
        {"label": analysis_label(analysis), "value": analysis.id}
        for analysis in store().analyses(sample_id)
        if analysis.status not in ("queued",) or (current is not None and analysis.id == current.id)
    ]
    return options, current.id if current is not None else None


def analysis_label(analysis: AnalysisRow) -> str:
    """Return how a result is called in a list."""
    recipe = analysis.recipe
    when = analysis.created_at.strftime("%Y-%m-%d %H:%M")
    state = "" if analysis.status == "done" else f" · {analysis.status}"
    separation = {"uecs": "UECS", "none": "no separation"}.get(recipe.separation, recipe.separation)
    return f"{when} UTC · {recipe.model} · {separation} · {recipe.convention}{state}"


def cards(sample_id: int, analysis_id: int | None, checked: set[int]) -> list[html.Div]:
    """Return the cards of a sample's micrographs."""
    by_micrograph = _results_by_micrograph(analysis_id)
    versions = picture_versions(sample_id)
    return [
        micrograph_card(
            m,
            by_micrograph.get(m.id),
            checked=m.id in checked,
            analysis_id=analysis_id,
            version=versions.get(m.id, 0),
        )
        for m in store().micrographs(sample_id)
    ]


def without_scale(sample_id: int) -> set[int]:
    """Return the micrographs in use that have no pixel size."""
    return {m.id for m in store().micrographs(sample_id) if not m.is_left_out and not m.pixel_size.is_known}


def _results_by_micrograph(analysis_id: int | None) -> dict[int, ImageResult]:
    if analysis_id is None:
        return {}
    return {result.micrograph_id: result for result in store().image_results(analysis_id)}


def _bins(data: Series, quantity: Quantity, *, log: bool) -> Histogram:
    return histogram(data.values, data.weights, log=log, least_width=quantity.least_bin_width, upper=quantity.upper)


def bins_table(result: Result, column: str, view: View, *, log: bool, by_class: bool = False) -> pd.DataFrame:
    """Return what the histogram draws: ends of the bins, particles in each, share of the weight; by class if asked."""
    data = result.series(column, view)
    bins = _bins(data, quantity_of(column), log=log)
    share = f"share_of_{view.weighting}{'_border_corrected' if data.view.border_weighted else ''}"
    ends = {f"{column}_from": bins.edges[:-1], f"{column}_to": bins.edges[1:]}
    parts: dict[str, NDArray[np.float64]] = {}
    if by_class and result.facts["classified"]:
        # in the unit of the bars, which are percents where they are not particles
        of = 1 if data.weights is None else 100
        unit = "particles" if data.weights is None else share
        found = _by_class(result, column, data, bins)
        parts = {f"{unit}_{name.replace(' ', '_')}": heights / of for name, _, heights in found}
    return pd.DataFrame(ends | {"particles": bins.counts, share: bins.share} | parts)


def distribution(
    result: Result,
    column: str,
    view: View,
    *,
    log: bool,
    selection: dict[str, Any] | None,
    by_class: bool = False,
) -> go.Figure:
    """Return the histogram of one quantity with what is picked marked, its bars of the classes' parts if asked."""
    data = result.series(column, view)
    quantity = quantity_of(column)
    if not len(data.values):
        return figures.empty_figure(_no_values(result, quantity))
    table = result.measured if selection else result.measured.head(0)
    picked = table.loc[pick(table, selection), column]
    bins = _bins(data, quantity, log=log)
    return figures.distribution_figure(
        quantity,
        bins,
        data.values,
        data.weights,
        log=log,
        view=data.view,
        picked=picked.to_numpy(float),
        classes=_by_class(result, column, data, bins) if by_class and result.facts["classified"] else (),
    )


def plain_distribution(result: Result, column: str, view: View, *, log: bool, by_class: bool = False) -> dict[str, Any]:
    """Return `distribution` with nothing picked, as plain JSON values, remembered."""
    of = [column, view.weighting, view.border_weighted, bool(log)]
    of += [view.crystallinity_certainty] if by_class else []

    def make() -> go.Figure:
        return distribution(result, column, view, log=log, selection=None, by_class=by_class)

    return result.rendered("histogram", of, make)


def _by_class(result: Result, column: str, data: Series, bins: Histogram) -> list[tuple[str, str, NDArray[np.float64]]]:
    """Return what each class of crystallinity has of the bars: name, colour, heights in the bars' unit."""
    rows = result.measured
    names = rows["crystallinity"].to_numpy(object)[np.isfinite(rows[column].to_numpy(float))]
    weights = np.ones(len(data.values)) if data.weights is None else 100 * data.weights / data.weights.sum()
    parts: list[tuple[str, str, NDArray[np.float64]]] = []
    for name, colour in (*CRYSTALLINITY_COLOURS.items(), ("", NOT_CLASSIFIED)):
        of_class = names == name
        if of_class.any() or name:
            heights, _ = np.histogram(data.values[of_class], bins.edges, weights=weights[of_class])
            parts.append((name or "not classified", colour, heights))
    return parts


def _no_values(result: Result, quantity: Quantity) -> str:
    if not result.facts["measured"]:
        return "No particle was measured in this result."
    return f"No {quantity.label.lower()} in this result; one made before it was measured has to be analysed again."


def headline(result: Result, view: View) -> list[Any]:
    """Return the numbers one reads first: median, mean, spread, counts."""
    applied, summary = result.applied(view), result.summary(QUANTITIES[0].column, view)
    tiles = [
        _tile("Median diameter", summary.median.value_text("nm"), summary.median.interval_text()),
        _tile("Mean ± SD", _mean_and_sd(summary), summary.mean.interval_text()),
        _tile("D10", summary.d10.value_text("nm"), summary.d10.interval_text()),
        _tile("D90", summary.d90.value_text("nm"), summary.d90.interval_text()),
        _tile("Particles", f"{summary.n:,}", words_of(applied)),
        _tile("Images", str(result.n_images), _images_words(result)),
    ]
    border = result.rendered(
        "border note",
        [view.border_weighted],
        lambda: border_note(result.report(view), asked=view.border_weighted, applied=applied.border_weighted),
    )
    sentences = [text for text in (summary.method_text if summary.n > 1 else "", summary.note, border) if text]
    return [html.Div(tiles, className="tiles"), html.P(" ".join(sentences), className="quiet statement")]


def _mean_and_sd(summary: Summary) -> str:
    if not summary.sd.has_value:
        return summary.mean.value_text("nm")
    return f"{summary.mean.value_text()} ± {summary.sd.value_text('nm')}"


def _images_words(result: Result) -> str:
    """Return how many of the sample's micrographs are not in the result."""
    there = {image.micrograph_id for image in result.images if image.status == "done" and image.counts}
    in_use = [m for m in store().micrographs(result.analysis.sample_id) if not m.is_left_out]
    missing = [m for m in in_use if m.id not in there]
    return f"{len(missing)} more not analysed" if missing else "all analysed"


def _tile(label: str, value: str, below: str) -> html.Div:
    return html.Div(
        [
            html.Div(label, className="tile-label"),
            html.Div(value, className="tile-value"),
            html.Div(below, className="quiet"),
        ],
        className="tile",
    )


def statistics_table(result: Result, view: View) -> html.Table:
    """Return every quantity's statistics with their intervals."""
    head = ["Quantity", "n", "Images", "Mean", "SD", "D10", "Median (D50)", "D90"]
    rows = []
    for quantity, summary in zip(QUANTITIES, _summaries(result, view), strict=True):
        if not summary.n and quantity != QUANTITIES[0]:
            continue  # of a result made before this was measured, or without a probability map
        estimates = (summary.mean, summary.sd, summary.d10, summary.median, summary.d90)
        rows.append(
            html.Tr(
                [html.Th(quantity.axis, scope="row"), html.Td(f"{summary.n:,}"), html.Td(summary.n_images)]
                + [
                    html.Td([html.Div(estimate.value_text()), html.Div(estimate.interval_text(), className="quiet")])
                    for estimate in estimates
                ]
            )
        )
    return html.Table(
        [html.Thead(html.Tr([html.Th(text, scope="col") for text in head])), html.Tbody(rows)], className="numbers"
    )


def _summaries(result: Result, view: View) -> list[Summary]:
    """Return the summary of each quantity; where nobody has asked before, on all cores."""
    columns = [quantity.column for quantity in QUANTITIES]
    if result.facts["measured"] < _WORTH_THREADS:
        return [result.summary(column, view) for column in columns]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(lambda column: result.summary(column, view), columns))


def left_out(result: Result) -> list[Any]:
    """Return what was detected but not counted, and why."""
    counts = result.facts["dropped"]
    total = sum(counts.values())
    if not total:
        return [html.P("Nothing that was detected was left out.", className="quiet")]
    items = [html.Li([html.B(f"{n:,}"), f" {DROP_REASONS.get(reason, reason)}"]) for reason, n in counts.items()]
    of = count_text(total + result.facts["measured"], "detected object")
    return [
        html.P(f"{total:,} of {of} {'does' if total == 1 else 'do'} not count:"),
        html.Ul(items),
    ]


def border_hindrance(result: Result) -> str:
    """Return why a result cannot be corrected for border loss; empty where it can."""
    return result.facts["hindrance"]


def failures(result: Result) -> list[Any]:
    """Return the micrographs that could not be analysed, each with its reason."""
    failed = [image for image in result.images if image.status == "failed" and image.counts]
    tried = {image.micrograph_id for image in result.images}
    micrographs = store().micrographs(result.analysis.sample_id)
    skipped = [m for m in micrographs if m.id not in tried and not m.is_left_out and not m.pixel_size.is_known]
    is_active = result.analysis.status in ("queued", "running")
    parts: list[Any] = []
    if failed:
        items = [html.Li([html.B(image.filename), f": {image.error}"]) for image in failed]
        parts.append(html.Div([html.B("Not analysed"), html.Ul(items)], className="alert alert-warning"))
    if skipped:
        names = ", ".join(micrograph.filename for micrograph in skipped)
        parts.append(html.Div(f"Not analysed for want of a pixel size: {names}.", className="alert alert-warning"))
    changes = changes_since(result.images, micrographs, is_active=is_active)
    return [*parts, *(html.Div(words, className="alert alert-warning") for words in changes)]


def cautions(analysis_id: int, *, exclusions: bool) -> list[Any]:
    """Return what is to be known before a result's numbers, of the same micrographs: clumps, strange images."""
    result = load(analysis_id, View().crystallinity_certainty, exclusions=exclusions)
    note = clump_note(result.facts["clumps"])
    return [*([html.P(note, className="clumps")] if note else []), *trust_alert(result.images)]


def exclusion_words(analysis_id: int, *, exclusions: bool) -> str:
    """Return what people took out of a result, and whether it acts; empty where nothing was."""
    return exclusion_note(store().image_results(analysis_id), applied=exclusions)


def column_label(column: str) -> str:
    """Return how a column of the particle table is headed."""
    quantities = {quantity.column: quantity.axis for quantity in QUANTITIES}
    return _COLUMN_LABELS.get(column, quantities.get(column, column.replace("_", " ").capitalize()))


def further_columns() -> list[dict[str, str]]:
    """Return the columns that the particle table shows when asked, as options."""
    return [{"label": column_label(c), "value": c, "title": COLUMN_MEANINGS[c]} for c in _FURTHER_COLUMNS]


def grid_columns(further: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the particle table's columns for the grid, those of `further` among them."""
    text = {"image", "status", "drop_reason", "crystallinity", "crystallinity_reason"}
    columns: list[dict[str, Any]] = []
    for column in (*_SHOWN_COLUMNS, *(c for c in _FURTHER_COLUMNS if c in further)):
        definition: dict[str, Any] = {
            "field": column,
            "headerName": column_label(column),
            "headerTooltip": COLUMN_MEANINGS[column],
            "sortable": True,
            "minWidth": 130,
        }
        if column in text:
            definition |= {"filter": "agTextColumnFilter"}
        elif column == "separated":
            definition |= {"filter": False, "cellDataType": "text"}
        else:
            definition |= {"filter": "agNumberColumnFilter", "type": "numericColumn"}
            if column != "particle":
                definition["valueFormatter"] = {
                    "function": "params.value == null ? '' : d3.format('.4~g')(params.value)"
                }
        columns.append(definition)
    columns[0] |= {"minWidth": 180, "flex": 2}
    return columns


def grid_rows(result: Result, request: dict[str, Any], selection: dict[str, Any] | None) -> dict[str, Any]:
    """Return the rows the grid asks for, filtered and sorted on the server.

    Parameters
    ----------
    result : Result
        The analysis.
    request : dict
        AG Grid's request: ``startRow``, ``endRow``, ``sortModel``, ``filterModel``. At most `MOST_GRID_ROWS` are given.
    selection : dict or None
        What is picked elsewhere: only those rows are shown then.
    """
    if not selection and not request.get("filterModel") and not request.get("sortModel"):
        page, total = _plain_page(result, *_asked_rows(request))
        return {"rowData": _records(page), "rowCount": total}
    rows = result.table
    if selection:
        rows = rows[pick(rows, selection)]
    for column, condition in (request.get("filterModel") or {}).items():
        rows = rows[_matches(_in_words(rows[column]), condition)]
    for sort in reversed(request.get("sortModel") or []):
        rows = rows.sort_values(sort["colId"], ascending=sort["sort"] == "asc", kind="stable", na_position="last")
    start, stop = _asked_rows(request)
    return {"rowData": _records(rows.iloc[start:stop]), "rowCount": len(rows)}


def _asked_rows(request: dict[str, Any]) -> tuple[int, int]:
    """Return which rows a request asks for: a page at most."""
    start = max(0, int(request["startRow"] or 0))
    return start, min(int(request["endRow"] or 0), start + MOST_GRID_ROWS)


def _plain_page(result: Result, start: int, stop: int) -> tuple[pd.DataFrame, int]:
    """Return rows of the whole table in its own order, reading only the images that they are of; how many there are."""
    images = [image for image in result.images if image.status == "done" and image.counts]
    ends = np.cumsum([0, *(image.n_measured + image.n_dropped for image in images)])
    parts: list[pd.DataFrame] = []
    for image, first, last in zip(images, ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        if first < stop and last > start:
            rows = store().particles_of(result.analysis.id, image.micrograph_id, exclusions=result.exclusions)
            parts.append(called(rows.iloc[max(start - first, 0) : stop - first], result.certainty))
    page = pd.concat(parts, ignore_index=True) if parts else result.table.iloc[start:stop]
    return page, int(ends[-1])


def _records(page: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as the grid takes them."""
    shown = page[[*_SHOWN_COLUMNS, *_FURTHER_COLUMNS, "micrograph_id"]]
    shown = shown.assign(**{column: _in_words(shown[column]) for column in _CELL_WORDS})
    records = cast("list[dict[str, Any]]", shown.astype(object).where(shown.notna(), None).to_dict("records"))
    for record in records:
        record["id"] = f"{record['micrograph_id']}-{record['particle']}"
    return records


def _in_words(values: pd.Series) -> pd.Series:
    """Return a column as its cells say it: what stands in files as a key is words on a page."""
    words = _CELL_WORDS.get(str(values.name))
    return values if words is None else values.map(lambda value: words.get(value, value))


def _matches(values: pd.Series, condition: dict[str, Any]) -> NDArray[np.bool_]:
    """Return which values meet a condition of AG Grid's filters."""
    if "operator" in condition:
        combine = np.logical_and if condition["operator"] == "AND" else np.logical_or
        return combine.reduce([_matches(values, part) for part in condition["conditions"]])
    kind, wanted = condition["type"], condition.get("filter")
    if kind in ("blank", "notBlank"):
        blank = (values.isna() | (values.astype(str) == "")).to_numpy(bool)
        return blank if kind == "blank" else ~blank
    if condition["filterType"] == "number":
        numbers = values.to_numpy(float)
        wanted, upper = float(condition["filter"]), condition.get("filterTo")
        tests = {
            "equals": lambda: numbers == wanted,
            "notEqual": lambda: numbers != wanted,
            "lessThan": lambda: numbers < wanted,
            "lessThanOrEqual": lambda: numbers <= wanted,
            "greaterThan": lambda: numbers > wanted,
            "greaterThanOrEqual": lambda: numbers >= wanted,
            "inRange": lambda: (numbers >= wanted) & (numbers <= upper),
        }
        return tests[kind]()
    text, sought = values.astype(str).str.lower(), str(wanted).lower()
    tests = {
        "contains": lambda: text.str.contains(sought, regex=False),
        "notContains": lambda: ~text.str.contains(sought, regex=False),
        "equals": lambda: text == sought,
        "notEqual": lambda: text != sought,
        "startsWith": lambda: text.str.startswith(sought),
        "endsWith": lambda: text.str.endswith(sought),
    }
    return tests[kind]().to_numpy(bool)


def no_rows() -> pd.DataFrame:
    """Return the particle table of a micrograph without a result."""
    return pd.DataFrame(columns=[*PARTICLE_COLUMNS, "micrograph_id", "exclusion_reason"])


def of_micrograph(
    analysis_id: int, micrograph_id: int, certainty: float | None = None, *, exclusions: bool = True
) -> tuple[pd.DataFrame, ImageResult | None]:
    """Return one micrograph's rows of a result, classes as `load` gives them, and how its analysis went."""
    result = load(analysis_id, certainty, exclusions=exclusions)
    image = next((one for one in result.images if one.micrograph_id == micrograph_id), None)
    rows = store().particles_of(analysis_id, micrograph_id, exclusions=exclusions)
    return called(rows, result.certainty), image


def viewer(
    micrograph: StoredMicrograph,
    analysis_id: int | None,
    *,
    selection: dict[str, Any] | None = None,
    overlay_on: bool = True,
    annotations_on: bool = False,
    by_class: bool = False,
    certainty: float | None = None,
    exclusions: bool = True,
    bring: bool = False,
) -> go.Figure:
    """Return the zoomable micrograph, with the particles of a result where there is one.

    A result of another image of the file is shown on that image. Outlines are coloured by status or by class, at a
    certainty or at the one that is kept with the result. What is selected is brought into view where asked.
    """
    result = _results_by_micrograph(analysis_id).get(micrograph.id)
    if analysis_id is None or result is None or result.status != "done":
        return figures.micrograph_figure(
            f"/media/blob/{micrograph.display_sha256}.png",
            None,
            (micrograph.height, micrograph.width),
            [],
            pixel_size_nm=micrograph.pixel_size.nm,
            picked=set(),
            overlay_on=False,
            annotations=micrograph.annotations,
            annotations_on=annotations_on,
        )
    analysis = store().analysis(analysis_id)
    at = analysis.view.crystallinity_certainty if certainty is None else certainty

    def particles() -> list[dict[str, Any]]:
        return viewer_particles(of_micrograph(analysis_id, micrograph.id, at, exclusions=exclusions)[0])

    def key() -> list[Any]:
        return ["viewer", micrograph.id, *what_counts(analysis_id, micrograph.id, exclusions=exclusions), at]

    picked: set[int] = set()
    if selection:
        rows, _ = of_micrograph(analysis_id, micrograph.id, at, exclusions=exclusions)
        picked = {int(number) for number in rows.loc[pick(rows, selection), "particle"]}
    stamp = f"{result.result_key}-{picture_versions(analysis.sample_id).get(micrograph.id, 0)}"
    address = f"/media/overlay/{analysis_id}/{micrograph.id}.png?v={stamp}"
    address += (f"&certainty={at:g}" if by_class else "") + ("" if exclusions else "&exclusions=0")
    return figures.micrograph_figure(
        f"/media/blob/{result.display_sha256}.png",
        address,
        result.shape,
        memory().value(key, particles),
        # the result's own, for the numbers in the hover are made with it
        pixel_size_nm=result.pixel_size.nm,
        picked=picked,
        overlay_on=overlay_on,
        annotations=micrograph.annotations if result.is_present_image else None,
        annotations_on=annotations_on,
        bring=bring,
    )


def selection_words(result: Result, selection: dict[str, Any] | None) -> str:
    """Return what is picked, in words."""
    if not selection:
        return ""
    n = int(pick(result.table if "particles" in selection else result.measured, selection).sum())
    if "crystallinity" in selection:
        name = selection["crystallinity"]
        return (
            f"{count_text(n, 'particle')} of {name} crystallinity"
            if name == UNKNOWN
            else count_text(n, f"{name} particle")
        )
    if "column" in selection:
        quantity = quantity_of(selection["column"])
        unit = f" {quantity.unit}" if quantity.unit else ""
        between = f"{selection['low']:.4g} – {selection['high']:.4g}{unit}"
        return f"{count_text(n, 'particle')} with {quantity.label.lower()} {between}"
    return f"{count_text(n, 'particle')} picked"


def is_coloured_by_class(analysis_id: int, *, asked: bool) -> bool:
    """Return whether outlines can be and are asked to be coloured by class."""
    return bool(asked) and load(analysis_id).facts["classified"]


def outline_keys(*, by_class: bool = False) -> list[html.Span]:
    """Return the legend of the outlines."""
    if by_class:
        return class_keys()
    kinds = (("whole", "whole"), ("separated", "separated"), ("left out", "dropped"))
    return [html.Span(words, className=f"key key-{kind}") for words, kind in kinds]


def downloads_menu(analysis_id: int, view: View) -> list[Any]:
    """Return the links to what can be downloaded of a result, viewed as it is on the page."""
    base = f"/download/analysis/{analysis_id}"
    entries = (
        ("Report (PDF)", "report.pdf"),
        ("Particles (CSV)", "particles.csv"),
        ("Workbook (XLSX)", "workbook.xlsx"),
        ("Everything (ZIP)", "everything.zip"),
    )
    return [
        dbc.DropdownMenuItem(label, href=f"{base}/{name}?{urlencode(view_parts(view))}", external_link=True)
        for label, name in entries
    ]


def viewer_targets(result: Result) -> list[dict[str, Any]]:
    """Return the micrographs the viewer can show, as options."""
    return [
        {"label": f"{image.filename} · {image.n_measured:,}", "value": image.micrograph_id}
        for image in result.images
        if image.status == "done" and image.counts
    ]
