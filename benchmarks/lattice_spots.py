"""How far the spots in a particle's Fourier transform can be trusted, on simulated particles whose lattice is known.

Run it as ``python -m benchmarks.lattice_spots CROPS...`` on folders that ``antema simulate crystallinity`` has written;
``--first`` and ``--count`` take a part of each. Spacings are those of single crystals against their material's.
How often there is a spot without a lattice is asked of noise as well: white, and blurred with a Gaussian of 2 px and
rounded to 8 bits as a published program exports its images.
"""

import argparse
import csv
import time
from collections import Counter
from pathlib import Path

import numpy as np
from scipy import ndimage

from antema.analysis.lattice import FALSE_ALARMS, LatticeSpots, lattice_spots
from antema.domain import AMORPHOUS, CRYSTALLINITIES, MONOCRYSTALLINE, UNKNOWN
from antema.domain.lattices import LATTICES
from antema.domain.material_names import material_named


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("crops", type=Path, nargs="*")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=None)
    parser.add_argument("--noise", type=int, default=200, help="fields of noise of each kind")
    options = parser.parse_args()
    for kind in ("white", "blurred"):
        alarms = sum(bool(_in_noise(kind, seed).spots) for seed in range(options.noise))
        print(f"{kind} noise: {alarms} of {options.noise} have a spot, {100 * FALSE_ALARMS:g} % stated")
    _print_speed()
    last = None if options.count is None else options.first + options.count
    for folder in options.crops:
        with (folder / "labels.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))[options.first : last]
        _print_set(folder, rows)


def _in_noise(kind: str, seed: int) -> LatticeSpots:
    rng = np.random.default_rng((seed, 7))
    side = int(rng.integers(60, 140))
    pixels = rng.normal(128, 40, (side, side))
    if kind == "blurred":
        pixels = np.rint(np.clip(ndimage.gaussian_filter(pixels, 2, truncate=2), 0, 255))
    y, x = np.mgrid[:side, :side] - side / 2
    mask = np.hypot(x, y * rng.uniform(1, 1.5)) < 0.36 * side
    return lattice_spots(pixels, mask, 0.064 if kind == "blurred" else 0.04, LATTICES["Au"])


def _print_speed() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:240, :240] - 120.0
    pixels = (
        rng.normal(0, 1, (240, 240)) + np.cos(2 * np.pi * x * 0.03 / 0.2355) + np.cos(2 * np.pi * y * 0.03 / 0.2039)
    )
    mask, times = np.hypot(x, y) <= 100, []
    for _ in range(12):
        before = time.process_time()
        lattice_spots(pixels, mask, 0.03, LATTICES["Au"])
        times.append(time.process_time() - before)
    print(f"a particle of 200 px: {1e3 * np.median(times):.0f} ms of processor time")


def _print_set(folder: Path, rows: list[dict[str, str]]) -> None:
    from PIL import Image
    from tifffile import imread

    results: list[tuple[dict[str, str], LatticeSpots]] = []
    for row in rows:
        pixels = imread(folder / "crops" / f"{row['name']}.tif")
        mask = np.asarray(Image.open(folder / "masks" / f"{row['name']}.png")) > 0
        material = material_named(row["element"])
        results.append((row, lattice_spots(pixels, mask, float(row["pixel_size_nm"]), material)))
    print(f"\n{folder.name}: {len(results)} particles")
    without = [found for row, found in results if row["class"] == AMORPHOUS]
    alone = [found for row, found in results if row["class"] == AMORPHOUS and row["neighbours"] == "0"]
    for name, some in (("amorphous", without), ("amorphous without neighbours", alone)):
        print(f"{name}: {sum(bool(found.spots) for found in some)} of {len(some)} have a spot")
    for seen in ("true", "false"):
        some = [found for row, found in results if row["class"] != AMORPHOUS and row["lattice_visible"] == seen]
        words = "to be seen" if seen == "true" else "not to be seen"
        print(f"crystals, lattice {words}: {sum(bool(found.spots) for found in some)} of {len(some)} have a spot")
    spots = [s for row, found in results if row["class"] == MONOCRYSTALLINE for s in found.spots]
    named = [s for s in spots if s.reflection]
    off = np.array([s.spacing_nm / s.expected_nm - 1 for s in named])
    pulls = np.array([(s.spacing_nm - s.expected_nm) / s.spacing_error_nm for s in named])
    inner = np.quantile(np.abs(off), [0.5, 0.683, 0.95]) * 100
    print(
        f"spots of single crystals: {len(named)} of {len(spots)} named; spacing off by {100 * np.median(off):+.2f} % "
        f"(median), 68 % within {inner[1]:.2f} %, 95 % within {inner[2]:.2f} %; "
        f"{100 * np.mean(np.abs(pulls) < 2):.0f} % within two of their errors"
    )
    for seen in ("true", "false"):
        counts = Counter(
            (row["class"], found.crystallinity) for row, found in results if row["lattice_visible"] == seen
        )
        total, known = counts.total(), sum(n for (_, said), n in counts.items() if said != UNKNOWN)
        right = sum(n for (true, said), n in counts.items() if true == said)
        print(f"opinion, lattice {'to be seen' if seen == 'true' else 'not to be seen'}:")
        for true in CRYSTALLINITIES:
            print(f"  {true:16}", *(f"{said} {counts[true, said]:4d}  " for said in (*CRYSTALLINITIES, UNKNOWN)))
        if total:
            print(f"  right: {100 * right / total:.1f} %; {100 * right / max(known, 1):.1f} % of {known} not unknown")


if __name__ == "__main__":
    main()
