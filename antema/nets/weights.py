"""Weights of a network as a flat dict of arrays, in a safetensors file, and back."""

from pathlib import Path

import numpy as np
from flax import nnx
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.floating]]
NEW_HEADS = frozenset({"of_objects", "objects", "of_offsets", "offsets"})
"""Parts of a network that may be added to weights which were taught without them."""

_FIRM_NO = -4.0


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

    Kernels that enlarge an image begin as linear interpolation of each channel.

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
        if kind == "kernel" and shape[:2] == (8, 8):
            ramp = 1 - np.abs(np.arange(8) - 3.5) / 4
            array = np.einsum("y,x,oi->yxoi", ramp, ramp, np.eye(shape[2]))
        elif kind == "kernel":
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


def unfolded(weights: Weights, module: nnx.Module, *, seed: int = 0, epsilon: float = 1e-5) -> Weights:
    """Return the weights of an inference network for one to go on learning with: the inverse of `folded`.

    Batch normalisation begins with neutral statistics, so that the network is the same as long as they do not move.
    Outputs of the head that the weights do not know begin with a firm no; heads that they do not know at all begin as
    `first_weights` has them.

    Parameters
    ----------
    weights : dict
        Of a network built with ``trainable=False``.
    module : Module
        The network built with ``trainable=True``; may hold shapes alone.
    seed : int
        Of the weights of new heads.
    epsilon : float
        What batch normalisation adds to the variance.

    Raises
    ------
    ValueError
        Where the weights are of another network.
    """
    result: Weights = {}
    first = first_weights(module, seed)
    new_heads = NEW_HEADS - {name.split(".")[0] for name in weights}
    for path, leaf in nnx.to_flat_state(nnx.state(module, nnx.Any(nnx.Param, nnx.BatchStat))):
        name, shape = ".".join(map(str, path)), leaf.get_value().shape
        if ".norm." in name:
            unit, kind = name.split(".norm.")
            neutral = {"scale": 1.0, "mean": 0.0, "var": 1 - epsilon}
            array = weights.get(f"{unit}.conv.bias") if kind == "bias" else np.full(shape, neutral[kind], np.float32)
        else:
            array = weights.get(name)
        if array is not None and name.startswith("head.") and array.shape != shape:
            # 2 x 2 pixels, of each all outputs
            wider = np.full((*shape[:-1], 4, shape[-1] // 4), _FIRM_NO if name == "head.bias" else 0.0, np.float32)
            known_outputs = array.reshape(*array.shape[:-1], 4, array.shape[-1] // 4)
            wider[..., : known_outputs.shape[-1]] = known_outputs
            array = wider.reshape(shape)
        if array is None and name.split(".")[0] in new_heads:
            array = first[name]
        if array is None or array.shape != shape:
            msg = f"weights of another network: {name} is missing or not of shape {shape}"
            raise ValueError(msg)
        result[name] = np.asarray(array, np.float32)
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
