"""Plotly figures of one particle: its grey values with the network's evidence, its Fourier transform with the spots."""

import base64
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from antema.analysis.lattice import LatticeSpots
from antema.domain import CRYSTALLINITIES
from antema.imaging import display_png, to_8bit
from antema.imaging.palette import CRYSTALLINITY_COLOURS, REDDISH_PURPLE, SKY_BLUE, YELLOW, rgb
from antema.nets.classified import EvidenceMap
from antema.web.figures import paper_layout
from antema.web.particle_look import Look

_AXIS = {"showgrid": False, "constrain": "domain", "title": {"standoff": 4}}
_MARGIN = {"l": 34, "r": 2, "t": 2, "b": 34}
_NAMED, _UNNAMED = YELLOW, SKY_BLUE
_FONT_PX = 10
_USUAL_SPACING_NM = 0.2


def crop_figure(look: Look, evidence_of: str | None) -> go.Figure:
    """Return a particle with its outline, in nm on the micrograph; with the evidence for a class laid over it."""
    nm, (height, width) = look.pixel_size_nm, look.pixels.shape
    left, top = look.x * nm, look.y * nm
    figure = go.Figure()
    if evidence_of is not None and look.evidence is not None:
        figure.add_heatmap(**_evidence(look.evidence, evidence_of, nm))
    figure.add_contour(
        z=look.mask.astype(np.uint8),
        x0=left + nm / 2,
        dx=nm,
        y0=top + nm / 2,
        dy=nm,
        contours={"coloring": "none", "start": 0.5, "end": 0.5, "size": 1},
        line={"color": YELLOW, "width": 1.6, "smoothing": 0},
        showscale=False,
        hoverinfo="skip",
    )
    ends = (left, left + width * nm), (top, top + height * nm)
    figure.update_layout(_picture_layout(display_png(look.pixels), ends, "nm"))
    return figure


def _evidence(evidence: EvidenceMap, name: str, nm: float) -> dict[str, Any]:
    """Return the heat map of what speaks for a class and against it, compared with the mean of all."""
    values = evidence.values.astype(np.float64)
    relative = values - values.mean(axis=2, keepdims=True)
    # one scale for the three classes of a particle, so that they can be compared
    reach = max(float(np.nanmax(np.abs(relative), initial=0.0)), 1e-6)
    shown = relative[..., CRYSTALLINITIES.index(name)]
    rows, columns = shown.shape
    step_x, step_y = evidence.w / columns, evidence.h / rows
    red, green, blue = rgb(CRYSTALLINITY_COLOURS[name])
    against = rgb(REDDISH_PURPLE)
    return {
        "z": [[None if np.isnan(value) else round(float(value), 3) for value in row] for row in shown],
        "x0": (evidence.x + step_x / 2) * nm,
        "dx": step_x * nm,
        "y0": (evidence.y + step_y / 2) * nm,
        "dy": step_y * nm,
        "zmin": -reach,
        "zmax": reach,
        "colorscale": [
            [0.0, f"rgba({against[0]},{against[1]},{against[2]},0.75)"],
            [0.5, f"rgba({red},{green},{blue},0)"],
            [1.0, f"rgba({red},{green},{blue},0.75)"],
        ],
        "showscale": False,
        "hoverongaps": False,
        "hovertemplate": "%{z:+.2f}<extra>for " + name + "</extra>",
    }


def transform_figure(look: Look) -> go.Figure:
    """Return the Fourier transform of a particle with its spots ringed, and circles of the reflections naming them."""
    spots = look.spots
    frequencies = spots.frequencies_per_nm
    step = float(frequencies[1] - frequencies[0])
    end = float(frequencies[0] - step / 2), float(frequencies[-1] + step / 2)
    figure = go.Figure()
    names = {spot.reflection: 1 / spot.expected_nm for spot in spots.spots if spot.reflection}
    circles = [
        {
            "type": "circle",
            "x0": -radius,
            "x1": radius,
            "y0": -radius,
            "y1": radius,
            "line": {"color": _NAMED, "width": 1, "dash": "dot"},
            "opacity": 0.5,
        }
        for radius in names.values()
    ]
    for sign in (1, -1):
        figure.add_scatter(
            x=[sign * spot.x_per_nm for spot in spots.spots],
            y=[sign * spot.y_per_nm for spot in spots.spots],
            mode="markers+text",
            marker={
                "symbol": "circle-open",
                "size": 15,
                "color": [_NAMED if spot.reflection else _UNNAMED for spot in spots.spots],
                "line": {"width": 1.8},
            },
            text=[str(number) if sign == 1 else "" for number in range(1, len(spots.spots) + 1)],
            textposition="top right",
            textfont={"color": "#ffffff", "size": 11},
            customdata=[
                [number, spot.spacing_nm, spot.reflection or "no name"]
                for number, spot in enumerate(spots.spots, start=1)
            ],
            hovertemplate="No. %{customdata[0]}: %{customdata[1]:.4f} nm<br>%{customdata[2]}<extra></extra>",
        )
        figure.add_scatter(
            x=[sign * spot.x_per_nm for spot in spots.artefacts],
            y=[sign * spot.y_per_nm for spot in spots.artefacts],
            mode="markers",
            marker={"symbol": "x-thin-open", "size": 8, "color": REDDISH_PURPLE, "line": {"width": 1.4}},
            text=[spot.note for spot in spots.artefacts],
            hovertemplate="not of the lattice: %{text}<extra></extra>",
        )
    picture = _picture_layout(display_png(_stretched(spots.log_power)), (end, end), "1/nm")
    figure.update_layout(picture, shapes=circles)
    # what is farther out is there, for those who zoom out
    reach = min(_farthest(spots), end[1])
    figure.update_xaxes(range=[-reach, reach])
    figure.update_yaxes(range=[reach, -reach])
    return figure


def _farthest(spots: LatticeSpots) -> float:
    """Return up to which frequency a transform is looked at first: half more than that of its farthest spot."""
    radii = [1 / spot.spacing_nm for spot in (*spots.spots, *spots.artefacts)]
    radii += [1 / one.spacing_nm for one in spots.reflections[:2]]
    return 1.5 * max(radii, default=1 / _USUAL_SPACING_NM)


def _stretched(log_power: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the power as it is shown: the weak half of it, which is noise, dark."""
    return to_8bit(log_power, low=30.0, high=99.8)


def _picture_layout(png: bytes, ends: tuple[tuple[float, float], tuple[float, float]], unit: str) -> dict[str, Any]:
    (left, right), (top, bottom) = ends
    picture = {
        "source": f"data:image/png;base64,{base64.b64encode(png).decode()}",
        "xref": "x",
        "yref": "y",
        "x": left,
        "y": top,
        "sizex": right - left,
        "sizey": bottom - top,
        "sizing": "stretch",
        "layer": "below",
    }
    font = {"tickfont": {"size": _FONT_PX}}
    return paper_layout(
        images=[picture],
        margin=_MARGIN,
        xaxis=_AXIS | font | {"range": [left, right], "title": {"text": unit, "font": {"size": _FONT_PX + 1}}},
        # rows run downwards
        yaxis=_AXIS | font | {"range": [bottom, top], "scaleanchor": "x"},
        dragmode="pan",
        hovermode="closest",
        showlegend=False,
    )
