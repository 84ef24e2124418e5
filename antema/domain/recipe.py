"""What an analysis does: models and parameters. The fingerprint of a recipe names its results."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antema.domain.errors import AntemaError

SEPARATIONS = ("uecs", "arcs", "watershed", "network", "none")
CONVENTIONS = ("contour", "antema")
OUTLINES = ("visible", "atoms")
POLARITIES = ("auto", "dark", "bright")


@dataclass(frozen=True)
class RecipeField:
    """How one recipe parameter is shown and checked.

    Parameters
    ----------
    name : str
        Attribute of `Recipe`.
    label : str
        Words for the page and the report.
    unit : str
        Unit, empty for a plain number.
    help : str
        One sentence for the tooltip.
    minimum, maximum : float or None
        Allowed range, inclusive.
    choices : tuple of str
        Allowed values of a choice; empty for numbers and switches.
    """

    name: str
    label: str
    unit: str = ""
    help: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


RECIPE_FIELDS: tuple[RecipeField, ...] = (
    RecipeField("model", "Segmentation model", help="The network that tells particle from background."),
    RecipeField(
        "threshold",
        "Particle threshold",
        help="Probability above which a pixel is particle; empty: the model's own.",
        minimum=0.01,
        maximum=0.99,
    ),
    RecipeField(
        "polarity",
        "Polarity",
        help="Particles are dark or bright against their background; auto: the network finds out, image by image.",
        choices=POLARITIES,
    ),
    RecipeField(
        "separation",
        "Separation",
        help="network: particle by particle, as the model finds them; uecs: by erosion, as the original does; arcs: by "
        "the notches and arcs of the outline, for much overlap of convex particles; watershed: by the distance to the "
        "outline. A model that finds no particles cuts along the seams that it sees instead, and then by erosion.",
        choices=SEPARATIONS,
    ),
    RecipeField(
        "outline",
        "Outline",
        help="visible: where a particle's contrast has fallen to one half; atoms: as far as its atoms reach, which the "
        "model extrapolates where the image is noisy.",
        choices=OUTLINES,
    ),
    RecipeField(
        "convention",
        "Measuring convention",
        help="contour: on the sub-pixel outline; antema: the original's pixel counting, for old series.",
        choices=CONVENTIONS,
    ),
    RecipeField(
        "min_diameter_nm",
        "Smallest particle",
        "nm",
        "Objects of a smaller equivalent diameter are dropped as too small.",
        0.0,
        1e6,
    ),
    RecipeField(
        "min_area_px", "Smallest particle area", "px", "Objects of fewer pixels are dropped as too small.", 1, 1e6
    ),
    RecipeField(
        "hole_diameter_nm", "Holes closed below", "nm", "Holes of a smaller equivalent diameter are filled.", 0.0, 1e6
    ),
    RecipeField(
        "drop_border", "Drop border particles", help="Particles cut by the image's edge have no size of their own."
    ),
    RecipeField(
        "leave_out_annotations",
        "Leave out burned-in text and bars",
        help="Scale bars, labels and data bars are no specimen; particles that they cut are dropped.",
    ),
    RecipeField(
        "convexity_threshold",
        "Convexity threshold",
        help="A region at or below this convexity is taken for several particles.",
        minimum=0.5,
        maximum=1.0,
    ),
    RecipeField(
        "marker_diameter_nm",
        "Least marker",
        "nm",
        "UECS: an eroded piece of a smaller equivalent diameter is no marker.",
        0.0,
        1e6,
    ),
    RecipeField(
        "marker_area_px", "Least marker area", "px", "UECS: an eroded piece of fewer pixels is no marker.", 1, 1e6
    ),
    RecipeField(
        "convexity_lower_bound",
        "Lower convexity bound",
        help="Regions below this convexity are too tangled to separate and are dropped.",
        minimum=0.0,
        maximum=1.0,
    ),
    RecipeField(
        "max_holes",
        "Most holes",
        help="Regions with more holes are dropped as networks or dirt, unless they come apart into particles.",
        minimum=0,
        maximum=1e4,
    ),
    RecipeField(
        "watershed_depth_px",
        "Watershed depth",
        "px",
        "Watershed: minima of the distance map shallower than this do not split.",
        0.0,
        100.0,
    ),
    RecipeField(
        "least_seen",
        "Least outline seen",
        help="Particles of whose outline a smaller share is seen are measured, but left out of the numbers, since what "
        "others hide is inferred; 0 keeps all.",
        minimum=0.0,
        maximum=1.0,
    ),
    RecipeField(
        "crystallinity", "Crystallinity", help="Classify each particle, where a crystallinity model is installed."
    ),
    RecipeField(
        "crystallinity_model", "Crystallinity model", help="The network that tells crystalline from amorphous."
    ),
)


_BEFORE = {"outline": "atoms", "least_seen": 0.0}
"""What was done before a recipe could say it."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Models and parameters of an analysis. The defaults are ANTEMA's (Gumbiowski et al. 2023).

    What acts at view time (see `View`) is no part of it: moving a slider makes no new result.
    """

    model: str = "default"
    threshold: float | None = None
    polarity: str = "auto"
    separation: str = "network"
    outline: str = "visible"
    convention: str = "contour"
    min_diameter_nm: float = 0.5
    min_area_px: int = 12
    hole_diameter_nm: float = 0.5
    drop_border: bool = True
    leave_out_annotations: bool = True
    convexity_threshold: float = 0.95
    marker_diameter_nm: float = 0.5
    marker_area_px: int = 30
    convexity_lower_bound: float = 0.5
    max_holes: int = 10
    watershed_depth_px: float = 1.0
    least_seen: float = 0.6
    crystallinity: bool = True
    crystallinity_model: str = "default"

    def __post_init__(self) -> None:
        """Check every value against its field's range or choices."""
        for field in RECIPE_FIELDS:
            value = getattr(self, field.name)
            if field.choices and value not in field.choices:
                msg = f"{field.label}: expected one of {', '.join(field.choices)}, found {value!r}"
                raise AntemaError(msg)
            if field.minimum is not None and field.maximum is not None and value is not None:
                _check_number(field, value)
        if (self.separation, self.convention) == ("network", "antema"):
            object.__setattr__(self, "separation", "uecs")  # the original has no other: the convention implies it

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Recipe":
        """Return the recipe of these values; absent ones keep their default.

        Raises
        ------
        AntemaError
            For an unknown name, a value of the wrong type or out of range.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if known - set(_BEFORE) <= set(values):
            values = {**_BEFORE, **values}  # a whole recipe of the time when there was no other
        unknown = sorted(set(values) - known)
        if unknown:
            msg = f"recipe: unknown parameter {', '.join(unknown)}; known are {', '.join(sorted(known))}"
            raise AntemaError(msg)
        defaults = cls()
        typed = {name: _as_type(name, getattr(defaults, name), value) for name, value in values.items()}
        return cls(**typed)

    def fingerprint(self) -> str:
        """Return the sha256 of the recipe's canonical JSON, as hex."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class View:
    """What acts when results are looked at, stored and exported with them but no part of a fingerprint.

    Parameters
    ----------
    weighting : str
        ``number``, ``area`` or ``volume``.
    crystallinity_certainty : float
        Below this confidence a particle's crystallinity is unknown.
    border_weighted : bool
        Whether each particle counts by the inverse of the chance that one of its extent lies wholly inside the image
        (its ``border_weight``), times the weighting: dropping particles that the edge cuts favours small ones.
    exclusions : bool
        Whether micrographs that people left out and particles that they excluded stay out of the numbers.
    """

    weighting: str = "number"
    crystallinity_certainty: float = 0.80
    border_weighted: bool = False
    exclusions: bool = True


def _check_number(field: RecipeField, value: object) -> None:
    assert field.minimum is not None
    assert field.maximum is not None
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not field.minimum <= number <= field.maximum:
        unit = f" {field.unit}" if field.unit else ""
        msg = f"{field.label}: expected a number from {field.minimum:g} to {field.maximum:g}{unit}, found {value!r}"
        raise AntemaError(msg)


def _as_type(name: str, default: object, value: Any) -> Any:  # noqa: ANN401 - JSON values of any type come in
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if name == "threshold" and (value is None or is_number):
        return None if value is None else float(value)
    if isinstance(default, bool):
        if not isinstance(value, bool):
            msg = f"recipe: {name} expected true or false, found {value!r}"
            raise AntemaError(msg)
        return value
    if isinstance(default, int) and is_number:
        if not math.isfinite(value) or value != int(value):
            msg = f"recipe: {name} expected a whole number, found {value!r}"
            raise AntemaError(msg)
        return int(value)
    if isinstance(default, float) and is_number:
        return float(value)
    if isinstance(default, str) and isinstance(value, str):
        return value
    msg = f"recipe: {name} expected {'a name' if isinstance(default, str) else 'a number'}, found {str(value)[:80]!r}"
    raise AntemaError(msg)
