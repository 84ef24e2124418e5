"""Plotly figures of crystallinity: shares of the classes, size by class, coverage against expected accuracy."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from antema.domain import Quantity
from antema.imaging.palette import CRYSTALLINITY_COLOURS, GREY, SKY_BLUE, VERMILLION
from antema.reports import CLASSES
from antema.stats import Coverage, Shares
from antema.web.figures import paper_layout

_FEW_PER_BOX = 5
_INK = "#24292f"


def shares_figure(shares: Shares, picked: str | None) -> go.Figure:
    """Return a bar for each class with its interval; the one that is picked stands out."""
    percents = [100 * one.value for one in shares.shares]
    intervals = [
        (one.value if one.low is None else one.low, one.value if one.high is None else one.high)
        for one in shares.shares
    ]
    reaches = [(100 * high - p, p - 100 * low) for p, (low, high) in zip(percents, intervals, strict=True)]
    figure = go.Figure(
        go.Bar(
            x=percents,
            y=[f"{name}  " for name in CLASSES],
            orientation="h",
            marker={
                "color": [CRYSTALLINITY_COLOURS[name] for name in CLASSES],
                "opacity": [1.0 if picked in (None, name) else 0.35 for name in CLASSES],
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [up for up, _ in reaches],
                "arrayminus": [down for _, down in reaches],
                "color": _INK,
                "thickness": 1.4,
                "width": 4,
            },
            # a list: Dash reads click data from it, which it cannot from a packed array
            customdata=[[name, n, shares.n] for name, n in zip(CLASSES, shares.counts, strict=True)],
            hovertemplate="%{x:.3g} %: %{customdata[1]} of %{customdata[2]}<extra>%{customdata[0]}</extra>",
        )
    )
    for place, (name, n) in enumerate(zip(CLASSES, shares.counts, strict=True)):
        figure.add_annotation(
            text=f"{percents[place]:.0f} % ({n:,})",
            x=percents[place] + reaches[place][0],
            y=f"{name}  ",
            xanchor="left",
            xshift=8,
            showarrow=False,
        )
    furthest = max(p + up for p, (up, _) in zip(percents, reaches, strict=True))
    figure.update_layout(
        paper_layout(
            # room for the numbers behind the whiskers
            xaxis={"title": {"text": "Share of particles (%)"}, "range": [0, max(1.5 * furthest, 10)]},
            yaxis={"autorange": "reversed", "showgrid": False, "ticks": "", "automargin": True},
            margin={"l": 8, "r": 8, "t": 4, "b": 44},
            bargap=0.35,
            clickmode="event",
            showlegend=False,
        )
    )
    return figure


def sizes_figure(quantity: Quantity, rows: pd.DataFrame, values: dict[str, np.ndarray], *, log: bool) -> go.Figure:
    """Return a box for each class that has particles; of a few, every particle.

    Parameters
    ----------
    quantity : Quantity
        What is drawn.
    rows : DataFrame
        Quantiles by class (`antema.web.crystallinity_view.size_rows`).
    values : dict
        Values of the particles by class.
    log : bool
        Logarithmic axis.
    """
    figure = go.Figure()
    for row in rows[rows["particles"] > 0].to_dict("records"):
        name = str(row["crystallinity"])
        short, n = name.replace("crystalline", ""), f"{row['particles']:,}"
        label, colour = f"{short}<br>n = {n}", CRYSTALLINITY_COLOURS[name]
        if row["particles"] < _FEW_PER_BOX:
            figure.add_scatter(
                x=[label] * len(values[name]),
                y=values[name],
                mode="markers",
                marker={"color": colour, "size": 8},
                hovertemplate="%{y:.3g} " + quantity.unit + "<extra>" + name + "</extra>",
            )
            continue
        figure.add_box(
            x=[label],
            lowerfence=[row["d10"]],
            q1=[row["q1"]],
            median=[row["median"]],
            q3=[row["q3"]],
            upperfence=[row["d90"]],
            line={"color": colour, "width": 2},
            name=name,
            hoverinfo="y",
        )
    figure.update_layout(
        paper_layout(
            xaxis={"showgrid": False, "ticks": "", "automargin": True, "tickangle": 0},
            yaxis={"title": {"text": quantity.axis}, "type": "log" if log else "linear"},
            margin={"l": 56, "r": 8, "t": 8, "b": 44},
            showlegend=False,
        )
    )
    return figure


def coverage_figure(found: Coverage, certainty: float) -> go.Figure:
    """Return coverage and expected accuracy over the certainty demanded, with the certainty that is demanded now."""
    figure = go.Figure()
    percents = (100 * found.certainties).tolist()
    now = int(np.argmin(np.abs(found.certainties - certainty)))
    for name, values, colour, dash in (
        ("have a class", found.share, SKY_BLUE, "solid"),
        ("of them right, expected", found.accuracy, VERMILLION, "dash"),
    ):
        # lists: the browser reads them while the slider is dragged
        shown = [None if np.isnan(value) else 100 * float(value) for value in values]
        figure.add_scatter(
            x=percents,
            y=shown,
            name=name,
            mode="lines",
            line={"color": colour, "width": 2.2, "dash": dash},
            hovertemplate="%{x:.0f} %: %{y:.1f} %<extra>" + name + "</extra>",
        )
        figure.add_scatter(
            x=[percents[now]],
            y=[shown[now]],
            mode="markers",
            marker={"color": colour, "size": 10, "line": {"color": "#ffffff", "width": 1.5}},
            hoverinfo="skip",
            showlegend=False,
        )
    figure.update_layout(
        paper_layout(
            xaxis={"title": {"text": "Certainty (%)"}, "range": [percents[0], 100.5]},
            yaxis={"title": {"text": "Share of particles (%)"}, "range": [0, 103]},
            margin={"l": 56, "r": 8, "t": 8, "b": 44},
            shapes=[
                {
                    "type": "line",
                    "x0": percents[now],
                    "x1": percents[now],
                    "y0": 0,
                    "y1": 1,
                    "yref": "paper",
                    "line": {"color": GREY, "width": 1, "dash": "dot"},
                }
            ],
        )
    )
    return figure
