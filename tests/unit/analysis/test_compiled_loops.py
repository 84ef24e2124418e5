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
