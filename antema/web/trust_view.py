"""What the pages say of how far a network's answer can be trusted, before any number."""

from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from antema.domain import Trust
from antema.reports.numbers import trust_note
from antema.storage import ImageResult

_LABELS = {"doubtful": ("doubtful", "bi-question-circle"), "outside": ("unknown kind", "bi-exclamation-triangle")}
_MOST_LISTED = 6


def strange(results: Sequence[ImageResult]) -> list[ImageResult]:
    """Return the results that count of images which the network does not know well, the strangest first."""
    found = [r for r in results if r.status == "done" and r.counts and r.trust is not None and r.trust.warning]
    return sorted(found, key=lambda result: result.trust.score if result.trust else 0.0)


def trust_badge(trust: Trust | None) -> list[html.Span]:
    """Return a badge with its reasons as a tooltip; nothing for an image that the network knows."""
    if trust is None or not trust.warning:
        return []
    label, icon = _LABELS[trust.verdict]
    words = [html.I(className=f"bi {icon}"), f" {label}"]
    return [html.Span(words, className=f"trust-badge trust-{trust.verdict}", title=trust.warning, tabIndex=0)]


def trust_statement(result: ImageResult | None) -> list[Any]:
    """Return what to know of one image before its numbers; nothing where the network is at home with it."""
    if result is None or result.trust is None or not result.trust.warning:
        return []
    trust = result.trust
    return [
        html.Div(
            [
                *trust_badge(trust),
                html.Div([html.B(trust.verdict_words), *_reasons(trust)], className="trust-words"),
            ],
            className="trust-alert",
            role="status",
        )
    ]


def seen_words(result: ImageResult | None) -> str:
    """Return how the network saw an image, as a sentence; empty where that is not known."""
    if result is None or not result.scales:
        return ""
    scales = " and ".join("its own pixels" if s == 1 else f"1/{1 / s:.3g} of its width" for s in result.scales)
    known = ""
    if result.trust is not None and not result.trust.warning:
        known = f" It is at home with such images (score {result.trust.score:.2f})."
    return f"The network took the particles for {result.polarity} and saw the image at {scales}.{known}"


def _reasons(trust: Trust) -> list[Any]:
    return [html.Ul([html.Li(reason) for reason in trust.reasons])] if trust.reasons else []


def trust_alert(results: Sequence[ImageResult]) -> list[Any]:
    """Return what to know of a sample's images before its statistics, each with its reasons and a link to it."""
    counting = [result for result in results if result.status == "done" and result.counts]
    found = strange(results)
    if not found:
        return []
    items = [
        html.Li(
            [
                *trust_badge(result.trust),
                " ",
                dcc.Link(result.filename, href=f"/images/{result.micrograph_id}?analysis={result.analysis_id}"),
                html.Span(f" {' '.join(result.trust.reasons)}" if result.trust else "", className="quiet"),
            ]
        )
        for result in found[:_MOST_LISTED]
    ]
    more = [html.Li(f"and {len(found) - _MOST_LISTED} more", className="quiet")] if len(found) > _MOST_LISTED else []
    return [html.B(trust_note([result.trust for result in counting])), html.Ul(items + more)]


def leave_out_words(results: Sequence[ImageResult]) -> str:
    """Return what the button that leaves these images out says; empty where none or nothing else would be left."""
    counting = [result for result in results if result.status == "done" and result.counts]
    n = len(strange(results))
    if not n or n == len(counting):
        return ""
    return "Leave it out" if n == 1 else f"Leave these {n} out"
