"""Pictures of what a segmenter found beside what is there, of the images that it did worst on."""

import heapq
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from antema.domain import Instance
from antema.imaging import to_8bit
from antema.imaging.palette import ORANGE, SKY_BLUE, rgb
from antema.imaging.pictures import outline_indices

TRUE_COLOUR, FOUND_COLOUR = SKY_BLUE, ORANGE
_LEAST_SIDE_PX, _MOST_SIDE_PX = 640, 1100
_LEAST_FONT_PX, _MARGIN_PX = 16, 8


@dataclass(order=True)
class _Kept:
    # the heap gives up its least element, which has to be the best image
    badness: float
    number: int
    name: str = field(compare=False)
    words: str = field(compare=False)
    pixels: NDArray[np.generic] = field(compare=False)
    true: Sequence[Instance] = field(compare=False)
    found: Sequence[Instance] = field(compare=False)


class WorstImages:
    """The images with the lowest scores of all that were offered.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int = 10) -> None:
        self._most = most
        self._heap: list[_Kept] = []
        self._offered = 0

    def offer(
        self,
        score: float,
        name: str,
        words: str,
        pixels: NDArray[np.generic],
        true: Sequence[Instance],
        found: Sequence[Instance],
    ) -> None:
        """Keep an image, unless there are enough that are worse.

        Parameters
        ----------
        score : float
            The less, the worse; an image without a score (NaN) is not kept.
        name, words : str
            What stands above the picture.
        pixels : ndarray, shape (h, w)
            Grey values.
        true, found : sequence of Instance
            What is there and what was found.
        """
        if math.isnan(score):
            return
        self._offered += 1
        heapq.heappush(self._heap, _Kept(-score, -self._offered, name, words, pixels, true, found))
        if len(self._heap) > self._most:
            heapq.heappop(self._heap)

    def write(self, directory: Path) -> list[Path]:
        """Write a PNG for each in place of an earlier run's, the worst first by name; return the paths."""
        directory.mkdir(parents=True, exist_ok=True)
        for earlier in directory.glob("[0-9][0-9]_*.png"):
            earlier.unlink()
        paths = []
        for rank, kept in enumerate(sorted(self._heap, reverse=True), start=1):
            picture = overlay(kept.pixels, kept.true, kept.found, f"{rank}. {kept.name}", kept.words)
            stem = re.sub(r"[^\w.-]+", "_", Path(kept.name).stem)
            paths.append(directory / f"{rank:02d}_{stem}.png")
            picture.save(paths[-1], "PNG", compress_level=6)
        return paths


def overlay(
    pixels: NDArray[np.generic], true: Sequence[Instance], found: Sequence[Instance], title: str, words: str
) -> Image.Image:
    """Return the image twice, bare and with outlines, below a title and a line of words.

    True outlines are sky blue, found ones orange; where both run on the same pixels the line is dashed of both.
    A small image is enlarged by a whole factor, so that outlines one pixel wide leave its particles to be seen.
    """
    height, width = pixels.shape
    enlarge = max(1, math.ceil(_LEAST_SIDE_PX / max(height, width)))
    grey = np.repeat(np.repeat(to_8bit(pixels), enlarge, axis=0), enlarge, axis=1)
    line_px = max(1, round(max(grey.shape) / 700))
    canvas = np.stack([grey] * 3, axis=-1)
    true_rim, found_rim = (_rims(instances, enlarge, grey.shape, line_px) for instances in (true, found))
    rows, columns = np.indices(grey.shape)
    dashes = (rows + columns) // (4 * line_px) % 2 == 0
    canvas[true_rim] = rgb(TRUE_COLOUR)
    canvas[found_rim & ~(true_rim & dashes)] = rgb(FOUND_COLOUR)
    panels = [_fitted(Image.fromarray(each)) for each in (np.stack([grey] * 3, axis=-1), canvas)]
    return _framed(panels, title, words)


def _rims(instances: Sequence[Instance], factor: int, shape: tuple[int, ...], width_px: int) -> NDArray[np.bool_]:
    drawn = [_enlarged(instance, factor) for instance in instances]
    return outline_indices((shape[0], shape[1]), drawn, width_px=width_px) > 0


def _enlarged(instance: Instance, factor: int) -> Instance:
    mask = np.repeat(np.repeat(instance.mask, factor, axis=0), factor, axis=1)
    return Instance(instance.x * factor, instance.y * factor, mask)


def _fitted(picture: Image.Image) -> Image.Image:
    factor = _MOST_SIDE_PX / max(picture.size)
    if factor >= 1:
        return picture
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    return picture.resize(size, Image.Resampling.BOX)


def _framed(panels: Sequence[Image.Image], title: str, words: str) -> Image.Image:
    width = sum(panel.width for panel in panels) + _MARGIN_PX * (len(panels) + 1)
    font_px = max(_LEAST_FONT_PX, width // 70)  # to be read when the whole picture is on a screen
    font = ImageFont.load_default(font_px)
    line = round(1.5 * font_px)
    top = 3 * line + _MARGIN_PX
    result = Image.new("RGB", (width, top + max(panel.height for panel in panels) + _MARGIN_PX), (24, 24, 24))
    draw = ImageDraw.Draw(result)
    draw.text((_MARGIN_PX, _MARGIN_PX), title, font=font, fill=(255, 255, 255))
    draw.text((_MARGIN_PX, _MARGIN_PX + line), words, font=font, fill=(255, 255, 255))
    left = _MARGIN_PX
    for text, colour in (("true outline", TRUE_COLOUR), ("found outline", FOUND_COLOUR)):
        draw.text((left, _MARGIN_PX + 2 * line), text, font=font, fill=rgb(colour))
        left += round(draw.textlength(text, font=font)) + 2 * font_px
    left = _MARGIN_PX
    for panel in panels:
        result.paste(panel, (left, top))
        left += panel.width + _MARGIN_PX
    return result
