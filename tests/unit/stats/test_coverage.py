"""Coverage against expected accuracy, by hand and by property."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antema.stats import coverage

CONFIDENCES = st.lists(st.one_of(st.floats(1 / 3, 1.0), st.just(float("nan"))), min_size=1, max_size=40)
CERTAINTIES = np.linspace(0.34, 1.0, 23)


@given(CONFIDENCES)
def test_it_is_what_counting_gives(confidences):
    found, values = coverage(confidences, CERTAINTIES), np.array(confidences)
    for certainty, share, accuracy in zip(CERTAINTIES, found.share, found.accuracy, strict=True):
        named = values[values >= certainty]
        assert share == pytest.approx(len(named) / len(values))
        assert accuracy == pytest.approx(named.mean(), nan_ok=True) if len(named) else np.isnan(accuracy)
    assert found.n == len(values)


@given(CONFIDENCES)
def test_who_demands_more_names_fewer_and_errs_less(confidences):
    found = coverage(confidences, CERTAINTIES)
    assert np.all(np.diff(found.share) <= 0)
    named = found.accuracy[~np.isnan(found.accuracy)]
    assert np.all(np.diff(named) >= -1e-12)
    assert np.all(named >= CERTAINTIES[: len(named)] - 1e-12)


@given(CONFIDENCES, st.integers(2, 5))
def test_a_weight_counts_as_so_many_particles(confidences, times):
    weights = np.where(np.arange(len(confidences)) % 2, times, 1)
    found = coverage(confidences, CERTAINTIES, weights)
    expected = coverage(np.repeat(confidences, weights), CERTAINTIES)
    assert found.share == pytest.approx(expected.share)
    assert found.accuracy == pytest.approx(expected.accuracy, nan_ok=True)


def test_expected_accuracy_is_reached_by_calibrated_probabilities():
    rng = np.random.default_rng(5)
    confidences = rng.uniform(1 / 3, 1, 40_000)
    right = rng.random(40_000) < confidences
    found = coverage(confidences, [0.5, 0.8])
    for certainty, accuracy in zip(found.certainties, found.accuracy, strict=True):
        assert right[confidences >= certainty].mean() == pytest.approx(accuracy, abs=0.01)


def test_where_there_is_nothing_there_is_no_accuracy():
    none = coverage([float("nan")], [0.8])
    assert none.share[0] == 0
    assert np.isnan(none.accuracy[0])
    assert np.isnan(coverage([], [0.8]).share[0])
    with pytest.raises(ValueError, match="probabilities from 0 to 1"):
        coverage([1.2], [0.8])
    with pytest.raises(ValueError, match="weights"):
        coverage([0.5, 0.5], [0.8], [1.0])
