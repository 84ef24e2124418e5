"""Files of weights in the layouts in which others published their networks, with made-up numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

Layers = Mapping[str, Sequence[np.ndarray]]


def groschner_layers(seed: int = 0, *, features: Sequence[int] = (4, 8, 16, 32), n_classes: int = 2) -> Layers:
    """Return layers of Groschner's U-Net by the names of the published files."""
    rng = np.random.default_rng(seed)
    last = features[-1]
    ends = tuple(reversed(features))
    channels = list(zip((1, *features[:-1]), features, strict=True)) + [(last, last), (last, last)]
    for below, end in zip((last, *ends[:-1]), ends, strict=True):
        channels += [(below + end, end), (end, end)]
    layers: dict[str, list[np.ndarray]] = {"input_1": []}
    for i, (n_in, n_out) in enumerate(channels, start=1):
        layers[f"conv2d_{i}"] = _conv(rng, (3, 3, n_in, n_out), n_in)
        layers[f"batch_normalization_{i}"] = _norm(rng, n_out)
        layers[f"activation_{i}"] = []
    layers["final_layer"] = _conv(rng, (1, 1, features[0], n_classes), features[0])
    return layers


def antema_layers(seed: int = 0, *, width: int = 4, n_classes: int = 2) -> Layers:
    """Return layers of ANTEMA's DeepLabv3+, by the names of its export; 64 is the width of the published one."""
    rng = np.random.default_rng(seed)
    w = width
    shapes = {"conv1_": (7, 7, 3, w)}
    for stage, n_in, n_out in ((2, w, w), (3, w, 2 * w), (4, 2 * w, 4 * w), (5, 4 * w, 8 * w)):
        shapes[f"res{stage}a_branch2a_"] = (3, 3, n_in, n_out)
        for name in ("a_branch2b_", "b_branch2a_", "b_branch2b_"):
            shapes[f"res{stage}{name}"] = (3, 3, n_out, n_out)
        if n_in != n_out:
            shapes[f"res{stage}a_branch1_"] = (1, 1, n_in, n_out)
    shapes |= {f"aspp_Conv_{i}_": (k, k, 8 * w, 4 * w) for i, k in ((1, 1), (2, 3), (3, 3), (4, 3))}
    shapes |= {"dec_c1_": (1, 1, 16 * w, 4 * w), "dec_c2_": (1, 1, w, 3 * w // 4)}
    shapes |= {"dec_c3_": (3, 3, 4 * w + 3 * w // 4, 4 * w), "dec_c4_": (3, 3, 4 * w, 4 * w)}
    layers: dict[str, list[np.ndarray]] = {}
    for name, shape in shapes.items():
        layers[name] = _conv(rng, shape, shape[2])
        norm = name.replace("res", "bn").replace("Conv", "BatchNorm").replace("dec_c", "dec_bn")
        layers["bn_conv1_" if name == "conv1_" else norm] = _norm(rng, shape[3])
    layers["dec_upsample1_"] = _conv(rng, (8, 8, 4 * w, 4 * w), 4 * w)
    layers["scorer_"] = _conv(rng, (1, 1, 4 * w, n_classes), 4 * w)
    layers["dec_upsample2_"] = _conv(rng, (8, 8, n_classes, n_classes), n_classes)
    return layers


def _conv(rng: np.random.Generator, shape: tuple[int, ...], n_in: int) -> list[np.ndarray]:
    fan = shape[0] * shape[1] * n_in
    n_out = shape[3] if shape[0] < 8 else shape[2]
    return [_normal(rng, shape) * np.float32(np.sqrt(2 / fan)), np.float32(0.1) * _normal(rng, (n_out,))]


def _norm(rng: np.random.Generator, n: int) -> list[np.ndarray]:
    gamma, beta, mean, variance = (np.float32(0.1) * _normal(rng, (n,)) for _ in range(4))
    return [1 + gamma, beta, mean, 1 + np.abs(variance)]


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def write_matlab(path: Path, layers: Layers) -> Path:
    """Write `layers` as MATLAB's converter for TensorFlow does: numbers in a row, places and shapes as attributes."""
    with h5py.File(path, "w") as file:
        for number, (name, variables) in enumerate(layers.items()):
            group = file.create_group(f"layer{number}")
            group.attrs.update({"Name": name, "NumVars": [len(variables)]})
            # not in their order
            for place in reversed(range(len(variables))):
                dataset = group.create_dataset(f"{9 - place}", data=variables[place].reshape(-1))
                dataset.attrs.update({"Name": f"{place}", "Shape": variables[place].shape, "WeightNum": [place]})
        group = file.create_group("normalisation")
        group.attrs.update({"Name": "data_", "NumVars": [0]})
    return path


def write_keras(path: Path, layers: Layers, *, whole_model: bool = False) -> Path:
    """Write `layers` as Keras 2 does with ``save_weights``, or with ``save``."""
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if whole_model else file
        root.attrs["layer_names"] = [name.encode() for name in layers]
        for name, variables in layers.items():
            kinds = ("kernel", "bias") if len(variables) == 2 else ("gamma", "beta", "moving_mean", "moving_variance")
            group = root.create_group(name)
            names = [f"{name}/{kind}:0".encode() for kind, _ in zip(kinds, variables, strict=False)]
            group.attrs["weight_names"] = names
            for inner, values in zip(names, variables, strict=True):
                group[inner] = values
    return path
