"""Try the reverse proxies of docs/deploy.md as they stand there: ``python docs/try_proxies.py``.

Needs nginx, caddy, openssl, curl and htpasswd on PATH (Debian: ``nginx-light caddy openssl curl apache2-utils``).
Starts the dashboard, or takes the one that runs at ``--dashboard PORT`` with the settings of the page; starts each
proxy with the page's own example behind TLS, only ports and paths exchanged; and asks what a visitor would. Ends with 1
where an answer is not what the page says.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.strategies.server import FLAGS, Server, free_port  # noqa: E402

PAGE = Path(__file__).with_name("deploy.md").read_text()
NAME = "antema.lab.example"
SETTINGS = {
    "ANTEMA_ALLOWED_HOSTS": NAME,
    "ANTEMA_FORWARDED_USER_HEADER": "X-Forwarded-User",
    "ANTEMA_TRUSTED_PROXIES": "127.0.0.1",
}
WHO = {
    "output": "user-name.children",
    "outputs": {"id": "user-name", "property": "children"},
    "inputs": [{"id": "url", "property": "pathname", "value": "/"}],
    "changedPropIds": ["url.pathname"],
}


def main() -> int:
    """Try both proxies; 0 when all answers are as expected."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dashboard", type=int, metavar="PORT", help="one that runs already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server, port = None, options.dashboard or free_port()
        if not options.dashboard:
            command = [sys.executable, "-m", "gunicorn", *FLAGS, "app:server"]
            server = Server(command, folder / "data", port, folder / "log", **SETTINGS)
            server.wait_for_port()
        try:
            _certificate(folder)
            failed = [_try(kind, start, port, folder) for kind, start in (("nginx", _nginx), ("caddy", _caddy))]
        finally:
            if server is not None:
                server.stop()
    return int(any(failed))


def _certificate(folder: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}"]
    command += [
        "-addext",
        f"subjectAltName=DNS:{NAME}",
        "-keyout",
        folder / "antema.key",
        "-out",
        folder / "antema.crt",
    ]
    subprocess.run(command, check=True, capture_output=True)


def _example(kind: str, port: int, folder: Path) -> str:
    (text,) = re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)
    text = text.replace("/etc/ssl/", f"{folder}/").replace("/etc/nginx/", f"{folder}/")
    return text.replace("127.0.0.1:8050", f"127.0.0.1:{port}")


def _nginx(port: int, listen: int, folder: Path) -> subprocess.Popen[bytes]:
    users = subprocess.run(["htpasswd", "-nbB", "ann", "secret"], check=True, capture_output=True, text=True).stdout
    (folder / "antema.users").write_text(users)
    example = _example("nginx", port, folder).replace("listen 443", f"listen 127.0.0.1:{listen}")
    head = f"user root; pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{}}\n"
    (folder / "nginx.conf").write_text(f"{head}http {{ access_log off;\n{example}\n}}\n")
    return subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-g", "daemon off;"])


def _caddy(port: int, listen: int, folder: Path) -> subprocess.Popen[bytes]:
    command = ["caddy", "hash-password", "--plaintext", "secret"]
    hashed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    example = _example("caddy", port, folder).replace(f"{NAME} {{", f"https://{NAME}:{listen} {{")
    head = "{\n admin off\n auto_https disable_redirects\n}\n"
    (folder / "Caddyfile").write_text(head + example.replace("HASH", hashed))
    log = (folder / "caddy.log").open("wb")
    return subprocess.Popen(["caddy", "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"], stderr=log)


def _try(kind: str, start: Callable[[int, int, Path], subprocess.Popen[bytes]], port: int, folder: Path) -> bool:
    listen = free_port()
    process = start(port, listen, folder)
    try:
        address = f"https://{NAME}:{listen}"

        def ask(path: str, *options: str, user: str = "ann:secret") -> tuple[str, str]:
            login = ["-u", user] if user else []
            command = [
                "curl",
                "-sk",
                "--noproxy",
                "*",
                "--resolve",
                f"{NAME}:{listen}:127.0.0.1",
                "-w",
                "\n%{http_code}",
            ]
            done = subprocess.run([*command, *login, *options, address + path], capture_output=True, text=True)
            body, _, status = done.stdout.rpartition("\n")
            return status, body

        for _ in range(50):
            if ask("/healthz", user="")[0] == "200":
                break
            time.sleep(0.2)
        post = ("-H", "Content-Type: application/json", "-d", json.dumps(WHO))
        put = ("-T", "-", "-H", "X-Filename: x.tif")
        own, other = ("-H", f"Origin: {address}"), ("-H", "Origin: https://evil.example")
        claim = ("-H", "X-Forwarded-User: Mallory")
        expected = [
            ("/healthz needs no login", ask("/healthz", user=""), "200", '"ok"'),
            ("a page without a login", ask("/", user=""), "401", ""),
            ("a page with a wrong password", ask("/", user="ann:wrong"), "401", ""),
            ("a name claimed without a login", ask("/", *claim, user=""), "401", ""),
            ("a page with a login", ask("/"), "200", "<title>"),
            ("who is asking", ask("/_dash-update-component", *post, *own), "200", '"ann"'),
            ("who claims to be another", ask("/_dash-update-component", *post, *own, *claim), "200", '"ann"'),
            ("a change from another site", ask("/_dash-update-component", *post, *other), "403", "evil.example"),
            ("an upload to no sample", ask("/upload/999", *put, *own), "404", '"ok":false'),
            ("an upload from another site", ask("/upload/999", *put, *other), "403", '"ok":false'),
        ]
        failed = False
        for what, (status, body), wanted, within in expected:
            good = status == wanted and within in body
            failed |= not good
            print(
                f"{kind}: {what}: {status}" + ("" if good else f", expected {wanted} with {within!r}: {body[:200]!r}")
            )
        return failed
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    sys.exit(main())
