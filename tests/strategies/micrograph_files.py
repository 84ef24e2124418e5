"""Files as a user has them, a small model, and a segmenter in the place of a network."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

import antema.nets
from tests.strategies.em_files import write_imagej
from tests.strategies.stored import NM, ThresholdSegmenter, discs


class RobustSegmenter(ThresholdSegmenter):
    """Takes bright for particle; what is not finite is background."""

    def probability(self, pixels):
        return super().probability(np.nan_to_num(np.asarray(pixels, np.float32), posinf=0, neginf=0))


def write_micrograph(path: Path, seed: int, *, n: int = 3, nm: float = NM) -> Path:
    """Write a TIFF of `n` discs that says its pixel size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_imagej(path, discs(seed, n), step=nm)


def write_bare(path: Path, pixels: np.ndarray) -> Path:
    """Write a TIFF without a pixel size."""
    tifffile.imwrite(path, pixels)
    return path


def without_network(patch: pytest.MonkeyPatch) -> RobustSegmenter:
    """Put a segmenter that needs no network in the place of every model, and return it."""
    segmenter = RobustSegmenter()
    patch.setattr(antema.nets, "load", lambda _: segmenter)
    patch.setattr(antema.nets, "device_name", lambda: "abacus")
    return segmenter


def write_tiny_model(folder: Path) -> Path:
    """Write an untrained segmentation network with its card."""
    from flax import nnx

    from antema.nets.unet import UNet
    from antema.nets.weights import first_weights, save

    folder.mkdir(parents=True)
    shapes = nnx.eval_shape(lambda: UNet(features=(4, 6, 8), rngs=nnx.Rngs(0)))
    weights = folder / "weights.safetensors"
    save(first_weights(shapes, 1), weights)
    card = {
        "task": "segmentation",
        "title": "Tiny",
        "description": "Untrained.",
        "licence": "MIT",
        "threshold": 0.4,
        "architecture": {"kind": "unet-stride2", "features": [4, 6, 8]},
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    (folder / "card.json").write_text(json.dumps(card))
    return folder
