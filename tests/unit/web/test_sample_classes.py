"""Crystallinity on the sample page: numbers against the table, and what is said where there is none."""

import io
from dataclasses import replace

import numpy as np
import pytest
from component_text import text_of
from PIL import Image

from antema import stats
from antema.analysis import called
from antema.domain import CRYSTALLINITIES, QUANTITIES, Recipe, View
from antema.imaging.palette import CRYSTALLINITY_COLOURS, rgb
from antema.reports import CLASSES
from antema.web import crystallinity_view, media, sample_classes, sample_page
from antema.web.app import create_app
from antema.web.results import measured, pick
from antema.web.state import store
from tests.strategies.classifying import DrawsClasses
from tests.strategies.drawn_samples import analyse_drawn

DIAMETER = QUANTITIES[0].column


@pytest.fixture(scope="module")
def classed(shelf):
    return shelf["classed"].current_analysis_id


def at(analysis_id, certainty):
    return sample_page.load(analysis_id, certainty), View(crystallinity_certainty=certainty)


@pytest.mark.parametrize("certainty", [0.5, 0.8, 0.95])
def test_bars_boxes_and_curve_are_those_of_the_particles(classed, certainty):
    result, view = at(classed, certainty)
    rows = measured(result.table)
    sure = rows["confidence"] >= certainty
    names = rows[[f"p_{name}" for name in CRYSTALLINITIES]].idxmax(axis=1).str.removeprefix("p_").where(sure, "unknown")
    figure, words = sample_classes.shares(result, view, None)
    expected = [100 * float((names == name).mean()) for name in CLASSES]
    assert list(figure.data[0].x) == pytest.approx(expected)
    assert ("less certain than asked for" in text_of(words)) == bool((~sure).any())
    sizes = sample_classes.plot_rows("sizes", result, DIAMETER, view).set_index("crystallinity")
    for name, group in rows[DIAMETER].groupby(names.to_numpy()):
        assert sizes.loc[name, "particles"] == len(group)
        assert sizes.loc[name, "median"] == pytest.approx(stats.weighted_quantiles(group.to_numpy(), [0.5])[0])
    curve, said = sample_classes.coverage(result, view)
    assert said.startswith(f"At {100 * certainty:g} %: {100 * sure.mean():.1f} % of the particles have a class")
    assert f"{100 * rows['confidence'][sure].mean():.1f} % of them are to be expected right" in said
    now = list(curve.data[1].x)[0]
    assert now == pytest.approx(100 * certainty)
    assert list(curve.data[0].y)[list(curve.data[0].x).index(now)] == pytest.approx(100 * sure.mean())


def test_a_class_is_picked_in_bars_table_and_words(classed):
    result, view = at(classed, 0.8)
    selection = {"crystallinity": "amorphous"}
    n = int((measured(result.table)["crystallinity"] == "amorphous").sum())
    assert int(pick(result.table, selection).sum()) == n > 0
    assert sample_page.selection_words(result, selection) == f"{n} amorphous particles"
    request = {"startRow": 0, "endRow": 100}
    assert sample_page.grid_rows(result, request, selection)["rowCount"] == n
    figure, _ = sample_classes.shares(result, view, selection)
    assert list(figure.data[0].marker.opacity) == [1.0, 0.35, 0.35, 0.35]


def test_bars_by_class_add_up_to_the_bars(classed):
    result, view = at(classed, 0.8)
    whole = sample_page.distribution(result, DIAMETER, view, log=False, selection=None)
    parts = sample_page.distribution(result, DIAMETER, view, log=False, selection=None, by_class=True)
    stacked = [trace for trace in parts.data if trace.type == "bar"]
    assert [trace.name for trace in stacked] == list(CLASSES)
    assert np.sum([trace.y for trace in stacked], axis=0) == pytest.approx(whole.data[0].y)
    table = sample_page.bins_table(result, DIAMETER, view, log=False, by_class=True)
    assert table[[f"particles_{name}" for name in CLASSES]].sum(axis=1).tolist() == table["particles"].tolist()
    volume = replace(view, weighting="volume")
    parts = sample_page.distribution(result, DIAMETER, volume, log=False, selection=None, by_class=True)
    assert np.sum([trace.y for trace in parts.data if trace.type == "bar"]) == pytest.approx(100)


def test_outlines_by_class_follow_the_certainty(classed):
    client = create_app().server.test_client()
    micrograph = store().image_results(classed)[0].micrograph_id
    table = store().particles(classed)
    rows = table[table["micrograph_id"] == micrograph]
    for certainty in (0.5, 0.95):
        answer = client.get(f"/media/overlay/{classed}/{micrograph}.png?certainty={certainty}")
        seen = {
            tuple(c) for c in np.asarray(Image.open(io.BytesIO(answer.data)).convert("RGB")).reshape(-1, 3).tolist()
        }
        names = set(called(rows, certainty)["crystallinity"])
        assert {rgb(CRYSTALLINITY_COLOURS[name]) for name in names} <= seen
        assert not {rgb(CRYSTALLINITY_COLOURS[name]) for name in set(CLASSES) - names} & seen


def test_a_remembered_picture_by_class_reads_no_particles(classed, monkeypatch):
    client = create_app().server.test_client()
    micrograph = store().image_results(classed)[0].micrograph_id
    paths = [f"/media/{kind}/{classed}/{micrograph}.png?certainty=0.9" for kind in ("overlay", "preview")]
    first = [client.get(path).data for path in paths]
    monkeypatch.setattr(media, "called", None)
    assert [client.get(path).data for path in paths] == first


def test_without_classes_the_page_says_why(shelf, monkeypatch):
    plain = sample_page.load(shelf["small"].current_analysis_id)
    monkeypatch.setattr(crystallinity_view, "crystallinity_available", lambda: False)
    assert sample_classes.unclassified(plain) == crystallinity_view.NO_MODEL
    monkeypatch.setattr(crystallinity_view, "crystallinity_available", lambda: True)
    assert sample_classes.unclassified(plain) == crystallinity_view.OLDER
    empty = sample_page.load(shelf["empty"].current_analysis_id)
    assert sample_classes.unclassified(empty) == crystallinity_view.NOTHING
    off = Recipe(crystallinity=False)
    assert crystallinity_view.why_unclassified(plain.table, off) == crystallinity_view.LEFT_OUT


def test_every_reason_for_unknown_is_told(make_sample, web_store, monkeypatch):
    sample = make_sample("hindered", 4.0, 2)
    classifier = DrawsClasses(certainties=(0.7,), least_area_px=310, p_lattice=0.2)
    monkeypatch.setattr("tests.strategies.drawn_samples.DrawsClasses", lambda *_, **__: classifier)
    result, view = at(analyse_drawn(web_store, sample.id, Recipe(max_holes=9), classes=CRYSTALLINITIES), 0.8)
    small = int(measured(result.table)["confidence"].isna().sum())
    asked = len(measured(result.table)) - small
    assert small > 0
    assert asked > 0
    counts = {reason: n for reason, _, n in crystallinity_view.reason_counts(result.table)}
    assert counts == {"no_lattice_visible": asked, "too_small": small}
    shown = text_of(sample_classes.shares(result, view, None)[1])
    assert f"{small}| smaller than the particles that the model knows" in shown
    assert "no lattice can be seen" in shown
    assert sample_classes.coverage(result, view)[1] == "At 80 %: 0.0 % of the particles have a class."
