"""A small untrained model in a models folder of its own."""

import hashlib
import json

import pytest
from flax import nnx

import antema.nets.card
from antema.nets import load
from antema.nets.unet import UNet
from antema.nets.weights import first_weights, save


@pytest.fixture
def model_folder(tmp_path, monkeypatch):
    root = tmp_path / "models"
    folder = root / "tiny"
    folder.mkdir(parents=True)

    shapes = nnx.eval_shape(lambda: UNet(features=(4, 6, 8), rngs=nnx.Rngs(0)))
    save(first_weights(shapes, 1), folder / "weights.safetensors")
    card = {
        "task": "segmentation",
        "title": "Tiny",
        "description": "Untrained.",
        "licence": "MIT",
        "threshold": 0.4,
        "default": True,
        "architecture": {"kind": "unet-stride2", "features": [4, 6, 8]},
        "sha256": hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest(),
    }
    (folder / "card.json").write_text(json.dumps(card))
    monkeypatch.setattr(antema.nets.card, "_SHIPPED", root)
    monkeypatch.delenv("ANTEMA_DATA", raising=False)
    load.cache_clear()
    yield folder
    load.cache_clear()
