import io
import sqlite3
from contextlib import closing

import numpy as np
import pytest
import tifffile
from PIL import Image

from antema.analysis import ALGORITHM_VERSION, analyse, result_key
from antema.domain import PARTICLE_COLUMNS, AntemaError, Micrograph, NotFound, Recipe, View
from antema.storage import open_store, state_of
from antema.storage.particle_files import NUMBER_COLUMNS, read_level_diameters, read_provenance
from antema.storage.store import DATABASE
from tests.strategies.stored import NM, ThresholdSegmenter, add_micrograph, save_analysis


@pytest.fixture
def two(store, sample):
    """An analysis of two micrographs of three particles each."""
    micrographs = [add_micrograph(store, sample.id, seed) for seed in (1, 2)]
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    for micrograph in micrographs:
        save_analysis(store, analysis.id, micrograph)
    return analysis, *micrographs


def measured(store, analysis):
    table = store.particles(analysis.id)
    return table[table["status"] == "measured"]


def alpha_of(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def test_a_result_tells_what_was_done(store, two):
    analysis, first, _ = two
    result = store.image_results(analysis.id)[0]
    assert (result.status, result.error, result.filename) == ("done", "", first.filename)
    assert (result.n_measured, result.n_dropped, result.n_excluded) == (3, 0, 0)
    assert (result.pixel_size, result.algorithm_version) == (first.pixel_size, ALGORITHM_VERSION)
    assert result.model == {"name": "threshold", "sha256": "5" * 64, "threshold": 0.5}
    assert result.seconds == pytest.approx(sum(result.seconds_by_step.values()))
    assert (result.stale, result.counts, result.reused) == (False, True, False)
    provenance = read_provenance(result.parquet)
    assert provenance["image_sha256"] == first.sha256
    assert Recipe.from_dict(provenance["recipe"]) == analysis.recipe
    assert provenance["result_key"] == result.result_key
    with Image.open(store.blob_path(result.segmentation_sha256)) as segmentation:
        assert (segmentation.mode, segmentation.size) == ("1", (96, 96))
    assert list(store.incoming_dir.iterdir()) == []


def test_what_the_network_said_is_kept(store, two):
    analysis, first, _ = two
    maps = store.maps(analysis.id, first.id)
    said = ThresholdSegmenter().probability(tifffile.imread(store.blob_path(first.sha256)))
    assert maps.dtype == np.uint8
    assert np.array_equal(maps, np.rint(255 * said))
    levels = read_level_diameters(store.image_results(analysis.id)[0].parquet)
    rows = store.particles(analysis.id)[lambda table: table["micrograph_id"] == first.id]
    assert levels.shape == (len(rows), 5)
    is_measured = (rows["status"] == "measured").to_numpy()
    assert levels[is_measured, 2] == pytest.approx(rows["equivalent_diameter_nm"][is_measured].to_numpy(), rel=1e-5)
    assert np.isnan(levels[~is_measured]).all()
    assert not any("level" in column for column in rows)


def test_a_lost_map_is_named_and_made_again(store, two):
    analysis, first, _ = two
    before = store.maps(analysis.id, first.id)
    with closing(sqlite3.connect(store.data_dir / DATABASE)) as database:
        (sha256,) = database.execute("SELECT maps_sha256 FROM image_result ORDER BY micrograph_id").fetchone()
    store.blob_path(sha256).unlink()
    with pytest.raises(NotFound, match=r"image-1.tif: the network's map of this result is missing: analyse again"):
        store.maps(analysis.id, first.id)
    key = store.image_results(analysis.id)[0].result_key
    assert store.find_result(key) is None
    save_analysis(store, analysis.id, first)
    assert store.find_result(key) is not None
    assert np.array_equal(store.maps(analysis.id, first.id), before)


def test_the_table_is_what_the_analysis_gave(store, two):
    analysis, first, second = two
    table = store.particles(analysis.id)
    assert tuple(table.columns)[: len(PARTICLE_COLUMNS)] == PARTICLE_COLUMNS
    assert table["sample"].unique().tolist() == ["Au 2 nm"]
    assert table["image"].tolist() == [first.filename] * 3 + [second.filename] * 3
    assert table["micrograph_id"].tolist() == [first.id] * 3 + [second.id] * 3
    pixels = tifffile.imread(store.blob_path(second.sha256))
    micrograph = Micrograph(pixels, second.pixel_size, "x", second.sha256, {})
    fresh = analyse(micrograph, Recipe(), segmenter=ThresholdSegmenter())
    np.testing.assert_array_equal(
        table["equivalent_diameter_nm"][3:], fresh.table["equivalent_diameter_nm"], strict=False
    )
    for found, expected in zip(store.instances(analysis.id, second.id), fresh.instances, strict=True):
        assert (found.x, found.y) == (expected.x, expected.y)
        np.testing.assert_array_equal(found.mask, expected.mask)


def test_names_are_those_of_now(store, sample, two):
    analysis, *_ = two
    store.update_sample(sample.id, name="renamed", by="Ann")
    assert store.particles(analysis.id)["sample"].unique().tolist() == ["renamed"]


def test_what_a_caller_does_to_the_table_is_his_own_affair(store, two):
    analysis, *_ = two
    table = store.particles(analysis.id)
    table.loc[:, "status"] = "spoilt"
    table.pop("area_nm2")
    assert len(measured(store, analysis)) == 6
    assert "area_nm2" in store.particles(analysis.id)


def test_an_analysis_without_results_has_an_empty_table(store, sample):
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    table = store.particles(analysis.id)
    assert len(table) == 0
    assert tuple(table.columns)[: len(PARTICLE_COLUMNS)] == PARTICLE_COLUMNS
    assert store.image_results(analysis.id) == []


def test_exclusion_and_restoration(store, two):
    analysis, first, _ = two
    store.exclude_particle(analysis.id, first.id, 2, " two in one ", "Bob")
    table = store.particles(analysis.id)
    assert len(table) == 6, "the row stays"
    row = table[(table["micrograph_id"] == first.id) & (table["particle"] == 2)].iloc[0]
    assert (row["status"], row["drop_reason"], row["exclusion_reason"]) == ("dropped", "excluded_by_user", "two in one")
    assert len(measured(store, analysis)) == 5
    result = store.image_results(analysis.id)[0]
    assert (result.n_measured, result.n_dropped, result.n_excluded) == (2, 1, 1)
    assert [i.drop_reason for i in store.instances(analysis.id, first.id)] == ["", "excluded_by_user", ""]
    store.restore_particle(analysis.id, first.id, 2, "Bob")
    assert len(measured(store, analysis)) == 6
    assert store.image_results(analysis.id)[0].n_excluded == 0
    assert [i.status for i in store.instances(analysis.id, first.id)] == ["measured"] * 3


def test_outlines_have_the_colours_of_now(store, two, monkeypatch):
    analysis, first, _ = two
    drawn = [b"old", b"new"]
    monkeypatch.setattr("antema.imaging.outline_overlay", lambda *_: drawn[0])
    assert store.overlay_png(analysis.id, first.id) == b"old"
    drawn.pop(0)
    with closing(open_store(store.data_dir)) as later:
        assert later.overlay_png(analysis.id, first.id) == b"new"


def test_outlines_follow_exclusions(store, two):
    analysis, first, _ = two
    before = store.overlay_png(analysis.id, first.id)
    store.exclude_particle(analysis.id, first.id, 1, "dirt", "Bob")
    during = store.overlay_png(analysis.id, first.id)
    instance = store.instances(analysis.id, first.id)[0]
    changed = (alpha_of(before) != alpha_of(during)).any(axis=-1)
    assert changed.any()
    rows, columns = np.nonzero(changed)
    assert instance.y - 2 <= rows.min()
    assert rows.max() <= instance.y + instance.h + 2
    assert instance.x - 2 <= columns.min()
    assert columns.max() <= instance.x + instance.w + 2
    store.restore_particle(analysis.id, first.id, 1, "Bob")
    assert store.overlay_png(analysis.id, first.id) == before


def test_what_cannot_be_excluded(store, two):
    analysis, first, _ = two
    with pytest.raises(NotFound, match="number 77"):
        store.exclude_particle(analysis.id, first.id, 77, "dirt", "Bob")
    with pytest.raises(AntemaError, match="Reason"):
        store.exclude_particle(analysis.id, first.id, 1, " ", "Bob")
    store.exclude_particle(analysis.id, first.id, 1, "dirt", "Bob")
    with pytest.raises(AntemaError, match="excluded it already"):
        store.exclude_particle(analysis.id, first.id, 1, "dirt", "Bob")
    with pytest.raises(AntemaError, match="expected one that a person excluded"):
        store.restore_particle(analysis.id, first.id, 2, "Bob")


def test_what_the_recipe_dropped_cannot_be_excluded(store, sample):
    micrograph = add_micrograph(store, sample.id, 1)
    recipe = Recipe(min_diameter_nm=1.9)
    analysis = store.create_analysis(sample.id, recipe, "Ann")
    save_analysis(store, analysis.id, micrograph, recipe)
    table = store.particles(analysis.id)
    dropped = table.loc[table["status"] == "dropped", "particle"].iloc[0]
    with pytest.raises(AntemaError, match="does not count already: below the smallest particle"):
        store.exclude_particle(analysis.id, micrograph.id, int(dropped), "dirt", "Bob")


def test_a_micrograph_left_out_does_not_count_until_exclusions_are_switched_off(store, two):
    analysis, first, second = two
    store.exclude_particle(analysis.id, second.id, 1, "dirt", "Bob")
    store.leave_out(first.id, "blurred", "Ann")
    assert set(store.particles(analysis.id)["micrograph_id"]) == {second.id}
    found = [(r.counts, r.not_counted_reason, r.n_measured) for r in store.image_results(analysis.id)]
    assert found == [(False, "left out: blurred", 3), (True, "", 2)]
    as_computed = store.particles(analysis.id, exclusions=False)
    assert (as_computed["status"] == "measured").sum() == 6
    found = [(r.counts, r.n_measured, r.n_excluded) for r in store.image_results(analysis.id, exclusions=False)]
    assert found == [(True, 3, 0), (True, 3, 0)]
    assert store.image_results(analysis.id, exclusions=False)[0].left_out_reason == "blurred"
    store.take_back(first.id, "Ann")
    assert len(measured(store, analysis)) == 5


def test_a_result_stays_when_its_micrographs_are_moved_and_scaled(store, sample, two):
    analysis, first, second = two
    store.set_current_analysis(sample.id, analysis.id, "Ann")
    before, state = store.particles(analysis.id), state_of(store.image_results(analysis.id))
    other = store.create_sample("other", by="Ann")
    store.move_micrograph(second.id, other.id, "Ann")
    store.set_pixel_size([first.id, second.id], 0.2, by="Ann")
    after = store.particles(analysis.id)
    assert after.equals(before)
    assert state_of(store.image_results(analysis.id)) == state
    results = store.image_results(analysis.id)
    assert [(r.counts, r.changes) for r in results] == [(True, ("scale",)), (True, ("moved", "scale"))]
    assert results[1].moved_to == "other"
    (row,) = [row for row in store.samples() if row.sample.id == sample.id]
    assert row.n_particles == 6
    assert [one.id for one in store.analyses_of(second.id)] == [analysis.id]


def test_the_state_of_a_result_follows_what_is_excluded(store, two):
    analysis, first, _ = two
    plain = state_of(store.image_results(analysis.id))
    store.exclude_particle(analysis.id, first.id, 1, "dirt", "Bob")
    without = state_of(store.image_results(analysis.id))
    assert without != plain
    assert state_of(store.image_results(analysis.id, exclusions=False)) == plain
    store.restore_particle(analysis.id, first.id, 1, "Bob")
    assert state_of(store.image_results(analysis.id)) == plain
    store.leave_out(first.id, "blurred", "Ann")
    assert state_of(store.image_results(analysis.id)) not in (plain, without)


def test_a_list_of_results_is_that_of_now_whoever_wrote(store, two):
    analysis, first, _ = two
    assert store.image_results(analysis.id)[0].n_excluded == 0
    with closing(open_store(store.data_dir)) as other:
        other.exclude_particle(analysis.id, first.id, 1, "dirt", "Bob")
    assert store.image_results(analysis.id)[0].excluded == (1,)


def test_a_table_is_of_the_moment_that_is_asked_for(store, two):
    analysis, first, _ = two
    before = store.image_results(analysis.id)
    store.exclude_particle(analysis.id, first.id, 1, "dirt", "Bob")
    store.leave_out(first.id, "blurred", "Bob")
    assert len(store.columns(analysis.id, before)[0]["particle"]) == 6
    assert (store.particles(analysis.id, images=before)["status"] == "measured").sum() == 6
    assert len(measured(store, analysis)) == 3


def test_columns_are_those_of_the_table(store, two):
    analysis, first, _ = two
    store.exclude_particle(analysis.id, first.id, 1, "dirt", "Bob")
    columns, dropped, dropped_nm2 = store.columns(analysis.id, store.image_results(analysis.id))
    rows = measured(store, analysis)
    assert dropped == {"excluded_by_user": 1}
    whole = store.particles(analysis.id)
    assert dropped_nm2 == {"excluded_by_user": whole.loc[whole["status"] == "dropped", "area_nm2"].sum()}
    assert columns["micrograph_id"].tolist() == rows["micrograph_id"].tolist()
    assert columns["particle"].tolist() == rows["particle"].tolist()
    for name in NUMBER_COLUMNS:
        np.testing.assert_array_equal(columns[name], rows[name].to_numpy(float))
    assert store.particles_of(analysis.id, first.id).equals(store.particles(analysis.id).head(3))
    empty, *nothing = store.columns(store.create_analysis(analysis.sample_id, Recipe(), "Ann").id, [])
    assert (len(empty["area_nm2"]), nothing) == (0, [{}, {}])


def test_another_pixel_size_makes_a_result_stale(store, two):
    analysis, first, second = two
    store.set_pixel_size([first.id], 0.2, by="Ann")
    assert [result.stale for result in store.image_results(analysis.id)] == [True, False]
    assert store.image_results(analysis.id)[0].pixel_size.nm == NM
    store.set_pixel_size([first.id], NM, by="Ann")
    assert [result.stale for result in store.image_results(analysis.id)] == [False, False]


def test_the_same_work_is_shared_by_analyses(store, sample, two):
    analysis, first, _ = two
    key = store.image_results(analysis.id)[0].result_key
    found = store.find_result(key)
    assert (found.analysis_id, found.micrograph_id, found.n_measured) == (None, first.id, 3)
    again = store.create_analysis(sample.id, Recipe(), "Bob")
    linked = store.link_result(again.id, first.id, key)
    assert (linked.reused, linked.status, linked.result_key) == (True, "done", key)
    store.exclude_particle(again.id, first.id, 1, "dirt", "Bob")
    assert len(measured(store, again)) == 2
    assert len(measured(store, analysis)) == 5, "an exclusion hangs on the result"


def test_a_result_that_is_not_there(store, two):
    analysis, first, _ = two
    key = result_key("0" * 64, 1.0, Recipe(), "0" * 64)
    assert store.find_result(key) is None
    with pytest.raises(NotFound, match="expected a stored result"):
        store.link_result(analysis.id, first.id, key)


def test_a_failure_keeps_its_reason(store, sample, two):
    analysis, *_ = two
    third = add_micrograph(store, sample.id, 3)
    store.save_failure(analysis.id, third.id, "the file is truncated")
    results = store.image_results(analysis.id)
    errors = [(result.status, result.error) for result in results]
    assert errors == [("done", ""), ("done", ""), ("failed", "the file is truncated")]
    assert results[2].result_key is None
    assert len(store.particles(analysis.id)) == 6
    with pytest.raises(NotFound, match="expected a result of this analysis"):
        store.instances(analysis.id, third.id)
    with pytest.raises(NotFound, match="expected a result of this analysis"):
        store.overlay_png(analysis.id, third.id)


@pytest.mark.parametrize("ends", [True, False], ids=["it fails", "its process dies"])
def test_a_result_stays_known_while_it_is_computed_anew(store, two, ends):
    analysis, first, _ = two
    before = store.image_results(analysis.id)[0]
    kept = before.parquet.read_bytes()
    before.parquet.unlink()
    assert store.begin_image(analysis.id, first.id) == 1
    if ends:
        store.save_failure(analysis.id, first.id, "out of memory")
    lost = store.image_results(analysis.id)[0]
    assert (lost.status, lost.result_key, lost.pixel_size) == ("failed", before.result_key, before.pixel_size)
    assert store.begin_image(analysis.id, first.id) == (1 if ends else 2)
    before.parquet.write_bytes(kept)
    assert store.image_results(analysis.id)[0].n_measured == before.n_measured == 3


def test_skipped_ones_are_listed_when_asked_for(store, sample):
    micrograph = add_micrograph(store, sample.id, 1, nm=None)
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    store.save_skipped(analysis.id, micrograph.id, "no scale")
    assert store.image_results(analysis.id) == []
    (found,) = store.image_results(analysis.id, with_skipped=True)
    assert (found.status, found.error) == ("skipped", "no scale")


def test_attempts_are_counted_until_one_comes_to_an_end(store, sample):
    micrograph = add_micrograph(store, sample.id, 1)
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    assert [store.begin_image(analysis.id, micrograph.id) for _ in range(3)] == [1, 2, 3]
    assert store.image_results(analysis.id) == [], "an image at work has no result"
    store.save_failure(analysis.id, micrograph.id, "too large")
    assert store.begin_image(analysis.id, micrograph.id) == 1


def test_a_result_is_kept_whole_or_not_at_all(store, sample, monkeypatch):
    micrograph = add_micrograph(store, sample.id, 1)
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    monkeypatch.setattr("antema.storage.results._attach", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_analysis(store, analysis.id, micrograph)
    assert store.image_results(analysis.id) == []
    assert len(store.particles(analysis.id)) == 0
    monkeypatch.undo()
    assert save_analysis(store, analysis.id, micrograph).n_measured == 3


def test_images_without_particles_count_as_images(store, sample):
    micrograph = add_micrograph(store, sample.id, 1, n=0)
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    result = save_analysis(store, analysis.id, micrograph)
    assert (result.status, result.n_measured) == ("done", 0)
    assert "No particle was found." in result.notes
    assert len(store.particles(analysis.id)) == 0
    assert store.overlay_png(analysis.id, micrograph.id).startswith(b"\x89PNG")


def test_analyses_are_listed_and_one_is_shown(store, sample, two):
    analysis, *_ = two
    other = store.create_analysis(sample.id, Recipe(separation="watershed"), "Bob")
    assert [row.id for row in store.analyses(sample.id)] == [other.id, analysis.id]
    assert store.current_analysis(sample.id) is None
    store.set_current_analysis(sample.id, analysis.id, "Ann")
    assert store.current_analysis(sample.id) == store.analysis(analysis.id)
    assert [row.is_current for row in store.analyses(sample.id)] == [False, True]
    assert store.analysis(other.id).recipe.separation == "watershed"


def test_an_analysis_of_another_sample_is_not_shown(store, two):
    analysis, *_ = two
    other = store.create_sample("other", by="Ann")
    with pytest.raises(AntemaError, match="expected an analysis of the sample other, found one of Au 2 nm"):
        store.set_current_analysis(other.id, analysis.id, "Ann")


def test_a_view_is_kept_with_the_analysis(store, two):
    analysis, *_ = two
    assert analysis.view == View()
    store.set_view(analysis.id, View(weighting="volume"), by="Ann")
    assert store.analysis(analysis.id).view == View(weighting="volume")


@pytest.mark.parametrize("call", ["particles", "image_results", "analysis"])
def test_no_analysis(store, call):
    with pytest.raises(NotFound, match="analysis"):
        getattr(store, call)(5)


def test_a_lost_particle_file_is_named_and_made_again(store, two):
    analysis, first, _ = two
    result = store.image_results(analysis.id)[0]
    result.parquet.unlink()
    assert len(measured(store, analysis)) == 3, "the other image still counts"
    with pytest.raises(AntemaError, match=r"image-1.tif: its particle file is missing; analyse the sample again"):
        store.instances(analysis.id, first.id)
    assert store.find_result(result.result_key) is None
    save_analysis(store, analysis.id, first)
    assert store.find_result(result.result_key) is not None
    assert len(measured(store, analysis)) == 6
