"""Two-dimensional Fourier transforms, single precision kept where it is given."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft


def forward(values: NDArray[Any]) -> NDArray[np.complexfloating[Any, Any]]:
    """Return the transform of `values` (h, w)."""
    return np.asarray(fft.fft2(values))


def inverse(values: NDArray[Any]) -> NDArray[np.complexfloating[Any, Any]]:
    """Return the inverse transform of `values` (h, w)."""
    return np.asarray(fft.ifft2(values, overwrite_x=True))


def fast_length(n: int) -> int:
    """Return the least length from `n` on that transforms fast."""
    length = fft.next_fast_len(n)
    assert length is not None
    return length
