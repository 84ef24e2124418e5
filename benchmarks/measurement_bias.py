"""How far the measured size and shape of rendered particles lie from the truth.

Run with ``python -m benchmarks.measurement_bias`` from the checkout. Every shape is drawn at random places and angles,
as an anti-aliased probability map and as a binary mask, and measured in the ``contour`` convention (``antema`` beside
it). Printed are mean relative errors in per cent; for the circularity of discs the mean itself.
"""

import argparse

import numpy as np

from antema.analysis import measure
from antema.domain import Recipe
from tests.strategies.shapes import SHAPES, anywhere

SIZES_PX = (10, 20, 30, 50, 100, 200)
QUANTITIES = (
    ("equivalent_diameter_nm", "equivalent_diameter"),
    ("perimeter_nm", "perimeter"),
    ("feret_min_nm", "feret_min"),
    ("feret_max_nm", "feret_max"),
)
METHODS = {
    "contour, probability map": ("contour", True),
    "contour, binary mask": ("contour", False),
    "antema, binary mask": ("antema", False),
}


def errors(shape: str, size_px: float, convention: str, *, with_map: bool, repeats: int, seed: int) -> np.ndarray:
    """Return relative errors, shape (repeats, 4), with the circularity as a fifth column."""
    rng = np.random.default_rng(seed)
    recipe = Recipe(separation="none", convention=convention, min_diameter_nm=0, hole_diameter_nm=0)
    rows = []
    for _ in range(repeats):
        inside, truth = SHAPES[shape](size_px)
        picture = anywhere(inside, truth, rng)
        row = measure(picture > 0.5, 1.0, recipe=recipe, probability=picture if with_map else None).iloc[0]
        relative = [row[column] / getattr(truth, name) - 1 for column, name in QUANTITIES]
        rows.append([*relative, row["circularity"]])
    return np.array(rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(f"mean relative error in %, {arguments.repeats} places and angles each, seed {arguments.seed}")
    for method, (convention, with_map) in METHODS.items():
        print(f"\n{method}")
        print(f"{'shape':>9} {'px':>4} {'diameter':>9} {'perimeter':>9} {'min Feret':>9} {'max Feret':>9}  circularity")
        for size_px in SIZES_PX:
            every = []
            for shape in SHAPES:
                found = errors(
                    shape, size_px, convention, with_map=with_map, repeats=arguments.repeats, seed=arguments.seed
                )
                every.append(found.mean(axis=0))
                print(f"{shape:>9} {size_px:4d}" + "".join(f" {100 * e:+9.2f}" for e in every[-1][:4]), end="")
                print(f"  {found[:, 4].mean():.3f} +- {found[:, 4].std():.3f}")
            print(f"{'all':>9} {size_px:4d}" + "".join(f" {100 * e:+9.2f}" for e in np.mean(every, axis=0)[:4]))


if __name__ == "__main__":
    main()
