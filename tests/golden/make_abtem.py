"""Make ``abtem.npz``: what abTEM computes of two specimens and of a lens, for `test_abtem.py`.

Run in an environment with abTEM 1.0.11 (``uv pip install abtem``), which this package does not need:
``python tests/golden/make_abtem.py``. Lengths in the file are nm, images have x along columns.
"""

import json
from pathlib import Path

import abtem
import ase
import numpy as np
from ase.cluster import Octahedron

abtem.config.set({"local_diagnostics.progress_bar": False})

BOX_NM, HEIGHT_NM = 3.072, 3.2
FINE, FINE_SLICE_NM, COARSE_SLICE_NM = 1024, 0.1, 0.4
SAMPLINGS = (64, 96, 128, 256, 512)
LENS = {
    "voltage_kv": 200.0,
    "defocus_nm": 35.0,
    "cs_mm": 0.6,
    "astigmatism_nm": 6.0,
    "astigmatism_angle_rad": 0.4,
    "coma_nm": 300.0,
    "coma_angle_rad": -1.1,
    "threefold_nm": 250.0,
    "threefold_angle_rad": 0.8,
    "focal_spread_nm": 3.0,
    "convergence_mrad": 0.4,
}
CORRECTED = {"defocus_nm": 8.0, "cs_mm": 0.005, "focal_spread_nm": 3.0, "convergence_mrad": 0.2}


def gold() -> tuple[np.ndarray, np.ndarray]:
    """Return the 140 atoms of a gold octahedron, turned off its axes."""
    atoms = Octahedron("Au", 6, 1).get_positions() / 10
    atoms = (atoms - atoms.mean(axis=0)) @ _turned(0.4, 0.3).T
    return atoms + [BOX_NM / 2, BOX_NM / 2, HEIGHT_NM / 2], np.full(len(atoms), 79)


def cadmium_selenide_on_carbon() -> tuple[np.ndarray, np.ndarray]:
    """Return a zinc-blende CdSe sphere of 1.6 nm on 1 nm of carbon at random places."""
    rng = np.random.default_rng(3)
    cells = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3), axis=-1).reshape(-1, 1, 3)
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    cadmium = (cells + basis).reshape(-1, 3) * 0.6052
    atoms = np.concatenate([cadmium, cadmium + 0.25 * 0.6052])
    z = np.repeat([48, 34], len(cadmium))
    inside = np.linalg.norm(atoms, axis=1) < 0.8
    atoms = atoms[inside] @ _turned(0.7, 0.2).T + [BOX_NM / 2, BOX_NM / 2, 1.2]
    carbon = rng.uniform(0, 1, (900, 3)) * [BOX_NM, BOX_NM, 1.0] + [0, 0, 2.1]
    return np.concatenate([atoms, carbon]), np.concatenate([z[inside], np.full(len(carbon), 6)])


def _turned(a: float, b: float) -> np.ndarray:
    about_z = [[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]
    about_x = [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    return np.array(about_z) @ np.array(about_x)


def lens(**optics: float) -> abtem.CTF:
    """Return abTEM's transfer function of an `antema.simulation.Optics`; its lengths are Å, its widths those at 1/e."""
    return abtem.CTF(
        energy=optics["voltage_kv"] * 1e3,
        C10=-10 * optics["defocus_nm"],
        Cs=1e7 * optics["cs_mm"],
        C12=10 * optics.get("astigmatism_nm", 0.0),
        phi12=optics.get("astigmatism_angle_rad", 0.0),
        C21=10 * optics.get("coma_nm", 0.0),
        phi21=optics.get("coma_angle_rad", 0.0),
        C23=10 * optics.get("threefold_nm", 0.0),
        phi23=optics.get("threefold_angle_rad", 0.0),
        focal_spread=10 * np.sqrt(2) * optics["focal_spread_nm"],
        angular_spread=optics["convergence_mrad"],
    )


def image(atoms: np.ndarray, z: np.ndarray, n: int, slice_nm: float, projection: str, **optics: float) -> np.ndarray:
    """Return abTEM's image intensity, focused on the plane behind the box."""
    cell = [10 * BOX_NM, 10 * BOX_NM, 10 * HEIGHT_NM]
    potential = abtem.Potential(
        ase.Atoms(numbers=z, positions=10 * atoms, cell=cell, pbc=[True, True, False]),
        gpts=n,
        slice_thickness=10 * slice_nm,
        parametrization="lobato",
        projection=projection,
    )
    wave = abtem.PlaneWave(energy=optics["voltage_kv"] * 1e3).multislice(potential, lazy=False)
    return np.abs(wave.apply_ctf(lens(**optics)).array.T) ** 2


def cropped(values: np.ndarray, n: int) -> np.ndarray:
    """Return an image at `n` pixels a side: its higher frequencies left out."""
    spectrum = np.fft.fftshift(np.fft.fft2(values))
    low = (len(values) - n) // 2
    kept = spectrum[low : low + n, low : low + n] * (n / len(values)) ** 2
    return np.fft.ifft2(np.fft.ifftshift(kept)).real


def main() -> None:
    """Write the file and print how far abTEM's coarser images are from its fine ones."""
    result: dict[str, np.ndarray] = {"samplings": np.array(SAMPLINGS), "box_nm": np.array([BOX_NM, HEIGHT_NM])}
    for name, (atoms, z), kv in (("gold", gold(), 300.0), ("cdse", cadmium_selenide_on_carbon(), 80.0)):
        optics = CORRECTED | {"voltage_kv": kv}
        truth = image(atoms, z, FINE, FINE_SLICE_NM, "finite", **optics)
        rms = [
            [
                np.sqrt(np.mean((image(atoms, z, n, COARSE_SLICE_NM, projection, **optics) - cropped(truth, n)) ** 2))
                / cropped(truth, n).std()
                for n in SAMPLINGS
            ]
            for projection in ("infinite", "finite")
        ]
        print(name, "relative rms, infinite and finite projection:", np.round(rms, 3).tolist())
        result |= {f"{name}_atoms": atoms.astype(np.float32), f"{name}_z": z.astype(np.uint8)}
        result |= {f"{name}_image": cropped(truth, 256).astype(np.float16), f"{name}_rms": np.array(rms, np.float32)}
    n, pixel_nm = 64, 0.03
    kx, ky = np.meshgrid(*[np.fft.fftfreq(n, 10 * pixel_nm)] * 2)
    wavelength = abtem.core.energy.energy2wavelength(LENS["voltage_kv"] * 1e3)
    transfer = lens(**LENS)._evaluate_from_angular_grid(wavelength * np.hypot(kx, ky), np.arctan2(ky, kx))
    result |= {"transfer": np.asarray(transfer, np.complex64), "transfer_pixel_nm": np.array(pixel_nm)}
    result |= {"lens": np.array(json.dumps(LENS)), "corrected": np.array(json.dumps(CORRECTED))}
    np.savez_compressed(Path(__file__).with_name("abtem.npz"), **result)


if __name__ == "__main__":
    main()
