"""Diameters at other levels of a map: known truth for edges of known softness."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from antema.analysis.level_diameters import LEVEL_SHIFTS, level_diameters
from antema.analysis.outline import outline
from antema.analysis.polygon import polygon_area
from antema.domain import Instance


def soft_disc(radius, softness, *, side=96, x=48.0, y=48.0):
    """Return a disc whose logit falls by 1 in `softness` px, and its mask."""
    rows, columns = np.mgrid[:side, :side] + 0.5
    probability = expit((radius - np.hypot(columns - x, rows - y)) / softness)
    return probability.astype(np.float32), probability > 0.5


def one(mask, status="measured"):
    rows, columns = np.nonzero(mask)
    y, x = rows.min(), columns.min()
    part = mask[y : rows.max() + 1, x : columns.max() + 1]
    return Instance(int(x), int(y), part, status, "" if status == "measured" else "unresolved")


@settings(max_examples=40, deadline=None)
@given(radius=st.floats(6, 30), softness=st.floats(0.4, 3.0), x=st.floats(46, 50), y=st.floats(46, 50))
def test_an_outline_moves_by_the_softness_of_its_edge(radius, softness, x, y):
    probability, mask = soft_disc(radius, softness, x=x, y=y)
    found = level_diameters([one(mask)], np.array([np.pi * radius**2]), probability, 0.5)[0]
    expected = 2 * (radius - softness * np.array(LEVEL_SHIFTS))
    assert found == pytest.approx(expected, rel=0.02, abs=0.15)
    assert (np.diff(found) < 0).all()


def test_at_no_shift_the_diameter_is_that_of_the_area():
    probability, mask = soft_disc(12, 1.0)
    area = polygon_area(outline(one(mask).mask))
    found = level_diameters([one(mask)], np.array([area]), probability, 0.5)[0]
    assert found[LEVEL_SHIFTS.index(0.0)] == pytest.approx(2 * np.sqrt(area / np.pi))


def test_where_particles_touch_nothing_moves():
    probability, mask = soft_disc(20, 1.0)
    left, right = mask.copy(), mask.copy()
    left[:, 48:], right[:, :48] = False, False
    half = np.pi * 20**2 / 2
    found = level_diameters([one(left), one(right)], np.array([half, half]), probability, 0.5)
    # the round half of the outline alone: pi r s of the area
    expected = 2 * np.sqrt((half - np.pi * 20 * np.array(LEVEL_SHIFTS)) / np.pi)
    assert found[0] == pytest.approx(expected, rel=0.01)
    assert found[1] == pytest.approx(found[0], rel=0.01)


def test_what_is_not_measured_has_none_and_keeps_its_pixels():
    probability, mask = soft_disc(20, 1.0)
    left, right = mask.copy(), mask.copy()
    left[:, 48:], right[:, :48] = False, False
    half = np.pi * 20**2 / 2
    both = level_diameters([one(left), one(right)], np.array([half, half]), probability, 0.5)
    found = level_diameters([one(left), one(right, "dropped")], np.array([half, half]), probability, 0.5)
    assert np.isnan(found[1]).all()
    assert found[0] == pytest.approx(both[0])
    assert level_diameters([], np.zeros(0), probability, 0.5).shape == (0, len(LEVEL_SHIFTS))
