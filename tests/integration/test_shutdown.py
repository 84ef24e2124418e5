"""The server told to stop while a job is at work: it goes at once, and the job can be taken up again."""

import json
import signal
import sys
import time

import psutil
import pytest

from antema import jobs
from antema.domain import Recipe
from antema.storage import open_store
from antema.web.background import job_request
from tests.strategies.server import FLAGS, PATIENCE_S, Server, free_port
from tests.strategies.stored import add_micrograph

LONGEST_S = 6.0  # 60 images would take more than a minute


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_with_a_job_at_work_stops_quickly(number, tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", *FLAGS, "-b", f"127.0.0.1:{port}", "app:server"]
    server = Server(command, tmp_path / "data", port, tmp_path / "log")
    try:
        server.wait_for_port()
        assert server.get("/healthz")[0] == 200
        store = open_store(tmp_path / "data")
        sample = store.create_sample("Au", by="Ann")
        for seed in range(60):
            add_micrograph(store, sample.id, seed)
        job = jobs.start(store, sample.id, Recipe(), "Ann")
        ask_for(server, job.id)
        wait_until(lambda: store.job(job.id).images_done > 0)
        pid = store.job(job.id).pid

        asked = time.monotonic()
        server.process.send_signal(number)
        server.process.wait(PATIENCE_S)
        took = time.monotonic() - asked
        assert took < LONGEST_S, f"the server took {took:.1f} s to stop"
        wait_until(lambda: not psutil.pid_exists(pid))
        found = store.job(job.id)
        assert found.status == "interrupted"
        assert found.images_done < found.images_total
        assert jobs.resume(store, job.id, "Ann").status == "queued"
        store.close()
    finally:
        server.stop()


def ask_for(server: Server, job_id: int) -> None:
    """Send what the browser sends when a user presses Analyse."""
    body = {
        "output": "job-finished.data",
        "outputs": {"id": "job-finished", "property": "data"},
        "inputs": [{"id": "job-request", "property": "data", "value": job_request(job_id)}],
        "changedPropIds": ["job-request.data"],
    }
    connection = server.connection()
    connection.request(
        "POST", "/_dash-update-component", json.dumps(body), headers={"Content-Type": "application/json"}
    )
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()


def wait_until(condition) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
