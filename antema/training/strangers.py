"""Pictures that are no micrographs of particles, for a network to know its limits by.

A network that has only ever seen micrographs is sure of itself on much else; telling the known from strangers that were
made for the purpose works on strangers of other kinds too (Hendrycks, Mazeika and Dietterich, "Deep anomaly detection
with outlier exposure", ICLR 2019, arXiv:1812.04606).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float32]
_Kind = Callable[[np.random.Generator, int], NDArray[np.floating]]


def stranger(seed: int, *, side_px: int = 512) -> Array:
    """Return a picture (side_px, side_px) of the kind that is due: all kinds come in turn, the seed makes the rest."""
    rng = np.random.default_rng((seed, 7))
    kinds = list(STRANGERS.values())
    return np.asarray(kinds[seed % len(kinds)](rng, side_px), np.float32)


def _noise(rng: np.random.Generator, side: int) -> NDArray[np.floating]:
    """Return noise without any structure, white or coloured by a power of the frequency."""
    power = rng.choice([0.0, rng.uniform(0, 2.5)])
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    frequency = np.maximum(np.hypot(fy, fx), 1 / side)
    return np.fft.irfft2(np.fft.rfft2(rng.standard_normal((side, side))) * frequency**-power, (side, side))


def _page(rng: np.random.Generator, side: int) -> NDArray[np.floating]:
    """Return lines of text, sometimes white on black."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (side, side), 255)
    pen = ImageDraw.Draw(picture)
    size = int(rng.integers(9, 40))
    letters = np.array(list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789     .,-"))
    for y in range(int(rng.integers(0, 60)), side, int(size * rng.uniform(1.1, 2.2))):
        line = "".join(rng.choice(letters, int(rng.integers(5, 4 * side // size))))
        pen.text((int(rng.integers(0, 60)), y), line, fill=int(rng.integers(0, 90)), font=ImageFont.load_default(size))
    values = np.asarray(picture, float)
    values = 255 - values if rng.random() < 0.3 else values
    return ndimage.gaussian_filter(values, rng.uniform(0, 1.2)) + rng.uniform(0, 12) * rng.standard_normal(values.shape)


def _plot(rng: np.random.Generator, side: int) -> NDArray[np.floating]:
    """Return a spectrum drawn as a curve in a frame, with ticks."""
    from PIL import Image, ImageDraw

    picture = Image.new("L", (side, side), 255)
    pen = ImageDraw.Draw(picture)
    low, high = int(0.12 * side), int(0.9 * side)
    pen.rectangle((low, low, high, high), outline=0, width=int(rng.integers(1, 4)))
    x = np.linspace(0, 1, 400)
    for _ in range(int(rng.integers(1, 4))):
        y = rng.uniform(0, 0.4) * np.exp(-x * rng.uniform(0, 6)) + rng.uniform(0, 0.03) * rng.standard_normal(x.size)
        for _ in range(int(rng.integers(0, 7))):
            y = y + rng.uniform(0.05, 0.5) * np.exp(-(((x - rng.random()) / rng.uniform(0.005, 0.1)) ** 2))
        points = zip(low + x * (high - low), high - np.clip(y, 0, 0.97) * (high - low), strict=True)
        pen.line(list(points), fill=int(rng.integers(0, 130)), width=int(rng.integers(1, 5)))
    for tick in np.linspace(low, high, int(rng.integers(4, 12))):
        pen.line((tick, high, tick, high - 8), fill=0)
        pen.line((low, tick, low + 8, tick), fill=0)
    return np.asarray(picture, float)


def _spectrum_image(rng: np.random.Generator, side: int) -> NDArray[np.floating]:
    """Return what a spectrometer's camera sees: bands along one axis, the same in every row."""
    x = np.linspace(0, 1, side)
    band = np.exp(-x * rng.uniform(0, 8))
    for _ in range(int(rng.integers(1, 9))):
        band = band + rng.uniform(-0.3, 1) * np.exp(-(((x - rng.random()) / rng.uniform(0.003, 0.15)) ** 2))
    values = band[None] * np.exp(-(((x[:, None] - 0.5) / rng.uniform(0.1, 3)) ** 2))
    values = values + rng.uniform(0, 0.2) * rng.standard_normal((side, side))
    return values if rng.random() < 0.5 else values.T


def _diffraction(rng: np.random.Generator, side: int) -> NDArray[np.floating]:
    """Return rings or a lattice of spots around a bright centre, counted, sometimes behind a beam stop or inverted."""
    y, x = np.mgrid[:side, :side] - side * rng.uniform(0.4, 0.6, 2)[:, None, None]
    radius = np.hypot(y, x)
    values = rng.uniform(0, 60) * np.exp(-radius / (side * rng.uniform(0.04, 0.2)))
    if rng.random() < 0.5:
        for _ in range(int(rng.integers(2, 9))):
            width = rng.uniform(0.5, 8)
            values = values + rng.uniform(2, 40) * np.exp(-(((radius - rng.uniform(0.06, 0.6) * side) / width) ** 2))
    else:
        a, angle, skew = rng.uniform(12, 70), rng.uniform(0, np.pi), rng.uniform(0.8, 1.3)
        u = (x * np.cos(angle) + y * np.sin(angle)) / a
        v = (y * np.cos(angle + rng.uniform(-0.3, 0.3)) - x * np.sin(angle)) / (a * skew)
        spot = np.hypot(u - np.round(u), v - np.round(v)) * a / rng.uniform(1.2, 6)
        values = values + rng.uniform(5, 300) * np.exp(-(spot**2)) * np.exp(
            -((radius / (rng.uniform(0.1, 0.6) * side)) ** 2)
        )
    if rng.random() < 0.3:
        values = np.where((np.abs(x) < rng.uniform(3, 15)) & (y < 0), 0, values)
    values = rng.poisson(values + rng.uniform(0, 2)).astype(float)
    values = np.log1p(values) if rng.random() < 0.5 else values
    return -values if rng.random() < 0.3 else values


def _scene(rng: np.random.Generator, side: int) -> NDArray[np.floating]:
    """Return overlapping shaded and textured shapes of all sizes: the statistics of photographs ("dead leaves")."""
    values = np.zeros((side, side))
    y, x = np.mgrid[:side, :side] / side
    for _ in range(int(rng.integers(15, 200))):
        size = np.exp(rng.uniform(np.log(0.02), np.log(0.7)))
        cy, cx, angle, flat = rng.random(), rng.random(), rng.uniform(0, np.pi), rng.uniform(0.15, 1)
        u = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        v = ((y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)) / flat
        shape = np.maximum(np.abs(u), np.abs(v)) if rng.random() < 0.5 else np.hypot(u, v)
        inside = shape < size / 2
        grey = rng.uniform(0, 200) + rng.uniform(-150, 150) * u[inside] / size
        stripes = rng.uniform(0, 40) * np.sin(
            2 * np.pi * (u[inside] * rng.uniform(2, 60) + v[inside] * rng.uniform(0, 30))
        )
        values[inside] = grey + (stripes if rng.random() < 0.4 else 0)
    return ndimage.gaussian_filter(values, rng.uniform(0.3, 2)) + rng.uniform(0, 8) * rng.standard_normal(values.shape)


def _texture(rng: np.random.Generator, side: int) -> NDArray[np.floating]:
    """Return a surface: blotches between two scales, stretched, sometimes cut to cells or woven."""
    fine = np.exp(rng.uniform(np.log(0.7), np.log(8)))
    stretch = np.exp(rng.uniform(-1.2, 1.2))
    noise = rng.standard_normal((side, side))
    values = ndimage.gaussian_filter(noise, (fine * stretch, fine / stretch), mode="wrap")
    values = values - ndimage.gaussian_filter(values, fine * rng.uniform(2, 12), mode="wrap")
    values = values / values.std()
    kind = rng.integers(3)
    if kind == 1:
        values = np.abs(values)
    elif kind == 2:
        y, x = np.mgrid[:side, :side] * (2 * np.pi / np.exp(rng.uniform(np.log(6), np.log(90))))
        values = values * rng.uniform(0.1, 0.6) + np.sign(np.sin(x) * np.sin(y * rng.uniform(0.5, 2)))
    return values + rng.uniform(0, 0.4) * rng.standard_normal(values.shape)


STRANGERS: Mapping[str, _Kind] = MappingProxyType(
    {
        "noise": _noise,
        "page": _page,
        "plot": _plot,
        "spectrum": _spectrum_image,
        "diffraction": _diffraction,
        "scene": _scene,
        "texture": _texture,
    }
)
"""What makes each kind, from a random generator and a side in pixels."""
