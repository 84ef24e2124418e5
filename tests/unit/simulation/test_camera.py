import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antema.simulation.camera import Camera, antema_blur, blurred, drifted, jpeg_coded, mtf

SHARP = {"signal_mtf_px": 0, "noise_mtf_px": 0, "offset": 100}


def flat(shape=(256, 256)):
    return np.ones(shape, np.float32)


@settings(max_examples=12, deadline=None)
@given(dose=st.sampled_from([5, 50, 400, 3000, 10_000]), seed=st.integers(0, 99))
def test_counting_noise_is_poisson(dose, seed):
    camera = Camera(dose_e_px=dose, gain=min(10.0, 5e4 / dose), **SHARP)
    grey = camera.record(np.random.default_rng(seed), flat((300, 300)))
    electrons = (grey.astype(float) - 100) / camera.gain
    assert electrons.mean() == pytest.approx(dose, rel=0.01)
    assert electrons.var() == pytest.approx(dose, rel=0.03)


def test_the_noise_sees_a_weaker_blur_than_the_signal():
    rng = np.random.default_rng(2)
    edge = np.repeat(np.array([0.5, 1.5], np.float32), 64)[None].repeat(128, axis=0)
    camera = Camera(dose_e_px=400, signal_mtf_px=2.0, noise_mtf_px=0.3, gain=10, offset=0)
    grey = np.mean([camera.record(rng, edge).astype(float) for _ in range(20)], axis=0)
    profile = grey.mean(axis=0) / 4000
    assert profile[63] > 0.8  # a sharp edge would leave 0.5
    plain = camera.record(rng, flat()).astype(float)
    neighbours = np.corrcoef(plain[:, :-1].ravel(), plain[:, 1:].ravel())[0, 1]
    assert neighbours < 0.3


def test_noise_has_the_spectrum_of_its_own_transfer():
    camera = Camera(dose_e_px=200, signal_mtf_px=0, noise_mtf_px=0.8, noise_tail=0.3, tail_px=2.0, gain=50, offset=3000)
    rng = np.random.default_rng(3)
    window = np.hanning(256)[:, None] * np.hanning(256)
    window /= np.sqrt((window**2).mean())
    noise = [camera.record(rng, flat()) / 50.0 - 260 for _ in range(8)]
    power = np.mean([np.abs(np.fft.fft2(window * values)) ** 2 for values in noise], axis=0)
    f = np.hypot(*np.meshgrid(*[np.fft.fftfreq(256)] * 2))
    for low in np.arange(0.03, 0.48, 0.05):
        ring = (f >= low) & (f < low + 0.02)
        expected = 200 * 256**2 * mtf(f[ring], 0.8, 0.3, 2.0) ** 2
        assert power[ring].mean() == pytest.approx(expected.mean(), rel=0.12)


@settings(max_examples=15, deadline=None)
@given(
    h=st.integers(8, 60),
    w=st.integers(8, 60),
    sigma=st.floats(0, 3),
    tail=st.floats(0, 0.5),
    drift=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
)
def test_blur_and_drift_keep_an_even_image(h, w, sigma, tail, drift):
    assert np.abs(blurred(2 * flat((h, w)), sigma, tail) - 2).max() < 1e-4
    assert np.abs(drifted(2 * flat((h, w)), drift) - 2).max() < 1e-4


def test_blur_has_its_transfer():
    x = np.arange(128) + 0.5
    wave = np.cos(2 * np.pi * x / 16)[None].repeat(32, axis=0).astype(np.float32)
    expected = mtf(np.array(1 / 16), 1.2, 0.25, 2.0) * wave
    assert np.abs(blurred(wave, 1.2, 0.25, 2.0) - expected).max() < 1e-4
    assert mtf(np.array(1 / 16), 1.2, 0.25, 2.0) < mtf(np.array(1 / 16), 1.2, 0.0, 2.0)


def test_drift_smears_along_its_direction_alone():
    spot = np.zeros((41, 41), np.float32)
    spot[20, 20] = 1
    smeared = drifted(blurred(spot, 1.0), (6.0, 0.0))
    y, x = np.mgrid[-20:21, -20:21]
    assert smeared.sum() == pytest.approx(1, abs=1e-3)
    assert (smeared * x).sum() == pytest.approx(0, abs=1e-2)
    assert (smeared * x**2).sum() == pytest.approx(1 + 36 / 12, rel=0.02)
    assert (smeared * y**2).sum() == pytest.approx(1, rel=0.02)


def test_faults_remain_where_the_camera_says():
    rng = np.random.default_rng(4)
    streaked = Camera(dose_e_px=5000, gain=5, streaks=0.05, **SHARP).record(rng, flat())
    even = Camera(dose_e_px=5000, gain=5, **SHARP).record(rng, flat())
    for axis in (0, 1):
        assert streaked.mean(axis=axis).std() > 10 * even.mean(axis=axis).std()
    faulty = Camera(dose_e_px=5000, gain=5, dead_share=0.01, hot_share=0.01, **SHARP).record(rng, flat())
    level = (faulty - 100.0) / 25000
    assert 0.004 < (level < 0.85).mean() < 0.012
    assert 0.004 < (level > 1.15).mean() < 0.012
    shaded = blurred(Camera(dose_e_px=5000, gain=5, shading=0.1, **SHARP).record(rng, flat()).astype(np.float32), 8)
    assert shaded.std() / shaded.mean() == pytest.approx(0.1, rel=0.4)
    noisy = Camera(dose_e_px=100, gain=50, read_noise_e=20, **SHARP).record(rng, flat())
    assert ((noisy - 100.0) / 50).var() == pytest.approx(100 + 400, rel=0.05)


def test_grey_values_end_where_the_camera_ends():
    rng = np.random.default_rng(5)
    bright = Camera(dose_e_px=5000, gain=1.0, bits=8, offset=0).record(rng, flat())
    assert bright.dtype == np.uint8
    assert (bright == 255).all()
    assert Camera(dose_e_px=10_000, gain=20).record(rng, flat()).max() == 65535
    full = Camera(dose_e_px=1000, gain=10, offset=0, full_well_e=800).record(rng, flat())
    assert full.max() == 8000


def test_the_same_generator_gives_the_same_picture():
    camera = Camera(streaks=0.01, hot_share=1e-3, shading=0.02, read_noise_e=1, drift_px=(1.0, -2.0))
    first, again = (camera.record(np.random.default_rng(6), flat((50, 61))) for _ in range(2))
    assert np.array_equal(first, again)


def test_antemas_blur_is_nine_pixels_of_a_gaussian():
    spot = np.zeros((31, 31), np.uint16)
    spot[15, 15] = 60_000
    soft = antema_blur(spot)
    weights = np.exp(-(np.hypot(*np.mgrid[-4:5, -4:5]) ** 2) / 8)
    assert soft.dtype == np.uint16
    assert np.abs(soft[11:20, 11:20] - 60_000 * weights / weights.sum()).max() <= 1
    assert soft.sum() == soft[11:20, 11:20].sum()


def test_a_worse_jpeg_is_further_from_the_picture():
    grey = np.linspace(0, 255, 64 * 64).reshape(64, 64).astype(np.uint8)
    good, bad = (np.abs(jpeg_coded(grey, quality).astype(float) - grey).mean() for quality in (95, 10))
    assert 0 < good < bad < 20
