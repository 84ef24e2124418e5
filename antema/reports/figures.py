"""Figures of the reports as SVG.

Drawn with Matplotlib's objects, never through pyplot, so that any thread may draw. No text of a user is put into a
figure: Matplotlib would read ``$`` as mathematics; names stand in the document around it.
"""

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from antema import stats
from antema.domain import Quantity
from antema.imaging.palette import CRYSTALLINITY_COLOURS, SAMPLE_COLOURS, sample_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK = "#24292f"
_FAINT = "#8c959f"
_GRID = "#e4e7eb"
_MM = 1 / 25.4
_LINES = ("solid", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))

# Matplotlib's font machinery keeps state of its own between figures
_drawing = threading.Lock()


@dataclass(frozen=True, eq=False)
class Series:
    """One sample's values of one quantity.

    Parameters
    ----------
    values, weights : ndarray of float, shape (n,)
        Finite values and their weights.
    images : ndarray, shape (n,)
        Identity of each value's image.
    """

    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    images: NDArray[np.object_]


def series(values: NDArray[np.float64], weights: NDArray[np.float64], images: NDArray[np.object_]) -> Series:
    """Return a series without the values that are not finite or weigh nothing."""
    kept = np.isfinite(values) & (weights > 0)
    return Series(values[kept], weights[kept], images[kept])


def histogram(data: Series, quantity: Quantity) -> stats.Histogram:
    """Return the bins in which the reports show one sample's values."""
    return stats.histogram(data.values, data.weights, least_width=quantity.least_bin_width, upper=quantity.upper)


def distribution_svg(
    data: Series, quantity: Quantity, summary: stats.Summary, *, width_mm: float, height_mm: float, images: bool = False
) -> str:
    """Return histogram, density and median of one quantity.

    Parameters
    ----------
    data : Series
        At least one value.
    quantity : Quantity
        For the axis.
    summary : antema.stats.Summary
        Of the same values; its median is drawn with the interval.
    width_mm, height_mm : float
        Size.
    images : bool
        Whether a strip below shows the mean of each image.
    """
    figure = _figure(width_mm, height_mm)
    if images and summary.n_images > 1:
        grid = figure.add_gridspec(2, 1, height_ratios=(5, 1), hspace=0.06)
        strip = figure.add_subplot(grid[1])
        axes = figure.add_subplot(grid[0], sharex=strip)
        axes.tick_params(labelbottom=False)
    else:
        axes = strip = figure.add_subplot()
    colour = SAMPLE_COLOURS[0]
    counted = histogram(data, quantity)
    axes.stairs(counted.density, counted.edges, fill=True, color=colour, alpha=0.28, linewidth=0)
    axes.stairs(counted.density, counted.edges, color=colour, alpha=0.65, linewidth=0.5)
    x, y = _curve(data, quantity)
    axes.plot(x, y, color=colour, linewidth=1.3)
    _median_line(axes, summary.median)
    axes.set_ylim(0, _top(counted.density, y))
    _style(axes, _density_label(quantity))
    axes.set_xlim(counted.edges[0], counted.edges[-1])
    axes.locator_params(axis="x", nbins=max(int(width_mm / 12), 4))
    if strip is not axes:
        _image_strip(strip, data, colour)
    strip.set_xlabel(quantity.axis)
    return _svg(figure)


def overlaid_svg(all_data: Sequence[Series], quantity: Quantity, *, width_mm: float, height_mm: float) -> str:
    """Return the densities of several samples on one axis."""
    figure = _figure(width_mm, height_mm)
    axes = figure.add_subplot()
    lowest, highest = _common_range(all_data, quantity)
    for place, data in enumerate(all_data):
        x, y = _curve(data, quantity)
        axes.fill_between(x, y, color=sample_colour(place), alpha=0.12, linewidth=0)
        axes.plot(x, y, color=sample_colour(place), linestyle=line_style(place), linewidth=1.3)
    axes.set_ylim(bottom=0)
    axes.set_xlim(lowest, highest)
    axes.locator_params(axis="x", nbins=max(int(width_mm / 12), 4))
    _style(axes, _density_label(quantity))
    axes.set_xlabel(quantity.axis)
    return _svg(figure)


def cumulative_svg(all_data: Sequence[Series], quantity: Quantity, *, width_mm: float, height_mm: float) -> str:
    """Return the cumulative distributions of several samples."""
    figure = _figure(width_mm, height_mm)
    axes = figure.add_subplot()
    lowest, highest = _common_range(all_data, quantity)
    for place, data in enumerate(all_data):
        x, y = stats.ecdf(data.values, data.weights)
        if x.size > 2000:  # finer than a printer's dots
            chosen = np.unique(np.searchsorted(y, np.linspace(0, 1, 2000)).clip(max=x.size - 1))
            x, y = x[chosen], y[chosen]
        x, y = np.concatenate([[lowest], x, [highest]]), np.concatenate([[0.0], y, [1.0]])
        axes.step(x, y, where="post", color=sample_colour(place), linestyle=line_style(place), linewidth=1.1)
    axes.set_ylim(0, 1)
    axes.set_xlim(lowest, highest)
    _style(axes, "Share at or below")
    axes.set_xlabel(quantity.axis)
    return _svg(figure)


def boxes_svg(
    all_data: Sequence[Series],
    quantity: Quantity,
    labels: Sequence[str],
    *,
    width_mm: float,
    height_mm: float,
    colours: Sequence[str] | None = None,
) -> str:
    """Return a violin with D10, quartiles, median and D90 of each sample, and its images' means as dots.

    Parameters
    ----------
    all_data : sequence of Series
        One for each sample, or for each class of one.
    quantity : Quantity
        For the axis.
    labels : sequence of str
        Short labels (A, B, ...) or classes, not names.
    width_mm, height_mm : float
        Size.
    colours : sequence of str, optional
        Colour of each; those of samples where absent.
    """
    figure = _figure(width_mm, height_mm)
    axes = figure.add_subplot()
    lowest, highest = _common_range(all_data, quantity)
    for place, data in enumerate(all_data):
        colour = sample_colour(place) if colours is None else colours[place]
        x, y = _curve(data, quantity)
        if y.size:
            half = 0.4 * y / y.max()
            axes.fill_betweenx(x, place - half, place + half, color=colour, alpha=0.22, linewidth=0)
        if not data.values.size:
            continue
        d10, q25, median, q75, d90 = stats.weighted_quantiles(data.values, [0.1, 0.25, 0.5, 0.75, 0.9], data.weights)
        axes.plot([place, place], [d10, d90], color=colour, linewidth=0.9)
        axes.plot([place, place], [q25, q75], color=colour, linewidth=4.5, solid_capstyle="butt")
        axes.plot([place], [median], "o", color="white", markersize=3.2, markeredgecolor=_INK, markeredgewidth=0.6)
        means = _image_means(data)
        if means.size > 1:
            spots = place + 0.28 + 0.05 * (np.arange(means.size) % 3 - 1)
            axes.plot(spots, means, "o", color=colour, markersize=1.8, alpha=0.8, markeredgewidth=0)
    axes.set_ylim(lowest, highest)
    axes.set_xlim(-0.6, len(all_data) - 0.4)
    axes.set_xticks(range(len(all_data)), list(labels))
    _style(axes, quantity.axis)
    return _svg(figure)


def crystallinity_svg(shares: stats.Shares, classes: Sequence[str], *, width_mm: float, height_mm: float) -> str:
    """Return the share of each class as a bar with its interval."""
    figure = _figure(width_mm, height_mm)
    axes = figure.add_subplot()
    for place, (name, share) in enumerate(zip(classes, shares.shares, strict=True)):
        axes.barh(place, 100 * share.value, height=0.62, color=CRYSTALLINITY_COLOURS[name], alpha=0.75)
        if share.low is not None and share.high is not None:
            axes.plot([100 * share.low, 100 * share.high], [place, place], color=_INK, linewidth=0.9)
    axes.set_yticks(range(len(classes)), list(classes))
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    _style(axes, "", grid="x")
    axes.set_xlabel("Share of measured particles (%)")
    return _svg(figure)


def shares_svg(
    all_shares: Sequence[stats.Shares | None], classes: Sequence[str], *, width_mm: float, height_mm: float
) -> str:
    """Return the share of each class in several samples side by side, with intervals.

    Parameters
    ----------
    all_shares : sequence of Shares or None
        One for each sample, in the colours of samples; None leaves its place empty.
    classes : sequence of str
        Names of the classes.
    width_mm, height_mm : float
        Size.
    """
    figure = _figure(width_mm, height_mm)
    axes = figure.add_subplot()
    width = 0.8 / len(all_shares)
    for place, shares in enumerate(all_shares):
        if shares is None:
            continue
        for group, share in enumerate(shares.shares):
            x = group + (place - (len(all_shares) - 1) / 2) * width
            axes.bar(x, 100 * share.value, width=0.9 * width, color=sample_colour(place), alpha=0.75)
            if share.low is not None and share.high is not None:
                axes.plot([x, x], [100 * share.low, 100 * share.high], color=_INK, linewidth=0.9)
    axes.set_xticks(range(len(classes)), list(classes))
    axes.tick_params(axis="x", length=0)
    axes.set_ylim(0, 100)
    _style(axes, "Share of measured particles (%)")
    return _svg(figure)


def line_style(place: int) -> Any:  # noqa: ANN401 - Matplotlib takes names and tuples
    """Return the line style of a sample, which tells apart what a printer makes the same grey."""
    return _LINES[place % len(_LINES)]


def _figure(width_mm: float, height_mm: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width_mm * _MM, height_mm * _MM), layout="constrained")


def _style(axes: "Axes", y_label: str, *, grid: Literal["x", "y"] = "y") -> None:
    axes.set_ylabel(y_label)
    axes.set_axisbelow(True)
    axes.grid(axis=grid, color=_GRID, linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_FAINT)
    axes.spines[["left", "bottom"]].set_linewidth(0.6)


def _median_line(axes: "Axes", median: stats.Estimate) -> None:
    axes.axvline(median.value, color=_INK, linewidth=0.8, linestyle=(0, (4, 2)))
    if median.low is not None and median.high is not None:
        axes.axvspan(median.low, median.high, color=_INK, alpha=0.1, linewidth=0)


def _image_strip(axes: "Axes", data: Series, colour: str) -> None:
    means = _image_means(data)
    # a fixed pattern of three rows keeps near ones apart and is the same every time
    rows = np.arange(means.size) % 3 - 1
    axes.plot(np.sort(means), rows, "o", color=colour, markersize=2.6, alpha=0.75, markeredgewidth=0)
    axes.set_ylim(-2, 2)
    axes.set_yticks([0], ["image\nmeans"])
    axes.tick_params(axis="y", length=0)
    _style(axes, "", grid="x")
    axes.spines["left"].set_visible(False)


def _image_means(data: Series) -> NDArray[np.float64]:
    _, image = np.unique(data.images.astype(str), return_inverse=True)
    total = np.bincount(image, data.weights)
    return np.bincount(image, data.weights * data.values) / total


def _curve(data: Series, quantity: Quantity) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the density within what the quantity can't pass.

    A bound that values of the table pass (by the uncertainty of an outline) is none.
    """
    if not data.values.size:
        return np.zeros(0), np.zeros(0)
    lower, upper = quantity.bounds(float(data.values.min()), float(data.values.max()))
    return stats.kde(data.values, data.weights, n=400, lower=lower, upper=upper, least_width=quantity.least_bin_width)


def _common_range(all_data: Sequence[Series], quantity: Quantity) -> tuple[float, float]:
    """Return a range that shows all samples' automatic histograms."""
    shown = [histogram(data, quantity).edges for data in all_data if data.values.size]
    if not shown:
        return 0.0, 1.0
    return min(float(edges[0]) for edges in shown), max(float(edges[-1]) for edges in shown)


def _top(density: NDArray[np.float64], curve: NDArray[np.float64]) -> float:
    return 1.06 * max(float(density.max()), float(curve.max()) if curve.size else 0.0)


def _density_label(quantity: Quantity) -> str:
    return f"Share per {quantity.unit}" if quantity.unit else "Density"


def _svg(figure: "Figure") -> str:
    import matplotlib as mpl
    import matplotlib.text

    with _drawing:
        # identities inside the SVG are hashes; with a fixed salt the same figure has the same bytes
        mpl.rcParams["svg.hashsalt"] = "antema"
        for text in figure.findobj(matplotlib.text.Text):
            text.set_fontsize(7)
            text.set_color(_INK)
        for axes in figure.axes:
            axes.tick_params(labelsize=7, labelcolor=_INK, color=_FAINT, width=0.6, length=2.5)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        return buffer.getvalue()
