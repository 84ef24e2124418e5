import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antema.storage.blobs import Blobs, replacing


@pytest.fixture
def blobs(tmp_path):
    for name in ("blobs", "incoming"):
        (tmp_path / name).mkdir()
    return Blobs(tmp_path / "blobs", tmp_path / "incoming")


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


@given(content=st.binary(max_size=200))
def test_content_is_found_under_its_digest(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("blobs")
    blobs = Blobs(folder, folder)
    sha256 = blobs.put(content)
    assert sha256 == blobs.put(content) == hashlib.sha256(content).hexdigest()
    assert blobs.path(sha256).read_bytes() == content
    assert len(files(folder)) == 1


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "g" * 64, "0" * 64 + "\n"])
def test_only_a_digest_names_a_blob(blobs, name):
    with pytest.raises(ValueError, match="expected 64 hex digits"):
        blobs.path(name)


def test_an_adopted_file_is_moved(blobs):
    file = blobs.incoming / "upload"
    file.write_bytes(b"content")
    sha256 = hashlib.sha256(b"content").hexdigest()
    assert blobs.adopt(file, sha256).read_bytes() == b"content"
    assert not file.exists()


def test_a_file_that_is_there_already_is_dropped(blobs):
    sha256 = blobs.put(b"content")
    file = blobs.incoming / "upload"
    file.write_bytes(b"content")
    assert blobs.adopt(file, sha256) == blobs.path(sha256)
    assert not file.exists()


def test_a_file_with_another_digest_stays_where_it_is(blobs):
    file = blobs.incoming / "upload"
    file.write_bytes(b"content")
    with pytest.raises(ValueError, match="found"):
        blobs.adopt(file, "0" * 64)
    assert file.exists()
    assert files(blobs.folder) == []


def test_a_file_that_could_not_be_written_leaves_no_trace(blobs):
    target = blobs.folder / "target"
    target.write_text("old")

    def fail():
        with replacing(target, blobs.incoming) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert files(blobs.incoming) == []
