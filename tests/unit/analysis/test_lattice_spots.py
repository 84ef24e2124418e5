"""Bragg spots of drawn particles whose lattice is known."""

import numpy as np
import pytest
from scipy import ndimage

from antema.analysis.lattice import lattice_spots
from antema.domain.lattices import LATTICES

PX_NM = 0.03
GOLD = LATTICES["Au"]


def disc(side=160, radius=60):
    y, x = np.mgrid[:side, :side] - side / 2
    return np.hypot(x, y) <= radius


def waves(side, *planes, amplitude=1.0):
    """Return fringes of (spacing in nm, angle in degrees, counter-clockwise from the right)."""
    y, x = np.mgrid[:side, :side] * PX_NM
    total = np.zeros((side, side))
    for spacing, degrees in planes:
        a = np.radians(degrees)
        total += amplitude * np.cos(2 * np.pi * (x * np.cos(a) - y * np.sin(a)) / spacing)
    return total


def noise(side, seed):
    return np.random.default_rng(seed).normal(0, 1, (side, side))


def test_fringes_are_found_named_and_measured():
    mask = disc()
    planes = ((0.2355, 20.0), (0.2355, 20 + 70.53), (0.2039, 20 - 54.74))
    found = lattice_spots(100 - 20 * mask + waves(160, *planes) * mask + noise(160, 1), mask, PX_NM, GOLD)
    assert sorted(one.reflection for one in found.spots) == ["{111}", "{111}", "{200}"]
    for one in found.spots:
        spacing, angle = min(planes, key=lambda p: abs((p[1] - one.angle_deg + 90) % 180 - 90))
        assert abs(one.spacing_nm - spacing) < 3 * one.spacing_error_nm
        assert one.spacing_error_nm < 0.005
        assert abs((one.angle_deg - angle + 90) % 180 - 90) < 3 * one.angle_error_deg
        assert one.chance < 1e-6
    assert found.crystallinity == "monocrystalline"


def test_without_material_spots_have_no_names():
    mask = disc()
    found = lattice_spots(waves(160, (0.25, 40.0)) * mask + noise(160, 2), mask, PX_NM)
    assert [one.reflection for one in found.spots] == [""]
    assert found.reflections == ()


def test_noise_has_spots_at_most_as_often_as_stated():
    mask = disc(70, 25)
    alarms = sum(
        bool(lattice_spots(noise(70, seed), mask, PX_NM, GOLD, false_alarms=0.2).spots) for seed in range(100, 140)
    )
    assert alarms <= 14  # 8 are expected where the stated chance is exact


def test_crystals_at_an_angle_that_none_has_are_several():
    mask = disc()
    left = np.arange(160) < 80
    fringes = np.where(left, waves(160, (0.2355, 10.0)), waves(160, (0.2355, 55.0)))
    found = lattice_spots(2 * fringes * mask + noise(160, 4), mask, PX_NM, GOLD)
    assert found.crystallinity == "polycrystalline"
    one, other = (next(s.domain for s in found.spots if abs(s.angle_deg - angle) < 3) for angle in (10, 55))
    assert one != other
    assert one > 0
    assert other > 0


def test_fringes_on_one_side_are_not_one_crystal():
    mask = disc()
    fringes = waves(160, (0.2355, 10.0)) * (np.arange(160) < 80)
    found = lattice_spots(2 * fringes * mask + noise(160, 5), mask, PX_NM, GOLD)
    assert found.crystallinity == "polycrystalline"
    assert "side" in found.reason


def test_a_glass_is_called_so_only_where_its_atoms_show():
    mask = disc()
    rng = np.random.default_rng(6)
    atoms = np.zeros((160, 160))
    atoms[rng.integers(0, 160, 4000), rng.integers(0, 160, 4000)] = 1
    atoms = ndimage.gaussian_filter(atoms, 1.5) * mask
    shown = lattice_spots(100 * atoms + noise(160, 6), mask, PX_NM, GOLD)
    assert (shown.spots, shown.crystallinity) == ((), "amorphous")
    hidden = lattice_spots(atoms + noise(160, 6), mask, PX_NM, GOLD)
    assert (hidden.spots, hidden.crystallinity) == ((), "unknown")


def test_blocks_of_jpeg_are_no_lattice():
    mask = disc(160, 60)
    blocks = 3.0 * (np.arange(160) % 8 == 0)
    found = lattice_spots(noise(160, 7) + blocks + blocks[:, None], mask, PX_NM, GOLD)
    assert found.spots == ()
    assert found.artefacts


def test_lines_of_pixels_that_differ_in_gain_are_no_lattice():
    mask = disc()
    alarms = sum(
        bool(lattice_spots(noise(160, s) + 0.5 * noise(160, s + 50)[:1], mask, PX_NM, GOLD).spots) for s in range(4)
    )
    assert alarms <= 1


def test_astigmatic_noise_is_no_lattice():
    g = np.fft.fftfreq(160, PX_NM)
    angle = np.arctan2(g[:, None], g)
    mask, alarms = disc(), 0
    for seed in range(8):
        shaped = np.fft.ifft2(np.fft.fft2(noise(160, seed)) * np.exp(1.2 * np.cos(2 * angle - 1))).real
        alarms += bool(lattice_spots(shaped, mask, PX_NM, GOLD).spots)
    assert alarms <= 2


def test_pixels_too_coarse_and_particles_too_small_are_unknown():
    mask = disc(60, 20)
    coarse = lattice_spots(noise(60, 3), mask, 0.15, GOLD)
    assert coarse.crystallinity == "unknown"
    assert "too coarse" in coarse.reason
    small = lattice_spots(noise(60, 3), disc(60, 6), PX_NM / 2, GOLD)
    assert small.crystallinity == "unknown"
    assert "too small" in small.reason


def test_impossible_masks_are_refused():
    with pytest.raises(ValueError, match="shape"):
        lattice_spots(np.zeros((4, 4)), np.ones((4, 5), bool), PX_NM)
    with pytest.raises(ValueError, match="one pixel"):
        lattice_spots(np.zeros((4, 4)), np.zeros((4, 4), bool), PX_NM)
