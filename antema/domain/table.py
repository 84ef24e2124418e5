"""The particle table: its columns, their units, and why an object may be left out."""

from dataclasses import dataclass

PARTICLE_COLUMNS: tuple[str, ...] = (
    "sample",
    "image",
    "particle",
    "status",
    "drop_reason",
    "separated",
    "area_nm2",
    "equivalent_diameter_nm",
    "feret_min_nm",
    "feret_max_nm",
    "aspect_ratio",
    "perimeter_nm",
    "circularity",
    "convexity",
    "solidity",
    "centroid_x_nm",
    "centroid_y_nm",
    "bbox_x_px",
    "bbox_y_px",
    "bbox_w_px",
    "bbox_h_px",
    "crystallinity",
    "p_amorphous",
    "p_monocrystalline",
    "p_polycrystalline",
    "confidence",
    "convention",
    "eccentricity",
    "orientation_deg",
    "mean_grey",
    "contrast",
    "nearest_neighbour_nm",
    "overlap_fraction",
    "edge_width_nm",
    "border_weight",
)

DROP_REASONS: dict[str, str] = {
    "touches_border": "cut by the image's edge",
    "too_small": "below the smallest particle",
    "too_many_holes": "more holes than allowed",
    "convexity_too_low": "below the lower convexity bound",
    "not_separable": "overlapping, and the separation gave no convex particles",
    "in_annotation": "covered or cut by text or a bar burned into the image",
    "excluded_by_user": "excluded by a person",
}


@dataclass(frozen=True)
class Quantity:
    """One measured quantity of a particle.

    Parameters
    ----------
    column : str
        Its column in the particle table.
    label : str
        Words for axes and headings.
    unit : str
        Unit, empty for a ratio.
    upper : float or None
        What it cannot pass, but for the uncertainty of an outline.
    """

    column: str
    label: str
    unit: str = ""
    upper: float | None = None

    @property
    def least_bin_width(self) -> float:
        """Width below which a histogram would show the grain of the pixels: 0.005 for a ratio, none for a length."""
        return 0.0 if self.unit else 0.005

    @property
    def axis(self) -> str:
        """Label with unit, for an axis."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


QUANTITIES: tuple[Quantity, ...] = (
    Quantity("equivalent_diameter_nm", "Equivalent diameter", "nm"),
    Quantity("feret_min_nm", "Min Feret", "nm"),
    Quantity("feret_max_nm", "Max Feret", "nm"),
    Quantity("circularity", "Circularity", upper=1.0),
    Quantity("aspect_ratio", "Aspect ratio"),
    Quantity("convexity", "Convexity", upper=1.0),
)
