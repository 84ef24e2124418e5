import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antema.domain import Instance
from antema.imaging import read
from antema.simulation import drawn_field, instance_pages, metal_field, simulate_micrographs, write_field
from antema.simulation.drawn import placed
from antema.simulation.field import in_image
from antema.simulation.solids import OUTLINES, PROFILES, signed_distance, thickness


@given(x=st.integers(-12, 30), y=st.integers(-12, 30), h=st.integers(1, 12), w=st.integers(1, 12))
def test_what_is_kept_of_a_mask_lies_in_the_image(x, y, h, w):
    instance = in_image(x, y, np.ones((h, w), bool), (20, 25))
    rows = max(0, min(y + h, 20) - max(y, 0))
    columns = max(0, min(x + w, 25) - max(x, 0))
    assert (instance.area_px if instance else 0) == rows * columns


def test_placed_circles_keep_apart_unless_told_otherwise():
    centres = placed(np.random.default_rng(1), np.full(30, 20.0), (300, 300), overlaps=0.0)
    points = np.array([centre for centre in centres if centre])
    assert len(points) > 15
    distance = np.hypot(*(points[:, None] - points).transpose(2, 0, 1))
    assert distance[np.triu_indices(len(points), 1)].min() >= 20


@pytest.mark.parametrize("outline", OUTLINES)
def test_outlines_have_about_the_area_of_their_circle(outline):
    y, x = np.mgrid[-150:150, -150:150].astype(np.float32) + 0.5
    for seed in range(4):
        distance = signed_distance(outline, x, y, 40.0, np.random.default_rng(seed))
        assert (distance < 0).sum() == pytest.approx(np.pi * 40**2, rel=0.3)
        near = np.abs(distance[:-1]) < 3
        assert np.abs(np.diff(distance, axis=0))[near].max() < 1.3  # a distance changes no faster than the place


@pytest.mark.parametrize("profile", PROFILES)
def test_thickness_is_nothing_outside_and_at_most_one(profile):
    distance = np.linspace(-40, 10, 200, dtype=np.float32)
    values, rim = thickness(profile, distance, 40.0, np.random.default_rng(1))
    assert (rim is None) == (profile not in ("core", "hollow"))
    assert (values[distance >= 0] == 0).all()
    assert values.max() <= 1 + 1e-6
    assert values.max() > 0.3


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_drawn_fields_repeat_and_fit(seed):
    first, again = (drawn_field(seed, shape=(128, 160)) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)
    assert first.pixels.shape == first.particle_mask().shape == (128, 160)
    assert first.pixels.dtype in (np.uint8, np.uint16)


def test_a_written_field_is_read_with_its_scale_and_truth(tmp_path):
    import tifffile

    field = metal_field(5, shape=(192, 224), pixel_size_nm=0.08)
    path = write_field(field, tmp_path, "one")
    micrograph = read(path)
    assert micrograph.pixel_size.nm == pytest.approx(0.08, rel=1e-5)
    assert np.array_equal(micrograph.pixels, field.pixels)
    truth = json.loads((tmp_path / "one.json").read_text())
    assert field.atoms is not None
    for folder, masks in (("instances", field.instances), ("atoms", field.atoms)):
        pages = tifffile.imread(tmp_path / folder / "one.tif").reshape(-1, 192, 224)
        areas = np.bincount(pages.ravel(), minlength=len(masks) + 1)[1:]
        assert areas.tolist() == [one.area_px for one in masks]
    assert [one["number"] for one in truth["particles"]] == list(range(1, len(field.instances) + 1))


def test_a_drawn_field_is_read_without_scale(tmp_path):
    path = write_field(drawn_field(3, shape=(96, 96)), tmp_path, "drawn")
    assert not read(path).pixel_size.is_known


def test_overlapping_instances_lie_whole_on_one_page_each():
    square = np.ones((6, 6), bool)
    pages = instance_pages([Instance(0, 0, square), Instance(3, 3, square), Instance(10, 10, square)], (20, 20))
    assert pages.shape == (2, 20, 20)
    for number in (1, 2, 3):
        assert sorted(np.count_nonzero(page == number) for page in pages) == [0, 36]


def test_a_simulated_set_has_pairs(tmp_path):
    told = []
    paths = simulate_micrographs(tmp_path, count=2, seed=4, shape=(96, 96), progress=lambda *a: told.append(a))
    assert [path.name for path in paths] == ["field_000004.tif", "field_000005.tif"]
    assert all((tmp_path / "instances" / path.name).is_file() for path in paths)
    assert told == [(1, 2), (2, 2)]
