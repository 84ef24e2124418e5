import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antema.domain import Instance
from antema.imaging import read
from antema.simulation import (
    Camera,
    drawn_field,
    instance_pages,
    micrograph_field,
    simulate_micrographs,
    write_demo,
    write_field,
)
from antema.simulation.field import visible
from antema.simulation.micrographs import placed
from antema.simulation.solids import OUTLINES, PROFILES, signed_distance, thickness


def small_field(seed=5, **changes):
    conditions = {"shape": (192, 224), "pixel_size_nm": 0.08, "n": 8, "mean_diameter_nm": 2.2, **changes}
    return micrograph_field(seed, **conditions)


def test_the_same_seed_gives_the_same_field_whatever_ran_before():
    first = small_field()
    np.random.default_rng(0).normal(size=10)
    small_field(seed=6)
    again = small_field()
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.particle_mask(), again.particle_mask())
    assert not np.array_equal(first.pixels, small_field(seed=6).pixels)


def test_particles_are_darker_than_the_ground():
    field = small_field(camera=Camera(dose_e_px=2000))
    inside = field.particle_mask()
    assert 0.02 < inside.mean() < 0.6
    assert field.pixels[inside].mean() < 0.97 * field.pixels[~inside].mean()
    assert field.conditions["contrast_to_noise"] > 0.5


def test_sizes_are_the_ones_asked_for():
    field = micrograph_field(
        9, shape=(512, 512), pixel_size_nm=0.1, n=90, mean_diameter_nm=3.0, sd_nm=0.0, overlaps=0.0, amorphous_share=0
    )
    h, w = field.pixels.shape
    whole = [i for i in field.instances if i.x > 0 and i.y > 0 and i.x + i.w < w and i.y + i.h < h]
    assert len(whole) > 20
    diameters_nm = [2 * np.sqrt(i.area_px / np.pi) * 0.1 for i in whole]
    # a metallic radius is added around the outermost atoms, of which few lie right at the edge of the body that they
    # were cut from
    assert 3.0 < np.median(diameters_nm) < 3.0 + 2 * 0.144
    assert np.std(diameters_nm) < 0.15


def test_less_dose_is_more_noise():
    clear, noisy = (small_field(camera=Camera(dose_e_px=dose)).conditions["contrast_to_noise"] for dose in (2000, 20))
    assert clear > 1.5 * noisy


def test_truth_and_particles_are_aligned():
    field = small_field()
    assert len(field.instances) == len(field.particles) > 0
    for instance in field.instances:
        edges = (instance.mask[0], instance.mask[-1], instance.mask[:, 0], instance.mask[:, -1])
        assert all(edge.any() for edge in edges)  # tight
        assert 0 <= instance.x <= instance.x + instance.w <= 224
        assert 0 <= instance.y <= instance.y + instance.h <= 192


@given(x=st.integers(-12, 30), y=st.integers(-12, 30), h=st.integers(1, 12), w=st.integers(1, 12))
def test_what_is_visible_is_what_lies_in_the_image(x, y, h, w):
    instance = visible(x, y, np.ones((h, w), bool), (20, 25))
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
    values = thickness(profile, distance, 40.0, np.random.default_rng(1))
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

    field = small_field()
    path = write_field(field, tmp_path, "one")
    micrograph = read(path)
    assert micrograph.pixel_size.nm == pytest.approx(0.08, rel=1e-5)
    assert np.array_equal(micrograph.pixels, field.pixels)
    pages = np.atleast_3d(tifffile.imread(tmp_path / "instances" / "one.tif"))
    assert pages.max() == len(field.instances)
    assert (tmp_path / "one.json").is_file()


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


def test_the_demo_has_two_calibrated_batches(tmp_path, monkeypatch):
    import antema.simulation.files as files

    full = files.micrograph_field
    monkeypatch.setattr(files, "micrograph_field", lambda seed, **k: full(seed, **(k | {"shape": (128, 128), "n": 6})))
    batches = write_demo(tmp_path)
    assert [len(paths) for _, paths in batches] == [6, 6]
    assert [read(paths[0]).pixel_size.nm for _, paths in batches] == pytest.approx([0.06, 0.1], rel=1e-5)
    assert all(sample["name"] and sample["material"] == "Au" for sample, _ in batches)
