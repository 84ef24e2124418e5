"""A run's state on disk, so that it goes on where it was stopped."""

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from antema.domain import AntemaError


def save(path: Path, tree: Any, progress: dict[str, Any]) -> None:  # noqa: ANN401 - any pytree
    """Write the arrays of `tree` and the numbers in `progress`, whole or not at all."""
    arrays: dict[str, Any] = {f"leaf_{k:05d}": np.asarray(leaf) for k, leaf in enumerate(jax.tree.leaves(tree))}
    arrays["progress"] = np.frombuffer(json.dumps(progress).encode(), np.uint8)
    waiting = path.with_suffix(".part")
    with waiting.open("wb") as stream:
        np.savez(stream, **arrays)
    waiting.replace(path)


def restore(path: Path, tree: Any) -> tuple[Any, dict[str, Any]]:  # noqa: ANN401 - any pytree
    """Return a tree like `tree` with the arrays in `path`, and the progress.

    Raises
    ------
    AntemaError
        Where the arrays are not those of such a tree.
    """
    with np.load(path, allow_pickle=False) as file:
        progress = json.loads(file["progress"].tobytes().decode())
        leaves, structure = jax.tree.flatten(tree)
        found = [file[name] for name in sorted(file.files) if name != "progress"]
    if [leaf.shape for leaf in leaves] != [array.shape for array in found]:
        msg = f"{path}: this checkpoint is of another network; start in a new folder or remove it"
        raise AntemaError(msg)
    restored = [jax.numpy.asarray(array, leaf.dtype) for leaf, array in zip(leaves, found, strict=True)]
    return jax.tree.unflatten(structure, restored), progress
