"""What lies on micrographs and is no particle: scale bars, letters, panel borders, holes, dirt, uneven light."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antema.simulation.camera import jpeg_coded
from antema.simulation.fourier import gaussian, long_waves

Image = NDArray[np.float32]


def uneven_ground(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Return the brightness of the support, about 1: smooth shading, sometimes a hole's edge, folds or faint dirt."""
    ground = np.ones(shape, np.float32)
    if rng.random() < 0.7:
        ground *= np.exp(rng.uniform(0.0, 0.12) * long_waves(rng, shape, waves=rng.uniform(0.7, 3)))
    if rng.random() < 0.2:  # the edge of the film: brighter beyond
        pattern = long_waves(rng, shape, waves=rng.uniform(0.6, 2))
        edge = 1 / (1 + np.exp(-np.clip((pattern - rng.uniform(0.3, 1.5)) / rng.uniform(0.004, 0.1), -50, 50)))
        ground *= 1 + rng.uniform(-0.15, 0.25) * edge
    if rng.random() < 0.25:  # mottled film
        fine = long_waves(rng, shape, waves=rng.uniform(10, 60))
        ground *= 1 + rng.uniform(0.005, 0.04) * fine
    if rng.random() < 0.2:  # folds and filaments
        pattern = np.abs(long_waves(rng, shape, waves=rng.uniform(1, 4)))
        ground *= 1 - rng.uniform(0.03, 0.12) * np.exp(-((pattern / rng.uniform(0.01, 0.08)) ** 2))
    return ground


def annotated(rng: np.random.Generator, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an 8-bit micrograph as a figure shows it: a scale bar with its length, a letter, sometimes more."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    h, w = pixels.shape
    picture = Pillow.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    black = rng.random() < 0.5
    ink, paper = (0, 255) if black else (255, 0)
    size = int(min(h, w) * rng.uniform(0.035, 0.09))
    if rng.random() < 0.85:
        length, thick = int(w * rng.uniform(0.08, 0.3)), max(2, int(size * rng.uniform(0.12, 0.35)))
        x = int(rng.uniform(0.02, 0.1) * w) if rng.random() < 0.5 else w - length - int(rng.uniform(0.02, 0.1) * w)
        y = h - int(rng.uniform(0.03, 0.08) * h)
        text = f"{rng.choice([1, 2, 5, 10, 20, 50, 100, 200, 500])} {rng.choice(['nm', 'nm', 'µm'])}"
        font = _font(size, serif=bool(rng.random() < 0.5))
        if rng.random() < 0.25:
            draw.rectangle((x - size // 2, y - int(size * 1.8), x + length + size // 2, h), fill=paper)
        draw.rectangle((x, y, x + length, y + thick), fill=ink)
        if rng.random() < 0.8:
            draw.text((x + length // 8, y - int(size * 1.35)), text, fill=ink, font=font)
    if rng.random() < 0.5:
        font = _font(int(size * rng.uniform(1, 2.2)), serif=bool(rng.random() < 0.5))
        letter = str(rng.choice(list("abcdefghABCDEFGH")))
        letter = f"({letter})" if rng.random() < 0.4 else letter
        x = int(0.02 * w) if rng.random() < 0.8 else int(0.88 * w)
        if rng.random() < 0.25:
            left, top, right, bottom = draw.textbbox((x, int(0.01 * h)), letter, font=font)
            draw.rectangle((left - 4, top - 4, right + 4, bottom + 4), fill=paper)
        draw.text((x, int(0.01 * h)), letter, fill=ink if rng.random() < 0.8 else paper, font=font)
    if rng.random() < 0.08:  # a data bar under the image
        top = h - int(h * rng.uniform(0.05, 0.09))
        draw.rectangle((0, top, w, h), fill=paper)
        draw.text(
            (w // 40, top + 2), "HV=200kV  Mag 50kx  2 nm", fill=ink, font=_font(max(8, (h - top) // 2), serif=False)
        )
    if rng.random() < 0.1:
        edge, side = int(rng.integers(1, 7)), int(rng.integers(4))
        box = [(0, 0, w, edge), (0, h - edge, w, h), (0, 0, edge, h), (w - edge, 0, w, h)][side]
        draw.rectangle(box, fill=int(rng.choice([0, 255])))
    return np.asarray(picture)


def as_printed(rng: np.random.Generator, values: Image) -> NDArray[np.uint8]:
    """Return `values` as an 8-bit figure: stretched, sometimes clipped, bent by a gamma, sharpened or JPEG-coded."""
    low, high = np.percentile(values, (rng.uniform(0, 1), rng.uniform(98.5, 100)))
    unit = np.clip((values - low) / max(high - low, 1e-6), 0, 1) ** np.exp(rng.normal(0, 0.25))
    floor, ceiling = rng.uniform(0, 60), rng.uniform(170, 255)
    if rng.random() < 0.15:
        unit = np.clip(unit + rng.uniform(0.3, 1.0) * (unit - gaussian(unit, rng.uniform(0.8, 2))), 0, 1)
    grey = np.rint(floor + unit * (ceiling - floor)).astype(np.uint8)
    return jpeg_coded(grey, int(rng.integers(40, 95))) if rng.random() < 0.3 else grey


@lru_cache(maxsize=256)
def _font(size: int, *, serif: bool):  # noqa: ANN202 - Pillow's font type needs Pillow at import
    import matplotlib as mpl
    from PIL import ImageFont

    name = "DejaVuSerif-Bold.ttf" if serif else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name), max(size, 6))
