import json
import sys

import numpy as np
import pytest
from PIL import Image

from antema.domain import AntemaError, Instance, Micrograph, PixelSize
from antema.training.cases import Case
from benchmarks import real_micrographs


@pytest.fixture
def data(tmp_path):
    """Two sets by the names of real ones: discs in instance maps, squares in COCO's form, some of them held out."""
    rows, columns = np.indices((200, 220))
    rng = np.random.default_rng(0)
    for folder in ("images", "instances"):
        (tmp_path / "kaur-dev" / folder).mkdir(parents=True)
    labels = np.zeros((200, 220), np.uint16)
    for number, (y, x) in enumerate([(60, 60), (60, 150), (140, 100)], start=1):
        labels[(rows - y) ** 2 + (columns - x) ** 2 < 18**2] = number
    grey = 180 - 90 * (labels > 0) + rng.normal(0, 4, labels.shape)
    Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "kaur-dev" / "images" / "a.png")
    Image.fromarray(labels).save(tmp_path / "kaur-dev" / "instances" / "a.png")

    coco = tmp_path / "cs433-nanoshapes-train"
    coco.mkdir()
    boxes = [(40, 40, 60, 60), (120, 60, 50, 50)]
    grey = np.full((200, 220), 180.0)
    for x, y, w, h in boxes:
        grey[y : y + h, x : x + w] -= 90
    names = [f"c{k}.png" for k in range(12)]
    for name in names:
        Image.fromarray((grey + rng.normal(0, 4, grey.shape)).astype(np.uint8)).save(coco / name)
    corners = [[x, y, x + w, y, x + w, y + h, x, y + h] for x, y, w, h in boxes]
    content = {
        "categories": [{"id": 1, "name": "Cube"}, {"id": 2, "name": "Sphere"}],
        "images": [{"id": k, "file_name": name, "height": 200, "width": 220} for k, name in enumerate(names)],
        "annotations": [
            {"image_id": k, "category_id": 1 + n, "segmentation": [each], "area": 2500}
            for k in range(len(names))
            for n, each in enumerate(corners)
        ],
    }
    (coco / "annotations.coco.json").write_text(json.dumps(content))
    return tmp_path


def test_every_set_at_hand_has_its_rows_upright_and_inverted(data, monkeypatch, capsys):
    page, out, overlays = data / "page.md", data / "out.json", data / "overlays"
    page.write_text("<!-- table: real -->\n<!-- end: real -->\n")
    told = ["--model", "classical", "--inverted", "--page", str(page), "--json", str(out), "--overlays", str(overlays)]
    monkeypatch.setattr(sys, "argv", ["real_micrographs", str(data), *told])
    real_micrographs.main()
    content = json.loads(out.read_text())
    assert [(each["set"], each["kind"]) for each in content] == [
        ("cubes, overlaps", ""),
        ("cubes, overlaps", "cube"),
        ("cubes, overlaps", "sphere"),
        ("cubes, overlaps, inverted", ""),
        ("cubes, overlaps, inverted", "cube"),
        ("cubes, overlaps, inverted", "sphere"),
        ("dense layer", ""),
        ("dense layer, inverted", ""),
    ]
    cubes, cube, sphere = content[:3]
    assert 0 < cubes["images"] < 12  # the others are learned from
    assert cube["n_true"] == sphere["n_true"] == cubes["images"]
    assert content[6]["f1_uncut"] == 1
    assert content[7]["f1_uncut"] == 0  # the filter wants them dark
    assert content[6]["half_contrast"]["n_true_uncut"] == 3
    assert "| dense layer, inverted | classical | 1 |" in page.read_text()
    assert [path.name for path in (overlays / "dense-layer" / "classical").iterdir()] == ["a.png"]
    assert "rank correlation" in capsys.readouterr().out


def test_without_any_set_it_says_what_is_expected(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["real_micrographs", str(tmp_path), "--model", "classical"])
    with pytest.raises(AntemaError, match="expected labelled sets"):
        real_micrographs.main()


def test_rods_are_those_more_than_twice_as_long_as_wide():
    rod, stub = Instance(0, 0, np.ones((10, 40), bool)), Instance(50, 50, np.ones((10, 11), bool))
    assert real_micrographs.kinds_of([rod, stub], [], has_rods=True) == ["rods", "compact"]
    assert real_micrographs.kinds_of([rod, stub], [], has_rods=False) == ["", ""]


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_inverted_pixels_keep_their_type_and_their_range(kind):
    pixels = np.array([[3, 200], [7, 50]], kind)
    case = Case(Micrograph(pixels, PixelSize(1.0, "test"), "a", ""), [])
    turned = real_micrographs.inverted(case).micrograph.pixels
    assert turned.dtype == kind
    assert turned.tolist() == [[197, 0], [193, 150]]
