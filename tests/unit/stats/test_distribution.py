import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from antema.stats import ecdf, histogram, kde
from antema.stats.distribution import MOST_BINS

positive = hnp.arrays(np.float64, st.integers(1, 300), elements=st.floats(1e-3, 1e4))


@given(positive, st.booleans())
def test_every_value_is_in_a_bin_or_counted_outside(x, log):
    h = histogram(x, log=log)
    assert h.counts.sum() + h.n_below + h.n_above == x.size
    assert 1 <= h.counts.size <= MOST_BINS + 2
    assert (np.diff(h.edges) > 0).all()
    widths = np.diff(np.log10(h.edges)) if log else np.diff(h.edges)
    assert (h.density * widths).sum() == pytest.approx(h.share.sum())
    assert h.share.sum() == pytest.approx(h.counts.sum() / x.size)


def test_edges_are_round_numbers():
    x = np.random.default_rng(0).normal(4, 0.6, 2000)
    edges = histogram(x).edges
    width = edges[1] - edges[0]
    assert round(width / 10 ** np.floor(np.log10(width)), 6) in (1.0, 2.0, 2.5, 5.0)
    np.testing.assert_allclose(edges / width, np.round(edges / width), atol=1e-9)
    assert 15 < edges.size < MOST_BINS


def test_dirt_far_out_does_not_flatten_the_particles():
    x = np.append(np.random.default_rng(0).normal(4, 0.6, 2000), [300.0, 900.0])
    h = histogram(x)
    assert np.diff(h.edges)[0] < 0.5
    assert h.n_above == 2
    assert "2 above" in h.outside_text
    assert histogram(x[:-2]).outside_text == ""


def test_weights_move_the_share_not_the_counts():
    h = histogram([1.0, 1.1, 2.0, 2.1], [1, 1, 3, 3], bins=[1.0, 1.5, 2.5])
    assert h.counts.tolist() == [2, 2]
    assert h.share.tolist() == [0.25, 0.75]
    assert h.density.tolist() == [0.5, 0.75]


def test_a_wanted_number_of_bins_is_met_nearly():
    x = np.random.default_rng(0).uniform(0, 10, 500)
    assert 14 <= histogram(x, bins=20).counts.size <= 30


def test_nothing_and_equal_values():
    assert histogram([]).counts.size == 0
    assert histogram([np.nan]).edges.tolist() == [0.0]
    assert histogram([2.0, 2.0]).counts.sum() == 2
    assert histogram([0.0, 0.0]).counts.sum() == 2
    assert kde([2.0, 2.0])[0].size == 0
    assert ecdf([])[0].size == 0


@pytest.mark.parametrize("bins", [0, "many", [1.0], [2.0, 1.0]])
def test_bins_that_are_none_are_refused(bins):
    with pytest.raises(ValueError, match="bins: expected"):
        histogram([1.0, 2.0], bins=bins)


@pytest.mark.parametrize("log", [False, True])
def test_density_has_unit_area_and_the_true_shape(log):
    rng = np.random.default_rng(0)
    x = np.exp(rng.normal(1, 0.3, 20_000))
    at, y = kde(x, log=log, n=500)
    position = np.log10(at) if log else at
    assert np.trapezoid(y, position) == pytest.approx(1.0, abs=3e-3)
    true = np.exp(-0.5 * ((np.log(at) - 1) / 0.3) ** 2) / (0.3 * np.sqrt(2 * np.pi))
    true = true * np.log(10) if log else true / at
    assert np.abs(y - true).max() < 0.06 * true.max()


def test_density_does_not_fall_off_at_a_bound():
    x = 1 - np.abs(np.random.default_rng(0).normal(0, 0.05, 20_000))
    at, free = kde(x)
    at_bound, bounded = kde(x, upper=1.0)
    assert at.max() > 1.0
    assert at_bound.max() <= 1.0
    assert np.trapezoid(bounded, at_bound) == pytest.approx(1.0, abs=3e-3)
    true = 2 / (0.05 * np.sqrt(2 * np.pi))
    assert bounded[-1] == pytest.approx(true, rel=0.08)
    assert np.interp(1.0, at, free) < 0.7 * true


def test_weighted_density_is_that_of_repeated_values():
    x = np.array([1.0, 2.0, 2.5, 4.0])
    w = np.array([1, 3, 2, 1])
    at, y = kde(x, w)
    again, y_again = kde(np.repeat(x, w))
    # only the effective number of particles differs, and with it the bandwidth
    assert np.average(at, weights=y) == pytest.approx(np.average(again, weights=y_again), rel=0.02)


@given(positive, st.integers(0, 2**32 - 1))
def test_cumulative_distribution_is_the_share_at_or_below(x, seed):
    w = np.random.default_rng(seed).integers(1, 5, x.size).astype(float)
    at, y = ecdf(x, w)
    assert y[-1] == pytest.approx(1.0)
    for position, share in zip(at[:5], y[:5], strict=True):
        assert share == pytest.approx(w[x <= position].sum() / w.sum())


def nearly_one(n: int = 400) -> np.ndarray:
    """Return convexities: all but some of them 1 within what the computer rounds."""
    rng = np.random.default_rng(3)
    x = 1 - rng.uniform(0, 1e-6, n)
    x[: n // 10] = rng.uniform(0.8, 0.99, n // 10)
    return x


@pytest.mark.parametrize("log", [False, True])
def test_a_least_width_hides_the_grain_of_the_numbers(log):
    h = histogram(nearly_one(), log=log, least_width=0.005, upper=1.0)
    assert np.diff(h.edges).min() > 0.0035
    assert h.edges[-1] == pytest.approx(1.0)
    assert h.edges[-1] <= 1.0
    assert h.n_below + h.n_above == 0


def test_a_curve_is_no_sharper_than_its_least_width():
    x, y = kde(nearly_one(), least_width=0.005, upper=1.0)
    assert y.max() < 200
    assert np.trapezoid(y, x) == pytest.approx(1.0, abs=0.02)
    assert kde(nearly_one(), upper=1.0)[1].max() > 1e4


@given(hnp.arrays(np.float64, st.integers(1, 400), elements=st.floats(1e-3, 1e4)), st.booleans())
def test_hardly_a_particle_is_left_out(x, log):
    h = histogram(x, log=log)
    most = max(x.size // 100, int(x.size >= 20))
    assert h.n_below <= most
    assert h.n_above <= most


def test_many_far_out_are_no_dirt():
    x = np.append(np.random.default_rng(0).normal(4, 0.05, 900), np.full(50, 300.0))
    h = histogram(x)
    assert (h.n_below, h.n_above) == (0, 0)
    assert histogram(x[:905]).n_above == 5


@given(
    hnp.arrays(np.float64, st.integers(1, 100), elements=st.floats(0.05, 1.0)),
    st.booleans(),
    st.sampled_from([0.0, 0.005, 0.03]),
)
def test_no_edge_beyond_what_the_quantity_can_pass(x, log, least_width):
    h = histogram(x, log=log, least_width=least_width, upper=1.0)
    assert h.edges[-1] <= 1.0
    assert (np.diff(h.edges) > 0).all()
    assert h.counts.sum() + h.n_below + h.n_above == x.size


def test_a_bound_that_values_pass_is_none():
    assert histogram([0.9, 1.01], upper=1.0).edges[-1] > 1
    assert histogram([1.0, 1.0], upper=1.0).edges[-1] == 1


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("value", [0.05, 1.0, 1e4])
def test_values_that_differ_by_rounding_alone_are_equal(value, log):
    h = histogram([value, np.nextafter(value, 0), np.nextafter(value, 1e9)], log=log)
    # a power of ten is an edge, and 10**log10(x) may round away from it
    assert h.counts.sum() >= (2 if log else 3)
    assert h.counts.size <= 2
    assert np.isfinite(h.density).all()
