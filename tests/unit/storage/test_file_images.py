from dataclasses import replace

import numpy as np
import pytest
import tifffile

from antema.analysis import analyse, result_key
from antema.domain import Annotations, AntemaError, Box, Micrograph, NotFound, PixelSize, Recipe, ScaleBar
from antema.imaging import contents, read
from antema.storage import Examined
from tests.strategies.stored import ThresholdSegmenter, add_micrograph, discs

BAR = ScaleBar(100.0, Box(10, 80, 100, 4), "20 nm", 20.0)
FOUND = Annotations(BAR, (Box(8, 78, 104, 8), Box(30, 60, 40, 12)))


def add_stack(store, sample_id, *, frames=3, side=96):
    """Store a file of several frames, of which the first is taken."""
    path = store.incoming_dir / "stack.tif"
    tifffile.imwrite(path, np.stack([discs(seed, side=side) for seed in range(frames)]), photometric="minisblack")
    examined = Examined(contents(path), 0, Annotations())
    return store.add_micrograph(sample_id, read(path, data=0), path, examined=examined, by="Ann")


def add_with_bar(store, sample_id, seed, *, nm=None, bar=BAR):
    pixels = discs(seed)
    path = store.incoming_dir / f"{seed}.tif"
    tifffile.imwrite(path, pixels)
    size = PixelSize.none("no tag") if nm is None else PixelSize(nm, "file: a tag")
    micrograph = Micrograph(pixels, size, path.name, read(path).sha256)
    examined = Examined(contents(path), None, Annotations(bar, FOUND.boxes))
    return store.add_micrograph(sample_id, micrograph, path, examined=examined, by="Ann")


def choose(store, stored, number, by="Bob"):
    micrograph = read(store.blob_path(stored.sha256), data=number)
    return store.choose_image(stored.id, micrograph, Examined(data_index=number, annotations=FOUND), by=by)


def analyse_stored(store, analysis_id, stored):
    segmenter, recipe = ThresholdSegmenter(), Recipe(leave_out_annotations=False)
    micrograph = read(store.blob_path(stored.sha256), data=stored.data_index).with_pixel_size(stored.pixel_size)
    key = result_key(stored.sha256, stored.pixel_size.nm, recipe, segmenter.sha256, stored.data_index)
    result = analyse(micrograph, recipe, segmenter=segmenter)
    return store.save_result(analysis_id, stored.id, key, result, data_index=stored.data_index)


def test_annotations_and_contents_come_back(store, sample):
    stored = add_with_bar(store, sample.id, 1)
    assert store.micrograph(stored.id) == stored
    assert stored.annotations == FOUND
    (image,) = store.file_images(stored.id)
    assert (image.index, image.shape, image.dtype, image.is_default) == (0, (96, 96), "uint8", True)


def test_an_error_of_the_search_is_kept(store, sample):
    path = store.incoming_dir / "x.tif"
    tifffile.imwrite(path, discs(1))
    examined = Examined(contents(path), None, None, "ValueError: no letters")
    stored = store.add_micrograph(sample.id, read(path), path, examined=examined, by="Ann")
    assert (stored.annotations, stored.annotations_error) == (None, "ValueError: no letters")


def test_another_image_of_the_file_is_another_micrograph_in_the_same_place(store, sample):
    first = add_stack(store, sample.id)
    assert [image.index for image in store.file_images(first.id)] == [0, 1, 2]
    second = choose(store, first, 2)
    assert second == store.micrograph(first.id)
    assert (second.id, second.data_index, second.annotations) == (first.id, 2, FOUND)
    assert second.display_sha256 != first.display_sha256
    assert second.thumbnail_sha256 != first.thumbnail_sha256
    edit = store.edits(target="micrograph", target_id=first.id)[0]
    assert (edit.who, edit.what) == ("Bob", "choose image")
    assert (edit.before["image"], edit.after["image"]) == (0, 2)
    assert edit.after["title"] == "frame 3 of 3"
    with pytest.raises(NotFound, match="image"):
        store.choose_image(first.id, read(store.blob_path(first.sha256)), Examined(data_index=3), by="Bob")
    assert store.micrograph(first.id) == second


def test_results_of_the_other_image_stay_with_it(store, sample):
    first = add_stack(store, sample.id)
    store.set_pixel_size([first.id], 0.1, by="Ann")
    first = store.micrograph(first.id)
    analysis = store.create_analysis(sample.id, Recipe(leave_out_annotations=False), "Ann")
    before = analyse_stored(store, analysis.id, first)
    overlay = store.overlay_png(analysis.id, first.id)
    second = choose(store, first, 1)
    assert second.pixel_size == first.pixel_size, "frames of a series share what was typed"
    (result,) = store.image_results(analysis.id)
    assert result.stale_reason == "another image of the file chosen since"
    assert (result.display_sha256, result.shape) == (first.display_sha256, (96, 96))
    assert store.overlay_png(analysis.id, first.id) == overlay
    after = analyse_stored(store, analysis.id, second)
    assert after.result_key != before.result_key
    assert (after.stale, after.display_sha256) == (False, second.display_sha256)
    choose(store, second, 0)
    assert store.image_result(analysis.id, first.id).stale
    assert not store.find_result(before.result_key).stale


def test_a_typed_scale_does_not_go_with_an_image_of_another_size(store, sample):
    path = store.incoming_dir / "two.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(discs(1), photometric="minisblack")
        writer.write(discs(2, side=128), photometric="minisblack")
    listed = contents(path)
    if len(listed) < 2:
        pytest.skip("pages of two sizes are not offered as two images")
    number = next(entry.index for entry in listed if entry.is_default)
    examined = Examined(listed, number, Annotations())
    stored = store.add_micrograph(sample.id, read(path, data=number), path, examined=examined, by="Ann")
    store.set_pixel_size([stored.id], 0.1, by="Ann")
    other = choose(store, stored, 1 - number)
    assert (other.user_pixel_size_nm, other.user_pixel_size_by, other.user_pixel_size_at) == (None, None, None)
    edit = store.edits(target="micrograph", target_id=stored.id)[0]
    assert (edit.before["pixel_size_nm"], edit.after["pixel_size_nm"]) == (0.1, None)


def test_a_file_of_an_earlier_version_is_examined_later(store, sample):
    stored = add_micrograph(store, sample.id, 1)
    assert store.file_images(stored.id) == []
    listed = contents(store.blob_path(stored.sha256))
    again = store.keep_examination(stored.id, Examined(listed, None, FOUND))
    assert again.annotations == FOUND
    assert again.display_sha256 == stored.display_sha256
    assert store.file_images(stored.id) == [replace(entry, metadata={}) for entry in listed]
    assert len(store.edits(target="micrograph", target_id=stored.id)) == 1, "looking is no change"


def test_scale_bars_are_used_for_many_at_once(store, sample):
    bare = add_with_bar(store, sample.id, 1)
    wrong = add_with_bar(store, sample.id, 2, nm=0.18)
    right = add_with_bar(store, sample.id, 3, nm=0.2)
    without = add_micrograph(store, sample.id, 4)
    unread = add_with_bar(store, sample.id, 5, bar=ScaleBar(50.0, BAR.box, "?0 nm", None))
    assert [m.offered_nm for m in (bare, wrong, right, without, unread)] == [0.2, 0.2, None, None, None]
    ids = [m.id for m in (bare, wrong, without, unread)]
    assert store.use_scale_bars(ids, by="Bob") == 2
    bare, wrong = store.micrograph(bare.id), store.micrograph(wrong.id)
    assert bare.pixel_size == wrong.pixel_size == PixelSize(0.2, "user: Bob (scale bar)")
    assert wrong.file_pixel_size.nm == 0.18
    assert bare.user_pixel_size_at is not None
    assert store.use_scale_bars(ids, by="Bob") == 0, "once is enough"
    edit = store.edits(target="micrograph", target_id=bare.id)[0]
    assert (edit.who, edit.what, edit.why) == ("Bob", "set pixel size", "scale bar: 100 px, labelled “20 nm”")
    assert edit.after == {"pixel_size_nm": 0.2, "source": "user: Bob (scale bar)"}
    store.set_pixel_size([bare.id, wrong.id], None, by="Ann")
    assert store.micrograph(wrong.id).pixel_size == PixelSize(0.18, "file: a tag")
    assert store.micrograph(bare.id).user_pixel_size_at is None


def test_an_impossible_scale_bar_is_refused(store, sample):
    bad = add_with_bar(store, sample.id, 1, bar=ScaleBar(100.0, BAR.box, "0.001 pm", 1e-6))
    with pytest.raises(AntemaError, match="Pixel size"):
        store.use_scale_bars([bad.id], by="Bob")


def test_disagreements_are_named_with_both_numbers(store, sample):
    wrong = add_with_bar(store, sample.id, 2, nm=0.18)
    (sentence,) = [found.sentence for found in wrong.disagreements]
    assert "0.2 nm/px, 11.1 % more than the file's 0.18 nm/px" in sentence
    store.set_pixel_size([wrong.id], 0.21, by="Bob")
    typed, bar = [found.sentence for found in store.micrograph(wrong.id).disagreements]
    assert "0.21 nm/px is 16.7 % more than the file's 0.18 nm/px" in typed
    assert "4.8 % less than the given 0.21 nm/px" in bar
    store.use_scale_bars([wrong.id], by="Bob")
    assert len(store.micrograph(wrong.id).disagreements) == 1
    assert add_with_bar(store, sample.id, 3, nm=0.2019).disagreements == ()
