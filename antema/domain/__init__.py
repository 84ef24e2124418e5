"""The vocabulary of the program: plain frozen dataclasses, units and errors.

Nothing here knows of files, networks, databases or pages; numpy and the standard library are all it needs.
"""

from antema.domain.annotation import Annotations, Box, ScaleBar
from antema.domain.crystallinity import (
    AMORPHOUS,
    CRYSTALLINITIES,
    DOUBTS,
    LEAST_LATTICE,
    MONOCRYSTALLINE,
    POLYCRYSTALLINE,
    UNKNOWN,
    UNKNOWN_REASONS,
    crystallinities,
    crystallinity_codes,
)
from antema.domain.errors import (
    AlreadyThere,
    AntemaError,
    CannotAnalyse,
    CannotImport,
    CannotRead,
    ChangedMeanwhile,
    NoScale,
    NotAnImage,
    NotFound,
)
from antema.domain.instance import Instance
from antema.domain.micrograph import Micrograph, PixelSize
from antema.domain.recipe import RECIPE_FIELDS, Recipe, RecipeField, View
from antema.domain.scale_check import SCALE_TOLERANCE, Disagreement, disagree, scale_bar_words, scale_disagreements
from antema.domain.table import COLUMN_MEANINGS, DROP_REASONS, PARTICLE_COLUMNS, QUANTITIES, Quantity
from antema.domain.trust import Trust
from antema.domain.units import length_in_nm

__all__ = [
    "AMORPHOUS",
    "CRYSTALLINITIES",
    "DOUBTS",
    "LEAST_LATTICE",
    "MONOCRYSTALLINE",
    "POLYCRYSTALLINE",
    "UNKNOWN",
    "UNKNOWN_REASONS",
    "crystallinities",
    "crystallinity_codes",
    "COLUMN_MEANINGS",
    "DROP_REASONS",
    "PARTICLE_COLUMNS",
    "QUANTITIES",
    "RECIPE_FIELDS",
    "SCALE_TOLERANCE",
    "AlreadyThere",
    "Annotations",
    "AntemaError",
    "Box",
    "CannotAnalyse",
    "CannotImport",
    "CannotRead",
    "ChangedMeanwhile",
    "Disagreement",
    "Instance",
    "Micrograph",
    "NoScale",
    "NotAnImage",
    "NotFound",
    "PixelSize",
    "Quantity",
    "Recipe",
    "RecipeField",
    "ScaleBar",
    "Trust",
    "View",
    "disagree",
    "length_in_nm",
    "scale_bar_words",
    "scale_disagreements",
]
