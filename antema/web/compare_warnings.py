"""What makes the numbers of samples not comparable, and what limits them."""

from collections.abc import Sequence
from typing import Any

from dash import html

from antema.domain import RECIPE_FIELDS
from antema.reports.numbers import trust_note
from antema.results.changes import notes_of
from antema.results.clumps import clump_note, clump_share_of
from antema.results.outlines import outline_warnings
from antema.stats import count_text, format_number
from antema.web.compare_choice import MOST_SAMPLES
from antema.web.compare_samples import Comparable, Member
from antema.web.results import measured
from antema.web.state import store

_COARSE_RATIO = 2.0
# Whether particles are classified changes no size.
_HARMLESS_FIELDS = ("crystallinity", "crystallinity_model")


def warnings(comparable: Comparable) -> list[html.Div]:
    """Return what makes the numbers of these samples not comparable, then what limits them."""
    members = comparable.members
    serious: list[Any] = [*_convention_warning(members), *_recipe_warning(members), *_model_warning(members)]
    ends = outline_warnings({member.name: member.table for member in members})
    serious += [f"{name}: {words}" for name, words in ends.items()]
    hints = [*comparable.missing, *_strange_hints(members), *_border_hints(comparable), *_incomplete(members)]
    hints += _pixel_size_hint(members)
    if len(comparable.choice.samples) == MOST_SAMPLES:
        hints.append(f"At most {MOST_SAMPLES} samples are compared at a time: more colours could not be told apart.")
    shown: list[html.Div] = []
    if serious and len(members) > 1:
        heading = [html.I(className="bi bi-exclamation-triangle"), " These numbers are not comparable as they stand"]
        shown.append(
            html.Div([html.B(heading), html.Ul([html.Li(text) for text in serious])], className="alert alert-danger")
        )
    if hints:
        shown.append(html.Div(html.Ul([html.Li(text) for text in hints]), className="alert alert-warning"))
    return shown


def _strange_hints(members: Sequence[Member]) -> list[str]:
    notes = {member.name: trust_note([image.trust for image in member.contributing]) for member in members}
    return [f"{name}: {note}" for name, note in notes.items() if note]


def _border_hints(comparable: Comparable) -> list[str]:
    if comparable.view.border_weighted:
        return []
    notes = {member.name: comparable.border_note(member) for member in comparable.members}
    hints = [f"{name}: {note}" for name, note in notes.items() if note]
    if comparable.choice.border and comparable.is_enough:
        hints.append("No sample is corrected for border loss, since not all of them can be.")
    return hints


def _convention_warning(members: Sequence[Member]) -> list[str]:
    by_convention: dict[str, list[str]] = {}
    for member in members:
        by_convention.setdefault(member.analysis.recipe.convention, []).append(member.name)
    if len(by_convention) < 2:
        return []
    parts = [f"{names_in_words(names)} with the convention {convention}" for convention, names in by_convention.items()]
    return [
        f"Measured differently: {'; '.join(parts)}. Areas, diameters and above all perimeters are defined differently "
        "there. Analyse all samples with one convention."
    ]


def _recipe_warning(members: Sequence[Member]) -> list[str]:
    sentences: list[str] = []
    for field in RECIPE_FIELDS:
        if field.name in ("convention", *_HARMLESS_FIELDS):
            continue
        by_value: dict[Any, list[str]] = {}
        for member in members:
            by_value.setdefault(getattr(member.analysis.recipe, field.name), []).append(member.name)
        if len(by_value) > 1:
            parts = [f"{_value_words(value, field.unit)} for {names_in_words(who)}" for value, who in by_value.items()]
            sentences.append(f"{field.label} differs: {', '.join(parts)}.")
    return sentences


def _model_warning(members: Sequence[Member]) -> list[str]:
    by_model: dict[tuple[str, str], list[str]] = {}
    for member in members:
        for key in {
            (str(i.model.get("name", "")), str(i.model.get("sha256", ""))) for i in member.contributing if i.model
        }:
            by_model.setdefault(key, []).append(member.name)
    versions: dict[str, list[str]] = {}
    for member in members:
        for version in {image.algorithm_version for image in member.contributing if image.algorithm_version}:
            versions.setdefault(version, []).append(member.name)
    sentences: list[str] = []
    if len(by_model) > 1:
        parts = [f"{name} ({sha256[:8]}) for {names_in_words(names)}" for (name, sha256), names in by_model.items()]
        sentences.append(f"The segmentation model differs: {', '.join(parts)}.")
    if len(versions) > 1:
        parts = [f"{version} for {names_in_words(names)}" for version, names in versions.items()]
        sentences.append(f"The version of the algorithm differs: {', '.join(parts)}.")
    return sentences


def _incomplete(members: Sequence[Member]) -> list[str]:
    sentences: list[str] = []
    for member in members:
        failed = sum(image.status == "failed" for image in member.images)
        if failed:
            sentences.append(
                f"{member.name}: {failed} of {count_text(len(member.images), 'micrograph')} could not be analysed."
            )
        if clumps := clump_note(clump_share_of(member.table)):
            sentences.append(f"{member.name}: {clumps}")
        sentences += [f"{member.name}: {note}" for note in notes_of(store(), member.analysis)]
        if member.analysis.status not in ("done", "failed"):
            sentences.append(f"{member.name}: its analysis is {member.analysis.status}; only what is through counts.")
        if not len(measured(member.table)):
            sentences.append(f"{member.name}: no particle was measured.")
    return sentences


def _pixel_size_hint(members: Sequence[Member]) -> list[str]:
    typical = {m.name: sorted(i.pixel_size.nm for i in m.contributing if i.pixel_size.nm is not None) for m in members}
    middle = {name: sizes[len(sizes) // 2] for name, sizes in typical.items() if sizes}
    if len(middle) < 2 or max(middle.values()) < _COARSE_RATIO * min(middle.values()):
        return []
    coarse, fine = max(middle, key=lambda name: middle[name]), min(middle, key=lambda name: middle[name])
    return [
        f"The samples were not imaged alike: {coarse} at {format_number(middle[coarse])} nm/px, {fine} at "
        f"{format_number(middle[fine])} nm/px. Small particles that count in {fine} may be missed in {coarse}."
    ]


def _value_words(value: object, unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "the model's own"
    return f"{value:g} {unit}".strip() if isinstance(value, int | float) else str(value)


def names_in_words(names: Sequence[str]) -> str:
    """Return names as ``A``, ``A and B`` or ``A, B and C``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
