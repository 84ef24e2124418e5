import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from antema.domain import Annotations, AntemaError, Box
from antema.training import sources
from antema.training.sources import is_held_out, read_set, seams, split, true_instances


def disc(shape, y, x, radius):
    rows, columns = np.indices(shape)
    return (rows - y) ** 2 + (columns - x) ** 2 < radius**2


@pytest.fixture
def micrograph_set(tmp_path):
    for folder in ("images", "instances"):
        (tmp_path / folder).mkdir()
    one, two = disc((60, 80), 30, 30, 10), disc((60, 80), 30, 42, 10)
    image = np.full((60, 80), 200, np.uint8)
    image[one | two] = 60
    Image.fromarray(image).save(tmp_path / "images" / "a.png")
    pages = np.stack([one * 1, two * 2]).astype(np.uint16)
    tifffile.imwrite(tmp_path / "instances" / "a.tif", pages, photometric="minisblack")
    return tmp_path


def test_overlapping_instances_are_united_and_measured_one_by_one(micrograph_set):
    (image,) = read_set(micrograph_set)
    assert image.name == f"{micrograph_set.name}/a"
    assert np.array_equal(image.particle, disc((60, 80), 30, 30, 10) | disc((60, 80), 30, 42, 10))
    assert image.width_px == pytest.approx(20, abs=0.6)
    assert image.trusted is None


def test_an_image_without_its_map_is_named(micrograph_set):
    (micrograph_set / "instances" / "a.tif").rename(micrograph_set / "instances" / "b.tif")
    with pytest.raises(AntemaError, match=r"a\.png: expected an instance map"):
        read_set(micrograph_set)


def test_a_map_of_another_size_is_refused(micrograph_set):
    tifffile.imwrite(micrograph_set / "instances" / "a.tif", np.zeros((60, 81), np.uint16))
    with pytest.raises(AntemaError, match=r"\(60, 80\).*\(60, 81\)"):
        read_set(micrograph_set)


def test_a_folder_that_is_no_set_is_refused(tmp_path):
    with pytest.raises(AntemaError, match="expected images/ with instances/"):
        read_set(tmp_path)


def test_forgotten_particles_of_polygon_sets_are_not_trusted(tmp_path):
    image = np.full((100, 100), 220, np.uint8)
    image[10:30, 10:30] = 50
    image[60:85, 60:85] = 50
    Image.fromarray(image).save(tmp_path / "p.png")
    square = [10, 10, 30, 10, 30, 30, 10, 30]
    coco = {
        "images": [{"id": 3, "file_name": "p.png"}],
        "annotations": [{"image_id": 3, "segmentation": [square], "area": 400}],
    }
    (tmp_path / "annotations.coco.json").write_text(json.dumps(coco))
    (labelled,) = read_set(tmp_path)
    assert labelled.particle.sum() == 400
    assert labelled.particle[10:30, 10:30].all()
    assert not labelled.trusted[62:83, 62:83].any()
    assert labelled.trusted[:50, :50].all()


def test_the_split_belongs_to_the_name_and_the_seed():
    names = [f"set/{k}" for k in range(2000)]
    held = {name for name in names if is_held_out(name, seed=0)}
    assert len(held) == pytest.approx(300, abs=50)
    assert held == {name for name in reversed(names) if is_held_out(name, seed=0)}
    assert held != {name for name in names if is_held_out(name, seed=1)}


def test_nothing_held_out_is_learned_from(shared_data, monkeypatch):
    monkeypatch.setattr(sources, "find_annotations", lambda _: Annotations())
    images = read_set(shared_data / "emps-bf-train")
    learn, held = split(images, seed=0)
    assert len(learn) + len(held) == 178
    assert 10 < len(held) < 45
    assert not {image.name for image in learn} & {image.name for image in held}


def test_what_is_burned_into_a_real_image_is_painted_over_and_remembered(micrograph_set, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "find_annotations", lambda _: Annotations(boxes=(Box(50, 5, 20, 10),)))
    (image,) = read_set(micrograph_set, remembered=tmp_path / "known.json")
    assert not image.trusted[5:15, 50:70].any()
    assert image.trusted.sum() == 60 * 80 - 200

    def forgotten(_):
        raise AssertionError("looked for again")

    monkeypatch.setattr(sources, "find_annotations", forgotten)
    (again,) = read_set(micrograph_set, remembered=tmp_path / "known.json")
    assert np.array_equal(again.trusted, image.trusted)


def test_a_simulated_image_keeps_its_letters(micrograph_set):
    (micrograph_set / "a.json").write_text("{}")
    (image,) = read_set(micrograph_set)
    assert image.trusted is None


def test_how_much_is_seen_belongs_to_the_particle_whatever_its_page(micrograph_set):
    shape = (60, 80)
    first, over, apart = disc(shape, 30, 25, 10), disc(shape, 30, 37, 10), disc(shape, 30, 65, 6)
    pages = np.stack([first * 1 + apart * 3, over * 2]).astype(np.uint16)
    tifffile.imwrite(micrograph_set / "instances" / "a.tif", pages, photometric="minisblack")
    shown = {1: (1, 0.9), 2: (2, 0.1), 3: (1, 0.8)}
    particles = [{"number": k, "page": page, "seen": seen} for k, (page, seen) in shown.items()]
    (micrograph_set / "a.json").write_text(json.dumps({"particles": particles, "conditions": {}}))
    (image,) = read_set(micrograph_set, one_by_one=True)
    (under,) = np.unique(image.pages[:, 30, 45][image.pages[:, 30, 45] > 0])  # the middle of the second alone
    assert image.seen[under - 1] == pytest.approx(0.1)
    assert sorted(image.seen.tolist()) == pytest.approx([0.1, 0.8, 0.9])


def test_older_architectures_learn_where_atoms_end(micrograph_set):
    (micrograph_set / "atoms").mkdir()
    wider = disc((60, 80), 30, 30, 13)
    tifffile.imwrite(micrograph_set / "atoms" / "a.tif", (wider * 1).astype(np.uint16), photometric="minisblack")
    (older,) = read_set(micrograph_set)
    (newer,) = read_set(micrograph_set, one_by_one=True)
    assert np.array_equal(older.particle, wider)
    assert np.array_equal(newer.atoms, wider)
    assert not np.array_equal(newer.particle, wider)


def test_bright_particles_are_learned_from_inverted(micrograph_set):
    (plain,) = read_set(micrograph_set)
    (micrograph_set / "a.json").write_text('{"conditions": {"mode": "dark"}}')
    (image,) = read_set(micrograph_set)
    assert np.array_equal(image.pixels, 200 - plain.pixels)


def test_seams_lie_where_particles_touch_or_overlap(micrograph_set):
    (image,) = read_set(micrograph_set)
    ys, xs = np.nonzero(image.contact)
    assert image.contact.sum() > 20
    assert not (image.contact & ~image.particle).any()
    # along both outlines inside the other disc, 32 to 40 px from the left
    assert 29 <= xs.min() <= xs.max() <= 43
    assert image.contact[30, 32:34].any()
    assert image.contact[30, 39:42].any()
    assert not image.contact[30, 36]
    assert not image.contact[:, :28].any()


def test_particles_apart_have_no_seam():
    pages = np.zeros((1, 40, 60), np.uint16)
    pages[0, 10:20, 10:20], pages[0, 10:20, 25:35], pages[0, 30:35, 10:20], pages[0, 36:40, 10:20] = 1, 2, 3, 4
    found = seams(true_instances(pages), (40, 60))
    assert not found[:28].any()
    assert found[34:37, 12:18].any()  # a gap of one pixel
