"""Uploads that trickle: the dashboard answers beside them, they are told to wait or cut off, and others come after."""

import contextlib
import socket
import statistics
import sys
import time

import pytest

from antema.storage import open_store
from tests.strategies.server import FLAGS, PATIENCE_S, Server, answer_of, free_port

UPLOADS = 8
TIMEOUT_S = 12.0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", *FLAGS, "-w", "1", "--threads", "8", "app:server"]
    running = Server(
        command, folder / "data", port, folder / "log", ANTEMA_UPLOAD_SLOTS="16", ANTEMA_UPLOAD_TIMEOUT_S=str(TIMEOUT_S)
    )
    running.wait_for_port()
    assert running.get("/healthz")[0] == 200
    yield running
    running.stop()


def head_of(server, sample) -> bytes:
    return (
        f"PUT /upload/{sample.id} HTTP/1.1\r\nHost: localhost\r\nX-Filename: slow.tif\r\n"
        f"Content-Length: 20000000\r\n\r\nx"
    ).encode()


def answer_to(connection: socket.socket) -> tuple[int, dict[str, str], str]:
    """Return status, headers and body of what is answered, sending a little more all the while."""
    connection.settimeout(0.5)
    got, more = b"", b"nothing yet"
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            more = connection.recv(1 << 16)
        except TimeoutError:
            connection.sendall(b"x")
            continue
        got += more
        if not more:
            break
    assert not more, "what such a request still carries is not waited for: the connection ends"
    head, _, body = got.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    return int(status.split()[1]), dict(line.split(": ", 1) for line in lines), body


def test_slow_uploads_hold_up_nobody_else(server):
    store = open_store(server.data)
    sample = store.create_sample("slow", by="Ann")
    with contextlib.ExitStack() as held:
        connections = [held.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(UPLOADS)]
        for connection in connections:
            connection.sendall(head_of(server, sample))
        time.sleep(1.0)
        took = []
        for _ in range(10):
            started = time.monotonic()
            assert server.get("/healthz")[0] == 200
            took.append(time.monotonic() - started)
        assert statistics.median(took) < 1.0
        status, answer = asked(server, sample)
        assert (status, answer["ok"]) == (503, False)
        answers = [answer_to(connection) for connection in connections]
    statuses = sorted(status for status, _, _ in answers)
    assert statuses == [408] * 4 + [503] * 4, "half of the threads take uploads"
    for status, headers, body in answers:
        assert ("Retry-After" in headers) == (status == 503)
        assert ("it took longer than 12 s" in body) == (status == 408)
    assert asked(server, sample)[0] == 200, "the places are free again"
    assert list(store.incoming_dir.iterdir()) == []
    store.close()


def asked(server, sample, size: int = 1000):
    with contextlib.closing(server.connection()) as connection:
        connection.request("GET", f"/upload/{sample.id}?bytes={size}", headers={"X-Filename": "big.tif"})
        return answer_of(connection)


def test_what_would_not_be_taken_is_said_before_it_is_sent(server):
    store = open_store(server.data)
    sample = store.create_sample("asked", by="Ann")
    status, answer = asked(server, sample, 221_000_000)
    assert (status, answer["error"]) == (413, "big.tif: larger than the 220 MB this server takes for one file")
    store.close()


def test_a_callback_that_trickles_is_cut_off(server):
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(
            b"POST /_dash-update-component HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 900000\r\n\r\n{"
        )
        status, _, body = answer_to(connection)
    assert status == 408
    assert "nothing was done" in body


@pytest.mark.parametrize("carries", ["Content-Length: 900000\r\n\r\nx", "Transfer-Encoding: chunked\r\n\r\nfffff\r\nx"])
@pytest.mark.parametrize(
    ("line", "status"),
    [("GET /", 400), ("HEAD /", 400), ("OPTIONS /", 400), ("GET /healthz", 400), ("POST /healthz", 408)],
)
def test_a_body_where_none_belongs_is_not_waited_for(server, line, status, carries):
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"{line} HTTP/1.1\r\nHost: localhost\r\n{carries}".encode())
        answered, _, body = answer_to(connection)
    assert answered == status
    assert line.startswith("HEAD") or "found one with a body" in body or "was broken off" in body
