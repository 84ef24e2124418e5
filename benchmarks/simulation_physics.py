"""Compare simulated images with abTEM, with theory and with a real micrograph; draw the figures of docs/simulation.md.

``python benchmarks/simulation_physics.py --out docs/simulation [--micrograph FILE --map FILE --pixel-size NM]`` prints
the tables of docs/simulation.md and draws its figures; the last part needs the micrograph and its segmentation.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from antema.simulation.amorphous import CARBON, SILICON, AmorphousSolid, amorphous_shift, packed, structure_factor
from antema.simulation.camera import Camera, antema_blur
from antema.simulation.fourier import fast_length, frequencies_per_nm
from antema.simulation.multislice import exit_wave, image, thin_image, thin_shift
from antema.simulation.optics import Optics
from antema.simulation.scattering import atom_factors

Image = NDArray[np.floating]
GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "abtem.npz"
CORRECTED = {"defocus_nm": 8.0, "cs_mm": 0.005, "focal_spread_nm": 3.0, "convergence_mrad": 0.2}
AU_NM, AU_RADIUS_NM = 0.40782, 0.144


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--micrograph", type=Path)
    parser.add_argument("--map", type=Path)
    parser.add_argument("--pixel-size", type=float, default=0.06398699)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    plt.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
    against_abtem()
    lost_on_the_grid()
    foci()
    theory(options.out / "theory.png")
    supports(options.out / "supports.png")
    speed()
    if options.micrograph and options.map:
        against_micrograph(options.out / "gold.png", options.micrograph, options.map, options.pixel_size)


def cropped(values: Image, n: int) -> Image:
    """Return a square image at `n` pixels a side: its higher frequencies left out."""
    spectrum = np.fft.fftshift(np.fft.fft2(values.astype(np.float64)))
    low = (len(values) - n) // 2
    return np.fft.ifft2(np.fft.ifftshift(spectrum[low : low + n, low : low + n])).real * (n / len(values)) ** 2


def against_abtem() -> None:
    golden = np.load(GOLDEN)
    box, height = golden["box_nm"].tolist()
    print("relative rms of the image against abTEM at 0.003 nm/px and slices of 0.1 nm")
    print("| specimen | nm/px | abTEM infinite | abTEM finite | ours | first Born | one slice |")
    print("|---" * 7 + "|")
    for name, label, kv in (("gold", "Au octahedron, 300 kV", 300.0), ("cdse", "CdSe on carbon, 80 kV", 80.0)):
        optics = Optics(voltage_kv=kv, **CORRECTED)
        for k, n in enumerate(golden["samplings"].tolist()[:4]):
            truth = cropped(golden[f"{name}_image"], n)
            pixel = box / n
            atoms = golden[f"{name}_atoms"].astype(np.float64)
            atoms[:, :2] = (atoms[:, :2] + pixel / 2) % box  # abTEM's first pixel has its centre at 0
            ours = []
            for slice_nm, thin_atoms in ((0.4, False), (0.4, True), (height, False)):
                wave = exit_wave(
                    atoms,
                    golden[f"{name}_z"],
                    pixel_size_nm=pixel,
                    shape=(n, n),
                    slice_nm=slice_nm,
                    optics=optics,
                    plane_nm=height,
                    thin_atoms=thin_atoms,
                )
                # abTEM's envelopes leave out what partial coherence keeps of the intensity
                seen = np.abs(np.fft.ifft2(np.fft.fft2(wave) * optics.transfer((n, n), pixel))) ** 2
                ours.append(np.sqrt(np.mean((seen - truth) ** 2)) / truth.std())
            numbers = [*golden[f"{name}_rms"][:, k], *ours]
            print(f"| {label} | {pixel:.3f} | " + " | ".join(f"{value:.3f}" for value in numbers) + " |")


def lost_on_the_grid() -> None:
    """Print how much of the amplitude a gold atom takes away on a coarse grid, beside the phase that it gives."""
    optics, pixel = Optics(voltage_kv=300), 0.064
    terms, beyond, _ = atom_factors([79], optics, pixel)
    mean = 2 * terms[0, 0].sum() * optics.lorentz_factor * optics.wavelength_nm + beyond[0, 0]
    print(f"gold at 300 kV and {pixel} nm/px: loss over phase {mean.imag / mean.real:.3f}")


def foci() -> None:
    """Print how near damped transfer, ours and sums over foci come to the sum over 201 foci."""
    golden = np.load(GOLDEN)
    box, n = float(golden["box_nm"][0]), 256
    print("| gold octahedron, 300 kV | envelopes alone | ours | 3 foci | 5 foci | 7 foci |")
    print("|---" * 6 + "|")
    for defocus_nm, cs_mm, spread_nm in ((60.0, 1.2, 6.0), (8.0, 0.005, 3.0)):
        optics = Optics(defocus_nm=defocus_nm, cs_mm=cs_mm, focal_spread_nm=spread_nm, convergence_mrad=0)
        wave = exit_wave(golden["gold_atoms"], 79, pixel_size_nm=box / n, shape=(n, n), slice_nm=0.4, optics=optics)
        truth = np.zeros((n, n))
        places = np.linspace(-4, 4, 201)
        for place, weight in zip(places, np.exp(-(places**2) / 2), strict=True):
            sharp = replace(optics, defocus_nm=defocus_nm + spread_nm * place, focal_spread_nm=0.0)
            truth += weight / np.exp(-(places**2) / 2).sum() * image(wave, sharp, box / n)
        damped = np.abs(np.fft.ifft2(np.fft.fft2(wave) * optics.transfer((n, n), box / n))) ** 2
        seen = [damped, *(image(wave, optics, box / n, foci=k) for k in (1, 3, 5, 7))]
        errors = [np.sqrt(np.mean((picture - truth) ** 2)) / truth.std() for picture in seen]
        label = f"{defocus_nm:g} nm, Cs {cs_mm:g} mm, spread {spread_nm:g} nm"
        print(f"| {label} | " + " | ".join(f"{error:.3f}" for error in errors) + " |")


def theory(path: Path) -> None:
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(8, 2.5), layout="constrained")
    optics = Optics(voltage_kv=300, defocus_nm=120, cs_mm=1.2, focal_spread_nm=3, convergence_mrad=0.1)
    pixel, n = 0.05, 1024
    rng = np.random.default_rng(1)
    g = frequencies_per_nm((n, n), pixel)
    edges = np.arange(0.05, 8, 0.05)
    middles = (edges[1:] + edges[:-1]) / 2
    spectra = []
    for _ in range(4):
        film = amorphous_shift(rng, (n, n), pixel, 2.0, optics)
        picture = np.abs(np.fft.fft2(thin_image(film, optics, pixel))) ** 2
        spectra.append(_radial(picture, g, edges) / _radial(np.abs(np.fft.fft2(film.real)) ** 2, g, edges))
    transfer = optics.transfer((1, 8192), 0.05)[0, :4096]
    line = np.fft.fftfreq(8192, 0.05)[:4096]
    left.plot(middles, np.mean(spectra, axis=0) / 4, lw=1, label="carbon film")
    left.plot(line, transfer.imag**2, lw=1, ls="--", label="sin² chi, damped")
    left.set(
        xlabel="1/nm", ylabel="transfer of power", xlim=(0, 6), ylim=(-0.02, 1.4), title="120 nm underfocus, 300 kV"
    )
    left.legend(frameon=False)

    thickness = np.geomspace(0.3, 40, 14)
    results = {}
    for aperture in (0.0, 10.0):
        lens = Optics(
            voltage_kv=200, defocus_nm=0, cs_mm=0, focal_spread_nm=0, convergence_mrad=0, aperture_mrad=aperture
        )
        results[aperture] = [_passed(t, lens) for t in thickness]
    for aperture, label in ((0.0, "no aperture"), (10.0, "aperture of 10 mrad")):
        middle.loglog(thickness, -np.log(results[aperture]), "o-", ms=3, lw=1, label=label)
    rate = -np.log(results[10.0][3]) / thickness[3]
    middle.loglog(thickness, rate * thickness, "k--", lw=0.8, label="exponential law")
    middle.set(xlabel="thickness of random gold / nm", ylabel="-ln (mean intensity)", title="absorption, 200 kV")
    middle.legend(frameon=False, loc="upper left")
    print(
        "mean free path of random gold at 10 mrad, 200 kV, nm by thickness:",
        {f"{t:.1f}": round(float(t / -np.log(p)), 2) for t, p in zip(thickness, results[10.0], strict=True)},
    )

    dose = np.array([5, 20, 100, 500, 2000, 10000])
    variance = []
    for electrons in dose:
        camera = Camera(dose_e_px=float(electrons), signal_mtf_px=0, noise_mtf_px=0, gain=6, offset=100)
        grey = camera.record(rng, np.ones((512, 512), np.float32))
        variance.append(((grey - 100.0) / 6).var())
    right.loglog(dose, variance, "o", ms=4, label="camera without blur")
    right.loglog(dose, dose, "k--", lw=0.8, label="Poisson")
    right.set(xlabel="electrons a pixel", ylabel="variance", title="counting noise")
    right.legend(frameon=False)
    print(
        "variance over mean of counts:", {int(d): round(float(v / d), 4) for d, v in zip(dose, variance, strict=True)}
    )
    figure.savefig(path, dpi=110)


def _passed(thickness_nm: float, optics: Optics) -> float:
    """Return the mean image intensity behind gold atoms at random places, in one slice of 0.1 nm each."""
    rng = np.random.default_rng(7)
    side, pixel = 128, 0.03
    n = int(59 * (side * pixel) ** 2 * thickness_nm)
    atoms = rng.uniform(0, 1, (n, 3)) * [side * pixel, side * pixel, thickness_nm]
    wave = exit_wave(atoms, 79, pixel_size_nm=pixel, shape=(side, side), slice_nm=min(0.4, thickness_nm), optics=optics)
    return float(image(wave, optics, pixel).mean())


def supports(path: Path) -> None:
    figure, axes = plt.subplots(1, 2, figsize=(6, 2.5), layout="constrained")
    g = np.linspace(0, 12, 200)
    for axis, name, solid in ((axes[0], "carbon", CARBON), (axes[1], "silicon", SILICON)):
        axis.plot(g, structure_factor(solid, g), lw=1, label="random field")
        places, found = _measured(solid)
        axis.plot(places, found, lw=1, label="packed at random")
        axis.set(xlabel="1/nm", ylabel="structure factor", title=f"amorphous {name}", ylim=(0, 1.8))
        axis.legend(frameon=False)
        print(f"{name}, packed: largest S = {found.max():.2f} at {places[found.argmax()]:.1f} /nm")
    figure.savefig(path, dpi=110)


def _measured(solid: AmorphousSolid) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    rng, side = np.random.default_rng(2), 4.0
    orders = np.arange(-48, 49)
    g = np.hypot(orders[:, None], orders) / side
    edges = np.arange(0.2, 12.2, 0.4)
    total = np.zeros(g.shape)
    for _ in range(6):
        atoms = packed(rng, (side, side, side), solid)
        x, y = (np.exp(-2j * np.pi * orders[:, None] * atoms[:, axis] / side) for axis in (0, 1))
        total += np.abs(y @ x.T) ** 2 / len(atoms) / 6
    return (edges[1:] + edges[:-1]) / 2, _radial(total, g, edges)


def _radial(values: Image, g: Image, edges: NDArray[np.floating]) -> NDArray[np.floating]:
    ring = np.digitize(g, edges)
    inside = (ring > 0) & (ring < len(edges)) & (g > 0)
    sums = np.bincount(ring[inside], values[inside], minlength=len(edges))[1:]
    return sums / np.bincount(ring[inside], minlength=len(edges))[1:]


def speed() -> None:
    rng = np.random.default_rng(1)
    optics, side = Optics(), fast_length(1024 + 96)
    atoms = rng.uniform(0, side * 0.064, (60_000, 3))
    shift = thin_shift(atoms, 79, pixel_size_nm=0.064, shape=(side, side), optics=optics)
    picture = thin_image(shift, optics, 0.064)[:1024, :1024]
    plain = Camera()
    faulty = Camera(
        signal_tail=0.2,
        noise_tail=0.1,
        read_noise_e=1,
        shading=0.03,
        streaks=0.01,
        dead_share=1e-5,
        hot_share=1e-5,
        drift_px=(1, 2),
    )
    print("| step of a field of 1024² (padded to 1152²) | ms of one core |\n|---|---|")
    _timed(
        "60,000 atoms onto the grid, phase and loss",
        lambda: thin_shift(atoms, 79, pixel_size_nm=0.064, shape=(side, side), optics=optics),
    )
    _timed("amorphous film", lambda: amorphous_shift(rng, (side, side), 0.064, 4.0, optics))
    _timed("lens and intensity", lambda: thin_image(shift, optics, 0.064))
    _timed("camera, blur and noise", lambda: plain.record(rng, picture))
    _timed("camera with drift and every fault", lambda: faulty.record(rng, picture))
    crop = rng.uniform(0, 1, (4000, 3)) * [3.0, 3.0, 6.0]
    _timed(
        "multislice, 256² at 0.012 nm/px, 4,000 atoms in 15 slices",
        lambda: exit_wave(crop, 79, pixel_size_nm=0.012, shape=(256, 256), slice_nm=0.4, optics=optics),
    )

    wave = (rng.standard_normal((side, side)) + 0j).astype(np.complex64)
    transform, exponential = jax.jit(jnp.fft.fft2), jax.jit(lambda phase: jnp.exp(1j * phase))
    _timed("one complex transform, SciPy", lambda: scipy.fft.fft2(wave))
    _timed("one complex transform, JAX", lambda: transform(wave).block_until_ready())
    _timed("exp(i phase), NumPy", lambda: np.exp(1j * wave.real))
    _timed("exp(i phase), JAX", lambda: exponential(wave.real).block_until_ready())
    even = np.ascontiguousarray(wave.real)
    _timed("Poisson numbers at 200 electrons, NumPy", lambda: rng.poisson(np.abs(even) + 200))
    key = jax.random.key(0)
    _timed(
        "Poisson numbers at 200 electrons, JAX", lambda: jax.random.poisson(key, 200.0, even.shape).block_until_ready()
    )


def _timed(label: str, work: Callable[[], object], repeats: int = 7) -> None:
    work()
    took = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        took.append(time.process_time() - begin)
    print(f"| {label} | {1e3 * float(np.median(took)):.0f} |")


def gold_field(
    seed: int,
    shape: tuple[int, int],
    pixel_nm: float,
    optics: Optics,
    camera: Camera,
    *,
    carbon_nm: float,
    mean_nm: float,
    sd_nm: float,
    per_nm2: float,
) -> tuple[Image, NDArray[np.bool_]]:
    """Return a field of gold spheres on carbon as ANTEMA exports it, and the pixels that are particle."""
    rng = np.random.default_rng(seed)
    full = (fast_length(shape[0] + 96), fast_length(shape[1] + 96))
    size = np.array([full[1], full[0]]) * pixel_nm
    centres: list[NDArray[np.floating]] = []
    for _ in range(int(per_nm2 * size.prod())):
        for _ in range(30):
            place = rng.uniform(0, 1, 2) * size
            if not centres or np.hypot(*(np.array(centres) - place).T).min() > 0.9 * mean_nm:
                centres.append(place)
                break
    atoms = []
    cells = np.stack(np.meshgrid(*[np.arange(-8, 9)] * 3), axis=-1).reshape(-1, 1, 3)
    lattice = (cells + np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])).reshape(-1, 3) * AU_NM
    for place in centres:
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        sphere = lattice + rng.uniform(0, AU_NM, 3)
        diameter = max(rng.normal(mean_nm, sd_nm), 0.8) - 2 * AU_RADIUS_NM
        sphere = sphere[(sphere**2).sum(axis=1) < (diameter / 2) ** 2] @ turn.T
        atoms.append(sphere + rng.normal(0, 0.012, sphere.shape) + [*place, 0])
    where = np.concatenate(atoms)
    shift = thin_shift(where, 79, pixel_size_nm=pixel_nm, shape=full, optics=optics)
    shift = shift + amorphous_shift(rng, full, pixel_nm, carbon_nm, optics)
    particle = np.zeros(full, bool)
    rows, columns = np.mgrid[-3:4, -3:4]
    disc = np.hypot(rows, columns) * pixel_nm <= AU_RADIUS_NM
    at = np.floor(where[:, :2] / pixel_nm).astype(int)
    for dy, dx in zip(rows[disc], columns[disc], strict=True):
        particle[(at[:, 1] + dy) % full[0], (at[:, 0] + dx) % full[1]] = True
    inner = (slice(48, 48 + shape[0]), slice(48, 48 + shape[1]))
    return antema_blur(camera.record(rng, thin_image(shift, optics, pixel_nm)[inner])), particle[inner]


def power_spectrum(pixels: Image, pixel_nm: float, edges: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the radial mean of the power spectrum, windowed, over the power between 0.24 and 1.1 /nm."""
    window = np.hanning(pixels.shape[0])[:, None] * np.hanning(pixels.shape[1])
    values = (pixels - (pixels * window).sum() / window.sum()) * window
    power = np.abs(np.fft.fft2(values)) ** 2
    g = frequencies_per_nm((pixels.shape[0], pixels.shape[1]), pixel_nm)
    return _radial(power, g, edges) / power[(g > 0.24) & (g < 1.1)].mean()


def contrast(pixels: Image, particle: NDArray[np.bool_]) -> float:
    """Return the contrast-to-noise of all particles together against all of the ground."""
    ground = pixels[~particle]
    return float((ground.mean() - pixels[particle].mean()) / ground.std())


def against_micrograph(path: Path, micrograph: Path, segmentation: Path, pixel_nm: float) -> None:
    from PIL import Image as Pillow

    real = np.asarray(Pillow.open(micrograph)).astype(float)
    particle = np.asarray(Pillow.open(segmentation))[: real.shape[0], : real.shape[1]] > 127
    optics = Optics(voltage_kv=300, defocus_nm=75, cs_mm=1.2, focal_spread_nm=4, haze_nm=8)
    camera = Camera(dose_e_px=40, signal_mtf_px=0.7, signal_tail=0.1, noise_mtf_px=0.4, gain=100)
    specimen = {"carbon_nm": 5.0, "mean_nm": 1.95, "sd_nm": 0.45, "per_nm2": 0.085}
    edges = np.concatenate([[0.03, 0.08, 0.15], np.arange(0.24, 3.3, 0.12)])
    middles = (edges[1:] + edges[:-1]) / 2
    fields = [gold_field(seed, (1024, 512), pixel_nm, optics, camera, **specimen) for seed in range(4)]
    simulated = np.mean([power_spectrum(field.astype(float), pixel_nm, edges) for field, _ in fields], axis=0)
    measured = power_spectrum(real, pixel_nm, edges)
    print(
        "spectrum, simulated over measured:",
        {f"{g:.2f}": round(float(r), 2) for g, r in zip(middles, simulated / measured, strict=True)},
    )
    ratios = [contrast(field.astype(float), truth) for field, truth in fields]
    share = np.mean([truth.mean() for _, truth in fields])
    print(f"measured: contrast-to-noise {contrast(real, particle):.2f}, share of particle {particle.mean():.3f}")
    print(f"simulated: contrast-to-noise {np.mean(ratios):.2f}, share of particle {share:.3f}")
    figure, (left, right) = plt.subplots(1, 2, figsize=(6, 2.8), layout="constrained", width_ratios=(1.4, 1))
    left.loglog(middles, measured, "k", lw=1, label="micrograph, 2 nm gold")
    left.loglog(middles, simulated, "C0", lw=1, label="simulated")
    left.set(xlabel="1/nm", ylabel="power / power at 0.24-1.1 /nm")
    left.legend(frameon=False)
    window = fields[0][0][:256, :256]
    right.imshow(window, cmap="gray", vmin=np.percentile(window, 0.5), vmax=np.percentile(window, 99.5))
    right.set(title=f"simulated, {256 * pixel_nm:.1f} nm wide", xticks=[], yticks=[])
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
