"""Loops over numbers, pixels and corners, compiled by Numba and kept on disk where that is possible."""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function at its first call, for the types it is called with.

    The machine code is kept beside the module, in the user's cache folder or in ``NUMBA_CACHE_DIR``, the first of them
    that can be written. Where none can (a read-only installation without a home folder, a zip), Numba refuses to keep
    it at all: the function then compiles anew in every process.

    What is kept is thrown away when the function's own file changes, not when another's does: a compiled function
    calls compiled functions of its own module alone.

    Other threads go on meanwhile, so nothing else may change the arrays that it is at work on.
    """
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # "cannot cache function: no locator available"
        return njit(nogil=True)(function)
