"""What becomes of the questions of many open pages: `python -m benchmarks.polling [--users 50] [--seconds 40]`.

Serves a new data folder by gunicorn, first by the flags that README.md once gave, then by antema/web/gunicorn_conf.py.
Each user keeps a connection open, as a browser does, and asks every 1.5 to 2.5 s what the jobs do (an open page asks
every 1.5 s, one in the background less often). Prints the share of questions that ended in an error, and the answering
times.
"""

import argparse
import contextlib
import http.client
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from tests.strategies.server import FLAGS, Server, free_port

_BARE = ("-k", "gthread", "-w", "2", "--threads", "8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=40.0)
    options = parser.parse_args()
    for flags in (_BARE, FLAGS):
        with tempfile.TemporaryDirectory() as folder:
            port = free_port()
            command = [sys.executable, "-m", "gunicorn", *flags, "-b", f"127.0.0.1:{port}", "app:server"]
            server = Server(command, Path(folder) / "data", port, Path(folder) / "log")
            try:
                server.wait_for_port()
                server.wait_until_up()
                body = _question(server)
                print(f"gunicorn {' '.join(flags)}: {_asked(port, body, options.users, options.seconds)}", flush=True)
            finally:
                with contextlib.suppress(Exception):
                    server.stop()


def _question(server: Server) -> bytes:
    """Return what the shell of an open page sends."""
    dependencies: list[dict[str, Any]] = json.loads(server.get("/_dash-dependencies")[1])
    (poll,) = [d for d in dependencies if [i["id"] for i in d["inputs"]] == ["poll"]]
    state = [{**part, "value": None} for part in poll["state"]]
    inputs = [{**part, "value": 1} for part in poll["inputs"]]
    content = {"output": poll["output"], "outputs": [], "changedPropIds": ["poll.n_intervals"]}
    return json.dumps({**content, "inputs": inputs, "state": state}).encode()


def _asked(port: int, body: bytes, users: int, seconds: float) -> str:
    ends: Counter[str] = Counter()
    took: list[float] = []
    end = time.monotonic() + seconds

    def user(number: int) -> None:
        pauses = random.Random(number)
        time.sleep(pauses.uniform(0, 2))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.monotonic() < end:
            started = time.monotonic()
            try:
                connection.request("POST", "/_dash-update-component", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                ends[str(answer.status)] += 1
                took.append(time.monotonic() - started)
            except (OSError, http.client.HTTPException) as error:
                ends[type(error).__name__] += 1
                connection.close()
            time.sleep(pauses.uniform(1.5, 2.5))
        connection.close()

    threads = [threading.Thread(target=user, args=(number,)) for number in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked = sum(ends.values())
    good = sum(n for end, n in ends.items() if end in ("200", "204"))
    quantiles = np.quantile(took, (0.5, 0.95, 1.0))
    words = ", ".join(f"{q:.3f} s" for q in quantiles)
    return f"{asked} questions, {100 * (asked - good) / asked:.2f} % errors {dict(ends)}; median, p95, most: {words}"


if __name__ == "__main__":
    main()
