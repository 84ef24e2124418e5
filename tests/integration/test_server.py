"""The dashboard under gunicorn: cold starts, uploads that should not be, and two servers on one data folder."""

import base64
import contextlib
import hashlib
import json
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from antema.storage import Sample, Store, open_store
from tests.strategies.micrograph_files import write_bare, write_micrograph
from tests.strategies.server import (
    FLAGS,
    MAX_SAMPLE_MICROGRAPHS,
    MAX_UPLOAD_MB,
    PATIENCE_S,
    Server,
    answer_of,
    free_port,
)
from tests.strategies.stored import discs

BIG_BYTES = 200_000_000
MOST_GROWTH_BYTES = 60 << 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("dashboards")


@pytest.fixture(scope="module")
def server(folder) -> Iterator[Server]:
    """The command of the documentation."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", *FLAGS, "-b", f"127.0.0.1:{port}", "app:server"]
    running = Server(command, folder / "data", port, folder / "first.log")
    running.wait_for_port()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def store(server, folder) -> Iterator[Store]:
    assert server.get("/healthz")[0] == 200
    opened = open_store(folder / "data")
    yield opened
    opened.close()


@pytest.fixture
def sample(store, request) -> Sample:
    return store.create_sample(request.node.name, by="Ann")


@pytest.fixture
def incoming(store) -> Path:
    assert list(store.incoming_dir.iterdir()) == []
    return store.incoming_dir


def wait_until(condition) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def test_it_answers_that_it_is_well(server, store):
    status, body = server.get("/healthz")
    assert status == 200
    assert json.loads(body) == {"status": "ok", "samples": len(store.samples())}


def test_a_second_dashboard_on_the_same_data_starts_under_load(server, store, sample, folder, tmp_path):
    status, page = server.get("/")
    assert status == 200
    scripts = re.findall(r'src="(/_dash-component-suites/[^"]+)"', page.decode())
    assert len(scripts) > 5
    second = Server([sys.executable, "-m", "antema", "serve"], folder / "data", free_port(), folder / "second.log")
    try:
        second.wait_for_port()
        # Nobody has asked it anything: these requests all are its first ones.
        firsts = (["/", *scripts] * 16)[:16] + ["/", "/_dash-layout", "/_dash-dependencies", *scripts]
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(second.get, firsts))
        assert [path for path, (status, _) in zip(firsts, answers, strict=True) if status != 200] == []
        assert all(body for _, body in answers)

        path = write_micrograph(tmp_path / "x.tif", 31)
        status, answer = server.put(sample.id, path.read_bytes())
        assert (status, answer["ok"]) == (201, True)
        other = store.create_sample("another", by="Ann")
        status, answer = second.put(other.id, path.read_bytes(), name="again.tif")
        assert status == 409, "what one took in, the other knows"
        assert sample.name in answer["error"]
        assert json.loads(second.get("/healthz")[1]) == json.loads(server.get("/healthz")[1])
    finally:
        second.stop()
    assert "Traceback" not in second.log.read_text()


def test_only_the_programs_own_scripts_may_run(server):
    for path in ("/", "/healthz", "/media/preview/999/1.png"):
        with contextlib.closing(server.connection()) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            page = answer.read().decode()
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy.split(";")[0]
        for script in re.findall(r"<script(?: id=\"_dash-renderer\"[^>]*)?>(.*?)</script>", page, re.DOTALL):
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy, script
    assert server.get("/media/preview/999/1.png")[1].startswith(b"expected a")


def test_sixteen_requests_at_once(server):
    scripts = re.findall(r'src="(/[^"]+\.js[^"]*)"', server.get("/")[1].decode())
    paths = (["/", "/samples", *scripts] * 16)[: 16 * 4]
    with ThreadPoolExecutor(16) as pool:
        statuses = [status for status, _ in pool.map(server.get, paths)]
    assert statuses == [200] * len(paths)


def test_an_upload_is_kept_with_its_name_and_scale(server, store, sample, incoming, tmp_path):
    path = write_micrograph(tmp_path / "x.tif", 41)
    status, answer = server.put(sample.id, path.read_bytes(), name="Gr%C3%B6%C3%9Fe%20%231.tif")
    assert (status, answer["ok"], answer["scale"]) == (201, True, pytest.approx(0.1))
    (stored,) = store.micrographs(sample.id)
    assert (stored.id, stored.filename) == (answer["micrograph"], "Größe #1.tif")
    assert (answer["images"], answer["offered"], answer["remark"]) == (1, None, "")
    assert store.blob_path(stored.sha256).read_bytes() == path.read_bytes()
    assert list(incoming.iterdir()) == []

    status, answer = server.put(sample.id, path.read_bytes(), name="other-name.tif")
    assert (status, answer["ok"]) == (409, False)
    assert answer["error"].startswith("other-name.tif: ")
    assert "Größe #1.tif" in answer["error"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..%2F..%2Fantema.sqlite", "antema.sqlite"),
        ("C:\\Windows\\x.tif", "x.tif"),
        ("%00%0Ax.tif", "x.tif"),
        ("..", ".."),
        ("", "unnamed"),
        ("%3Cb%3Ex%3C%2Fb%3E.tif", "b>.tif"),
    ],
)
def test_a_file_name_is_only_ever_shown(name, shown, server, store, sample, incoming, tmp_path):
    before = everything_but_blobs(store.data_dir.parent)
    seed = 100 + sum(map(ord, name))
    status, _ = server.put(sample.id, write_micrograph(tmp_path / "x.tif", seed).read_bytes(), name=name)
    assert status == 201
    (stored,) = store.micrographs(sample.id)
    assert stored.filename == shown
    new = {path.name for path in everything_but_blobs(store.data_dir.parent) - before}
    assert not [name for name in new if not name.startswith(("antema.sqlite-", "cache.db"))]


def everything_but_blobs(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "blobs" not in path.parts}


def test_what_cannot_be_read_is_refused_with_its_reason(server, store, sample, incoming):
    status, answer = server.put(sample.id, b"x,y\n1,2\n", name="table.dm3")
    assert (status, answer["ok"]) == (422, False)
    assert answer["error"].startswith("table.dm3 cannot be read: expected a micrograph ")
    assert server.put(sample.id, b"", name="empty.tif")[1]["error"] == "empty.tif cannot be read: the file is empty."
    assert store.micrographs(sample.id) == []
    assert list(incoming.iterdir()) == []


@pytest.mark.parametrize("unknown", ["999999", "0", "-1", "x", "1e3", "9" * 30])
def test_an_unknown_sample(unknown, server, incoming):
    status, answer = server.put(unknown, b"II*\x00")
    assert (status, answer["ok"]) == (404, False)
    assert list(incoming.iterdir()) == []


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_site_is_refused(origin, server, store, sample, incoming, tmp_path):
    body = write_micrograph(tmp_path / "x.tif", 51).read_bytes()
    status, answer = server.put(sample.id, body, Origin=origin)
    assert status in (403, 422)
    assert answer["ok"] is False
    assert store.micrographs(sample.id) == []


def test_the_dashboards_own_page_is_not_refused(server, store, sample, tmp_path):
    body = write_bare(tmp_path / "x.tif", discs(52)).read_bytes()
    status, answer = server.put(sample.id, body, Origin=f"http://127.0.0.1:{server.port}")
    assert (status, answer["scale"]) == (201, None)
    assert answer["source"].startswith("none: ")


def test_an_announced_upload_that_is_too_large(server, sample, incoming):
    with contextlib.closing(server.connection()) as connection:
        connection.putrequest("PUT", f"/upload/{sample.id}")
        connection.putheader("Content-Length", str(MAX_UPLOAD_MB * 1_000_000 + 1))
        connection.putheader("X-Filename", "large.tif")
        connection.endheaders()
        status, answer = answer_of(connection)
    assert status == 413
    assert answer["error"] == f"large.tif: larger than the {MAX_UPLOAD_MB} MB this server takes for one file"
    assert list(incoming.iterdir()) == []


def zeros(size: int) -> Iterator[bytes]:
    piece = bytes(1 << 20)
    while size > 0:
        yield piece[:size]
        size -= len(piece)


def test_a_big_upload_takes_no_memory(server, store, sample, incoming):
    server.put(sample.id, b"x" * 100)
    before = server.resident_bytes()
    most = before
    with contextlib.closing(server.connection()) as connection:
        connection.putrequest("PUT", f"/upload/{sample.id}")
        connection.putheader("Content-Length", str(BIG_BYTES))
        connection.putheader("X-Filename", "zeros.tif")
        connection.endheaders()
        for number, piece in enumerate(zeros(BIG_BYTES)):
            connection.send(piece)
            if number % 20 == 0:
                most = max(most, server.resident_bytes())
        status, answer = answer_of(connection)
    assert status == 422
    assert answer["error"].startswith("zeros.tif cannot be read: ")
    most = max(most, server.resident_bytes())
    assert most - before < MOST_GROWTH_BYTES
    assert list(incoming.iterdir()) == []


def test_an_upload_that_grows_too_large_unannounced(server, store, sample, incoming):
    with contextlib.closing(server.connection()) as connection:
        connection.putrequest("PUT", f"/upload/{sample.id}")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.putheader("X-Filename", "endless.tif")
        connection.endheaders()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in zeros(MAX_UPLOAD_MB * 1_000_000 + (1 << 20)):
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        status, answer = answer_of(connection)
    assert status == 413
    assert answer["error"].startswith("endless.tif: larger than ")
    wait_until(lambda: list(incoming.iterdir()) == [])


@pytest.mark.parametrize("where", ["PUT /upload/{}", "POST /_dash-update-component"])
def test_a_body_that_is_not_in_the_form_it_says_is_refused_in_a_sentence(server, store, sample, incoming, where):
    method, path = where.format(sample.id).split()
    with contextlib.closing(server.connection()) as connection:
        connection.putrequest(method, path)
        connection.putheader("Transfer-Encoding", "chunked")
        connection.putheader("X-Filename", "garbled.tif")
        connection.endheaders()
        connection.send(b"no number\r\nx")
        answer = connection.getresponse()
        said = answer.read().decode()
    assert answer.status == 400
    assert "not in the form that it says" in said
    wait_until(lambda: list(incoming.iterdir()) == [])
    assert store.micrographs(sample.id) == []
    assert server.get("/healthz")[0] == 200


def test_a_broken_off_upload_leaves_nothing(server, store, sample, incoming):
    with contextlib.closing(server.connection()) as connection:
        connection.putrequest("PUT", f"/upload/{sample.id}")
        connection.putheader("Content-Length", "10000000")
        connection.putheader("X-Filename", "half.tif")
        connection.endheaders()
        connection.send(bytes(4_000_000))
        wait_until(lambda: len(list(incoming.iterdir())) == 1)
    wait_until(lambda: list(incoming.iterdir()) == [])
    assert store.micrographs(sample.id) == []
    assert server.get("/healthz")[0] == 200


def test_a_broken_off_upload_of_unknown_length_leaves_nothing(server, store, sample, incoming, tmp_path):
    whole = write_micrograph(tmp_path / "x.tif", 53).read_bytes()
    with contextlib.closing(server.connection()) as connection:
        connection.putrequest("PUT", f"/upload/{sample.id}")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.putheader("X-Filename", "half.tif")
        connection.endheaders()
        # a whole micrograph, but the end of the message never comes
        connection.send(b"%x\r\n%s\r\n" % (len(whole), whole))
        wait_until(lambda: len(list(incoming.iterdir())) == 1)
    wait_until(lambda: list(incoming.iterdir()) == [])
    assert store.micrographs(sample.id) == []


def test_a_sample_takes_only_so_many(server, store, sample, incoming, tmp_path):
    bodies = [
        write_micrograph(tmp_path / f"{seed}.tif", seed).read_bytes() for seed in range(70, 71 + MAX_SAMPLE_MICROGRAPHS)
    ]
    answers = [server.put(sample.id, body, name=f"{place}.tif") for place, body in enumerate(bodies)]
    assert [status for status, _ in answers] == [201] * MAX_SAMPLE_MICROGRAPHS + [413]
    words = f"the sample holds {MAX_SAMPLE_MICROGRAPHS} micrographs, as many as this server takes for one"
    assert answers[-1][1]["error"] == f"{MAX_SAMPLE_MICROGRAPHS}.tif: {words}"
    assert len(store.micrographs(sample.id)) == MAX_SAMPLE_MICROGRAPHS
    assert list(incoming.iterdir()) == []


def test_many_uploads_at_once(server, store, sample, incoming, tmp_path):
    bodies = [write_micrograph(tmp_path / f"{seed}.tif", seed).read_bytes() for seed in range(60, 68)]

    def put(body: bytes) -> int:
        """Send a file as often as it takes: beyond the places for uploads the server asks to wait, and hangs up."""
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            try:
                status = server.put(sample.id, body)[0]
            except OSError:
                status = 503
            if status != 503:
                return status
            time.sleep(0.3)
        return 503

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(put, bodies * 2))
    assert sorted(answers) == [201] * 8 + [409] * 8, "each was kept once, whoever was first"
    assert len(store.micrographs(sample.id)) == 8
    assert list(incoming.iterdir()) == []
