"""How long everything after the segmentation takes, beside the same steps written with scikit-image.

Run with ``python -m benchmarks.separation`` from the checkout. Fields of discs, a fifth of them in overlapping pairs,
are cleaned, separated and measured by the package and by `benchmarks.naive`, one after the other in one run, each once
before its time is taken. The objects found are compared one by one. Times are those of the process (user and system),
so that waiting for other work on the machine does not count. ``--naive 3000`` leaves the slow one out above so many
particles.
"""

import argparse
import math
import multiprocessing
import resource
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from antema.analysis import ProbabilityMap, analyse_mask, clean, separate
from antema.domain import Instance, PixelSize, Recipe
from benchmarks import naive

T = TypeVar("T")

SIDES = (2048, 4096)
NUMBERS = (300, 3_000, 20_000)
PIXEL_SIZE_NM = 0.1
_LARGEST_PX = 40.0
_SHARE_IN_PAIRS = 0.2
_OVERLAP = 0.15


def field(side_px: int, n: int, *, largest_px: float = _LARGEST_PX, seed: int = 1) -> NDArray[np.float32]:
    """Return a probability map of `n` discs in an image of `side_px`², a fifth of them in overlapping pairs.

    One disc or pair lies at a random place in each cell of a square grid; diameters scatter by a tenth around 0.42 of
    a cell, at most `largest_px`. A pair overlaps by 15 % of its diameter. Edges rise from 0 to 1 over two pixels.
    """
    rng = np.random.default_rng(seed)
    n_pairs = round(n * _SHARE_IN_PAIRS / 2)
    n_groups = n - n_pairs
    cells = math.ceil(math.sqrt(n_groups))
    cell = side_px / cells
    typical = min(largest_px, 0.42 * cell)
    picture = np.zeros((side_px, side_px), dtype=np.float32)
    for k, place in enumerate(rng.permutation(cells * cells)[:n_groups]):
        diameter = typical * float(np.clip(rng.normal(1, 0.1), 0.75, 1.15))
        apart = (1 - _OVERLAP) * diameter if k < n_pairs else 0.0
        angle = rng.uniform(0, math.pi)
        reach = (diameter + apart) / 2 + 2
        corner = np.array([place % cells, place // cells]) * cell
        centre = corner + (rng.uniform(reach, cell - reach, 2) if cell > 2 * reach else cell / 2)
        half = apart / 2 * np.array([math.cos(angle), math.sin(angle)])
        for x, y in (centre - half, centre + half) if apart else (centre,):
            _draw(picture, float(x), float(y), diameter / 2)
    return picture


def _draw(picture: NDArray[np.float32], x: float, y: float, radius: float) -> None:
    side = picture.shape[0]
    x0, x1 = max(int(x - radius - 2), 0), min(int(x + radius + 3), side)
    y0, y1 = max(int(y - radius - 2), 0), min(int(y + radius + 3), side)
    rows, columns = np.ogrid[y0:y1, x0:x1]
    distance = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
    part = picture[y0:y1, x0:x1]
    np.maximum(part, np.clip(0.5 + (radius - distance) / 2, 0, 1), out=part, casting="same_kind")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds that the process worked, and what came of it."""
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def ours(picture: NDArray[np.float32], recipe: Recipe) -> tuple[float, float, list[Instance], pd.DataFrame]:
    """Return seconds of cleaning and separation, of all, the objects and their table."""
    foreground, size = picture > 0.5, PixelSize(PIXEL_SIZE_NM, "drawn")
    given = picture if recipe.convention == "contour" else None
    surface = None if given is None else ProbabilityMap(picture, 0.5)
    shape = (picture.shape[0], picture.shape[1])
    separation, _ = timed(
        lambda: separate(clean(foreground, PIXEL_SIZE_NM, recipe), shape, PIXEL_SIZE_NM, recipe, surface)
    )
    everything, analysis = timed(lambda: analyse_mask(foreground, size, recipe, probability=given))
    return separation, everything, analysis.instances, analysis.table


def theirs(picture: NDArray[np.float32], recipe: Recipe) -> tuple[float, float, list[naive.Found], pd.DataFrame]:
    """Return the same of the naive implementation."""
    foreground = picture > 0.5
    if recipe.convention == "antema":
        separation, found = timed(lambda: naive.antema(foreground, PIXEL_SIZE_NM, recipe))
        measuring, rows = timed(lambda: [naive.measured_pixels(each) for each in found])
    else:
        values = picture.astype(np.float64)
        separation, pairs = timed(lambda: naive.contour(foreground, values, PIXEL_SIZE_NM, recipe))
        measuring, rows = timed(lambda: [naive.measured_outline(line) for _, line in pairs])
        found = [each for each, _ in pairs]
    measures = pd.DataFrame(rows)
    for name in measures.filter(like="_nm"):
        measures[name] *= PIXEL_SIZE_NM ** (2 if "nm2" in name else 1)
    return separation, separation + measuring, found, measures


def compared(
    instances: list[Instance], table: pd.DataFrame, found: list[naive.Found], measures: pd.DataFrame
) -> tuple[int, float]:
    """Return how many of our objects the other has, pixel by pixel, and by how much a measure differs at most."""
    others = {(each.x, each.y, each.mask.shape, each.mask.tobytes(), each.reason): k for k, each in enumerate(found)}
    keys = [(each.x, each.y, each.mask.shape, each.mask.tobytes(), each.drop_reason) for each in instances]
    rows = [(k, others[key]) for k, key in enumerate(keys) if key in others]
    names = list(measures.columns)
    one = table[names].to_numpy(np.float64)[[k for k, _ in rows]]
    other = measures.to_numpy(np.float64)[[k for _, k in rows]]
    return len(rows), float(np.nanmax(np.abs(one / other - 1))) if rows else math.nan


def compare_all(most_naive: int) -> None:
    """Print the times, their ratios and whether the same was found."""
    print("seconds of one core; separation is cleaning and separation, all is the table too")
    print("convention  side  discs | separation     all | naive: separation  all | times faster | the same")
    for convention in ("contour", "antema"):
        recipe = Recipe(convention=convention)
        small = field(512, 60)
        ours(small, recipe)
        theirs(small, recipe)
        for side in SIDES:
            for n in NUMBERS:
                picture = field(side, n)
                separation, everything, instances, table = ours(picture, recipe)
                print(f"{convention:10} {side:5d} {n:6d} | {separation:10.3f} {everything:7.3f} |", end="", flush=True)
                if n > most_naive:
                    print()
                    continue
                slow_separation, slow, found, measures = theirs(picture, recipe)
                n_same, difference = compared(instances, table, found, measures)
                print(f"      {slow_separation:10.3f} {slow:7.3f} |", end="")
                print(f" {slow_separation / separation:5.1f} {slow / everything:6.1f} |", end="")
                print(f" {n_same} of {len(instances)}, {difference:.1e}", flush=True)


def linear() -> None:
    """Print how time and memory go with the number of particles of one size in images of one size."""
    numbers = (1_250, 2_500, 5_000, 10_000, 20_000)
    for convention in ("contour", "antema"):
        seconds, megabytes = [], []
        for n in numbers:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                taken, used = pool.apply(_alone, (convention, 4096, n))
            seconds.append(taken)
            megabytes.append(used)
        for values, unit in ((seconds, "s"), (megabytes, "MB")):
            slope, start = np.polyfit(numbers, values, 1)
            spread = 1 - np.var(np.array(values) - start - slope * np.array(numbers)) / np.var(values)
            print(
                f"{convention}, 4096 px, discs of 13 px: {start:.2f} {unit} + {1000 * slope:.3f} {unit} per 1000,",
                end=" ",
            )
            print(f"R² {spread:.4f};", ", ".join(f"{n}: {v:.2f}" for n, v in zip(numbers, values, strict=True)))


def _alone(convention: str, side: int, n: int) -> tuple[float, float]:
    """Return seconds and the rise of the process's peak memory in MB, in a process of its own."""
    recipe = Recipe(convention=convention)
    ours(field(512, 60), recipe)
    picture = field(side, n, largest_px=13)
    foreground, size = picture > 0.5, PixelSize(PIXEL_SIZE_NM, "drawn")
    given = picture if convention == "contour" else None
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, _ = timed(lambda: analyse_mask(foreground, size, recipe, probability=given))
    return seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def usual(repeats: int = 5) -> None:
    """Print the time of an image of the usual size."""
    picture = field(2048, 1_000)
    for convention in ("contour", "antema"):
        runs = [ours(picture, Recipe(convention=convention))[:2] for _ in range(repeats)]
        separation, everything = np.median(runs, axis=0)
        print(f"{convention}, 2048 px, 1000 discs: separation {separation:.3f} s, all {everything:.3f} s", end=" ")
        print(f"(median of {repeats})")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--naive", type=int, default=max(NUMBERS), metavar="N", help="most particles for the naive one")
    parser.add_argument("--only", choices=("usual", "linear", "naive"), help="one part alone")
    arguments = parser.parse_args()
    if arguments.only in (None, "usual"):
        usual()
    if arguments.only in (None, "linear"):
        linear()
    if arguments.only in (None, "naive"):
        compare_all(arguments.naive)


if __name__ == "__main__":
    main()
