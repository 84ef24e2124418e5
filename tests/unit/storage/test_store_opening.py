import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from antema.domain import AntemaError
from antema.storage import open_store
from antema.storage.database import Database
from antema.storage.schema import Base


def test_the_folder_is_for_its_owner_alone(store):
    assert stat.S_IMODE(store.data_dir.stat().st_mode) == 0o700


def test_what_was_stored_is_there_when_opened_again(store, sample):
    again = open_store(store.data_dir)
    assert again.sample(sample.id) == sample
    again.close()


def test_the_migrations_lead_to_the_tables_the_program_expects(store):
    with store._database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_folder_of_a_newer_version_is_refused(tmp_path):
    store = open_store(tmp_path)
    with store._database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(AntemaError, match="of this version or an older one"):
        open_store(tmp_path)


def test_the_database_waits_and_checks(store):
    with store._database.reading() as session:
        values = {
            name: session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    assert values == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000}


def test_a_row_that_names_what_is_not_there_is_refused(store, sample):
    def change() -> None:
        with store._database.writing() as session:
            session.execute(text("UPDATE sample SET current_analysis_id = 99"))

    with pytest.raises(IntegrityError):
        change()
    assert store.sample(sample.id) == sample


OPEN_AND_CREATE = """
import sys
from pathlib import Path
from antema.storage import open_store

store = open_store(Path(sys.argv[1]))
for number in range(10):
    store.create_sample(f"{sys.argv[2]}-{number}", by=sys.argv[2])
"""


def test_several_processes_open_a_new_folder_at_once(tmp_path):
    folder = tmp_path / "data"
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OPEN_AND_CREATE, str(folder), name], stderr=subprocess.PIPE
        )
        for name in ("one", "two", "three")
    ]
    errors = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert errors == ["", "", ""]
    store = open_store(folder)
    assert len(store.samples()) == 30
    assert len(store.edits()) == 30
    store.close()


def test_many_threads_share_a_store(store):
    def work(name: str) -> None:
        for number in range(15):
            made = store.create_sample(f"{name}-{number}", by=name)
            store.update_sample(made.id, by=name, notes="changed")
            store.samples()

    names = [f"thread {number}" for number in range(6)]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(work, names))
    assert len(store.samples()) == 90
    assert len(store.edits()) == 180
    assert {edit.who for edit in store.edits()} == set(names)


def test_a_failed_transaction_leaves_nothing(store):
    def fail() -> None:
        with store._database.writing() as session:
            session.execute(text("INSERT INTO recipe VALUES ('f', '{}', '2026-01-01')"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store._database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM recipe")).scalar_one() == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_worker_has_connections_of_its_own(store, sample):
    script = """
import os, sys
from pathlib import Path
from antema.storage import open_store

store = open_store(Path(sys.argv[1]))
store.samples()
child = os.fork()
if child == 0:
    store.create_sample("of the child", by="child")
    os._exit(0 if store._database.engine.pool.checkedin() == 1 else 3)
store.create_sample("of the parent", by="parent")
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""
    done = subprocess.run([sys.executable, "-c", script, str(store.data_dir)], timeout=60, check=False)
    assert done.returncode == 0
    assert {summary.sample.name for summary in store.samples()} == {sample.name, "of the child", "of the parent"}


def test_a_closed_database_can_be_opened_by_another_object(tmp_path):
    first = Database(tmp_path / "antema.sqlite")
    first.migrate()
    first.close()
    second = Database(tmp_path / "antema.sqlite")
    second.migrate()
    with second.reading() as session:
        assert session.execute(text("SELECT count(*) FROM sample")).scalar_one() == 0
    second.close()


def test_what_killed_uploads_left_is_removed_after_a_day(tmp_path):
    store = open_store(tmp_path)
    folder = store.incoming_dir / "folder"
    folder.mkdir()
    old, new = store.incoming_dir / "old", store.incoming_dir / "new"
    for path in (folder / "file", old, new):
        path.write_text("bytes")
    for path in (folder, old):
        os.utime(path, (0, 0))
    store.close()
    open_store(tmp_path).close()
    assert list(store.incoming_dir.iterdir()) == [new]
