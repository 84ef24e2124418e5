"""Weights of a network as a flat dict of arrays, in a safetensors file, and back."""

from pathlib import Path

import numpy as np
from flax import nnx
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.floating]]


def flat_weights(module: nnx.Module) -> Weights:
    """Return every parameter and batch statistic of `module` under its dotted path, float32."""
    state = nnx.state(module, nnx.Any(nnx.Param, nnx.BatchStat))
    leaves = nnx.to_flat_state(state)
    return {".".join(map(str, path)): np.asarray(leaf.get_value(), np.float32) for path, leaf in leaves}


def set_weights(module: nnx.Module, weights: Weights) -> None:
    """Give `module` these weights, in place.

    Raises
    ------
    ValueError
        Where names or shapes are not those of the module.
    """
    import jax.numpy as jnp

    state = nnx.state(module, nnx.Any(nnx.Param, nnx.BatchStat))
    leaves = dict(nnx.to_flat_state(state))
    expected = {".".join(map(str, path)): tuple(leaf.get_value().shape) for path, leaf in leaves.items()}
    found = {name: tuple(array.shape) for name, array in weights.items()}
    if expected != found:
        odd = sorted(name for name in expected | found if expected.get(name) != found.get(name))
        msg = f"weights do not fit the network: {len(odd)} of {len(expected)} arrays differ, first {odd[0]}"
        raise ValueError(msg)
    for path, leaf in leaves.items():
        leaves[path] = leaf.replace(jnp.asarray(weights[".".join(map(str, path))], jnp.float32))
    nnx.update(module, nnx.from_flat_state(leaves))


def first_weights(module: nnx.Module, seed: int) -> Weights:
    """Return random weights to begin learning with: kernels after He et al. (2015), no bias, neutral statistics.

    Parameters
    ----------
    module : Module
        May hold shapes alone (`nnx.eval_shape`): running the initialisers one by one takes many seconds.
    seed : int
        The same seed gives the same weights.
    """
    rng = np.random.default_rng(seed)
    result: Weights = {}
    for path, leaf in nnx.to_flat_state(nnx.state(module, nnx.Any(nnx.Param, nnx.BatchStat))):
        shape, kind = leaf.get_value().shape, path[-1]
        if kind == "kernel":
            array = rng.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape)
        else:
            array = np.full(shape, 1.0 if kind in ("scale", "var") else 0.0)
        result[".".join(map(str, path))] = array.astype(np.float32)
    return result


def folded(weights: Weights, *, epsilon: float = 1e-5) -> Weights:
    """Return the weights of the inference network: batch normalisation worked into the convolutions.

    Parameters
    ----------
    weights : dict
        `flat_weights` of a network built with ``trainable=True``.
    epsilon : float
        What batch normalisation adds to the variance.
    """
    result: Weights = {}
    for name, array in weights.items():
        if ".norm." in name:
            continue
        unit = name.removesuffix(".conv.kernel")
        if unit == name or f"{unit}.norm.scale" not in weights:
            result[name] = array
            continue
        factor = weights[f"{unit}.norm.scale"] / np.sqrt(weights[f"{unit}.norm.var"] + epsilon)
        result[name] = array * factor
        result[f"{unit}.conv.bias"] = weights[f"{unit}.norm.bias"] - weights[f"{unit}.norm.mean"] * factor
    return result


def save(weights: Weights, path: Path, *, dtype: type[np.floating] = np.float16) -> None:
    """Write `weights` as numbers of `dtype`."""
    from safetensors.numpy import save_file

    save_file({name: np.ascontiguousarray(array, dtype) for name, array in weights.items()}, path)
    path.chmod(0o644)  # the library leaves it to its owner alone


def read(path: Path) -> Weights:
    """Return the weights in `path` as float32.

    Raises
    ------
    ValueError
        Where the file is no safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(path)
    except SafetensorError as error:
        msg = f"expected a safetensors file, found none in {path.name} ({error})"
        raise ValueError(msg) from error
    return {name: array.astype(np.float32) for name, array in arrays.items()}
