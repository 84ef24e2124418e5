"""Whether a pixel size can be meant: held against what electron microscopes give and against its neighbours."""

import math
from collections.abc import Sequence

USUAL_PIXEL_NM = (0.001, 20.0)
"""Least and largest pixel size, in nm, that is taken without a question."""

TIMES_APART = 10.0
"""Pixel sizes of one sample that differ by more than this factor are asked about."""


def scale_question(nm: float, others: Sequence[float] = ()) -> str:
    """Return what is to be asked before a pixel size is taken; empty where nothing speaks against it.

    Parameters
    ----------
    nm : float
        The pixel size, nm per pixel.
    others : sequence of float
        Those of the sample's other micrographs. One of them within a factor of `TIMES_APART` is enough.

    Examples
    --------
    >>> scale_question(640, [2.0, 2.0])
    "640 nm/px beside 2 nm/px of the sample's other micrographs: really?"
    >>> scale_question(0.5, [0.1, 30.0])
    ''
    >>> scale_question(305782)
    '305,800 nm/px, where electron micrographs have 0.001 to 20 nm/px: really?'
    """
    if others and is_far(nm, others):
        least, most = _words(min(others)), _words(max(others))
        beside = least if least == most else f"{least} to {most}"
        whose = "the sample's other micrograph" + ("s" if len(others) > 1 else "")
        return f"{_words(nm)} nm/px beside {beside} nm/px of {whose}: really?"
    low, high = USUAL_PIXEL_NM
    if not low <= nm <= high:
        return f"{_words(nm)} nm/px, where electron micrographs have {low:g} to {high:g} nm/px: really?"
    return ""


def is_far(nm: float, others: Sequence[float]) -> bool:
    """Return whether a pixel size is more than a factor of `TIMES_APART` off all others."""
    return all(abs(math.log10(nm / other)) > math.log10(TIMES_APART) for other in others)


def _words(nm: float) -> str:
    return f"{float(f'{nm:.4g}'):,.10g}"
