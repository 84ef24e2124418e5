"""A micrograph's scale as the pages show it: number, origin, what disagrees, what its scale bar offers, a bar drawn."""

from collections.abc import Sequence
from typing import Any

from dash import html

from antema.domain import scale_bar_words
from antema.domain.plausible_scale import is_far
from antema.imaging.pictures import length_label, scale_bar_length_nm
from antema.storage import StoredMicrograph
from antema.web.format import pixel_size

_WARNING = html.I(className="bi bi-exclamation-triangle")


def scale_lines(micrograph: StoredMicrograph) -> list[Any]:
    """Return the scale for a card: number and origin, each disagreement, and the scale bar's offer."""
    size = micrograph.pixel_size
    if size.is_known:
        first = html.Div(
            [pixel_size(size.nm), html.Span(f" · {size.source}", className="quiet")],
            className="card-scale",
            title=f"{micrograph.width} × {micrograph.height} px; scale from {size.source}",
        )
    else:
        reason = size.source.removeprefix("none: ")
        first = html.Div(
            [_WARNING, " needs a pixel size"],
            className="card-scale missing",
            title=f"No usable scale: {reason}. Tick the card and set it.",
        )
    warnings = [
        html.Div([_WARNING, f" {found.short}"], className="card-warning", title=found.sentence)
        for found in micrograph.disagreements
    ]
    offer = [use_button(micrograph, className="btn btn-sm btn-outline-primary card-use")]
    return [first, *warnings, *(offer if micrograph.offered_nm is not None else [])]


def use_button(micrograph: StoredMicrograph, *, className: str) -> html.Button:
    """Return the button that takes the scale bar's pixel size."""
    bar = micrograph.scale_bar
    return html.Button(
        use_words(micrograph),
        id={"type": "use-bar", "micrograph": micrograph.id},
        className=className,
        title=f"Scale bar: {scale_bar_words(bar)}. Take its pixel size." if bar is not None else "",
    )


def use_words(micrograph: StoredMicrograph) -> str:
    """Return what the button says."""
    return f"Use bar: {micrograph.offered_nm:.4g} nm/px" if micrograph.offered_nm is not None else ""


def drawn_bar(width: int, height: int, nm: float | None) -> list[Any]:
    """Return a bar of a round length to lie over a square picture of a micrograph; nothing without a scale.

    The picture fills its square, so that the shorter edge of the micrograph is as long as the square's.
    """
    if nm is None:
        return []
    edge_px = min(width, height)
    length_nm = scale_bar_length_nm(edge_px, nm)
    share = length_nm / nm / edge_px
    bar = html.Div(className="drawn-bar-line")
    return [
        html.Div(
            [bar, html.Span(length_label(length_nm))], className="drawn-bar", style={"width": f"{100 * share:.3f}%"}
        )
    ]


def banner(micrographs: Sequence[StoredMicrograph]) -> tuple[str, str]:
    """Return what has to be said of the scales of a sample, and what the button that uses all scale bars says.

    Either is empty where there is nothing to say or to do.
    """
    in_use = [micrograph for micrograph in micrographs if not micrograph.is_left_out]
    bare = [micrograph for micrograph in in_use if not micrograph.pixel_size.is_known]
    offered = [micrograph for micrograph in bare if micrograph.offered_nm is not None]
    unlike = [micrograph for micrograph in in_use if micrograph.disagreements]
    apart = _far_from_all_others(in_use)
    sentences: list[str] = []
    if bare:
        one = len(bare) == 1
        of_all = f"{len(bare)} of {len(in_use)}" if len(in_use) > 1 else "This"
        words = f"{of_all} micrograph{'s' if len(in_use) > 1 else ''} {'has' if one else 'have'} no pixel size"
        unread = f"no scale bar could be read in {'it' if one else 'them'}"
        bars = f"the scale bars of {len(offered)} offer one" if offered else unread
        sentences.append(f"{words}; {bars}.")
    if unlike:
        names = [micrograph.filename for micrograph in unlike]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        sentences.append(f"Scales disagree by more than 1 %: {', '.join(names[:3])}{more}.")
    if apart:
        sizes = [f"{micrograph.filename} ({micrograph.pixel_size.nm:.4g} nm/px)" for micrograph in apart]
        more = f" and {len(sizes) - 3} more" if len(sizes) > 3 else ""
        sentences.append(f"More than tenfold from every other scale here: {', '.join(sizes[:3])}{more}. Really?")
    use = f"Use the {'scale bar' if len(offered) == 1 else f'{len(offered)} scale bars'}" if offered else ""
    return " ".join(sentences), use


def _far_from_all_others(micrographs: Sequence[StoredMicrograph]) -> list[StoredMicrograph]:
    known = [(one.pixel_size.nm, one.id, one) for one in micrographs if one.pixel_size.nm is not None]
    ordered = sorted(known)
    sizes = [nm for nm, *_ in ordered]
    # those next to it in size are the nearest
    return [
        one
        for place, (nm, _, one) in enumerate(ordered)
        if (beside := [*sizes[max(place - 1, 0) : place], *sizes[place + 1 : place + 2]]) and is_far(nm, beside)
    ]


def bars_words(micrographs: Sequence[StoredMicrograph]) -> str:
    """Return what the scale bars of these micrographs offer, for the dialog that sets their pixel size."""
    bars = [m.scale_bar.pixel_size_nm for m in micrographs if m.scale_bar is not None]
    sizes = [nm for nm in bars if nm is not None]
    n = f"{len(micrographs)} micrograph{'s' if len(micrographs) != 1 else ''} ticked"
    if not sizes:
        return f"{n}; no scale bar could be read in {'it' if len(micrographs) == 1 else 'them'}."
    least, most = (f"{nm:.4g}" for nm in (min(sizes), max(sizes)))
    size = f"{least} nm/px" if least == most else f"{least} to {most} nm/px"
    return f"{n}; scale bars were read in {len(sizes)}: {size}."
