"""How many of the labels of burned-in scale bars are read, and how many wrongly, on pictures whose truth is known.

    python -m benchmarks.scale_bar_labels --count 500
    python -m benchmarks.scale_bar_labels ../shared/data/clusters-look --lengths 80nmAuNP_005.jpg=100 ...

The first draws the pictures (`tests/strategies/burned_labels.py`), in matplotlib's fonts and in those of Debian's
packages fonts-liberation, fonts-freefont-ttf, fonts-lato, fonts-open-sans, fonts-roboto-unhinted, fonts-hack,
fonts-crosextra-carlito and fonts-urw-base35, as far as they are installed. The second reads real ones.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from antema.imaging import find_annotations, read
from tests.strategies.burned_labels import Grey, burned, fonts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="real pictures instead of drawn ones")
    parser.add_argument("--lengths", nargs="*", default=[], metavar="FILE=NM", help="what the real labels say")
    parser.add_argument("--count", type=int, default=500, help="pictures to draw (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="seed of the first (default: %(default)s)")
    options = parser.parse_args()
    pictures = (
        _drawn(options.first, options.count) if options.folder is None else _real(options.folder, options.lengths)
    )
    n = right = measured = 0
    wrong: list[str] = []
    seconds: list[float] = []
    for name, pixels, length_nm, length_px in pictures:
        started = time.process_time()
        bar = find_annotations(pixels).scale_bar
        seconds.append(time.process_time() - started)
        n += 1
        offered = None if bar is None else bar.length_nm
        near = bar is not None and (length_px is None or abs(bar.length_px / length_px - 1) <= 0.02)
        measured += near
        right += offered == length_nm and near
        if offered is not None and (offered != length_nm or not near):
            wrong.append(name)
        if offered != length_nm or not near:
            found = "no bar" if bar is None else f"{bar.length_px:.1f} px, {bar.label!r}, {offered} nm"
            print(f"{'WRONG' if offered is not None else 'not read'}: {name}: {found}", flush=True)
    print(f"{n} pictures, {np.mean(seconds):.1f} s of processor time each")
    print(f"bars found within 2 %   {measured} of {n} ({measured / n:.1%})")
    print(f"lengths read right      {right} of {n} ({right / n:.1%})")
    print(f"wrong lengths offered   {len(wrong)} of {n} ({len(wrong) / n:.1%})")


def _drawn(first: int, count: int) -> Iterator[tuple[str, Grey, float, float | None]]:
    print(f"{len(fonts())} fonts")
    for seed in range(first, first + count):
        one = burned(seed)
        yield f"{seed}: {one.label!r}, {one.style}", one.pixels, one.length_nm, one.length_px


def _real(folder: Path, lengths: list[str]) -> Iterator[tuple[str, Grey, float, float | None]]:
    for name, nm in (entry.split("=") for entry in lengths):
        yield name, read(folder / name).pixels, float(nm), None


if __name__ == "__main__":
    main()
