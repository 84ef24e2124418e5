"""How far the spots in a particle's Fourier transform can be trusted, on simulated particles whose lattice is known.

Run it as ``python -m benchmarks.lattice_spots CROPS...`` on folders that ``antema simulate crystallinity`` has written;
``--first`` and ``--count`` take a part of each. Spacings are those of particles of one crystal against their material's;
icosahedra and decahedra are strained, and stitched ones overlap. The chance of a spot without lattice is asked of noise
as well: white, and blurred and rounded to 8 bits as some microscopes' programs export their images.
"""

import argparse
import csv
import itertools
import time
from collections import Counter
from pathlib import Path

import numpy as np
from scipy import ndimage

from antema.analysis.lattice import FALSE_ALARMS, LatticeSpots, lattice_spots
from antema.domain import AMORPHOUS, CRYSTALLINITIES, MONOCRYSTALLINE, UNKNOWN
from antema.domain.lattices import LATTICES, alloy
from antema.domain.material_names import material_named
from antema.training.tables import per_cent

N_NOISE = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("crops", type=Path, nargs="*")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=None)
    parser.add_argument("--noise", type=int, default=N_NOISE, help="fields of noise of each kind")
    options = parser.parse_args()
    for kind in ("white", "blurred"):
        alarms = sum(bool(_noise(kind, seed).spots) for seed in range(options.noise))
        print(f"{kind} noise: {per_cent(alarms / options.noise)} of {options.noise} have a spot (stated: {per_cent(FALSE_ALARMS)})")
    for folder in options.crops:
        _print_set(folder, options.first, options.count)
