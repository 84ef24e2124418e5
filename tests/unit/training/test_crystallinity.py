import csv
import json

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

from antema.cli import main
from antema.domain import CRYSTALLINITIES, AntemaError
from antema.nets.classified import Classified
from antema.simulation.crop_files import write_crop
from antema.simulation.crops import Crop
from antema.training.class_scores import accuracy_at, class_scores, expected_calibration_error, hidden_crystals
from antema.training.crop_sets import LabelledCrop, Views, read_crop_set
from antema.training.evaluate_crystallinity import _polycrystals, evaluate_crystallinity

ENTRY = {"kind": "resnet-particles", "depth": 18, "features": [8, 8, 8, 8, 16]}


@pytest.fixture(scope="module")
def gratings(tmp_path_factory):
    """No fringes, fringes, fringes of two directions: 60 particles of 2 nm."""
    folder = tmp_path_factory.mktemp("crops") / "gratings"
    (folder / "crops").mkdir(parents=True)
    (folder / "masks").mkdir()
    rng = np.random.default_rng(0)
    y, x = (np.mgrid[:70, :70] - 34.5) * 0.04
    with (folder / "labels.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["name", "class", "lattice_visible", "diameter_nm", "element"])
        for k in range(60):
            kind, radius = k % 3, rng.uniform(0.7, 0.9)
            angles = rng.uniform(0, np.pi) + np.array([0, rng.uniform(0.6, 2.4)])
            waves = [np.cos(2 * np.pi * (np.cos(a) * x + np.sin(a) * y) / 0.235) for a in angles]
            grey = rng.normal(0, 0.2, x.shape) + (0, waves[0], np.where(x > 0, waves[0], waves[1]))[kind]
            mask = np.hypot(x, y) < radius
            pixels = (30000 + 3000 * grey - 5000 * mask).astype(np.uint16)
            write_crop(Crop(pixels, mask, 0.04, {}), folder, f"c{k:02d}")
            table.writerow([f"c{k:02d}", CRYSTALLINITIES[kind], "true", f"{2 * radius:.3f}", "Au"])
    return folder


def test_a_set_is_read_as_it_was_written(gratings):
    crops = read_crop_set(gratings)
    assert len(crops) == 60
    assert crops[1].crystallinity == "monocrystalline"
    assert crops[1].pixel_size_nm == pytest.approx(0.04)
    assert crops[1].visible is True
    assert crops[0].mask.sum() * 0.04**2 == pytest.approx(
        np.pi * float(crops[0].facts["diameter_nm"]) ** 2 / 4, rel=0.05
    )


def test_some_views_hold_nothing_but_noise_and_count_as_unseen(gratings):
    views = Views(read_crop_set(gratings))
    batches = [views.batch(step, seed=0) for step in range(20)]
    drowned = np.concatenate([each.visible == 0 for each in batches])
    assert 0.01 < drowned.mean() < 0.06
    assert all((each.visible_weight == 1).all() for each in batches)
    # fringes have most of their power at few frequencies, noise at none
    seen = np.concatenate([(each.views[..., 0] * each.views[..., 1]) for each in batches if each.views.shape[1] == 48])
    power = np.abs(np.fft.rfft2(seen)) ** 2
    unseen = np.concatenate([each.visible == 0 for each in batches if each.views.shape[1] == 48])
    classes = np.concatenate([each.classes.argmax(axis=1) for each in batches if each.views.shape[1] == 48])
    peak = power.max(axis=(1, 2)) / power.mean(axis=(1, 2))
    assert np.median(peak[unseen]) < 0.3 * np.median(peak[~unseen & (classes == 1)])


def test_batches_are_the_same_again_and_hold_the_class(gratings):
    views = Views(read_crop_set(gratings))
    first, again, other = views.batch(3, seed=0), views.batch(3, seed=0), views.batch(4, seed=0)
    np.testing.assert_array_equal(first.views, again.views)
    assert first.views.shape != other.views.shape or not np.array_equal(first.views, other.views)
    assert (first.classes.sum(axis=1) == 1).all()
    inside = first.views[..., 1]
    mean = (first.views[..., 0] * inside).sum((1, 2)) / inside.sum((1, 2))
    np.testing.assert_allclose(mean, 0, atol=0.05)
    assert sum(len(batch.views) for batch in views.plain()) == 60


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "labels.csv").unlink(), "found no labels.csv"),
        (lambda folder: (folder / "labels.csv").write_text("name\nc00\n"), "expected the columns name and class"),
        (
            lambda folder: (folder / "labels.csv").write_text("name,class\nc00,glassy\n"),
            "expected a class of",
        ),
        (lambda folder: (folder / "labels.csv").write_text("name,class\nno,amorphous\n"), "only one or none of them"),
        (
            lambda folder: Image.new("L", (70, 70)).save(folder / "masks" / "c00.png"),
            "expected a mask of .* with a particle",
        ),
    ],
)
def test_what_is_no_set_is_told_in_a_sentence(gratings, tmp_path, change, words):
    folder = tmp_path / "set"
    for name in ("crops", "masks"):
        (folder / name).mkdir(parents=True)
    (folder / "crops" / "c00.tif").write_bytes((gratings / "crops" / "c00.tif").read_bytes())
    (folder / "masks" / "c00.png").write_bytes((gratings / "masks" / "c00.png").read_bytes())
    (folder / "labels.csv").write_text("name,class\nc00,amorphous\n")
    change(folder)
    with pytest.raises(AntemaError, match=words):
        read_crop_set(folder)


def test_a_classifier_is_taught_installed_and_evaluated(gratings, tmp_path, monkeypatch, capsys):
    from antema.training import train_crystallinity

    monkeypatch.setenv("ANTEMA_DATA", str(tmp_path))
    card = train_crystallinity([gratings], tmp_path / "models" / "mine", steps=40, architecture=ENTRY, rate=5e-3)
    assert card["task"] == "crystallinity"
    assert card["classes"] == list(CRYSTALLINITIES)
    assert sum(card["training"]["images"].values()) + sum(card["training"]["held_out"].values()) == 60
    assert (tmp_path / "models" / "mine" / "curve.png").is_file()
    again = train_crystallinity([gratings], tmp_path / "models" / "mine", steps=40, architecture=ENTRY, rate=5e-3)
    assert again["sha256"] == card["sha256"]
    out = tmp_path / "result.json"
    assert main(["evaluate", "crystallinity", "--crops", str(gratings), "--model", "mine", "--out", str(out)]) == 0
    assert "60 crops: accuracy" in capsys.readouterr().out
    result = json.loads(out.read_text())
    assert result["accuracy"] > 0.6  # a third is chance
    assert np.sum(result["confusion"]) == 60
    further = train_crystallinity(
        [gratings], tmp_path / "models" / "further", steps=3, architecture=ENTRY, rate=1e-6, start_from="mine"
    )
    assert further["training"]["started_from"]["sha256"] == card["sha256"]
    old, new = (
        safetensors.numpy.load_file(tmp_path / "models" / n / "weights.safetensors") for n in ("mine", "further")
    )
    for name, values in old.items():
        np.testing.assert_allclose(new[name], values, atol=2e-3 * max(np.abs(values).max(), 1))
    with pytest.raises(AntemaError, match="found one that began with random weights"):
        train_crystallinity(
            [gratings], tmp_path / "models" / "mine", steps=99, architecture=ENTRY, start_from="further"
        )
    with pytest.raises(AntemaError, match="expected --seed 0, with which it was taught, found 1"):
        train_crystallinity([gratings], tmp_path / "no", steps=1, architecture=ENTRY, start_from="mine", seed=1)
    wider = {**ENTRY, "features": [8, 8, 8, 8, 24]}
    with pytest.raises(AntemaError, match="same architecture to go on from"):
        train_crystallinity([gratings], tmp_path / "no", steps=1, architecture=wider, start_from="mine")
    row = result["predictions"][4]
    assert row["name"] == "c04"
    assert row["label"] == "monocrystalline"
    assert row["p_amorphous"] + row["p_monocrystalline"] + row["p_polycrystalline"] == pytest.approx(1, abs=1e-5)
    assert result["groups"]["element"][0]["n"] == 60


def test_where_the_segmentation_finds_no_particle_the_sets_mask_is_taken(gratings, monkeypatch):
    """The answer of the classifier is the set's own in both; crops are seen in few shapes."""
    shapes = set()

    class Found:
        instances = ()

    def analyse(micrograph, recipe):
        shapes.add(micrograph.pixels.shape)
        assert micrograph.pixel_size.nm == pytest.approx(0.04)
        return Found()

    class Certain:
        name, sha256 = "certain", "0"

        def classify(self, pixels, instances, pixel_size_nm):
            assert instances[0].area_px == pytest.approx(1600, rel=0.4)
            return Classified(np.array([[0.9, 0.05, 0.05]]), np.array([0.9]), ("",), (None,))

    monkeypatch.setattr("antema.analysis.analyse", analyse)
    monkeypatch.setattr("antema.nets.load_classifier", lambda name: Certain())
    result = evaluate_crystallinity(gratings, own_masks=True)
    assert result["own_masks"] == {"missed": 60}
    assert shapes == {(128, 128)}
    assert result["accuracy"] == pytest.approx(1 / 3)


def test_scores_are_those_of_the_formulas():
    p = np.array([[0.9, 0.1, 0], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [np.nan] * 3, [0.05, 0.9, 0.05]])
    true = np.array([0, 1, 2, 2, 0, 1])
    scores = class_scores(p, true, CRYSTALLINITIES, certainty=0.8)
    assert scores["asked"] == 5
    assert scores["accuracy"] == pytest.approx(4 / 5)
    assert scores["coverage"] == pytest.approx(3 / 6)
    assert scores["accuracy_of_assigned"] == pytest.approx(2 / 3)
    assert scores["confusion"] == [[1, 0, 0], [0, 2, 0], [0, 1, 1]]
    assert scores["assigned"] == [[1, 0, 0, 1], [0, 1, 0, 1], [0, 1, 0, 1]]
    assert scores["classes"]["monocrystalline"] == pytest.approx({"n": 2, "precision": 2 / 3, "recall": 1, "f1": 0.8})
    assert accuracy_at(scores, 0.4) == 1
    nothing = class_scores(p[4:5], true[4:5], CRYSTALLINITIES, certainty=0.8)
    assert nothing["accuracy"] is None
    assert nothing["coverage"] == 0


def test_crystals_without_visible_lattice_are_counted_by_what_they_are_called():
    names = ["amorphous", "unknown", "polycrystalline", "unknown", "amorphous", "monocrystalline"]
    seen = np.array([False, False, False, False, False, True])
    found = hidden_crystals(names, np.array([1, 1, 2, 1, 0, 1]), seen)
    assert found == {
        "n": 4,
        "called_amorphous": 0.25,
        "called_monocrystalline": 0.0,
        "called_polycrystalline": 0.25,
        "called_unknown": 0.5,
    }


def test_what_may_not_be_named_is_not_covered():
    p = np.array([[0.9, 0.1, 0], [0.05, 0.9, 0.05]])
    scores = class_scores(p, np.array([0, 1]), CRYSTALLINITIES, certainty=0.8, nameable=np.array([False, True]))
    assert scores["accuracy"] == 1
    assert scores["coverage"] == 0.5
    assert scores["assigned"] == [[0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0]]


def test_the_calibration_error_of_honest_probabilities_is_small():
    rng = np.random.default_rng(0)
    p = rng.dirichlet((0.5, 0.5, 0.5), 20000)
    honest = np.array([rng.choice(3, p=row) for row in p])
    assert expected_calibration_error(p, honest) < 0.015
    assert expected_calibration_error(p, np.zeros(20000, int)) > 0.2


def test_polycrystals_are_counted_by_how_many_of_their_lattices_show():
    def crop(kind, told):
        facts = {} if told is None else {"domains_visible": told}
        return LabelledCrop("a/b", np.zeros((2, 2)), np.ones((2, 2), bool), 0.1, kind, True, facts)

    poly, mono = "polycrystalline", "monocrystalline"
    crops = [crop(poly, "2"), crop(poly, "3"), crop(poly, "0"), crop(poly, "1"), crop(poly, None), crop(mono, "1")]
    p = np.array([[0, 0.1, 0.9], [0, 0.8, 0.2], [0.7, 0.2, 0.1], [np.nan] * 3, [0, 1, 0], [0, 1, 0]])
    found = _polycrystals(crops, p)
    assert found["several"] == {
        "n": 2,
        "called_amorphous": 0.0,
        "called_monocrystalline": 0.5,
        "called_polycrystalline": 0.5,
    }
    assert found["at most one"]["n"] == 2
    assert found["at most one"]["called_amorphous"] == 0.5
    assert found["others"] == {"n": 4, "accuracy": 0.5}
    assert _polycrystals(crops[4:], p[4:])["several"]["n"] == 0
