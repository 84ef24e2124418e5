"""What the comparison page shows; the page's callbacks only call in here."""

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from dash import dcc, html

from antema.domain.material_names import classes_caution
from antema.reports import CLASSES, Pair
from antema.reports.documents import share_effect
from antema.reports.numbers import words_of
from antema.stats import LEAST_IMAGES_FOR_A_TEST, MANY_IMAGES, Comparison, Estimate, Summary, format_number, histogram
from antema.storage import Sample, SampleSummary
from antema.web import compare_figures, compare_tables, crystallinity_view, figures
from antema.web.compare_choice import Choice
from antema.web.compare_samples import Comparable, Member
from antema.web.compare_warnings import names_in_words
from antema.web.format import NOTHING
from antema.web.state import store

_LINE_CHARACTERS = 18
_LEAST_P_WORTH_SAYING = 0.005
_MOST_NAMED = 4


def sample_options(chosen: Sequence[int]) -> list[dict[str, Any]]:
    """Return the samples to choose from: those with a current result, and archived ones that are chosen already."""
    summaries = store().samples(archived=False)
    known = {summary.sample.id for summary in summaries}
    options = [
        {
            "label": summary.sample.name,
            "value": summary.sample.id,
            "search": " ".join(
                (summary.sample.name, summary.sample.material, summary.sample.batch, summary.sample.operator)
            ),
        }
        for summary in summaries
        if summary.current_analysis_id is not None
    ]
    archived = [s.sample for s in store().samples(archived=True) if s.sample.archived] if set(chosen) - known else []
    options += [{"label": f"{s.name} · archived", "value": s.id} for s in archived if s.id in chosen]
    return options


def _too_few(ready: Sequence[Sample], summaries: Sequence[SampleSummary]) -> list[Any]:
    """Return why there is nothing to compare, and what to do: wait for what is at work, analyse what is not."""
    at_work = {job.sample_id for job in store().jobs(active=True)}
    without = [s.sample for s in summaries if s.current_analysis_id is None]
    coming = [sample for sample in without if sample.id in at_work]
    idle = [sample for sample in without if sample.id not in at_work]
    why = (
        f"Only {ready[0].name} has a result; a comparison takes two samples."
        if ready
        else "No sample has a result yet."
    )
    if coming:
        one = len(coming) == 1
        names = names_in_words([sample.name for sample in coming[:_MOST_NAMED]])
        more = f" and {len(coming) - _MOST_NAMED} more" if len(coming) > _MOST_NAMED else ""
        why += f" {names}{more} {'is' if one and not more else 'are'} being analysed or waiting for that, and can be "
        why += f"chosen above once {'it is' if one else 'they are'} done."
        links = [dcc.Link("Watch the jobs", href="/jobs", className="btn btn-outline-primary")]
    else:
        why += " Analyse " + ("one of these:" if idle else "the micrographs of a sample first.")
        links = [dcc.Link(s.name, href=f"/samples/{s.id}", className="btn btn-outline-primary") for s in idle[:4]]
    return [
        html.P(why),
        html.Div(links or [dcc.Link("Samples", href="/samples", className="btn btn-primary")], className="actions"),
    ]


def empty_state(comparable: Comparable) -> list[Any]:
    """Return what stands in place of the plots while fewer than two samples are chosen; nothing from two on."""
    if comparable.is_enough:
        return []
    summaries = store().samples(archived=False)
    ready = [s.sample for s in summaries if s.current_analysis_id is not None]
    icon = html.I(className="bi bi-bar-chart-steps compare-empty-icon")
    if len(ready) < 2:
        return [icon, html.H2("Nothing to compare yet"), *_too_few(ready, summaries)]
    one = comparable.members[0].sample if comparable.members else None
    others = [s for s in ready if one is None or s.id != one.id]
    offers = [(one, other) for other in others[:3]] if one else list(zip(others, others[1:], strict=False))[:3]
    heading = f"{one.name}, compared with what?" if one else "Choose two samples or more"
    return [
        icon,
        html.H2(heading),
        html.P(
            "Their distributions are laid over each other, with the difference of medians, an effect size and a test "
            "that knows which image each particle came from. The address of the page then holds the choice: pass it on."
        ),
        html.Div(
            [_offer(a, b, comparable.choice) for a, b in offers],
            className="actions",
        ),
    ]


def _offer(a: Sample, b: Sample, choice: Choice) -> dcc.Link:
    query = replace(choice, samples=(a.id, b.id)).query
    return dcc.Link(f"{a.name} and {b.name}", href=f"/compare?{query}", className="btn btn-outline-primary")


def plots(comparable: Comparable) -> tuple[go.Figure, go.Figure, go.Figure]:
    """Return histograms over each other, cumulative distributions, and violins with boxes."""
    choice = comparable.choice
    if not any(len(data.values) for data in comparable.series):
        nothing = figures.empty_figure("No particle was measured in these samples.")
        return nothing, nothing, nothing
    edges = compare_tables.bin_edges(comparable)
    drawn = [(plot_name(m.name), m.colour, d) for m, d in zip(comparable.members, comparable.series, strict=True)]
    bars = [
        (name, colour, histogram(d.values, d.weights, bins=edges, log=choice.log), d.values, d.weights)
        for name, colour, d in drawn
    ]
    curves = [(name, colour, *compare_figures.as_many_as_shown(d.values, d.weights)) for name, colour, d in drawn]
    violins = [
        (plot_name(m.name, wrapped=True), m.colour, compare_figures.equally_weighted(d.values, d.weights))
        for m, d in zip(comparable.members, comparable.series, strict=True)
    ]
    share_of = figures.share_of(comparable.view)
    distribution = figures.overlaid_figure(choice.quantity, bars, log=choice.log, share_of=share_of)
    cumulative = figures.ecdf_figure(choice.quantity, curves, log=choice.log, share_of=share_of)
    spread = figures.violin_figure(choice.quantity, violins, log=choice.log)
    compare_figures.curves_before_bars(distribution)
    for figure in (distribution, cumulative):  # one above or beside the other, they are read along one axis
        figure.update_xaxes(range=compare_figures.axis_range(edges, log=choice.log))
    if choice.log:
        ticks = compare_figures.log_ticks(edges)
        # the bars are drawn over the logarithm itself
        distribution.update_xaxes(ticks | {"tickvals": np.log10(ticks["tickvals"])})
        cumulative.update_xaxes(ticks)
        spread.update_yaxes(ticks)
    spread.update_xaxes(automargin=True, tickangle=0)
    return distribution, cumulative, spread


def plot_name(name: str, *, wrapped: bool = False) -> str:
    """Return a name as Plotly takes it: what would be markup there is text, a long one in several lines."""
    lines = textwrap.wrap(name, _LINE_CHARACTERS) if wrapped else [name]
    return "<br>".join(escape(line, quote=False) for line in lines)


def histogram_words(comparable: Comparable) -> list[Any]:
    """Return how the distributions are drawn, and which particles the common bins leave out."""
    log = comparable.choice.log
    edges = compare_tables.bin_edges(comparable)
    texts = ["The same bins for all; each sample's bars have the area 1, whatever its number of particles."]
    for member, data in zip(comparable.members, comparable.series, strict=True):
        outside = histogram(data.values, data.weights, bins=edges, log=log).outside_text
        texts += [f"{member.name}: {outside[:1].lower()}{outside[1:]}"] if outside else []
    return _sentences(texts)


def violin_words(comparable: Comparable) -> list[Any]:
    """Return what the violins show."""
    return _sentences([f"Density, quartiles and median, {words_of(comparable.view)}."])


def statistics_table(comparable: Comparable) -> list[Any]:
    """Return the samples side by side in numbers, with how the intervals came about."""
    unit = comparable.choice.quantity.unit
    of = f" ({unit})" if unit else ""
    head = ["Sample", "n", "Images", f"Mean ± SD{of}", f"Median{of}", f"D10{of}", f"D90{of}"]
    rows = [
        html.Tr(
            [
                html.Th(sample_name(member), scope="row"),
                html.Td(f"{summary.n:,}"),
                html.Td(_images_words(summary)),
                html.Td([html.Div(_mean_sd(summary)), html.Div(summary.mean.interval_text(), className="quiet")]),
                *[_estimate_cell(estimate) for estimate in (summary.median, summary.d10, summary.d90)],
            ]
        )
        for member, summary in zip(comparable.members, comparable.summaries, strict=True)
    ]
    return [_table(head, rows), *_sentences(_summary_sentences(comparable))]


def sample_name(member: Member) -> html.Span:
    """Return a sample's name beside its colour, leading to the sample."""
    return html.Span(
        [
            html.Span(className="compare-swatch", style={"backgroundColor": member.colour}),
            dcc.Link(member.name, href=f"/samples/{member.sample.id}"),
        ],
        className="compare-name",
    )


def _images_words(summary: Summary) -> str:
    if summary.n_images == summary.n_images_total:
        return str(summary.n_images)
    return f"{summary.n_images} of {summary.n_images_total}"


def _mean_sd(summary: Summary) -> str:
    if not summary.n:
        return NOTHING
    return (
        f"{summary.mean.value_text()} ± {summary.sd.value:.{summary.mean.decimals}f}"
        if summary.n > 1
        else summary.mean.value_text()
    )


def _estimate_cell(estimate: Estimate) -> html.Td:
    return html.Td(
        [html.Div(_signed(estimate.value_text())), html.Div(_signed(estimate.interval_text()), className="quiet")]
    )


def _signed(text: str) -> str:
    """Return numbers with a minus sign in place of the hyphen."""
    return text.replace("-", "−")


def _table(head: Sequence[str], rows: Sequence[html.Tr]) -> html.Table:
    return html.Table(
        [html.Thead(html.Tr([html.Th(text, scope="col") for text in head])), html.Tbody(list(rows))],
        className="numbers",
    )


def _sentences(texts: Sequence[str]) -> list[Any]:
    return [html.P(text, className="quiet compare-sentence") for text in texts]


def _summary_sentences(comparable: Comparable) -> list[str]:
    weighting = words_of(comparable.view).capitalize()
    texts = [f"{weighting}. Below each number its 95 % interval; SD is the width of the distribution."]
    if comparable.choice.column.endswith("_nm"):
        conventions = {member.analysis.recipe.convention for member in comparable.members}
        texts[0] += f" Measuring convention: {' and '.join(sorted(conventions))}."
    return texts + _grouped(
        [
            (
                member.name,
                " ".join(filter(None, (summary.method_text if summary.n > 1 else "", summary.note, border))),
            )
            for member, summary in zip(comparable.members, comparable.summaries, strict=True)
            for border in [comparable.border_note(member) if comparable.view.border_weighted else ""]
        ]
    )


def _grouped(texts: Sequence[tuple[str, str]]) -> list[str]:
    """Return each different sentence once, after the names it holds for."""
    by_text: dict[str, list[str]] = {}
    for name, text in texts:
        if text:
            by_text.setdefault(text, []).append(name)
    return [f"{names_in_words(names)}: {text}" for text, names in by_text.items()]


def differences(comparable: Comparable) -> list[Any]:
    """Return the samples pair by pair: difference of medians, effect size and test, and what they rest on."""
    pairs, members, choice = comparable.pairs, comparable.members, comparable.choice
    unit = choice.quantity.unit
    tested = sum(pair.comparison.p_value is not None for pair in pairs)
    head = ["Pair", "Images", f"Difference of medians{f' ({unit})' if unit else ''}", "Cliff's delta", "Effect", "p"]
    rows = [
        html.Tr(
            [
                html.Th(
                    [html.Div(sample_name(members[pair.a])), html.Div(["− ", sample_name(members[pair.b])])],
                    scope="row",
                ),
                html.Td(f"{pair.comparison.n_images_a} and {pair.comparison.n_images_b}"),
                _estimate_cell(pair.comparison.difference),
                _estimate_cell(pair.comparison.cliffs_delta),
                html.Td(pair.comparison.effect_text),
                _p_cell(pair.comparison),
                *([html.Td(_number(pair.corrected_p))] if tested > 1 else []),
            ]
        )
        for pair in pairs
    ]
    general = [
        "Cliff's delta is the chance that a particle of the first sample is larger than one of the second, minus the "
        "chance that it is smaller: 0 for samples alike, ±1 for samples that do not overlap."
    ]
    if tested > 1:
        general.append(f"p (Holm) is corrected for the {tested} pairs tested; quote this one.")
    if len(pairs) == 1:
        general += [text for text in (pairs[0].comparison.note, pairs[0].comparison.method) if text]
    else:
        general += _limits(comparable)
    in_words = [
        html.Li(_statement(pair, comparable, alone=len(pairs) == 1))
        for pair in pairs
        if pair.comparison.n_a and pair.comparison.n_b
    ]
    words = [html.Details([html.Summary("In words"), html.Ul(in_words)], className="compare-words")]
    return [
        html.Div(_table([*head, "p (Holm)"] if tested > 1 else head, rows), className="scroll-x"),
        *_sentences(general),
        *(words if in_words else []),
    ]


def _limits(comparable: Comparable) -> list[str]:
    """Return what limits several comparisons at once, by sample; each pair's own sentences are in its words."""
    images = {m.name: s.n_images for m, s in zip(comparable.members, comparable.summaries, strict=True)}
    single = [name for name, n in images.items() if n == 1]
    few = [name for name, n in images.items() if 1 < n < MANY_IMAGES]
    untested = [name for name, n in images.items() if 0 < n < LEAST_IMAGES_FOR_A_TEST]
    texts: list[str] = []
    if few:
        texts.append(f"{names_in_words(few)}: the images are few; intervals with them are wide.")
    if single:
        texts.append(
            f"{names_in_words(single)}: one image. How much images differ is not known there; intervals with "
            "such a sample describe these images only and are too narrow."
        )
    if untested:
        texts.append(
            f"{names_in_words(untested)}: no p-value; a test needs at least {LEAST_IMAGES_FOR_A_TEST} images of "
            "each sample."
        )
    return [*texts, "p from permutations of whole images, see each pair in words."]


def _p_cell(comparison: Comparison) -> html.Td:
    if comparison.p_value is None:
        return html.Td("no test")
    least = comparison.least_p
    if least is None or least <= _LEAST_P_WORTH_SAYING:
        return html.Td(_number(comparison.p_value))
    return html.Td(
        [
            html.Div(_number(comparison.p_value)),
            html.Div(f"least possible {_number(least)}", className="quiet"),
        ]
    )


def _number(p: float | None) -> str:
    return NOTHING if p is None else format_number(p, 2)


def _statement(pair: Pair, comparable: Comparable, *, alone: bool) -> str:
    comparison, members, choice = pair.comparison, comparable.members, comparable.choice
    names = members[pair.a].name, members[pair.b].name
    words = comparison.statement(*names, choice.quantity.label, choice.quantity.unit)
    images = f"{comparison.n_images_a} and {comparison.n_images_b}"
    particles = f"{comparison.n_a:,} and {comparison.n_b:,}"
    rest = "" if alone else " ".join(filter(None, ("", comparison.note, comparison.method)))
    return f"{words} {words_of(comparable.view).capitalize()}; {particles} particles, from {images} images.{rest}"


def crystallinity(comparable: Comparable) -> tuple[go.Figure | None, list[Any]]:
    """Return bars of the crystallinity classes and sentences on them; no figure where nothing was classified."""
    found = comparable.shares
    if not found:
        return None, _sentences([_why_unclassified(comparable)])
    figure = compare_figures.shares_figure(
        CLASSES, [(plot_name(member.name, wrapped=True), shares) for member, shares in found]
    )
    each = "Each particle counts once"
    each += ", corrected for border loss." if comparable.view.border_weighted else ", whatever the weighting."
    certainty = 100 * comparable.view.crystallinity_certainty
    sentences = [
        f"Unknown below {certainty:.4g} % certainty, and where no lattice could be seen. "
        f"Whiskers: 95 % intervals. {each}"
    ]
    sentences += _grouped([(member.name, shares.note) for member, shares in found])
    sentences += _grouped([(member.name, classes_caution(member.sample.material)) for member, _ in found])
    models = {(member.name, crystallinity_view.model_words(member.images)) for member, _ in found}
    if len({words for _, words in models}) > 1:
        sentences += ["Different models classified these samples, so that their shares differ by that too."]
        sentences += [f"{name}: {words}" for name, words in sorted(models)]
    without = [member.name for member in comparable.members if all(member is not other for other, _ in found)]
    if without:
        sentences.append(f"{names_in_words(without)}: not classified.")
    return figure, _sentences(sentences)


def share_differences(comparable: Comparable) -> list[Any]:
    """Return the shares of the classes pair by pair: difference, effect size and test; nothing without two samples."""
    pairs, members = comparable.share_pairs, comparable.members
    head = ["Pair", "Class", "Shares (%)", "Difference (%)", "Cohen's h", "Effect", "p", "p (Holm)"]
    rows = [
        html.Tr(
            [
                html.Th(
                    [html.Div(sample_name(members[pair.a])), html.Div(["− ", sample_name(members[pair.b])])]
                    if not place
                    else "",
                    scope="row",
                ),
                html.Td([crystallinity_view.swatch(name), name]),
                html.Td(f"{100 * one.share_a.value:.0f} and {100 * one.share_b.value:.0f}"),
                _estimate_cell(one.difference.in_percent),
                _estimate_cell(one.cohens_h),
                html.Td(share_effect(name, one)),
                html.Td("no test" if one.p_value is None else _number(one.p_value)),
                html.Td(_number(corrected)),
            ]
        )
        for pair in pairs
        for place, (name, one, corrected) in enumerate(
            zip(CLASSES, pair.comparison.classes, pair.corrected_p, strict=True)
        )
    ]
    unknown = [f"{name}: {note}" for name, note in comparable.unknown_notes.items()]
    if not rows:
        return _sentences(unknown) if len(members) > 1 else []
    limits = [
        (f"{members[pair.a].name} and {members[pair.b].name}", text)
        for pair in pairs
        for text in (pair.comparison.note, pair.comparison.method)
    ]
    general = (
        "Cohen's h is the difference of 2 arcsin √share: 0 for shares alike, ±π at most. p (Holm) is corrected for the "
        "number of classes and pairs; quote this one."
    )
    return [html.Div(_table(head, rows), className="scroll-x"), *_sentences([*unknown, general, *_grouped(limits)])]


def _why_unclassified(comparable: Comparable) -> str:
    """Return why none of the samples has classes, where they agree on it."""
    whys = {crystallinity_view.why_unclassified(m.table, m.analysis.recipe) for m in comparable.members}
    if len(whys) == 1:
        return whys.pop()
    return "The particles of these samples were analysed without crystallinity."


def downloads_menu(choice: Choice) -> list[html.A]:
    """Return the links to what can be downloaded of a comparison."""
    entries = (
        ("Report (PDF)", "report.pdf"),
        ("Statistics (CSV)", "statistics.csv"),
        ("Differences (CSV)", "differences.csv"),
        ("Particles (CSV)", "particles.csv"),
        ("Workbook (XLSX)", "workbook.xlsx"),
        ("Everything (ZIP)", "everything.zip"),
    )
    return [
        html.A(label, href=download_address(name, choice), className="dropdown-item", download="")
        for label, name in entries
    ]


def download_address(name: str, choice: Choice) -> str:
    """Return the address of a file of this comparison."""
    return f"/download/compare/{name}?{choice.query}"
