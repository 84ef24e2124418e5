"""Which requests are answered: every rule on a small application of its own."""

import flask
import pytest

from antema.settings import Settings
from antema.web import serve
from antema.web.guard import FIRST_REQUEST, MOST_BODY_BYTES, allowed_hosts, guard
from antema.web.proxies import TrustedProxies, is_among, is_this_machine
from antema.web.serve import banner, why_not_served


def client_of(**settings):
    chosen = Settings(**settings)
    server = flask.Flask("test")
    guard(server, chosen)
    server.wsgi_app = TrustedProxies(server.wsgi_app, chosen)
    uploads = flask.Blueprint("uploads", __name__)
    uploads.add_url_rule("/upload/<name>", "upload", lambda name: {"ok": True, "name": name}, methods=["PUT"])
    server.register_blueprint(uploads)
    user = chosen.forwarded_user_header

    @server.route("/", methods=["GET", "POST"])
    def echo():
        request = flask.request
        return {
            "body": len(request.get_data()),
            "user": request.headers.get(user) if user else None,
            "address": request.remote_addr,
            "scheme": request.scheme,
        }

    @server.get("/healthz")
    def healthz():
        return "ok"

    return server.test_client()


def from_(peer: str) -> dict[str, str]:
    return {"REMOTE_ADDR": peer}


@pytest.mark.parametrize("host", ["localhost", "localhost:8050", "127.0.0.1:8050", "[::1]:8050", "LOCALHOST"])
def test_this_machine_is_answered(host):
    answer = client_of().get("/", headers={"Host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8050", "[::2]", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_name_that_is_not_this_servers_is_refused_with_what_to_do(host, method):
    answer = client_of().open("/", method=method, headers={"Host": host})
    assert answer.status_code == 403
    assert answer.mimetype == "text/plain"
    assert "ANTEMA_ALLOWED_HOSTS" in answer.text


@pytest.mark.parametrize(
    ("host", "names", "said"),
    [
        ("127.0.0.1", "localhost", "http://127.0.0.1:8050 "),
        ("::1", "localhost", "http://[::1]:8050 "),
        ("0.0.0.0", "*.lab.example,antema.lab.example", "http://antema.lab.example:8050 "),
        ("::", "localhost", "http://localhost:8050 "),
        ("antema.lab.example", "localhost", "http://antema.lab.example:8050 "),
    ],
)
def test_a_starting_server_says_where_it_answers(monkeypatch, host, names, said):
    monkeypatch.setattr(serve, "settings", lambda: Settings(host=host, port=8050, allowed_hosts=names))
    assert said in banner()


def test_names_of_the_settings_and_below_a_star():
    client = client_of(allowed_hosts="antema.lab.example, *.tem.example")
    for host, status in (
        ("antema.lab.example", 200),
        ("a.tem.example:443", 200),
        ("tem.example", 403),
        ("xtem.example", 403),
        ("localhost", 403),
    ):
        assert client.get("/", headers={"Host": host}).status_code == status, host


def test_the_address_listened_on_is_a_name_of_the_server():
    assert allowed_hosts(Settings(host="10.1.2.3"))[-1] == "10.1.2.3"
    assert allowed_hosts(Settings(host="0.0.0.0")) == ["localhost", "127.0.0.1", "[::1]"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:8050"}, 200),
        ({"Origin": "http://localhost:8050", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "file://"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost:8050", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_what_changes_something_must_come_from_an_own_page(headers, status):
    client = client_of()
    answer = client.post("/", data=b"{}", headers={"Host": "localhost:8050", **headers})
    assert answer.status_code == status
    if status == 403:
        assert answer.text.startswith("Refused: expected a request from a page of ")
        assert answer.headers["Connection"] == "close", "what it carries is not read"
    assert client.get("/", headers={"Host": "localhost:8050", **headers}).status_code == 200, "reading is free"


def test_an_origin_behind_a_proxy_with_https_is_its_own():
    client = client_of(allowed_hosts="antema.lab.example", trusted_proxies="127.0.0.1")
    for host in ("antema.lab.example", "antema.lab.example:443"):
        answer = client.post("/", headers={"Host": host, "Origin": "https://antema.lab.example"})
        assert answer.status_code == 200, host
    other = client.post("/", headers={"Host": "antema.lab.example", "Origin": "https://antema.lab.example:8443"})
    assert other.status_code == 403


def test_the_upload_script_reads_its_refusal_as_json():
    answer = client_of().put("/upload/1", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert answer.get_json()["ok"] is False
    assert "evil.example" in answer.get_json()["error"]


@pytest.mark.parametrize(("size", "status"), [(MOST_BODY_BYTES, 200), (MOST_BODY_BYTES + 1, 413)])
def test_a_body_is_limited(size, status):
    answer = client_of().post("/", data=b"x" * size)
    assert answer.status_code == status
    if status == 413:
        assert answer.text == "A request may carry at most 1 MB; this one carries more. Nothing of it was kept.\n"


def test_a_body_of_unknown_length_is_limited_too():
    sent = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": None}
    answer = client_of().post("/", data=b"x" * (MOST_BODY_BYTES + 1), environ_overrides=sent)
    assert answer.status_code == 413


def test_a_user_is_believed_from_the_proxy_alone():
    client = client_of(forwarded_user_header="X-Forwarded-User", trusted_proxies="10.0.0.0/8,unix")
    named = {"X-Forwarded-User": "Ann", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    for peer in ("10.9.8.7", "::ffff:10.9.8.7", ""):
        answer = client.get("/", headers=named, environ_overrides=from_(peer))
        assert answer.status_code == 200, peer
        assert answer.get_json() == {"body": 0, "user": "Ann", "address": "192.0.2.7", "scheme": "https"}
    for peer in ("127.0.0.1", "192.0.2.7", "::1"):
        answer = client.get("/", headers=named, environ_overrides=from_(peer))
        assert answer.status_code == 401, peer
        assert "X-Forwarded-User" in answer.text


@pytest.mark.parametrize("named", [{}, {"X-Forwarded-User": ""}, {"X-Forwarded-User": "  "}])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_user_where_one_is_named_nothing_is_answered(named, method):
    client = client_of(forwarded_user_header="X-Forwarded-User", trusted_proxies="127.0.0.1")
    answer = client.open("/", method=method, headers=named)
    assert answer.status_code == 401
    assert answer.text.startswith("Who is asking?")
    assert client.get("/healthz").status_code == 200, "whoever watches over the server has no name"


def test_what_is_forwarded_by_nobody_that_is_trusted_is_not_believed():
    claimed = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    answer = client_of().get("/", headers=claimed)
    assert answer.get_json() == {"body": 0, "user": None, "address": "127.0.0.1", "scheme": "http"}


def test_a_proxy_cannot_be_made_to_name_another_host():
    client = client_of(trusted_proxies="127.0.0.1")
    answer = client.get("/", headers={"Host": "evil.example", "X-Forwarded-Host": "localhost"})
    assert answer.status_code == 403


def test_other_machines_are_refused_without_a_login():
    answer = client_of().get("/", environ_overrides=from_("192.0.2.7"))
    assert answer.status_code == 403
    assert "ANTEMA_OPEN=1" in answer.text
    assert client_of(open=True).get("/", environ_overrides=from_("192.0.2.7")).status_code == 200


def test_no_client_can_pass_for_the_first_request():
    client = client_of(forwarded_user_header="X-Forwarded-User", trusted_proxies="127.0.0.1")
    assert client.get("/", environ_overrides={FIRST_REQUEST: True}).status_code == 200
    assert client.get("/", headers={FIRST_REQUEST: "1"}).status_code == 401


@pytest.mark.parametrize(
    ("addresses", "settings", "named"),
    [
        (["127.0.0.1"], {}, ""),
        (["localhost", "::1", "unix", "127.8.8.8"], {}, ""),
        (["0.0.0.0"], {}, "0.0.0.0"),
        (["::"], {}, "::"),
        (["127.0.0.1", "10.0.0.2"], {}, "10.0.0.2"),
        (["lab-pc"], {}, "ANTEMA_OPEN=1"),
        (["0.0.0.0"], {"open": True}, ""),
        (["0.0.0.0"], {"forwarded_user_header": "X-User", "trusted_proxies": "10.0.0.1"}, ""),
        (["127.0.0.1"], {"forwarded_user_header": "X-User"}, "ANTEMA_TRUSTED_PROXIES"),
        (["0.0.0.0"], {"forwarded_user_header": "X-User", "open": True}, "ANTEMA_TRUSTED_PROXIES"),
    ],
)
def test_who_may_be_served_where(addresses, settings, named):
    why = why_not_served(addresses, Settings(**settings))
    assert bool(why) == bool(named)
    assert named in why


def test_addresses():
    assert is_among("::ffff:127.0.0.1", ["127.0.0.1"])
    assert is_among("fd00::5", ["fd00::/8"])
    assert not is_among("unix", ["127.0.0.1"])
    assert not is_among("127.0.0.1", ["unix"])
    assert not is_among("127.0.0.1", [])
    assert is_this_machine("::ffff:127.0.0.1")
    assert not is_this_machine("")
