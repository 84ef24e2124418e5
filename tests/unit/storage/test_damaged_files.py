"""Files that were damaged on the disk: they count as absent, are computed anew, and say so."""

import hashlib
import os
from contextlib import closing

import pytest
from sqlalchemy import update

import antema.imaging.reading
import antema.storage.blobs
import antema.storage.verification
from antema.domain import AlreadyThere, AntemaError, Recipe
from antema.storage import open_store, schema
from antema.storage.verification import DAMAGED, MISSING, Verification
from tests.strategies.stored import add_micrograph, discs, save_analysis, write_tiff


@pytest.fixture
def two(store, sample):
    """An analysis of two micrographs with three particles each."""
    micrographs = [add_micrograph(store, sample.id, seed) for seed in (1, 2)]
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    for micrograph in micrographs:
        save_analysis(store, analysis.id, micrograph)
    return analysis, *micrographs


def flip(path, place):
    """Flip one bit of a file and leave its time as it was: a disk does not tell of it either."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 4
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("share", [0.01, 0.2, 0.4, 0.6, 0.8, 0.99])
def test_a_flipped_bit_is_found_by_the_next_process_that_reads(store, two, share):
    analysis, first, _ = two
    path = store.image_results(analysis.id)[0].parquet
    flip(path, int(share * path.stat().st_size))
    with closing(open_store(store.data_dir)) as other:
        bad, good = other.image_results(analysis.id)
        assert (bad.status, good.status) == ("failed", "done")
        assert bad.error == "its particle file is damaged; analyse the sample again to have it computed anew"
        assert set(other.particles(analysis.id)["image"]) == {"image-2.tif"}
        with pytest.raises(AntemaError, match="image-1.tif: its particle file is damaged"):
            other.instances(analysis.id, first.id)
        with pytest.raises(AntemaError, match="damaged"):
            other.image_result(analysis.id, first.id)


def test_a_file_that_changes_under_a_process_is_looked_at_again(store, two):
    analysis, *_ = two
    assert len(store.particles(analysis.id)) == 6
    truncate(store.image_results(analysis.id)[0].parquet)
    assert len(store.particles(analysis.id)) == 3
    assert [result.status for result in store.image_results(analysis.id)] == ["failed", "done"]


def test_nothing_is_counted_of_a_lost_result_whatever_is_excluded(store, two):
    analysis, first, _ = two
    store.exclude_particle(analysis.id, first.id, 1, "dirt", "Bob")
    store.image_results(analysis.id)[0].parquet.unlink()
    lost = store.image_results(analysis.id, exclusions=False)[0]
    assert (lost.n_measured, lost.n_dropped, lost.n_excluded, lost.excluded) == (0, 0, 0, ())


def test_a_damaged_result_is_computed_anew_and_says_so(store, two, caplog):
    analysis, first, _ = two
    before, result = store.particles(analysis.id), store.image_results(analysis.id)[0]
    truncate(result.parquet)
    assert store.find_result(result.result_key) is None
    again = save_analysis(store, analysis.id, first)
    assert again.notes[-1].startswith("A file of this result was damaged; it was computed anew on 2")
    assert "was damaged; it was computed anew" in caplog.text
    assert store.find_result(result.result_key) is not None
    assert store.particles(analysis.id).equals(before)


def test_a_result_computed_twice_at_the_same_time_was_not_damaged(store, two):
    analysis, first, _ = two
    again = save_analysis(store, analysis.id, first)
    assert not any("anew" in note for note in again.notes)


def test_a_damaged_segmentation_is_computed_anew(store, two):
    analysis, first, _ = two
    result = store.image_results(analysis.id)[0]
    store.blob_path(result.segmentation_sha256).write_bytes(b"\x89PNG")
    assert store.find_result(result.result_key) is None
    save_analysis(store, analysis.id, first)
    assert store.blob_fault(result.segmentation_sha256) == ""


def test_files_of_earlier_versions_get_their_digest(store, two):
    analysis, *_ = two
    good, bad = store.image_results(analysis.id)
    truncate(bad.parquet)
    with store._database.writing() as session:
        session.execute(update(schema.ImageResult).values(particles_sha256=None))
    with closing(open_store(store.data_dir)) as other:
        assert [result.status for result in other.image_results(analysis.id)] == ["done", "failed"]
        with other._database.reading() as session:
            row = session.get(schema.ImageResult, good.result_key)
            assert row.particles_sha256 == hashlib.sha256(good.parquet.read_bytes()).hexdigest()


def test_a_file_of_an_earlier_version_that_was_elsewhere_gets_its_digest_when_it_is_back(store, two):
    analysis, *_ = two
    lost, _ = store.image_results(analysis.id)
    content = lost.parquet.read_bytes()
    lost.parquet.unlink()
    with store._database.writing() as session:
        session.execute(update(schema.ImageResult).values(particles_sha256=None))
    for there, status in ((False, "failed"), (True, "done")):
        if there:
            lost.parquet.write_bytes(content)
        with closing(open_store(store.data_dir)) as other:
            assert other.image_results(analysis.id)[0].status == status


def test_a_damaged_blob_is_no_picture_and_no_micrograph(store, two):
    _, first, _ = two
    flip(store.blob_path(first.sha256), 100)
    with closing(open_store(store.data_dir)) as other, pytest.raises(AntemaError, match=r"image-1.tif: .* damaged one"):
        other.whole_blob(first.sha256, first.filename)
    store.blob_path(first.sha256).unlink()
    assert store.blob_fault(first.sha256) == MISSING


def test_a_file_uploaded_again_takes_the_place_of_a_damaged_one(store, sample, two):
    _, first, _ = two
    truncate(store.blob_path(first.sha256))
    with pytest.raises(AlreadyThere, match="was lost or damaged, this one has taken its place") as refused:
        add_micrograph(store, sample.id, 1)
    assert refused.value.micrograph_id == first.id
    assert store.blob_fault(first.sha256) == ""
    with pytest.raises(AlreadyThere, match=r"already, as image-1.tif\.$"):
        add_micrograph(store, sample.id, 1, name="again.tif")


def test_a_whole_file_is_hashed_once_in_a_process(tmp_path, monkeypatch):
    hashed = []
    real = antema.storage.verification.digest_of
    monkeypatch.setattr(antema.storage.verification, "digest_of", lambda path: hashed.append(path) or real(path))
    path, sha256 = write_tiff(tmp_path, discs(1))
    verification = Verification()
    assert [verification.fault(path, sha256) for _ in range(3)] == ["", "", ""]
    assert hashed == [path]
    assert verification.fault(path, "0" * 64) == DAMAGED


def test_an_upload_is_not_hashed_again_when_it_is_adopted(store, monkeypatch):
    path, sha256 = write_tiff(store.incoming_dir, discs(1))
    for module in (antema.storage.blobs, antema.storage.verification):
        monkeypatch.setattr(module, "digest_of", lambda _: pytest.fail("hashed once more"))
    adopted = store.adopt_file(path, sha256, is_hashed=True)
    assert store.blob_fault(sha256) == ""
    assert adopted == store.whole_blob(sha256, "upload")
