"""A network of the shipped kind, untrained, from its name in a recipe to the particle table."""

import numpy as np
import pytest
from flax import nnx

import antema
from antema.domain import CRYSTALLINITIES, Micrograph, PixelSize, Recipe
from antema.nets import load_classifier
from antema.nets.card import find
from antema.nets.certainty import Certainty
from antema.nets.resnet import network_of_entry
from antema.nets.weights import first_weights, folded
from antema.training.models import write_classifier
from tests.strategies.drawn_samples import BrightIsParticle

ENTRY = {"kind": "resnet-particles", "depth": 18, "features": [4, 4, 8, 8, 8]}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    monkeypatch.setenv("ANTEMA_DATA", str(tmp_path))
    monkeypatch.setattr("antema.analysis.classification.find", find)
    return write_classifier(
        tmp_path / "models" / "tiny",
        folded(first_weights(nnx.eval_shape(lambda: network_of_entry(ENTRY, trainable=True)), 0)),
        architecture=ENTRY,
        training={"images": {"made": 1}, "held_out": {}, "steps": 1, "minutes": 0.0, "device": "CPU", "seed": 0},
        probabilities=Certainty(2.0, (0.1, 0.0, 0.0)).to_dict() | {"ece_before": 0.1, "ece_after": 0.01},
        knows={"least_nm": 1.0, "most_nm": 15.0, "coarsest_nm": 0.1177},
        metrics={},
    )


def drawn(pixel_size_nm):
    y, x = np.mgrid[:128, :128]
    pixels = np.full((128, 128), 100, np.uint16)
    for (cx, cy), radius in {(30, 30): 12, (90, 35): 20, (60, 95): 4}.items():
        pixels[np.hypot(x - cx, y - cy) < radius] = 900
    rng = np.random.default_rng(0)
    return Micrograph(pixels + rng.integers(0, 50, pixels.shape).astype(np.uint16), size(pixel_size_nm), "x", "a" * 64)


def size(nm):
    return PixelSize(nm, "file: a tag")


def test_the_model_of_a_recipe_is_asked(installed):
    recipe = Recipe(crystallinity_model="tiny")
    found = antema.analyse(drawn(0.1), recipe, segmenter=BrightIsParticle())
    assert found.crystallinity_model == {"name": "tiny", "sha256": load_classifier("tiny").sha256}
    table = found.table.set_index("particle")
    assert sorted(table["crystallinity_reason"] == "too_small") == [False, False, True]
    asked = table[table["crystallinity_reason"] != "too_small"]
    assert asked[[f"p_{name}" for name in CRYSTALLINITIES]].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert asked["p_lattice_visible"].between(0, 1).all()
    assert set(asked["crystallinity"]) <= {*CRYSTALLINITIES, "unknown"}
    for evidence, reason in zip(found.evidence, table["crystallinity_reason"], strict=True):
        assert (evidence is None) == (reason == "too_small")


def test_where_no_lattice_can_be_resolved_every_particle_is_unknown_for_that_reason(installed):
    table = antema.analyse(drawn(0.2), Recipe(crystallinity_model="tiny"), segmenter=BrightIsParticle()).table
    assert (table["crystallinity"] == "unknown").all()
    assert (table["crystallinity_reason"] == "sampling_too_coarse").all()
    assert table[["p_amorphous", "confidence", "p_lattice_visible"]].isna().all(axis=None)
