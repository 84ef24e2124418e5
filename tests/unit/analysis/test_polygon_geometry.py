import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antema.analysis.polygon import convex_hull, feret_diameters, polygon_area, polygon_centroid, polygon_perimeter

L_SHAPE = np.array([[0, 0], [4, 0], [4, 1], [1, 1], [1, 3], [0, 3]], dtype=float)


def ring(n: int, radius: float, centre: tuple[float, float] = (0, 0)) -> np.ndarray:
    angles = 2 * math.pi * np.arange(n) / n
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius + centre


def test_a_concave_polygon_has_its_area_perimeter_and_centroid():
    assert polygon_area(L_SHAPE) == pytest.approx(6)
    assert polygon_perimeter(L_SHAPE) == pytest.approx(14)
    # bar of 4 x 1 about (2, 0.5), bar of 1 x 2 about (0.5, 2)
    assert polygon_centroid(L_SHAPE) == pytest.approx(((4 * 2 + 2 * 0.5) / 6, (4 * 0.5 + 2 * 2) / 6))


def test_the_hull_of_a_concave_polygon_closes_it():
    hull = convex_hull(L_SHAPE)
    assert polygon_area(hull) == pytest.approx(9)
    assert {tuple(corner) for corner in hull} == {(0, 0), (4, 0), (4, 1), (1, 3), (0, 3)}


def test_ferets_of_a_rectangle_and_of_an_equilateral_triangle():
    rectangle = np.array([[0, 0], [4, 0], [4, 3], [0, 3]], dtype=float)
    assert feret_diameters(rectangle) == pytest.approx((3, 5))
    assert feret_diameters(ring(3, 1)) == pytest.approx((1.5, math.sqrt(3)))


def test_a_centroid_far_from_the_origin_keeps_its_digits():
    x, y = polygon_centroid(ring(6, 1e-3, (1e6, -1e6)))
    assert (x, y) == pytest.approx((1e6, -1e6), abs=1e-6)


@given(st.floats(0, 2 * math.pi), st.floats(0.5, 100), st.integers(3, 40))
def test_measures_do_not_depend_on_rotation_and_scale_with_size(angle, factor, n):
    polygon = ring(n, 1.0) * (1.0, 0.7)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    turned = polygon @ turn.T * factor
    assert polygon_area(turned) == pytest.approx(polygon_area(polygon) * factor**2)
    assert polygon_perimeter(turned) == pytest.approx(polygon_perimeter(polygon) * factor)
    expected = [feret * factor for feret in feret_diameters(convex_hull(polygon))]
    assert feret_diameters(convex_hull(turned)) == pytest.approx(tuple(expected))


@given(st.integers(0, 2**32 - 1))
def test_min_feret_is_the_least_width_over_all_directions(seed):
    hull = convex_hull(np.random.default_rng(seed).normal(size=(12, 2)))
    angles = np.linspace(0, math.pi, 2000)
    along = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ hull.T
    widths = along.max(axis=1) - along.min(axis=1)
    smallest, largest = feret_diameters(hull)
    assert smallest <= widths.min() + 1e-12
    assert smallest == pytest.approx(widths.min(), rel=1e-2)
    assert largest == pytest.approx(widths.max(), rel=1e-5)
