"""How well each way of separating takes overlapping particles apart, and leaves single ones whole.

Run with ``python -m benchmarks.separation_quality`` from the checkout. Groups of two to six discs, ellipses, rounded
polygons or a mixture of them, 15 to 120 px wide, in chains and clusters, touch or overlap by up to 70 % of the smaller
one's diameter; their outlines are as rough and soft as a segmentation's (`antema.simulation.overlaps`). Every method
gets the same pictures. Printed for each method are, by overlap and by kind: the share of groups that gave the right
number of measured particles, F1 of the instances at an intersection over union of 0.5 and 0.75, the mean error of the
equivalent diameter (of groups in the right number) with its standard deviation, and the processor time of the whole
analysis of a picture; then how many single particles were cut, and how many dropped. ``network`` gets a map of the
seams besides, as a good network might draw it (`drawn_seams`): its numbers are those of such a map, and of no network.

With ``--instances FOLDER`` real instance maps (PNG, one number for each particle) are taken instead: their foreground
is separated again.
"""

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

from antema.analysis import analyse_mask
from antema.analysis.instance_maps import numbered_instances
from antema.domain import Instance, PixelSize, Recipe
from antema.simulation.overlaps import (
    ARRANGEMENTS,
    CONVEX_KINDS,
    NON_CONVEX_KINDS,
    Overlap,
    overlapping_particles,
    single_particle,
)
from antema.training.matching import Match, f1, iou_matrix, matched
from antema.training.sources import seams

METHODS: dict[str, dict[str, str]] = {
    "uecs": {"separation": "uecs"},
    "arcs": {"separation": "arcs"},
    "watershed": {"separation": "watershed"},
    "network": {"separation": "network"},
    "antema": {"convention": "antema"},
    "none": {"separation": "none"},
}
OVERLAPS = ((0.0, 0.0), (0.0, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.5), (0.5, 0.7))
KINDS = (*CONVEX_KINDS, "mixed")
# of a group of so much overlap few particles still show a quarter of their outline
_SHIFT_PX = 0.7  # by how much a seam is drawn in the wrong place (standard deviation)
_MISSING = -1.6  # where a standard normal field that is alike over some pixels is below this, no seam is drawn
MOST_PARTICLES = {0.3: 5, 0.4: 4, 0.5: 3}
LEAST = {"min_diameter_nm": 3.0, "marker_diameter_nm": 3.0, "hole_diameter_nm": 2.0}


@dataclass(frozen=True)
class Trial:
    """What one method made of one picture."""

    kind: str
    overlap: tuple[float, float]
    n_true: int
    n_found: int
    match: Match
    errors: list[float]
    seconds: float
    rows: int


def drawn_seams(truth: Sequence[Instance], shape: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """Return the seams of instances, as networks learn them, shifted, blurred and in places missing."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    fields = [gaussian_filter(rng.standard_normal(shape), 3, mode="wrap") for _ in range(3)]
    along_y, along_x, missing = (field / field.std() for field in fields)
    drawn = np.where(missing < _MISSING, 0.0, seams(truth, shape))
    shifted = map_coordinates(drawn, [rows + _SHIFT_PX * along_y, columns + _SHIFT_PX * along_x], order=1)
    return gaussian_filter(shifted, 0.7).astype(np.float32)


def trial(
    method: str,
    truth: Sequence[Instance],
    diameters: Sequence[float],
    foreground: NDArray[np.bool_],
    probability: NDArray[np.float32] | None,
    kind: str,
    overlap: tuple[float, float],
) -> Trial:
    recipe = Recipe.from_dict(LEAST | METHODS[method])
    contact = None
    if recipe.separation == "network":
        contact = drawn_seams(truth, (foreground.shape[0], foreground.shape[1]), seed=len(truth) + foreground.size)
    began = time.process_time()
    analysis = analyse_mask(foreground, PixelSize(1.0, "made"), recipe, probability=probability, contact=contact)
    seconds = time.process_time() - began
    measured = (analysis.table["status"] == "measured").to_numpy()
    found = [instance for instance, kept in zip(analysis.instances, measured, strict=True) if kept]
    sizes = analysis.table["equivalent_diameter_nm"].to_numpy()[measured]
    match = matched(iou_matrix(found, truth), np.ones(len(found)))
    errors = [float(sizes[i] / diameters[j] - 1) for i, j in match.pairs[0.5]]
    return Trial(kind, overlap, len(truth), len(found), match, errors, seconds, len(analysis.table))


def groups(repeats: int, seed: int) -> Iterator[tuple[str, tuple[float, float], Overlap]]:
    """Yield kind, range of overlap and group, `repeats` for each kind and range; half of the groups are pairs."""
    for bin_number, (low, high) in enumerate(OVERLAPS):
        for kind_number, kind in enumerate(KINDS):
            rng = np.random.default_rng((seed, bin_number, kind_number))
            for _ in range(repeats):
                most = min([6, *(n for least, n in MOST_PARTICLES.items() if low >= least)])
                n = 2 if rng.random() < 0.5 else int(rng.integers(2, most + 1))
                yield (
                    kind,
                    (low, high),
                    overlapping_particles(
                        int(rng.integers(2**31)),
                        kind=kind,
                        n=n,
                        overlap=float(rng.uniform(low, high)),
                        arrangement=str(rng.choice(ARRANGEMENTS)),
                    ),
                )


def singles(repeats: int, seed: int) -> Iterator[tuple[str, tuple[float, float], Overlap]]:
    """Yield kind, nothing and a single particle."""
    for kind_number, kind in enumerate((*CONVEX_KINDS, *NON_CONVEX_KINDS)):
        rng = np.random.default_rng((seed, 100, kind_number))
        for _ in range(repeats):
            yield kind, (0.0, 0.0), single_particle(int(rng.integers(2**31)), kind=kind)


def regions_of_maps(folder: Path) -> Iterator[tuple[str, list[Instance], NDArray[np.bool_]]]:
    """Yield, of each instance map, every connected region that is clear of the border, with its particles."""
    from antema.analysis.morphology import components, parts

    for path in sorted(folder.glob("*.png")):
        numbers = np.asarray(Image.open(path)).astype(np.int64)
        labels, _ = components(numbers > 0)
        for x, y, mask in parts(labels):
            h, w = mask.shape
            if x == 0 or y == 0 or x + w == numbers.shape[1] or y + h == numbers.shape[0]:
                continue
            part = np.pad(np.where(mask, numbers[y : y + h, x : x + w], 0), 2)
            truth = list(numbered_instances(part).values())
            if min(instance.area_px for instance in truth) >= 80:
                yield ("single" if len(truth) == 1 else "touching"), truth, part > 0


def line(name: str, trials: Sequence[Trial]) -> str:
    # of groups in the right number: what was merged or cut is counted by the other columns
    errors = np.array([error for each in trials if each.n_found == each.n_true for error in each.errors])
    right = np.mean([each.n_found == each.n_true for each in trials])
    bias = f"{100 * errors.mean():+6.2f} {100 * errors.std():6.2f}" if len(errors) else "     -      -"
    matches = [each.match for each in trials]
    return (
        f"{name:24s} {len(trials):5d} {100 * right:7.1f} {f1(matches, 0.5):7.3f} {f1(matches, 0.75):7.3f} {bias} "
        f"{1000 * np.mean([each.seconds for each in trials]):8.1f}"
    )


def print_groups(method: str, trials: Sequence[Trial], kinds: Iterable[str]) -> None:
    print(f"\n{method}")
    print(f"{'overlap, kind':24s} {'n':>5s} {'right %':>7s} {'F1 .5':>7s} {'F1 .75':>7s}  bias %   sd %  ms each")
    for overlap in OVERLAPS:
        of_bin = [each for each in trials if each.overlap == overlap]
        name = "touching" if overlap[1] == 0 else f"{100 * overlap[0]:.0f} to {100 * overlap[1]:.0f} %"
        print(line(name, of_bin))
        for kind in kinds:
            print(line(f"   {kind}", [each for each in of_bin if each.kind == kind]))


def print_singles(method: str, trials: Sequence[Trial]) -> None:
    print(f"\n{method}: single particles")
    print(f"{'kind':24s} {'n':>5s} {'cut %':>7s} {'dropped %':>9s}")
    convex = [each for each in trials if each.kind in CONVEX_KINDS]
    named = [(kind, [each for each in trials if each.kind == kind]) for kind in (*CONVEX_KINDS, *NON_CONVEX_KINDS)]
    for name, some in [("all convex", convex), *named]:
        cut = 100 * np.mean([each.rows > 1 for each in some])
        dropped = 100 * np.mean([each.rows == 1 and each.n_found == 0 for each in some])
        print(f"{name:24s} {len(some):5d} {cut:7.2f} {dropped:9.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=25, help="groups for each kind and range of overlap")
    parser.add_argument("--singles", type=int, default=100, help="single particles of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--no-kinds", action="store_true", help="print the ranges of overlap alone")
    parser.add_argument("--instances", type=Path, help="folder of instance maps (PNG) to take instead")
    arguments = parser.parse_args()
    # the first analysis of a process compiles what is compiled
    for method in arguments.methods:
        warm = overlapping_particles(0, n=3)
        trial(method, warm.instances, list(warm.diameters_px), warm.foreground, warm.probability, "", (0, 0))
    if arguments.instances:
        regions = list(regions_of_maps(arguments.instances))
        print(f"{'method, regions':24s} {'n':>5s} {'right %':>7s} {'F1 .5':>7s} {'F1 .75':>7s}  bias %   sd %  ms each")
        for method in arguments.methods:
            for kind in ("single", "touching"):
                of_kind = [(truth, mask) for name, truth, mask in regions if name == kind]
                sizes = [[float(np.sqrt(4 * each.area_px / np.pi)) for each in truth] for truth, _ in of_kind]
                print(
                    line(
                        f"{method}, {kind}",
                        [
                            trial(method, truth, size, mask, None, kind, (0, 0))
                            for (truth, mask), size in zip(of_kind, sizes, strict=True)
                        ],
                    )
                )
        return
    pictures = list(groups(arguments.repeats, arguments.seed))
    alone = list(singles(arguments.singles, arguments.seed))

    def run(method: str, some: Iterable[tuple[str, tuple[float, float], Overlap]]) -> list[Trial]:
        return [
            trial(method, one.instances, list(one.diameters_px), one.foreground, one.probability, kind, overlap)
            for kind, overlap, one in some
        ]

    for method in arguments.methods:
        print_groups(method, run(method, pictures), () if arguments.no_kinds else KINDS)
    for method in arguments.methods:
        print_singles(method, run(method, alone))


if __name__ == "__main__":
    main()
