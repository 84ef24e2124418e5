"""A damaged or hostile file ends in one sentence that names it."""

import re
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from antema.domain import CannotRead
from antema.imaging import read, read_safely, safe
from antema.settings import get_settings
from tests.strategies import em_files, hostile_files
from tests.strategies.em_files import particle_image


def assert_one_sentence(message: str, name: str):
    assert message.startswith(name)
    assert message.endswith(".")
    assert "\n" not in message
    assert not re.search(r"['\"]/\w+/", message), "a folder of the server is in the message"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "the file is empty"),
        (b"Just a text that somebody called .dm3\n", "found a text file"),
        ("Grüße, µm\n".encode(), "found a text file"),
        (b"%PDF-1.7\n%\xe2\xe3", "found a PDF"),
        (b"PK\x03\x04rest", "found a ZIP archive"),
        (bytes(range(128, 160)), "starts with the bytes 80 81 82"),
        (b"\x00\x00\x00\x03", "starts with the bytes 00 00 00 03"),
        (b"\x89PNG\r\n\x1a\n", "PNG or JPEG file but is damaged"),
        (b"II*\x00\x08\x00\x00\x00", "its page 1 would be at byte 8, and the file has 8"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5 file but is damaged"),
        (b"\x93NUMPY\x01\x00", "NumPy file but is damaged"),
        (b"II\x97\x01", "its header ends after 4 bytes"),
        (b"JK\x00\x02", "its data are in bad_1.ser, which is not beside it"),
        (b"\x00\x00\x00\x03\x00\x00\x00\x10\x00\x00\x00\x01", "starts with the bytes"),
    ],
)
def test_what_is_no_micrograph_is_named(tmp_path, content, found):
    path = tmp_path / "bad.dm3"
    path.write_bytes(content)

    with pytest.raises(CannotRead) as error:
        read(path)

    assert_one_sentence(str(error.value), "bad.dm3")
    assert found in str(error.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(CannotRead, match="there is no such file"):
        read(tmp_path / "absent.tif")
    with pytest.raises(CannotRead, match="found a folder or a device"):
        read(tmp_path)


WRITERS = {
    "dm3": lambda path, image: em_files.write_dm3(path, image),
    "mrc": lambda path, image: em_files.write_mrc(path, image),
    "ser": lambda path, image: em_files.write_ser(path, image),
    "emd": lambda path, image: em_files.write_ncem_emd(path, image),
    "tif": lambda path, image: tifffile.imwrite(path, image),
    "zip.tif": lambda path, image: tifffile.imwrite(path, image, compression="zlib"),
    "png": lambda path, image: Image.fromarray(image).save(path, format="PNG"),
    "npy": lambda path, image: np.save(path, image),
}


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    whole = {}
    for kind, write in WRITERS.items():
        write(folder / f"whole.{kind}", particle_image())
        whole[kind] = (folder / f"whole.{kind}").read_bytes()
    return whole


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("fraction", [0.02, 0.3, 0.5, 0.9])
def test_a_truncated_file_is_never_read(tmp_path, whole_files, kind, fraction):
    content = whole_files[kind]
    path = tmp_path / f"cut.{kind}"
    path.write_bytes(content[: int(len(content) * fraction)])

    with pytest.raises(CannotRead) as error:
        read(path)

    assert_one_sentence(str(error.value), path.name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(WRITERS)), place=st.floats(0, 0.999), value=st.integers(0, 255))
def test_a_changed_byte_gives_an_image_or_one_sentence(tmp_path, whole_files, kind, place, value):
    content = bytearray(whole_files[kind])
    # headers are where a byte matters
    content[int(place * min(len(content), 1500))] = value
    path = tmp_path / f"changed.{kind}"
    path.write_bytes(bytes(content))

    try:
        micrograph = read(path)
    except CannotRead as error:
        assert_one_sentence(str(error), path.name)
    else:
        assert micrograph.pixels.ndim == 2
        assert micrograph.pixel_size.nm is None or micrograph.pixel_size.nm > 0


def test_dimensions_are_checked_before_they_are_allocated(tmp_path):
    image = particle_image(dtype="i2")
    mrc = em_files.write_mrc(tmp_path / "a.mrc", image)
    bomb = bytearray(mrc.read_bytes())
    bomb[0:8] = (30000).to_bytes(4, "little") * 2
    mrc.write_bytes(bytes(bomb))
    ser = em_files.write_ser(tmp_path / "a.ser", image.astype("u2"), announced=(30000, 20000))
    emd = em_files.write_sparse_emd(tmp_path / "a.emd")
    zipped = tmp_path / "a.tif"
    tifffile.imwrite(
        zipped, shape=(12000, 12000), dtype="u1", compression="zlib", data=blank_tiles(), tile=(4000, 4000)
    )

    for path, reason in (
        (mrc, "more than 1024 MiB|the file has only"),
        (ser, "more than 1024 MiB|the file has only"),
        (emd, "which no micrograph does"),
        (zipped, "which no micrograph does"),
    ):
        started = time.perf_counter()
        with pytest.raises(CannotRead, match=reason):
            read(path)
        assert time.perf_counter() - started < 5


def blank_tiles():
    for _ in range(9):
        yield np.zeros((4000, 4000), np.uint8)


@pytest.fixture
def reader(monkeypatch):
    """The one reader of a pool of the test's own, so that the memory of its children can be looked at."""
    own = safe._Pool(1)
    monkeypatch.setattr(safe, "_pool", own)
    yield own.readers[0]
    own.stop()


def assert_refused_within_limits(path: Path, reader) -> str:
    """Assert that reading ends in one sentence in 15 s and 600 MB with the limits that uploads have; return it."""
    limits = get_settings()
    started = time.perf_counter()
    with pytest.raises(CannotRead) as error:
        read_safely(path, timeout_s=limits.reader_timeout_s, memory_bytes=limits.reader_memory_mb << 20)
    assert time.perf_counter() - started < 15, path.name
    assert 0 < reader.peak_bytes < 600e6, path.name
    assert_one_sentence(str(error.value), path.name)
    return str(error.value)


def test_every_malformed_real_file_is_refused_in_time_and_memory(shared_data, reader):
    folder = shared_data / "formats" / "malformed"
    if not folder.is_dir():
        pytest.skip(f"no malformed files at {folder}")
    files = sorted(folder.iterdir())
    assert len(files) == 20

    for path in files:
        assert_refused_within_limits(path, reader)


@pytest.mark.parametrize("kind", sorted(hostile_files.WRITERS))
def test_hostile_files_are_refused_in_time_and_memory(tmp_path, shared_reader, kind):
    path = hostile_files.write(kind, tmp_path)

    sentence = assert_refused_within_limits(path, shared_reader)

    assert re.search(hostile_files.REASONS[kind], sentence), sentence


@pytest.fixture(scope="module")
def shared_reader_pool():
    own = safe._Pool(1)
    yield own
    own.stop()


@pytest.fixture
def shared_reader(shared_reader_pool, monkeypatch):
    """A reader that stays from one hostile file to the next: what one of them does must not reach the next."""
    monkeypatch.setattr(safe, "_pool", shared_reader_pool)
    return shared_reader_pool.readers[0]
