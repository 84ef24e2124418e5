"""How long uploads take and how much memory the server needs for them.

Run with ``python -m benchmarks.upload_memory``: a dashboard on a data folder of its own takes 15 micrographs of 34 MB,
then one of 500 MB, and the peak of its resident memory is printed beside each.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import psutil
import tifffile

from antema.storage import open_store

ROOT = Path(__file__).parents[1]
PORT = 8174
URL = f"http://127.0.0.1:{PORT}"


class Peak:
    """The greatest resident memory of a process and its children's, watched while the block runs; in MB."""

    def __init__(self, pid: int) -> None:
        self.mb = 0.0
        self._processes = [psutil.Process(pid), *psutil.Process(pid).children()]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        # gunicorn's master and its worker; the reader processes have limits of their own
        while not self._over.wait(0.05):
            self.mb = max(self.mb, max(process.memory_info().rss for process in self._processes) / 1e6)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def put(path: Path, sample_id: int) -> None:
    """Send a file as a browser does."""
    with path.open("rb") as body:
        headers = {"X-Filename": path.name, "Content-Length": str(path.stat().st_size)}
        request = urllib.request.Request(f"{URL}/upload/{sample_id}", body, headers, method="PUT")
        with urllib.request.urlopen(request, timeout=300) as answer:
            assert answer.status == 201


def picture(path: Path, pixels: np.ndarray, number: int) -> Path:
    """Write a calibrated TIFF whose bytes no other one has."""
    pixels[0, 0] = number
    tifffile.imwrite(path, pixels, imagej=True, resolution=(10, 10), metadata={"unit": "nm"})
    return path


def main() -> None:
    """Print the figures."""
    pixels = np.random.default_rng(1).integers(0, 60000, (4096, 4096)).astype(np.uint16)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        sample = open_store(data).create_sample("uploads", by="benchmark")
        environment = os.environ | {"ANTEMA_DATA": str(data), "ANTEMA_PORT": str(PORT)}
        server = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            _wait()
            file = Path(folder) / "micrograph.tif"
            put(picture(file, pixels, 0), sample.id)
            files = [picture(Path(folder) / f"m{n}.tif", pixels, n) for n in range(1, 16)]
            started = time.monotonic()
            with Peak(server.pid) as peak:
                for path in files:
                    put(path, sample.id)
            print(f"15 x {file.stat().st_size / 1e6:.0f} MB: {time.monotonic() - started:.1f} s, peak {peak.mb:.0f} MB")
            huge = picture(Path(folder) / "huge.tif", np.tile(pixels, (4, 4))[:15800, :15800].copy(), 99)
            started = time.monotonic()
            with Peak(server.pid) as peak:
                put(huge, sample.id)
            print(f"1 x {huge.stat().st_size / 1e6:.0f} MB: {time.monotonic() - started:.1f} s, peak {peak.mb:.0f} MB")
        finally:
            server.terminate()
            server.wait()


def _wait() -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"{URL}/healthz", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.3)
    sys.exit("the dashboard did not start")


if __name__ == "__main__":
    main()
