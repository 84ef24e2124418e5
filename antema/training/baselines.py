"""What segments: the installed networks, and the filters that a network must beat."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from antema.analysis import Segmenter
from antema.training.bragg import bragg_filter
from antema.training.classical import classical_baseline

BASELINES: Mapping[str, Callable[[NDArray[np.generic]], NDArray[np.bool_]]] = MappingProxyType(
    {"classical": classical_baseline, "bragg": bragg_filter}
)
"""Filters that are taken for models by name: difference of Gaussians with Otsu's threshold, and Bragg filtering."""


@dataclass(frozen=True)
class Baseline:
    """A filter as a segmenter: its probabilities are 0 and 1."""

    name: str
    sha256: str = ""
    threshold: float = 0.5

    def probability(self, pixels: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return 1 where the filter finds a particle in `pixels` (h, w), else 0."""
        return BASELINES[self.name](pixels).astype(np.float32)


def segmenter_named(name: str) -> Segmenter:
    """Return the baseline or the installed network of this name.

    Raises
    ------
    NotFound
        Where there is neither.
    """
    if name in BASELINES:
        return Baseline(name)
    from antema.nets import load

    return load(name)
