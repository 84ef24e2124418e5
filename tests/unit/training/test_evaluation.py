import json

import numpy as np
import pytest
from PIL import Image

from antema.domain import Instance
from antema.training import classical_baseline, evaluate_segmentation
from antema.training.evaluate import confusion, pixel_metrics, true_instances
from antema.training.matching import Match, average_precision, f1, iou_matrix


def square(x, y, side):
    return Instance(x, y, np.ones((side, side), bool))


def match(iou, scores, n_true=None):
    iou = np.asarray(iou, float)
    return Match(iou, np.asarray(scores, float), np.ones(len(iou)), np.ones(n_true or iou.shape[1]))


def test_overlaps_are_intersections_over_unions():
    found = [square(0, 0, 10), square(50, 50, 10)]
    true = [square(0, 0, 10), square(5, 0, 10), square(100, 100, 3)]
    assert iou_matrix(found, true) == pytest.approx(np.array([[1, 50 / 150, 0], [0, 0, 0]]))


def test_average_precision_of_a_worked_example():
    # ranked: right, wrong, right; of 2 true ones. Precision 1 up to recall 1/2, 2/3 beyond.
    example = match([[0.9, 0], [0.2, 0.1], [0, 0.6]], [0.9, 0.8, 0.7])
    assert average_precision([example], 0.5) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert average_precision([example], 0.75) == pytest.approx(0.5)
    assert f1([example], 0.5) == pytest.approx(4 / 5)


def test_one_true_particle_is_found_once():
    example = match([[0.9], [0.6]], [0.5, 0.9])
    assert len(example.pairs(0.5)) == 1
    assert average_precision([example], 0.5) == pytest.approx(0.5)


def test_nothing_found_is_no_precision():
    assert average_precision([match(np.zeros((0, 3)), [])], 0.5) == 0
    assert f1([match(np.zeros((0, 3)), [])], 0.5) == 0


def test_pixel_metrics_of_a_worked_example():
    found = np.array([[1, 1, 0, 0]], bool)
    true = np.array([[1, 0, 1, 0]], bool)
    metrics = pixel_metrics(confusion(found, true))
    assert metrics["accuracy"] == pytest.approx(0.5)
    assert metrics["iou_particle"] == pytest.approx(1 / 3)
    assert metrics["dice_background"] == pytest.approx(0.5)


def test_instances_of_all_pages_are_found():
    pages = np.zeros((2, 10, 10), np.uint16)
    pages[0, 1:4, 2:5], pages[1, 3:6, 2:9] = 1, 7
    assert [(i.x, i.y, i.w, i.h) for i in true_instances(pages)] == [(2, 1, 3, 3), (2, 3, 7, 3)]


def test_the_classical_filter_finds_dark_discs_in_noise():
    rows, columns = np.indices((200, 200))
    particle = ((rows % 67 - 33) ** 2 + (columns % 67 - 33) ** 2) < 15**2
    noisy = 100 - 20 * particle + np.random.default_rng(0).normal(0, 15, particle.shape)
    metrics = pixel_metrics(confusion(classical_baseline(noisy), particle))
    assert metrics["dice_particle"] > 0.85
    assert not classical_baseline(np.full((50, 50), 3)).any()


@pytest.fixture
def discs(tmp_path):
    rows, columns = np.indices((220, 240))
    for folder in ("images", "instances"):
        (tmp_path / folder).mkdir()
    for name, shift in (("a", 0), ("b", 20)):
        instances = np.zeros((220, 240), np.uint16)
        for number, (y, x) in enumerate([(60, 60 + shift), (60, 160), (150, 100)], start=1):
            instances[(rows - y) ** 2 + (columns - x) ** 2 < 16**2] = number
        grey = 180 - 90 * (instances > 0) + np.random.default_rng(shift).normal(0, 4, instances.shape)
        Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "images" / f"{name}.png")
        Image.fromarray(instances).save(tmp_path / "instances" / f"{name}.png")
    return tmp_path


def test_an_evaluation_has_the_promised_fields(discs, tmp_path):
    out = tmp_path / "out" / "e.json"
    result = evaluate_segmentation(discs / "images", discs / "instances", out, model="classical", pixel_size_nm=0.5)
    assert json.loads(out.read_text()) == result
    assert set(result["pixel"]) == {"accuracy", "iou_particle", "iou_background", "dice_particle", "dice_background"}
    assert set(result["instance"]) == {"ap50", "ap75", "ap90", "f1_50"}
    assert result["images"] == 2
    assert [entry["image"] for entry in result["per_image"]] == ["a.png", "b.png"]
    assert result["pixel"]["dice_particle"] > 0.85
    assert result["instance"]["ap50"] > 0.8
    assert result["count_error"] < 0.2
    assert abs(result["diameter_bias_mean"]) < 0.2
