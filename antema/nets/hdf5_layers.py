"""The layers of a network out of an HDF5 file, read in a child process: ``python -m antema.nets.hdf5_layers IN OUT``.

Damaged HDF5 crashes its library, and a hostile file can claim any size, so that the file is opened in a process with
limits on memory and time, which hands on names and numbers alone.

Two layouts are read: the one in which MATLAB's converter for TensorFlow exports a network (a group per layer, with
attributes ``Name`` and ``NumVars``), and Keras's HDF5 (``layer_names``, ``weight_names``).
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from antema.domain import CannotImport

Layer = tuple[str, list[NDArray[np.float32]]]
"""Name and variables: kernel and bias, or gamma, beta, mean and variance."""

_Node = Any
"""A group or dataset of h5py, whose types say of everything inside that it may be anything."""
_Variable = tuple[_Node, tuple[int, ...]]
"""Where the numbers are, and their shape."""

MOST_NUMBERS = 1 << 26
"""A file of more numbers than these is refused before any is read; the largest published network has 20.6 million."""

_MOST_LAYERS = 1000
_MEMORY_BYTES = 4 << 30
_TIMEOUT_S = 120.0
_REFUSED = 3


def read_layers(path: Path, *, timeout_s: float = _TIMEOUT_S) -> list[Layer]:
    """Return the layers of the HDF5 file `path` that have variables, in the file's order.

    Raises
    ------
    CannotImport
        Where the file is damaged or too large.
    """
    with tempfile.TemporaryDirectory(prefix="antema-import-") as folder:
        out = Path(folder, "layers.npz")
        # -P: no module of the working directory takes the place of an installed one
        command = [sys.executable, "-P", "-m", "antema.nets.hdf5_layers", str(path.absolute()), str(out)]
        package_root = str(Path(__file__).parents[2])
        paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        try:
            child = subprocess.run(
                command, capture_output=True, text=True, timeout=timeout_s, check=False, env=environment
            )
        except subprocess.TimeoutExpired as error:
            msg = f"{path.name}: expected HDF5 that is read within {timeout_s:g} s, found damaged HDF5"
            raise CannotImport(msg) from error
        if child.returncode == 0:
            with np.load(out, allow_pickle=False) as arrays:
                names = [str(name) for name in arrays["names"]]
                counts = arrays["counts"]
                return [(names[i], [arrays[f"{i}.{j}"] for j in range(counts[i])]) for i in range(len(names))]
    reason = child.stdout.strip() if child.returncode == _REFUSED else f"its reader ended with {child.returncode}"
    msg = f"{path.name}: expected the layers of a network, found damaged HDF5 ({reason})"
    raise CannotImport(msg)


def main(path: Path, out: Path) -> int:
    """Write the layers of `path` to the NumPy archive `out`; what is wrong is printed."""
    _limit_memory()
    try:
        with h5py.File(path, "r") as file:
            layers = _layers(file)
    except (OSError, MemoryError, ArithmeticError, LookupError, TypeError, ValueError, RuntimeError) as error:
        # whatever h5py raises inside a damaged file
        print(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
        return _REFUSED
    arrays: dict[str, Any] = {
        f"{i}.{j}": values for i, (_, variables) in enumerate(layers) for j, values in enumerate(variables)
    }
    counts = np.array([len(variables) for _, variables in layers], np.int64)
    np.savez(out, names=np.array([name for name, _ in layers], np.str_), counts=counts, **arrays)
    return 0


def _limit_memory() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(_MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _layers(file: _Node) -> list[Layer]:
    root = file.get("model_weights", file)
    found = list(_keras(root) if "layer_names" in root.attrs else _matlab(root))
    total = sum(int(dataset.size) for _, variables in found for dataset, _ in variables)
    if total > MOST_NUMBERS:
        msg = f"expected at most {MOST_NUMBERS:,} numbers, found {total:,}"
        raise ValueError(msg)
    return [(layer, [_values(*variable) for variable in variables]) for layer, variables in found]


def _values(dataset: _Node, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if dataset.dtype.kind != "f":
        msg = f"{dataset.name} is {dataset.dtype}, not floating point"
        raise TypeError(msg)
    # what is beyond float32 becomes infinite, which is refused later
    with np.errstate(over="ignore"):
        return np.asarray(dataset[()]).astype(np.float32).reshape(shape)


def _keras(root: _Node) -> Iterator[tuple[str, list[_Variable]]]:
    for layer in map(_text, root.attrs["layer_names"][:_MOST_LAYERS]):
        names = map(_text, root[layer].attrs["weight_names"][:_MOST_LAYERS])
        datasets = [_dataset(root[layer], name) for name in names]
        if datasets:
            yield layer, [(dataset, dataset.shape) for dataset in datasets]


def _matlab(root: _Node) -> Iterator[tuple[str, list[_Variable]]]:
    for name in list(root)[:_MOST_LAYERS]:
        group = root.get(name)
        if not isinstance(group, h5py.Group) or "NumVars" not in group.attrs:
            continue
        layer = _text(_single(group.attrs["Name"]))
        # the image's mean and standard deviation, known as antema.nets.normalisation.ANTEMA_MEAN and ANTEMA_SPREAD
        if layer == "data_":
            continue
        datasets = [_dataset(group, member) for member in list(group)[:_MOST_LAYERS]]
        datasets.sort(key=lambda dataset: int(_single(dataset.attrs["WeightNum"])))
        if len(datasets) != int(_single(group.attrs["NumVars"])):
            msg = f"layer {layer} has {len(datasets)} variables, not NumVars"
            raise ValueError(msg)
        if datasets:
            yield layer, [(dataset, _shape(dataset.attrs["Shape"])) for dataset in datasets]


def _dataset(group: _Node, name: str) -> _Node:
    found = group[name]
    if not isinstance(found, h5py.Dataset):
        msg = f"{name} is no dataset"
        raise TypeError(msg)
    # links could lead to any file of the user
    if found.external or found.is_virtual or found.file.filename != group.file.filename:
        msg = f"{name} lies in another file"
        raise ValueError(msg)
    return found


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _single(value: Any) -> Any:  # noqa: ANN401 - MATLAB writes scalars as arrays of one element
    return np.asarray(value).reshape(-1)[0]


def _shape(value: object) -> tuple[int, ...]:
    return tuple(int(size) for size in np.asarray(value).reshape(-1))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
