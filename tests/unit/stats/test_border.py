"""The correction for border loss, and that every statistic heeds it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antema import stats
from antema.stats import MOST_FACTOR, border_correction, share_interval, summarise

finite = st.floats(0.5, 100.0)


@st.composite
def samples(draw):
    n = draw(st.integers(2, 40))
    values = np.array(draw(st.lists(finite, min_size=n, max_size=n)))
    images = np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    return values, images, np.array(draw(st.lists(st.integers(1, 3), min_size=n, max_size=n)))


@given(samples())
def test_factors_of_one_change_nothing(sample):
    values, images, _ = sample
    correction = border_correction(np.ones(values.size), border_dropped=True)
    corrected = summarise(values, images, weights=stats.weights(values, "area") * correction.factors)
    assert corrected == summarise(values, images, weights=stats.weights(values, "area"))
    assert correction.worth == pytest.approx(values.size)


@given(samples())
def test_a_factor_of_two_is_a_particle_twice_for_every_point_estimate(sample):
    values, images, times = sample
    weighted = summarise(values, images, weights=times.astype(float))
    repeated = summarise(np.repeat(values, times), np.repeat(images, times))
    for name in ("mean", "d10", "median", "d90"):
        assert getattr(weighted, name).value == pytest.approx(getattr(repeated, name).value)
    other = np.array([1.0, 50.0])
    delta = stats.cliffs_delta(values, other, times.astype(float))
    assert delta == pytest.approx(stats.cliffs_delta(np.repeat(values, times), other))
    bins = np.linspace(0, 100, 7)
    drawn = stats.histogram(values, times.astype(float), bins=bins).share
    assert drawn == pytest.approx(stats.histogram(np.repeat(values, times), bins=bins).share)
    x, y = stats.ecdf(values, times.astype(float))
    assert y == pytest.approx(stats.ecdf(np.repeat(values, times))[1])
    assert x.tolist() == sorted(set(values.tolist()))


def test_shares_with_factors_of_one_are_the_counted_ones_and_a_factor_counts():
    counts = np.array([[3, 1], [2, 2], [5, 0]])
    assert share_interval(counts, weight_sums=counts.astype(float), worth=13.0) == share_interval(counts)
    found = share_interval([[3, 1], [2, 2]], weight_sums=[[3.0, 2.0], [2.0, 4.0]], worth=7.2)
    assert found.shares[0].value == pytest.approx(5 / 11)
    assert found.counts == (5, 3)
    assert found.n == 8


def test_fewer_effective_particles_give_a_wider_share_of_one_image():
    plain = share_interval([[6, 4]]).shares[0]
    weighted = share_interval([[6, 4]], weight_sums=[[6.0, 4.0]], worth=5.0).shares[0]
    assert weighted.value == plain.value
    assert weighted.low < plain.low < plain.high < weighted.high


def test_sums_that_do_not_fit_the_counts_are_refused():
    for sums in ([[1.0, 0.0]], [[1.0]]):
        with pytest.raises(ValueError, match="sums above 0 where there are particles"):
            share_interval([[1, 1]], weight_sums=sums)


def test_kept_border_particles_cannot_be_corrected_for_and_it_is_said():
    found = border_correction([1.0, 1.0], border_dropped=False)
    assert not found.is_possible
    assert "measured too small" in found.note
    assert found.worth == 0


def test_results_without_the_factor_ask_for_another_analysis():
    found = border_correction([1.2, np.nan], border_dropped=True)
    assert not found.is_possible
    assert "analyse again" in found.note


def test_particles_nearly_as_large_as_the_image_are_bounded_and_counted():
    found = border_correction([1.1, 1.3, 400.0, np.inf], border_dropped=True)
    assert found.factors.tolist() == [1.1, 1.3, MOST_FACTOR, MOST_FACTOR]
    assert found.n_bounded == 2
    assert "2 particles so large" in found.note
    assert "4 particles are worth 2 that count alike" in found.note
    assert "so large" not in border_correction([1.1, 1.3], border_dropped=True).note


def test_no_particle_is_no_trouble():
    found = border_correction([], border_dropped=True)
    assert found.is_possible
    assert found.note


def test_a_factor_below_one_is_refused():
    with pytest.raises(ValueError, match=r"expected 1 or more, found 0\.5"):
        border_correction([0.5], border_dropped=True)


def test_the_correction_is_printed_beside_the_weighting():
    found = summarise([1.0, 2.0], ["a", "b"], weighting="volume", border_weighted=True)
    assert "(volume-weighted, corrected for border loss)" in found.counts_text
    assert found.to_dict()["border_weighted"] is True
    compared = stats.compare([1.0, 2.0], [0, 1], [3.0, 4.0], [0, 1], border_weighted=True)
    assert compared.to_dict()["border_weighted"] is True
