"""Databases of earlier versions, as they were written by them, are brought up to date with what they hold."""

import hashlib
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from antema.domain import PixelSize
from antema.storage import open_store, schema

GOLDEN = Path(__file__).parents[2] / "golden"


def opened(folder, name):
    with sqlite3.connect(folder / "antema.sqlite") as connection:
        connection.executescript((GOLDEN / name).read_text())
        keys = [key for (key,) in connection.execute("SELECT key FROM image_result")]
    connection.close()
    for key in keys:
        # its table is not what these tests are about
        path = folder / "particles" / key[:2] / f"{key}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"particle": [1]}), path)
    store = open_store(folder)
    yield store
    store.close()


@pytest.fixture
def first(tmp_path):
    """A store whose database was written at revision 0001: two micrographs, one result, one typed pixel size."""
    yield from opened(tmp_path, "database_0001.sql")


@pytest.fixture
def second(tmp_path):
    """A store whose database was written at revision 0002: a finished job over one image that failed and one result."""
    yield from opened(tmp_path, "database_0002.sql")


@pytest.fixture
def fourth(tmp_path):
    """A store whose database was written at revision 0004: a finished job over two images with results."""
    yield from opened(tmp_path, "database_0004.sql")


def test_what_was_stored_at_revision_0001_is_there(first):
    (sample,) = [summary.sample for summary in first.samples()]
    one, two = first.micrographs(sample.id)
    assert one.pixel_size == one.file_pixel_size == PixelSize(0.1, "file: a tag")
    assert (one.user_pixel_size_by, one.user_pixel_size_at) == (None, None)
    assert (two.pixel_size, two.file_pixel_size) == (PixelSize(0.2, "user: Bob"), PixelSize(None, "none: no tag"))
    for micrograph in (one, two):
        assert (micrograph.data_index, micrograph.annotations, micrograph.annotations_error) == (None, None, "")
        assert first.file_images(micrograph.id) == []
    (analysis,) = first.analyses(sample.id)
    (result,) = first.image_results(analysis.id)
    assert (result.n_measured, result.stale, result.shape) == (3, False, (96, 96))
    assert result.display_sha256 == one.display_sha256


def test_when_a_pixel_size_was_typed_comes_from_the_edits(first):
    two = first.micrograph(2)
    assert two.user_pixel_size_by == "Bob"
    assert two.user_pixel_size_at == first.edits(target="micrograph", target_id=2)[0].at
    assert two.user_pixel_size_at.tzinfo is UTC
    assert datetime(2026, 1, 1, tzinfo=UTC) < two.user_pixel_size_at


def test_edits_stay_unchangeable(first):
    with pytest.raises(Exception, match="an edit is kept"), first._database.writing() as session:
        session.connection().exec_driver_sql("UPDATE edit SET who = 'Bob'")


def test_of_results_of_revision_0002_it_is_not_known_what_the_network_said(second):
    (job,) = second.jobs()
    assert (job.status, job.images_done, job.current_share, job.share_done) == ("done", 2, None, 1.0)
    done, failed = second.image_results(job.analysis_id)
    assert (done.n_measured, done.trust, done.polarity, done.scales) == (3, None, "", ())
    assert done.crystallinity_model == {}
    assert (failed.status, failed.error) == ("failed", "the file is truncated")
    recipe = second.analysis(job.analysis_id).recipe
    assert (recipe.threshold, recipe.polarity, recipe.crystallinity_model) == (0.5, "auto", "default")


def test_an_analysis_that_broke_off_is_of_the_micrographs_it_was_started_with(tmp_path):
    with sqlite3.connect(tmp_path / "antema.sqlite") as connection:
        connection.executescript((GOLDEN / "database_0002.sql").read_text())
        connection.execute("UPDATE analysis SET status = 'interrupted', created_at = '2030-01-01 00:00:00.000000'")
        connection.execute("DELETE FROM analysis_image WHERE micrograph_id = 2")
    connection.close()
    with closing(open_store(tmp_path)) as store:
        assert [one.id for one in store.micrographs_to_analyse(1)] == [1, 2]
        assert [one.micrograph_id for one in store.image_results(1)] == [1]


def test_of_results_of_revision_0004_the_digests_are_learned(fourth):
    (job,) = fourth.jobs()
    assert (job.status, job.waits_for_turn) == ("done", False)
    assert fourth.line() == fourth.bin() == []
    results = fourth.image_results(job.analysis_id)
    assert [result.status for result in results] == ["done", "done"]
    with fourth.reading() as session:
        for result in results:
            row = session.get(schema.ImageResult, result.result_key)
            assert row.particles_sha256 == hashlib.sha256(result.parquet.read_bytes()).hexdigest()
    results[0].parquet.unlink()
    assert [result.status for result in fourth.image_results(job.analysis_id)] == ["failed", "done"]
