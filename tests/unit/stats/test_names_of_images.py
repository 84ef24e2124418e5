"""The numbers of a sample do not depend on what its images are called or in which order they come."""

import numpy as np
import pytest

from antema import stats


def sample(seed, n_images, decimals):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(3, 40, n_images)
    image = np.repeat(np.arange(n_images), sizes)
    return (rng.lognormal(1.2, 0.3, image.size) + rng.normal(0, 0.2, n_images)[image]).round(decimals), image


def otherwise_labelled(seed, values, image):
    """The same particles: rows in another order, images under names that sort otherwise."""
    rng = np.random.default_rng(seed)
    names = rng.permutation(10_000)[: image.max() + 1].astype(str).astype(object)
    order = rng.permutation(values.size)
    return values[order], names[image][order]


@pytest.mark.parametrize("n_images", [1, 3, 12])
@pytest.mark.parametrize("decimals", [1, 12], ids=["many ties", "no ties"])
@pytest.mark.parametrize("weighting", ["number", "volume"])
def test_a_summary_is_the_same_to_the_last_digit(n_images, decimals, weighting):
    values, image = sample(n_images, n_images, decimals)

    def summary(values, image):
        weights = stats.weights(values, weighting)
        enough = stats.enough(values, image, weights=weights)
        return stats.summarise(values, image, weights=weights, weighting=weighting).to_dict(), enough

    found = summary(values, image)
    for seed in range(5):
        assert summary(*otherwise_labelled(seed, values, image)) == found


@pytest.mark.parametrize("n_images", [4, 12], ids=["exact test", "random permutations"])
def test_a_comparison_is_the_same_to_the_last_digit(n_images):
    a, b = sample(1, n_images, 1), sample(2, n_images, 1)
    found = stats.compare(*a, *b)
    for seed in range(3):
        assert stats.compare(*otherwise_labelled(seed, *a), *otherwise_labelled(seed + 50, *b)) == found


def test_shares_are_the_same_to_the_last_digit():
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 30, (11, 4))
    found = stats.share_interval(counts)
    for _ in range(5):
        assert stats.share_interval(rng.permutation(counts)) == found
