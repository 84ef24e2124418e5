import hashlib
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from antema.domain import AlreadyThere, AntemaError, Micrograph, NotFound, PixelSize
from tests.strategies.stored import add_micrograph, discs, write_tiff


def read_back(store, sample_id, path, sha256, **values):
    micrograph = Micrograph(discs(0), PixelSize(0.1, "file: a tag"), path.name, sha256, {})
    return store.add_micrograph(sample_id, micrograph, path, by="Ann", **values)


def test_a_micrograph_comes_back_as_it_was_added(store, sample):
    stored = add_micrograph(store, sample.id, 1, name="grid 3/a.tif")
    assert store.micrograph(stored.id) == stored
    assert store.micrographs(sample.id) == [stored]
    assert (stored.filename, stored.height, stored.width, stored.dtype) == ("grid 3/a.tif", 96, 96, "uint8")
    assert stored.pixel_size == PixelSize(0.1, "file: a tag")
    assert stored.metadata == {"voltage_kv": 200.0}
    assert stored.is_analysable
    content = store.blob_path(stored.sha256).read_bytes()
    assert hashlib.sha256(content).hexdigest() == stored.sha256
    for picture in (stored.thumbnail_sha256, stored.display_sha256):
        assert store.blob_path(picture).read_bytes().startswith(b"\x89PNG")
    assert list(store.incoming_dir.iterdir()) == [], "nothing is left behind"


def test_the_same_bytes_are_taken_once(store, sample):
    first = add_micrograph(store, sample.id, 1, name="a.tif")
    path, sha256 = write_tiff(store.incoming_dir, discs(1), "again.tif")
    assert sha256 == first.sha256
    with pytest.raises(AlreadyThere, match=r"b\.tif: the same file is in this sample already, as a\.tif\.") as caught:
        read_back(store, sample.id, path, sha256, filename="b.tif")
    assert (caught.value.micrograph_id, caught.value.sample_id) == (first.id, sample.id)
    assert path.exists(), "a refused file is the caller's"


def test_bytes_of_another_sample_are_refused_with_its_name(store, sample):
    first = add_micrograph(store, sample.id, 1)
    store.leave_out(first.id, "blurred", "Ann")
    other = store.create_sample("other", by="Ann")
    with pytest.raises(AlreadyThere, match=r"in the sample Au 2 nm already, left out \(blurred\)") as caught:
        add_micrograph(store, other.id, 1)
    assert caught.value.sample_id == sample.id
    assert store.micrographs(other.id) == []


def test_of_uploads_at_once_one_wins(store, sample):
    def upload(number: int) -> str:
        path, sha256 = write_tiff(store.incoming_dir, discs(1), f"upload-{number}.tif")
        try:
            read_back(store, sample.id, path, sha256)
        except AlreadyThere:
            return "there"
        return "added"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(upload, range(4)))
    assert outcomes == ["added", "there", "there", "there"]
    assert len(store.micrographs(sample.id)) == 1


def test_a_file_that_is_not_what_was_read_is_refused(store, sample):
    path, _ = write_tiff(store.incoming_dir, discs(1))
    with pytest.raises(ValueError, match="expected a file of sha256"):
        read_back(store, sample.id, path, "0" * 64)
    assert store.micrographs(sample.id) == []


def test_no_sample_no_micrograph(store):
    with pytest.raises(NotFound, match="sample"):
        add_micrograph(store, 7, 1)


def test_a_typed_pixel_size_goes_before_the_files(store, sample):
    stored = add_micrograph(store, sample.id, 1)
    bare = add_micrograph(store, sample.id, 2, nm=None)
    assert not bare.is_analysable
    assert bare.pixel_size.source == "none: no tag"
    store.set_pixel_size([stored.id, bare.id], 0.25, by="Bob", why="scale bar")
    for number in (stored.id, bare.id):
        found = store.micrograph(number)
        assert found.pixel_size == PixelSize(0.25, "user: Bob")
        assert found.is_analysable
    assert store.micrograph(stored.id).file_pixel_size_nm == 0.1
    store.set_pixel_size([stored.id, bare.id], None, by="Bob")
    assert store.micrograph(stored.id).pixel_size == stored.pixel_size
    assert not store.micrograph(bare.id).pixel_size.is_known


@pytest.mark.parametrize("nm", [0, -0.1, math.nan, math.inf, 1e-9, 1e9])
def test_nonsense_is_no_pixel_size(store, sample, nm):
    stored = add_micrograph(store, sample.id, 1)
    with pytest.raises(AntemaError, match="Pixel size: expected"):
        store.set_pixel_size([stored.id], nm, by="Bob")
    assert store.micrograph(stored.id) == stored


def test_pixel_sizes_change_together_or_not_at_all(store, sample):
    stored = add_micrograph(store, sample.id, 1)
    with pytest.raises(NotFound):
        store.set_pixel_size([stored.id, 99], 0.2, by="Bob")
    assert store.micrograph(stored.id) == stored


def test_moved_and_left_out(store, sample):
    stored = add_micrograph(store, sample.id, 1)
    other = store.create_sample("other", by="Ann")
    assert store.move_micrograph(stored.id, other.id, "Ann").sample_id == other.id
    assert store.micrographs(sample.id) == []
    out = store.leave_out(stored.id, " blurred ", "Ann")
    assert (out.left_out_reason, out.is_left_out, out.is_analysable) == ("blurred", True, False)
    back = store.take_back(stored.id, "Ann")
    assert (back.left_out_reason, back.is_analysable) == (None, True)


def test_leaving_out_wants_a_reason(store, sample):
    stored = add_micrograph(store, sample.id, 1)
    with pytest.raises(AntemaError, match="Reason"):
        store.leave_out(stored.id, "  ", "Ann")


def test_float_pixels_are_kept_as_they_are(store, sample):
    pixels = np.linspace(-1, 1, 96 * 96, dtype=np.float32).reshape(96, 96)
    path, sha256 = write_tiff(store.incoming_dir, pixels)
    micrograph = Micrograph(pixels, PixelSize(0.1, "file: a tag"), "float.tif", sha256, {})
    assert store.add_micrograph(sample.id, micrograph, path, by="Ann").dtype == "float32"
