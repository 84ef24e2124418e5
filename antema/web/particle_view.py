"""What is said of one particle: one verdict, then its evidence (probabilities, spots), then why they differ."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from dash import dcc, html

from antema.analysis.lattice import Spot
from antema.domain import CRYSTALLINITIES, DOUBTS, UNKNOWN, UNKNOWN_REASONS, Recipe
from antema.imaging.palette import CRYSTALLINITY_COLOURS
from antema.stats import format_number
from antema.web.crystallinity_view import why_unclassified
from antema.web.particle_look import Look

# Of two witnesses one has the last word: the one whose errors are known.
_SPOTS_LIMIT = (
    "they show only planes that lie along the beam, and a neighbour's too, while the network weighs the whole picture "
    "and was tried on particles of known class."
)
_HINDRANCES = tuple(reason for reason in UNKNOWN_REASONS if reason not in DOUBTS)


def class_statement(row: pd.Series, table: pd.DataFrame, recipe: Recipe, certainty: float) -> list[Any]:
    """Return the verdict on a particle with the probabilities it rests on, or why there is none.

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
        _heading("Evidence: the network's probabilities"),
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


def differences(row: pd.Series, spots: str, certainty: float) -> list[str]:
    """Return why the evidence on a particle says something else than the verdict, a sentence each.

    Parameters
    ----------
    row : Series
        The particle, its class at the certainty.
    spots : str
        What its spots say by themselves: a class, or unknown.
    certainty : float
        Least probability that gives a class its name.
    """
    verdict, reason = row["crystallinity"], row["crystallinity_reason"]
    if not verdict:
        return []
    sentences: list[str] = []
    likeliest = ""
    if reason not in _HINDRANCES:
        likeliest = max(CRYSTALLINITIES, key=lambda name: float(row[f"p_{name}"]))
        share = f"{100 * float(row[f'p_{likeliest}']):.0f} %"
        if reason == "uncertain":
            asked = f"the {100 * certainty:.4g} % asked for"
            sentences.append(f"The network finds {likeliest} likeliest, but its {share} are less than {asked}.")
        elif reason == "no_lattice_visible":
            sentences.append(
                f"The network finds {likeliest} likeliest with {share}, but where no lattice shows that rests on shape "
                "and shade alone."
            )
    if spots not in CRYSTALLINITIES or spots == verdict:
        return sentences
    if verdict == UNKNOWN and spots == likeliest:
        beside = f"The spots say {spots} as well, but they do not decide"
    elif verdict == UNKNOWN:
        beside = f"The spots say {spots}, but they do not decide"
    else:
        beside = f"The spots say {spots}; the verdict is the network's"
    return [*sentences, f"{beside}: {_SPOTS_LIMIT}"]


def difference_statement(sentences: Sequence[str]) -> list[Any]:
    """Return why the evidence differs from the verdict, under its heading; nothing where it does not."""
    return [_heading("Why they differ"), html.P(" ".join(sentences))] if sentences else []


def _heading(words: str) -> html.Div:
    return html.Div(words, className="evidence-heading")


def spots_statement(look: Look) -> list[Any]:
    """Return what a particle's spots tell, the table of them, and how they got their names."""
    spots = look.spots
    opinion = f"They look {spots.crystallinity}. " if spots.crystallinity != UNKNOWN else ""
    parts: list[Any] = [_heading("Evidence: the spots"), html.P(f"{opinion}{spots.reason}", className="opinion")]
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
