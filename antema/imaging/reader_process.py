"""The child process in which files of strangers are read: ``python -m antema.imaging.reader_process``.

It takes one JSON request a line from its standard input and answers each with one JSON line. It ends when its input
is closed or its parent is gone. `antema.imaging.safe` is the other end; nothing else starts or imports this module.
"""

import gc
import importlib
import json
import os
import resource
import select
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from antema.domain import CannotRead, NotAnImage
from antema.imaging.reading import contents, is_uncompressed, read

#: Parsing an uncompressed file takes its own size a few times over; a file that wants more is a bomb.
_UNCOMPRESSED_FACTOR = 16
_UNCOMPRESSED_BASE_BYTES = 256 << 20

#: A child that has grown above this is replaced, since memory once used is not always given back.
_RETIRE_BYTES = 600 << 20

_PARENT_CHECK_S = 2.0

#: The parent kills a late child; this is for the case that the parent is gone.
_ALARM_MARGIN_S = 10


def main() -> None:
    """Serve requests until the input is closed."""
    answers = _private_stdout()
    parent = os.getppid()
    _preload()
    _send(answers, {"ready": True})
    while os.getppid() == parent:
        # the parent waits for each answer before it asks again, so nothing is left in the buffer behind a line
        readable, _, _ = select.select([sys.stdin.buffer], [], [], _PARENT_CHECK_S)
        if not readable:
            continue
        line = sys.stdin.buffer.readline()
        if not line:
            return
        answer = _answer(json.loads(line))
        gc.collect()
        answer["last"] = _resident_bytes() > _RETIRE_BYTES
        _send(answers, answer)


def _private_stdout() -> int:
    """Keep the pipe to the parent for answers alone: what libraries print goes to standard error."""
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


def _preload() -> None:
    """Import the readers' libraries now, so that a request finds them."""
    for module in ("dask.array", "h5py", "ncempy.io.dm", "rsciio.emd", "rsciio.hspy", "rsciio.tia"):
        importlib.import_module(module)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    path = Path(request["path"])
    _limit_memory(path, int(request["memory_bytes"]))
    signal.alarm(int(request["timeout_s"]) + _ALARM_MARGIN_S)
    try:
        if request["out"] is None:
            return {"contents": [asdict(entry) for entry in contents(path, name=request["name"])]}
        micrograph = read(path, data=request["data"], name=request["name"])
        np.save(request["out"], micrograph.pixels, allow_pickle=False)
    except NotAnImage as error:
        return {"error": "NotAnImage", "message": str(error)}
    except CannotRead as error:
        return {"error": "CannotRead", "message": str(error)}
    finally:
        signal.alarm(0)
        _unlimit_memory()
    return {
        "nm": micrograph.pixel_size.nm,
        "source": micrograph.pixel_size.source,
        "name": micrograph.name,
        "sha256": micrograph.sha256,
        "metadata": dict(micrograph.metadata),
    }


def _limit_memory(path: Path, memory_bytes: int) -> None:
    if is_uncompressed(path):
        memory_bytes = min(memory_bytes, _UNCOMPRESSED_BASE_BYTES + _UNCOMPRESSED_FACTOR * path.stat().st_size)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _address_space_bytes() + memory_bytes
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _unlimit_memory() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _address_space_bytes() -> int:
    return _statm(0)


def _resident_bytes() -> int:
    return _statm(1)


def _statm(field: int) -> int:
    """Return a field of Linux's account of this process's memory; 0 where there is none."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0
    return int(statm.read_text().split()[field]) * resource.getpagesize()


def _send(descriptor: int, message: dict[str, Any]) -> None:
    data = (json.dumps(message) + "\n").encode()
    while data:
        data = data[os.write(descriptor, data) :]


if __name__ == "__main__":
    sys.exit(main())
