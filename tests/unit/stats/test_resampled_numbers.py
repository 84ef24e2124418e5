"""Faster ways give the numbers that the plain definitions give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antema.stats.clusters import cluster, draw_images, factorise, resampled_quantiles
from antema.stats.quantiles import weighted_quantiles


def numbered_plainly(values, weights, images):
    """Return the number of each image by the sorted values it holds, then by their weights."""
    names = sorted(set(images.tolist()))
    keys = {}
    for name in names:
        order = np.lexsort((weights[images == name], values[images == name]))
        keys[name] = (values[images == name][order].tolist(), weights[images == name][order].tolist())
    ranked = sorted(names, key=keys.__getitem__)
    return keys, {name: place for place, name in enumerate(ranked)}


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(1, 2)), min_size=1, max_size=60),
    st.integers(0, 2**31),
)
def test_images_are_numbered_by_what_they_hold(rows, seed):
    values, images, weights = (np.array(column) for column in zip(*rows, strict=True))
    values, weights = values.astype(float), weights.astype(float)
    keys, number = numbered_plainly(values, weights, images)
    data = cluster(values, images, weights)
    expected = np.array([number[name] for name in images.tolist()])
    order = np.lexsort((expected, weights, values))
    np.testing.assert_array_equal(data.values, values[order])
    np.testing.assert_allclose(data.weights, weights[order] / weights.mean(), rtol=1e-12)
    if len({repr(key) for key in keys.values()}) == len(keys):
        np.testing.assert_array_equal(data.image, expected[order])
    # and whoever labels the images, and in whatever order they come
    shuffled = np.random.default_rng(seed).permutation(len(values))
    again = cluster(values[shuffled], [f"image {9 - k}" for k in images[shuffled]], weights[shuffled])
    for name in ("values", "weights", "image"):
        np.testing.assert_array_equal(getattr(again, name), getattr(data, name))


@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize(("n", "n_images"), [(1, 1), (7, 3), (500, 8), (3000, 40)])
def test_quantiles_of_resamples_are_those_of_the_values_drawn(n, n_images, rounded):
    rng = np.random.default_rng(n)
    values = rng.lognormal(2, 0.3, n)
    weights = rng.uniform(0.1, 2, n)
    values, weights = (np.round(values), np.ones(n)) if rounded else (values, weights)
    data = cluster(values, rng.integers(0, n_images, n), weights)
    drawn = draw_images(data.n_images, 40, rng)
    found = resampled_quantiles(data, [0.1, 0.5, 0.9], drawn)
    for row, times in zip(found, drawn, strict=True):
        expected = weighted_quantiles(data.values, [0.1, 0.5, 0.9], data.weights * times[data.image])
        np.testing.assert_allclose(row, expected, rtol=1e-12)


def test_a_resample_without_values_has_no_quantile():
    data = cluster([1.0, 2.0], ["a", "b"])
    found = resampled_quantiles(data, [0.5], np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]))[:, 0]
    np.testing.assert_array_equal(found, [np.nan, 1.0, 1.5])


def test_identities_are_factorised_whatever_they_are():
    for identities in ([7, 3, 7, 900_000_000_000], ["b", "a", "b", "c"], np.array([2, 1, 2, 5], np.uint8)):
        codes, n = factorise(np.asarray(identities))
        assert n == 3
        assert codes[0] == codes[2]
        assert sorted(set(codes.tolist())) == [0, 1, 2]
    mixed, n = factorise(np.array([1, "1", 2], dtype=object))
    assert (n, mixed.tolist()) == (2, [0, 0, 1])
    assert factorise(np.zeros(0))[1] == 0
