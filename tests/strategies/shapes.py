"""Shapes with known area, perimeter and Feret diameters, drawn at any place and angle."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.special import ellipe

Inside = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]]

MARGIN_PX = 6


@dataclass(frozen=True)
class Truth:
    """What a perfect measurement would give, in pixels."""

    area: float
    perimeter: float
    feret_min: float
    feret_max: float

    @property
    def equivalent_diameter(self) -> float:
        return 2 * math.sqrt(self.area / math.pi)

    @property
    def circularity(self) -> float:
        return 4 * math.pi * self.area / self.perimeter**2


def disc(diameter: float) -> tuple[Inside, Truth]:
    truth = Truth(math.pi * diameter**2 / 4, math.pi * diameter, diameter, diameter)
    return lambda u, v: u**2 + v**2 <= diameter**2 / 4, truth


def ellipse(length: float, ratio: float = 0.6) -> tuple[Inside, Truth]:
    a, b = length / 2, length * ratio / 2
    truth = Truth(math.pi * a * b, 4 * a * float(ellipe(1 - ratio**2)), 2 * b, 2 * a)
    return lambda u, v: (u / a) ** 2 + (v / b) ** 2 <= 1, truth


def regular_polygon(n: int, width: float) -> tuple[Inside, Truth]:
    """Return a regular polygon of even `n` whose opposite sides are `width` apart."""
    apothem = width / 2
    side = 2 * apothem * math.tan(math.pi / n)
    truth = Truth(n * side * apothem / 2, n * side, width, width / math.cos(math.pi / n))
    angles = [2 * math.pi * k / n for k in range(n)]

    def inside(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.logical_and.reduce([u * math.cos(t) + v * math.sin(t) <= apothem for t in angles])

    return inside, truth


def square(width: float) -> tuple[Inside, Truth]:
    return regular_polygon(4, width)


def hexagon(width: float) -> tuple[Inside, Truth]:
    return regular_polygon(6, width)


def rounded_triangle(width: float, rounding: float = 0.15) -> tuple[Inside, Truth]:
    """Return an equilateral triangle of height `width`, its corners rounded by `rounding` of that as radius."""
    radius = rounding * width
    side = (width - 2 * radius) * 2 / math.sqrt(3)  # of the triangle that a disc rolls round
    area = math.sqrt(3) / 4 * side**2 + 3 * side * radius + math.pi * radius**2
    truth = Truth(area, 3 * side + 2 * math.pi * radius, width, side + 2 * radius)
    corners = [
        side / math.sqrt(3) * np.array([math.cos(t), math.sin(t)]) for t in (0, 2 * math.pi / 3, -2 * math.pi / 3)
    ]

    def inside(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.bool_]:
        core = np.ones(u.shape, np.bool_)
        near = np.zeros(u.shape, np.bool_)
        for (x, y), (next_x, next_y) in zip(corners, corners[1:] + corners[:1], strict=True):
            dx, dy = (next_x - x) / side, (next_y - y) / side
            along = np.clip((u - x) * dx + (v - y) * dy, 0, side)
            near |= (u - x - along * dx) ** 2 + (v - y - along * dy) ** 2 <= radius**2
            core &= dx * (v - y) - dy * (u - x) >= 0
        return near | core

    return inside, truth


SHAPES: dict[str, Callable[[float], tuple[Inside, Truth]]] = {
    "disc": disc,
    "ellipse 5:3": lambda width: ellipse(width * 5 / 3, 3 / 5),
    "ellipse 3:1": lambda width: ellipse(width * 3, 1 / 3),
    "square": square,
    "hexagon": hexagon,
    "triangle": rounded_triangle,
}
"""Shapes by their width, which is the smallest Feret diameter."""


def coverage(
    inside: Inside,
    shape: tuple[int, int],
    centre: tuple[float, float],
    angle: float = 0.0,
    *,
    samples: int = 16,
) -> NDArray[np.float32]:
    """Return the share of each pixel that a shape covers: an anti-aliased picture of it.

    Parameters
    ----------
    inside : callable
        Whether points (u, v), relative to the shape's centre and axes, are in the shape.
    shape : (int, int)
        Height and width of the picture.
    centre : (float, float)
        x and y of the shape's centre from the picture's upper left corner, in pixels.
    angle : float
        Rotation in radians.
    samples : int
        Points per pixel and direction, in pixels near the outline; others are in or out by their corners.
    """
    h, w = shape

    def at(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        dx, dy = x - centre[0], y - centre[1]
        return inside(dx * math.cos(angle) + dy * math.sin(angle), -dx * math.sin(angle) + dy * math.cos(angle))

    corners = at(*np.meshgrid(np.arange(w + 1.0), np.arange(h + 1.0)))
    around = sliding_window_view(np.pad(corners, 1, mode="edge"), (4, 4))
    picture = corners[:-1, :-1].astype(np.float32)
    rows, columns = np.nonzero(around.any(axis=(2, 3)) & ~around.all(axis=(2, 3)))
    steps = (np.arange(samples) + 0.5) / samples
    x, y = columns[:, None, None] + steps[None, None, :], rows[:, None, None] + steps[None, :, None]
    picture[rows, columns] = at(*np.broadcast_arrays(x, y)).mean(axis=(1, 2), dtype=np.float32)
    return picture


def anywhere(inside: Inside, truth: Truth, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a picture of a shape at a random angle and a random place within a pixel."""
    # a triangle reaches farthest from its centre: 1/sqrt(3) of its side
    side = math.ceil(2 / math.sqrt(3) * truth.feret_max) + 2 * MARGIN_PX
    x, y = side / 2 + rng.uniform(-0.5, 0.5, 2)
    return coverage(inside, (side, side), (float(x), float(y)), float(rng.uniform(0, 2 * math.pi)))


def chain_of_discs(
    diameters: list[float], overlap: float, rng: np.random.Generator, *, bend: float = 0.6
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return a picture of overlapping discs, and their centres (x, y).

    Neighbours overlap by `overlap` of the smaller one's diameter; the chain bends by up to `bend` at each disc.
    """
    centres = [np.zeros(2)]
    angle = rng.uniform(0, 2 * math.pi)
    for first, second in zip(diameters, diameters[1:], strict=False):
        distance = (first + second) / 2 - overlap * min(first, second)
        centres.append(centres[-1] + distance * np.array([math.cos(angle), math.sin(angle)]))
        angle += rng.uniform(-bend, bend)
    radii = np.array(diameters)[:, None] / 2
    corners = np.array(centres)
    corners = corners - (corners - radii).min(axis=0) + MARGIN_PX + rng.uniform(0, 1, 2)
    w, h = np.ceil((corners + radii).max(axis=0)).astype(int) + MARGIN_PX

    def inside(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.logical_or.reduce(
            [(u - x) ** 2 + (v - y) ** 2 <= d**2 / 4 for (x, y), d in zip(corners, diameters, strict=True)]
        )

    return coverage(inside, (int(h), int(w)), (0.0, 0.0), samples=4), corners
