import subprocess
import sys

import numpy as np

from antema.analysis.runs import connected


def test_components_of_no_pixel_are_none():
    assert connected(np.zeros((5, 7), dtype=bool)).masks() == []


def test_after_the_warm_up_an_analysis_compiles_nothing():
    """In a process of its own: loops compiled by other tests would hide what the warm-up misses."""
    code = """
import numpy as np
from antema.analysis import analyse_mask, analyse_segmentation, Segmentation
from antema.analysis.warm_up import warm_up
from antema.domain import Micrograph, PixelSize, Recipe
from numba.core import event

warm_up()
compiled = []
class Listener(event.Listener):
    def on_start(self, e):
        compiled.append(str(e.data["dispatcher"]))
    def on_end(self, e):
        pass

rng = np.random.default_rng(3)
rows, columns = np.mgrid[:200, :200]
probability = np.clip(14 - np.minimum(np.hypot(columns - 60, rows - 60), np.hypot(columns - 80, rows - 64)), 0, 1)
probability = probability.astype(np.float32)
pixels = rng.integers(0, 4000, (200, 200)).astype(np.uint16)
with event.install_listener("numba:compile", Listener()):
    for convention in ("contour", "antema"):
        recipe = Recipe(convention=convention)
        found = Segmentation(pixels, probability, np.zeros((200, 200), bool))
        model = {"name": "", "sha256": "", "threshold": 0.5}
        analyse_segmentation(Micrograph(pixels, PixelSize(0.1, ""), "", ""), found, model, recipe)
        analyse_mask(probability > 0.5, PixelSize(0.1, ""), recipe)
assert not compiled, compiled
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
