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
    "p_lattice_visible",
    "crystallinity_reason",
    "inferred_fraction",
    "outline_confidence",
    "outline",
)

DROP_REASONS: dict[str, str] = {
    "touches_border": "cut by the image's edge",
    "too_small": "below the smallest particle",
    "too_many_holes": "more holes than allowed",
    "convexity_too_low": "below the lower convexity bound",
    "not_separable": "overlapping, and the separation gave no convex particles",
    "unresolved": "a clump that could not be taken apart",
    "mostly_hidden": "more of its outline hidden by others than allowed",
    "in_annotation": "covered or cut by text or a bar burned into the image",
    "excluded_by_user": "excluded by a person",
}


COLUMN_MEANINGS: dict[str, str] = {
    "sample": "name of the sample",
    "image": "name of the micrograph's file",
    "particle": "number of the object in its image; instance maps use the same",
    "status": "measured: the particle counts; dropped: it does not, and is in no statistic",
    "drop_reason": "why it does not count",
    "separated": "whether it was taken out of an overlap",
    "area_nm2": "area inside the outline, holes included",
    "equivalent_diameter_nm": "diameter of the circle of the same area",
    "feret_min_nm": "smallest distance of two parallel tangents",
    "feret_max_nm": "largest distance of two parallel tangents",
    "aspect_ratio": "max Feret / min Feret",
    "perimeter_nm": "length of the outline",
    "circularity": "4 pi area / perimeter^2; 1 for a disc",
    "convexity": "perimeter of the convex hull / perimeter",
    "solidity": "area / area of the convex hull",
    "centroid_x_nm": "centre of the area, to the right from the image's upper left corner",
    "centroid_y_nm": "centre of the area, downwards from the image's upper left corner",
    "bbox_x_px": "first column of pixels of the bounding box, counted from 0",
    "bbox_y_px": "first row of pixels of the bounding box, counted from 0",
    "bbox_w_px": "width of the bounding box",
    "bbox_h_px": "height of the bounding box",
    "crystallinity": "amorphous, monocrystalline, polycrystalline (twins included) or unknown; empty: not classified",
    "p_amorphous": "probability of amorphous",
    "p_monocrystalline": "probability of monocrystalline",
    "p_polycrystalline": "probability of polycrystalline",
    "confidence": "largest of the three probabilities; below the certainty asked for the particle is unknown",
    "convention": "measuring convention, contour or antema; numbers of different ones are not comparable",
    "eccentricity": "of the ellipse with the same second moments; 0 for a disc, towards 1 for a rod",
    "orientation_deg": "angle from the image's x axis to the long axis of that ellipse, counter-clockwise, 0 to 180",
    "mean_grey": "mean of the file's own pixel values inside the particle",
    "contrast": "|mean inside - mean of the background around it| / standard deviation of that background, per pixel",
    "nearest_neighbour_nm": "distance to the nearest other particle of the image, centre to centre; one beyond the "
    "image's edge is not seen",
    "overlap_fraction": "share of the area that other particles cover too",
    "edge_width_nm": "distance between the outlines at probability 0.3 and 0.7: how soft the edge is; empty without "
    "a probability map",
    "border_weight": "1 / chance that a particle of its bounding box lies wholly inside the image: for how many it "
    "counts where statistics are corrected for border loss; 0 on the edge",
    "p_lattice_visible": "probability that a lattice could be seen in the particle's place, if it had one",
    "crystallinity_reason": "why the crystallinity is unknown: sampling_too_coarse, too_small or too_large (the "
    "particle could not be asked about), no_lattice_visible (p_lattice_visible is below 0.5) or uncertain (the "
    "confidence is below the certainty asked for); empty where it is not unknown",
    "inferred_fraction": "share of the outline that lies under other particles and was inferred",
    "outline_confidence": "how well the outline fits, as the network that drew it foretells it: intersection over "
    "union with the particle, 0 to 1, not calibrated; 0 for what it did not propose, empty where none was asked",
    "outline": "where a particle ends: visible (half of its own contrast) or atoms (as far as its atoms reach); "
    "numbers of different ones are not comparable; empty for a mask of one's own",
}
"""What each column of the particle table holds; its unit is the end of its name."""


@dataclass(frozen=True)
class Quantity:
    """One measured quantity of a particle that is worth a distribution.

    Parameters
    ----------
    column : str
        Its column in the particle table.
    label : str
        Words for axes and headings.
    unit : str
        Unit, empty for a ratio.
    group : str
        What it tells of, for lists: ``Size``, ``Shape``, ``Surroundings`` or ``Image``.
    lower, upper : float or None
        What it cannot pass, but for the uncertainty of an outline.
    is_main : bool
        Whether every report draws it; the others stand in its tables.
    """

    column: str
    label: str
    unit: str = ""
    group: str = "Size"
    lower: float | None = 0.0
    upper: float | None = None
    is_main: bool = False

    @property
    def least_bin_width(self) -> float:
        """Width below which a histogram would show the grain of the pixels: 0.005 for a ratio, none for a length."""
        return 0.0 if self.unit else 0.005

    def bounds(self, lowest: float, highest: float) -> tuple[float | None, float | None]:
        """Return lower and upper bound for values from `lowest` to `highest`; one that these pass is none."""
        lower = None if self.lower is not None and lowest < self.lower else self.lower
        upper = None if self.upper is not None and highest > self.upper else self.upper
        return lower, upper

    @property
    def axis(self) -> str:
        """Label with unit, for an axis."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


QUANTITIES: tuple[Quantity, ...] = (
    Quantity("equivalent_diameter_nm", "Equivalent diameter", "nm", is_main=True),
    Quantity("feret_min_nm", "Min Feret", "nm", is_main=True),
    Quantity("feret_max_nm", "Max Feret", "nm", is_main=True),
    Quantity("area_nm2", "Area", "nm²"),
    Quantity("perimeter_nm", "Perimeter", "nm"),
    Quantity("circularity", "Circularity", group="Shape", upper=1.0, is_main=True),
    Quantity("aspect_ratio", "Aspect ratio", group="Shape", lower=1.0, is_main=True),
    Quantity("convexity", "Convexity", group="Shape", upper=1.0, is_main=True),
    Quantity("solidity", "Solidity", group="Shape", upper=1.0),
    Quantity("eccentricity", "Eccentricity", group="Shape", upper=1.0),
    Quantity("nearest_neighbour_nm", "Nearest-neighbour distance", "nm", group="Surroundings"),
    Quantity("overlap_fraction", "Overlapped share of the area", group="Surroundings", upper=1.0),
    Quantity("contrast", "Contrast to noise", group="Image"),
    Quantity("edge_width_nm", "Edge width", "nm", group="Image"),
)
"""What is plotted and summarised, in the order of lists; the first one is what a sample is named by."""
