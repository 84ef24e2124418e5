import dataclasses
import io
import json

import numpy as np
import pytest
from component_text import text_of
from pypdf import PdfReader

from antema import stats
from antema.domain import PixelSize, Recipe
from antema.imaging.palette import SAMPLE_COLOURS
from antema.reports import CLASSES, ComparisonReport, comparison_report_pdf
from antema.web import compare_page, compare_warnings, crystallinity_view
from antema.web.compare_choice import Choice
from antema.web.compare_samples import load
from antema.web.compare_tables import share_difference_rows, statistics_rows
from antema.web.compare_warnings import warnings
from antema.web.results import quantity_of
from antema.web.state import store
from tests.strategies.judging import KNOWN, STRANGE


def compared(shelf, *names, column="equivalent_diameter_nm", weighting="number", log=False):
    return load(Choice.of([shelf[name].id for name in names], column, weighting, log=log))


def raw(sample, column):
    """Return values, images and diameters of a sample's measured particles, straight from the store."""
    table = store().particles(sample.current_analysis_id)
    rows = table[table["status"] == "measured"]
    return (
        rows[column].to_numpy(float),
        rows["micrograph_id"].to_numpy(),
        rows["equivalent_diameter_nm"].to_numpy(float),
    )


@pytest.mark.parametrize(("column", "weighting"), [("equivalent_diameter_nm", "number"), ("circularity", "volume")])
def test_the_table_says_what_the_statistics_say(shelf, column, weighting):
    comparable = compared(shelf, "small", "few", column=column, weighting=weighting)
    shown = text_of(compare_page.statistics_table(comparable))
    for name in ("small", "few"):
        values, images, diameters = raw(shelf[name], column)
        weights, upper = stats.weights(diameters, weighting), quantity_of(column).upper
        summary = stats.summarise(values, images, weights=weights, weighting=weighting, upper=upper)
        assert summary.n > 20
        assert f"|{summary.n}|{summary.n_images}|" in shown
        for estimate in (summary.median, summary.d10, summary.d90):
            assert f"|{estimate.value_text()}|{estimate.interval_text()}" in shown
        assert f"|{summary.mean.value_text()} ± " in shown
        assert summary.mean.interval_text() in shown
    assert f"{weighting.capitalize()}-weighted." in shown
    assert "few: 95 % intervals from Student's t on the statistics of 3 images. The images are few (3)" in shown


def test_differences_say_what_the_comparison_says(shelf):
    comparable = compared(shelf, "small", "large", weighting="area")
    (a, images_a, diameters_a), (b, images_b, diameters_b) = (
        raw(shelf[name], "equivalent_diameter_nm") for name in ("small", "large")
    )
    expected = stats.compare(
        a,
        images_a,
        b,
        images_b,
        weights_a=stats.weights(diameters_a, "area"),
        weights_b=stats.weights(diameters_b, "area"),
        weighting="area",
    )
    assert expected.p_value is not None
    assert expected.difference.value < 0
    shown = text_of(compare_page.differences(comparable))
    assert (
        f"|7 and 6|{expected.difference.value_text()}|{expected.difference.interval_text()}".replace("-", "−") in shown
    )
    assert f"{expected.cliffs_delta.value_text()}|{expected.cliffs_delta.interval_text()}".replace("-", "−") in shown
    assert f"|{expected.effect_text}|{stats.format_number(expected.p_value, 2)}" in shown
    assert expected.method in shown
    assert expected.statement("small", "large <b>one</b>", "Equivalent diameter", "nm") in shown
    assert "Holm" not in shown


def test_several_pairs_carry_corrected_p_values(shelf):
    comparable = compared(shelf, "small", "large", "few")
    p_values = [pair.comparison.p_value for pair in comparable.pairs]
    corrected = stats.holm(p_values)
    assert [pair.corrected_p for pair in comparable.pairs] == corrected
    assert corrected != p_values
    shown = text_of(compare_page.differences(comparable))
    assert "|p|p (Holm)|" in shown
    assert "corrected for the 3 pairs tested" in shown
    for p in corrected:
        assert f"|{stats.format_number(p, 2)}" in shown
    assert "few: the images are few" in shown


def test_a_sample_of_one_image_gets_no_test_and_says_so(shelf):
    shown = text_of(compare_page.differences(compared(shelf, "small", "one")))
    assert "|no test|" in shown
    assert "the intervals are too narrow" in shown
    assert "No p-value: a test needs at least 3 images of each sample" in shown
    several = text_of(compare_page.differences(compared(shelf, "small", "large", "one")))
    assert "one: one image." in several
    assert "one: no p-value" in several


def test_a_sample_without_particles_is_shown_as_such(shelf):
    comparable = compared(shelf, "small", "empty")
    assert "nothing measured: no particle was measured." in text_of(warnings(comparable))
    assert "|nothing measured|0|0 of 2|–|" in text_of(compare_page.statistics_table(comparable))
    assert "A sample has no measured particle." in text_of(compare_page.differences(comparable))
    assert len(compare_page.plots(comparable)) == 3


def test_colours_follow_the_order_chosen(shelf):
    names = [(member.name, member.colour) for member in compared(shelf, "few", "small").members]
    assert names == [("few", SAMPLE_COLOURS[0]), ("small", SAMPLE_COLOURS[1])]


@pytest.mark.parametrize("log", [False, True])
def test_plots_use_the_same_bins_and_treat_names_as_text(shelf, log):
    comparable = compared(shelf, "small", "large", weighting="volume", log=log)
    distribution, cumulative, spread = compare_page.plots(comparable)
    bars = [trace for trace in distribution.data if trace.type == "bar"]
    assert np.array_equal(bars[0].x, bars[1].x)
    assert np.array_equal(bars[0].width, bars[1].width)
    assert [bar.marker.color for bar in bars] == list(SAMPLE_COLOURS[:2])
    assert [line.name for line in cumulative.data] == ["small", "large &lt;b&gt;one&lt;/b&gt;"]
    for line in cumulative.data:
        assert line.y[-1] == pytest.approx(100)
    medians = [summary.median.value for summary in comparable.summaries]
    for violin, median in zip(spread.data, medians, strict=True):
        assert np.median(violin.y) == pytest.approx(median, rel=0.02)
    for figure in (distribution, cumulative, spread):
        json.loads(figure.to_json())
        assert "<b>" not in figure.to_json()


def test_same_recipes_raise_no_warning(shelf):
    assert warnings(compared(shelf, "small", "large")) == []


def test_different_conventions_and_recipes_are_pointed_out(shelf):
    first, *_ = warnings(compared(shelf, "small", "old"))
    shown = text_of(first)
    assert "not comparable" in shown
    assert "small with the convention contour; old series with the convention antema" in shown
    assert "Smallest particle differs: 0.5 nm for small, 1.5 nm for old series." in shown
    assert first.className == "alert alert-danger"


def test_unlike_pixel_sizes_are_a_hint_and_no_more(shelf):
    (only,) = warnings(compared(shelf, "small", "one"))
    assert "one at 0.500 nm/px, small at 0.200 nm/px" in text_of(only)
    assert only.className == "alert alert-warning"


def test_a_scale_that_changed_after_the_result_is_pointed_out(web_store, make_sample):
    one, two = make_sample("one", 4.0, 2), make_sample("two", 4.4, 2)
    choice = Choice.of([one.id, two.id], None, None, log=False)
    assert warnings(load(choice)) == []
    web_store.set_pixel_size([web_store.micrographs(two.id)[0].id], 0.3, by="Ann")
    said = "two: 1 of 2 micrographs has another pixel size since: "
    assert said in text_of(warnings(load(choice)))
    assert statistics_rows(load(choice))["remarks"][1].startswith("1 of 2 micrographs has another pixel size since")


def test_images_out_of_the_networks_depth_are_pointed_out(web_store, make_sample):
    known, strange = make_sample("known", 4.0, 2, trusts=(KNOWN, None)), make_sample("odd", 4.4, 2, trusts=(STRANGE,))
    choice = Choice.of([known.id, strange.id], None, None, log=False)
    (only,) = warnings(load(choice))
    assert only.className == "alert alert-warning"
    assert text_of(only) == (
        "odd: 1 of 2 micrographs is not of the kind that the network knows well (1 of an unknown kind): look at its "
        "outlines before the numbers."
    )
    web_store.leave_out(web_store.micrographs(strange.id)[0].id, "strange", by="Ann")
    (left,) = warnings(load(choice))
    assert text_of(left).startswith("odd: 1 of 2 micrographs (")
    assert "strange) was taken out by people; the numbers are without that." in text_of(left)


def test_clumps_are_pointed_out(shelf, monkeypatch):
    monkeypatch.setattr(
        compare_warnings, "clump_share_of", lambda table: 0.31 if (table["sample"] == "few").all() else 0
    )
    said = text_of(warnings(compared(shelf, "small", "few")))
    assert "few: 31 % of the particle area lies in clumps" in said
    assert said.count("lies in clumps") == 1


def test_an_image_without_particles_is_no_matter_of_pixel_sizes(web_store, make_sample):
    one, two = make_sample("one", 4.0, 3), make_sample("two", 4.4, 3)
    choice = Choice.of([one.id, two.id], None, None, log=False)
    analysis, micrographs = two.current_analysis_id, web_store.micrographs(two.id)
    nothing = dataclasses.replace(
        web_store.image_results(analysis)[0], n_measured=0, pixel_size=PixelSize(9.0, "user: Ann"), trust=STRANGE
    )
    comparable = load(choice)
    member = dataclasses.replace(comparable.members[1], images=[nothing] * 5 + list(comparable.members[1].images))
    told = warnings(dataclasses.replace(comparable, members=[comparable.members[0], member]))
    assert "nm/px" not in text_of(told)
    assert "kind that the network" not in text_of(told)
    assert len(micrographs) == 3


def test_where_nothing_could_be_told_no_shares_are_compared(web_store, make_sample):
    known = make_sample("known", 4.0, 6, classes=("amorphous",))
    unknown = make_sample("coarse", 4.4, 6, classes=("amorphous",))
    third = make_sample("third", 4.5, 6, classes=("monocrystalline",))
    comparable = load(Choice.of([known.id, unknown.id, third.id], None, None, log=False))
    # no lattice can be seen in the second one's images: each of its particles is unknown
    blind = dataclasses.replace(comparable.members[1], table=comparable.members[1].table.assign(p_lattice_visible=0.1))
    comparable = dataclasses.replace(comparable, members=[comparable.members[0], blind, comparable.members[2]])
    assert [(pair.a, pair.b) for pair in comparable.share_pairs] == [(0, 2)]
    shown = text_of(compare_page.share_differences(comparable))
    assert "coarse: all " in shown
    assert "its classes could not be told, so its shares are not compared." in shown
    assert "could not be told" in shown.partition("Cohen's h is")[0], "the unknown ones' share is no effect"
    rows = share_difference_rows(comparable)
    assert len(rows) == len(CLASSES) + 2
    assert rows["note"].str.contains("not compared").sum() == 2
    alone = dataclasses.replace(comparable, members=comparable.members[:2])
    assert "effect" not in text_of(compare_page.share_differences(alone))
    assert "shares are not compared" in text_of(compare_page.share_differences(alone))
    pdf = comparison_report_pdf(ComparisonReport([m.report(alone.view) for m in alone.members], alone.view, {}))
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())
    assert "shares are not compared" in text
    assert "Cohen" not in text


def test_a_differing_polarity_is_pointed_out(web_store, make_sample):
    one, two = make_sample("one", 4.0, 2), make_sample("two", 4.4, 2)
    analysis = web_store.create_analysis(two.id, Recipe(polarity="bright"), by="Ann")
    web_store.set_current_analysis(two.id, analysis.id, by="Ann")
    shown = text_of(warnings(load(Choice.of([one.id, two.id], None, None, log=False))))
    assert "Polarity differs: auto for one, bright for two." in shown


def test_an_excluded_particle_is_in_no_number(web_store, make_sample):
    one, two = make_sample("one", 4.0, 2), make_sample("two", 4.4, 2)
    choice = Choice.of([one.id, two.id], None, None, log=False)
    before = load(choice).summaries[0]
    table = web_store.particles(one.current_analysis_id)
    row = table[table["status"] == "measured"].iloc[0]
    web_store.exclude_particle(
        one.current_analysis_id, int(row["micrograph_id"]), int(row["particle"]), "dirt", by="Ann"
    )
    after = load(choice).summaries[0]
    assert after.n == before.n - 1
    assert after.mean.value != before.mean.value


def test_crystallinity_is_drawn_only_of_classified_samples(shelf):
    comparable = compared(shelf, "classed", "small")
    figure, sentences = compare_page.crystallinity(comparable)
    table = store().particles(shelf["classed"].current_analysis_id)
    rows = table[table["status"] == "measured"]
    sure = rows["confidence"] >= 0.8
    counts = [
        [int(((rows["crystallinity"] == name) & sure)[rows["micrograph_id"] == image].sum()) for name in CLASSES[:3]]
        + [int((~sure)[rows["micrograph_id"] == image].sum())]
        for image in sorted(rows["micrograph_id"].unique())
    ]
    expected = stats.share_interval(counts)
    assert min(expected.counts[0], expected.counts[1], expected.counts[3]) > 0
    assert expected.counts[2] == 0
    assert [trace.name for trace in figure.data] == list(CLASSES)
    assert [trace.y[0] for trace in figure.data] == pytest.approx([100 * share.value for share in expected.shares])
    assert "small: not classified." in text_of(sentences)


def test_shares_are_compared_class_by_class_at_the_certainty_chosen(web_store, make_sample):
    one = make_sample("one", 4.0, 6, classes=("amorphous",))
    two = make_sample("two", 4.4, 6, classes=("monocrystalline",))
    for certainty in (0.5, 0.95):
        comparable = load(Choice.of([one.id, two.id], None, None, log=False, certainty=certainty))
        rows = share_difference_rows(comparable).set_index("crystallinity")
        tables = [member.table[member.table["status"] == "measured"] for member in comparable.members]
        sure = [float((table["confidence"] >= certainty).mean()) for table in tables]
        assert rows.loc["amorphous", "difference"] == pytest.approx(sure[0])
        assert rows.loc["monocrystalline", "difference"] == pytest.approx(-sure[1])
        assert rows.loc["unknown", "difference"] == pytest.approx(sure[1] - sure[0])
        assert rows.loc["amorphous", "p"] < 0.01
        shown = text_of(compare_page.share_differences(comparable))
        assert f"{100 * sure[0]:.0f} and 0" in shown
        assert "a large effect" in shown
    assert compare_page.share_differences(load(Choice.of([one.id], None, None, log=False))) == []


def test_without_a_model_one_line_says_so(shelf, monkeypatch):
    comparable = compared(shelf, "small", "large")
    monkeypatch.setattr(crystallinity_view, "crystallinity_available", lambda: False)
    figure, sentences = compare_page.crystallinity(comparable)
    assert figure is None
    assert text_of(sentences) == "No crystallinity model is installed: particles are not classified."
    monkeypatch.setattr(crystallinity_view, "crystallinity_available", lambda: True)
    assert "made without a crystallinity model" in text_of(compare_page.crystallinity(comparable)[1])


def test_what_cannot_be_compared_is_named(shelf):
    comparable = load(Choice.of([shelf["small"].id, shelf["bare"].id, 999], None, None, log=False))
    assert not comparable.is_enough
    assert comparable.missing == ["bare has no result yet: analyse it first.", "There is no sample 999."]
    shown = text_of(warnings(comparable))
    assert "There is no sample 999." in shown
    assert "not comparable" not in shown


def test_only_samples_with_a_result_are_offered(shelf):
    labels = [option["label"] for option in compare_page.sample_options([])]
    assert "small" in labels
    assert "bare" not in labels


def test_one_sample_leads_to_offers_that_keep_the_choice(shelf):
    comparable = compared(shelf, "small", column="circularity", weighting="area")
    empty = compare_page.empty_state(comparable)
    assert "small, compared with what?" in text_of(empty)
    links = [link.href for link in empty[-1].children]
    assert links
    assert all(f"samples={shelf['small'].id}," in link and "quantity=circularity" in link for link in links)
    assert compare_page.empty_state(compared(shelf, "small", "large")) == []


def test_an_empty_dashboard_says_what_to_do_first(web_store):
    empty = compare_page.empty_state(load(Choice()))
    assert "Nothing to compare yet" in text_of(empty)
    assert empty[-1].children[0].href == "/samples"
    web_store.create_sample("first", by="Ann")
    assert "first" in text_of(compare_page.empty_state(load(Choice())))


def test_an_archived_sample_of_a_shared_address_is_still_shown(web_store, make_sample):
    one, two = make_sample("one", 4.0, 2), make_sample("two", 4.4, 2)
    web_store.archive_sample(two.id, by="Ann")
    assert {option["label"] for option in compare_page.sample_options([])} == {"one"}
    assert {option["label"] for option in compare_page.sample_options([one.id, two.id])} == {"one", "two · archived"}
    assert load(Choice.of([one.id, two.id], None, None, log=False)).is_enough


def test_crystallinity_on_or_off_makes_sizes_no_less_comparable(web_store, make_sample):
    one = make_sample("one", 4.0, 2)
    two = make_sample("two", 4.4, 2, recipe=Recipe(crystallinity=False))
    assert warnings(load(Choice.of([one.id, two.id], None, None, log=False))) == []
