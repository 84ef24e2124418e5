"""A new data folder is its owner's alone, whoever makes it first and whatever the umask."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from antema import jobs
from antema.domain import Recipe
from antema.results.memory import Memory
from antema.storage import open_store
from antema.web.manager import SpawnManager
from tests.strategies.server import ROOT, Server, free_port
from tests.strategies.stored import add_micrograph, save_analysis


@pytest.fixture
def generous_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def assert_private(data: Path) -> None:
    assert data.is_dir()
    for path in (data, *data.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), f"{path.relative_to(data.parent)} is {mode:o}"


@pytest.mark.parametrize(
    "command",
    [["app.py"], ["-m", "antema", "serve"], ["-m", "gunicorn", "-k", "gthread", "--threads", "8", "app:server"]],
    ids=["make run", "antema serve", "gunicorn"],
)
def test_a_server_makes_it(command, tmp_path, generous_umask):
    data, port = tmp_path / "a" / "data", free_port()
    bind = ["-b", f"127.0.0.1:{port}"] if "gunicorn" in command else []
    server = Server([sys.executable, *command, *bind], data, port, tmp_path / "log")
    try:
        server.wait_for_port()
        assert server.get("/healthz")[0] == 200
        assert (data / "mailbox" / "cache.db").is_file()
        assert_private(data)
    finally:
        server.stop()


def test_a_job_process_makes_it(tmp_path, generous_umask):
    data = tmp_path / "a" / "data"
    command = [sys.executable, "-m", "antema.jobs", "1", str(data)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "expected a job that is stored" in done.stderr
    assert_private(data)


def test_the_mailbox_is_made_first(tmp_path, generous_umask):
    data = tmp_path / "a" / "data"
    manager = SpawnManager(data / "mailbox")
    manager.handle.set("large", b"x" * 1_000_000)
    manager.handle.close()
    open_store(data).close()
    assert_private(data)
    assert stat.S_IMODE(data.parent.stat().st_mode) == 0o777, "what is above it is not the program's"


def test_the_memory_is_made_first(tmp_path, generous_umask):
    data = tmp_path / "a" / "data"
    memory = Memory(data / "memory", 2**24)
    memory.content("small", lambda: b"x")
    memory.content("large", lambda: b"x" * 1_000_000)
    assert len(list(data.rglob("*.val"))) == 1
    assert (data / "memory" / "cache.db-wal").exists()
    assert_private(data)
    memory.close()


def test_what_results_and_jobs_leave(tmp_path, generous_umask):
    store = open_store(tmp_path / "data")
    sample = store.create_sample("Au", by="Ann")
    micrograph = add_micrograph(store, sample.id, 1)
    save_analysis(store, store.create_analysis(sample.id, Recipe(), "Ann").id, micrograph)
    job = jobs.start(store, sample.id, Recipe(), "Ann")
    jobs.cancel(store, job.id, "Ann")
    assert_private(store.data_dir)
    store.close()


def test_a_folder_that_is_there_keeps_its_rights(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o750)
    open_store(data).close()
    assert stat.S_IMODE(data.stat().st_mode) == 0o750
