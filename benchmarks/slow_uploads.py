"""How the dashboard answers while uploads trickle in: `python -m benchmarks.slow_uploads [--uploads 8] [--seconds 30]`.

Starts gunicorn as the README does on a new data folder, opens so many uploads that send a few bytes a second, and asks
`/healthz` all the while. Prints what became of the uploads and the answering times with none of them and with all. With
`--bare` gunicorn is started without the project's configuration, as an installation that bypasses it would.
"""

import argparse
import json
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from antema.storage import open_store
from tests.strategies.server import FLAGS, Server, free_port

_ANNOUNCED_BYTES = 20_000_000
_PAUSE_S = 0.2


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        data, port = Path(folder) / "data", free_port()
        flags = ("-k", "gthread", "-w", "2", "--threads", "8") if options.bare else FLAGS
        command = [sys.executable, "-m", "gunicorn", *flags, "-b", f"127.0.0.1:{port}", "app:server"]
        server = Server(command, data, port, Path(folder) / "log")
        try:
            server.wait_for_port()
            print(f"gunicorn {' '.join(flags)}")
            server.wait_until_up()
            sample = open_store(data).create_sample("slow", by="benchmark").id
            print(f"/healthz alone: {_words(_ask(port, options.seconds / 3))}")
            uploads = [_Trickle(port, sample) for _ in range(options.uploads)]
            for upload in uploads:
                upload.start()
            time.sleep(1.0)
            print(f"/healthz beside {options.uploads} slow uploads: {_words(_ask(port, options.seconds))}")
            for upload in uploads:
                upload.over.set()
            for upload in uploads:
                upload.join()
            for (status, words), n in sorted(Counter(upload.answer for upload in uploads).items()):
                print(f"  {n} uploads: {status} {words}")
        finally:
            server.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--uploads", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--bare", action="store_true", help="without antema/web/gunicorn_conf.py")
    return parser.parse_args()


class _Trickle(threading.Thread):
    """An upload that sends a byte now and then until it is told to stop or answered."""

    def __init__(self, port: int, sample: int) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.answer = ("still", "on its way")
        self._connection = socket.create_connection(("127.0.0.1", port))
        self._head = (
            f"PUT /upload/{sample} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Filename: slow.tif\r\n"
            f"Content-Length: {_ANNOUNCED_BYTES}\r\n\r\n"
        )

    def run(self) -> None:
        with self._connection as connection:
            connection.settimeout(_PAUSE_S)
            connection.sendall(self._head.encode())
            while not self.over.is_set():
                try:
                    connection.sendall(b"x")
                    answer = connection.recv(1 << 16)
                except TimeoutError:
                    continue
                except OSError as error:
                    self.answer = ("closed", type(error).__name__)
                    return
                connection.settimeout(2.0)
                while answer and (more := connection.recv(1 << 16)):
                    answer += more
                head, _, body = answer.decode().partition("\r\n\r\n")
                self.answer = (head.split()[1], json.loads(body)["error"])
                return


def _ask(port: int, seconds: float) -> list[float]:
    """Ask /healthz on connections of their own for some seconds; the answering times, infinity for none in 10 s."""
    took: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(
                    f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
                )
                assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")
            took.append(time.monotonic() - started)
        except TimeoutError:
            took.append(float("inf"))
        time.sleep(0.1)
    return took


def _words(took: list[float]) -> str:
    return f"median {statistics.median(took):.3f} s, most {max(took):.3f} s, of {len(took)}"


if __name__ == "__main__":
    main()
