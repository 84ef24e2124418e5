"""A whole data folder looked over, and mended."""

import os
import subprocess
import sys
import time

import pytest

from antema.cli import main
from antema.domain import Recipe
from antema.settings import get_settings
from antema.storage import open_store
from antema.storage.check import check
from tests.strategies.stored import add_micrograph, save_analysis


@pytest.fixture
def full(store, sample):
    micrographs = [add_micrograph(store, sample.id, seed) for seed in (1, 2)]
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    for micrograph in micrographs:
        save_analysis(store, analysis.id, micrograph)
    return analysis, *micrographs


def words(findings):
    return [finding.what for finding in findings]


def test_a_sound_folder_has_no_findings(store, full):
    told = []
    assert check(store, progress=lambda done, total: told.append((done, total))) == []
    assert told[-1] == (10, 10), "two uploads, two pictures and a segmentation and particles of each"


def test_each_kind_of_damage_is_found(store, full):
    analysis, first, second = full
    bad, gone = store.image_results(analysis.id)
    bad.parquet.write_bytes(bad.parquet.read_bytes()[:-50])
    gone.parquet.unlink()
    store.blob_path(first.sha256).unlink()
    store.blob_path(second.thumbnail_sha256).write_bytes(b"")
    stray = store.particles_dir / "00" / f"{'0' * 64}.parquet"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"PAR1")
    (store.incoming_dir / "write-abc").write_bytes(b"half")
    (store.incoming_dir / "folder").mkdir()
    found = words(check(store))
    one, two = (f"image-{number}.tif of the sample Au 2 nm" for number in (1, 2))
    anew = "analyse the sample again, and it is computed anew"
    assert sorted(found) == [
        f"{one}: the particle file of a result is damaged; {anew}",
        f"{one}: the uploaded file is missing; upload it again, it takes the other's place",
        f"{two}: a picture is damaged; --repair draws it anew",
        f"{two}: the particle file of a result is missing; {anew}",
        "incoming/folder: a half-finished upload or write",
        "incoming/write-abc: a half-finished upload or write",
        f"particles/00/{'0' * 64}.parquet: no row names this file",
    ]
    assert words(check(store)) == found, "looking changes nothing"


def test_what_can_be_mended_is(store, full):
    analysis, first, second = full
    bad = store.image_results(analysis.id)[0]
    bad.parquet.write_bytes(b"PAR1")
    store.blob_path(second.display_sha256).unlink()
    stray = store.data_dir / "blobs" / "00" / ("1" * 62)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"somebody's micrograph")
    (store.incoming_dir / "write-abc").write_bytes(b"half")
    findings = check(store, repair=True)
    assert sorted(finding.is_mended for finding in findings) == [False, True, True, True]
    assert store.blob_fault(store.micrograph(second.id).display_sha256) == ""
    kept = [path.read_bytes() for path in (store.data_dir / "orphaned").rglob("*") if path.is_file()]
    assert sorted(kept) == [b"PAR1", b"somebody's micrograph"], "put aside, not destroyed"
    assert not bad.parquet.exists()
    assert all(
        path.stat().st_mode & 0o777 == 0o700 for path in (store.data_dir / "orphaned").rglob("*") if path.is_dir()
    )
    assert list(store.incoming_dir.iterdir()) == []
    assert len(check(store)) == 1
    save_analysis(store, analysis.id, first)
    assert check(store) == []


def test_files_that_may_be_at_work_are_left_alone_while_others_use_the_folder(store, full):
    (store.incoming_dir / "upload-1").write_bytes(b"coming in")
    old = store.incoming_dir / "upload-0"
    old.write_bytes(b"forgotten")
    user = subprocess.Popen([sys.executable, "-c", _USE, str(store.data_dir)], stdout=subprocess.PIPE)
    try:
        assert user.stdout.readline() == b"open\n"
        assert store.in_use.is_by_others()
        (finding,) = (f for f in check(store, repair=True) if "upload-1" in f.what)
        assert not finding.is_mended
        assert "in use" in finding.done
    finally:
        user.kill()
        user.wait()
        user.stdout.close()
    assert not store.in_use.is_by_others()
    assert all(finding.is_mended for finding in check(store, repair=True))
    assert not old.exists()


_USE = """
import fcntl, os, sys, time
descriptor = os.open(os.path.join(sys.argv[1], "locks", "in-use.lock"), os.O_RDWR)
fcntl.flock(descriptor, fcntl.LOCK_SH)
print("open", flush=True)
time.sleep(600)
"""


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a command over a data folder; return its exit code and what it said."""

    def run(data, *arguments):
        monkeypatch.setenv("ANTEMA_DATA", str(data))
        get_settings.cache_clear()
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    yield run
    get_settings.cache_clear()


def test_the_command(store, full, tmp_path, command):
    store.close()
    code, out, err = command(store.data_dir, "check")
    assert (code, err) == (0, "")
    assert "every row has its files, every file is whole and has its row" in out
    (store.incoming_dir / "write-abc").write_bytes(b"half")
    code, out, _ = command(store.data_dir, "check")
    assert code == 1
    assert out.startswith("incoming/write-abc: a half-finished upload or write\n")
    code, out, _ = command(store.data_dir, "check", "--repair")
    assert code == 0
    assert out.endswith("1 of 1 findings mended\n")
    code, out, err = command(tmp_path / "nowhere", "check")
    assert (code, out) == (1, "")
    assert "expected a data folder, found no database in it" in err
    assert not (tmp_path / "nowhere").exists()


def test_a_damaged_database_is_said_in_a_sentence(store, command):
    store.close()
    (store.data_dir / "antema.sqlite").write_bytes(b"no database at all" * 1000)
    for name in ("antema.sqlite-wal", "antema.sqlite-shm"):
        (store.data_dir / name).unlink(missing_ok=True)
    code, _, err = command(store.data_dir, "check")
    assert code == 1
    assert "expected a database, found a damaged file" in err


def test_age_alone_decides_only_while_the_folder_is_in_use(store, full):
    path = store.incoming_dir / "upload-1"
    path.write_bytes(b"x")
    os.utime(path, (time.time() - 9000, time.time() - 9000))
    other = open_store(store.data_dir)
    try:
        (finding,) = check(store, repair=True)
    finally:
        other.close()
    # its entry in the folder is as young as this test, whatever time it bears
    assert not finding.is_mended
