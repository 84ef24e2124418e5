"""Micrographs with scale bars and labels burned in, in many fonts, sizes, colours, places and units."""

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Grey = NDArray[np.uint8]

_LENGTHS = (1, 2, 2.5, 3, 4, 5, 10, 20, 25, 30, 40, 50, 60, 80, 100, 200, 250, 300, 400, 500, 600, 800)
_LENGTHS_NM = _LENGTHS + tuple(1000 * length for length in (1, 2, 3, 4, 5, 10))

#: Families of Debian's font packages; what of them is installed is used beside matplotlib's own.
_SYSTEM_FONTS = (
    "Liberation* FreeSans* FreeSerif* FreeMono* Lato-[RBL]* OpenSans-[RBL]* Roboto-[RBM]* Carlito* Hack-* Nimbus*"
)


@dataclass(frozen=True)
class Burned:
    """A picture and what is burned into it.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w)
        The picture.
    length_px, length_nm : float
        Of the bar.
    label : str
        What stands beside it.
    style : str
        Font and how it is drawn.
    """

    pixels: Grey
    length_px: float
    length_nm: float
    label: str
    style: str


@cache
def fonts(*, only_shipped: bool = False) -> tuple[Path, ...]:
    """Return the font files: matplotlib's, and of the system's those that micrographs are labelled in."""
    own = Path(matplotlib.get_data_path(), "fonts", "ttf")
    shipped = [path for path in sorted(own.glob("DejaVu*.ttf")) if "Display" not in path.name]
    shipped += sorted(own.glob("STIXGeneral*.ttf"))
    if only_shipped:
        return tuple(shipped)
    system = Path("/usr/share/fonts")
    found = {path for name in _SYSTEM_FONTS.split() for end in ("ttf", "otf") for path in system.rglob(f"{name}.{end}")}
    return (*shipped, *sorted(found))


def burned(seed: int, *, only_shipped: bool = False) -> Burned:
    """Return the picture of a seed: the same one for the same seed and fonts."""
    rng = np.random.default_rng((seed, 17))
    height, width = (int(edge) for edge in rng.integers(420, 900, 2))
    length_px = int(rng.integers(60, round(0.35 * width)))
    nm_px = np.exp(rng.uniform(np.log(0.01), np.log(15)))
    length_nm = min(_LENGTHS_NM, key=lambda length: abs(np.log(length / (nm_px * length_px))))
    label = _label(rng, length_nm)
    path = fonts(only_shipped=only_shipped)[rng.integers(len(fonts(only_shipped=only_shipped)))]
    font = ImageFont.truetype(str(path), int(rng.integers(14, 46)))
    ground = _ground(rng, (height, width))
    place = rng.choice(["above", "below", "right"])
    ink = int(rng.choice([0, 255, 255, rng.integers(200, 256), rng.integers(0, 40)]))
    how = str(rng.choice(["plain", "plain", "shadow", "outline", "box", "strip"]))
    picture, drawn_px = _draw(rng, ground, length_px, label, font, ink, how, place)
    picture, style = _processed(rng, picture)
    told = f"{path.stem} {font.size:.0f} px, ink {ink}, {how}, {place}, {style}"
    return Burned(np.asarray(picture), drawn_px, float(length_nm), label, told)


def _label(rng: np.random.Generator, length_nm: float) -> str:
    micro = rng.choice(["\u00b5m", "\u03bcm", "um"], p=[0.45, 0.45, 0.1])
    if length_nm >= 1000:
        texts = [f"{length_nm / 1000:g}{{}}{micro}", f"{length_nm / 1000:.1f}{{}}{micro}"] * 3
        texts += [f"{length_nm:.0f}{{}}nm"] * (length_nm < 10_000)
    elif length_nm >= 100:
        texts = [f"{length_nm:g}{{}}nm"] * 4 + [f"{length_nm:.1f}{{}}nm"] * 2
        texts += [f"{length_nm / 1000:g}{{}}{micro}"]
    else:
        texts = [f"{length_nm:g}{{}}nm"] * 5 + [f"{length_nm:.1f}{{}}nm", f"{length_nm:.2f}{{}}nm"]
        texts += [f"{10 * length_nm:g}{{}}\u00c5"] * (length_nm <= 5)
    return str(rng.choice(texts)).format(rng.choice(["", " ", " "]))


def _ground(rng: np.random.Generator, shape: tuple[int, int]) -> Grey:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    level = rng.uniform(70, 200)
    image = np.full(shape, level, np.float32)
    image += rng.uniform(-25, 25) * (x / shape[1] - 0.5) + rng.uniform(-25, 25) * (y / shape[0] - 0.5)
    radius, depth = rng.uniform(6, 60), rng.uniform(20, 110) * rng.choice([-1, 1], p=[0.8, 0.2])
    for _ in range(int(rng.integers(3, 40))):
        cy, cx = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        size = radius * rng.uniform(0.7, 1.3)
        image -= depth * np.clip(size + 0.5 - np.hypot(y - cy, x - cx), 0, 1)
    if rng.random() < 0.2:
        image += rng.uniform(5, 20) * np.sin(x * rng.uniform(0.2, 1.2) + y * rng.uniform(-1, 1))
    noise = rng.normal(0, 1, shape)
    return np.clip(image + rng.uniform(2, 20) * noise, 0, 255).astype(np.uint8)


def _draw(
    rng: np.random.Generator,
    ground: Grey,
    length_px: int,
    label: str,
    font: ImageFont.FreeTypeFont,
    ink: int,
    how: str,
    place: str,
) -> tuple[Image.Image, float]:
    """Draw a bar with its label near a corner; return the picture and the bar's length."""
    picture = Image.fromarray(ground)
    draw = ImageDraw.Draw(picture)
    height, width = ground.shape
    ascent = draw.textbbox((0, 0), label, font=font, anchor="ls")
    text_w, text_h = ascent[2] - ascent[0], ascent[3] - ascent[1]
    gap = int(rng.integers(4, 14))
    thick = int(rng.integers(3, max(4, min(24, round(0.8 * text_h)))))
    block_w = length_px + gap + text_w if place == "right" else max(length_px, text_w)
    block_h = max(thick, text_h) if place == "right" else thick + gap + text_h
    at_right = rng.random() < 0.5
    margin = int(rng.integers(12, 40))
    x = width - margin - block_w if at_right else margin
    y = height - margin - block_h
    contrast = 255 if ink < 128 else 0
    if how == "strip":
        draw.rectangle((0, y - margin // 2, width, height), fill=contrast)
    elif how == "box":
        draw.rectangle((x - 9, y - 9, x + block_w + 9, y + block_h + 9), fill=contrast)
    if place == "right":
        bar_x, bar_y = x, y + (block_h - thick) // 2
        text_x, text_y = x + length_px + gap, y + (block_h - text_h) // 2
    else:
        bar_x, text_x = x + (block_w - length_px) // 2, x + (block_w - text_w) // 2
        bar_y, text_y = (y + text_h + gap, y) if place == "above" else (y, y + thick + gap)
    where = (text_x - ascent[0], text_y - ascent[1])
    if how == "shadow":
        draw.text((where[0] + 2, where[1] + 2), label, fill=contrast, font=font, anchor="ls")
    stroke = {"stroke_width": 1, "stroke_fill": contrast} if how == "outline" else {}
    draw.text(where, label, fill=ink, font=font, anchor="ls", **stroke)
    draw.rectangle((bar_x, bar_y, bar_x + length_px - 1, bar_y + thick - 1), fill=ink)
    return picture, float(length_px)


def _processed(rng: np.random.Generator, picture: Image.Image) -> tuple[Image.Image, str]:
    """Return a picture as it looks after a program has saved it."""
    kind = rng.choice(["as drawn", "jpeg", "jpeg", "soft"])
    if kind == "soft":
        return picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 0.9)))), "soft"
    if kind == "as drawn":
        return picture, "as drawn"
    quality = int(rng.integers(60, 96))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer), f"jpeg {quality}"
