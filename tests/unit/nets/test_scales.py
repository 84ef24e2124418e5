import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antema.nets.scales import (
    candidate_factors,
    enlarged,
    estimated_width_px,
    reduced,
    typical_width_px,
    working_weights,
)


def discs(shape, centres, radius):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.any([(y - cy) ** 2 + (x - cx) ** 2 < radius**2 for cy, cx in centres], axis=0)


@given(h=st.integers(20, 70), w=st.integers(20, 70), factor=st.sampled_from([1, 2, 4]))
def test_a_slope_survives_reduction_and_enlargement(h, w, factor):
    h, w = h * factor, w * factor
    slope = np.add.outer(np.arange(h), 2 * np.arange(w)).astype(np.float32)
    back = enlarged(reduced(slope, factor), factor, (h, w))
    assert back.shape == (h, w)
    inner = (slice(factor, h - factor), slice(factor, w - factor))
    np.testing.assert_allclose(back[inner], slope[inner], rtol=1e-5, atol=1e-3)


def test_sides_that_are_no_multiples_keep_their_place():
    image = np.zeros((37, 50), np.float32)
    image[16:20, 24:28] = 1
    back = enlarged(reduced(image, 4), 4, (37, 50))
    rows, columns = np.indices(back.shape)
    assert np.average(rows, weights=back) == pytest.approx(17.5, abs=0.01)
    assert np.average(columns, weights=back) == pytest.approx(25.5, abs=0.01)


def test_the_width_is_that_of_the_particles_not_of_the_row_they_stand_in():
    row = discs((100, 300), [(50, 40 + 38 * k) for k in range(6)], 20)
    assert typical_width_px(row) == pytest.approx(40, rel=0.1)
    assert typical_width_px(np.zeros((50, 50), bool)) == 0
    assert typical_width_px(np.ones((50, 60), bool)) == 60


def test_specks_do_not_decide():
    picture = discs((200, 200), [(100, 100)], 30)
    picture[5:195:8, 5] = True
    assert typical_width_px(picture) == pytest.approx(60, rel=0.1)


def test_small_images_are_not_reduced_to_nothing():
    assert candidate_factors((100, 4000)) == [1]
    assert candidate_factors((512, 600)) == [1, 2, 4]
    assert candidate_factors((2048, 2048)) == [1, 2, 4, 8]


@pytest.mark.parametrize(
    ("widths", "expected"),
    [
        ({1: 40.0, 2: 20.0, 4: 3.0, 8: 0.0}, 40.0),
        ({1: 9.0, 2: 4.0, 4: 0.0, 8: 0.0}, 9.0),  # too small to be believed anywhere
        ({1: 25.0, 2: 60.0, 4: 75.0, 8: 38.0}, 304.0),  # torn to pieces at full scale
        ({1: 0.0, 2: 0.0, 4: 0.0, 8: 0.0}, 0.0),
    ],
)
def test_the_coarsest_map_that_can_be_believed_tells_the_width(widths, expected):
    assert estimated_width_px(widths.__getitem__, [1, 2, 4, 8])[0] == expected


def test_finer_maps_are_not_asked_for_in_vain():
    asked = []

    def width_px(factor):
        asked.append(factor)
        return {8: 3.0, 4: 20.0}[factor]

    assert estimated_width_px(width_px, [1, 2, 4, 8]) == (80.0, 4)
    assert asked == [8, 4]


@pytest.mark.parametrize(
    ("width", "expected"),
    [(36.0, [1, 2]), (19.0, [1]), (5.0, [1]), (0.0, [1]), (300.0, [2, 4, 8]), (3000.0, [8])],
)
def test_the_network_works_where_particles_are_comfortably_wide(width, expected):
    weights = working_weights(width, [1, 2, 4, 8])
    assert list(weights) == expected
    assert sum(weights.values()) == pytest.approx(1)


@given(width=st.floats(10, 1500))
def test_a_little_larger_particle_is_seen_nearly_the_same_way(width):
    once, again = working_weights(width, [1, 2, 4, 8]), working_weights(1.02 * width, [1, 2, 4, 8])
    assert all(abs(once.get(factor, 0) - again.get(factor, 0)) < 0.15 for factor in (1, 2, 4, 8))
