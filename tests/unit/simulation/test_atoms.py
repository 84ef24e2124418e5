import numpy as np
import pytest

from antema.simulation.atoms import outlined, random_rotation
from antema.simulation.domains import grown
from antema.simulation.materials import METALS
from antema.simulation.scattering import scattering_factor_nm
from antema.simulation.shapes import Ellipsoid

AU = METALS["Au"]


def ball(rng, diameter_nm=4.0):
    """Return the atoms of a ball of gold in any orientation around the origin."""
    return grown(rng, AU, Ellipsoid(diameter_nm / 2 * np.eye(3)), "sphere", "crystal").atoms.places_nm


def mask_of(atoms, pixel_size_nm):
    return outlined(atoms, np.full(len(atoms), AU.radius_nm), pixel_size_nm)


def test_a_rotation_keeps_lengths_and_hands():
    turn = random_rotation(np.random.default_rng(4))
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)


def test_the_outline_of_one_atom_is_its_disc():
    for pixel_size_nm in (0.02, 0.01):
        x, y, mask, _ = mask_of(np.array([[1.003, 2.004, 0.0]]), pixel_size_nm)
        area_nm2 = mask.sum() * pixel_size_nm**2
        assert area_nm2 == pytest.approx(np.pi * 0.144**2, rel=0.04)
        rows, columns = np.nonzero(mask)
        assert (columns.mean() + 0.5 + x) * pixel_size_nm == pytest.approx(1.003, abs=pixel_size_nm / 2)
        assert (rows.mean() + 0.5 + y) * pixel_size_nm == pytest.approx(2.004, abs=pixel_size_nm / 2)


def test_the_outline_of_a_sphere_ends_a_metallic_radius_outside_its_outer_atoms():
    rng = np.random.default_rng(5)
    atoms = ball(rng) + [5.0, 5.0, 0.0]
    reach_nm = np.hypot(atoms[:, 0] - 5, atoms[:, 1] - 5).max()
    _, _, mask, _ = mask_of(atoms, 0.05)
    equivalent_nm = 2 * np.sqrt(mask.sum() * 0.05**2 / np.pi)
    # not every atom of the rim lies on the enclosing circle
    assert 2 * reach_nm - 0.05 < equivalent_nm < 2 * (reach_nm + AU.radius_nm) + 0.02
    assert equivalent_nm == pytest.approx(4.0 + 2 * AU.radius_nm, abs=0.25)


def test_a_mask_is_neither_wider_nor_narrower_than_its_outline():
    rng = np.random.default_rng(8)
    wider_px = []
    for _ in range(24):
        atoms = ball(rng) + rng.uniform(0, 1, 3)
        radii = np.full(len(atoms), AU.radius_nm)
        _, _, mask, shadow = outlined(atoms, radii, 0.08, most_samples=25_000)
        radius_px = np.sqrt(np.array([np.count_nonzero(mask), shadow.area_nm2 / 0.08**2]) / np.pi)
        wider_px.append(radius_px[0] - radius_px[1])
    assert np.mean(wider_px) == pytest.approx(0, abs=0.03)


def test_the_outline_has_no_holes_between_atom_columns():
    from scipy import ndimage

    grid = np.arange(0, 3, 0.4)
    atoms = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
    _, _, mask, _ = mask_of(atoms, 0.05)
    assert np.array_equal(mask, ndimage.binary_fill_holes(mask))
    assert ndimage.label(mask)[1] == 1


def test_heavier_atoms_scatter_more_and_all_less_at_larger_angles():
    g = np.array([0.0, 2.0, 5.0, 10.0])
    gold, copper = scattering_factor_nm(79, g), scattering_factor_nm(29, g)
    assert (gold > copper).all()
    assert (np.diff(gold) < 0).all()
    # Rutherford scattering far out: 2 Z / (a0 (2 pi g)^2), screening no longer matters
    far = scattering_factor_nm(79, np.array([500.0]))[0]
    assert far == pytest.approx(2 * 79 / (0.0529177 * (2 * np.pi * 500) ** 2), rel=0.02)
