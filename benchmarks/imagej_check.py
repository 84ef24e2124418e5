"""Area, perimeter and Feret diameters of the same masks by this package, by ImageJ, and in truth.

Run with ``python -m benchmarks.imagej_check`` from the checkout. Needs ImageJ, and a virtual display for its windows
(on Debian: ``apt-get install imagej xvfb``); says so where they are not installed. Every shape is drawn at random
places and angles as a binary mask; ImageJ analyses the very pixels (`Analyze Particles`). Printed are mean relative
errors in per cent.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from antema.analysis import measure
from antema.domain import Recipe
from tests.strategies.shapes import SHAPES, anywhere

JAR = Path("/usr/share/java/ij.jar")
SIZES_PX = (10, 30, 100)
COLUMNS = {
    "area": ("area_nm2", "Area"),
    "perimeter": ("perimeter_nm", "Perim."),
    "feret_min": ("feret_min_nm", "MinFeret"),
    "feret_max": ("feret_max_nm", "Feret"),
}
MACRO = """
setBatchMode(true);
run("Set Measurements...", "area perimeter feret's redirect=None decimal=9");
setOption("BlackBackground", true);
folder = getArgument();
files = getFileList(folder);
for (i = 0; i < files.length; i++) {
    if (endsWith(files[i], ".png")) {
        open(folder + files[i]);
        setThreshold(128, 255);
        run("Analyze Particles...", "size=0-Infinity display clear");
        saveAs("Results", folder + replace(files[i], ".png", ".csv"));
        close();
    }
}
"""


def imagej(masks: list[np.ndarray]) -> pd.DataFrame:
    """Return ImageJ's results of masks of one particle each, one row per mask."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, mask in enumerate(masks):
            Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"{number}.png")
        macro = folder / "measure.ijm"
        macro.write_text(MACRO)
        command = ["xvfb-run", "-a", "java", "-jar", str(JAR), "-batch", str(macro), f"{folder}/"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        found = [folder / f"{number}.csv" for number in range(len(masks))]
        missing = [path.name for path in found if not path.is_file()]
        if missing:
            msg = f"expected a table of ImageJ for each mask, found none for {len(missing)}: {done.stdout}{done.stderr}"
            raise RuntimeError(msg)
        tables = [pd.read_csv(path) for path in found]
    if any(len(table) != 1 for table in tables):
        msg = f"expected one particle in each mask, found {[len(table) for table in tables]} by ImageJ"
        raise RuntimeError(msg)
    return pd.concat(tables, ignore_index=True)


def ours(masks: list[np.ndarray], convention: str) -> pd.DataFrame:
    """Return this package's measures of masks of one particle each, one row per mask."""
    recipe = Recipe(separation="none", convention=convention, min_diameter_nm=0, hole_diameter_nm=0)
    return pd.concat([measure(mask, 1.0, recipe=recipe) for mask in masks], ignore_index=True)


def main() -> int:
    """Print the table; 1 where ImageJ is not installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if not JAR.is_file() or shutil.which("java") is None or shutil.which("xvfb-run") is None:
        print(
            f"ImageJ is not installed: expected {JAR}, java and xvfb-run (on Debian: apt-get install imagej xvfb)",
            file=sys.stderr,
        )
        return 1
    print(f"mean relative error in %, {arguments.repeats} places and angles each, seed {arguments.seed}, binary masks")
    print(f"{'shape':>11} {'px':>4} {'by':>8}" + "".join(f" {name:>10}" for name in COLUMNS))
    for size_px in SIZES_PX:
        every: dict[str, list[list[float]]] = {"contour": [], "antema": [], "ImageJ": []}
        for shape in SHAPES:
            rng = np.random.default_rng(arguments.seed)
            inside, truth = SHAPES[shape](size_px)
            masks = [anywhere(inside, truth, rng) > 0.5 for _ in range(arguments.repeats)]
            tables = {"contour": ours(masks, "contour"), "antema": ours(masks, "antema"), "ImageJ": imagej(masks)}
            for by, table in tables.items():
                columns = [pair[by == "ImageJ"] for pair in COLUMNS.values()]
                row = [
                    100 * (table[column].mean() / getattr(truth, name) - 1)
                    for name, column in zip(COLUMNS, columns, strict=True)
                ]
                every[by].append(row)
                print(f"{shape:>11} {size_px:4d} {by:>8}" + "".join(f" {e:+10.2f}" for e in row))
        for by, rows in every.items():
            print(f"{'mean':>11} {size_px:4d} {by:>8}" + "".join(f" {e:+10.2f}" for e in np.mean(rows, axis=0)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
