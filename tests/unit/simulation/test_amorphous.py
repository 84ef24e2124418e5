import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import KDTree

from antema.simulation.amorphous import (
    CARBON,
    SILICON,
    amorphous_shift,
    mean_shift_per_nm,
    packed,
    structure_factor,
)
from antema.simulation.fourier import frequencies_per_nm
from antema.simulation.multislice import thin_shift
from antema.simulation.optics import Optics


@pytest.mark.parametrize("solid", [CARBON, SILICON])
def test_the_random_field_has_the_structure_factor(solid):
    rng, pixel_nm = np.random.default_rng(3), 0.05
    g = frequencies_per_nm((512, 512), pixel_nm)
    single = thin_shift(np.full((1, 2), 0.025), solid.z, pixel_size_nm=pixel_nm, shape=(512, 512), optics=Optics())
    films = [amorphous_shift(rng, (512, 512), pixel_nm, 4.0, Optics(), solid) for _ in range(3)]
    # a single atom on the grid shows its splines above half of the Nyquist frequency
    atoms = solid.atoms_per_nm3 * 4.0 * (512 * pixel_nm) ** 2
    spectrum = np.mean([np.abs(np.fft.fft2(film)) ** 2 for film in films], axis=0)
    spectrum /= atoms * np.abs(np.fft.fft2(single)) ** 2
    for low in np.arange(0.5, 7.5, 0.5):
        ring = (g >= low) & (g < low + 0.1)
        assert spectrum[ring].mean() == pytest.approx(structure_factor(solid, g[ring]).mean(), rel=0.15)


def test_structure_factors_have_their_humps_and_end_at_one():
    g = np.linspace(0, 20, 2001)
    carbon, silicon = structure_factor(CARBON, g), structure_factor(SILICON, g)
    assert 1.1 < carbon.max() < 1.3
    assert 4.4 < g[carbon.argmax()] < 5.2
    assert 3.0 < g[silicon.argmax()] < 3.4
    for values in (carbon, silicon):
        assert values[0] < 0.3
        assert (values > 0).all()
        assert values[-1] == pytest.approx(1, abs=1e-3)


def test_a_thicker_film_is_darker_in_proportion_and_rougher_by_the_root():
    thin, thick = (amorphous_shift(np.random.default_rng(4), (256, 256), 0.06, t, Optics()) for t in (2.0, 8.0))
    assert thick.real.std() == pytest.approx(2 * thin.real.std(), rel=1e-3)
    assert thick.mean() == pytest.approx(4 * thin.mean(), rel=1e-3)
    assert thin.mean() == pytest.approx(2 * mean_shift_per_nm(CARBON, Optics(), 0.06), rel=1e-3)
    assert thin.mean().imag > 0


def test_a_map_of_the_thickness_makes_holes():
    thickness = np.full((128, 200), 5.0, np.float32)
    thickness[:, :100] = 0
    film = amorphous_shift(np.random.default_rng(5), (128, 200), 0.06, thickness, Optics())
    assert film.shape == (128, 200)
    assert np.abs(film[:, :100]).max() == 0
    assert film[:, 100:].real.std() > 0.05


def test_the_mean_phase_is_that_of_carbons_mean_inner_potential():
    # independent atoms at 2.0 g/cm3 have 12.0 V; bonded carbon is measured at 9 to 11 V
    optics = Optics(voltage_kv=300)
    volts = mean_shift_per_nm(CARBON, optics, 0.01).real / 0.00652
    assert volts == pytest.approx(12.0, rel=0.05)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000), x=st.floats(0.8, 2.5), z=st.floats(0.5, 2.0))
def test_packed_atoms_keep_their_distance_and_density(seed, x, z):
    size = (x, 1.5, z)
    atoms = packed(np.random.default_rng(seed), size)
    assert len(atoms) == round(100 * x * 1.5 * z)
    assert ((atoms >= 0) & (atoms < size)).all()
    tiled = np.concatenate([atoms + [i * x, j * 1.5, 0] for i in (-1, 0, 1) for j in (-1, 0, 1)])
    nearest = KDTree(tiled).query(atoms, k=2)[0][:, 1]
    assert nearest.min() >= 0.160


def test_packed_carbon_has_its_hump_near_that_of_the_random_field():
    side, rng = 3.0, np.random.default_rng(6)
    orders = np.arange(-27, 28)
    g = np.hypot(orders[:, None], orders) / side
    spectra = []
    for _ in range(4):
        atoms = packed(rng, (side, side, side))
        x, y = (np.exp(-2j * np.pi * orders[:, None] * atoms[:, axis] / side) for axis in (0, 1))
        spectra.append(np.abs(y @ x.T) ** 2 / len(atoms))
    spectrum = np.mean(spectra, axis=0)
    assert 1.05 < spectrum[(g > 4.7) & (g < 6.7)].mean() < 1.4
    assert spectrum[(g > 0.3) & (g < 2)].mean() < 0.35


def test_what_cannot_be_packed_is_refused():
    with pytest.raises(ValueError, match=r"at least 0.32 nm along x and y is expected; found"):
        packed(np.random.default_rng(7), (0.3, 1.0, 1.0))
