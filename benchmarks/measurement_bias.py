"""How far the measured size and shape of rendered particles lie from the truth.

Run with ``python -m benchmarks.measurement_bias`` from the checkout. Every shape is drawn at random places and angles,
as a map of the area that it covers of each pixel and as a binary mask, and measured in the ``contour`` convention;
``antema`` stands beside it, and maps that are softer or noisier than that. Printed are mean relative errors in per
cent, for the circularity the mean difference from the truth. Widths are smallest Feret diameters. `mean` is over the
shapes, `worst` the largest of them by magnitude.
"""

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from antema.analysis import measure
from antema.domain import Recipe
from tests.strategies.shapes import SHAPES, anywhere

SIZES_PX = (6, 10, 15, 30, 60, 100, 200)
QUANTITIES = (
    ("equivalent_diameter_nm", "equivalent_diameter"),
    ("perimeter_nm", "perimeter"),
    ("feret_min_nm", "feret_min"),
    ("feret_max_nm", "feret_max"),
)
# convention, whether from a map, blur of that in pixels, noise on it
METHODS = {
    "contour, map of coverage": ("contour", True, 0.0, 0.0),
    "contour, binary mask": ("contour", False, 0.0, 0.0),
    "antema, binary mask": ("antema", False, 0.0, 0.0),
    "contour, map blurred by 1 px": ("contour", True, 1.0, 0.0),
    "contour, map blurred by 2 px": ("contour", True, 2.0, 0.0),
    "contour, map with noise of 0.1": ("contour", True, 0.0, 0.1),
}
BLUR_MARGIN_PX = 4


def errors(
    shape: str, size_px: float, method: tuple[str, bool, float, float], *, repeats: int, seed: int
) -> NDArray[np.float64]:
    """Return relative errors, shape (repeats, 4), with the error of the circularity as a fifth column."""
    convention, with_map, blur_px, noise = method
    rng = np.random.default_rng(seed)
    recipe = Recipe(separation="none", convention=convention, min_diameter_nm=0, min_area_px=5, hole_diameter_nm=0)
    inside, truth = SHAPES[shape](size_px)
    rows = []
    for _ in range(repeats):
        picture = np.pad(anywhere(inside, truth, rng), BLUR_MARGIN_PX)
        if blur_px:
            picture = gaussian_filter(picture, blur_px)
        if noise:
            picture = np.clip(picture + rng.normal(0, noise, picture.shape), 0, 1).astype(np.float32)
        table = measure(picture > 0.5, 1.0, recipe=recipe, probability=picture if with_map else None)
        row = table.loc[table["area_nm2"].idxmax()]
        relative = [row[column] / getattr(truth, name) - 1 for column, name in QUANTITIES]
        rows.append([*relative, row["circularity"] - truth.circularity])
    return np.array(rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(f"mean relative error in %, {arguments.repeats} places and angles each, seed {arguments.seed}")
    for name, method in METHODS.items():
        print(f"\n{name}")
        print(
            f"{'shape':>11} {'px':>4} {'diameter':>9} {'perimeter':>9} {'min Feret':>9} {'max Feret':>9}  circularity"
        )
        for size_px in SIZES_PX:
            every = {}
            for shape in SHAPES:
                found = errors(shape, size_px, method, repeats=arguments.repeats, seed=arguments.seed)
                every[shape] = found.mean(axis=0)
            each = np.array(list(every.values()))
            every["mean"] = each.mean(axis=0)
            every["worst"] = each[np.abs(each).argmax(axis=0), np.arange(each.shape[1])]
            for shape, row in every.items():
                print(
                    f"{shape:>11} {size_px:4d}" + "".join(f" {100 * e:+9.2f}" for e in row[:4]) + f"  {row[4]:+11.4f}"
                )


if __name__ == "__main__":
    main()
