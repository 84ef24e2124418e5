"""The correction for border loss on the pages: numbers, words, and what stands in its way."""

import numpy as np
import pytest
from component_text import text_of

from antema import stats
from antema.domain import QUANTITIES, Recipe, View
from antema.web import compare_page, sample_classes, sample_page
from antema.web.compare_choice import Choice
from antema.web.compare_samples import load
from antema.web.compare_tables import difference_rows, statistics_rows
from antema.web.compare_warnings import warnings
from antema.web.results import measured
from antema.web.view_controls import quantity_choice

CORRECTED = View(border_weighted=True)
DIAMETER = QUANTITIES[0].column


@pytest.fixture(scope="module")
def results(shelf):
    return {name: sample_page.load(shelf[name].current_analysis_id) for name in ("small", "classed", "empty")}


def test_the_page_counts_each_particle_by_its_factor(results):
    result = results["small"]
    rows = measured(result.table)
    assert rows["border_weight"].min() > 1
    data = result.series(DIAMETER, CORRECTED)
    wanted = np.average(rows[DIAMETER], weights=rows["border_weight"])
    assert data.summary().mean.value == pytest.approx(wanted)
    assert data.summary().mean.value > result.series(DIAMETER, View()).summary().mean.value
    shown = text_of(sample_page.headline(result, CORRECTED))
    assert "number-weighted, corrected for border loss" in shown
    assert "counts by the inverse of the chance" in shown
    assert "border" not in text_of(sample_page.headline(result, View()))


def test_plot_and_its_csv_show_shares_then(results):
    result = results["small"]
    figure = sample_page.distribution(result, DIAMETER, CORRECTED, log=False, selection=None)
    assert figure.layout.yaxis.title.text == "Share of number, border-corrected (%)"
    assert np.sum(figure.data[0].y) == pytest.approx(100)
    table = sample_page.bins_table(result, DIAMETER, CORRECTED, log=False)
    assert table["share_of_number_border_corrected"].sum() == pytest.approx(1)
    assert table["particles"].sum() == len(measured(result.table))


def test_classes_are_corrected_too(results):
    figure, words = sample_classes.shares(results["classed"], CORRECTED, None)
    assert "Each particle counts once, corrected for border loss." in text_of(words)
    rows = measured(results["classed"].table)
    weights = rows["border_weight"].where(rows["crystallinity"] == "amorphous", 0.0)
    assert figure.data[0].x[0] == pytest.approx(100 * weights.sum() / rows["border_weight"].sum())
    _, said = sample_classes.coverage(results["classed"], CORRECTED)
    named = rows["crystallinity"] != "unknown"
    assert f"{100 * rows['border_weight'][named].sum() / rows['border_weight'].sum():.1f} % of the particles" in said


def test_links_to_downloads_ask_for_what_is_shown():
    view = View(weighting="area", border_weighted=True, crystallinity_certainty=0.9)
    hrefs = [item.href for item in sample_page.downloads_menu(7, view)]
    assert hrefs[0] == "/download/analysis/7/report.pdf?weighting=area&border=1&exclusions=1&certainty=90"


def test_an_empty_result_can_be_looked_at_with_the_switch_on(results):
    assert "No particle was measured" in text_of(sample_page.headline(results["empty"], CORRECTED))


def test_where_cut_particles_were_kept_the_page_says_why_there_is_no_correction(make_sample):
    sample = make_sample("kept", 4.0, 2, recipe=Recipe(drop_border=False))
    result = sample_page.load(sample.current_analysis_id)
    assert stats.CUT_KEPT in sample_page.border_hindrance(result)
    assert not result.applied(CORRECTED).border_weighted
    assert stats.CUT_KEPT in text_of(sample_page.headline(result, View()))
    other = make_sample("dropped", 5.0, 2)
    comparable = load(Choice.of([sample.id, other.id], DIAMETER, "number", log=False, border=True))
    assert not comparable.view.border_weighted
    said = text_of(warnings(comparable))
    assert f"kept: {stats.CUT_KEPT}" in said
    assert "No sample is corrected for border loss, since not all of them can be." in said
    assert not statistics_rows(comparable)["border_weighted"].any()


def test_a_comparison_is_corrected_throughout(shelf):
    ids = [shelf[name].id for name in ("small", "large")]
    plain, corrected = (load(Choice.of(ids, DIAMETER, "number", log=False, border=on)) for on in (False, True))
    assert difference_rows(corrected)["border_weighted"].all()
    pair = corrected.pairs[0].comparison
    assert pair.border_weighted
    assert pair.cliffs_delta != plain.pairs[0].comparison.cliffs_delta
    said = text_of(compare_page.statistics_table(corrected))
    assert "Number-weighted, corrected for border loss." in said
    assert "Number-weighted, corrected for border loss;" in text_of(compare_page.differences(corrected))
    assert not warnings(corrected)


def test_quantities_are_listed_by_what_they_tell_of():
    options = quantity_choice("any", DIAMETER).options
    assert [option["value"] for option in options if not option.get("disabled")] == [q.column for q in QUANTITIES]
    headings = [option["label"] for option in options if option.get("disabled")]
    assert headings == ["Size", "Shape", "Surroundings", "Image"]
    assert options[1]["value"] == DIAMETER


def test_a_quantity_that_a_result_does_not_hold_asks_for_another_analysis(results):
    result = results["small"]
    # of a state of its own, so that nothing is taken for the other's
    without = sample_page.Result(result.analysis, result.images, result.certainty)
    vars(without).update(state=["without"], _unnamed=result._unnamed.assign(edge_width_nm=np.nan))
    figure = sample_page.distribution(without, "edge_width_nm", View(), log=False, selection=None)
    assert "has to be analysed again" in figure.layout.annotations[0].text
    assert "Edge width" not in text_of(sample_page.statistics_table(without, View()))
    assert "Edge width" in text_of(sample_page.statistics_table(result, View()))


def test_further_columns_come_into_the_table_when_asked():
    usual = [column["field"] for column in sample_page.grid_columns()]
    offered = [option["value"] for option in sample_page.further_columns()]
    assert not set(usual) & set(offered)
    assert [c["field"] for c in sample_page.grid_columns(["border_weight"])] == [*usual, "border_weight"]
