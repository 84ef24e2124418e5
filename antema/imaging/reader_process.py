"""The process in which files of strangers are read: ``python -m antema.imaging.reader_process``.

It imports the readers once and then forks a child for every file. The child gives up what it does not need
(`antema.imaging.sandbox`), reads the one file, leaves its answer in the folder that the request names, and ends. So no
file can harm another's reading, and what a file takes is given back.

One JSON request a line comes from standard input, and one JSON line says how the child ended. `antema.imaging.safe` is
the other end; nothing else starts or imports this module.
"""

import gc
import importlib
import json
import logging
import math
import os
import resource
import select
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from antema.domain import CannotRead, Micrograph, NotAnImage
from antema.imaging import sandbox
from antema.imaging.dataset import MAX_FRAME_BYTES, DataSet
from antema.imaging.reading import MicrographFile, companions, read_as_a_whole
from antema.logs import LOG_FORMAT

#: Finding out what a file holds takes so much at most, whatever the file's size is.
_HEADER_BYTES = 320 << 20
_HEADER_S = 10.0

#: Of formats without compression ncempy maps a whole file, and RosettaSciIO reads it and copies what it has read.
_WHOLE_FACTOR = 4

#: A frame then takes three times its own size (stored, unpacked, turned), and so long for each byte of it.
_FRAME_FACTOR = 3
_BYTES_PER_S = 20e6
_HASHED_BYTES_PER_S = 100e6

_PARENT_CHECK_S = 2.0


def main() -> None:
    """Serve requests until the input is closed or the parent is gone; the argument is the level of the log."""
    _start_logging(int(sys.argv[1]) if len(sys.argv) > 1 else logging.WARNING)
    answers = _private_stdout()
    parent = os.getppid()
    _preload()
    gc.freeze()  # so that children share the memory of what was imported
    _send(answers, {"ready": True})
    while os.getppid() == parent:
        # the parent waits for each answer before it asks again, so nothing is left in the buffer behind a line
        readable, _, _ = select.select([sys.stdin.buffer], [], [], _PARENT_CHECK_S)
        if not readable:
            continue
        line = sys.stdin.buffer.readline()
        if not line:
            return
        ended, peak_bytes = _in_child(json.loads(line))
        _send(answers, {"ended": ended, "peak_bytes": peak_bytes})


def _private_stdout() -> int:
    """Keep the pipe to the parent for answers alone: what libraries print goes to standard error."""
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


def _start_logging(level: int) -> None:
    """Log to standard error, which is left to the log: what libraries print themselves is told to nobody."""
    errors = os.fdopen(os.dup(2), "w", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    logging.basicConfig(level=level, stream=errors, format=LOG_FORMAT)
    logging.captureWarnings(capture=True)


def _preload() -> None:
    """Import what the readers import late, so that a child finds it."""
    for module in (
        "PIL.JpegImagePlugin",
        "PIL.PngImagePlugin",
        "dask.array",
        "encodings.cp1252",
        "encodings.utf_16_be",
        "encodings.utf_16_le",
        "h5py",
        "hdf5plugin",
        "imagecodecs",
        "ncempy.io.dm",
        "ncempy.io.mrc",
        "ncempy.io.ser",
        "rsciio.digitalmicrograph",
        "rsciio.emd._emd_ncem",
        "rsciio.emd._emd_velox",
        "rsciio.hspy",
        "rsciio.mrc",
        "rsciio.tia",
    ):
        importlib.import_module(module)
    # RosettaSciIO asks pint for units, which takes its time to set itself up
    units: Any = importlib.import_module("pint")
    str(units.Quantity(1.0, "nm"))


def _in_child(request: dict[str, Any]) -> tuple[int, int]:
    """Serve a request in a forked child; return its exit code (negative: the signal that ended it) and most memory."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            _serve(request)
            code = 0
        finally:
            os._exit(code)
    _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss << 10


def _serve(request: dict[str, Any]) -> None:
    folder = Path(request["folder"])
    path = Path(request["path"])
    whole_bytes = sum(file.stat().st_size for file in read_as_a_whole(path))
    budget = _Budget(float(request["timeout_s"]), int(request["memory_bytes"]), whole_bytes)
    tempfile.tempdir = str(folder)
    in_force = sandbox.confine(
        readable=[path, *companions(path)],
        writable=folder,
        cpu_s=math.ceil(budget.timeout_s),
        file_bytes=MAX_FRAME_BYTES + (1 << 20),
        address_bytes=budget.address_bytes,
    )
    budget.start()
    try:
        answer = _answer(path, request, folder, budget)
    except NotAnImage as error:
        answer = {"error": "NotAnImage", "message": str(error), "kind": error.kind}
    except CannotRead as error:
        answer = {"error": "CannotRead", "message": str(error)}
    (folder / "answer.json").write_text(json.dumps({**answer, "in_force": sorted(in_force)}))


def _answer(path: Path, request: dict[str, Any], folder: Path, budget: "_Budget") -> dict[str, Any]:
    file = MicrographFile(path, request["name"], request.get("sha256"))
    wanted = request["wanted"]
    if wanted.endswith("contents"):
        for index, (dataset, _, _) in enumerate(file.images):
            if wanted == "checked contents":
                budget.extend(dataset, path)
                file.load(index)
        return {"contents": [asdict(file.entry(index)) for index in range(len(file.images))]}
    if wanted == "all pixels":
        indices = list(range(len(file.images)))
    else:
        indices = [file.default if request["data"] is None else int(request["data"])]
        file.check_index(indices[0])
    images: list[dict[str, Any]] = []
    for index in indices:
        budget.extend(file.images[index][0], path)
        micrograph = file.load(index)
        np.save(folder / f"pixels-{len(images)}.npy", micrograph.pixels, allow_pickle=False)
        images.append({**_described(micrograph), "title": file.images[index][2]})
    return {"images": images}


def _described(micrograph: Micrograph) -> dict[str, Any]:
    return {
        "nm": micrograph.pixel_size.nm,
        "source": micrograph.pixel_size.source,
        "name": micrograph.name,
        "sha256": micrograph.sha256,
        "metadata": dict(micrograph.metadata),
    }


class _Budget:
    """Time and memory of one request: little to find out what a file holds, then as much as its frame needs.

    Parameters
    ----------
    timeout_s, memory_bytes
        The most that there will be.
    whole_bytes
        Size of what a library maps or reads as a whole.
    """

    def __init__(self, timeout_s: float, memory_bytes: int, whole_bytes: int) -> None:
        self.timeout_s = timeout_s
        rest = _address_space_bytes()
        self.address_bytes = rest + memory_bytes
        self._soft_bytes = min(rest + _HEADER_BYTES + _WHOLE_FACTOR * whole_bytes, self.address_bytes)
        self._started = time.monotonic()
        self._allowed_s = min(_HEADER_S + whole_bytes / _BYTES_PER_S, timeout_s)

    def start(self) -> None:
        """Set the limits of the first step."""
        self._set()

    def extend(self, dataset: DataSet, path: Path) -> None:
        """Add what reading one frame of a data set takes."""
        more_s = dataset.frame_bytes / _BYTES_PER_S + path.stat().st_size / _HASHED_BYTES_PER_S
        self._allowed_s = min(self._allowed_s + more_s, self.timeout_s)
        wanted = _address_space_bytes() + (_HEADER_BYTES // 2) + _FRAME_FACTOR * dataset.frame_bytes
        self._soft_bytes = min(max(self._soft_bytes, wanted), self.address_bytes)
        self._set()

    def _set(self) -> None:
        # the alarm ends the process: a library deep in compiled code heeds no exception
        signal.setitimer(signal.ITIMER_REAL, max(self._started + self._allowed_s - time.monotonic(), 0.001))
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        soft = self._soft_bytes if hard == resource.RLIM_INFINITY else min(self._soft_bytes, hard)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _address_space_bytes() -> int:
    """Return the address space in use by Linux's account; 0 where there is none."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0
    return int(statm.read_text().split()[0]) * resource.getpagesize()


def _send(descriptor: int, message: dict[str, Any]) -> None:
    data = (json.dumps(message) + "\n").encode()
    while data:
        data = data[os.write(descriptor, data) :]


if __name__ == "__main__":
    sys.exit(main())
