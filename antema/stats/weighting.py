"""How much each particle counts: once, by its area or by its volume (see `antema.stats.border` for a factor on it)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

WEIGHTINGS: dict[str, str] = {
    "number": "number-weighted",
    "area": "area-weighted",
    "volume": "volume-weighted",
}

_POWER = {"number": 0, "area": 2, "volume": 3}


def weighting_words(weighting: str, *, border_weighted: bool = False) -> str:
    """Return how a weighting is printed beside a number.

    Examples
    --------
    >>> weighting_words("volume", border_weighted=True)
    'volume-weighted, corrected for border loss'
    """
    return WEIGHTINGS[weighting] + (", corrected for border loss" if border_weighted else "")


def weights(diameters_nm: ArrayLike, weighting: str) -> NDArray[np.float64]:
    """Return the weight of each particle.

    Parameters
    ----------
    diameters_nm : array_like, shape (n,)
        Equivalent diameters in nanometres.
    weighting : str
        ``number`` (each particle 1), ``area`` (diameter squared) or ``volume`` (diameter cubed, taking each particle
        for a sphere of its equivalent diameter).

    Returns
    -------
    ndarray of float, shape (n,)
        Weights; their scale has no meaning. A diameter that is not finite has weight 0.

    Raises
    ------
    ValueError
        For an unknown weighting or a negative diameter.

    Examples
    --------
    >>> weights([1.0, 2.0], "volume").tolist()
    [1.0, 8.0]
    """
    if weighting not in _POWER:
        msg = f"weighting: expected one of {', '.join(_POWER)}, found {weighting!r}"
        raise ValueError(msg)
    diameters = np.asarray(diameters_nm, dtype=np.float64)
    finite = np.isfinite(diameters)
    if np.any(diameters[finite] < 0):
        msg = f"diameters: expected none below 0 nm, found {diameters[finite].min():g} nm"
        raise ValueError(msg)
    return np.where(finite, np.where(finite, diameters, 0.0) ** _POWER[weighting], 0.0)
