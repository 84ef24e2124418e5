"""What sets of simulated images on disk have in common: made one after another or several at a time, and calibrated."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


def made(make: Callable[[int], T], seeds: Sequence[int], processes: int) -> Iterator[T]:
    """Yield what `make` gives for each seed, in their order.

    Parameters
    ----------
    make : callable
        Of a module, or a partial of one: it may be sent to another process.
    seeds : sequence of int
        What to make.
    processes : int
        How many to make at a time, each in its own process.
    """
    if processes <= 1:
        yield from map(make, seeds)
        return
    # a fork of a process that has used JAX hangs
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(make, seeds)


def write_calibrated(path: Path, pixels: NDArray[np.generic], pixel_size_nm: float) -> None:
    """Write an image as a TIFF that carries its pixel size as ImageJ writes it."""
    import tifffile

    per_nm = 1 / pixel_size_nm
    tifffile.imwrite(path, pixels, imagej=True, resolution=(per_nm, per_nm), metadata={"unit": "nm"})
