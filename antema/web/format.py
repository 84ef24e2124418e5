"""Durations and scales as the pages show them (numbers and counts: see `antema.stats`)."""

import math

NOTHING = "–"


def duration(seconds: float | None) -> str:
    """Return seconds as ``42 s``, ``3 min 10 s`` or ``2 h 5 min``."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def pixel_size(nm: float | None) -> str:
    """Return a pixel size with its unit."""
    return "no scale" if nm is None else f"{nm:.5g} nm/px"
