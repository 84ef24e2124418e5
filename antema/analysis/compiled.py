"""Loops over pixels and corners, compiled by Numba: see `antema.stats.compiled`."""

from antema.stats.compiled import compiled

__all__ = ["compiled"]
