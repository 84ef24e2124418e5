"""What the outlines `visible` and `atoms` mean in physical size: gold of 1 to 100 nm.

Run it as ``python benchmarks/outline_definitions.py``. Diameters are those of circles of the outlines' areas, by that
of the body's own projection: a sphere, a cube and a thin plate on their faces. Up to 12 nm bodies hold the centres of
atoms, as in simulated fields; above they are solids, which end where their body ends. 200 kV, aperture of 10 mrad,
a corrected lens, a camera that blurs by 0.7 px. The second table has the same spheres with `WIDTHS_PX` pixels across
them, the third what whole particles of simulated fields have. The last one is the check: the radius where the mean of
images of `BALLS` balls, atoms, lens and lattice and all, has fallen to half, by the radius of `visible`.
"""

import argparse

import numpy as np
from numpy.typing import NDArray

from antema.domain import Instance
from antema.simulation import KINDS, SimulatedField
from antema.simulation.atoms import outlined, random_rotation, tight
from antema.simulation.camera import Camera, blurred
from antema.simulation.contrast import interaction_per_v_nm
from antema.simulation.crystals import filled
from antema.simulation.edges import blur_of, diameter_px, of_atoms, of_solid, rim_px_of
from antema.simulation.materials import MATERIALS, absorption_per_nm
from antema.simulation.multislice import thin_image, thin_shift
from antema.simulation.optics import Optics
from antema.simulation.shapes import body_of, lying

DIAMETERS_NM = (1, 2, 3, 5, 10, 20, 50, 100)
SHAPES = {"sphere": "sphere", "cube": "cube", "plate": "plate"}
WIDTHS_PX = (60, 15, 10, 6)
FIELD_KINDS, N_FIELDS, FIELD_PX = ("metal", "large", "solids"), 9, 384
BALLS = 24
OPTICS = Optics(voltage_kv=200.0, cs_mm=0.01, defocus_nm=0.0, aperture_mrad=10.0)
CAMERA = Camera(signal_mtf_px=0.7)
GOLD = MATERIALS["Au"]
_OF_ATOMS_NM = 12.0


def ratios(shape: str, diameter_nm: float, width_px: int) -> NDArray[np.float64]:
    """Return the diameters of `visible` and of `atoms` by that of the body's projection, each a mean over places."""
    found = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        upright = body_of(shape, diameter_nm, rng)
        rotation = random_rotation(rng) if shape == "sphere" else lying(upright, rng)
        body = upright.turned(rotation)
        true_nm = 2 * np.sqrt(body.shadow().area_nm2 / np.pi)
        pixel_nm = true_nm / width_px
        at = rng.uniform(0, pixel_nm, 2)
        blur_px = blur_of(OPTICS, CAMERA, pixel_nm)
        per_nm = absorption_per_nm(GOLD, OPTICS.voltage_kv, OPTICS.aperture_mrad)
        if diameter_nm <= _OF_ATOMS_NM:
            atoms = filled(rng, upright, upright.reach_nm, GOLD, shape, "crystal")
            places = atoms.places_nm @ rotation.T
            places[:, :2] += at
            x, y, mask, shadow = outlined(places, atoms.radii_nm, pixel_nm)
            nm3_per_atom = 1 / sum(GOLD.atoms_per_nm3.values())
            matter = Instance(x, y, mask)
            visible = of_atoms(places[:, :2] / pixel_nm, nm3_per_atom, matter, pixel_nm, blur_px, per_nm)
            atoms_nm = 2 * np.sqrt(shadow.area_nm2 / np.pi)
        else:
            reach = int(np.ceil(body.reach_nm / pixel_nm)) + 2
            row = (np.arange(-reach, reach) + 0.5) * pixel_nm
            low, high = body.chord(*np.meshgrid(row - at[0], row - at[1]))
            contrast = 1 - np.exp(-per_nm * np.maximum(high - low, 0))
            visible = of_solid(0, 0, contrast, high > low, blur_px)
            atoms_nm = diameter_px(Instance(*tight(0, 0, high > low))) * pixel_nm
        found.append((diameter_px(visible) * pixel_nm / true_nm, atoms_nm / true_nm))
    return np.mean(found, axis=0)


def imaged(diameter_nm: float, optics: Optics, absorption: float) -> float:
    """Return the radius at half of the contrast of the mean image of balls, by the radius of `visible`."""
    pixel_nm, n = 0.05, 288
    images, radii = [], []
    for seed in range(BALLS):
        rng = np.random.default_rng(seed)
        body = body_of("sphere", diameter_nm, rng)
        atoms = filled(rng, body, body.reach_nm, GOLD, "sphere", "crystal")
        places = atoms.places_nm @ random_rotation(rng).T
        places[:, :2] += n * pixel_nm / 2
        x, y, mask, _ = outlined(places, atoms.radii_nm, pixel_nm)
        per_nm = absorption_per_nm(GOLD, optics.voltage_kv, optics.aperture_mrad or 30.0)
        per_nm += 2 * absorption * interaction_per_v_nm(optics.voltage_kv) * GOLD.inner_potential_v
        visible = of_atoms(
            places[:, :2] / pixel_nm,
            1 / sum(GOLD.atoms_per_nm3.values()),
            Instance(x, y, mask),
            pixel_nm,
            blur_of(optics, CAMERA, pixel_nm),
            per_nm,
        )
        radii.append(diameter_px(visible) / 2)
        shift = thin_shift(
            places,
            atoms.z,
            pixel_size_nm=pixel_nm,
            shape=(n, n),
            optics=optics,
            absorption=np.full(len(places), absorption),
        )
        images.append(blurred(np.asarray(thin_image(shift, optics, pixel_nm)), CAMERA.signal_mtf_px))
    contrast = 1 - np.mean(images, axis=0)
    distance = np.hypot(*(np.mgrid[:n, :n] + 0.5 - n / 2))
    rings = np.array([contrast[(distance >= r) & (distance < r + 1)].mean() for r in range(n // 2)])
    outer = diameter_nm / 2 / pixel_nm
    shallow, deep = rim_px_of(outer)
    inside = float(np.median(rings[int(outer - deep) : int(outer - shallow) + 1]))
    k = int(np.flatnonzero(rings >= inside / 2).max())
    return float((k + 0.5 + (rings[k] - inside / 2) / (rings[k] - rings[k + 1])) / np.mean(radii))


def wider(field: SimulatedField) -> float:
    """Return by what `atoms` is wider than `visible`: median of a field's whole particles, NaN without any."""
    h, w = field.pixels.shape
    return float(
        np.median(
            [
                diameter_px(atoms) / diameter_px(visible) - 1
                for atoms, visible in zip(field.atoms or [], field.instances, strict=True)
                if min(atoms.x, atoms.y) > 0 and atoms.x + atoms.w < w and atoms.y + atoms.h < h
            ]
            or [np.nan]
        )
    )


def _printed(heading: str, columns: list[str]) -> None:
    print(f"\n{heading}\n\n| | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    sizes = [f"{d} nm" for d in DIAMETERS_NM]
    _printed(f"diameter by the body's own, {WIDTHS_PX[0]} px wide: visible / atoms", sizes)
    for name, shape in SHAPES.items():
        cells = [ratios(shape, d, WIDTHS_PX[0]) for d in DIAMETERS_NM]
        print(f"| {name} | " + " | ".join(f"{v:.2f} / {a:.2f}" for v, a in cells) + " |", flush=True)
    _printed("`visible` of spheres by the body's own, by pixels across", sizes)
    for width_px in WIDTHS_PX:
        cells = [ratios("sphere", d, width_px) for d in DIAMETERS_NM]
        print(f"| {width_px} px | " + " | ".join(f"{v:.2f}" for v, _ in cells) + " |", flush=True)
    _printed(f"by what `atoms` is wider than `visible`, in {N_FIELDS} fields of {FIELD_PX}²", ["median", "fields"])
    for kind in FIELD_KINDS:
        found = [wider(KINDS[kind](seed, shape=(FIELD_PX, FIELD_PX))) for seed in range(N_FIELDS)]
        low, median, high = np.nanquantile(found, (0, 0.5, 1)) * 100
        print(f"| {kind} | {median:+.1f} % | {low:+.1f} to {high:+.1f} % |", flush=True)
    _printed("half of the contrast of the mean image of gold balls, 300 kV, by `visible`", ["1.5 nm", "3 nm", "6 nm"])
    for defocus_nm, absorption, aperture in ((60.0, 0.15, 0.0), (100.0, 0.3, 0.0), (0.0, 0.3, 12.0)):
        optics = Optics(voltage_kv=300.0, cs_mm=1.2, defocus_nm=defocus_nm, aperture_mrad=aperture)
        cells = [imaged(d, optics, absorption) for d in (1.5, 3.0, 6.0)]
        name = f"{defocus_nm:g} nm, absorption {absorption:g}, aperture {aperture:g} mrad"
        print(f"| {name} | " + " | ".join(f"{v:.2f}" for v in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
