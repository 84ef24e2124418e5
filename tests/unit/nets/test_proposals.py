"""Which of a network's proposals are taken."""

import numpy as np
import pytest
from scipy.special import logit

from antema.nets.proposals import N_RAYS, Proposals, each_once, joined, peaks, polygon_areas, shares_of_scales


def round_ones(*discs, score=None):
    n = len(discs)
    return Proposals(
        np.array([(x, y) for x, y, _ in discs], np.float32),
        np.array([np.full(N_RAYS, r) for *_, r in discs], np.float32),
        np.linspace(1, 0.5, n, dtype=np.float32) if score is None else np.array(score, np.float32),
        np.full(n, 0.9, np.float32),
        np.zeros(n, np.int64),
        np.full(n, 0.9, np.float32),
    )


ALL = np.ones((200, 200), bool)


def test_polygons_have_nearly_the_area_of_their_discs():
    assert polygon_areas(np.full(N_RAYS, 10.0)) == pytest.approx(np.pi * 100, rel=0.01)


def test_the_same_particle_is_taken_once_and_neighbours_all():
    found = each_once(round_ones((50, 50, 20), (52, 51, 19), (90, 50, 20), (120, 70, 20)), ALL)
    assert found.centres[:, 0].tolist() == [50, 90, 120]


def test_overlapping_discs_are_two_and_a_disc_inside_another_is_not():
    assert len(each_once(round_ones((50, 50, 20), (75, 50, 20)), ALL)) == 2
    assert len(each_once(round_ones((50, 50, 20), (55, 50, 9)), ALL)) == 1


def test_one_that_holds_those_that_were_taken_is_none():
    small = [(x, y, 9) for x in (40, 60, 80) for y in (40, 60, 80)]
    assert len(each_once(round_ones(*small, (60, 60, 34)), ALL)) == 9


def test_what_lies_on_ground_is_none():
    particle = np.zeros((200, 200), bool)
    particle[:, :100] = True
    assert each_once(round_ones((50, 50, 20), (150, 50, 20)), particle).centres[:, 0].tolist() == [50]


def test_peaks_come_in_pixels_of_the_image_and_count_less_at_uncomfortable_sizes():
    objects = np.full((16, 16, 2 + N_RAYS), -8.0, np.float32)
    objects[4, 6] = [logit(0.95), logit(0.9), *np.log(np.full(N_RAYS, 20.0))]
    (x, y), at_half = peaks(objects, 0.5, 1).centres[0], peaks(objects, 0.5, 1)
    assert (x, y) == (2 * 4 * 6.5, 2 * 4 * 4.5)
    assert at_half.rays[0, 0] == pytest.approx(40)
    assert at_half.scale.tolist() == [1]
    small = objects.copy()
    small[4, 6, 2:] = np.log(3.0)
    assert peaks(small, 1.0, 0).score[0] < at_half.score[0]
    assert joined([peaks(small, 1.0, 0), at_half]).scale.tolist() == [1, 0]


def test_maps_are_taken_at_the_scales_where_outlines_are_seen_best():
    scales = [1.0, 0.5, 0.25, 0.125]
    assert set(shares_of_scales(np.full(5, 40, np.float32), scales)) == {0, 1}
    at_300 = shares_of_scales(np.full(5, 300, np.float32), scales)
    assert max(at_300, key=lambda scale: at_300[scale]) == 3
    assert sum(at_300.values()) == pytest.approx(1)
    assert shares_of_scales(np.full(5, 6, np.float32), scales) == {0: 1.0}
    assert shares_of_scales(np.full(5, 3000, np.float32), scales) == {3: 1.0}
    assert shares_of_scales(np.empty(0, np.float32), [1.0]) == {}
