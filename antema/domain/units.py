"""Lengths as microscope files write them, into nanometres."""

import math

_NM_PER_UNIT = {
    "m": 1e9,
    "cm": 1e7,
    "mm": 1e6,
    "um": 1e3,
    "µm": 1e3,  # micro sign, U+00B5
    "μm": 1e3,  # Greek mu, U+03BC
    "micron": 1e3,
    "microns": 1e3,
    "micrometer": 1e3,
    "micrometers": 1e3,
    "nanometer": 1.0,
    "nanometers": 1.0,
    "meter": 1e9,
    "meters": 1e9,
    "nm": 1.0,
    "n_m": 1.0,
    "Å": 0.1,  # A with ring, U+00C5
    "\u212b": 0.1,  # angstrom sign
    "A": 0.1,
    "angstrom": 0.1,
    "angstroms": 0.1,
    "Angstrom": 0.1,
    "Angstroms": 0.1,
    "pm": 1e-3,
}


def length_in_nm(value: float, unit: str) -> float | None:
    """Return `value` `unit` in nanometres, or None where that is no usable length.

    Parameters
    ----------
    value : float
        A pixel size.
    unit : str
        Its unit as the file has it. Reciprocal units, energies and the empty string are no lengths.

    Returns
    -------
    float or None
        Nanometres; None for an unknown unit and for a value that is not finite and positive.

    Examples
    --------
    >>> length_in_nm(0.4, "Å")
    0.04
    >>> length_in_nm(0.17, "1/nm") is None
    True
    """
    factor = _NM_PER_UNIT.get(unit.strip())
    if factor is None or not math.isfinite(value) or value <= 0:
        return None
    return float(f"{value * factor:.12g}")
