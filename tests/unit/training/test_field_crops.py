"""Crops of simulated micrographs as an analysis cuts them out, and going on from an older classifier."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from antema.analysis.instance_maps import read_instances
from antema.cli import main
from antema.domain import AntemaError
from antema.imaging import read
from antema.simulation import simulate_micrographs
from antema.training import crops_of_fields
from antema.training.crop_sets import read_crop_set
from antema.training.crystallinity import _split


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fields")
    simulate_micrographs(folder, count=1, seed=3, shape=(256, 256), kind="crystallinity", pixel_size_nm=0.08)
    return folder


@pytest.fixture(scope="module")
def crops(fields, tmp_path_factory):
    out = tmp_path_factory.mktemp("crops")
    assert main(["simulate", "crystallinity", "--cut-from", str(fields), "--out", str(out)]) == 0
    return out


def test_particles_are_cut_out_by_the_analysis_and_labelled_by_the_truth(fields, crops):
    rows = list(csv.DictReader((crops / "labels.csv").read_text("utf-8").splitlines()))
    (image,) = (fields / "images").glob("*.tif")
    truth = json.loads((fields / f"{image.stem}.json").read_text("utf-8"))["particles"]
    whole = [one for one in truth if not one["touches_border"]]
    assert 0.5 * len(whole) <= len(rows) <= len(truth)
    micrograph = read(image)
    masks = [(i.x, i.y, i.mask) for i in read_instances(fields / "instances" / image.name)]
    for row in rows:
        crop = read(crops / "crops" / f"{row['name']}.tif")
        mask = np.asarray(Image.open(crops / "masks" / f"{row['name']}.png")) > 0
        assert crop.pixel_size.nm == pytest.approx(micrograph.pixel_size.nm, rel=1e-5)
        assert row["field"] == image.stem
        # the one that looks like it is in the micrograph, and the truth there has the class
        windows = np.lib.stride_tricks.sliding_window_view(micrograph.pixels, crop.pixels.shape)
        ((y, x),) = np.argwhere((windows[..., 0, 0] == crop.pixels[0, 0]) & (windows == crop.pixels).all(axis=(2, 3)))
        drawn = np.zeros(micrograph.pixels.shape, bool)
        drawn[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
        common = [np.count_nonzero(drawn[v : v + m.shape[0], u : u + m.shape[1]] & m) for u, v, m in masks]
        assert row["class"] == truth[int(np.argmax(common))]["class"]
        assert float(row["mask_iou"]) >= 0.5
        assert (row["clearest_spacing_nm"] == "") == (row["class"] == "amorphous")


def test_particles_of_one_micrograph_are_held_out_together(crops):
    labelled = read_crop_set(crops)
    assert len(labelled) > 1
    learn, held = _split([labelled], 0)
    assert sorted(len(each) for part in (learn, held) for each in part.values()) == [len(labelled)]


def test_micrographs_of_another_kind_are_refused(tmp_path):
    with pytest.raises(AntemaError, match="found no image"):
        crops_of_fields(tmp_path, tmp_path / "out")
    simulate_micrographs(tmp_path / "large", count=1, seed=3, shape=(192, 192), kind="large")
    with pytest.raises(AntemaError, match="of the kind crystallinity, found another"):
        crops_of_fields(tmp_path / "large", tmp_path / "out")
    next((tmp_path / "large").glob("field*.json")).unlink()
    with pytest.raises(AntemaError, match="found no field_"):
        crops_of_fields(tmp_path / "large", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_count_and_seed_the_terminal_says_what_it_expects(tmp_path, capsys):
    assert main(["simulate", "crystallinity", "--out", str(tmp_path / "out")]) == 2
    assert "found no --count and no --seed" in capsys.readouterr().err
    both = ["--cut-from", str(tmp_path), "--count", "2"]
    assert main(["simulate", "crystallinity", "--out", str(tmp_path / "out"), *both]) == 2
    assert "found both" in capsys.readouterr().err
