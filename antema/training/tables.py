"""Evaluations as tables, for a terminal and for a page."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from antema.domain import AntemaError

Evaluation = Mapping[str, Any]
Cell = Callable[[Evaluation], str]


def number(value: float | None, decimals: int = 3) -> str:
    """Return a number as tables have it; a dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{decimals}f}"


def per_cent(value: float | None, interval: Sequence[float] | None = None) -> str:
    """Return a signed share in per cent, with its interval."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{100 * value:+.1f} %"
    return text if interval is None else f"{text} ({100 * interval[0]:+.1f} to {100 * interval[1]:+.1f})"


def share(value: float | None) -> str:
    """Return a share in whole per cent, without a sign."""
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.0f} %"


def in_pixels(value: float | None) -> str:
    """Return a signed length in px."""
    return "–" if value is None or not math.isfinite(value) else f"{value:+.2f} px"


_COLUMNS: Mapping[str, Cell] = {
    "model": lambda e: e["model"],
    "IoU": lambda e: number(e["pixel"]["iou_particle"]),
    "Dice": lambda e: number(e["pixel"]["dice_particle"]),
    "accuracy": lambda e: number(e["pixel"]["accuracy"]),
    "AP50": lambda e: number(e["instance"]["ap50"]),
    "AP75": lambda e: number(e["instance"]["ap75"]),
    "AP90": lambda e: number(e["instance"]["ap90"]),
    "F1": lambda e: number(e["instance"]["f1_50"]),
    "count error": lambda e: number(e["count_error"]),
    "mean diameter": lambda e: per_cent(e["diameter_bias_mean"], e["diameter_bias_mean_interval"]),
    "median diameter": lambda e: per_cent(e["diameter_bias_median"], e["diameter_bias_median_interval"]),
    "outline": lambda e: in_pixels(e["outline_bias_px"]),
    "ECE": lambda e: number(e["calibration"]["ece"] if e["calibration"] else None, 4),
}
_CLASS_COLUMNS: Mapping[str, Cell] = {
    "model": lambda e: e["model"],
    "class accuracy, particle": lambda e: number(e["classes"]["accuracy_particle"]),
    "class accuracy, background": lambda e: number(e["classes"]["accuracy_background"]),
    "precision, particle": lambda e: number(e["classes"]["precision_particle"]),
    "IoU, background": lambda e: number(e["pixel"]["iou_background"]),
    "Dice, background": lambda e: number(e["pixel"]["dice_background"]),
    "diameter of matched": lambda e: per_cent(e["diameter_bias_matched"], e["diameter_bias_matched_interval"]),
    "outline distance": lambda e: in_pixels(e["outline_distance_px"]).lstrip("+"),
    "s an image": lambda e: number(e["seconds_per_image"], 2),
}
_UNCUT_COLUMNS: Mapping[str, Cell] = {
    "model": lambda e: e["model"],
    "Dice outside the band": lambda e: number(e["dice_outside_band"]),
    "F1": lambda e: number(e["f1_uncut"]),
    "found / true": lambda e: f"{e['n_found_uncut']} / {e['n_true_uncut']}",
    "diameter": lambda e: per_cent(e["diameter_median_error"]),
    "F1, half contrast": lambda e: number(e["half_contrast"]["f1_uncut"] if "half_contrast" in e else None),
    "diameter, half contrast": lambda e: per_cent(
        e["half_contrast"]["diameter_median_error"] if "half_contrast" in e else None
    ),
    "unresolved": lambda e: share(e["clumps"]["unresolved_share"]),
    "in lumps": lambda e: share(e["clumps"]["lump_share"]),
    "ECE of outlines": lambda e: number(e["outline_confidence"]["ece"] if e["outline_confidence"] else None),
    "trust against F1": lambda e: number(e["trust"]["rank_correlation"], 2),
}
_GROUP_COLUMNS: Mapping[str, Cell] = {
    "true": lambda e: f"{e['n_true']}",
    "found": lambda e: f"{e['n_found']}",
    "IoU": lambda e: number(e["pixel"]["iou_particle"]),
    "Dice": lambda e: number(e["pixel"]["dice_particle"]),
    "AP50": lambda e: number(e["instance"]["ap50"]),
    "F1": lambda e: number(e["instance"]["f1_50"]),
    "count error": lambda e: number(e["count_error"]),
    "diameter of matched": lambda e: per_cent(e["diameter_bias_matched"], e["diameter_bias_matched_interval"]),
    "outline": lambda e: in_pixels(e["outline_bias_px"]),
}

Table = list[list[str]]


def comparison(evaluations: Sequence[Evaluation]) -> Table:
    """Return a row for each evaluation below a row of headings."""
    return [list(_COLUMNS), *([cell(each) for cell in _COLUMNS.values()] for each in evaluations)]


def class_comparison(evaluations: Sequence[Evaluation]) -> Table:
    """Return what `comparison` leaves out, in the same form."""
    return [list(_CLASS_COLUMNS), *([cell(each) for cell in _CLASS_COLUMNS.values()] for each in evaluations)]


def uncut_comparison(evaluations: Sequence[Evaluation]) -> Table:
    """Return what particles that nothing cuts say, and what confidence and trust are worth, in the same form."""
    return [list(_UNCUT_COLUMNS), *([cell(each) for cell in _UNCUT_COLUMNS.values()] for each in evaluations)]


def confidence_bins(evaluations: Sequence[Evaluation]) -> Table:
    """Return how often particles of a confidence are right, a row for each bin and model; headings alone of none."""
    rows = [["outline confidence", "model", "particles", "mean confidence", "right at IoU 0.5"]]
    for each in evaluations:
        for group in (each["outline_confidence"] or {"bins": []})["bins"]:
            told = (number(group["mean_confidence"], 2), number(group["share_right"], 2))
            rows.append([f"{group['low']:g} to {group['high']:g}", each["model"], f"{group['particles']}", *told])
    return rows


def by_bin(evaluations: Sequence[Evaluation], key: str, heading: str) -> Table:
    """Return a row for each bin and model; `key` is ``by_contrast_to_noise`` or ``by_diameter_px``."""
    rows = [[heading, "model", *_GROUP_COLUMNS]]
    bins = sorted({_bin(group) for each in evaluations for group in each[key]})
    for wanted in bins:
        for each in evaluations:
            for group in each[key]:
                if _bin(group) == wanted and (group["n_true"] or group["n_found"]):
                    rows.append([_bin_words(wanted), each["model"], *(cell(group) for cell in _GROUP_COLUMNS.values())])
    return rows


def as_text(table: Table) -> str:
    """Return a table in columns of equal width, numbers to the right."""
    widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
    lines = []
    for first, *others in table:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]))
    return "\n".join(lines)


def as_markdown(table: Table) -> str:
    """Return a table as Markdown."""
    head, *rows = table
    return "\n".join([_line(head), _line(["---"] * len(head)), *(_line(row) for row in rows)])


def page(evaluations: Sequence[Evaluation], command: str) -> str:
    """Return a Markdown page of a comparison, with the command that printed it."""
    first = evaluations[0]
    failed = first.get("failed", [])
    parts = [
        "# Segmentation models compared",
        f"`{command}`",
        f"{first['images']} images, {first['n_true']} true particles. Fractions, not per cent, unless a unit is given; "
        "intervals at 95 % from a bootstrap of whole images. What the columns mean is in `docs/segmentation.md`.",
        *(["Not read: " + " ".join(failed)] if failed else []),
        as_markdown(comparison(evaluations)),
        as_markdown(class_comparison(evaluations)),
        "## Particles that nothing cuts",
        as_markdown(uncut_comparison(evaluations)),
        *([as_markdown(confident)] if len(confident := confidence_bins(evaluations)) > 1 else []),
        "## Pixels, rows true, columns found",
        *(_confusion(each) for each in evaluations),
        "## By contrast-to-noise of the particles",
        as_markdown(by_bin(evaluations, "by_contrast_to_noise", "contrast-to-noise")),
        "## By equivalent diameter",
        as_markdown(by_bin(evaluations, "by_diameter_px", "px")),
    ]
    return "\n\n".join(parts) + "\n"


def put(path: Path, name: str, content: str) -> None:
    """Write `content` between ``<!-- table: NAME -->`` and ``<!-- end: NAME -->`` of a page.

    Raises
    ------
    AntemaError
        Where the page has no such pair of markers.
    """
    text = path.read_text("utf-8")
    begin, end = f"<!-- table: {name} -->", f"<!-- end: {name} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        msg = f"{path.name}: expected the markers {begin} and {end}, found none"
        raise AntemaError(msg)
    path.write_text(pattern.sub(lambda _: f"{begin}\n\n{content}\n\n{end}", text), "utf-8")


def _confusion(each: Evaluation) -> str:
    (ground, wrong), (missed, both) = each["classes"]["confusion"]
    return as_markdown(
        [
            [each["model"], "background", "particle"],
            ["background", *_with_share(ground, wrong)],
            ["particle", *_with_share(missed, both)],
        ]
    )


def _with_share(*counts: int) -> list[str]:
    total = sum(counts)
    return [f"{count:,} ({100 * count / total:.1f} %)" if total else "0" for count in counts]


def _bin(group: Evaluation) -> tuple[float, float]:
    # JSON has no infinity and no NaN: both ends of the last bin, and those of the bin of what is not known
    low, high = (math.inf if end is None or not math.isfinite(end) else end for end in (group["low"], group["high"]))
    return float(low), float(high)


def _bin_words(ends: tuple[float, float]) -> str:
    low, high = ends
    if math.isinf(low):
        return "not known"
    return f"over {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
