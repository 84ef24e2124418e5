"""What is said of one particle: its class and how certain that is, its spots with their names, what they alone tell."""

from typing import Any

import pandas as pd
from dash import dcc, html

from antema.analysis.lattice import Spot
from antema.domain import CRYSTALLINITIES, DOUBTS, UNKNOWN, UNKNOWN_REASONS, Recipe
from antema.imaging.palette import CRYSTALLINITY_COLOURS
from antema.stats import format_number
from antema.web.crystallinity_view import why_unclassified
from antema.web.particle_look import Look

_HINDRANCES = tuple(reason for reason in UNKNOWN_REASONS if reason not in DOUBTS)


def class_statement(row: pd.Series, table: pd.DataFrame, recipe: Recipe, certainty: float) -> list[Any]:
    """Return a particle's class with its probabilities, or why it is unknown, or why it has none.

    Parameters
    ----------
    row : Series
        The particle, its class at the certainty.
    table : DataFrame
        The result that it is of.
    recipe : Recipe
        That of the result.
    certainty : float
        Least probability that gives a class its name.
    """
    if row["status"] != "measured" and not row["crystallinity"]:
        return [html.P("Not classified: it was left out.", className="quiet")]
    if not row["crystallinity"]:
        return [html.P(why_unclassified(table, recipe) or "This particle was not classified.", className="quiet")]
    name = row["crystallinity"]
    badge = html.Span(name, className=f"class-badge {name}", style={"backgroundColor": CRYSTALLINITY_COLOURS[name]})
    said = f"at a certainty of {100 * certainty:.4g} %"
    if name == UNKNOWN:
        reason = row["crystallinity_reason"]
        said = f"{said}: {UNKNOWN_REASONS[reason]}" if reason == "uncertain" else UNKNOWN_REASONS[reason]
    line = html.Div([badge, html.Span(said, className="quiet")], className="class-line")
    if row["crystallinity_reason"] in _HINDRANCES:
        return [line]
    crystalline = float(row["p_monocrystalline"] + row["p_polycrystalline"])
    parts = [part for one in CRYSTALLINITIES for part in _probability(one, float(row[f"p_{one}"]))]
    lattice = float(row["p_lattice_visible"])
    seen = "" if pd.isna(lattice) else f" Chance that a lattice shows here, if there is one: {100 * lattice:.0f} %."
    return [
        line,
        html.Div(parts, className="probabilities"),
        html.P(f"Crystalline of either kind: {100 * crystalline:.0f} %.{seen}", className="quiet"),
    ]


def _probability(name: str, value: float) -> list[html.Span | html.Div]:
    inner = html.Div(style={"width": f"{100 * value:.1f}%", "backgroundColor": CRYSTALLINITY_COLOURS[name]})
    return [
        html.Span(name),
        html.Div(inner, className="probability-bar"),
        html.Span(f"{100 * value:.0f} %", className="probability-value"),
    ]


def spots_statement(look: Look) -> list[Any]:
    """Return the table of a particle's spots, how they got their names, and what they tell by themselves."""
    spots = look.spots
    verdict = [html.B(spots.crystallinity), f". {spots.reason}"]
    parts: list[Any] = [html.P(["From the spots alone: ", *verdict], className="opinion")]
    if spots.spots:
        head = html.Tr([html.Th(text, scope="col") for text in ("No.", "d (nm)", "Angle", "Name", "Known d (nm)")])
        rows = [_spot_row(number, spot) for number, spot in enumerate(spots.spots, start=1)]
        table = html.Table([html.Thead(head), html.Tbody(rows)], className="numbers")
        parts.append(html.Div(table, className="scroll-x"))
    parts += [html.P(text, className="quiet") for text in _band_words(look)]
    return [*parts, _naming_words(look)]


def _spot_row(number: int, spot: Spot) -> html.Tr:
    known = f"{spot.expected_nm:.4f} ± {spot.tolerance_nm:.4f}" if spot.reflection else f"± {spot.tolerance_nm:.4f}"
    return html.Tr(
        [
            html.Td(number),
            html.Td(f"{spot.spacing_nm:.4f} ± {spot.spacing_error_nm:.4f}"),
            html.Td(f"{spot.angle_deg:.0f}°"),
            html.Td(spot.reflection or html.Span("unnamed", className="quiet")),
            html.Td(known),
        ],
        title=" ".join(filter(None, (f"{format_number(spot.strength)} times the noise.", spot.note))),
    )


def _band_words(look: Look) -> list[str]:
    spots = look.spots
    low, high = spots.searched_per_nm
    if high <= low:
        return []
    searched = f"Spacings of {1 / high:.3f} to {1 / low:.3f} nm were looked for"
    chance = f"noise alone gives a spot in {100 * spots.false_alarms:.2g} % of particles."
    left = f" {len(spots.artefacts)} more are not of the lattice (crossed out)." if spots.artefacts else ""
    return [f"{searched}; {chance}{left}"]


def _naming_words(look: Look) -> html.P:
    if look.material is not None:
        lattice = look.material
        return html.P(
            f"Named by {lattice.name}, {lattice.structure}, which the sample's material “{look.material_text}” says: "
            "the nearest reflection within the tolerance (3 %, and twice the spacing's own uncertainty).",
            className="quiet",
        )
    if look.material_text:
        return html.P(
            f"Spots have no names: no known lattice is meant by the sample's material “{look.material_text}”.",
            className="quiet",
        )
    return html.P(
        ["Spots have no names, for the sample has no material. Enter it with Edit on the ", _sample_link(look), "."],
        className="quiet",
    )


def _sample_link(look: Look) -> dcc.Link:
    return dcc.Link("sample's page", href=f"/samples/{look.sample_id}")
