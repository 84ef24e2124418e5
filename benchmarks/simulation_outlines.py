"""By how much the true outline of a particle made of atoms lies outside that of the solid that holds their centres.

Run it as ``python benchmarks/simulation_outlines.py``. Balls of several diameters are filled with a lattice in random
places and orientations; radii are those of discs of the outlines' areas.
"""

import numpy as np

from antema.simulation.atoms import outlined, random_rotation
from antema.simulation.crystals import filled
from antema.simulation.materials import MATERIALS
from antema.simulation.shapes import body_of

DIAMETERS_NM = (1.5, 3.0, 6.0, 11.5)
PIXEL_NM = 0.06
BALLS = 6


def wider_nm(name: str, diameter_nm: float) -> float:
    """Return the mean difference of the radii of the two outlines."""
    material, found = MATERIALS[name], []
    for seed in range(BALLS):
        rng = np.random.default_rng(seed)
        body = body_of("sphere", diameter_nm, rng)
        atoms = filled(rng, body, body.reach_nm, material, "sphere", "crystal")
        places = atoms.places_nm @ random_rotation(rng).T
        *_, shadow = outlined(places, atoms.radii_nm, PIXEL_NM)
        found.append(np.sqrt(shadow.area_nm2 / np.pi) - diameter_nm / 2)
    return float(np.mean(found))


def main() -> None:
    print("nm by which the radius of the outline of atoms is larger, for balls of so many nm")
    print("| material | " + " | ".join(f"{diameter:g}" for diameter in DIAMETERS_NM) + " |")
    print("|---" * (len(DIAMETERS_NM) + 1) + "|")
    for name in MATERIALS:
        print(f"| {name} | " + " | ".join(f"{wider_nm(name, diameter):.2f}" for diameter in DIAMETERS_NM) + " |")


if __name__ == "__main__":
    main()
