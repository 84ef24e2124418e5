"""The help: what to do, what each number means, and what the colours and the reasons are."""

from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from antema.domain import DROP_REASONS, RECIPE_FIELDS, UNKNOWN_REASONS, Recipe
from antema.imaging.palette import CRYSTALLINITY_COLOURS, OUTLINE_COLOURS, SAMPLE_COLOURS
from antema.stats import LEAST_IMAGES_FOR_A_TEST, MANY_IMAGES

NUMBERS: tuple[tuple[str, str, str], ...] = (
    ("Area", "area_nm2", "What the outline encloses; holes inside a particle count as particle."),
    ("Equivalent diameter", "equivalent_diameter_nm", "Diameter of the circle of the same area: 2 √(area / π)."),
    (
        "Min and max Feret",
        "feret_min_nm, feret_max_nm",
        "Smallest and largest distance between two parallel lines that touch the particle from both sides, as a "
        "calliper would measure it.",
    ),
    ("Aspect ratio", "aspect_ratio", "Max Feret / min Feret: 1 for a disc, 1.41 for a square, larger for a rod."),
    ("Perimeter", "perimeter_nm", "Length of the outline."),
    (
        "Circularity",
        "circularity",
        "4 π area / perimeter²: 1 for a disc, 0.79 for a square. Rough outlines lower it.",
    ),
    (
        "Convexity",
        "convexity",
        "Perimeter of the convex hull / perimeter: 1 without dents. UECS takes a region at or below the convexity "
        "threshold for several particles.",
    ),
    ("Solidity", "solidity", "Area / area of the convex hull: 1 without dents."),
    ("Centroid", "centroid_x_nm, centroid_y_nm", "Centre of the area, from the micrograph's upper left corner."),
    (
        "Bounding box",
        "bbox_x_px, bbox_y_px, bbox_w_px, bbox_h_px",
        "Upper left pixel (counted from 0), width and height on the micrograph.",
    ),
    ("Separated", "separated", "Whether the particle was taken out of an overlap."),
    (
        "Eccentricity and orientation",
        "eccentricity, orientation_deg",
        "Of the ellipse with the same second moments: 0 for a circle, towards 1 for a rod; the angle of its long axis "
        "to the horizontal, counter-clockwise.",
    ),
    (
        "Grey value and contrast",
        "mean_grey, contrast",
        "Mean of the micrograph's own values inside; its difference from the background around the particle, over the "
        "standard deviation of that background.",
    ),
    ("Nearest neighbour", "nearest_neighbour_nm", "Distance to the nearest other particle, centre to centre."),
    ("Overlap", "overlap_fraction", "Share of the particle's area that other particles cover too."),
    ("Hidden outline", "inferred_fraction", "Share of the outline that lies under other particles and was inferred."),
    (
        "Confidence of the outline",
        "outline_confidence",
        "How well the outline fits, as the network that drew it expects: the area that it shares with the particle "
        "over the area of both together. Empty where the network does not tell.",
    ),
    (
        "Definition of the outline",
        "outline",
        "Where the particle ends: at its visible edge, or as far as its atoms reach.",
    ),
    (
        "Edge width",
        "edge_width_nm",
        "How soft the outline is: distance between where the probability is 0.3 and where it is 0.7.",
    ),
    (
        "Border weight",
        "border_weight",
        "How many particles this one stands for where particles cut by the image's edge are left out, which is "
        "likelier for large ones (see Weighting); 0 for one on the edge.",
    ),
    (
        "Crystallinity",
        "crystallinity, p_amorphous, p_monocrystalline, p_polycrystalline, confidence",
        "Amorphous, monocrystalline, or polycrystalline (more than one domain, twins included). The confidence is the "
        "largest of the three probabilities; below the certainty chosen a particle is unknown (see Crystallinity).",
    ),
    (
        "Lattice visible",
        "p_lattice_visible, crystallinity_reason",
        "Probability that a lattice could be seen in the particle's place, if it had one; and why it is unknown, where "
        "it is.",
    ),
)
"""What is measured: name, columns of the particle table, definition."""

REASONS: dict[str, tuple[str, str | None]] = {
    "touches_border": ("The rest of the particle is not on the image, so it has no size.", "drop_border"),
    "too_small": ("Below what is taken for a particle; noise looks like this.", "min_diameter_nm"),
    "unresolved": (
        "A clump that nothing could take apart; its share of the area is said before the numbers.",
        "separation",
    ),
    "too_many_holes": ("A network, a film or dirt rather than a particle.", "max_holes"),
    "convexity_too_low": ("Too tangled to be taken apart reliably.", "convexity_lower_bound"),
    "not_separable": ("An overlap whose parts could not be told from each other.", "separation"),
    "mostly_hidden": ("It is drawn and measured, but most of its outline is inferred, not seen.", "least_seen"),
    "in_annotation": (
        "A scale bar, a label or a data bar that was burned into the image lies on it, so its outline is not its own.",
        "leave_out_annotations",
    ),
    "excluded_by_user": ("Somebody took it out, with a reason that is kept; it can be brought back.", None),
}
"""Why an object does not count: explanation, and the recipe parameter that decides it."""

UNKNOWN: dict[str, str] = {
    "sampling_too_coarse": "Two pixels or fewer for each plane: no lattice is in the image. Take it at a higher "
    "magnification.",
    "too_small": "Nothing like it was learned from; there are too few planes to tell.",
    "too_large": "Nothing like it was learned from.",
    "no_lattice_visible": "A lattice would likely not be seen here if there was one: a crystal may stand far from any "
    "zone axis, or the noise may cover it. Then nothing is named, however certain the probabilities. Not the same as "
    "amorphous.",
    "uncertain": "The probabilities do not reach the certainty, though a lattice would be seen.",
}
"""How particles come to be unknown, by the reason."""

FILES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("Gatan DigitalMicrograph", ("dm3", "dm4", "tif"), "the file's calibration"),
    ("Thermo Fisher, FEI", ("emd", "ser", "emi", "mrc", "tif"), "the file's calibration, or the maker's tags"),
    ("JEOL, Zeiss, TVIPS, Olympus SIS", ("tif",), "the maker's tags"),
    ("HyperSpy, Berkeley", ("hspy", "emd", "h5"), "the axes"),
    ("ImageJ, OME", ("tif",), "the unit they were saved with"),
    ("Pictures and arrays", ("png", "jpg", "npy"), "none: type the pixel size"),
)
"""What can be read: where it comes from, suffixes, origin of the scale."""

KEYS: tuple[tuple[str, str], ...] = (
    ("← →", "previous and next micrograph of the sample (image page)"),
    ("N P", "next and previous particle that counts (image page)"),
    ("O", "outlines on and off (image page)"),
    ("C", "outlines coloured by crystallinity (image page)"),
    ("E", "the network's evidence for the next class laid over the particle (image page)"),
    ("B", "frames around what is burned in (image page)"),
    ("X", "exclude the particle that is picked (image page)"),
    ("Tab, Enter", "every control and link, in order"),
)

_SECTIONS = (
    ("start", "Three steps"),
    ("numbers", "The numbers"),
    ("conventions", "Measuring conventions"),
    ("intervals", "Intervals and tests"),
    ("weighting", "Weighting"),
    ("crystallinity", "Crystallinity"),
    ("left-out", "What does not count"),
    ("colours", "Colours"),
    ("scale", "Files and their scale"),
    ("recipe", "The recipe"),
    ("keys", "Keyboard"),
)


def help_page() -> html.Div:
    """Return the whole page."""
    parts = {
        "start": _start(),
        "numbers": _numbers(),
        "conventions": _conventions(),
        "intervals": _intervals(),
        "weighting": _weighting(),
        "crystallinity": _crystallinity(),
        "left-out": _left_out(),
        "colours": _colours(),
        "scale": _files(),
        "recipe": _recipe(),
        "keys": _keys(),
    }
    contents = [html.Li(html.A(title, href=f"#{name}")) for name, title in _SECTIONS]
    sections = [
        html.Section([html.H2(title), *parts[name]], id=name, className="help-section") for name, title in _SECTIONS
    ]
    return html.Div(
        [html.Nav(html.Ul(contents), className="help-contents"), html.Div(sections, className="help-text")],
        className="help",
    )


def _start() -> list[Any]:
    steps = (
        (
            "Drop",
            [
                "Make a ",
                dcc.Link("sample", href="/samples?new=1"),
                " for the synthesis batch and drop its micrographs, or folders of them, on it as they come from the "
                "microscope. A picture without a scale asks for its pixel size, and offers what its scale bar says.",
            ],
        ),
        (
            "Analyse",
            [
                "Press Analyse. The work goes on when the tab is closed and shows on the ",
                dcc.Link("jobs page", href="/jobs"),
                "; an image that fails, fails alone, with its reason.",
            ],
        ),
        (
            "Read",
            [
                "Look at the outlines, exclude what is no particle, read the distribution, ",
                dcc.Link("compare", href="/compare"),
                " samples, and download the report.",
            ],
        ),
    )
    return [
        html.Ol([html.Li([html.B(title), html.Div(text)]) for title, text in steps], className="help-steps"),
        html.P(
            "Nothing is lost on the way: the uploaded files stay as they are, each result keeps its recipe, its model "
            "and the pixel size it was computed with, and each change by a person keeps who, when and why."
        ),
    ]


def _numbers() -> list[Any]:
    rows = [
        [html.B(name), text, [html.Div(html.Code(column)) for column in columns.split(", ")]]
        for name, columns, text in NUMBERS
    ]
    return [
        html.P("Each is measured on one particle. Lengths are in nanometres; the column's name says so."),
        _table(("Quantity", "What it is", "Columns in the table"), rows),
        html.P(
            "Of a sample: the mean and the standard deviation (SD, the width of the distribution, not the uncertainty "
            "of the mean), and D10, D50 and D90, the values below which 10, 50 and 90 % of the weight lies; D50 is the "
            "median."
        ),
        html.P(
            "A particle ends at its visible edge, where the contrast between the ground and the inside of its rim "
            "has fallen to half; or, where the recipe asks for it or the network knows no other, as far as its atoms "
            "reach: for a metal at the metallic radius around the outermost ones. The column outline says which. "
            "Ligand shells and carbon are not particle."
        ),
    ]


def _conventions() -> list[Any]:
    return [
        html.P("Each table and each report names the convention. Never compare numbers of different conventions."),
        html.Dl(
            [
                html.Dt("contour (default)"),
                html.Dd(
                    "Area, perimeter and Feret diameters come from one sub-pixel outline: where the network's "
                    "probability falls to the threshold, or along the cut where a separation made one. The circularity "
                    "of a disc is 1."
                ),
                html.Dt("antema"),
                html.Dd(
                    "Pixels are counted and pixel chains are walked, as the MATLAB program ANTEMA does it, with its "
                    "own cleaning and separation. For going on with an old series."
                ),
            ],
            className="help-terms",
        ),
    ]


def _intervals() -> list[Any]:
    return [
        html.P(
            "Every number stands with a 95 % interval: were the whole experiment repeated, with new images of the same "
            "sample, 95 of 100 such intervals would hold the sample's true value. It speaks of the scatter between "
            "particles and images; a wrong scale or a wrong outline is not in it."
        ),
        html.P(
            "Particles of one image are alike (same focus, same spot of the grid), so it is images that are counted as "
            "independent, not particles:"
        ),
        _table(
            ("Images", "Where the interval comes from"),
            [
                [f"{MANY_IMAGES} or more", "Whole images are drawn anew some thousand times (bootstrap)."],
                [
                    f"2 to {MANY_IMAGES - 1}",
                    "Student's t on the images' own values; wide, and the page says the images are few.",
                ],
                ["1", "Within this image only: it says nothing about the rest of the sample."],
            ],
        ),
        html.P(
            "Comparing two samples gives the difference of their medians and Cliff's delta: the chance that a particle "
            "of the first is larger than one of the second minus the chance that it is smaller, from −1 to 1, with 0 "
            "for no difference. Below 0.15 it is called negligible, below 0.33 small, below 0.47 medium, else large."
        ),
        html.P(
            "The p-value tells how often a difference of medians at least this large appears when whole images are "
            f"dealt out to the two samples at random. It takes {LEAST_IMAGES_FOR_A_TEST} images of each sample; with "
            "few images it cannot become small, however many particles there are. With several pairs, quote the value "
            "corrected for their number (Holm). A small p-value is no large difference: look at the effect first."
        ),
    ]


def _weighting() -> list[Any]:
    return [
        html.P(
            "By number, every particle counts once. By area or volume it counts by the square or the cube of its "
            "equivalent diameter, which tells where the sample's surface or its mass is. The weighting stands beside "
            "each number; a volume-weighted mean can be far above the number-weighted one, and hang on a few large "
            "particles."
        ),
        html.P(
            "Particles that the image's edge cuts have no size of their own and are dropped. A large particle is cut "
            "more often than a small one, so what is left favours small ones: little where particles are a hundredth "
            "of the image, much where they are a fifth. Corrected for border loss, each particle counts by the inverse "
            "of the chance that one of its extent lies wholly inside the image (Miles and Lantuéjoul), times its "
            "weighting, in every statistic. Where a recipe keeps cut particles there is nothing to correct with: they "
            "are measured too small."
        ),
        html.P(
            "Weighting, correction, quantity and result stand in the page's address, so that a link shows what you "
            "see; looking changes nothing for others. “Keep this view” does: from then on the result opens so for "
            "everybody, and the change is recorded."
        ),
    ]


def _crystallinity() -> list[Any]:
    classes = (
        ("amorphous", "No order: no lattice in any direction, in an image that would show one."),
        (
            "monocrystalline",
            "One lattice through the whole particle. A twin looks the same where the image shows one of its lattices "
            "alone, or both as one.",
        ),
        ("polycrystalline", "More than one domain; twins are (decahedra and icosahedra among them)."),
        ("unknown", "The image does not tell, or the network is not certain enough. It counts as a share of its own."),
    )
    rows = [[html.B([_swatch(CRYSTALLINITY_COLOURS[name]), name]), text] for name, text in classes]
    reasons = [
        [html.B(f"{words[:1].upper()}{words[1:]}"), UNKNOWN[reason]] for reason, words in UNKNOWN_REASONS.items()
    ]
    return [
        html.P(
            "A network looks at each particle that counts, at the micrograph's own grey values, and gives three "
            "probabilities that add up to 1 and mean what they say: of the particles that it calls something with 80 "
            "%, 80 % are that, as far as they are of the kind that it learned from (its card on the models page has "
            "the numbers)."
        ),
        _table(("Class", "What it means"), rows),
        html.P(
            "Crystalline, where only two classes are wanted, is mono- and polycrystalline together: their "
            "probabilities and their shares add up."
        ),
        html.H3("Unknown"),
        _table(("Reason", "How it comes about"), reasons),
        html.P(
            "The certainty on the sample page acts at once. A higher one leaves fewer particles with a class, of which "
            "more are right: the curve beside it shows both. What is to be expected right is the mean of the "
            "probabilities of those that have a class, and not measured on this sample. A particle that is called "
            "unknown because of its pixels, its size or want of a visible lattice stays so at any certainty."
        ),
        html.H3("A particle looked at"),
        html.P(
            "On the image page, click a particle or press N. Its own grey values stand beside their Fourier transform: "
            "planes of a lattice, which are stripes in the particle, are a pair of bright spots in the transform, "
            "opposite each other; the farther from the middle, the closer the planes. A spot is ringed where it stands "
            "out of the particle's own noise so far that noise alone would do so in one particle of a hundred. It is "
            "named by the nearest reflection of the sample's material (entered with Edit on the sample page) that lies "
            "within the tolerance, which is printed beside it; else it is unnamed. One lattice gives spots at the "
            "angles that its reflections have; spots that fit no common lattice speak of several domains. Few spots "
            "prove no disorder: most crystals do not stand so that a lattice shows."
        ),
        html.P(
            "The evidence map shows where in the particle the network sees what speaks for a class, in the class's "
            "colour, and what speaks against it, in purple, each compared with the mean of the three classes. Its mean "
            "over the particle is what the probabilities are made of. Spots and network know nothing of each other: "
            "where they disagree, look twice."
        ),
    ]


def _swatch(colour: str) -> html.Span:
    return html.Span(className="compare-swatch", style={"backgroundColor": colour})


def _left_out() -> list[Any]:
    labels = {field.name: field.label for field in RECIPE_FIELDS}
    rows = [
        [html.B(words), text, labels[parameter] if parameter else "–", html.Code(reason)]
        for reason, words in DROP_REASONS.items()
        for text, parameter in [REASONS[reason]]
    ]
    return [
        html.P(
            "Every object that was detected keeps a row in the table. One that does not count is marked dropped, with "
            "its reason; it is drawn on the micrograph and is in no statistic."
        ),
        _table(("Reason", "Why", "Decided by", "In the table"), rows),
    ]


def _colours() -> list[Any]:
    outlines = {
        "whole": "a particle that stood alone",
        "separated": "a particle taken out of an overlap",
        "dropped": "an object that does not count (dashed)",
    }
    return [
        html.P("The same on every page, in the reports and on the micrographs, and told apart by colour-blind eyes."),
        html.H3("Outlines"),
        _key([(OUTLINE_COLOURS[name], text) for name, text in outlines.items()]),
        html.H3("Crystallinity"),
        _key([(colour, name) for name, colour in CRYSTALLINITY_COLOURS.items()]),
        html.H3("Samples of a comparison, in the order chosen"),
        _key([(colour, str(place)) for place, colour in enumerate(SAMPLE_COLOURS, start=1)]),
    ]


def _key(entries: Sequence[tuple[str, str]]) -> html.Ul:
    return html.Ul(
        [html.Li([_swatch(colour), text]) for colour, text in entries],
        className="help-key",
    )


def _files() -> list[Any]:
    rows = [[source, ", ".join(suffixes), scale] for source, suffixes, scale in FILES]
    return [
        html.P(
            "A file is recognised by what is in it, not by its name. Spectra, diffraction patterns and Fourier "
            "transforms are refused, with the reason."
        ),
        _table(("From", "Files", "Scale"), rows),
        html.P(
            "The pixel size is the one number that everything else hangs on. Its origin stands beside it on the card "
            "of each micrograph: which entry of the file, or who typed it. The dots per inch of a screen or a printer "
            "are never taken for a scale."
        ),
        html.P(
            "A scale bar drawn into a picture is found, measured and read. What it says is offered where the file has "
            "no scale, and never taken by itself; where it, the file and what a person typed differ by more than 1 %, "
            "that is said with both numbers. One pixel of a short bar may be more than that. A size outside 0.001 to "
            "20 nm, or more than tenfold off those of the sample's other micrographs, is asked about before it is set."
        ),
        html.P(
            "A file may hold several images. The best is taken; the page of the micrograph lists them and lets another "
            "one be chosen, which has results of its own."
        ),
    ]


def _recipe() -> list[Any]:
    default = Recipe()
    rows = [
        [html.B(field.label), field.help, _value_words(getattr(default, field.name), field.unit)]
        for field in RECIPE_FIELDS
    ]
    return [
        html.P(
            "What an analysis does, with ANTEMA's defaults. It is kept with the result and printed in the report; the "
            "same image, pixel size and recipe are never computed twice."
        ),
        _table(("Parameter", "What it does", "Default"), rows),
        html.P(
            "The weighting, the certainty of crystallinity and exclusions by a person act when a result is looked at "
            "and make no new one."
        ),
    ]


def _value_words(value: object, unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "the model's own"
    return f"{value:g} {unit}".strip() if isinstance(value, int | float) else str(value)


def _keys() -> list[Any]:
    return [_table(("Key", "Does"), [[html.Kbd(key), text] for key, text in KEYS])]


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> html.Div:
    table = html.Table(
        [
            html.Thead(html.Tr([html.Th(text, scope="col") for text in head])),
            html.Tbody([html.Tr([html.Td(cell) for cell in row]) for row in rows]),
        ],
        className="numbers help-table",
    )
    return html.Div(table, className="scroll-x")
