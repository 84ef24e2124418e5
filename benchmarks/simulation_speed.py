"""How many micrographs a minute the simulator writes, files and compiling included.

Run it as ``python benchmarks/simulation_speed.py [--count N] [--size PX] [--processes P] [--kind KIND]``. Fields of the
default mixture are written to a folder that is deleted afterwards; processor time and load average beside the wall time
say how busy the machine was with other work.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from antema.simulation import KINDS, simulate_micrographs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kind", choices=tuple(KINDS), default="mixed")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wall, before = time.perf_counter(), os.times()
        simulate_micrographs(
            Path(folder),
            count=options.count,
            seed=options.seed,
            shape=(options.size, options.size),
            kind=options.kind,
            processes=options.processes,
        )
        wall, after = time.perf_counter() - wall, os.times()
    cpu = sum(after[:4]) - sum(before[:4])
    print(
        f"{options.count} {options.kind} fields of {options.size}², {options.processes} processes: {wall:.0f} s, "
        f"{60 * options.count / wall:.0f} a minute; {cpu / options.count:.2f} s of processor time each, on "
        f"{os.cpu_count()} cores with a load average of {os.getloadavg()[0]:.1f} meanwhile"
    )


if __name__ == "__main__":
    main()
