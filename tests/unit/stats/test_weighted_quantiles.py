import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from antema.stats import weighted_quantiles, weights
from antema.stats.clusters import cluster, resampled_means_sds, resampled_quantiles

P = (0.0, 0.1, 0.25, 0.5, 0.9, 1.0)
values = hnp.arrays(np.float64, st.integers(1, 40), elements=st.integers(-50, 50).map(lambda k: k / 4))


@given(values, st.data())
def test_integer_weights_are_repetition(x, data):
    repeats = data.draw(hnp.arrays(np.int64, x.size, elements=st.integers(0, 5)))
    if not repeats.sum():
        repeats[0] = 1
    assert np.array_equal(weighted_quantiles(x, P, repeats), weighted_quantiles(np.repeat(x, repeats), P))


@given(values)
def test_equal_weights_are_numpys_averaged_inverse(x):
    expected = np.quantile(x, P, method="averaged_inverted_cdf")
    np.testing.assert_allclose(weighted_quantiles(x, P), expected)
    assert weighted_quantiles(x, [0.5])[0] == pytest.approx(np.median(x))


@given(values, st.floats(1e-6, 1e6), st.randoms(use_true_random=False))
def test_neither_order_nor_scale_of_weights_matters(x, scale, random):
    w = np.array([random.choice((0.5, 1.0, 3.0)) for _ in x])
    order = random.sample(range(x.size), x.size)
    assert np.array_equal(weighted_quantiles(x[order], P, scale * w[order]), weighted_quantiles(x, P, w))


def test_no_value_of_positive_weight_gives_nan():
    assert np.isnan(weighted_quantiles([], P)).all()
    assert np.isnan(weighted_quantiles([1.0, 2.0], P, [0.0, 0.0])).all()


@pytest.mark.parametrize(
    ("p", "w", "sentence"),
    [
        ([1.2], None, "expected probabilities from 0 to 1"),
        ([0.5], [1.0], "expected 2, one for each value, found 1"),
        ([0.5], [1.0, -1.0], "expected none below 0"),
    ],
)
def test_refusals_say_what_was_expected(p, w, sentence):
    with pytest.raises(ValueError, match=sentence):
        weighted_quantiles([1.0, 2.0], p, w)


@given(st.integers(1, 200), st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_resampled_statistics_are_those_of_repeated_images(n, n_images, seed):
    rng = np.random.default_rng(seed)
    x, image, w = rng.integers(0, 30, n) / 7, rng.integers(0, n_images, n), rng.integers(1, 4, n).astype(float)
    data = cluster(x, image, w)
    drawn = rng.integers(0, 3, (5, data.n_images)).astype(float)
    quantiles = resampled_quantiles(data, (0.1, 0.5, 0.9), drawn)
    means, sds = resampled_means_sds(data, drawn)
    for row, quantile, mean, sd in zip(drawn, quantiles, means, sds, strict=True):
        times = row[data.image].astype(int)
        again, weight = np.repeat(data.values, times), np.repeat(data.weights, times)
        np.testing.assert_allclose(quantile, weighted_quantiles(again, (0.1, 0.5, 0.9), weight))
        if not again.size:
            assert np.isnan(mean)
            continue
        assert mean == pytest.approx(np.average(again, weights=weight))
        freedom = weight.sum() - (weight**2).sum() / weight.sum()
        if again.size > 1:
            expected = np.sqrt(np.sum(weight * (again - mean) ** 2) / freedom)
            assert sd == pytest.approx(expected, abs=1e-9)
        else:
            assert np.isnan(sd)


def test_weights_by_area_and_volume():
    assert weights([1.0, 2.0, 3.0], "number").tolist() == [1, 1, 1]
    assert weights([1.0, 2.0, 3.0], "area").tolist() == [1, 4, 9]
    assert weights([1.0, 2.0, np.nan], "volume").tolist() == [1, 8, 0]


def test_weights_refuse_what_is_no_weighting_and_no_diameter():
    with pytest.raises(ValueError, match="expected one of number, area, volume, found 'mass'"):
        weights([1.0], "mass")
    with pytest.raises(ValueError, match="found -1 nm"):
        weights([-1.0], "area")
