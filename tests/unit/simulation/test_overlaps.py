import numpy as np
import pytest
from scipy.ndimage import label

from antema.simulation.overlaps import (
    CONVEX_KINDS,
    NON_CONVEX_KINDS,
    convex_curve,
    curve_area,
    overlapping_particles,
    single_particle,
)


@pytest.mark.parametrize("kind", [*CONVEX_KINDS, "mixed"])
def test_a_group_is_what_its_seed_says(kind):
    one, same, other = (overlapping_particles(seed, kind=kind, n=3, overlap=0.2) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.probability, same.probability)
    assert one.probability.shape != other.probability.shape or (one.probability != other.probability).any()
    assert len(one.instances) == len(one.diameters_px) == 3


@pytest.mark.parametrize("kind", CONVEX_KINDS)
def test_instances_are_whole_and_have_the_stated_diameters(kind):
    for seed in range(4):
        group = overlapping_particles(seed, kind=kind, n=3, overlap=0.3, diameters_px=(50, 100))
        found = [2 * np.sqrt(instance.area_px / np.pi) for instance in group.instances]
        np.testing.assert_allclose(found, group.diameters_px, rtol=0.01)
        assert group.diameters_px.min() >= 0.5 * 50


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.6])
def test_discs_overlap_by_what_was_asked_for(overlap):
    group = overlapping_particles(3, n=2, overlap=overlap, noise=0.0)
    first, second = (curve.mean(axis=0) for curve in group.curves)
    expected = group.diameters_px.mean() - overlap * group.diameters_px.min()
    assert np.hypot(*(first - second)) == pytest.approx(expected, rel=1e-3)


def test_without_noise_the_level_of_one_half_is_the_union_of_the_instances():
    group = overlapping_particles(1, kind="mixed", n=3, overlap=0.2, diameters_px=(60, 60), noise=0.0)
    union = np.zeros_like(group.foreground)
    for instance in group.instances:
        union[instance.y : instance.y + instance.h, instance.x : instance.x + instance.w] |= instance.mask
    different = group.foreground ^ union
    assert not (union & ~group.foreground).any()  # notches are filled a little, nothing is taken away
    assert different.sum() < 0.005 * union.sum()
    assert label(group.foreground)[1] == 1


def test_noise_shifts_the_outline_by_its_share_of_the_radius():
    # the area between the rough and the smooth outline, over its length: the mean shift, 0.8 of the rms one
    shifts = []
    for seed in range(12):
        smooth, rough = (single_particle(seed, diameters_px=(100, 100), noise=noise, edge_px=1) for noise in (0, 0.03))
        shifts.append((smooth.foreground ^ rough.foreground).sum() / (np.pi * 100))
    assert np.mean(shifts) == pytest.approx(0.8 * 0.03 * 50, rel=0.2)


@pytest.mark.parametrize("kind", [*CONVEX_KINDS, *NON_CONVEX_KINDS])
def test_singles_are_alone_and_convex_where_they_should_be(kind):
    single = single_particle(7, kind=kind, diameters_px=(60, 60), noise=0.0)
    curve = single.curves[0]
    along = np.roll(curve, -1, axis=0) - curve
    after = np.roll(along, -1, axis=0)
    turn = np.arctan2(along[:, 0] * after[:, 1] - along[:, 1] * after[:, 0], (along * after).sum(axis=1))
    assert turn.sum() == pytest.approx(2 * np.pi)
    inward = -turn[turn < 0].sum()
    assert inward < 0.02 if kind in CONVEX_KINDS else inward > 0.1
    assert curve_area(curve) == pytest.approx(np.pi * 30**2, rel=1e-3)


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="found 'blob'"):
        overlapping_particles(0, kind="blob")
    with pytest.raises(ValueError, match="found 'blob'"):
        single_particle(0, kind="blob")


def test_a_curve_has_the_asked_diameter_about_the_origin():
    curve = convex_curve("polygon", 30.0, np.random.default_rng(1))
    assert curve_area(curve) == pytest.approx(np.pi * 15**2)
