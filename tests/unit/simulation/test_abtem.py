"""Against abTEM's numbers, frozen by tests/golden/make_abtem.py."""

import json
from pathlib import Path

import numpy as np
import pytest

from antema.simulation.multislice import exit_wave
from antema.simulation.optics import Optics


@pytest.fixture(scope="module")
def golden():
    with np.load(Path(__file__).parents[2] / "golden" / "abtem.npz") as stored:
        return dict(stored)


def cropped(values, n):
    spectrum = np.fft.fftshift(np.fft.fft2(values.astype(np.float64)))
    low = (len(values) - n) // 2
    return np.fft.ifft2(np.fft.ifftshift(spectrum[low : low + n, low : low + n])).real * (n / len(values)) ** 2


def quasi_coherent(wave, optics, pixel_nm):
    """The image as abTEM's envelopes make it, without what partial coherence leaves of the intensity."""
    return np.abs(np.fft.ifft2(np.fft.fft2(wave) * optics.transfer(wave.shape, pixel_nm))) ** 2


def test_the_transfer_function_is_abtems_with_all_aberrations(golden):
    optics = Optics(**json.loads(str(golden["lens"])))
    ours = optics.transfer(golden["transfer"].shape, float(golden["transfer_pixel_nm"]))
    assert np.abs(ours).mean() > 0.05
    assert np.abs(ours - golden["transfer"]).max() < 5e-3


@pytest.mark.parametrize(
    ("specimen", "kv", "n", "most"),
    [
        # relative rms; abTEM's own at these samplings is 0.325, 0.151, 0.063 and 0.187, 0.080, 0.043
        ("gold", 300.0, 64, 0.11),
        ("gold", 300.0, 128, 0.045),
        ("gold", 300.0, 256, 0.03),
        ("cdse", 80.0, 64, 0.12),
        ("cdse", 80.0, 128, 0.06),
        ("cdse", 80.0, 256, 0.03),
    ],
)
def test_images_are_those_of_abtem_at_its_finest(golden, specimen, kv, n, most):
    box, height = golden["box_nm"].tolist()
    optics = Optics(voltage_kv=kv, **json.loads(str(golden["corrected"])))
    pixel = box / n
    atoms = golden[f"{specimen}_atoms"].astype(np.float64)
    atoms[:, :2] = (atoms[:, :2] + pixel / 2) % box  # abTEM's first pixel has its centre at 0
    wave = exit_wave(
        atoms,
        golden[f"{specimen}_z"],
        pixel_size_nm=pixel,
        shape=(n, n),
        slice_nm=0.4,
        optics=optics,
        plane_nm=height,
    )
    truth = cropped(golden[f"{specimen}_image"], n)
    ours = quasi_coherent(wave, optics, pixel)
    assert np.sqrt(np.mean((ours - truth) ** 2)) / truth.std() < most
    assert np.corrcoef(ours.ravel(), truth.ravel())[0, 1] > 1 - most**2
