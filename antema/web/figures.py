"""Plotly figures: distributions, comparisons and the micrograph with its particles.

Colours of text and axes are those for paper, so that a downloaded plot can be printed; in dark mode the stylesheet
overrides them on the screen.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from antema.domain import Annotations, Box, Quantity, View
from antema.imaging.palette import BURNED_IN_COLOUR, ORANGE, SAMPLE_COLOURS
from antema.stats import Histogram, ecdf, kde

ACCENT = SAMPLE_COLOURS[0]
PICKED = ORANGE
_TARGET_SPACING = 0.03
_MOST_TARGETS = 11
_FEW_PARTICLES = 400
_GRID = "rgba(128,128,128,0.22)"

Vector = NDArray[np.float64]


def paper_layout(**extra: Any) -> dict[str, Any]:  # noqa: ANN401 - Plotly's own properties
    """Return the properties that all figures share, and these."""
    axis = {"gridcolor": _GRID, "zeroline": False, "linecolor": _GRID, "ticks": "outside", "tickcolor": _GRID}
    merged: dict[str, Any] = {
        "template": "none",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#24292f"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 60, "r": 16, "t": 16, "b": 52},
        "hoverlabel": {"font": {"family": "system-ui, sans-serif"}},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "bargap": 0,
    }
    merged["xaxis"] = axis | extra.pop("xaxis", {})
    merged["yaxis"] = axis | extra.pop("yaxis", {})
    return merged | extra


def empty_figure(sentence: str) -> go.Figure:
    """Return a figure that says why there is nothing to see."""
    figure = go.Figure(layout=paper_layout(xaxis={"visible": False}, yaxis={"visible": False}))
    figure.add_annotation(text=sentence, showarrow=False, font={"size": 14, "color": "#6e7781"})
    return figure


def share_of(view: View) -> str:
    """Return what a share is a share of, for an axis: ``number``, ``volume, border-corrected``."""
    return view.weighting + (", border-corrected" if view.border_weighted else "")


def distribution_figure(
    quantity: Quantity,
    histogram: Histogram,
    values: Vector,
    weights: Vector | None,
    *,
    log: bool,
    view: View,
    picked: Vector | None = None,
    classes: Sequence[tuple[str, str, Vector]] = (),
) -> go.Figure:
    """Return histogram and density of one quantity.

    Parameters
    ----------
    quantity : Quantity
        What is drawn.
    histogram : Histogram
        The binned values; bins were chosen on the server, so only they travel.
    values, weights : ndarray, shape (n,)
        For the density curve; weights None counts particles.
    log : bool
        Logarithmic axis; the bins are logarithmic then.
    view : View
        How the values are weighted; named on the axis.
    picked : ndarray or None
        Values of the particles picked elsewhere; their bins are marked.
    classes : sequence of (name, colour, heights)
        Parts that the bars are stacked of, heights of shape (bins,) in the unit of the bars; one part where empty.
    """
    edges = np.log10(histogram.edges) if log else histogram.edges
    widths = np.diff(edges)
    by_number = view.weighting == "number" and not view.border_weighted
    heights = histogram.counts if by_number else 100 * histogram.share
    marked = _marked(histogram.edges, picked)
    plain = [("histogram", [PICKED if is_marked else ACCENT for is_marked in marked], heights)]
    figure = go.Figure()
    for name, colour, part in classes or plain:
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=part,
            width=widths,
            marker={
                "color": colour,
                "line": {"width": 0.6, "color": "white"},
                # in the classes' own colours another one would say another class
                "opacity": np.where(marked, 1.0, 0.35) if classes and marked.any() else 1.0,
            },
            # a list: Dash reads click data from it, which it cannot from a packed array
            customdata=[
                [low, high, high == histogram.edges[-1]]
                for low, high in zip(histogram.edges[:-1].tolist(), histogram.edges[1:].tolist(), strict=True)
            ],
            hovertemplate="%{customdata[0]:.4g} – %{customdata[1]:.4g} "
            + quantity.unit
            + ("<br>particles: %{y:d}" if by_number else "<br>%{y:.3g} %")
            + f"<extra>{name if classes else ''}</extra>",
            name=name,
            showlegend=bool(classes),
        )
    if len(values) > 2 and np.ptp(values) > 0:
        x, y = kde(values, weights, log=log, **_bounds(quantity, values), least_width=quantity.least_bin_width)
        seen = (x >= histogram.edges[0]) & (x <= histogram.edges[-1])
        x, y = x[seen], y[seen]
        # kde() is a density over x (or over log10 x); in the bars' unit it is times their area.
        area = float(np.sum(heights * widths))
        figure.add_scatter(
            x=np.log10(x) if log else x,
            y=y * area,
            mode="lines",
            line={"color": "#24292f", "width": 1.6},
            hoverinfo="skip",
            name="density",
            showlegend=False,
        )
    figure.update_layout(
        paper_layout(
            xaxis={"title": {"text": quantity.axis}} | (_log_ticks(histogram.edges) if log else {}),
            yaxis={
                "title": {"text": "Particles per bin" if by_number else f"Share of {share_of(view)} (%)"},
                "rangemode": "tozero",
            },
            clickmode="event",
            barmode="stack",
            # zoom and pan stay while the same quantity is looked at
            uirevision=f"{quantity.column} {log}",
        )
    )
    if histogram.outside_text:
        figure.add_annotation(
            text=histogram.outside_text, xref="paper", yref="paper", x=1, y=1, xanchor="right", showarrow=False
        )
    return figure


def _bounds(quantity: Quantity, values: Vector) -> dict[str, float | None]:
    lower, upper = quantity.bounds(float(values.min()), float(values.max()))
    return {"lower": lower, "upper": upper}


def _marked(edges: Vector, picked: Vector | None) -> NDArray[np.bool_]:
    """Return which bins hold a picked value."""
    marked = np.zeros(len(edges) - 1, bool)
    if picked is not None and len(picked):
        marked[np.clip(np.searchsorted(edges, picked, side="right") - 1, 0, len(marked) - 1)] = True
    return marked


def _log_ticks(edges: Vector) -> dict[str, Any]:
    decades = range(int(np.floor(np.log10(edges[0]))), int(np.ceil(np.log10(edges[-1]))) + 1)
    ticks = [factor * 10.0**decade for decade in decades for factor in (1, 2, 5)]
    return {"tickvals": [float(np.log10(tick)) for tick in ticks], "ticktext": [f"{tick:g}" for tick in ticks]}


def overlaid_figure(
    quantity: Quantity,
    groups: Sequence[tuple[str, str, Histogram, Vector, Vector | None]],
    *,
    log: bool,
    share_of: str,
) -> go.Figure:
    """Return the distributions of several samples over each other.

    Each group is (name, colour, histogram, values, weights); `share_of` says what its bars are shares of.
    """
    figure = go.Figure()
    edges_seen: list[Vector] = []
    for name, colour, histogram, values, weights in groups:
        edges = np.log10(histogram.edges) if log else histogram.edges
        edges_seen.append(histogram.edges)
        mass = histogram.share
        heights = mass / np.diff(edges)
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=heights,
            width=np.diff(edges),
            marker={"color": colour},
            opacity=0.35,
            name=name,
            legendgroup=name,
            hovertemplate="%{y:.3g}<extra>" + name + "</extra>",
        )
        if len(values) > 2 and np.ptp(values) > 0:
            x, y = kde(values, weights, log=log, **_bounds(quantity, values), least_width=quantity.least_bin_width)
            figure.add_scatter(
                x=np.log10(x) if log else x,
                y=y,
                mode="lines",
                line={"color": colour, "width": 2},
                name=name,
                legendgroup=name,
                showlegend=False,
                hoverinfo="skip",
            )
    per = "decade" if log else (quantity.unit or "unit")
    figure.update_layout(
        paper_layout(
            xaxis={"title": {"text": quantity.axis}} | (_log_ticks(np.sort(np.concatenate(edges_seen))) if log else {}),
            yaxis={"title": {"text": f"Share of {share_of} per {per}"}},
            barmode="overlay",
        )
    )
    return figure


def ecdf_figure(
    quantity: Quantity, groups: Sequence[tuple[str, str, Vector, Vector | None]], *, log: bool, share_of: str
) -> go.Figure:
    """Return cumulative distributions; each group is (name, colour, values, weights), `share_of` as above."""
    figure = go.Figure()
    for name, colour, values, weights in groups:
        x, y = ecdf(values, weights)
        figure.add_scatter(x=x, y=100 * y, mode="lines", line={"color": colour, "width": 2, "shape": "hv"}, name=name)
    figure.update_layout(
        paper_layout(
            xaxis={"title": {"text": quantity.axis}, "type": "log" if log else "linear"},
            yaxis={"title": {"text": f"Cumulative share of {share_of} (%)"}, "range": [0, 100]},
        )
    )
    return figure


def violin_figure(quantity: Quantity, groups: Sequence[tuple[str, str, Vector]], *, log: bool) -> go.Figure:
    """Return violins with boxes, by number of particles; each group is (name, colour, values)."""
    figure = go.Figure()
    generator = np.random.default_rng(0)
    for name, colour, values in groups:
        shown = values if len(values) <= 4000 else generator.choice(values, 4000, replace=False)
        figure.add_violin(
            y=shown, name=name, line={"color": colour}, box={"visible": True}, points=False, spanmode="hard"
        )
    figure.update_layout(
        paper_layout(yaxis={"title": {"text": quantity.axis}, "type": "log" if log else "linear"}, showlegend=False)
    )
    return figure


def _targets(particle: dict[str, Any], shape: tuple[int, int], among: int) -> list[tuple[float, float]]:
    """Return the points, in pixels, at which a particle answers the mouse: its centre, and more inside a large one."""
    share = max(particle["w_px"] / shape[1], particle["h_px"] / shape[0])
    least = 3 if among <= _FEW_PARTICLES else 1
    steps = min(max(least, int(np.ceil(share / _TARGET_SPACING))), _MOST_TARGETS)
    if steps == 1:
        return [(particle["x_px"], particle["y_px"])]
    # within the ellipse of the bounding box
    grid = np.linspace(-0.85, 0.85, steps)
    return [
        (particle["x_px"] + u * particle["w_px"] / 2, particle["y_px"] + v * particle["h_px"] / 2)
        for u in grid.tolist()
        for v in grid.tolist()
        if u * u + v * v <= 1
    ]


def _frames(annotations: Annotations, step: float) -> list[dict[str, Any]]:
    """Return dashed frames around what is burned in; that of the scale bar, as it was measured, is whole."""

    def frame(box: Box, line: dict[str, Any]) -> dict[str, Any]:
        ends = {"x0": box.x * step, "x1": (box.x + box.w) * step, "y0": box.y * step, "y1": (box.y + box.h) * step}
        return {"type": "rect", **ends, "line": line}

    frames = [frame(box, {"color": BURNED_IN_COLOUR, "width": 1.5, "dash": "dash"}) for box in annotations.boxes]
    if annotations.scale_bar is not None:
        frames.append(frame(annotations.scale_bar.box, {"color": BURNED_IN_COLOUR, "width": 2}))
    return frames


def micrograph_figure(
    display_url: str,
    overlay_url: str | None,
    shape: tuple[int, int],
    particles: Sequence[dict[str, Any]],
    *,
    pixel_size_nm: float | None,
    picked: set[int],
    overlay_on: bool = True,
    annotations: Annotations | None = None,
    annotations_on: bool = False,
    bring: bool = False,
) -> go.Figure:
    """Return the zoomable micrograph with its outlines.

    Parameters
    ----------
    display_url, overlay_url : str
        8-bit picture and transparent outlines, both of `shape`.
    shape : tuple of int
        Height and width in pixels.
    particles : sequence of dict
        Rows of the particle table with ``x_px``, ``y_px`` (centres), ``w_px``, ``h_px`` (bounding box), ``particle``
        and ``hover`` (text).
    pixel_size_nm : float or None
        For the axes.
    picked : set of int
        Numbers of the particles to ring.
    overlay_on : bool
        Whether the outlines are visible.
    annotations : Annotations, optional
        What is burned into the image.
    annotations_on : bool
        Whether that is framed.
    bring : bool
        Whether the picked particle is to be brought into view (`antema.web.viewer`).
    """
    height, width = shape
    step = pixel_size_nm or 1.0
    size = {"xref": "x", "yref": "y", "x": 0, "y": 0, "sizex": width * step, "sizey": height * step}
    images = [{"source": display_url, **size, "sizing": "stretch", "layer": "below"}]
    if overlay_url is not None:
        images.append({"source": overlay_url, **size, "sizing": "stretch", "layer": "above", "visible": overlay_on})
    targets = [(p, x, y) for p in particles for x, y in _targets(p, shape, len(particles))]
    figure = go.Figure(
        go.Scatter(
            x=[x * step for _, x, _ in targets],
            y=[y * step for _, _, y in targets],
            customdata=[p["particle"] for p, _, _ in targets],
            text=[p["hover"] for p, _, _ in targets],
            mode="markers",
            marker={"size": 14, "opacity": 0},
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
        )
    )
    ringed = [p for p in particles if p["particle"] in picked]
    figure.add_scatter(
        x=[p["x_px"] * step for p in ringed],
        y=[p["y_px"] * step for p in ringed],
        mode="markers",
        marker={"size": 16, "color": "rgba(0,0,0,0)", "line": {"color": "#ffffff", "width": 2.5}, "symbol": "circle"},
        hoverinfo="skip",
        showlegend=False,
    )
    unit = "nm" if pixel_size_nm else "px"
    # for the scale bar that is laid over the viewer (assets/scale_bar.js), and for the view
    meta: dict[str, Any] = {"nm": pixel_size_nm is not None}
    if bring and ringed:
        meta["bring"] = _box_of(ringed[0], step)
    figure.update_layout(
        paper_layout(
            images=images,
            shapes=_frames(annotations, step) if annotations is not None and annotations_on else [],
            meta=meta,
            margin={"l": 44, "r": 4, "t": 4, "b": 40},
            xaxis={"range": [0, width * step], "constrain": "domain", "showgrid": False, "title": {"text": unit}},
            yaxis={"range": [height * step, 0], "scaleanchor": "x", "constrain": "domain", "showgrid": False},
            dragmode="pan",
            hovermode="closest",
            hoverdistance=40,
            clickmode="event",
            uirevision=display_url,
        )
    )
    return figure


def _box_of(particle: dict[str, Any], step: float) -> list[float]:
    """Return the bounding box of a particle on the axes: x0, x1, y0, y1."""
    x, y, w, h = (step * particle[f"{name}_px"] for name in "xywh")
    return [x - w / 2, x + w / 2, y - h / 2, y + h / 2]
