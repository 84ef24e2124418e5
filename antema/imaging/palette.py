"""Colours that colour-blind readers can tell apart, the same in the dashboard, the reports and the overlays.

The eight hues are those of Okabe and Ito, "Color Universal Design" (2008), https://jfly.uni-koeln.de/color/.
"""

ORANGE = "#E69F00"
SKY_BLUE = "#56B4E9"
BLUISH_GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
REDDISH_PURPLE = "#CC79A7"
GREY = "#7F7F7F"

#: One colour per sample, in the order in which samples are compared. Yellow comes last: it is weak on white paper.
SAMPLE_COLOURS: tuple[str, ...] = (
    BLUE,
    ORANGE,
    BLUISH_GREEN,
    REDDISH_PURPLE,
    VERMILLION,
    SKY_BLUE,
    GREY,
    YELLOW,
)

#: One colour per crystallinity class of the particle table.
CRYSTALLINITY_COLOURS: dict[str, str] = {
    "amorphous": ORANGE,
    "monocrystalline": BLUE,
    "polycrystalline": BLUISH_GREEN,
    "unknown": GREY,
}

#: Outlines on a micrograph: particles found alone, particles taken out of an overlap, objects left out. Bright hues,
#: for they lie on grey.
OUTLINE_COLOURS: dict[str, str] = {
    "whole": YELLOW,
    "separated": SKY_BLUE,
    "dropped": REDDISH_PURPLE,
}

#: Frames around what is burned into a micrograph: its scale bar, labels, data bars.
BURNED_IN_COLOUR = VERMILLION


def sample_colour(index: int) -> str:
    """Return the colour of the sample at this place of a comparison; the colours repeat after the last.

    Examples
    --------
    >>> sample_colour(0) == sample_colour(len(SAMPLE_COLOURS))
    True
    """
    return SAMPLE_COLOURS[index % len(SAMPLE_COLOURS)]


def rgb(colour: str) -> tuple[int, int, int]:
    """Return a ``#RRGGBB`` colour as three values from 0 to 255.

    Examples
    --------
    >>> rgb("#0072B2")
    (0, 114, 178)
    """
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
