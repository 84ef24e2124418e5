"""Outlines and thickness of many bodies at once: signed distances and profiles on stacks of small windows.

All lengths are in pixels. An outline is scaled by ``inner``, half of its smallest width, so that a profile means the
same across every outline.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating[Any]]
OUTLINES = ("ellipse", "wavy", "box", "polygon", "bent", "spindle", "branched")
PROFILES = ("ball", "flat", "pyramid", "core", "hollow")
FORM = 8
"""How many proportions an outline takes at most."""


def reach(outline: str, inner: Values, form: Values) -> Values:
    """Return how far each body reaches from its centre.

    Parameters
    ----------
    outline : str
        One of `OUTLINES`.
    inner : ndarray, shape (n,)
        Half of the smallest width.
    form : ndarray, shape (n, FORM)
        Proportions, see `signed_distance`.
    """
    one = form[:, 0]
    if outline in ("ellipse", "spindle"):
        return inner * np.maximum(one, 1)
    if outline == "wavy":
        return inner * (1 + 2 * form[:, :4].sum(axis=1))
    if outline == "box":
        return inner * (np.hypot(one, 1) - (np.sqrt(2) - 1) * form[:, 1])
    if outline == "polygon":
        return inner * ((1 - form[:, 1]) / np.cos(np.pi / one) + form[:, 1]) * form[:, 2]
    if outline == "bent":
        return inner * (one + 1)
    return inner * (one * form[:, 1:5].max(axis=1) + 1)


def signed_distance(outline: str, u: Values, v: Values, inner: Values, form: Values) -> Values:
    """Return the distance to each body's edge, negative inside, shape (n, h, w).

    Parameters
    ----------
    outline : str
        ``ellipse``: `form` is (aspect ratio); ``wavy``, a rough disc: four amplitudes of 2 to 5 waves around it, their
        phases; ``box``, cubes and rods: (aspect ratio, rounding of the corners from 0 to 1, round ends);
        ``polygon``: (corners, rounding, stretch); ``bent``, a rod along an arc: (half length by half width, angle of
        the arc); ``spindle``: (aspect ratio); ``branched``: (longest arm by half width, lengths of four arms from 0 to
        1).
    u, v : ndarray, shape (n, h, w)
        Coordinates from each body's centre along its own axes.
    inner : ndarray, shape (n,)
        Half of the smallest width.
    form : ndarray, shape (n, FORM)
        The proportions.
    """
    size = inner[:, None, None]
    one, two, three = (form[:, k, None, None] for k in range(3))
    if outline == "ellipse":
        a = size * one
        scaled = np.hypot(u / a, v / size)
        slope = np.hypot(u / a**2, v / size**2)
        # exact on the edge, close beside it, too much in the middle
        return np.maximum(scaled * (scaled - 1) / np.maximum(slope, 1e-6), -size)
    if outline == "wavy":
        return _wavy(u, v, size, form)
    if outline == "box":
        corner = size * two
        p, q = np.abs(u) - size * one + corner, np.abs(v) - size + corner
        return np.hypot(np.maximum(p, 0), np.maximum(q, 0)) + np.minimum(np.maximum(p, q), 0) - corner
    if outline == "polygon":
        sector = 2 * np.pi / one
        angle = np.arctan2(v, u / three)
        angle -= sector * np.rint(angle / sector)
        r = np.hypot(u / three, v)
        apothem = size * (1 - two)
        beyond = r * np.cos(angle) - apothem
        along = np.maximum(np.abs(r * np.sin(angle)) - apothem * np.tan(sector / 2), 0)
        return np.where(beyond > 0, np.hypot(beyond, along), beyond) - size * two
    if outline == "bent":
        return _bent(u, v, size, one, two)
    if outline == "spindle":
        a = size * one  # two arcs of a circle through both tips
        radius = (a**2 + size**2) / (2 * size)
        centre = radius - size
        p, q = np.abs(u), np.abs(v)
        tip = (p - a) * centre > q * a
        return np.where(tip, np.hypot(p - a, q), np.hypot(p, q + centre) - radius)
    return _branched(u, v, size, form)


def thickness(profile: str, depth: Values, inner: Values, proportions: Values) -> Values:
    """Return how thick each body is, 1 at its thickest, shape (n, h, w).

    Parameters
    ----------
    profile : str
        ``ball``; ``flat``: `proportions` is (width of the bevel by `inner`); ``pyramid``: (height of the rim);
        ``core``, a dense core in a light shell: (the shell's share, its width by `inner`); ``hollow``: (what the
        middle has, width of the wall by `inner`).
    depth : ndarray, shape (n, h, w)
        Distance from the edge to the inside, not negative.
    inner : ndarray, shape (n,)
        Half of the smallest width.
    proportions : ndarray, shape (n, 2)
        Of the profile.
    """
    share = np.minimum(depth / inner[:, None, None], 1)
    one, two = (proportions[:, k, None, None] for k in range(2))
    if profile == "ball":
        return np.sqrt(share * (2 - share))
    if profile == "flat":
        return np.minimum(share / one, 1)
    if profile == "pyramid":
        return one + (1 - one) * share
    step = np.clip((share - two) / 0.1, 0, 1)
    return one + (1 - one) * step if profile == "core" else 1 - (1 - one) * step


def rim(profile: str, inner: Values, proportions: Values) -> Values:
    """Return how wide the outermost part of each body is: shell, wall or all of it, shape (n,)."""
    return inner * proportions[:, 1] if profile in ("core", "hollow") else inner


def _wavy(u: Values, v: Values, size: Values, form: Values) -> Values:
    r = np.maximum(np.hypot(u, v), 1e-6)
    towards = (u + np.complex64(1j) * v) / r
    radius, slope = np.ones_like(r), np.zeros_like(r)
    power = towards
    for k in range(4):  # the real part of the (k + 2)th power is the cosine of as many times the angle
        power = power * towards
        turn = power * (form[:, k] * np.exp(np.complex64(1j) * form[:, 4 + k]))[:, None, None]
        radius += turn.real
        slope -= (k + 2) * turn.imag
    scale = size * (1 + form[:, :4].sum(axis=1))[:, None, None]
    return (r - scale * radius) / np.sqrt(1 + (slope / radius) ** 2)


def _bent(u: Values, v: Values, size: Values, length: Values, turn: Values) -> Values:
    arc = size * (length - 1) / np.maximum(turn / 2, 1e-3)  # radius of the middle line
    along = np.abs(np.arctan2(u, v + arc))
    inside = along < turn / 2
    x, y = arc * np.sin(turn / 2), arc * np.cos(turn / 2)
    line = np.abs(np.hypot(u, v + arc) - arc)
    return np.where(inside, line, np.hypot(np.abs(u) - x, v + arc - y)) - size


def _branched(u: Values, v: Values, size: Values, form: Values) -> Values:
    nearest = np.hypot(u, v)
    for k in range(4):
        length = np.maximum(size[:, 0, 0] * form[:, 0] * form[:, 1 + k], 1e-6)[:, None, None]
        angle = np.pi / 2 * k + form[:, 5, None, None] * np.sin(k + form[:, 6, None, None])
        c, s = np.cos(angle), np.sin(angle)
        along = np.clip((u * c + v * s) / length, 0, 1) * length
        nearest = np.minimum(nearest, np.hypot(u - along * c, v - along * s))
    return nearest - size
