import importlib
import os
import pkgutil
import subprocess
import sys

import numpy as np
from numba.core.dispatcher import Dispatcher

import antema.analysis
from antema.analysis.runs import connected


def test_compiled_loops_call_those_of_their_own_module_alone():
    # Numba's cache looks at the age of one file: what another file inlines would outlive a change of it.
    checked = 0
    for info in pkgutil.iter_modules(antema.analysis.__path__, "antema.analysis."):
        module = importlib.import_module(info.name)
        for function in vars(module).values():
            if not isinstance(function, Dispatcher) or function.py_func.__module__ != info.name:
                continue
            checked += 1
            for name in function.py_func.__code__.co_names:
                called = vars(module).get(name)
                if isinstance(called, Dispatcher):
                    assert called.py_func.__module__ == info.name, f"{info.name}.{function.__name__} calls {name}"
    assert checked > 10


def test_loops_compile_where_no_folder_can_be_written(tmp_path):
    # a module from a zip has no file, and no home folder to keep machine code in
    import zipfile
    from pathlib import Path

    archive = tmp_path / "loops.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("compiled.py", Path(antema.analysis.__path__[0], "compiled.py").read_text())
        file.writestr("loop.py", "from compiled import compiled\n\n@compiled\ndef twice(x):\n    return 2 * x\n")
    kept = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "PYTHONPATH")}
    code = f"import sys; sys.path.insert(0, {str(archive)!r}); import loop; print(loop.twice(21))"
    done = subprocess.run([sys.executable, "-c", code], env=kept, capture_output=True, text=True, check=True)
    assert done.stdout == "42\n"


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
