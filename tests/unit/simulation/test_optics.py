import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antema.simulation.fourier import fast_length, frequencies_per_nm, long_waves
from antema.simulation.multislice import exit_wave, exit_waves, image, thin_image, thin_shift
from antema.simulation.optics import Optics
from antema.simulation.scattering import ELEMENTS, atom_factors, scattering_factor_nm

PERFECT = {"defocus_nm": 0.0, "cs_mm": 0.0, "focal_spread_nm": 0.0, "convergence_mrad": 0.0}


def gold(n=400, side_nm=3.84, seed=1, depth_nm=2.0):
    return np.random.default_rng(seed).uniform(0, 1, (n, 3)) * [side_nm, side_nm, depth_nm]


@pytest.mark.parametrize(("kv", "wavelength_nm"), [(80, 0.0041757), (200, 0.0025079), (300, 0.0019687)])
def test_the_wavelength_is_known(kv, wavelength_nm):
    assert Optics(voltage_kv=kv).wavelength_nm == pytest.approx(wavelength_nm, rel=1e-4)


def test_transfer_is_one_for_the_undiffracted_beam_and_damped_far_out():
    transfer = np.abs(Optics().transfer((256, 256), 0.03))
    assert transfer[0, 0] == pytest.approx(1)
    assert transfer.max() <= 1 + 1e-6
    assert transfer[128, 128] < 0.05


@pytest.mark.parametrize("defocus_nm", [-200, -50, 60, 200])
def test_the_contrast_of_a_phase_vanishes_where_theory_puts_it(defocus_nm):
    optics = Optics(voltage_kv=200, defocus_nm=defocus_nm, cs_mm=0.0, focal_spread_nm=0, convergence_mrad=0)
    transfer = optics.transfer((1, 4096), 0.05)[0, 1:2048]
    g = np.fft.fftfreq(4096, 0.05)[1:2048]
    crossed = np.flatnonzero(np.diff(np.sign(transfer.imag)))
    expected = np.sqrt(np.arange(1, len(crossed) + 1) / (optics.wavelength_nm * abs(defocus_nm)))
    assert len(crossed) > 5
    assert g[crossed] == pytest.approx(expected, abs=0.006)


def test_an_image_of_a_weak_phase_shows_the_transfer():
    optics = Optics(defocus_nm=90, focal_spread_nm=5, convergence_mrad=0.2)
    white = 1e-2 * np.random.default_rng(2).standard_normal((256, 256)).astype(np.float32)
    picture = thin_image(white.astype(np.complex64), optics, 0.06)
    found = np.fft.fft2(picture - picture.mean()) / np.fft.fft2(white)
    expected = -2 * optics.transfer((256, 256), 0.06).imag
    there = np.abs(np.fft.fft2(white)) > 0.01 * 256
    assert np.abs(expected)[there].mean() > 0.2
    assert np.abs(found - expected)[there].mean() < 0.03


def test_scherzer_contrast_is_dark_where_the_phase_is_high():
    shift = thin_shift(np.array([[1.92, 1.92]]), 79, pixel_size_nm=0.03, shape=(128, 128), optics=Optics())
    picture = thin_image(shift, Optics(), 0.03)
    assert np.unravel_index(picture.argmin(), picture.shape) in {(63, 63), (63, 64), (64, 63), (64, 64)}
    assert picture.min() < 0.9


def test_round_optics_know_no_direction_and_astigmatism_does():
    round_lens = np.abs(Optics().transfer((128, 128), 0.05).imag)
    assert np.allclose(round_lens, round_lens.T, atol=1e-5)
    stretched = Optics(astigmatism_nm=30).transfer((128, 128), 0.05)
    # along x the focus is weaker by as much as it is stronger along y
    along_x = Optics(defocus_nm=30.0).transfer((128, 128), 0.05)
    along_y = Optics(defocus_nm=90.0).transfer((128, 128), 0.05)
    assert np.allclose(stretched[0, :64], along_x[0, :64], atol=2e-3)
    assert np.allclose(stretched[:64, 0], along_y[:64, 0], atol=2e-3)
    turned = Optics(astigmatism_nm=30, astigmatism_angle_rad=math.pi / 2).transfer((128, 128), 0.05)
    assert np.allclose(turned, stretched.T, atol=2e-3)


def test_coma_is_odd_and_threefold_astigmatism_repeats_after_a_third_of_a_turn():
    still = {**PERFECT, "voltage_kv": 200}
    coma = np.fft.fftshift(Optics(**still, coma_nm=200).transfer((64, 64), 0.1))[1:, 1:]
    assert np.abs(coma.imag).max() > 0.5
    assert np.allclose(coma, coma[::-1, ::-1].conj(), atol=1e-3)
    threefold, third = (
        Optics(**still, threefold_nm=200, threefold_angle_rad=angle).transfer((64, 64), 0.1)
        for angle in (0.3, 0.3 + 2 * math.pi / 3)
    )
    assert np.allclose(threefold, third, atol=1e-3)


def test_an_aperture_stops_what_is_scattered_further():
    optics = Optics(aperture_mrad=10.0)
    transfer = np.abs(optics.transfer((256, 256), 0.05))
    angle = frequencies_per_nm((256, 256), 0.05) * optics.wavelength_nm
    assert transfer[angle > 0.011].max() < 0.01
    assert transfer[angle < 0.009].max() > 0.5


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000), kv=st.sampled_from([80.0, 200.0, 300.0]), slice_nm=st.sampled_from([0.35, 5.0]))
def test_without_losses_no_electron_is_lost(seed, kv, slice_nm):
    optics = Optics(voltage_kv=kv, focal_spread_nm=4)
    wave = exit_wave(
        gold(60, seed=seed),
        79,
        pixel_size_nm=0.03,
        shape=(128, 128),
        slice_nm=slice_nm,
        optics=optics,
        thin_atoms=True,
    )
    assert (np.abs(wave) ** 2).mean() == pytest.approx(1, abs=1e-4)
    # the lens loses none either, however incoherent the light
    assert image(wave, optics, 0.03).mean() == pytest.approx(1, abs=1e-4)


def test_haze_brings_lost_electrons_back():
    atoms = gold(200)
    plain, hazy = Optics(), Optics(haze_nm=1.0)
    shift = thin_shift(atoms, 79, pixel_size_nm=0.03, shape=(128, 128), optics=plain, absorption=0.2)
    assert thin_image(shift, plain, 0.03).mean() < 0.99
    assert thin_image(shift, hazy, 0.03).mean() == pytest.approx(1, abs=1e-3)


def test_propagation_is_undone_by_focusing_back():
    atoms = gold(30, depth_nm=0.1) + [0, 0, 1]
    here, far = (
        exit_wave(atoms, 29, pixel_size_nm=0.03, shape=(128, 128), slice_nm=0.4, optics=Optics(), plane_nm=plane)
        for plane in (1.05, 31.05)
    )
    focused = image(far, Optics(**PERFECT | {"defocus_nm": 30.0}), 0.03)
    assert np.abs(focused - np.abs(here) ** 2).max() < 2e-3


def test_a_thin_object_needs_no_slices():
    atoms = gold(50, depth_nm=0.0)
    shift = thin_shift(atoms, 79, pixel_size_nm=0.03, shape=(128, 128), optics=Optics())
    wave = exit_wave(atoms, 79, pixel_size_nm=0.03, shape=(128, 128), slice_nm=0.4, optics=Optics())
    assert np.abs(wave - np.exp(1j * shift)).max() < 1e-3


def test_several_specimens_at_once_are_each_as_alone():
    one, other = (gold(40, seed=3), 79), (gold(25, seed=4, depth_nm=5.0), np.array([6] * 10 + [47] * 15))
    settings = {"pixel_size_nm": 0.06, "shape": (64, 64), "slice_nm": 0.5, "optics": Optics()}
    both = exit_waves([one, other, (np.empty((0, 3)), 6)], **settings)
    assert np.abs(both[0] - exit_wave(*one, **settings)).max() < 1e-4
    assert np.abs(both[1] - exit_wave(*other, **settings)).max() < 1e-4
    assert np.abs(both[2] - 1).max() < 1e-5


def test_atoms_lie_where_they_were_put_exactly():
    # against the sum of plane waves, which knows no grid
    pixel_nm, n = 0.03, 64
    atoms = gold(20, side_nm=pixel_nm * n)[:, :2]
    factors = {"optics": Optics(), "pixel_size_nm": pixel_nm}
    shift = np.fft.fft2(thin_shift(atoms, 47, shape=(n, n), **factors))
    single = np.fft.fft2(thin_shift(np.full((1, 2), pixel_nm / 2), 47, shape=(n, n), **factors))
    g = np.fft.fftfreq(n, pixel_nm)
    x, y = (atoms - pixel_nm / 2).T
    waves = np.exp(-2j * np.pi * y[:, None] * g).T @ np.exp(-2j * np.pi * x[:, None] * g)
    inside = frequencies_per_nm((n, n), pixel_nm) < 0.25 / pixel_nm
    assert np.abs(shift - single * waves)[inside].max() < 0.03 * np.abs(shift).max()


@settings(max_examples=10, deadline=None)
@given(dx=st.integers(-20, 20), dy=st.integers(-20, 20))
def test_moved_atoms_make_a_moved_image(dx, dy):
    atoms = gold(30, seed=5)[:, :2] / 4 + 1.2
    first, second = (
        thin_image(thin_shift(atoms + step, 79, pixel_size_nm=0.05, shape=(72, 80), optics=Optics()), Optics(), 0.05)
        for step in (np.zeros(2), np.array([dx, dy]) * 0.05)
    )
    assert np.abs(np.roll(first, (dy, dx), (0, 1)) - second).max() < 2e-3


def test_at_fine_sampling_atoms_have_the_phase_of_the_born_approximation():
    for z in (6, 29):
        terms, beyond, _ = atom_factors([z], Optics(), 0.002)
        born = 2 * terms[0, 0].sum() * Optics().lorentz_factor * Optics().wavelength_nm
        assert np.abs(beyond).max() < 0.02 * born


def test_heavy_atoms_lose_more_on_a_coarse_grid():
    lost = {z: atom_factors([z], Optics(), 0.06).beyond[0, 0].imag for z in (6, 29, 79)}
    assert 0 < lost[6] < lost[29] < lost[79]


def test_several_foci_come_nearer_to_the_sum_over_all_for_a_crystal():
    cells = np.stack(np.meshgrid(*[np.arange(5)] * 3), axis=-1).reshape(-1, 1, 3)
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    atoms = (cells + basis).reshape(-1, 3) * 0.4078 + 0.9
    optics = Optics(voltage_kv=300, defocus_nm=8, cs_mm=0.005, focal_spread_nm=3, convergence_mrad=0)
    wave = exit_wave(atoms, 79, pixel_size_nm=0.03, shape=(128, 128), slice_nm=0.35, optics=optics)
    places = np.linspace(-4, 4, 81)
    weights = np.exp(-(places**2) / 2) / np.exp(-(places**2) / 2).sum()
    exact = sum(
        weight * image(wave, replace(optics, focal_spread_nm=0.0, defocus_nm=8 + 3 * place), 0.03)
        for place, weight in zip(places, weights, strict=True)
    )
    errors = [np.std(image(wave, optics, 0.03, foci=n) - exact) / np.std(exact) for n in (1, 7)]
    assert errors[1] < 0.6 * errors[0]
    assert errors[1] < 0.1


def test_loss_grows_with_thickness_as_an_exponential_law_says():
    # atoms at random behind an aperture: equal layers stop equal parts, until electrons are scattered back into it
    optics = Optics(**PERFECT | {"voltage_kv": 200, "aperture_mrad": 10.0})
    passed = []
    for thickness_nm in (1.5, 6.0):
        atoms = gold(int(59 * 3.84**2 * thickness_nm), depth_nm=thickness_nm)
        wave = exit_wave(atoms, 79, pixel_size_nm=0.03, shape=(128, 128), slice_nm=0.4, optics=optics)
        passed.append(image(wave, optics, 0.03).mean())
    rates = -np.log(passed) / np.array([1.5, 6.0])
    assert rates == pytest.approx(np.full(2, rates[0]), rel=0.06)
    assert 0.02 < rates[0] < 0.2


def test_the_phase_grows_linearly_with_thickness():
    optics, settings = Optics(), {"pixel_size_nm": 0.06, "shape": (64, 64), "optics": Optics()}
    one = thin_shift(gold(500), 29, **settings).real.mean()
    two = thin_shift(np.concatenate([gold(500), gold(500, seed=2)]), 29, **settings).real.mean()
    assert two == pytest.approx(2 * one, rel=1e-3)
    expected = 500 / 3.84**2 * optics.lorentz_factor * optics.wavelength_nm * scattering_factor_nm(29, np.zeros(1))[0]
    assert one == pytest.approx(expected, rel=0.02)


def test_an_unknown_element_is_refused():
    with pytest.raises(ValueError, match=r"known for Z in .*found Z = \[92\]"):
        thin_shift(gold(2), 92, pixel_size_nm=0.05, shape=(64, 64), optics=Optics())
    assert {6, 8, 14, 22, 26, 29, 30, 34, 46, 47, 48, 78, 79} <= set(ELEMENTS)


@given(n=st.integers(8, 5000))
def test_fast_lengths_are_few_and_little_longer(n):
    length = fast_length(n)
    assert n <= length < 1.125 * n + 1
    assert length / 2 ** (length.bit_length() - 4) % 1 == 0


def test_long_waves_have_unit_spread():
    for shape in ((128, 200), (97, 65)):
        field = long_waves(np.random.default_rng(5), shape)
        assert field.shape == shape
        assert field.mean() == pytest.approx(0, abs=1e-5)
        assert field.std() == pytest.approx(1, rel=1e-4)


def test_importing_the_simulation_does_not_load_jax():
    code = "import sys, antema.simulation, antema.simulation.multislice; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
