"""The upload route in this process: what a real server cannot be made to meet at will."""

import errno
import hashlib
import io
import logging
from types import SimpleNamespace

import flask
import pytest

import antema.storage.blobs
import antema.storage.verification
from antema.domain import Annotations, Box, ScaleBar
from antema.imaging import read_safely
from antema.web import intake, room, uploads
from tests.strategies.em_files import write_imagej
from tests.strategies.micrograph_files import write_bare
from tests.strategies.stored import discs


@pytest.fixture
def client(web_store):
    server = flask.Flask("test")
    server.register_blueprint(uploads.uploads)
    return server.test_client()


@pytest.fixture
def sample(web_store):
    return web_store.create_sample("Au", by="Ann")


def put(client, sample, path, name="x.tif"):
    answer = client.put(f"/upload/{sample.id}", data=path.read_bytes(), headers={"X-Filename": name})
    return answer.status_code, answer.get_json()


def test_what_the_scale_bar_offers_is_stored_and_told(client, web_store, sample, tmp_path, monkeypatch):
    found = Annotations(ScaleBar(50.0, Box(20, 80, 50, 4), "10 nm", 10.0), (Box(18, 78, 54, 8),))
    monkeypatch.setattr(intake, "find_annotations", lambda _: found)
    status, answer = put(client, sample, write_bare(tmp_path / "x.tif", discs(1)))
    assert (status, answer["scale"], answer["offered"]) == (201, None, 0.2)
    (stored,) = web_store.micrographs(sample.id)
    assert stored.annotations == found
    assert not stored.pixel_size.is_known, "offered, never taken"


def test_a_failing_search_for_the_scale_bar_loses_no_upload(client, web_store, sample, tmp_path, monkeypatch, caplog):
    def fail(_):
        msg = "no letters today"
        raise RuntimeError(msg)

    monkeypatch.setattr(intake, "find_annotations", fail)
    with caplog.at_level(logging.ERROR):
        status, answer = put(client, sample, write_imagej(tmp_path / "x.tif", discs(1), step=0.1))
    assert (status, answer["scale"]) == (201, pytest.approx(0.1))
    assert answer["remark"] == "the search for a scale bar failed (RuntimeError: no letters today)"
    (stored,) = web_store.micrographs(sample.id)
    assert (stored.annotations, stored.annotations_error) == (None, "RuntimeError: no letters today")
    assert "x.tif: the search for a scale bar failed" in caplog.text


def test_a_full_disk_is_said_and_leaves_nothing(client, web_store, sample, tmp_path, monkeypatch):
    real = uploads.tempfile.NamedTemporaryFile

    def full(*arguments, **options):
        file = real(*arguments, **options)

        def write(_):
            raise OSError(errno.ENOSPC, "No space left on device")

        file.write = write
        return file

    monkeypatch.setattr(uploads.tempfile, "NamedTemporaryFile", full)
    status, answer = put(client, sample, write_bare(tmp_path / "x.tif", discs(1)))
    assert (status, answer["error"]) == (507, "x.tif: there is no space left for it on this server")
    assert list(web_store.incoming_dir.iterdir()) == []
    assert web_store.micrographs(sample.id) == []


@pytest.mark.parametrize(("free", "expected"), [(5_000, 201), (500, 507)])
def test_an_upload_of_unknown_length_needs_room_for_what_is_still_to_come(
    client, sample, tmp_path, monkeypatch, free, expected
):
    content = write_bare(tmp_path / "x.tif", discs(1)).read_bytes()
    assert len(content) > 5_000
    monkeypatch.setattr(uploads, "_PIECE_BYTES", 1_024)
    monkeypatch.setattr(uploads, "_ROOM_EVERY_BYTES", 1_000)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: SimpleNamespace(free=200_000_000 + free))
    answer = client.put(
        f"/upload/{sample.id}",
        input_stream=io.BytesIO(content),
        headers={"X-Filename": "x.tif", "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == expected, answer.get_json()


def test_the_bytes_of_an_upload_are_hashed_once(client, web_store, sample, tmp_path, monkeypatch):
    asked = []

    def read(path, **options):
        asked.append(options["sha256"])
        return read_safely(path, **options)

    monkeypatch.setattr(intake, "read_safely", read)
    for module in (antema.storage.blobs, antema.storage.verification):
        monkeypatch.setattr(module, "digest_of", lambda path: pytest.fail(f"{path} was hashed once more"))
    path = write_bare(tmp_path / "x.tif", discs(1))
    status, _ = put(client, sample, path)
    assert status == 201
    (stored,) = web_store.micrographs(sample.id)
    assert asked == [stored.sha256], "the reader's child is told the digest and makes none"
    assert stored.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert web_store.blob_fault(stored.sha256) == ""
