"""How good the classifier of crystallinity is, on simulated particles that it never saw.

Run it as ``python -m benchmarks.crystallinity --crops DIR --page docs/crystallinity.md --card``. DIR holds the
crop sets of `SETS`, `SHIFTS` and `FIELDS`; what is not there is made first (realistic ones take about a second a crop).
``--card`` writes the numbers into the model's card, ``--pattern MODEL`` also shows what a network that learned nothing
but the simple patterns makes of simulated particles. ``--speed`` measures how many particles a second are classified.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from antema.domain import CRYSTALLINITIES, Instance
from antema.nets import load_classifier
from antema.nets.card import find
from antema.simulation import simulate_crystallinity, simulate_micrographs
from antema.training import crops_of_fields, evaluate_crystallinity
from antema.training.models import replace_metrics
from antema.training.tables import Table, as_markdown, as_text, number, put

Evaluation = dict[str, Any]


@dataclass(frozen=True)
class Tried:
    """A set of crops that a classifier is tried on.

    Parameters
    ----------
    name : str
        Of its folder.
    kind : str
        Of the simulation.
    count, seed : int
        How many crops, and the first of their seeds; training takes its own from elsewhere.
    title : str
        Words for tables.
    """

    name: str
    kind: str
    count: int
    seed: int
    title: str


SETS = (
    Tried("poly_test", "poly", 1500, 910_000, "`poly`"),
    Tried("csi_test", "simulation-c-si", 1500, 920_000, "`simulation-c-si`"),
    Tried("realistic_test", "realistic", 1000, 900_000, "`realistic`"),
)
SHIFTS = (
    Tried("copper_test", "copper", 200, 940_000, "copper instead of Au, Pt, Ag, Pd, AgPt"),
    Tried("60-kv_test", "60-kv", 200, 950_000, "60 kV instead of 80 to 300 kV"),
    Tried("thick-support_test", "thick-support", 200, 960_000, "supports of 8 to 12 nm instead of at most 6 nm"),
)
"""Realistic but in one thing, which training never saw."""
FIELDS = Tried("fields_test", "fields", 32, 970_000, "particles of fields, cut out by an analysis")
"""As many micrographs, of which an analysis cuts particles out."""
_FIELD_PX = 768
_TIMED, _AT_A_TIME = 24, 72
"""Crops whose time is measured, and how often each lies in a micrograph."""
_GROUPS = {
    "diameter_nm": "diameter, nm",
    "pixel_size_nm": "pixel, nm",
    "dose_e_nm2": "electrons per nm²",
    "element": "material",
    "structure": "structure",
    "voltage_kv": "kV",
    "support_nm": "support, nm",
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crystallinity", description=__doc__)
    parser.add_argument("--crops", type=Path, required=True, metavar="DIR", help="where the sets lie or are made")
    parser.add_argument("--model", default="default", metavar="NAME")
    parser.add_argument("--pattern", metavar="MODEL", help="a classifier that learned the set pattern alone")
    parser.add_argument("--page", type=Path, metavar="FILE.md")
    parser.add_argument("--card", action="store_true", help="write the numbers into the model's card")
    parser.add_argument(
        "--own-masks", action="store_true", help="also cut out by the segmentation network, a few seconds a crop"
    )
    parser.add_argument("--speed", action="store_true", help="measure the time too")
    options = parser.parse_args()
    command = "python -m benchmarks.crystallinity --crops DIR"

    for one in (*SETS, *SHIFTS, FIELDS):
        made(one, options.crops)
    found = {one.title: evaluate_crystallinity(options.crops / one.name, model=options.model) for one in SETS}
    realistic, rows = SETS[-1], found
    if options.own_masks:
        own = evaluate_crystallinity(options.crops / realistic.name, model=options.model, own_masks=True)
        rows = found | {f"{realistic.title}, cut out by the segmentation network": own}
    shifted = {one.title: evaluate_crystallinity(options.crops / one.name, model=options.model) for one in SHIFTS}
    in_fields = {FIELDS.title: evaluate_crystallinity(options.crops / FIELDS.name, model=options.model)}
    parts = {
        "bars": bars(found),
        "overview": overview(rows),
        "shifts": overview({realistic.title: found[realistic.title]} | shifted),
        "fields": overview({realistic.title: found[realistic.title]} | in_fields),
        "field-confusion": confusions(in_fields),
        "confusion": confusions(rows),
        "domains": domains(rows),
        "coverage": coverage(rows),
        "groups": groups(found[realistic.title]),
    }
    if options.pattern:
        patterns = {one.title: evaluate_crystallinity(options.crops / one.name, model=options.pattern) for one in SETS}
        parts["pattern"] = overview(patterns)
    for name, table in parts.items():
        print(f"\n{name}\n\n{as_text(table)}")
        if options.page:
            put(options.page, name, as_markdown(table))
    if options.card:
        folder = find(options.model, task="crystallinity").folder
        replace_metrics(
            folder,
            {title.replace("`", ""): numbers(each) for title, each in (rows | shifted | in_fields).items()},
            command=command,
        )
    if options.speed:
        for one in (SETS[0], realistic):
            print(f"\n{speed(options.model, options.crops / one.name)}")


def made(one: Tried, directory: Path) -> Path:
    """Return the folder of a set, which is simulated where it is not there."""
    folder = directory / one.name
    if (folder / "labels.csv").is_file():
        return folder
    if one.kind == "fields":
        micrographs = directory / f"{one.name}_micrographs"
        simulate_micrographs(
            micrographs,
            count=one.count,
            seed=one.seed,
            shape=(_FIELD_PX, _FIELD_PX),
            kind="crystallinity",
            processes=2,
        )
        crops_of_fields(micrographs, folder)
    else:
        simulate_crystallinity(folder, count=one.count, seed=one.seed, kind=one.kind, processes=2)
    return folder


def numbers(each: Evaluation) -> dict[str, float | None]:
    """Return what a card tells of an evaluation."""
    result = {name: each[name] for name in ("crops", "accuracy", "ece", "coverage", "accuracy_of_assigned")}
    result["accuracy_two_classes"] = each["two_class"]["accuracy"]
    if "lattice_visible" in each:
        result["accuracy_visible"] = each["lattice_visible"]["accuracy"]
        result["accuracy_visible_at_85"] = each["lattice_visible"]["accuracy_at_85"]
        result["hidden_called_amorphous"] = each["hidden_crystals"]["called_amorphous"]
    return result


def bars(found: dict[str, Evaluation]) -> Table:
    """Return what was asked for beside what is reached, and the published network's accuracy on sets of its own."""
    poly, pair, realistic = found.values()
    seen = realistic["lattice_visible"]
    hidden = [each["hidden_crystals"]["called_amorphous"] for each in found.values()]
    return [
        ["on", "at least", "reached", "published"],
        ["`poly`, three classes", "98 %", _per_cent(poly["accuracy"]), "96.3 %"],
        [
            "the same without polycrystals that show at most one lattice",
            "–",
            _per_cent(poly["polycrystals"]["others"]["accuracy"]),
            "–",
        ],
        ["`simulation-c-si`, two classes", "99.3 %", _per_cent(pair["two_class"]["accuracy"]), "98.7 %"],
        ["`realistic`, lattice visible, three classes", "92 %", _per_cent(seen["accuracy"]), "–"],
        ["the same, the 85 % most certain", "97 %", _per_cent(seen["accuracy_at_85"]), "–"],
        [
            "crystals without visible lattice called amorphous at 0.80",
            "at most 10 %",
            " / ".join(map(_per_cent, hidden)),
            "–",
        ],
        ["ECE", "under 0.03", " / ".join(number(each["ece"]) for each in found.values()), "–"],
    ]


def overview(rows: dict[str, Evaluation]) -> Table:
    """Return a line for each evaluation."""
    head = (
        "set", "particles", "accuracy", "two classes", "lattice visible: accuracy", "at 85 % coverage",
        "coverage at 0.80", "accuracy of these", "ECE", "crystals without visible lattice", "called amorphous",
    )  # fmt: skip
    table: list[list[str]] = [list(head)]
    for title, each in rows.items():
        seen, hidden = each.get("lattice_visible", {}), each.get("hidden_crystals", {"n": 0, "called_amorphous": None})
        table.append(
            [
                title,
                str(each["crops"]),
                _per_cent(each["accuracy"]),
                _per_cent(each["two_class"]["accuracy"]),
                _per_cent(seen.get("accuracy")),
                _per_cent(seen.get("accuracy_at_85")),
                _per_cent(each["coverage"]),
                _per_cent(each["accuracy_of_assigned"]),
                number(each["ece"]),
                str(hidden["n"]),
                _per_cent(hidden["called_amorphous"]),
            ]
        )
    return table


def confusions(rows: dict[str, Evaluation]) -> Table:
    """Return what the particles of each class were called at certainty 0.80, and precision and recall without it."""
    table = [["set", "is", *CRYSTALLINITIES, "unknown", "precision", "recall"]]
    for title, each in rows.items():
        for name, counts in zip(CRYSTALLINITIES, each["assigned"], strict=True):
            of_class = each["classes"][name]
            table.append(
                [title, name, *map(str, counts), _per_cent(of_class["precision"]), _per_cent(of_class["recall"])]
            )
    return table


def domains(rows: dict[str, Evaluation]) -> Table:
    """Return what twins and crystals stitched together are called, by how many of their crystals show a lattice."""
    table = [
        ["set", "crystals with a lattice of their own", "particles", *(f"called {name}" for name in CRYSTALLINITIES)]
    ]
    for title, each in rows.items():
        for shown in ("several", "at most one"):
            counts = each["polycrystals"][shown]
            if counts["n"]:
                shares = [_per_cent(counts[f"called_{name}"]) for name in CRYSTALLINITIES]
                table.append([title, shown, str(counts["n"]), *shares])
    return table


def coverage(rows: dict[str, Evaluation]) -> Table:
    """Return the accuracy of the most certain particles, by how many are kept."""
    kept = (0.5, 0.7, 0.8, 0.85, 0.9, 1.0)
    table = [["set", *(f"{100 * share:.0f} %" for share in kept)]]
    for title, each in rows.items():
        by_share = {point["coverage"]: point["accuracy"] for point in each["accuracy_at_coverage"]}
        table.append([title, *(_per_cent(by_share.get(share)) for share in kept)])
    return table


def groups(each: Evaluation) -> Table:
    """Return accuracies by what is known of the particles."""
    table = [["by", "", "particles", "accuracy", "coverage at 0.80", "accuracy of these", "ECE"]]
    for key, title in _GROUPS.items():
        for group in each["groups"].get(key, []):
            table.append(
                [
                    title,
                    group["group"],
                    str(group["n"]),
                    _per_cent(group["accuracy"]),
                    _per_cent(group["coverage"]),
                    _per_cent(group["accuracy_of_assigned"]),
                    number(group["ece"]),
                ]
            )
    return table


def _per_cent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def speed(model: str, folder: Path) -> str:
    """Return how fast particles of a set are classified, as a sentence; the network is compiled before."""
    import os

    from antema.training.crop_sets import box_of, read_crop_set

    crops = read_crop_set(folder)[:_TIMED]
    classifier = load_classifier(model)
    times = []
    for _ in range(2):
        started = time.perf_counter()
        for crop in crops:
            x, y, mask = box_of(crop.mask)
            classifier.classify(crop.pixels, [Instance(x, y, mask)] * _AT_A_TIME, crop.pixel_size_nm)
        times.append(time.perf_counter() - started)
    diameter = np.median([float(crop.facts["diameter_nm"]) for crop in crops])
    return (
        f"{_AT_A_TIME * len(crops) / times[-1]:.0f} particles a second of {folder.name} (median diameter "
        f"{diameter:.1f} nm, {_AT_A_TIME} of each size in a micrograph) on "
        f"{os.cpu_count()} CPU cores with a load average of {os.getloadavg()[0]:.1f}."
    )


if __name__ == "__main__":
    main()
