import hashlib
import json

import pytest
from component_text import text_of

from antema.nets import card
from antema.web.model_cards import Metric, metrics_of, model_cards, words

CARD = {
    "task": "segmentation",
    "title": "Small U-Net",
    "description": "Tells metal from carbon.",
    "licence": "CC0-1.0",
    "threshold": 0.45,
    "classes": ["background", "particle"],
    "training_data": {"simulated": "4,000 fields", "real": None},
    "metrics": {
        "held-out fields": {
            "command": "antema evaluate segmentation --images a --instances b --out c.json",
            "iou_particle": 0.83125,
            "images": 12,
        }
    },
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where models are looked for, and nowhere else."""
    monkeypatch.setattr(card, "_SHIPPED", tmp_path / "shipped")
    monkeypatch.setenv("ANTEMA_DATA", str(tmp_path))
    return tmp_path / "models"


def install(folder, name, *, weights=b"weights", **changes):
    (folder / name).mkdir(parents=True)
    (folder / name / card.WEIGHTS_FILE).write_bytes(weights)
    content = CARD | {"sha256": hashlib.sha256(b"weights").hexdigest()} | changes
    (folder / name / "card.json").write_text(json.dumps(content), "utf-8")
    return content


def test_a_card_says_what_the_model_is_and_that_it_is_intact(folder):
    content = install(folder, "unet")
    shown = text_of(model_cards())
    for expected in (
        "Small U-Net",
        "segmentation",
        "Tells metal from carbon.",
        "Name|unet",
        "Threshold|particle above a probability of 0.45",
        "Classes|background, particle",
        "Learned from|simulated: 4,000 fields",
        "Licence|CC0-1.0",
        "iou particle|images|held-out fields|0.8313|12",
        "antema evaluate segmentation --images a --instances b --out c.json",
        "Verified",
        content["sha256"],
    ):
        assert expected in shown


def test_weights_that_are_not_those_of_the_card_are_named(folder):
    install(folder, "unet", weights=b"other weights")
    shown = text_of(model_cards())
    assert "Verified" not in shown
    assert "the weight file is not the one of the card" in shown


def test_missing_weights_are_named(folder):
    install(folder, "unet")
    (folder / "unet" / card.WEIGHTS_FILE).unlink()
    shown = text_of(model_cards())
    assert "found no such file" in shown
    assert "Verified" not in shown


def test_a_crystallinity_model_has_no_pixel_threshold(folder):
    install(folder, "crystals", task="crystallinity", metrics={})
    shown = text_of(model_cards())
    assert "Threshold" not in shown
    assert "The card names no measured numbers." in shown


def test_a_crystallinity_model_says_what_it_knows_and_confuses(folder):
    metrics = {"poly": {"command": "antema evaluate crystallinity", "accuracy": 0.98, "confusion": [[9, 1], [0, 10]]}}
    probabilities = {"temperature": 1.1, "ece_before": 0.0821, "ece_after": 0.0123}
    knows = {"least_nm": 0.8, "most_nm": 15.0, "coarsest_nm": 0.1177}
    install(folder, "crystals", task="crystallinity", metrics=metrics, probabilities=probabilities, knows=knows)
    shown = text_of(model_cards())
    for expected in (
        "Probabilities|calibrated: expected calibration error 0.0123, 0.0821 before",
        "Particles|0.8 to 15 nm wide; others are unknown",
        "Pixels|below 0.1177 nm; on coarser ones every particle is unknown",
        "accuracy|poly|0.98",
        "Confusion matrix · poly|is, below; called, right|amorphous|monocrystalline|amorphous|9|1|monocrystalline|0|10",
    ):
        assert expected in shown
    assert "No crystallinity model" not in shown


def test_where_no_model_classifies_the_page_says_so(folder):
    install(folder, "unet")
    assert "No crystallinity model is installed: particles are measured and not classified." in text_of(model_cards())


def test_without_models_the_page_says_how_to_come_by_one(folder):
    assert "No model is installed" in text_of(model_cards())


def test_a_broken_card_is_named_beside_the_others(folder):
    install(folder, "unet")
    (folder / "broken").mkdir(parents=True)
    (folder / "broken" / "card.json").write_text("{", "utf-8")
    shown = text_of(model_cards())
    assert "model broken: expected a card with" in shown
    assert "Name|unet" in shown


def test_metrics_carry_the_nearest_command():
    content = {
        "command": "outer",
        "dice": 0.9,
        "real": {"command": "inner", "deep": {"ap50": 0.5}},
        "bias": {"value": [0.1, 0.2], "command": "own"},
        "unknown": None,
    }
    assert metrics_of(content) == [
        Metric((), "dice", "0.9", "outer"),
        Metric(("real", "deep"), "ap50", "0.5", "inner"),
        Metric((), "bias", "0.1, 0.2", "own"),
    ]


def test_words_of_a_cards_entries():
    assert words({"a_b": [1, 2.34567], "c": None, "d": {"e": True}}) == "a b: 1, 2.346; d: e: yes"


def test_what_one_command_measured_of_several_sets_stands_in_one_table(folder):
    command = "antema evaluate segmentation"
    metrics = {
        "faint": {"command": command, "iou": 0.5, "dice": 0.667},
        "clear": {"command": command, "iou": 0.9, "dice": 0.947},
        "fields": {"command": "another", "images": 3},
    }
    install(folder, "unet", metrics=metrics)
    shown = text_of(model_cards())
    assert "iou|dice|faint|0.5|0.667|clear|0.9|0.947|antema evaluate segmentation|images|fields|3|another" in shown


def test_a_card_says_whether_its_network_was_calibrated_and_knows_what_it_knows(folder):
    install(folder, "plain")
    plain = text_of(model_cards())
    assert "how far they mean what they say was not measured" in plain
    assert "Strange images|not told" in plain
    assert "Sees seams|no" in plain
    (folder / "plain" / "card.json").unlink()
    tried = {"images": 40, "spearman": 0.714, "mean_score": 0.9, "mean_dice": 0.931}
    trust = {"all": tried, "with spoilt copies": tried | {"images": 160}, "a set": tried | {"spearman": None}}
    calibration = {"sha256": "0" * 64, "ece_before": 0.031, "ece_after": 0.0042, "trust": trust}
    install(folder, "ours", calibration=calibration, architecture={"outputs": ["particle", "contact"]})
    ours = text_of(model_cards())
    assert "Probabilities|calibrated: expected calibration error 0.0042, 0.0310 before" in ours
    said = "held-out images{} the mean score is 0.90 and the mean overlap with the truth (Dice) 0.93, with a rank "
    said += "correlation of 0.71"
    first, second = said.format(""), said.format(" and spoilt copies of them")
    assert f"Strange images|told, with reasons; of 40 {first}; of 160 {second}|" in ours
    assert "Sees seams|yes" in ours
    (folder / "ours" / "card.json").unlink()
    tried = {"images": 40, "spearman": 0.714, "mean_score": 0.9, "mean_quality": 0.83}
    install(folder, "later", calibration=calibration | {"trust": {"all": tried}})
    assert "the mean score is 0.90 and the mean agreement with people 0.83, with a rank" in text_of(model_cards())
