"""A dashboard under gunicorn in processes of its own, and how tests talk to it."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
PATIENCE_S = 90.0
MAX_UPLOAD_MB = 220
MAX_SAMPLE_MICROGRAPHS = 9
FLAGS = ("-c", "python:antema.web.gunicorn_conf")


class Server:
    """A dashboard in processes of its own."""

    def __init__(self, command: list[str], data: Path, port: int, log: Path, **settings: str) -> None:
        self.port = port
        self.data = data
        self.log = log
        environment = os.environ | {
            "ANTEMA_DATA": str(data),
            "ANTEMA_PORT": str(port),
            "ANTEMA_DEVICE": "cpu",
            "ANTEMA_MAX_UPLOAD_MB": str(MAX_UPLOAD_MB),
            "ANTEMA_MAX_SAMPLE_MICROGRAPHS": str(MAX_SAMPLE_MICROGRAPHS),
            **settings,
        }
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=file, stderr=file, start_new_session=True
            )

    def wait_for_port(self) -> None:
        """Wait until connections are taken: the workers may still be at building the app."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert self.process.poll() is None, self.log.read_text()[-3000:]
                assert time.monotonic() < deadline, "the server takes no connection"
                time.sleep(0.05)
            else:
                return

    def wait_until_up(self, times: int = 10) -> None:
        """Wait until the server has answered so many times running: all its workers are there then."""
        deadline = time.monotonic() + 5 * PATIENCE_S
        answered = 0
        while answered < times:
            assert time.monotonic() < deadline, "the server does not answer"
            try:
                started = time.monotonic()
                answered = answered + 1 if self.get("/healthz")[0] == 200 and time.monotonic() - started < 1 else 0
            except TimeoutError:
                answered = 0

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def get(self, path: str) -> tuple[int, bytes]:
        with contextlib.closing(self.connection()) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def put(self, sample: object, body, name: str = "x.tif", **headers: str) -> tuple[int, dict]:
        with contextlib.closing(self.connection()) as connection:
            connection.request("PUT", f"/upload/{sample}", body=body, headers={"X-Filename": name, **headers})
            return answer_of(connection)

    def resident_bytes(self) -> int:
        """Return the memory of the worker that uses most; what it started for reading files is not in it."""
        workers = psutil.Process(self.process.pid).children()
        return max(worker.memory_info().rss for worker in workers if "reader_process" not in " ".join(worker.cmdline()))

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def answer_of(connection: http.client.HTTPConnection) -> tuple[int, dict]:
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
