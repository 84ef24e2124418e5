"""Whether what is known of a micrograph's scale agrees: the file's, a person's, a burned-in bar's."""

from dataclasses import dataclass

from antema.domain.annotation import ScaleBar
from antema.domain.micrograph import PixelSize

SCALE_TOLERANCE = 0.01
"""Two pixel sizes that differ by more than this fraction disagree."""


def disagree(nm: float, reference_nm: float) -> bool:
    """Return whether a pixel size differs from a reference by more than `SCALE_TOLERANCE`.

    Examples
    --------
    >>> disagree(0.1009, 0.1), disagree(0.1011, 0.1)
    (False, True)
    """
    return abs(nm / reference_nm - 1) > SCALE_TOLERANCE


def scale_bar_words(bar: ScaleBar) -> str:
    """Return what was measured and read of a scale bar.

    Examples
    --------
    >>> from antema.domain import Box
    >>> scale_bar_words(ScaleBar(172.0, Box(10, 10, 172, 4), "10 nm", 10.0))
    '172 px, labelled “10 nm”'
    """
    label = f"labelled “{bar.label}”" if bar.label else "without a label that can be read"
    return f"{bar.length_px:.4g} px, {label}"


@dataclass(frozen=True)
class Disagreement:
    """Two pixel sizes of one micrograph that are not the same.

    Parameters
    ----------
    sentence : str
        Both numbers and by how many per cent they differ.
    short : str
        The same beside the size in force.
    """

    sentence: str
    short: str


def scale_disagreements(
    in_force: PixelSize, *, file_nm: float | None, bar: ScaleBar | None
) -> tuple[Disagreement, ...]:
    """Return each disagreement of more than `SCALE_TOLERANCE` on a micrograph's pixel size.

    Parameters
    ----------
    in_force : PixelSize
        The pixel size that lengths are computed with.
    file_nm : float or None
        What the file itself says, nm per pixel.
    bar : ScaleBar or None
        The bar found in the image.

    Returns
    -------
    tuple of Disagreement
        A size that a person gave is held against the file's, and the bar against the size in force.

    Examples
    --------
    >>> from antema.domain import Box
    >>> bar = ScaleBar(172.0, Box(10, 10, 172, 4), "10 nm", 10.0)
    >>> (found,) = scale_disagreements(PixelSize(0.06398699, "file: x"), file_nm=0.06398699, bar=bar)
    >>> found.sentence
    "The scale bar (172 px, labelled “10 nm”) gives 0.05814 nm/px, 9.1 % less than the file's 0.06399 nm/px."
    >>> found.short
    'scale bar: 0.05814 nm/px, 9.1 % less'
    """
    if in_force.nm is None:
        return ()
    found: list[Disagreement] = []
    is_files = in_force.source.startswith(("file", "sidecar"))
    if not is_files and file_nm is not None and disagree(in_force.nm, file_nm):
        compared = f"{_difference(in_force.nm, file_nm)} than the file's {file_nm:.4g} nm/px"
        found.append(Disagreement(f"The given {in_force.nm:.4g} nm/px is {compared}.", compared))
    of_bar = None if bar is None else bar.pixel_size_nm
    if bar is not None and of_bar is not None and disagree(of_bar, in_force.nm):
        size, difference = f"{of_bar:.4g} nm/px", _difference(of_bar, in_force.nm)
        whose = "file's" if is_files else "given"
        sentence = f"The scale bar ({scale_bar_words(bar)}) gives {size}, {difference} than the {whose} "
        sentence += f"{in_force.nm:.4g} nm/px.{_resolution(bar)}"
        found.append(Disagreement(sentence, f"scale bar: {size}, {difference}"))
    return tuple(found)


def _difference(nm: float, reference_nm: float) -> str:
    percent = 100 * (nm / reference_nm - 1)
    size = f"{abs(percent):.1f}" if abs(percent) < 100 else f"{abs(percent):.0f}"
    return f"{size} % {'more' if percent > 0 else 'less'}"


def _resolution(bar: ScaleBar) -> str:
    # a short bar cannot tell a difference of one per cent: that is said, and left to the reader to weigh
    share = 1 / bar.length_px
    return f" One pixel of this bar is {100 * share:.1f} %." if share > SCALE_TOLERANCE else ""
