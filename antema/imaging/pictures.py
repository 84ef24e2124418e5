# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
"""Micrographs as PNG: the full picture, the thumbnail, outlines to lay over it, the annotated picture of a report."""

import io
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from antema.domain import Instance
from antema.imaging.intensity import to_8bit
from antema.imaging.palette import CRYSTALLINITY_COLOURS, OUTLINE_COLOURS, rgb

_KINDS = (*OUTLINE_COLOURS, *CRYSTALLINITY_COLOURS)
_DROPPED, _UNKNOWN, _BETWEEN = _KINDS.index("dropped") + 1, _KINDS.index("unknown") + 1, len(_KINDS) + 1
_COLOURS = [*OUTLINE_COLOURS.values(), *CRYSTALLINITY_COLOURS.values(), "#FFFFFF"]
"""Of the outlines' kinds from 1 on; the last one lies between the grey dashes of an unknown crystallinity, for grey
alone is hard to see on a micrograph."""

#: Pixels of the longer edge for each pixel of an outline's width, so that outlines stay visible on a whole image.
_PX_PER_OUTLINE_PX = 500

_SCALE_BAR_STEPS = (1.0, 2.0, 5.0)
_UNITS_BY_NM = ((1e6, "mm"), (1e3, "µm"), (1.0, "nm"), (1e-3, "pm"))


def display_png(pixels: NDArray[np.generic]) -> bytes:
    """Return the whole image as an 8-bit grey PNG.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values of any real type.
    """
    return _png(Image.fromarray(to_8bit(pixels)))


def thumbnail_png(pixels: NDArray[np.generic], size_px: int = 256) -> bytes:
    """Return a small 8-bit grey PNG that fits into a square of `size_px`; a smaller image keeps its size."""
    image = Image.fromarray(to_8bit(_reduced(pixels, size_px)))
    image.thumbnail((size_px, size_px), Image.Resampling.BOX)
    return _png(image, level=6)


def outline_overlay(
    shape: tuple[int, int], instances: Sequence[Instance], classes: Sequence[str] | None = None
) -> bytes:
    """Return the outlines of the instances as a transparent PNG with a palette.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the image in pixels.
    instances : sequence of Instance
        Dropped ones are drawn dotted, so that they are told apart without colour; they lie below the others.
    classes : sequence of str, optional
        Crystallinity of each instance, to colour by it; empty where it has none.

    Returns
    -------
    bytes
        PNG with the palette indices of `outline_indices`; 0 is transparent.
    """
    image = Image.fromarray(outline_indices(shape, instances, classes))
    image.putpalette([0, 0, 0, *(value for colour in _COLOURS for value in rgb(colour))])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=0, compress_level=3)
    return buffer.getvalue()


def outline_indices(
    shape: tuple[int, int],
    instances: Sequence[Instance],
    classes: Sequence[str] | None = None,
    *,
    width_px: int | None = None,
) -> NDArray[np.uint8]:
    """Return 0 where there is no outline, 1 on whole, 2 on separated and 3 on dropped particles.

    Coloured by crystallinity it is 4 to 7 on particles that have one, in the order of `CRYSTALLINITY_COLOURS`; 8 lies
    between the dashes of an unknown one.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the image in pixels.
    instances : sequence of Instance
        Bounding boxes may reach over the image's edge; what lies outside is not drawn.
    classes : sequence of str, optional
        Crystallinity of each instance, to colour by it; empty where it has none.
    width_px : int, optional
        Width of the outline, inwards from the particle's edge; by default one pixel for each 500 of the longer edge.

    Returns
    -------
    ndarray of uint8, shape (h, w)
    """
    height, width = shape
    if width_px is None:
        width_px = max(1, round(max(height, width) / _PX_PER_OUTLINE_PX))
    canvas = np.zeros(shape, np.uint8)
    kinds = [_kind(one, name) for one, name in zip(instances, classes or [""] * len(instances), strict=True)]
    # dropped ones first, so that they lie below
    order = sorted(range(len(kinds)), key=lambda k: (kinds[k] != _DROPPED, -kinds[k]))
    for instance, kind in ((instances[k], kinds[k]) for k in order):
        rim = _rim(instance.mask, width_px)
        if kind == _DROPPED:
            rim &= _dots(instance, 3 * width_px)
        x0, y0 = max(instance.x, 0), max(instance.y, 0)
        x1, y1 = min(instance.x + instance.w, width), min(instance.y + instance.h, height)
        if x0 >= x1 or y0 >= y1:
            continue
        part = slice(y0 - instance.y, y1 - instance.y), slice(x0 - instance.x, x1 - instance.x)
        canvas[y0:y1, x0:x1][rim[part]] = kind
        if kind == _UNKNOWN:
            canvas[y0:y1, x0:x1][(rim & ~_dots(instance, 3 * width_px))[part]] = _BETWEEN
    return canvas


def annotated_png(
    pixels: NDArray[np.generic],
    instances: Sequence[Instance],
    pixel_size_nm: float | None,
    *,
    classes: Sequence[str] | None = None,
    with_legend: bool = False,
    max_px: int | None = None,
) -> bytes:
    """Return the micrograph with outlines and a scale bar, as an RGB PNG.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values of any real type.
    instances : sequence of Instance
        What to outline.
    pixel_size_nm : float or None
        Edge of a pixel; without it there is no scale bar.
    classes : sequence of str, optional
        Crystallinity of each instance, to colour by it; empty where it has none.
    with_legend : bool
        Whether the colours of the classes that occur are named in the lower left corner.
    max_px : int, optional
        Longest edge of the result. The image is made smaller first and drawn on then, so that outlines stay crisp.
    """
    factor = 1.0
    height, width = pixels.shape
    grey = to_8bit(pixels)
    image = Image.fromarray(grey)
    if max_px is not None and max(height, width) > max_px:
        factor = max_px / max(height, width)
        size = max(1, round(width * factor)), max(1, round(height * factor))
        image = image.resize(size, Image.Resampling.BOX)
        instances = list(_shrunk(instances, factor))
    canvas = np.stack([np.asarray(image)] * 3, axis=-1)
    indices = outline_indices((image.height, image.width), instances, classes)
    for number, colour in enumerate(_COLOURS, start=1):
        canvas[indices == number] = rgb(colour)
    picture = Image.fromarray(canvas)
    if pixel_size_nm is not None:
        _draw_scale_bar(picture, pixel_size_nm / factor)
    shown = [name for name in CRYSTALLINITY_COLOURS if name in (classes or ())]
    if with_legend and shown:
        _draw_legend(picture, shown)
    return _png(picture, level=6)


def scale_bar_length_nm(width_px: int, pixel_size_nm: float) -> float:
    """Return a round length (1, 2 or 5 times a power of ten) of about a fifth of the image's width.

    Examples
    --------
    >>> scale_bar_length_nm(1024, 0.1)
    20.0
    """
    target = width_px * pixel_size_nm / 5.0
    exponent = math.floor(math.log10(target))
    lengths = [step * 10.0**power for power in (exponent, exponent + 1) for step in _SCALE_BAR_STEPS]
    best = min(lengths, key=lambda length: abs(math.log(length / target)))
    return float(f"{best:.1g}")


def length_label(length_nm: float) -> str:
    """Return a length with the unit that makes it a small number.

    Examples
    --------
    >>> length_label(2000.0), length_label(20.0), length_label(0.5)
    ('2 µm', '20 nm', '500 pm')
    """
    for nm, unit in _UNITS_BY_NM:
        if length_nm >= nm * (1.0 - 1e-9):
            return f"{length_nm / nm:.4g} {unit}"
    return f"{length_nm * 1e3:.4g} pm"


def _kind(instance: Instance, crystallinity: str) -> int:
    if instance.status == "dropped":
        return _DROPPED
    return _KINDS.index(crystallinity or ("separated" if instance.separated else "whole")) + 1


def _rim(mask: NDArray[np.bool_], width_px: int) -> NDArray[np.bool_]:
    """Return the pixels of a mask that are at most `width_px` from its outside; the box's outside is outside."""
    padded = np.pad(mask, 1)
    cross = ndimage.generate_binary_structure(2, 1)
    core: NDArray[np.bool_] = ndimage.binary_erosion(padded, cross, iterations=width_px)[1:-1, 1:-1].astype(np.bool_)
    return mask & ~core


def _dots(instance: Instance, period_px: int) -> NDArray[np.bool_]:
    """Return a chequered pattern fixed to the image, which cuts an outline of any direction into dots."""
    rows = (np.arange(instance.h) + instance.y) // period_px
    columns = (np.arange(instance.w) + instance.x) // period_px
    return (rows[:, None] + columns[None, :]) % 2 == 0


def _shrunk(instances: Sequence[Instance], factor: float) -> Iterator[Instance]:
    """Yield the instances as they lie in an image made smaller by `factor`."""
    for instance in instances:
        x0, y0 = math.floor(instance.x * factor), math.floor(instance.y * factor)
        x1 = max(x0 + 1, math.ceil((instance.x + instance.w) * factor))
        y1 = max(y0 + 1, math.ceil((instance.y + instance.h) * factor))
        # each pixel of the small image takes the value under its centre
        columns = np.floor((np.arange(x0, x1) + 0.5) / factor).astype(int) - instance.x
        rows = np.floor((np.arange(y0, y1) + 0.5) / factor).astype(int) - instance.y
        valid = ((rows >= 0) & (rows < instance.h))[:, None] & ((columns >= 0) & (columns < instance.w))[None, :]
        mask = instance.mask[np.clip(rows, 0, instance.h - 1)][:, np.clip(columns, 0, instance.w - 1)] & valid
        if not mask.any():
            # smaller than a pixel of the small image: still shown, as one pixel
            mask[mask.shape[0] // 2, mask.shape[1] // 2] = True
        yield Instance(x0, y0, mask, instance.status, instance.drop_reason, instance.separated)


def _draw_scale_bar(picture: Image.Image, pixel_size_nm: float) -> None:
    """Draw a white bar with its length on a dark plate into the lower right corner."""
    width, height = picture.size
    length_nm = scale_bar_length_nm(width, pixel_size_nm)
    bar_px = max(1, round(length_nm / pixel_size_nm))
    font_px = max(10, round(min(width, height) / 28))
    font = ImageFont.load_default(font_px)
    draw = ImageDraw.Draw(picture)
    label = length_label(length_nm)
    left, top, right, bottom = draw.textbbox((0, 0), label, font=font)
    label_width, label_height = right - left, bottom - top
    pad = max(3, font_px // 2)
    bar_height = max(2, font_px // 4)
    plate_width = max(bar_px, label_width) + 2 * pad
    plate_height = label_height + bar_height + round(2.5 * pad)
    x0, y0 = width - plate_width - pad, height - plate_height - pad
    draw.rectangle((x0, y0, x0 + plate_width - 1, y0 + plate_height - 1), fill=(0, 0, 0))
    middle = x0 + plate_width / 2
    draw.text((middle - label_width / 2 - left, y0 + pad - top), label, font=font, fill=(255, 255, 255))
    bar_x0 = round(middle - bar_px / 2)
    bar_y0 = y0 + plate_height - pad - bar_height
    draw.rectangle((bar_x0, bar_y0, bar_x0 + bar_px - 1, bar_y0 + bar_height - 1), fill=(255, 255, 255))


def _draw_legend(picture: Image.Image, classes: Sequence[str]) -> None:
    """Draw the colours of classes with their names on a dark plate into the lower left corner."""
    width, height = picture.size
    font_px = max(10, round(min(width, height) / 36))
    font = ImageFont.load_default(font_px)
    draw = ImageDraw.Draw(picture)
    pad, line = max(3, font_px // 2), round(1.4 * font_px)
    dash = max(1, font_px // 2)
    text_x = 2 * pad + 4 * dash
    plate_width = text_x + math.ceil(max(draw.textlength(name, font=font) for name in classes)) + pad
    x0, y0 = pad, height - line * len(classes) - 2 * pad
    draw.rectangle((x0, y0, x0 + plate_width - 1, y0 + line * len(classes) + pad - 1), fill=(0, 0, 0))
    for place, name in enumerate(classes):
        middle = y0 + pad // 2 + round((place + 0.5) * line)
        thick = max(1, font_px // 8)
        for k in range(4):
            # dashed as on the micrograph
            colour = _COLOURS[_BETWEEN - 1] if name == "unknown" and k % 2 else CRYSTALLINITY_COLOURS[name]
            left = x0 + pad + k * dash
            draw.rectangle((left, middle - thick, left + dash - 1, middle + thick), fill=rgb(colour))
        draw.text((x0 + text_x, middle), name, font=font, fill=(255, 255, 255), anchor="lm")


def _reduced(pixels: NDArray[np.generic], size_px: int) -> NDArray[np.generic]:
    """Average whole blocks of pixels where the image is many times larger than `size_px`."""
    height, width = pixels.shape
    step = max(height, width) // (2 * size_px)
    if step < 2 or min(height, width) < step:
        return pixels
    rows, columns = height // step, width // step
    blocks = pixels[: rows * step, : columns * step].reshape(rows, step, columns, step)
    return blocks.mean(axis=(1, 3), dtype=np.float32)


def _png(image: Image.Image, *, level: int = 3) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=level)
    return buffer.getvalue()
