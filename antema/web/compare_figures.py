"""What the figures of a comparison are made of: common bins, curves of bounded length, shares with intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from antema.imaging.palette import CRYSTALLINITY_COLOURS
from antema.stats import Shares, histogram, weighted_quantiles
from antema.stats.distribution import MOST_BINS

MOST_POINTS = 2000

Vector = NDArray[np.float64]


def common_edges(
    groups: Sequence[tuple[Vector, Vector | None]],
    *,
    log: bool,
    least_width: float = 0.0,
    upper: float | None = None,
) -> Vector:
    """Return bin edges that serve all groups: the narrowest width that one of them asks for, over all of them.

    Parameters
    ----------
    groups : sequence of (values, weights)
        Values of each sample, shape (n,), and their weights or None.
    log : bool
        Bins of equal width in the decimal logarithm.
    least_width, upper : float
        As `antema.stats.histogram` takes them.

    Returns
    -------
    ndarray, shape (k + 1,)
        At most 120 bins, edges on multiples of their width (of the logarithm with `log`); two edges where no group has
        values.
    """
    histograms = (histogram(v, w, log=log, least_width=least_width, upper=upper) for v, w in groups)
    own = [bins.edges for bins in histograms if bins.edges.size > 1]
    if not own:
        return np.array([1.0, 10.0]) if log else np.array([0.0, 1.0])
    scaled = [np.log10(edges) if log else edges for edges in own]
    # a round number again, after the subtraction
    width = min(float(f"{edges[1] - edges[0]:.9g}") for edges in scaled)
    low, high = min(float(e[0]) for e in scaled), max(float(e[-1]) for e in scaled)
    while (high - low) / width > MOST_BINS:
        width *= 2
    first, last = np.floor(low / width + 1e-6), np.ceil(high / width - 1e-6)
    edges = np.round(np.arange(first, last + 1) * width, 12)
    if upper is not None and high <= (np.log10(upper) if log else upper) < edges[-1]:
        edges[-1] = np.log10(upper) if log else upper
    return 10.0**edges if log else edges


def axis_range(edges: Vector, *, log: bool) -> list[float]:
    """Return the range of an axis that shows these bins and one bin's width more on either side."""
    scaled = np.log10(edges) if log else edges
    width = scaled[1] - scaled[0]
    first = float(scaled[0] - width)
    # a length and a ratio begin at 0
    return [first if log or edges[0] < 0 else max(first, 0.0), float(scaled[-1] + width)]


def log_ticks(edges: Vector) -> dict[str, list[Any]]:
    """Return ticks at round numbers, as many as the bins' span leaves room for, as properties of a logarithmic axis."""
    low, high = np.log10(edges[0]), np.log10(edges[-1])
    factors = (1, 2, 5) if high - low > 1.5 else (1, 1.5, 2, 3, 4, 5, 6, 8)
    ticks = [float(f"{k}e{decade}") for decade in range(int(np.floor(low)), int(np.ceil(high)) + 1) for k in factors]
    return {"tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def curves_before_bars(figure: go.Figure) -> None:
    """Let a figure of several distributions be read by its curves: bars fade where they are many, curves are named."""
    traces: list[Any] = list(figure.select_traces())
    curves = {trace.legendgroup for trace in traces if trace.type == "scatter"}
    bars = [trace for trace in traces if trace.type == "bar"]
    for trace in bars:
        opacity = 0.35 if len(bars) <= 2 else 0.22 if len(bars) == 3 else 0.12
        trace.update(opacity=opacity, showlegend=trace.legendgroup not in curves)
    figure.update_traces(showlegend=True, selector={"type": "scatter"})
    figure.update_yaxes(rangemode="tozero")


def as_many_as_shown(values: Vector, weights: Vector | None) -> tuple[Vector, Vector | None]:
    """Return values of the same distribution, at most `MOST_POINTS`, for a curve that a browser has to draw."""
    if len(values) <= MOST_POINTS:
        return values, weights
    return weighted_quantiles(values, np.linspace(0, 1, MOST_POINTS), weights), None


def equally_weighted(values: Vector, weights: Vector | None) -> Vector:
    """Return values that count once each and are distributed as the weighted ones are.

    Plotly's violins know of no weights. Weighted quantiles at equal steps do the same, as many of them as the
    particles are worth, (sum w)² / sum w², so that the violin is as smooth as they deserve.
    """
    if weights is None or not len(values):
        return as_many_as_shown(values, None)[0]
    worth = float(np.sum(weights)) ** 2 / float(np.sum(weights**2))
    n = int(np.clip(round(worth), min(len(values), 5), MOST_POINTS))
    return weighted_quantiles(values, (np.arange(n) + 0.5) / n, weights)


def shares_figure(classes: Sequence[str], groups: Sequence[tuple[str, Shares]]) -> go.Figure:
    """Return bars of the crystallinity classes, each sample's beside the others', with their intervals.

    Parameters
    ----------
    classes : sequence of str
        Names of the classes, in the order of the shares.
    groups : sequence of (name, Shares)
        The samples.
    """
    figure = go.Figure()
    names = [name for name, _ in groups]
    for place, crystallinity in enumerate(classes):
        estimates = [shares.shares[place] for _, shares in groups]
        values = [100 * estimate.value for estimate in estimates]
        figure.add_bar(
            x=names,
            y=values,
            name=crystallinity,
            marker={"color": CRYSTALLINITY_COLOURS.get(crystallinity, CRYSTALLINITY_COLOURS["unknown"])},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [_reach(e.high, e.value) for e in estimates],
                "arrayminus": [-_reach(e.low, e.value) for e in estimates],
                "color": "#24292f",
                "thickness": 1.4,
                "width": 4,
            },
            customdata=[[shares.counts[place], shares.n] for _, shares in groups],
            hovertemplate="%{y:.3g} %: %{customdata[0]} of %{customdata[1]}<extra>" + crystallinity + "</extra>",
        )
    axis = {"gridcolor": "rgba(128,128,128,0.22)", "zeroline": False, "ticks": "outside"}
    figure.update_layout(
        template="none",
        font={"family": "system-ui, sans-serif", "size": 13, "color": "#24292f"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 60, "r": 16, "t": 16, "b": 52},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        barmode="group",
        bargap=0.3,
        xaxis=axis | {"showgrid": False},
        yaxis=axis | {"title": {"text": "Share of particles (%)"}, "range": [0, 100]},
    )
    return figure


def _reach(end: float | None, value: float) -> float:
    return 0.0 if end is None else 100 * (end - value)
