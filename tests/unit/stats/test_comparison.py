import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from antema.stats import BOOTSTRAP, FEW_IMAGES, NO_INTERVAL, ONE_IMAGE, cliffs_delta, compare, holm, weighted_quantiles

few_values = hnp.arrays(np.float64, st.integers(1, 30), elements=st.integers(0, 12).map(float))


def clustered(rng, n_images, centre=4.0, per_image=15, between=0.3):
    images = np.repeat(np.arange(n_images), rng.poisson(per_image, n_images) + 1)
    return centre + between * rng.normal(size=n_images)[images] + 0.5 * rng.normal(size=images.size), images


@given(few_values, few_values)
def test_cliffs_delta_is_the_mean_sign_of_all_pairs(a, b):
    assert cliffs_delta(a, b) == pytest.approx(np.mean(np.sign(a[:, None] - b[None, :])), abs=1e-12)
    assert cliffs_delta(a, b) == pytest.approx(-cliffs_delta(b, a), abs=1e-12)


@given(few_values, few_values, st.integers(0, 2**32 - 1))
def test_weighted_cliffs_delta_is_that_of_repeated_values(a, b, seed):
    rng = np.random.default_rng(seed)
    times_a, times_b = rng.integers(1, 4, a.size), rng.integers(1, 4, b.size)
    repeated = cliffs_delta(np.repeat(a, times_a), np.repeat(b, times_b))
    assert cliffs_delta(a, b, times_a, times_b) == pytest.approx(repeated, abs=1e-12)


def test_cliffs_delta_of_nothing_is_no_number():
    assert math.isnan(cliffs_delta([], [1.0]))


def test_exact_test_is_the_enumeration_of_all_assignments():
    rng = np.random.default_rng(4)
    a, images_a = clustered(rng, 3, 4.0, per_image=6)
    b, images_b = clustered(rng, 4, 4.4, per_image=6)
    groups = [a[images_a == k] for k in range(3)] + [b[images_b == k] for k in range(4)]
    gaps = []
    for chosen in itertools.combinations(range(7), 3):
        first = np.concatenate([groups[k] for k in chosen])
        second = np.concatenate([groups[k] for k in range(7) if k not in chosen])
        gaps.append(abs(weighted_quantiles(first, [0.5])[0] - weighted_quantiles(second, [0.5])[0]))
    found = compare(a, images_a, b, images_b)
    assert found.exact
    assert found.permutations == 35
    assert found.least_p == pytest.approx(1 / 35)
    assert found.p_value == pytest.approx(np.mean(np.array(gaps) >= gaps[0] - 1e-12))


def test_the_least_p_is_reached_by_samples_apart_and_counts_the_mirror_image():
    rng = np.random.default_rng(4)
    a, images_a = clustered(rng, 3, 4.0)
    b, images_b = clustered(rng, 3, 40.0)
    found = compare(a, images_a, b, images_b)
    assert found.p_value == found.least_p == pytest.approx(2 / 20)
    assert "cannot reach 0.05" in found.note
    assert "smallest p-value possible is 0.10" in found.note


def test_p_values_are_uniform_where_nothing_differs():
    rng = np.random.default_rng(11)
    p = np.array([compare(*clustered(rng, 4), *clustered(rng, 5), resamples=10).p_value for _ in range(300)])
    for border in (0.05, 0.1, 0.25, 0.5, 0.75):
        # an exact test never rejects more often than that; four standard errors of 300 trials
        assert abs(np.mean(p <= border) - border) <= 4 * np.sqrt(border * (1 - border) / 300) + 1 / 126


def test_a_test_that_ignored_images_would_reject_too_often():
    rng = np.random.default_rng(12)
    by_image = by_particle = 0
    for _ in range(60):
        (a, images_a), (b, images_b) = clustered(rng, 4), clustered(rng, 4)
        by_image += compare(a, images_a, b, images_b, resamples=10).p_value <= 0.05
        delta = cliffs_delta(a, b)
        error = np.sqrt((a.size + b.size + 1) / (3 * a.size * b.size))  # Mann-Whitney, particles independent
        by_particle += abs(delta) > 1.96 * error
    assert by_particle > 15
    assert by_image < 10


def test_random_permutations_where_there_are_many_images():
    rng = np.random.default_rng(4)
    found = compare(*clustered(rng, 12, 4.0), *clustered(rng, 12, 6.0), resamples=100)
    assert not found.exact
    assert found.p_value == found.least_p == pytest.approx(1e-4)


@pytest.mark.parametrize(("n_a", "n_b"), [(3, 5), (6, 7), (6, 15)])
def test_intervals_cover_the_true_difference(n_a, n_b):
    rng = np.random.default_rng(n_a)
    trials, hits, delta_hits = 120, 0, 0
    for trial in range(trials):
        found = compare(*clustered(rng, n_a, 5.0), *clustered(rng, n_b, 5.0), seed=trial, resamples=300)
        hits += found.difference.low <= 0 <= found.difference.high
        delta_hits += found.cliffs_delta.low <= 0 <= found.cliffs_delta.high
    assert hits / trials >= 0.9
    assert delta_hits / trials >= 0.89


def test_methods_and_honest_sentences():
    rng = np.random.default_rng(4)
    one, two, many = clustered(rng, 1), clustered(rng, 2), clustered(rng, 8)
    assert compare(*many, *many).interval_method == BOOTSTRAP
    few = compare(*two, *many)
    assert few.interval_method == FEW_IMAGES
    assert few.p_value is None
    assert few.p_text == "–"
    assert "No p-value: a test needs at least 3 images of each sample, found 2 images and 8." in few.note
    single = compare(*one, *many)
    assert single.interval_method == ONE_IMAGE
    assert "too narrow" in single.note
    assert "describe these images only" in single.method
    nothing = compare([], [], *many)
    assert nothing.interval_method == NO_INTERVAL
    assert not nothing.difference.has_value
    assert "no measured particle" in nothing.statement("A", "B", "equivalent diameter", "nm")
    assert nothing.to_dict()["median_a"] is None


def test_samples_apart_have_no_interval_of_the_effect_size():
    rng = np.random.default_rng(4)
    found = compare(*clustered(rng, 8, 4.0), *clustered(rng, 8, 400.0))
    assert found.cliffs_delta.value == -1.0
    assert not found.cliffs_delta.has_interval
    assert found.effect_text == "a large effect"


def test_exchange_shift_and_scale():
    rng = np.random.default_rng(4)
    (a, images_a), (b, images_b) = clustered(rng, 4, 40.0), clustered(rng, 5, 41.0)
    plain = compare(a, images_a, b, images_b)
    mirrored = compare(b, images_b, a, images_a)
    assert mirrored.difference.value == pytest.approx(-plain.difference.value)
    assert mirrored.difference.low == pytest.approx(-plain.difference.high)
    assert mirrored.cliffs_delta.high == pytest.approx(-plain.cliffs_delta.low)
    assert mirrored.p_value == plain.p_value
    moved = compare(3 * a + 7, images_a, 3 * b + 7, images_b)
    assert moved.difference.low == pytest.approx(3 * plain.difference.low)
    assert moved.cliffs_delta == plain.cliffs_delta
    assert moved.p_value == plain.p_value


def test_weights_act_on_the_medians():
    rng = np.random.default_rng(4)
    (a, images_a), (b, images_b) = clustered(rng, 8), clustered(rng, 8)
    found = compare(a, images_a, b, images_b, weights_a=a**3, weights_b=b**3, weighting="volume")
    assert found.median_a == pytest.approx(weighted_quantiles(a, [0.5], a**3)[0])
    assert found.difference.value == pytest.approx(found.median_a - found.median_b)


def test_holm_against_the_definition():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([None, 0.5, 0.9]) == [None, 1.0, 1.0]
    assert holm([]) == []
