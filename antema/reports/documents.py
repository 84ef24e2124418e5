"""Reports as PDF, typeset by Typst.

Everything that varies is handed over as a JSON file in a temporary folder, with the pictures beside it; the templates
only lay it out. No text of a user ever becomes markup.
"""

import io
import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from antema import stats
from antema.domain import (
    DROP_REASONS,
    QUANTITIES,
    RECIPE_FIELDS,
    UNKNOWN,
    UNKNOWN_REASONS,
    Quantity,
    Recipe,
    Trust,
    View,
)
from antema.domain.material_names import classes_caution
from antema.imaging.palette import CRYSTALLINITY_COLOURS, OUTLINE_COLOURS, sample_colour
from antema.reports import figures, numbers
from antema.reports.contents import ComparisonReport, ReportImage, SampleReport
from antema.results.clumps import clump_note, clump_share_of
from antema.results.outlines import outline_warnings

_PICTURE_PX = 1000
_PICTURE_MM = (84.0, 71.0)  # widest and highest: three rows of square ones fit on a page
_MOST_PAIRS_OF_ALL_QUANTITIES = 6
_MOST_STRANGE = 4
_LEVEL = "95 %"

_CONVENTIONS = {
    "contour": "contour: on the sub-pixel outline of each particle",
    "antema": "antema: the original program's pixel counting, comparable with its old series",
}
_LEFT_IN_THE_CARD = ("metrics", "software", "task", "default", "training", "calibration", "threshold_chosen")
_OF_THE_CARD = {
    "training": ("images", "minutes", "device", "seed"),
    "calibration": ("temperature", "offset", "ece_before", "ece_after"),
}
_PROVENANCE_LABELS = {
    "date": "Report made",
    "requested_by": "Report made by",
    "analysed": "Analysed",
    "who": "Analysed by",
    "software_version": "Software version",
    "software": "Software",
    "algorithm_version": "Algorithm version",
}


def sample_report_pdf(report: SampleReport) -> bytes:
    """Return the report of one sample as PDF, A4.

    Parameters
    ----------
    report : SampleReport
        The sample. Without any particle the report says so.

    Returns
    -------
    bytes
        PDF; the same report gives the same bytes.
    """
    assets: dict[str, bytes] = {}
    return _compile("sample.typ", _sample_data(report, assets), assets, report.date.timestamp())


def comparison_report_pdf(report: ComparisonReport) -> bytes:
    """Return the comparison of two samples or more as PDF, A4.

    Raises
    ------
    ValueError
        For fewer than two samples.
    """
    if len(report.samples) < 2:
        msg = f"comparison: expected at least two samples, found {len(report.samples)}"
        raise ValueError(msg)
    assets: dict[str, bytes] = {}
    return _compile("comparison.typ", _comparison_data(report, assets), assets, report.date.timestamp())


def _compile(template: str, data: dict[str, Any], assets: Mapping[str, bytes], timestamp: float) -> bytes:
    import typst

    here = files("antema.reports")
    with tempfile.TemporaryDirectory(prefix="antema-report-") as name:
        folder = Path(name)
        for source in ("common.typ", template):
            (folder / source).write_bytes(here.joinpath(source).read_bytes())
        for asset, content in assets.items():
            (folder / asset).write_bytes(content)
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False, allow_nan=False), encoding="utf-8")
        return typst.compile(str(folder / template), root=str(folder), format="pdf", timestamp=int(timestamp))


def _sample_data(report: SampleReport, assets: dict[str, bytes]) -> dict[str, Any]:
    view = numbers.view_of([report], report.view)
    border = numbers.border_note(report, asked=report.view.border_weighted, applied=view.border_weighted)
    found = numbers.summaries(report, view)
    table = numbers.measured(report.table)
    first = found[QUANTITIES[0].column]
    weights, images = numbers.weights_of(report.table, view, report.recipe), numbers.image_ids(table)
    distributions: list[dict[str, str]] = []
    for quantity in (quantity for quantity in QUANTITIES if quantity.is_main):
        data = figures.series(numbers.values_of(table, quantity), weights, images)
        if not data.values.size:
            continue
        summary = found[quantity.column]
        svg = figures.distribution_svg(data, quantity, summary, width_mm=84, height_mm=44)
        distributions.append({"file": _add_svg(assets, svg), **_distribution_caption(data, quantity, summary)})
    main = None
    data = figures.series(numbers.values_of(table, QUANTITIES[0]), weights, images)
    if data.values.size:
        svg = figures.distribution_svg(data, QUANTITIES[0], first, width_mm=174, height_mm=76, images=True)
        main = {"file": _add_svg(assets, svg), **_distribution_caption(data, QUANTITIES[0], first)}
    return {
        "title": report.name,
        "kind": "Particle analysis",
        "date": report.date.isoformat(),
        "facts": _facts(report.sample),
        "notes": str(report.sample.get("notes") or ""),
        "cover": _cover_numbers(report, first),
        "method": first.method_text if first.n > 1 else "",
        "strange": _strange(report),
        "clumps": clump_note(clump_share_of(report.table)),
        "caution": " ".join(filter(None, (first.note, "" if view.border_weighted else border))),
        "border": border if view.border_weighted else "",
        "enough": numbers.enough(report).statement,
        "scale": _scale_origin(report),
        "scale_warnings": report.scale_warnings,
        "scales": [[image.name, *_scale_words(image)] for image in report.images],
        "left_out": _left_out(report),
        "analysed": _analysed(report),
        "made": _made(report),
        "remarks": list(report.remarks),
        "main": main,
        "weighting": numbers.words_of(view),
        "weighed_by": view.weighting,
        "distributions": distributions,
        "summary": _summary_rows(found),
        "dropped": _dropped(report),
        "crystallinity": _crystallinity(report, assets),
        "unclassified": "No particle was classified: no crystallinity model was installed."
        if report.recipe.crystallinity
        else "No particle was classified: the recipe did not ask for crystallinity.",
        "micrographs": [_micrograph(image, assets) for image in report.images if image.png],
        "failed": [[image.name, image.error] for image in report.images if image.status == "failed"],
        "outlines": OUTLINE_COLOURS,
        "class_colours": [[name, CRYSTALLINITY_COLOURS[name]] for name in numbers.CLASSES]
        if any(image.is_coloured_by_class for image in report.images)
        else [],
        "recipe": recipe_rows(report.recipe),
        "fingerprint": report.recipe.fingerprint(),
        "convention": _CONVENTIONS[report.recipe.convention],
        "view": _view_rows(report),
        "model": flat_rows(card_digest(report.model)),
        "crystallinity_model": flat_rows(card_digest(report.crystallinity_model)),
        "provenance": flat_rows(report.provenance, _PROVENANCE_LABELS),
        "files": [[image.name, image.sha256 or "–"] for image in report.images],
    }


def _strange(report: SampleReport) -> dict[str, Any] | None:
    """Return what a reader has to know of strange images before the numbers; None where there are none."""
    note = numbers.trust_note(_trusts(report))
    if not note:
        return None
    named = [f"{image.name}: {' '.join(image.trust.reasons)}" for image in report.strange_images if image.trust]
    return {"note": note, "named": named[:_MOST_STRANGE], "more": max(0, len(named) - _MOST_STRANGE)}


def _trusts(report: SampleReport) -> list[Trust | None]:
    return [image.trust for image in report.images if image.status == "done"]


def _facts(sample: Mapping[str, Any]) -> list[list[str]]:
    labels = {"material": "Material", "batch": "Batch", "synthesis_date": "Synthesis date", "operator": "Operator"}
    facts = [[label, str(sample[key])] for key, label in labels.items() if sample.get(key)]
    return facts + [[str(key), str(value)] for key, value in dict(sample.get("properties") or {}).items()]


def _cover_numbers(report: SampleReport, first: stats.Summary) -> list[dict[str, str]]:
    failed = sum(image.status == "failed" for image in report.images)
    images = f"{report.n_images_done:,}"
    below = f"{failed} failed" if failed else "all analysed" if report.images else ""
    dropped = sum(numbers.dropped_counts(report.table).values())
    tiles = [
        {"label": "Particles measured", "value": f"{first.n:,}", "unit": "", "below": f"{dropped:,} dropped"},
        {"label": "Micrographs", "value": images, "unit": "", "below": below},
    ]
    sd = f" ± {first.sd.value:.{first.mean.decimals}f}" if first.sd.has_value else ""
    mean = f"{first.mean.value:.{first.mean.decimals}f}{sd}" if first.mean.has_value else "–"
    below = f"mean {first.mean.interval_text()}" if first.mean.has_interval else "no interval"
    tiles.append({"label": "Mean ± SD", "value": mean, "unit": "nm", "below": below})
    for name, label in (("median", "Median"), ("d10", "D10"), ("d90", "D90")):
        estimate: stats.Estimate = getattr(first, name)
        value = estimate.value_text()
        below = estimate.interval_text() if estimate.has_interval else "no interval"
        tiles.append({"label": label, "value": value, "unit": "nm", "below": below})
    return tiles


def _scale_origin(report: SampleReport) -> list[str]:
    origins = Counter(_origin_words(image.pixel_size_source) for image in report.images if image.status == "done")
    return [f"{n} of {report.n_images_done} {words}" for words, n in origins.most_common()]


def _left_out(report: SampleReport) -> str:
    counts = numbers.dropped_counts(report.table)
    if not counts:
        return "nothing"
    most = max(counts, key=lambda reason: counts[reason])
    total = sum(counts.values())
    return f"{total:,} of {len(report.table):,} objects, most of them ({counts[most]:,}) {DROP_REASONS.get(most, most)}"


def _analysed(report: SampleReport) -> str:
    """Return when the result was computed and by whom; a report without a date of its own was made with it."""
    who = report.provenance.get("who")
    when = str(report.provenance.get("analysed") or f"{report.date:%Y-%m-%d %H:%M} UTC")
    return f"{when}{f' by {who}' if who else ''}"


def _made(report: SampleReport) -> str:
    """Return when the report was made, by whom and with what program."""
    by = report.provenance.get("requested_by")
    version = report.provenance.get("software_version")
    software = report.provenance.get("software") or (f"ANTEMA {version}" if version else "")
    when = f"{report.date:%Y-%m-%d %H:%M} UTC"
    return f"{when}{f' by {by}' if by else ''}{f', {software}' if software else ''}"


def _origin_words(source: str) -> str:
    kind, _, detail = source.partition(":")
    detail = detail.strip()
    if kind == "file":
        return "from the file"
    if kind == "sidecar":
        return "from a file beside it"
    if kind == "user":
        if detail.endswith(" (scale bar)"):
            return f"from the scale bar, used by {detail.removesuffix(' (scale bar)')}"
        return f"typed by {detail}" if detail else "typed by a person"
    if kind == "command line":
        return "given on the command line"
    return source or "of unknown origin"


def _distribution_caption(data: figures.Series, quantity: Quantity, summary: stats.Summary) -> dict[str, str]:
    outside = figures.histogram(data, quantity).outside_text
    return {"label": quantity.label, "unit": quantity.unit, "counts": summary.counts_text, "outside": outside}


def _summary_rows(found: Mapping[str, stats.Summary]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for quantity in QUANTITIES:
        summary = found[quantity.column]
        if not summary.n and quantity != QUANTITIES[0]:
            continue
        cells = []
        for name in stats.STATISTICS:
            estimate: stats.Estimate = getattr(summary, name)
            cells.append([estimate.value_text(), estimate.interval_text() if estimate.has_interval else ""])
        rows.append({"label": quantity.label, "unit": quantity.unit, "n": f"{summary.n:,}", "cells": cells})
    return rows


def _dropped(report: SampleReport) -> dict[str, Any]:
    counts = numbers.dropped_counts(report.table)
    total = len(report.table)
    rows = [[DROP_REASONS.get(reason, reason), f"{n:,}", f"{100 * n / total:.1f} %"] for reason, n in counts.items()]
    return {"detected": f"{total:,}", "rows": rows, "total": f"{sum(counts.values()):,}"}


def _crystallinity(report: SampleReport, assets: dict[str, bytes]) -> dict[str, Any] | None:
    shares = numbers.crystallinity_shares(report)
    if shares is None:
        return None
    svg = figures.crystallinity_svg(shares, numbers.CLASSES, width_mm=84, height_mm=42)
    rows: list[list[str]] = []
    for name, n, share in zip(numbers.CLASSES, shares.counts, shares.shares, strict=True):
        percent = share.in_percent
        rows.append([name, f"{n:,}", f"{percent.value:.1f} %", percent.interval_text()])
    reasons = numbers.unknown_reasons(report)
    return {
        "file": _add_svg(assets, svg),
        "rows": rows,
        "certainty": f"{report.view.crystallinity_certainty:.2f}",
        "method": f"{_LEVEL} intervals: {shares.interval_method}.",
        "note": f"{shares.note} {classes_caution(str(report.sample.get('material') or ''))}".strip(),
        "unknown": [[UNKNOWN_REASONS.get(reason, reason), f"{n:,}"] for reason, n in reasons.items()],
        "sizes": _sizes_by_class(report, assets),
    }


def _sizes_by_class(report: SampleReport, assets: dict[str, bytes]) -> dict[str, Any]:
    """Return size against class: a figure, and mean and median of each with their intervals."""
    quantity, found = QUANTITIES[0], numbers.size_by_class(report)
    view, rows = numbers.view_of([report], report.view), numbers.measured(report.called_table)
    weights, labels = numbers.weights_of(report.table, view, report.recipe), rows["crystallinity"].to_numpy()
    values, images = numbers.values_of(rows, quantity), numbers.image_ids(rows)
    all_data = [figures.series(values[labels == n], weights[labels == n], images[labels == n]) for n in found]
    colours = [CRYSTALLINITY_COLOURS[name] for name in found]
    svg = figures.boxes_svg(all_data, quantity, list(found), width_mm=84, height_mm=52, colours=colours)
    return {
        "file": _add_svg(assets, svg),
        "label": quantity.label,
        "unit": quantity.unit,
        "rows": [
            {
                "name": name,
                "n": f"{summary.n:,}",
                "images": f"{summary.n_images:,}",
                "cells": [_with_interval(summary.mean), _with_interval(summary.median)],
            }
            for name, summary in found.items()
        ],
    }


def _with_interval(estimate: stats.Estimate) -> list[str]:
    return [estimate.value_text(), estimate.interval_text() if estimate.has_interval else ""]


def _scale_words(image: ReportImage) -> list[str]:
    """Return pixel size, its origin, and what the scale bar in the image says."""
    size = "none" if image.pixel_size_nm is None else f"{image.pixel_size_nm:.5g}"
    bar = "" if image.bar_pixel_size_nm is None else f"{image.bar_pixel_size_nm:.4g}"
    return [size, image.pixel_size_source.removeprefix("none: ") or "–", bar]


def _micrograph(image: ReportImage, assets: dict[str, bytes]) -> dict[str, Any]:
    name = f"picture-{len(assets)}.jpg"
    assets[name], aspect = _for_print(image.png)
    trust = image.trust.warning if image.trust else ""
    scale = "no scale" if image.pixel_size_nm is None else f"{image.pixel_size_nm:.5g} nm/px"
    if image.pixel_size_nm is not None:
        scale = f"{scale} ({_origin_words(image.pixel_size_source).removeprefix('from the ')})"
    return {
        "file": name,
        "width_mm": min(_PICTURE_MM[0], _PICTURE_MM[1] * aspect),
        "name": image.name,
        "scale": scale,
        "counts": f"{image.n_measured:,} measured, {image.n_dropped:,} dropped",
        "trust": trust,
        "notes": "; ".join((*image.scale_warnings, *_seen(image), *image.notes)),
    }


def _seen(image: ReportImage) -> list[str]:
    """Return how the model saw an image where that was not at its own pixels with dark particles."""
    finest = max(image.scales, default=1.0)
    return [
        *([f"seen at 1/{1 / finest:.3g} of its width"] if finest < 1 else []),
        *(["particles taken for bright"] if image.polarity == "bright" else []),
    ]


def _for_print(png: bytes) -> tuple[bytes, float]:
    """Return a picture as JPEG of at most `_PICTURE_PX` pixels (300 dpi on the page), and its width over its height."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        small = picture.convert("RGB")
    small.thumbnail((_PICTURE_PX, _PICTURE_PX), Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=88, subsampling=0)
    return buffer.getvalue(), small.width / small.height


def recipe_rows(recipe: Recipe) -> list[list[str]]:
    """Return label and value with unit of every parameter."""
    values = recipe.to_dict()
    rows: list[list[str]] = []
    for field in RECIPE_FIELDS:
        value = values[field.name]
        if value is None:
            text = "the model's own"
        elif isinstance(value, bool):
            text = "yes" if value else "no"
        elif isinstance(value, float):
            text = f"{value:g}"
        else:
            text = str(value)
        rows.append([field.label, f"{text} {field.unit}".strip()])
    return rows


def _view_rows(report: SampleReport) -> list[list[str]]:
    excluded = numbers.dropped_counts(report.table).get("excluded_by_user", 0)
    return [
        ["Weighting", numbers.words_of(numbers.view_of([report], report.view))],
        ["Crystallinity certainty", f"{report.view.crystallinity_certainty:.2f}"],
        ["Excluded by a person", stats.count_text(excluded, "particle")],
        *([] if report.view.exclusions else [["What people took out", "counts: exclusions are switched off"]]),
    ]


def card_digest(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a reader of the report needs of a model's card; the rest stands in the card and in summary.json."""
    digest = {key: value for key, value in card.items() if key not in _LEFT_IN_THE_CARD}
    for entry, keys in _OF_THE_CARD.items():
        if isinstance(content := card.get(entry), Mapping):
            digest[entry] = {key: content[key] for key in keys if key in content}
    metrics = card.get("metrics")
    if isinstance(metrics, Mapping):
        found = {name: m["dice"] for name, m in metrics.items() if isinstance(m, Mapping) and "dice" in m}
        digest["dice"] = "; ".join(f"{name} {dice:.3f}" for name, dice in found.items())
    return digest


def flat_rows(mapping: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> list[list[str]]:
    """Return label and text of each entry that is not empty; a mapping inside has a row for each of its own."""
    rows: list[list[str]] = []
    for key, value in mapping.items():
        words = str(key).replace("_", " ")
        label = (labels or {}).get(key) or (words if words == "sha256" else words[:1].upper() + words[1:])
        if isinstance(value, Mapping):
            rows += [[f"{label}: {inner.replace('_', ' ')}", _value_text(v)] for inner, v in value.items()]
        elif value is not None and value != "" and value != []:
            rows.append([label, _value_text(value)])
    return rows


def _value_text(value: Any) -> str:  # noqa: ANN401 - cards hold any JSON value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(_value_text(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value_text(item)}" for key, item in value.items())
    return str(value)


def _comparison_data(report: ComparisonReport, assets: dict[str, bytes]) -> dict[str, Any]:
    letters = [_letter(place) for place in range(len(report.samples))]
    view = numbers.view_of(report.samples, report.view)
    all_found = [numbers.summaries(sample, view) for sample in report.samples]
    main = report.quantity
    main_data = [_series_of(sample, main, view) for sample in report.samples]
    shown = [
        {"file": _add_svg(assets, draw), "caption": caption}
        for draw, caption in (
            (
                figures.cumulative_svg(main_data, main, width_mm=84, height_mm=60),
                f"Cumulative distribution of the {main.label.lower()}.",
            ),
            (
                figures.boxes_svg(main_data, main, letters, width_mm=84, height_mm=60),
                "Density, D10 to D90 (line), quartiles (bar), median (ring), image means (dots).",
            ),
        )
    ]
    pairs = len(letters) * (len(letters) - 1) // 2
    others = [quantity for quantity in QUANTITIES if quantity.is_main and quantity != main]
    compared = [main, *others] if pairs <= _MOST_PAIRS_OF_ALL_QUANTITIES else [main]
    found_pairs = {quantity: numbers.pairs_of(report, quantity) for quantity in compared}
    differing = numbers.recipe_differences(report.samples)
    ends = outline_warnings({letter: sample.table for letter, sample in zip(letters, report.samples, strict=True)})
    labels = {field.name: field.label for field in RECIPE_FIELDS}
    return {
        "title": f"Comparison of {len(letters)} samples",
        "kind": "Particle analysis",
        "date": report.date.isoformat(),
        "weighting": numbers.words_of(view),
        "samples": [
            {
                "letter": letter,
                "colour": sample_colour(place),
                "name": sample.name,
                "facts": _facts(sample.sample),
                "row": _comparison_row(sample, found[main.column]),
                "note": _cautions(report, sample, found[main.column], view, ends.get(letter, "")),
                "analysed": _analysed(sample),
                "images": [[image.name, image.sha256 or "–"] for image in sample.images],
            }
            for place, (letter, sample, found) in enumerate(zip(letters, report.samples, all_found, strict=True))
        ],
        "overlaid": _add_svg(assets, figures.overlaid_svg(main_data, main, width_mm=174, height_mm=66)),
        "figures": shown,
        "crystallinity": _compared_crystallinity(report, letters, assets),
        "sections": [
            {"label": quantity.label, "rows": _pair_rows(pairs_of_one, quantity, letters)}
            for quantity, pairs_of_one in found_pairs.items()
        ],
        "one_pair": pairs == 1,
        "pair_notes": _pair_notes(found_pairs[main], letters),
        "only_main": pairs > _MOST_PAIRS_OF_ALL_QUANTITIES,
        "main": {"label": main.label, "in_words": main.label.lower(), "unit": main.unit},
        "others": [
            {
                "label": quantity.axis,
                "file": _add_svg(
                    assets,
                    figures.overlaid_svg(
                        [_series_of(sample, quantity, view) for sample in report.samples],
                        quantity,
                        width_mm=84,
                        height_mm=44,
                    ),
                ),
            }
            for quantity in others
        ],
        "summary": [
            _side_by_side(quantity, all_found)
            for quantity in QUANTITIES
            if any(found[quantity.column].n for found in all_found)
        ],
        "recipe": recipe_rows(report.samples[0].recipe),
        "same_recipe": not differing,
        "differing": [
            [labels[name], *(_value_text(sample.recipe.to_dict()[name]) for sample in report.samples)]
            for name in differing
        ],
        "models": _models([sample.model for sample in report.samples], letters),
        "crystallinity_models": _models([sample.crystallinity_model for sample in report.samples], letters),
        "provenance": flat_rows(report.provenance, _PROVENANCE_LABELS),
    }


def _compared_crystallinity(
    report: ComparisonReport, letters: list[str], assets: dict[str, bytes]
) -> dict[str, Any] | None:
    """Return the shares of classes side by side; None where no sample was classified."""
    view = numbers.view_of(report.samples, report.view)
    all_shares = [numbers.crystallinity_shares(replace(sample, view=view)) for sample in report.samples]
    if not any(all_shares):
        return None
    pairs = numbers.share_pairs_of(report)
    few = len(pairs) <= _MOST_PAIRS_OF_ALL_QUANTITIES
    return {
        "file": _add_svg(assets, figures.shares_svg(all_shares, numbers.CLASSES, width_mm=174, height_mm=56)),
        "classes": list(numbers.CLASSES),
        "certainty": f"{view.crystallinity_certainty:.2f}",
        "rows": [
            {
                "letter": letter,
                "colour": sample_colour(place),
                "n": f"{shares.n:,}",
                "images": f"{shares.n_images:,}",
                "cells": [
                    [f"{share.in_percent.value:.1f} %", share.in_percent.interval_text()] for share in shares.shares
                ],
            }
            for place, (letter, shares) in enumerate(zip(letters, all_shares, strict=True))
            if shares is not None
        ],
        "without": [letter for letter, shares in zip(letters, all_shares, strict=True) if shares is None],
        "cautions": [
            *(
                f"{letter}: {note}"
                for letter, sample in zip(letters, report.samples, strict=True)
                if (note := numbers.unknown_note(replace(sample, view=view)))
            ),
            *_material_cautions(
                [
                    (letter, str(sample.sample.get("material") or ""))
                    for letter, sample, shares in zip(letters, report.samples, all_shares, strict=True)
                    if shares is not None
                ]
            ),
        ],
        "sections": [_share_pair(pair, letters) for pair in pairs] if few else [],
        "too_many": not few,
    }


def _material_cautions(materials: Sequence[tuple[str, str]]) -> list[str]:
    """Return what the classes of other materials than were learned from are worth, each sentence once."""
    found: dict[str, list[str]] = {}
    for letter, material in materials:
        if caution := classes_caution(material):
            found.setdefault(caution, []).append(letter)
    return [f"{', '.join(names)}: {caution}" for caution, names in found.items()]


def share_effect(name: str, one: stats.ShareDifference) -> str:
    """Return how large the difference in the share of a class is; of the unknown ones it is no effect of the sample."""
    return "could not be told" if name == UNKNOWN else one.effect_text


def _share_pair(pair: numbers.SharePair, letters: list[str]) -> dict[str, Any]:
    rows: list[list[list[str]]] = []
    for name, one, corrected in zip(numbers.CLASSES, pair.comparison.classes, pair.corrected_p, strict=True):
        difference = one.difference.in_percent
        rows.append(
            [
                [name, ""],
                [difference.value_text(), difference.interval_text() if difference.has_interval else "no interval"],
                [one.cohens_h.value_text(), one.cohens_h.interval_text() if one.cohens_h.has_interval else ""],
                [share_effect(name, one).removeprefix("a ").removesuffix(" effect"), ""],
                ["no test" if one.p_value is None else stats.format_number(one.p_value, 2), ""],
                ["–" if corrected is None else stats.format_number(corrected, 2), ""],
            ]
        )
    return {
        "a": letters[pair.a],
        "b": letters[pair.b],
        "colour_a": sample_colour(pair.a),
        "colour_b": sample_colour(pair.b),
        "rows": rows,
        "method": " ".join(filter(None, (pair.comparison.method, pair.comparison.note))),
    }


def _letter(place: int) -> str:
    """Return A to Z, then AA, AB and so on."""
    return (_letter(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def _series_of(sample: SampleReport, quantity: Quantity, view: View) -> figures.Series:
    table, weights = numbers.measured(sample.table), numbers.weights_of(sample.table, view, sample.recipe)
    return figures.series(numbers.values_of(table, quantity), weights, numbers.image_ids(table))


def _cautions(report: ComparisonReport, sample: SampleReport, summary: stats.Summary, view: View, ends: str) -> str:
    """Return what a reader has to know of one sample's numbers."""
    strange = numbers.trust_note(
        [image.trust for image in sample.images if image.status == "done" and image.n_measured]
    )
    border = numbers.border_note(sample, asked=report.view.border_weighted, applied=view.border_weighted)
    clumps = clump_note(clump_share_of(sample.table))
    ends = ends[:1].upper() + ends[1:]
    return " ".join(text for text in (ends, strange, clumps, summary.note, border, *sample.remarks) if text)


def _comparison_row(sample: SampleReport, summary: stats.Summary) -> list[list[str]]:
    cells = [[f"{summary.n:,}", ""], [f"{sample.n_images_done:,}", ""]]
    for name in stats.STATISTICS:
        estimate: stats.Estimate = getattr(summary, name)
        cells.append([estimate.value_text(), estimate.interval_text() if estimate.has_interval else ""])
    return cells


def _side_by_side(quantity: Quantity, all_found: list[dict[str, stats.Summary]]) -> dict[str, Any]:
    cells = []
    for found in all_found:
        median = found[quantity.column].median
        cells.append([median.value_text(), median.interval_text() if median.has_interval else ""])
    return {"label": quantity.label, "unit": quantity.unit, "cells": cells}


def _pair_rows(pairs: list[numbers.Pair], quantity: Quantity, letters: list[str]) -> list[dict[str, str]]:
    rows = []
    for pair in pairs:
        c = pair.comparison
        least = f"least {stats.format_number(c.least_p, 2)}" if c.least_p is not None and c.least_p > 0.005 else ""
        rows.append(
            {
                "quantity": quantity.label,
                "a": letters[pair.a],
                "b": letters[pair.b],
                "colour_a": sample_colour(pair.a),
                "colour_b": sample_colour(pair.b),
                "difference": c.difference.value_text(quantity.unit),
                "difference_interval": c.difference.interval_text() if c.difference.has_interval else "no interval",
                "delta": c.cliffs_delta.value_text(),
                "delta_interval": c.cliffs_delta.interval_text() if c.cliffs_delta.has_interval else "no interval",
                "effect": c.effect_text.removeprefix("a ").removesuffix(" effect"),
                "p": "no test" if c.p_value is None else stats.format_number(c.p_value, 2),
                "least": least,
                "corrected": "–" if pair.corrected_p is None else stats.format_number(pair.corrected_p, 2),
            }
        )
    return rows


def _pair_notes(pairs: list[numbers.Pair], letters: list[str]) -> list[str]:
    """Return what limits the comparisons: in full for one pair, gathered by kind for several."""
    if len(pairs) == 1:
        return [text for text in (pairs[0].comparison.method, pairs[0].comparison.note) if text]
    gathered: dict[str, list[str]] = {}
    for pair in pairs:
        c = pair.comparison
        name = f"{letters[pair.a]}–{letters[pair.b]}"
        gathered.setdefault(f"Intervals: {c.interval_method}", []).append(name)
        if c.p_value is None:
            least = stats.LEAST_IMAGES_FOR_A_TEST
            gathered.setdefault(f"No test, which needs at least {least} images of each sample", []).append(name)
    return [f"{text}: {', '.join(names)}." for text, names in gathered.items()]


def _models(cards: Sequence[Mapping[str, Any]], letters: list[str]) -> list[list[str]]:
    """Return which samples each model was used for; a card of none counts as no model."""
    used: dict[str, list[str]] = {}
    for letter, card in zip(letters, cards, strict=True):
        title = str(card.get("title") or card.get("name") or "unknown model")
        text = f"{title}, sha256 {card.get('sha256') or 'unknown'}" if card else "none, or not recorded"
        used.setdefault(text, []).append(letter)
    return [[", ".join(places), text] for text, places in used.items()]


def _add_svg(assets: dict[str, bytes], svg: str) -> str:
    name = f"figure-{len(assets)}.svg"
    assets[name] = svg.encode()
    return name
