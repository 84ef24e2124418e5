import numpy as np
import pytest

from antema.simulation.amorphous import amorphous_shift
from antema.simulation.camera import Camera
from antema.simulation.fourier import frequencies_per_nm, long_waves
from antema.simulation.optics import Optics
from antema.simulation.scattering import scattering_factor_nm


def test_the_wavelength_at_300_kv_is_known():
    assert Optics(voltage_kv=300).wavelength_nm == pytest.approx(0.0019687, rel=1e-4)


def test_counting_noise_is_poisson():
    camera = Camera(dose_e_px=50, signal_mtf_px=0, noise_mtf_px=0, gain=10, offset=100)
    grey = camera.record(np.random.default_rng(1), np.ones((400, 400), np.float32))
    electrons = (grey.astype(float) - 100) / 10
    assert electrons.mean() == pytest.approx(50, rel=0.005)
    assert electrons.var() == pytest.approx(50, rel=0.02)


def test_the_noise_sees_a_weaker_blur_than_the_signal():
    rng = np.random.default_rng(2)
    edge = np.repeat(np.array([0.5, 1.5], np.float32), 64)[None].repeat(128, axis=0)
    camera = Camera(dose_e_px=400, signal_mtf_px=2.0, noise_mtf_px=0.3, gain=10, offset=0)
    grey = np.mean([camera.record(rng, edge).astype(float) for _ in range(20)], axis=0)
    profile = grey.mean(axis=0) / 4000
    assert profile[63] > 0.8  # a sharp edge would leave 0.5
    flat = camera.record(rng, np.ones((256, 256), np.float32)).astype(float)
    neighbours = np.corrcoef(flat[:, :-1].ravel(), flat[:, 1:].ravel())[0, 1]
    assert neighbours < 0.3


def test_transfer_is_one_for_the_undiffracted_beam_and_damped_far_out():
    transfer = np.abs(Optics().transfer((256, 256), 0.03))
    assert transfer[0, 0] == pytest.approx(1)
    assert transfer.max() <= 1 + 1e-6
    assert transfer[128, 128] < 0.05


def test_carbon_has_the_hump_of_its_first_neighbours():
    rng = np.random.default_rng(3)
    g = frequencies_per_nm((512, 512), 0.05)
    films = [amorphous_shift(rng, (512, 512), 0.05, 4.0, Optics()) for _ in range(4)]
    spectrum = np.mean([np.abs(np.fft.fft2(film)) ** 2 for film in films], axis=0)
    structure = spectrum / scattering_factor_nm(6, g) ** 2
    near = structure[(g > 0.5) & (g < 1.0)].mean()
    hump = structure[(g > 4.6) & (g < 5.4)].mean()
    beyond = structure[(g > 7.5) & (g < 9)].mean()
    assert hump > 1.05 * beyond
    assert near < 0.5 * hump


def test_a_thicker_film_is_rougher():
    thin, thick = (amorphous_shift(np.random.default_rng(4), (256, 256), 0.06, t, Optics()).std() for t in (2.0, 8.0))
    assert thick == pytest.approx(2 * thin, rel=1e-3)


def test_long_waves_have_unit_spread():
    field = long_waves(np.random.default_rng(5), (128, 200))
    assert field.mean() == pytest.approx(0, abs=1e-5)
    assert field.std() == pytest.approx(1, rel=1e-4)
