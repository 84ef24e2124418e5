import numpy as np
import pytest
from scipy import ndimage

from antema.domain import Instance
from antema.simulation import KINDS, Camera, Optics, drawn_field, metal_field
from antema.simulation.atoms import outlined
from antema.simulation.edges import blur_of, diameter_px, half_contrast, of_atoms, of_solid

N = 200


def ball(radius, size=N, at=(0, 0)):
    """Return the thickness of a sphere by its radius, and where it is; its middle is `at` (x, y) from the image's."""
    y, x = np.mgrid[:size, :size] + 0.5 - size / 2
    r2 = ((x - at[0]) ** 2 + (y - at[1]) ** 2) / radius**2
    return np.sqrt(np.maximum(1 - r2, 0)), r2 < 1


def radius_of(mask):
    return np.sqrt(np.count_nonzero(mask) / np.pi)


def test_a_sphere_that_absorbs_little_ends_a_little_inside_of_its_radius():
    thickness, matter = ball(70)
    # contrast as thickness: half of sqrt(2 d - d²) at d = 0.2, the middle of the band by area a little less deep
    assert radius_of(half_contrast(0.01 * thickness, matter)) / 70 == pytest.approx(0.955, abs=0.006)


def test_the_level_of_a_sphere_follows_from_its_own_profile():
    thickness, matter = ball(70)
    contrast = 1 - np.exp(-3 * thickness)
    depth = 70 - np.hypot(*(np.mgrid[:N, :N] + 0.5 - N / 2))
    level = np.median(contrast[(depth >= 7) & (depth <= 21)]) / 2
    height = -np.log(1 - level) / 3
    assert radius_of(half_contrast(contrast, matter)) == pytest.approx(70 * np.sqrt(1 - height**2), abs=0.3)


@pytest.mark.parametrize(("width_px", "ratio"), [(6, 0.9515), (10, 0.8866), (15, 0.9235), (60, 0.9474)])
def test_how_deep_the_rim_is_depends_on_the_pixels_across_a_ball(width_px, ratio):
    # at 60 px 0.1 to 0.3 of the radius; at 15 and 10 px down to 3 px; at 6 px no deeper than 0.6 of the radius
    found = []
    for x, y in ((0, 0), (0.5, 0), (0.5, 0.5), (0.25, 0.25)):
        thickness, matter = ball(width_px / 2, 120, (x, y))
        blurred = ndimage.gaussian_filter(0.01 * thickness, 1.0)
        found.append(2 * radius_of(half_contrast(blurred, matter)) / width_px)
    assert np.mean(found) == pytest.approx(ratio, abs=0.004)


@pytest.mark.parametrize("sigma", [0.0, 1.0, 3.0])
def test_a_plate_ends_where_it_ends_however_blurred(sigma):
    _, matter = ball(50)
    blurred = ndimage.gaussian_filter(0.3 * matter.astype(float), sigma)
    # a curved edge moves inwards by half of sigma² over the radius
    assert radius_of(half_contrast(blurred, matter)) == pytest.approx(50 - sigma**2 / 100, abs=0.15)


def test_a_light_shell_and_a_hollow_middle_belong_to_the_particle():
    depth = 60 - np.hypot(*(np.mgrid[:N, :N] + 0.5 - N / 2))
    matter = depth > 0
    core = 0.1 * matter + 0.6 * (depth > 25)
    assert radius_of(half_contrast(core, matter, rim_px=25)) == pytest.approx(60, abs=0.5)
    thin = 0.1 * matter + 0.6 * (depth > 5)
    assert radius_of(half_contrast(thin, matter)) < 56  # without knowing of the shell it is lost
    hollow = 0.4 * matter * (depth < 12) + 0.02 * matter
    assert radius_of(half_contrast(hollow, matter, rim_px=12)) == pytest.approx(60, abs=0.5)


def test_without_contrast_there_is_no_outline():
    _, matter = ball(20)
    assert not half_contrast(np.zeros(matter.shape), matter).any()


def test_a_solid_of_a_window_without_margin_may_end_outside_of_it():
    mask = np.ones((4, 4), bool)
    found = of_solid(10, 20, 0.2 * mask, mask, 1.5)
    assert found.x < 10
    assert found.y < 20
    assert found.x + found.w > 14


def test_a_ball_of_atoms_without_lattice_ends_as_a_sphere_does():
    rng = np.random.default_rng(3)
    places = rng.uniform(-3, 3, (60_000, 3))
    places = places[np.linalg.norm(places, axis=1) < 3] + (10, 10, 0)
    per_atom = 4 / 3 * np.pi * 27 / len(places)
    x, y, mask, _ = outlined(places, np.full(len(places), 0.01), 0.05)
    found = of_atoms(places[:, :2] / 0.05, per_atom, Instance(x, y, mask), 0.05, 1.0, 1e-4)
    assert diameter_px(found) * 0.05 / 6 == pytest.approx(0.945, abs=0.012)


def test_more_absorption_moves_the_edge_outwards():
    thickness, matter = ball(40)
    radii = [radius_of(half_contrast(1 - np.exp(-k * thickness), matter)) for k in (0.1, 1, 4, 10)]
    assert radii == sorted(radii)
    assert radii[-1] <= 40


def test_blur_adds_as_squares():
    sharp = Camera(signal_mtf_px=0.0)
    lens = blur_of(Optics(), sharp, 0.05)
    assert 0.3 < lens < 4
    assert blur_of(Optics(), Camera(signal_mtf_px=3.0), 0.05) == pytest.approx(np.hypot(lens, 3))
    assert blur_of(Optics(), sharp, 0.05, later_px=2.0) == pytest.approx(np.hypot(lens, 2))
    assert blur_of(Optics(aperture_mrad=5), sharp, 0.05) > lens


def whole_ratios(field):
    h, w = field.pixels.shape
    return [
        np.sqrt(a.area_px / v.area_px)
        for a, v in zip(field.atoms, field.instances, strict=True)
        if a.x > 0 and a.y > 0 and a.x + a.w < w and a.y + a.h < h
    ]


def test_outlines_of_metals_are_wider_by_their_atoms():
    ratios = [whole_ratios(metal_field(seed, shape=(256, 256), pixel_size_nm=0.06)) for seed in range(4)]
    by_field = [np.median(one) for one in ratios if one]
    assert by_field
    assert all(1.05 < one < 1.22 for one in by_field)


def test_both_outlines_of_drawn_solids_are_about_the_same():
    by_field = [np.median(found) for seed in range(12) if (found := whole_ratios(drawn_field(seed)))]
    assert np.median(by_field) == pytest.approx(1.01, abs=0.03)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("mixed", "crystallinity")])
def test_both_truths_of_a_field_speak_of_the_same_particles(kind):
    field = KINDS[kind](4, shape=(128, 160))
    assert field.atoms is not None
    assert len(field.atoms) == len(field.instances) == len(field.particles)
    for one, other in zip(field.atoms, field.instances, strict=True):
        assert one.area_px > 0
        assert other.area_px > 0
        assert abs(one.x + one.w / 2 - other.x - other.w / 2) < 2 + 0.3 * one.w
