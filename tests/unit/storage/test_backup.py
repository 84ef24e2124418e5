"""A data folder copied while it is written to, and put back."""

import json
import shutil
import sqlite3
import threading
from contextlib import closing, suppress

import pytest
from filelock import FileLock

from antema import jobs
from antema.cli import main
from antema.domain import AntemaError, Recipe
from antema.settings import get_settings
from antema.storage import open_store
from antema.storage.backup import back_up, restore
from antema.storage.check import check
from antema.storage.verification import digest_of
from tests.strategies.stored import add_micrograph, save_analysis


@pytest.fixture
def full(store, sample):
    micrographs = [add_micrograph(store, sample.id, seed) for seed in (1, 2)]
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    for micrograph in micrographs:
        save_analysis(store, analysis.id, micrograph)
    model = store.data_dir / "models" / "own" / "card.json"
    model.parent.mkdir(parents=True)
    model.write_text("{}")
    model.chmod(0o644)
    return analysis, *micrographs


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_private(folder):
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_what_comes_back_is_what_was_there(store, sample, full, tmp_path):
    analysis, first, _ = full
    store.exclude_particle(analysis.id, first.id, 1, "dirt", "Bob")
    job = jobs.start(store, sample.id, Recipe(separation="none"), "Ann")
    copied = back_up(store, tmp_path / "backup")
    assert (copied.files, copied.problems) == (10, ())
    assert set(path.parts[0] for path in files(tmp_path / "backup")) == {
        "antema.sqlite",
        "backup.json",
        "blobs",
        "models",
        "particles",
    }
    assert_private(tmp_path / "backup")
    told = []
    assert restore(tmp_path / "backup", tmp_path / "new", progress=lambda *at: told.append(at)) == copied
    assert_private(tmp_path / "new")
    assert told[-1] == (10, 10)
    with closing(open_store(tmp_path / "new")) as back:
        assert check(back) == []
        assert back.particles(analysis.id).equals(store.particles(analysis.id))
        assert [edit.what for edit in back.edits()] == [edit.what for edit in store.edits()]
        assert back.job(job.id).status == "interrupted"
        assert back.job(job.id).error == "it was at work when the backup was made"
    assert (tmp_path / "new" / "models" / "own" / "card.json").read_text() == "{}"


def test_a_backup_is_of_one_moment_while_others_write(store, sample, tmp_path):
    over = threading.Event()
    made: list[int] = []

    def write(start: int) -> None:
        with closing(open_store(store.data_dir)) as own:
            analysis = own.create_analysis(sample.id, Recipe(), "Ann")
            seed = start
            while not over.is_set():
                micrograph = add_micrograph(own, sample.id, seed)
                save_analysis(own, analysis.id, micrograph)
                if seed % 3 == 0:
                    own.delete("micrograph", micrograph.id, by="Bob")
                    with suppress(AntemaError):  # while the backup is made
                        own.empty_bin(by="Bob")
                made.append(seed)
                seed += 1

    writers = [threading.Thread(target=write, args=(start,)) for start in (1000, 2000)]
    for writer in writers:
        writer.start()
    try:
        for number in range(4):
            before = len(made)
            assert back_up(store, tmp_path / "backup").problems == ()
            restore(tmp_path / "backup", tmp_path / f"new-{number}")
            with closing(open_store(tmp_path / f"new-{number}")) as back:
                assert check(back) == []
                assert len(back.edits(target="micrograph")) >= before
            while len(made) <= before:
                over.wait(0.05)
                assert any(writer.is_alive() for writer in writers)
    finally:
        over.set()
        for writer in writers:
            writer.join()
    assert len(made) > 4


def test_a_backup_is_renewed_with_what_is_new(store, sample, full, tmp_path):
    _, first, second = full
    back_up(store, tmp_path / "backup")
    kept = store.blob_path(first.sha256).relative_to(store.data_dir)
    before = (tmp_path / "backup" / kept).stat().st_mtime_ns
    damaged = tmp_path / "backup" / store.blob_path(second.sha256).relative_to(store.data_dir)
    damaged.write_bytes(b"rotten")
    add_micrograph(store, sample.id, 3)
    store.delete("analysis", store.analyses(sample.id)[0].id, by="Ann")
    store.empty_bin(by="Ann")
    copied = back_up(store, tmp_path / "backup")
    assert copied.files == 9, "three uploads with two pictures each"
    assert (tmp_path / "backup" / kept).stat().st_mtime_ns == before, "what is whole is not copied again"
    assert damaged.read_bytes() == store.blob_path(second.sha256).read_bytes()
    assert not (tmp_path / "backup" / "particles").exists() or not any(
        path.is_file() for path in (tmp_path / "backup" / "particles").rglob("*")
    )


def test_what_lay_in_the_bin_comes_back_for_its_whole_time(store, full, tmp_path):
    _, first, second = full
    store.delete("micrograph", first.id, by="Bob")
    back_up(store, tmp_path / "backup")
    store.delete("micrograph", second.id, by="Bob")
    # both copies lie for long
    for database in (tmp_path / "backup" / "antema.sqlite", store.data_dir / "antema.sqlite"):
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("UPDATE binned SET binned_at = datetime(binned_at, '-40 days')")
    assert back_up(store, tmp_path / "later").files == 10
    for backup, n_binned in (("backup", 1), ("later", 2)):
        facts = json.loads((tmp_path / backup / "backup.json").read_text())
        facts["database_sha256"] = digest_of(tmp_path / backup / "antema.sqlite")
        (tmp_path / backup / "backup.json").write_text(json.dumps(facts))
        restore(tmp_path / backup, tmp_path / f"new-{backup}")
        with closing(open_store(tmp_path / f"new-{backup}")) as back:
            assert len(back.bin()) == n_binned
            assert check(back) == []


def test_a_damaged_file_is_named_and_the_rest_is_there(store, full, tmp_path):
    _, first, _ = full
    store.blob_path(first.sha256).write_bytes(b"rotten")
    copied = back_up(store, tmp_path / "backup")
    assert copied.problems == ("image-1.tif of the sample Au 2 nm: the uploaded file is damaged",)
    assert copied.files == 9
    back = restore(tmp_path / "backup", tmp_path / "new")
    assert back.problems == ("image-1.tif of the sample Au 2 nm: the uploaded file is missing",)


def test_nothing_is_overwritten(store, full, tmp_path):
    back_up(store, tmp_path / "backup")
    with pytest.raises(AntemaError, match="expected an empty data folder, found one in use"):
        restore(tmp_path / "backup", store.data_dir)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("dear")
    with pytest.raises(AntemaError, match=r"expected an empty folder or an earlier backup, found thesis.tex"):
        back_up(store, tmp_path / "other")
    with pytest.raises(AntemaError, match=r"expected an empty data folder, found thesis.tex in it"):
        restore(tmp_path / "backup", tmp_path / "other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.tex"]
    with pytest.raises(AntemaError, match="outside of the data folder"):
        back_up(store, store.data_dir / "backup")
    with pytest.raises(AntemaError, match="expected a folder, found a file"):
        back_up(store, tmp_path / "other" / "thesis.tex")
    with FileLock(store.locks_dir / "backup.lock"), pytest.raises(AntemaError, match="nobody else makes a backup"):
        back_up(store, tmp_path / "backup")


def test_what_is_no_whole_backup_is_refused(store, full, tmp_path):
    with pytest.raises(AntemaError, match=r"expected a backup, found no backup.json"):
        restore(tmp_path, tmp_path / "new")
    back_up(store, tmp_path / "backup")
    facts = (tmp_path / "backup" / "backup.json").read_text()
    assert json.loads(facts)["files"] == 10
    (tmp_path / "backup" / "backup.json").write_text("{}")
    with pytest.raises(AntemaError, match="found one that broke off"):
        restore(tmp_path / "backup", tmp_path / "new")
    (tmp_path / "backup" / "backup.json").write_text("half")
    with pytest.raises(AntemaError, match="expected JSON"):
        restore(tmp_path / "backup", tmp_path / "new")
    (tmp_path / "backup" / "backup.json").write_text(facts)
    with (tmp_path / "backup" / "antema.sqlite").open("ab") as file:
        file.write(b"x")
    with pytest.raises(AntemaError, match="expected the database as it was copied"):
        restore(tmp_path / "backup", tmp_path / "new")
    assert not (tmp_path / "new" / "antema.sqlite").exists()


def test_where_renewing_breaks_off_the_earlier_backup_stays(store, sample, full, tmp_path, monkeypatch):
    def break_off(_done, _total):
        raise KeyboardInterrupt

    for backup in ("first", "renewed"):
        if backup == "renewed":
            back_up(store, tmp_path / backup)
            add_micrograph(store, sample.id, 3)
        with pytest.raises(KeyboardInterrupt):
            back_up(store, tmp_path / backup, progress=break_off)
    with pytest.raises(AntemaError, match="found one that broke off"):
        restore(tmp_path / "first", tmp_path / "new")
    assert restore(tmp_path / "renewed", tmp_path / "new").files == 10
    for backup in ("first", "renewed"):
        assert back_up(store, tmp_path / backup).files == 13
        assert not (tmp_path / backup / "making").exists()


def test_a_restore_that_broke_off_is_begun_again(store, full, tmp_path):
    back_up(store, tmp_path / "backup")
    new = tmp_path / "new"
    restore(tmp_path / "backup", new)
    # as a killed one leaves it
    (new / "restoring").mkdir()
    (new / "antema.sqlite").rename(new / "restoring" / "antema.sqlite")
    (new / "restoring" / "antema.sqlite-wal").write_bytes(b"of another copy")
    shutil.rmtree(new / "particles")
    assert restore(tmp_path / "backup", new).problems == ()
    with closing(open_store(new)) as back:
        assert check(back) == []


def test_the_commands(store, full, tmp_path, monkeypatch, capsys):
    def run(data, *arguments):
        monkeypatch.setenv("ANTEMA_DATA", str(data))
        get_settings.cache_clear()
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    try:
        code, out, err = run(store.data_dir, "backup", str(tmp_path / "backup"))
        assert (code, err) == (0, "")
        assert f"backup of {store.data_dir}, 10 files" in out
        code, out, err = run(tmp_path / "new", "restore", str(tmp_path / "backup"))
        assert (code, err) == (0, "")
        assert "10 files" in out
        code, out, err = run(tmp_path / "new", "restore", str(tmp_path / "backup"))
        assert (code, out) == (1, "")
        assert "nothing is overwritten" in err
    finally:
        get_settings.cache_clear()
