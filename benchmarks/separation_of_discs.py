"""How often overlapping discs come apart, and how far their diameters then lie from the truth.

Run with ``python -m benchmarks.separation_of_discs`` from the checkout. Chains of two and three discs of 24 to 80 px,
of one size or of sizes from 0.6 to 1.2 of the first, overlap by a share of the smaller one's diameter; they are
rendered anti-aliased and separated by UECS in the ``contour`` and the ``antema`` convention.
"""

import argparse

import numpy as np

from antema.analysis import measure
from antema.domain import Recipe
from tests.strategies.shapes import chain_of_discs

OVERLAPS = (0.02, 0.08, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)


def trial(n: int, overlap: float, convention: str, rng: np.random.Generator, *, one_size: bool) -> list[float] | None:
    """Return the relative errors of the diameters, None where another number of particles was measured."""
    first = float(rng.uniform(24, 80))
    diameters = [first] + [first if one_size else first * float(rng.uniform(0.6, 1.2)) for _ in range(n - 1)]
    picture, centres = chain_of_discs(diameters, overlap, rng)
    recipe = Recipe(convention=convention, min_diameter_nm=3, marker_diameter_nm=3, hole_diameter_nm=2)
    table = measure(picture > 0.5, 1.0, recipe=recipe, probability=picture)
    kept = table[table["status"] == "measured"]
    if len(kept) != n:
        return None
    nearest = [int(np.hypot(kept["centroid_x_nm"] - x, kept["centroid_y_nm"] - y).argmin()) for x, y in centres]
    found = kept["equivalent_diameter_nm"].to_numpy()[nearest]
    return (found / np.array(diameters) - 1).tolist()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for convention in ("contour", "antema"):
        for n in (2, 3):
            for one_size in (True, False):
                print(f"\n{convention}, {n} discs, {'one size' if one_size else 'sizes 0.6 to 1.2'}")
                for overlap in OVERLAPS:
                    rng = np.random.default_rng(arguments.seed)
                    trials = [trial(n, overlap, convention, rng, one_size=one_size) for _ in range(arguments.repeats)]
                    right = [errors for errors in trials if errors is not None]
                    text = f"overlap {overlap:4.2f}  right number {len(right):3d} of {len(trials)}"
                    if right:
                        text += f"  diameter {100 * np.mean(right):+5.2f} % +- {100 * np.std(right):4.2f} %"
                    print(text)


if __name__ == "__main__":
    main()
