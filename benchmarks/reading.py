"""How long reading takes beside the bare libraries, and what the reader process adds.

Run with ``python -m benchmarks.reading FILE...``. Of each file the medians of some alternating runs are printed, and
their ratios: antema.read to the library that reads the format (one without metadata is not slower for that), and
antema.read_safely to antema.read. At the end stands the median of each ratio over the files.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from antema.domain import CannotRead
from antema.imaging import read, read_safely


def bare_readers(path: Path) -> dict[str, Callable[[], object]]:
    """Return what the bare libraries do to read the pixels of a file, by their names."""
    head = path.read_bytes()[:8]
    name = str(path)
    if head[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        import tifffile

        return {"tifffile": lambda: tifffile.imread(name)}
    if head[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1"):
        from PIL import Image

        return {"Pillow": lambda: np.asarray(Image.open(name))}
    readers: dict[str, Callable[[], object]] = {}
    if path.suffix in (".dm3", ".dm4", ".ser", ".mrc", ".emd"):
        import ncempy

        readers["ncempy"] = lambda: ncempy.read(name)
    plugins = {".dm3": "digitalmicrograph", ".dm4": "digitalmicrograph", ".ser": "tia", ".mrc": "mrc", ".emd": "emd"}
    if path.suffix in plugins:
        import importlib

        plugin = importlib.import_module(f"rsciio.{plugins[path.suffix]}")
        readers["RosettaSciIO"] = lambda: plugin.file_reader(name)
    return readers


def medians(actions: dict[str, Callable[[], object]], n_runs: int) -> dict[str, float]:
    """Return the median seconds of each action, run in turn so that all share the machine's moods."""
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for action in actions.values():
        action()  # imports, the file in the system's memory
    for _ in range(n_runs):
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    """Time every file and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    ratios: dict[str, list[float]] = {}
    added: list[float] = []
    for path in options.files:
        ours: dict[str, Callable[[], object]] = {
            "antema": lambda path=path: read(path),
            "safely": lambda path=path: read_safely(path),
        }
        try:
            read(path)
        except CannotRead as error:
            print(f"passed over: {error}")
            continue
        theirs: dict[str, Callable[[], object]] = {}
        for name, action in bare_readers(path).items():
            try:
                action()
            except Exception as error:  # noqa: BLE001 - what a bare library makes of a file is a result, too
                print(f"{path.name}: {name} fails ({type(error).__name__})")
            else:
                theirs[name] = action
        seconds = medians({**ours, **theirs}, options.runs)
        for name in theirs:
            ratios.setdefault(name, []).append(seconds["antema"] / seconds[name])
        added.append(seconds["safely"] - seconds["antema"])
        texts = [f"{name} {1e3 * value:.1f} ms" for name, value in seconds.items()]
        print(f"{path.name} ({path.stat().st_size / 1e6:.1f} MB): {', '.join(texts)}")
    for name, values in ratios.items():
        print(f"antema.read / {name}: median {statistics.median(values):.2f} over {len(values)} files")
    if added:
        print(f"read_safely adds: median {1e3 * statistics.median(added):.0f} ms, most {1e3 * max(added):.0f} ms")


if __name__ == "__main__":
    main()
