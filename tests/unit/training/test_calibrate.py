import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from flax import nnx
from PIL import Image
from scipy.special import expit, logit

import antema.nets.card
from antema import nets
from antema.cli import main
from antema.domain import AntemaError, Instance
from antema.nets.architectures import ARCHITECTURES
from antema.nets.calibration import Calibration
from antema.nets.proposals import KIND as ONE_BY_ONE
from antema.nets.proposals import OUTPUTS
from antema.nets.weights import first_weights, save
from antema.training.calibrate import (
    _Judged,
    calibrate,
    f1_of,
    fitted_confidence,
    fitted_polarity,
    fitted_temperature,
    matched,
)
from antema.training.sources import is_held_out
from antema.training.strangers import STRANGERS, stranger


def test_temperature_and_offset_are_found_again():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, 40_000)
    labels = rng.random(logits.size) < expit(logits / 2.5 - 0.7)
    temperature, offset = fitted_temperature(logits, labels, np.full(logits.size, 1 / logits.size))
    assert temperature == pytest.approx(2.5, rel=0.05)
    assert offset == pytest.approx(-0.7, abs=0.05)


def test_polarity_goes_by_the_evidence_that_tells():
    rng = np.random.default_rng(0)
    differences = np.column_stack([rng.normal(1.0, 0.5, 300), rng.normal(0, 1, 300)])
    weights = fitted_polarity(differences)
    assert weights[0] > 10 * abs(weights[1])
    assert np.mean(differences @ weights > 0) > 0.95


def test_pictures_that_are_no_micrographs_are_of_every_kind_and_the_same_for_a_seed():
    for seed in range(2 * len(STRANGERS)):
        picture = stranger(seed, side_px=96)
        assert picture.shape == (96, 96)
        assert picture.dtype == np.float32
        assert np.isfinite(picture).all()
        assert picture.std() > 0
        np.testing.assert_array_equal(picture, stranger(seed, side_px=96))


@pytest.fixture
def kind():
    return "unet-stride2"


@pytest.fixture
def tiny_model(tmp_path, monkeypatch, kind):
    folder = tmp_path / "models" / "tiny"
    folder.mkdir(parents=True)
    architecture = {"kind": kind, "features": [4, 6, 8, 8] if kind == ONE_BY_ONE else [4, 6], "parameters": 0}
    if kind == ONE_BY_ONE:
        architecture["outputs"] = list(OUTPUTS)
    build = ARCHITECTURES[kind].build
    save(first_weights(nnx.eval_shape(lambda: build(architecture)), 1), folder / "weights.safetensors")
    card = {
        "task": "segmentation",
        "title": "Tiny",
        "description": "Untrained.",
        "licence": "MIT",
        "outline": "none",
        "input": "any",
        "default": True,
        "architecture": architecture,
        "training": {"images": {}, "held_out": {}, "steps": 0, "batch": 1, "minutes": 0, "device": "CPU", "seed": 0},
        "metrics": {},
        "sha256": hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest(),
    }
    (folder / "card.json").write_text(json.dumps(card))
    monkeypatch.setattr(antema.nets.card, "_SHIPPED", tmp_path / "models")
    monkeypatch.delenv("ANTEMA_DATA", raising=False)
    nets.load.cache_clear()
    yield folder
    nets.load.cache_clear()


def test_particles_count_where_they_match_one_to_one():
    square = np.ones((10, 10), bool)
    true = [Instance(x, 0, square) for x in (0, 20, 40)]
    assert matched(true, true).all()
    one_of_two = matched([Instance(27, 0, square), Instance(0, 0, square)], true)
    assert one_of_two.tolist() == [False, True]
    assert f1_of(one_of_two, len(true)) == pytest.approx(2 / 5)
    assert not matched([Instance(0, 0, np.ones((10, 50), bool))], true).any()
    assert f1_of(matched([], true), 3) == 0
    assert f1_of(matched([], []), 0) == 1


def test_confidence_is_the_share_of_particles_that_match():
    rng = np.random.default_rng(3)
    overlap = rng.uniform(0.4, 0.95, 20_000)
    right = rng.random(len(overlap)) < expit(2.0 * logit(overlap) + 1.0)
    parts = np.array_split(np.arange(len(overlap)), 20)
    steepness, offset = fitted_confidence([_Judged(1.0, overlap[k], right[k]) for k in parts])
    assert steepness == pytest.approx(2.0, rel=0.1)
    assert offset == pytest.approx(1.0, abs=0.1)
    told = Calibration("", 1.0, 0.0, np.zeros(6), confidence=(steepness, offset)).confidence_of(overlap)
    sure = (told > 0.85) & (told < 0.95)
    assert right[sure].mean() == pytest.approx(0.9, abs=0.02)
    assert Calibration("", 1.0, 0.0, np.zeros(6)).confidence_of(overlap) is overlap
    assert fitted_confidence([_Judged(1.0), _Judged(1.0, np.ones(3) * 0.8, np.ones(3, bool))]) == ()


def test_an_outline_is_not_moved_by_an_offset_where_none_may_be():
    rng = np.random.default_rng(4)
    logits = rng.normal(0, 3, 5000)
    labels = rng.random(len(logits)) < expit(logits / 2 + 1)
    weights = np.full(len(logits), 1 / len(logits))
    assert fitted_temperature(logits, labels, weights)[1] == pytest.approx(1, abs=0.2)
    assert fitted_temperature(logits, labels, weights, with_offset=False)[1] == 0


@pytest.fixture
def data(tmp_path):
    """Thirty fields of dark discs, some of which are held out."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:96, :96]
    for kind in ("images", "instances"):
        (tmp_path / "fields" / kind).mkdir(parents=True)
    for k in range(30):
        disc = (y - rng.integers(20, 70)) ** 2 + (x - rng.integers(20, 70)) ** 2 < rng.integers(6, 15) ** 2
        grey = 150 - 60 * disc + rng.normal(0, 8, disc.shape)
        Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(tmp_path / "fields/images" / f"{k:02}.png")
        Image.fromarray(disc.astype(np.uint8)).save(tmp_path / "fields/instances" / f"{k:02}.png")
    return tmp_path / "fields"


def test_a_calibrated_model_tells_trust_and_gives_other_probabilities_under_another_name(
    tiny_model, data, monkeypatch, capsys
):
    import antema.training.calibrate as module

    monkeypatch.setattr(module, "_STRANGER_PX", (96,))
    pixels = np.asarray(Image.open(data / "images/00.png"))
    before = nets.load("tiny")
    raw = before.segment(pixels)
    assert raw.trust is None
    shares = []
    entry = calibrate("tiny", [data], at_most=6, progress=lambda done, total: shares.append(done / total))
    held_out = sum(is_held_out(f"fields/{k:02}", seed=0) for k in range(30))
    assert entry["images"] == {"fields": min(held_out, 6)}
    assert entry["command"] == "antema models calibrate tiny --data fields --seed 0 --at-most 6"
    assert shares == sorted(shares)
    assert entry["ece_after"] <= entry["ece_before"] + 0.02
    assert entry["polarity"]["fields"]["images"] == entry["images"]["fields"]

    after = nets.load("tiny")
    assert after.threshold == 0.5
    assert after.sha256 == entry["results_sha256"] != before.sha256
    assert entry["results_sha256"] in (tiny_model / "README.md").read_text()
    found = after.segment(pixels)
    assert found.trust is not None
    assert found.trust.verdict in ("within", "doubtful", "outside")
    assert not np.allclose(found.probability, raw.probability)
    assert {path.name for path in tiny_model.iterdir()} >= {"trust.safetensors", "reliability.png", "README.md"}

    assert main(["models", "verify"]) == 0
    assert capsys.readouterr().out.split()[-1] == after.sha256

    (tiny_model / "trust.safetensors").write_bytes(b"other")
    assert main(["models", "verify"]) == 1
    assert "expected the trust.safetensors that its card describes" in capsys.readouterr().err
    nets.load.cache_clear()
    with pytest.raises(AntemaError, match=r"expected the trust\.safetensors that its card describes"):
        nets.load("tiny")


@pytest.mark.parametrize("kind", [ONE_BY_ONE])
def test_of_particles_found_one_by_one_trust_foretells_how_many(tiny_model, data, monkeypatch):
    import antema.training.calibrate as module

    monkeypatch.setattr(module, "_STRANGER_PX", (96,))
    asked = []

    def f1(is_right, n_true):
        asked.append(n_true)
        return 0.25

    def right_and_wrong(found, true):
        return np.arange(len(found)) % 2 == 0

    monkeypatch.setattr(module, "f1_of", f1)
    monkeypatch.setattr(module, "matched", right_and_wrong)
    monkeypatch.setattr(module, "fitted_confidence", lambda judged: (1.0, 1.0986))
    entry = calibrate("tiny", [data], at_most=4)
    assert set(asked) == {1}, "each field has one disc, spoilt or not"
    assert entry["offset"] == 0
    assert entry["confidence"] == [1.0, 1.0986]
    calibrated = nets.load("tiny").calibration
    assert calibrated.confidence == (1.0, 1.0986)
    assert calibrated.digest("x") != replace(calibrated, confidence=()).digest("x")
    assert entry["trust"]["fields"]["mean_quality"] <= 0.25
    trust = nets.load("tiny").segment(np.asarray(Image.open(data / "images/00.png"))).trust
    assert trust is not None
    assert trust.verdict == "outside"


def test_images_that_were_held_out_are_needed(tiny_model, data):
    for path in sorted(data.glob("*/*.png")):
        if is_held_out(f"fields/{path.stem}", seed=0):
            path.unlink()
    with pytest.raises(AntemaError, match=r"held out \(seed 0\), found 0"):
        calibrate("tiny", [data])
