"""Nanoparticles in transmission electron micrographs: read, segment, separate, measure, compare.

>>> import antema
>>> micrograph = antema.read("batch-A_0001.dm3")  # doctest: +SKIP
>>> analysis = antema.analyse(micrograph)  # doctest: +SKIP
>>> analysis.table["equivalent_diameter_nm"].median()  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antema.analysis import Analysis, analyse, measure
    from antema.domain import Micrograph, PixelSize, Recipe
    from antema.imaging.safe import read, read_all

__all__ = ["Analysis", "Micrograph", "PixelSize", "Recipe", "analyse", "measure", "read", "read_all"]

_HOMES = {
    "Analysis": "antema.analysis",
    "analyse": "antema.analysis",
    "measure": "antema.analysis",
    "Micrograph": "antema.domain",
    "PixelSize": "antema.domain",
    "Recipe": "antema.domain",
    "read": "antema.imaging.safe",
    "read_all": "antema.imaging.safe",
}


def __getattr__(name: str) -> object:
    # Loaded at first use: the readers and pandas cost a second that `antema --help` should not pay.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    msg = f"module 'antema' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
