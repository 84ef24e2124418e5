import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antema.domain import QUANTITIES
from antema.stats import histogram, share_interval, weighted_quantiles
from antema.web import compare_figures, figures

lengths = st.lists(st.floats(0.1, 50.0), min_size=1, max_size=60).map(np.array)


@pytest.mark.parametrize("log", [False, True])
@given(st.lists(lengths, min_size=1, max_size=4))
def test_common_bins_hold_every_particle_that_some_own_bins_hold(log, groups):
    edges = compare_figures.common_edges([(values, None) for values in groups], log=log)
    assert np.all(np.diff(edges) > 0)
    for values in groups:
        own, common = histogram(values, log=log), histogram(values, bins=edges, log=log)
        assert common.counts.sum() >= own.counts.sum()


def test_common_bins_are_as_narrow_as_the_narrowest_sample_asks_for():
    rng = np.random.default_rng(0)
    narrow, wide = rng.normal(2, 0.1, 500), rng.normal(2.4, 0.3, 500)
    own = histogram(narrow).edges
    edges = compare_figures.common_edges([(narrow, None), (wide, None)], log=False)
    assert np.diff(edges) == pytest.approx(own[1] - own[0])
    assert len(edges) <= 121
    assert 2.0 in edges  # round numbers, not 1.9999999999999996


def test_samples_far_apart_do_not_ask_for_thousands_of_bins():
    tight, far = np.linspace(1, 1.001, 50), np.linspace(500, 900, 50)
    assert len(compare_figures.common_edges([(tight, None), (far, None)], log=False)) <= 122


def test_no_values_still_give_an_axis():
    nothing = np.zeros(0)
    for log in (False, True):
        edges = compare_figures.common_edges([(nothing, None)], log=log)
        assert len(edges) == 2
        assert histogram(nothing, bins=edges, log=log).counts.sum() == 0


@pytest.mark.parametrize("log", [False, True])
def test_the_bars_of_each_sample_have_the_area_one(log):
    rng = np.random.default_rng(1)
    groups = [(rng.lognormal(1, 0.3, n), rng.uniform(0.5, 2, n)) for n in (40, 300)]
    edges = compare_figures.common_edges(groups, log=log)
    bars = [
        (name, "#000", histogram(v, w, bins=edges, log=log), v, w) for name, (v, w) in zip("ab", groups, strict=True)
    ]
    figure = figures.overlaid_figure(QUANTITIES[0], bars, log=log, share_of="area")
    drawn = [trace for trace in figure.data if trace.type == "bar"]
    assert len(drawn) == 2
    for trace in drawn:
        assert np.sum(np.asarray(trace.y) * np.asarray(trace.width)) == pytest.approx(1)


def test_curves_carry_the_names_and_bars_only_where_there_is_no_curve():
    values = {"many": np.linspace(1, 2, 50), "two": np.array([1.2, 1.4])}
    edges = compare_figures.common_edges([(v, None) for v in values.values()], log=False)
    bars = [(n, "#000", histogram(v, bins=edges), v, None) for n, v in values.items()]
    figure = figures.overlaid_figure(QUANTITIES[0], bars, log=False, share_of="number")
    compare_figures.curves_before_bars(figure)
    named = [(trace.name, trace.type) for trace in figure.data if trace.showlegend]
    assert named == [("many", "scatter"), ("two", "bar")]


def test_a_long_curve_is_thinned_without_moving_it():
    rng = np.random.default_rng(2)
    values, weights = rng.normal(5, 1, 50_000), rng.uniform(0, 2, 50_000)
    shown, none = compare_figures.as_many_as_shown(values, weights)
    assert none is None
    assert len(shown) == compare_figures.MOST_POINTS
    wanted = weighted_quantiles(values, [0.1, 0.5, 0.9], weights)
    assert np.quantile(shown, [0.1, 0.5, 0.9]) == pytest.approx(wanted, abs=0.01)
    few = values[:10]
    assert compare_figures.as_many_as_shown(few, weights[:10])[0] is few


def test_a_violin_without_weights_has_the_weighted_quartiles():
    rng = np.random.default_rng(3)
    values = rng.lognormal(1, 0.4, 3000)
    weights = values**3
    equal = compare_figures.equally_weighted(values, weights)
    wanted = weighted_quantiles(values, [0.25, 0.5, 0.75], weights)
    assert np.quantile(equal, [0.25, 0.5, 0.75]) == pytest.approx(wanted, rel=0.01)
    assert len(equal) == pytest.approx(weights.sum() ** 2 / (weights**2).sum(), abs=1)


def test_ticks_are_round_numbers_on_the_axis():
    assert compare_figures.log_ticks(np.array([1.0, 9.0]))["ticktext"][:4] == ["1", "1.5", "2", "3"]
    assert compare_figures.log_ticks(np.array([0.1, 90.0]))["ticktext"][:4] == ["0.1", "0.2", "0.5", "1"]


def test_an_axis_of_lengths_does_not_begin_below_nothing():
    assert compare_figures.axis_range(np.array([0.0, 0.5, 1.0]), log=False) == [0.0, 1.5]
    assert compare_figures.axis_range(np.array([1.0, 10.0, 100.0]), log=True) == [-1.0, 3.0]


def test_bars_of_shares_end_where_the_intervals_do():
    shares = share_interval([[3, 7], [5, 5], [2, 8]])
    figure = compare_figures.shares_figure(("amorphous", "monocrystalline"), [("a", shares)])
    for trace, estimate in zip(figure.data, shares.shares, strict=True):
        assert trace.y[0] == pytest.approx(100 * estimate.value)
        assert trace.y[0] + trace.error_y.array[0] == pytest.approx(100 * estimate.high)
        assert trace.y[0] - trace.error_y.arrayminus[0] == pytest.approx(100 * estimate.low)


@pytest.mark.parametrize("log", [False, True])
def test_common_bins_of_ratios_are_not_finer_than_they_mean(log):
    rng = np.random.default_rng(5)
    groups = [(1 - rng.uniform(0, spread, 300), None) for spread in (1e-6, 1e-2)]
    edges = compare_figures.common_edges(groups, log=log, least_width=0.005, upper=1.0)
    assert edges[-1] <= 1.0
    assert np.diff(edges).min() > 0.002
    assert all(histogram(values, bins=edges).counts.sum() == 300 for values, _ in groups)
