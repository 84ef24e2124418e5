"""The reader process: quick when warm, limited, replaced after a death, and gone with its parent."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import antema
from antema.domain import CannotRead, NotAnImage
from antema.imaging import contents, contents_safely, read, read_all, read_safely, safe
from tests.strategies import em_files
from tests.strategies.em_files import particle_image


@pytest.fixture
def pool(monkeypatch):
    """A pool of one reader of the test's own, so that its child can be looked at and killed."""
    own = safe._Pool(1)
    monkeypatch.setattr(safe, "_pool", own)
    yield own
    own.stop()


@pytest.fixture
def image_file(tmp_path):
    return em_files.write_imagej(tmp_path / "a.tif", particle_image())


def child(pool) -> int:
    pid = pool.readers[0].pid
    assert pid is not None
    return pid


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_the_result_is_that_of_reading_here(pool, image_file):
    here, there = read(image_file), read_safely(image_file)

    np.testing.assert_array_equal(there.pixels, here.pixels)
    assert there.pixels.dtype == here.pixels.dtype
    assert (there.pixel_size, there.name, there.sha256, dict(there.metadata)) == (
        here.pixel_size,
        here.name,
        here.sha256,
        dict(here.metadata),
    )
    assert read_safely(image_file, name="Gold 7.tif").name == "Gold 7.tif"


def test_the_contents_are_listed_there_as_here(pool, tmp_path):
    series = np.stack([particle_image(seed=seed) for seed in range(3)])
    path = em_files.write_dm3(tmp_path / "a.dm3", series, (1.0, 0.5, 0.5), "nm")

    entries = contents_safely(path)

    assert entries == contents(path)
    assert [entry.title for entry in entries] == ["frame 1 of 3", "frame 2 of 3", "frame 3 of 3"]
    assert [entry.is_default for entry in entries] == [True, False, False]
    for entry, micrograph in zip(entries, read_all(path), strict=True):
        assert (entry.shape, entry.dtype) == (micrograph.shape, micrograph.pixels.dtype.name)
        assert (entry.pixel_size, entry.format) == (micrograph.pixel_size, micrograph.metadata["format"])
        np.testing.assert_array_equal(read_safely(path, data=entry.index).pixels, micrograph.pixels)


@pytest.fixture
def series_file(tmp_path):
    series = np.stack([particle_image(seed=seed) for seed in range(3)])
    return em_files.write_dm3(tmp_path / "series.dm3", series, (1.0, 0.5, 0.5), "nm")


def test_a_notebook_reads_in_the_child_by_default(pool, series_file):
    here = read_all(series_file)

    with series_file.open("rb") as stream:
        there = [antema.read(series_file, data=1), antema.read(stream), *antema.read_all(series_file)]

    assert pool.readers[0].peak_bytes > 0
    for one, other in zip(there, [read(series_file, data=1), here[0], *here], strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        assert (one.pixel_size, one.sha256, dict(one.metadata)) == (
            other.pixel_size,
            other.sha256,
            dict(other.metadata),
        )
    assert [one.name for one in there] == ["series.dm3", "series.dm3", *(one.name for one in here)]
    with pytest.raises(CannotRead, match="found 3"):
        antema.read(series_file, data=3)


def test_a_notebook_is_told_once_what_the_child_is_not_kept_from(pool, image_file, monkeypatch, caplog):
    monkeypatch.setattr(safe, "_said", set())
    whole = json.loads

    def on_an_old_kernel(words):
        return {**whole(words), "in_force": ["limits"]}

    monkeypatch.setattr(safe.json, "loads", on_an_old_kernel)
    for _ in range(2):
        antema.read(image_file)

    (told,) = caplog.messages
    assert "cannot be kept from other files and the network and other programs: open only files that you trust" in told


def test_where_there_is_no_child_a_notebook_reads_by_itself_and_is_told_once(image_file, monkeypatch, caplog):
    monkeypatch.setattr(safe, "_said", set())
    monkeypatch.setattr(safe, "_HAS_CHILD", False)

    assert antema.read(image_file).shape == (48, 64)
    assert [one.name for one in antema.read_all(image_file)] == ["a.tif"]

    (told,) = caplog.messages
    assert "without limits on memory and time" in told


def test_files_beside_a_file_are_read_with_it_there_as_here(pool, tmp_path):
    """The child may read the companions alone, and cannot list the folder that they are in."""
    ser = em_files.write_ser(tmp_path / "a [1]_1.ser", particle_image().astype(np.uint16), 5e-10)
    emi = em_files.write_emi(tmp_path / "a [1].emi")

    for path in (ser, emi):
        here, there = read(path), read_safely(path)
        assert there.pixel_size == here.pixel_size
        assert there.pixel_size.source.startswith("sidecar: ")
        np.testing.assert_array_equal(there.pixels, here.pixels)


def test_the_child_stays_warm(pool, image_file):
    read_safely(image_file)
    first = child(pool)
    started = time.perf_counter()

    for _ in range(3):
        read_safely(image_file)

    # 0.03 s each on an idle core
    assert time.perf_counter() - started < 3 * 2.0
    assert child(pool) == first


def test_errors_keep_their_kind_and_their_sentence(pool, tmp_path):
    text = tmp_path / "notes.dm3"
    text.write_text("not a micrograph")
    pattern = em_files.write_dm3(tmp_path / "b.dm3", particle_image(), 0.1, "1/nm")

    with pytest.raises(CannotRead, match=r"^notes\.dm3 cannot be read: .* found a text file\.$"):
        read_safely(text)
    with pytest.raises(NotAnImage, match="diffraction pattern"):
        read_safely(pattern)


def test_a_hanging_reader_is_killed_and_replaced(pool, image_file):
    read_safely(image_file)
    hanging = child(pool)
    os.kill(hanging, signal.SIGSTOP)
    started = time.perf_counter()

    with pytest.raises(
        CannotRead, match=r"a\.tif cannot be read: reading it took longer than a file of its size may\."
    ):
        read_safely(image_file, timeout_s=0.5)

    assert time.perf_counter() - started < 5
    assert not is_alive(hanging)
    assert read_safely(image_file).shape == (48, 64)
    assert child(pool) != hanging


def test_a_reader_that_dies_in_between_is_replaced(pool, image_file):
    read_safely(image_file)
    dead = child(pool)
    os.kill(dead, signal.SIGKILL)
    while is_alive(dead):
        time.sleep(0.01)

    assert read_safely(image_file).shape == (48, 64)
    assert child(pool) != dead


def test_a_reader_that_dies_on_a_file_gives_a_sentence(pool, image_file):
    read_safely(image_file)
    os.kill(child(pool), signal.SIGSTOP)
    killer = threading.Timer(0.3, os.kill, (child(pool), signal.SIGKILL))
    killer.start()

    with pytest.raises(CannotRead, match="ran out of memory or crashed"):
        read_safely(image_file, timeout_s=20)

    killer.join()
    assert read_safely(image_file).shape == (48, 64)


def test_memory_is_limited(pool, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((6000, 6000), np.float64))

    with pytest.raises(CannotRead, match="more memory than is allowed"):
        read_safely(tmp_path / "a.npy", memory_bytes=100 << 20)

    assert read_safely(tmp_path / "a.npy", memory_bytes=2 << 30).shape == (6000, 6000)


def test_a_child_that_dies_on_a_file_leaves_the_reader_for_the_next(pool, image_file, tmp_path):
    read_safely(image_file)
    warm = child(pool)
    np.save(tmp_path / "large.npy", np.zeros((4000, 4000)))

    with pytest.raises(CannotRead, match=r"large\.npy cannot be read: reading it took longer"):
        read_safely(tmp_path / "large.npy", timeout_s=0.001)
    assert pool.readers[0].ask({"path": "a request that the child cannot serve"}, 20)["ended"] == 1

    assert read_safely(image_file).shape == (48, 64)
    assert child(pool) == warm


def test_several_threads_share_the_readers(image_file, tmp_path, monkeypatch):
    shared = safe._Pool(2)
    monkeypatch.setattr(safe, "_pool", shared)
    others = [em_files.write_mrc(tmp_path / f"{n}.mrc", particle_image(seed=n, dtype="i2")) for n in range(8)]
    results = {}

    def work(path):
        results[path] = read_safely(path).pixels

    threads = [threading.Thread(target=work, args=(path,)) for path in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shared.stop()

    for number, path in enumerate(others):
        np.testing.assert_array_equal(results[path], particle_image(seed=number, dtype="i2"))


def test_no_folder_is_left_behind(pool, image_file, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))

    read_safely(image_file)

    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("ending", ["pass", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
def test_the_child_goes_with_its_parent(image_file, ending):
    program = (
        "from antema.imaging import read_safely, safe\n"
        f"read_safely({str(image_file)!r})\n"
        "print(safe._pool.readers[0].pid, flush=True)\n"
        f"{ending}\n"
    )

    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)

    pid = int(finished.stdout)
    deadline = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(pid)


def test_a_file_whose_digest_is_known_is_not_hashed_again(image_file):
    assert read_safely(image_file, sha256="0" * 64).sha256 == "0" * 64
    assert read_safely(image_file).sha256 == read(image_file).sha256
