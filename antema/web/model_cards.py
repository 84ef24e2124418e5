"""The installed models as cards: what each is, what it learned from, how good it is, and whether it is intact."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from antema import nets
from antema.domain import AntemaError
from antema.reports import CLASSES
from antema.web.models_view import crystallinity_available

# What a card's head and its other parts show already.
_SHOWN = (
    "name", "title", "description", "task", "default", "metrics", "sha256", "licence", "threshold", "calibration",
    "probabilities", "knows",
)  # fmt: skip
_NO_CLASSIFIER = (
    "No crystallinity model is installed: particles are measured and not classified. One made by antema train "
    "crystallinity, put beside the others, shows here and in the recipe."
)
_TRIED = ("images", "spearman", "mean_score")
# What scores foretell: of the networks of before the overlap alone.
_FORETOLD = {"mean_quality": "mean agreement with people", "mean_dice": "mean overlap with the truth (Dice)"}
_LABELS = {"training_data": "Learned from", "training": "Learned from", "data": "Learned from", "classes": "Classes"}


@dataclass(frozen=True)
class Metric:
    """One measured number.

    Parameters
    ----------
    group : tuple of str
        Where it stands in the card, outermost first.
    name : str
        What was measured.
    value : str
        The number as it is printed.
    command : str
        The command line that prints it again; empty where the card names none.
    """

    group: tuple[str, ...]
    name: str
    value: str
    command: str = ""


def model_cards() -> list[Any]:
    """Return a card per model, or how to come by one, and what is wrong with those that cannot be read."""
    broken = [html.Div(model.reason, className="alert alert-danger") for model in nets.broken_models()]
    cards = nets.models()
    if not cards:
        return [*broken, _none()]
    # the default of each task first, segmentation before what comes after it
    shown = sorted(cards, key=lambda card: (not card.default, card.task != "segmentation"))
    none = [] if crystallinity_available() else [html.P(_NO_CLASSIFIER, className="quiet")]
    return [*broken, *none, html.Div([_card(card) for card in shown], className="model-cards")]


def _none() -> html.Div:
    return html.Div(
        [
            html.I(className="bi bi-box compare-empty-icon"),
            html.H2("No model is installed"),
            html.P(
                "A segmentation model tells particle from background; without one nothing can be analysed. A "
                "crystallinity model tells amorphous from crystalline particles; without one they stay unclassified. "
                "Put a folder with card.json and weights.safetensors into models, beside the program or in the data "
                "folder."
            ),
            html.P([html.Code("antema models list"), " shows what is found."]),
        ],
        className="compare-empty",
    )


def _card(card: nets.ModelCard) -> html.Article:
    badges = [html.Span(card.task, className="badge text-bg-secondary")]
    if card.default:
        badges.append(html.Span("default", className="badge text-bg-primary"))
    return html.Article(
        [
            html.Div([html.H2(card.title), html.Div(badges, className="actions")], className="section-head"),
            html.P(card.description),
            html.Dl(
                [
                    part
                    for label, value in _facts(card)
                    for part in (html.Dt(label), html.Dd(value, className="model-fact"))
                ],
                className="facts",
            ),
            *_metrics(card),
            html.Div(_intact(card), className="model-hash"),
        ],
        className="panel model-card",
    )


def _facts(card: nets.ModelCard) -> list[tuple[str, Any]]:
    facts: list[tuple[str, Any]] = [("Name", html.Code(card.name))]
    if card.task == "segmentation":
        facts.append(("Probabilities", _calibration_words(card.content.get("calibration"))))
        facts.append(("Strange images", _trust_words(card.content.get("calibration"))))
        outputs = (card.content.get("architecture") or {}).get("outputs", ("particle",))
        seams = "yes: the separation network can use them" if "contact" in outputs else "no: network separates as UECS"
        facts.append(("Sees seams", seams))
        facts.append(("Threshold", f"particle above a probability of {card.threshold:g}"))
    if card.task == "crystallinity":
        facts.append(("Probabilities", _calibration_words(card.content.get("probabilities"))))
        facts += _known(card.content.get("knows"))
    facts += [
        (_LABELS.get(key, key.replace("_", " ").capitalize()), words(value))
        for key, value in card.content.items()
        if key not in _SHOWN and words(value)
    ]
    return [*facts, ("Licence", card.licence)]


def _known(knows: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Return which particles a classifier knows; others are unknown to it, with that reason."""
    if knows is None:
        return []
    known: list[tuple[str, str]] = []
    if "least_nm" in knows and "most_nm" in knows:
        known.append(("Particles", f"{knows['least_nm']:g} to {knows['most_nm']:g} nm wide; others are unknown"))
    if "coarsest_nm" in knows:
        known.append(("Pixels", f"below {knows['coarsest_nm']:g} nm; on coarser ones every particle is unknown"))
    return known


def _calibration_words(calibration: Mapping[str, Any] | None) -> str:
    if calibration is None:
        return "as the network gives them; how far they mean what they say was not measured"
    errors = [calibration.get(name) for name in ("ece_before", "ece_after")]
    if not all(isinstance(error, int | float) for error in errors):
        return "calibrated"
    return f"calibrated: expected calibration error {errors[1]:.4f}, {errors[0]:.4f} before"


def _trust_words(calibration: Mapping[str, Any] | None) -> str:
    if calibration is None or "trust" not in calibration:
        return "not told: the statistics of what the network knows are missing (antema models calibrate makes them)"
    tried = [_tried_words(calibration["trust"], kind) for kind in ("all", "with spoilt copies")]
    return "; ".join(("told, with reasons", *filter(None, tried)))


def _tried_words(measured: object, kind: str) -> str:
    """Return how well the scores that `antema.training.calibrate` gave held-out images rank their overlaps."""
    entry = measured.get(kind) if isinstance(measured, Mapping) else None
    if not isinstance(entry, Mapping) or not all(isinstance(entry.get(name), int | float) for name in _TRIED):
        return ""
    n, rank, score = (entry[name] for name in _TRIED)
    foretold = " and ".join(f"the {label} {entry[name]:.2f}" for name, label in _FORETOLD.items() if name in entry)
    copies = " and spoilt copies of them" if kind != "all" else ""
    return (
        f"of {n} held-out images{copies} the mean score is {score:.2f} and {foretold}, with a rank correlation "
        f"of {rank:.2f}"
    )


def words(value: object) -> str:
    """Return a card's entry as one line of text."""
    if isinstance(value, Mapping):
        return "; ".join(f"{str(key).replace('_', ' ')}: {words(item)}" for key, item in value.items() if words(item))
    if isinstance(value, list | tuple):
        return ", ".join(words(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)


def metrics_of(content: Mapping[str, Any]) -> list[Metric]:
    """Return a card's metrics one by one, each with the command that stands nearest above it."""
    return list(_walk(content, (), ""))


def _walk(content: Mapping[str, Any], path: tuple[str, ...], command: str) -> Iterator[Metric]:
    command = str(content.get("command", command))
    for key, value in content.items():
        if key == "command" or _is_confusion(key, value):
            continue
        name = key.replace("_", " ")
        if isinstance(value, Mapping) and "value" in value:
            yield Metric(path, name, words(value["value"]), str(value.get("command", command)))
        elif isinstance(value, Mapping):
            yield from _walk(value, (*path, name), command)
        elif words(value):
            yield Metric(path, name, words(value), command)


def confusions_of(content: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], list[Any]]]:
    """Return a card's confusion matrices, each with where it stands in the card."""
    found: list[tuple[tuple[str, ...], list[Any]]] = []
    for key, value in content.items():
        if _is_confusion(key, value):
            found.append((path, value))
        elif isinstance(value, Mapping):
            found += confusions_of(value, (*path, key.replace("_", " ")))
    return found


def _is_confusion(key: str, value: object) -> bool:
    return key == "confusion" and isinstance(value, list) and all(isinstance(row, list) for row in value)


def _confusion(path: tuple[str, ...], rows: Sequence[Sequence[float]]) -> html.Div:
    """Return a confusion matrix: particles by what they are (rows) and what they were called."""
    names = CLASSES[: len(rows[0])] if rows else ()
    head = html.Thead(html.Tr([html.Th("is, below; called, right")] + [html.Th(name, scope="col") for name in names]))
    body = [
        html.Tr([html.Th(name, scope="row"), *[html.Td(f"{value:g}") for value in row]])
        for name, row in zip(CLASSES, rows, strict=False)
    ]
    title = " · ".join(("Confusion matrix", *path))
    table = html.Table([head, html.Tbody(body)], className="numbers model-metrics")
    return html.Div([html.H4(title), html.Div(table, className="scroll-x")])


def _metrics(card: nets.ModelCard) -> list[Any]:
    found = metrics_of(card.metrics)
    if not found:
        return [html.H3("Measured"), html.P("The card names no measured numbers.", className="quiet")]
    parts: list[Any] = [html.H3("Measured")]
    groups: dict[tuple[tuple[str, ...], str], dict[str, str]] = {}
    for metric in found:
        groups.setdefault((metric.group, metric.command), {})[metric.name] = metric.value
    # what the same command measured of several sets stands side by side
    tables: dict[tuple[str, tuple[str, ...]], dict[tuple[str, ...], dict[str, str]]] = {}
    for (group, command), values in groups.items():
        tables.setdefault((command, tuple(values)), {})[group] = values
    for (command, names), rows in tables.items():
        parts.append(html.Div(_metrics_table(names, rows), className="scroll-x"))
        if command:
            parts.append(html.Pre(command, className="model-command", title="Prints these numbers again"))
    return parts + [_confusion(*one) for one in confusions_of(card.metrics)]


def _metrics_table(names: Sequence[str], rows: Mapping[tuple[str, ...], Mapping[str, str]]) -> html.Table:
    head = html.Thead(html.Tr([html.Th("")] + [html.Th(name, scope="col") for name in names]))
    body = [
        html.Tr([html.Th(" · ".join(group), scope="row")] + [html.Td(values[name]) for name in names])
        for group, values in rows.items()
    ]
    return html.Table([head, html.Tbody(body)], className="numbers model-metrics")


def _intact(card: nets.ModelCard) -> list[Any]:
    try:
        nets.verify(card.name)
    except AntemaError as error:
        return [html.Span([html.I(className="bi bi-x-octagon"), f" Do not use it. {error}"], className="danger")]
    text = " Verified: the weight file is the one of this card, by its sha256"
    return [
        html.Span([html.I(className="bi bi-check-circle"), text], className="model-intact"),
        html.Code(card.sha256, className="model-digest"),
    ]
