"""A result is what was computed and of which micrographs; what has become of them since stands beside it."""

import numpy as np
import pytest
from component_text import text_of

from antema.domain import QUANTITIES, View
from antema.web import report_data, sample_page, sample_result, state
from antema.web.sample_result import load

DIAMETER = QUANTITIES[0].column


def shown(analysis_id, **switches):
    """Return all that the page says of a result in numbers."""
    result = load(analysis_id, **switches)
    return [
        text_of(sample_page.headline(result, View())),
        text_of(sample_page.statistics_table(result, View())),
        text_of(sample_page.left_out(result)),
    ]


def test_moved_and_scaled_micrographs_stay_in_the_result(web_store, make_sample):
    sample = make_sample("source", 4.0, 4)
    other = web_store.create_sample("target", by="Ann")
    before, analysis = shown(sample.current_analysis_id), sample.current_analysis_id
    assert sample_page.failures(load(analysis)) == []
    first, second, *_ = web_store.micrographs(sample.id)
    web_store.move_micrograph(first.id, other.id, "Ann")
    web_store.set_pixel_size([second.id], 0.9, by="Ann")
    assert shown(analysis) == before
    said = text_of(sample_page.failures(load(analysis)))
    assert f"1 of 4 micrographs has since been moved to target: {first.filename}; analyse again." in said
    assert f"1 of 4 micrographs has another pixel size since: {second.filename}; analyse again." in said
    report = report_data.sample_report(analysis, View(), by="Ann", pictures=False)
    assert [remark.split(":")[0] for remark in report.remarks] == [
        "1 of 4 micrographs has since been moved to target",
        "1 of 4 micrographs has another pixel size since",
    ]
    assert [image.changes for image in report.images][:2] == [
        "moved to the sample target since",
        "pixel size changed since",
    ]


def test_a_moved_micrograph_can_still_be_looked_at(web_store, make_sample):
    sample = make_sample("source", 4.0, 2)
    first = web_store.micrographs(sample.id)[0]
    web_store.move_micrograph(first.id, web_store.create_sample("target", by="Ann").id, "Ann")
    from antema.web.image_page import results_of

    assert [option["value"] for option in results_of(web_store.micrograph(first.id))] == [sample.current_analysis_id]
    figure = sample_page.viewer(web_store.micrograph(first.id), sample.current_analysis_id)
    assert len(figure.data[0].x) > 0


def test_what_is_excluded_while_numbers_are_made_is_not_in_them(web_store, make_sample):
    sample = make_sample("source", 4.0, 2)
    analysis, first = sample.current_analysis_id, web_store.micrographs(sample.id)[0].id
    result = load(analysis)
    n = int((web_store.particles(analysis)["status"] == "measured").sum())
    web_store.exclude_particle(analysis, first, int(result.table["particle"].iloc[0]), "dirt", "Bob")
    assert (len(result.measured), result.facts["measured"]) == (n, n)
    assert load(analysis).facts["measured"] == n - 1
    web_store.restore_particle(analysis, first, int(result.table["particle"].iloc[0]), "Bob")
    assert load(analysis).facts["measured"] == n


def test_what_people_took_out_acts_until_it_is_switched_off(web_store, make_sample):
    sample = make_sample("out", 4.0, 3)
    analysis = sample.current_analysis_id
    as_computed = shown(analysis)
    table = web_store.particles(analysis)
    n = int((table["status"] == "measured").sum())
    first, second, _ = web_store.micrographs(sample.id)
    of_first = int(((table["status"] == "measured") & (table["micrograph_id"] == first.id)).sum())
    row = table[(table["status"] == "measured") & (table["micrograph_id"] == second.id)].iloc[0]
    assert sample_page.exclusion_words(analysis, exclusions=True) == ""
    web_store.exclude_particle(analysis, second.id, int(row["particle"]), "dirt", by="Ann")
    web_store.leave_out(first.id, "blurred", "Ann")
    assert load(analysis).summary(DIAMETER, View()).n == n - of_first - 1
    assert "the numbers are without that" in sample_page.exclusion_words(analysis, exclusions=True)
    off = load(analysis, exclusions=False)
    assert off.summary(DIAMETER, View()).n == n
    assert shown(analysis, exclusions=False)[1:] == as_computed[1:]
    assert "exclusions are switched off" in sample_page.exclusion_words(analysis, exclusions=False)
    report = report_data.sample_report(analysis, View(exclusions=False), by="Ann", pictures=False)
    assert (report.table["status"] == "measured").sum() == n
    assert "1 of 3 micrographs" in report.remarks[0]
    assert "1 particle were taken out by people; exclusions are switched off" in report.remarks[0]


@pytest.mark.parametrize("view", [View(), View(weighting="volume"), View(border_weighted=True)])
def test_what_is_remembered_is_what_is_computed(web_store, make_sample, monkeypatch, view):
    analysis = make_sample("kept", 4.0, 7, classes=("amorphous", "monocrystalline")).current_analysis_id
    first = [load(analysis).summary(q.column, view).to_dict() for q in QUANTITIES]
    fresh = [load(analysis).series(q.column, view).summary().to_dict() for q in QUANTITIES]
    assert first == fresh
    # the next reader, who could not compute anything
    monkeypatch.setattr(type(web_store), "columns", lambda *_, **__: 1 / 0)
    sample_result._COLUMNS_KEPT._values.clear()
    assert [load(analysis).summary(q.column, view).to_dict() for q in QUANTITIES] == first


def test_without_memory_the_page_says_the_same(web_store, make_sample, monkeypatch):
    analysis = make_sample("plain", 4.0, 3).current_analysis_id
    remembered = shown(analysis)
    monkeypatch.setattr(sample_result, "memory", lambda: state.Memory(web_store.data_dir / "none", 0))
    assert shown(analysis) == remembered


def test_the_first_page_of_the_table_reads_its_own_images_alone(web_store, make_sample):
    result = load(make_sample("paged", 4.0, 5).current_analysis_id)
    whole = result.table
    for start in (0, 3, len(whole) - 2):
        request = {"startRow": start, "endRow": start + 7, "sortModel": [], "filterModel": {}}
        page = sample_page.grid_rows(result, request, None)
        assert page["rowCount"] == len(whole)
        expected = whole.iloc[start : start + 7]
        assert [row["particle"] for row in page["rowData"]] == expected["particle"].tolist()
        assert [row["micrograph_id"] for row in page["rowData"]] == expected["micrograph_id"].tolist()
        np.testing.assert_array_equal([row["area_nm2"] for row in page["rowData"]], expected["area_nm2"])
