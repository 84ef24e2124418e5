"""Networks that others published, out of the HDF5 files they come in; told by their layers, never by a file's name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from flax import nnx
from numpy.typing import NDArray

from antema.domain import CannotImport
from antema.nets import deeplab, groschner
from antema.nets.architectures import ARCHITECTURES
from antema.nets.hdf5_layers import Layer, read_layers
from antema.nets.weights import Weights, set_weights

_LAYOUTS = (
    "an HDF5 file with the weights of ANTEMA's network (weights.h5 as exported by MATLAB) or of Groschner's U-Net "
    "(Keras .h5)"
)
_HDF5 = b"\x89HDF\r\n\x1a\n"
_SIGNATURES = {
    b"MATLAB": "a MATLAB file, whose network only MATLAB can read: export it there with exportNetworkToTensorFlow and "
    "import its weights.h5",
    b"PK\x03\x04": "a ZIP archive (such as .keras, .npz or .pt)",
    b"\x93NUMPY": "a NumPy array",
    b"\x80": "a Python pickle, which is never opened",
}


@dataclass(frozen=True)
class Published:
    """A network out of a published file.

    Parameters
    ----------
    architecture : dict
        The ``architecture`` entry of a card: kind and sizes.
    weights : dict
        Weights of the network for inference, batch normalisation folded into the convolutions.
    """

    architecture: dict[str, Any]
    weights: Weights


def read_published(path: Path) -> Published:
    """Return the network whose weights are in the file `path`.

    Raises
    ------
    CannotImport
        Where the file cannot be read or holds no network that is known.
    """
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        msg = f"{path.name}: expected {_LAYOUTS}, found a file that cannot be read ({error})"
        raise CannotImport(msg) from error
    if not start.startswith(_HDF5):
        found = next((words for magic, words in _SIGNATURES.items() if start.startswith(magic)), "another kind of file")
        msg = f"{path.name}: expected {_LAYOUTS}, found {found}"
        raise CannotImport(msg)
    layers = read_layers(path)
    try:
        published = _deeplab(dict(layers)) if _is_deeplab(layers) else _groschner(layers)
    except (ValueError, IndexError) as error:
        msg = f"{path.name}: expected layers of the shapes that were published, found others ({error})"
        raise CannotImport(msg) from error
    if published is None:
        names = ", ".join(name for name, _ in layers[:3]) or "none"
        msg = f"{path.name}: expected {_LAYOUTS}, found other layers ({len(layers)} with weights: {names} ...)"
        raise CannotImport(msg)
    _check(published, path.name)
    return published


def _check(published: Published, name: str) -> None:
    entry = published.architecture
    if entry["n_classes"] != 2:
        msg = f"{name}: expected two classes, background and particle, found {entry['n_classes']}"
        raise CannotImport(msg)
    if not all(np.isfinite(array).all() for array in published.weights.values()):
        msg = f"{name}: expected finite weights and variances of 0 or more, found others"
        raise CannotImport(msg)
    network = nnx.eval_shape(lambda: ARCHITECTURES[entry["kind"]].build(entry))
    try:
        set_weights(network, published.weights)
    except ValueError as error:
        msg = f"{name}: expected the weights of {entry['kind']}, found others ({error})"
        raise CannotImport(msg) from error


def _is_deeplab(layers: Sequence[Layer]) -> bool:
    return {name for name, _ in layers} == {name for unit in _DEEPLAB_UNITS.values() for name in unit}


def _deeplab(layers: Mapping[str, list[NDArray[np.float32]]]) -> Published:
    weights: Weights = {}
    for place, (conv, *norm) in _DEEPLAB_UNITS.items():
        weights |= _unit(place, layers[conv], layers[norm[0]] if norm else None, epsilon=1e-5)
    stem, scores = weights["stem.conv.kernel"], weights["scores.kernel"]
    sizes = {"width": stem.shape[-1], "n_channels": stem.shape[2], "n_classes": scores.shape[-1]}
    return Published({"kind": deeplab.KIND, **sizes}, weights)


def _groschner(layers: Sequence[Layer]) -> Published | None:
    """Return the U-Net whose layers follow each other as in the published files, whatever their names."""
    convs = [variables for _, variables in layers if len(variables) == 2]
    norms = [variables for _, variables in layers if len(variables) == 4]
    if (len(convs), len(norms)) != (len(_GROSCHNER_UNITS) + 1, len(_GROSCHNER_UNITS)):
        return None
    if any(kernel.ndim != 4 for kernel, _ in convs):
        return None
    weights: Weights = {}
    for place, conv, norm in zip(_GROSCHNER_UNITS, convs, norms, strict=False):
        weights |= _unit(place, conv, norm, epsilon=1e-4)
    weights |= _unit("scores", convs[-1], None, epsilon=0)
    sizes = {
        "features": [conv[0].shape[-1] for conv in convs[: len(groschner.FEATURES)]],
        "n_channels": convs[0][0].shape[2],
        "n_classes": convs[-1][0].shape[-1],
    }
    return Published({"kind": groschner.KIND, **sizes}, weights)


def _unit(
    place: str, conv: Sequence[NDArray[np.float32]], norm: Sequence[NDArray[np.float32]] | None, *, epsilon: float
) -> Weights:
    """Return kernel and bias for `place` in the network, with batch normalisation worked into them."""
    kernel, bias = conv
    if norm is None:
        return {f"{place}.kernel": kernel, f"{place}.bias": bias}
    gamma, beta, mean, variance = norm
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = gamma / np.sqrt(variance + np.float32(epsilon))
        return {f"{place}.conv.kernel": kernel * factor, f"{place}.conv.bias": (bias - mean) * factor + beta}


def _deeplab_units() -> dict[str, tuple[str, ...]]:
    """Return for every convolution of `DeepLab` the names of the published layers: its own and its normalisation's."""
    units: dict[str, tuple[str, ...]] = {"stem": ("conv1_", "bn_conv1_")}
    blocks = [("2a", "shallow.0"), ("2b", "shallow.1")]
    blocks += [
        (f"{stage}{block}", f"deep.{2 * (stage - 3) + 'ab'.index(block)}") for stage in (3, 4, 5) for block in "ab"
    ]
    for name, place in blocks:
        units[f"{place}.first"] = (f"res{name}_branch2a_", f"bn{name}_branch2a_")
        units[f"{place}.second"] = (f"res{name}_branch2b_", f"bn{name}_branch2b_")
        if name in ("3a", "4a", "5a"):
            units[f"{place}.shortcut"] = (f"res{name}_branch1_", f"bn{name}_branch1_")
    for i in range(len(deeplab.DILATIONS)):
        units[f"context.{i}"] = (f"aspp_Conv_{i + 1}_", f"aspp_BatchNorm_{i + 1}_")
    for number, place in ((1, "joined"), (2, "detail"), (3, "refined.0"), (4, "refined.1")):
        units[place] = (f"dec_c{number}_", f"dec_bn{number}_")
    return units | {"enlarged": ("dec_upsample1_",), "scores": ("scorer_",), "full_size": ("dec_upsample2_",)}


_DEEPLAB_UNITS = _deeplab_units()
_GROSCHNER_UNITS = (
    *(f"down.{i}" for i in range(4)),
    *(f"centre.{i}" for i in range(2)),
    *(f"up.{i}.{j}" for i in range(4) for j in range(2)),
)
