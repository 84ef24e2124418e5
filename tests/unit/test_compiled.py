import importlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from numba.core.dispatcher import Dispatcher

import antema
from antema import compiled

ROOT = Path(antema.__path__[0])


def test_compiled_loops_call_those_of_their_own_module_alone():
    # Numba's cache looks at the age of one file: what another file inlines would outlive a change of it.
    checked = 0
    for path in sorted(ROOT.rglob("*.py")):
        if "@compiled" not in path.read_text("utf-8"):
            continue
        name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
        module = importlib.import_module(name)
        for function in vars(module).values():
            if not isinstance(function, Dispatcher) or function.py_func.__module__ != name:
                continue
            checked += 1
            for called in function.py_func.__code__.co_names:
                other = vars(module).get(called)
                if isinstance(other, Dispatcher):
                    assert other.py_func.__module__ == name, f"{name}.{function.__name__} calls {called}"
    assert checked > 20


def test_one_decorator_compiles_all():
    # numba's own refuses to work where nothing can be kept on disk
    others = [path for path in ROOT.rglob("*.py") if "njit" in path.read_text("utf-8")]
    assert others == [Path(compiled.__file__)]


def test_loops_compile_where_no_folder_can_be_written(tmp_path):
    # a module from a zip has no file, and no home folder to keep machine code in
    archive = tmp_path / "loops.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("compiled.py", Path(compiled.__file__).read_text())
        file.writestr("loop.py", "from compiled import compiled\n\n@compiled\ndef twice(x):\n    return 2 * x\n")
    kept = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "PYTHONPATH")}
    code = f"import sys; sys.path.insert(0, {str(archive)!r}); import loop; print(loop.twice(21))"
    done = subprocess.run([sys.executable, "-c", code], env=kept, capture_output=True, text=True, check=True)
    assert done.stdout == "42\n"
