"""How often `antema.analyse` calls the crystallinity of simulated particles by its name, from micrograph to table.

Run with ``python -m benchmarks.crystallinity_fields [--count N] [--seed S] [--size PX] [--model NAME]`` from the
checkout: fields of the kind ``crystallinity`` are simulated, analysed by the recipe's defaults and found particles
matched with the truth (intersection over union of at least 0.5). ``--fields DIR`` takes fields that
``antema simulate micrographs --kind crystallinity`` has written. Printed are how many particles were found and how far
the mean of their diameters is off; then for particles whose lattice the truth calls visible or hidden, and for all: the
share that got a class at the recipe's certainty (coverage), how many of these are right (accuracy), how many would be
if every one got its likeliest class, and the confusion. Without an installed model for crystallinity it says so and
prints the particles alone.
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from antema.domain import AMORPHOUS, CRYSTALLINITIES, NotFound, Recipe, View, crystallinities
from antema.nets.card import find
from antema.simulation import simulate_micrographs
from antema.training.field_crops import Compared, compared, truths

_PROBABILITIES = [f"p_{name}" for name in CRYSTALLINITIES]


def found_particles(field: Compared) -> pd.DataFrame:
    """Return a row for each measured particle that is a true one, with ``true_class`` and ``true_lattice_visible``."""
    both = field.analysis.table.iloc[field.measured[field.pairs[:, 0]]].reset_index(drop=True)
    for key in ("class", "lattice_visible"):
        both[f"true_{key}"] = [field.truth[k][key] for k in field.pairs[:, 1]]
    return both


def judged(both: pd.DataFrame, certainty: float) -> str:
    """Return coverage, accuracy and confusion of some particles in words."""
    hindrances = both["crystallinity_reason"].fillna("").astype(str).tolist()
    names, _ = crystallinities(both[_PROBABILITIES].to_numpy(float), both["p_lattice_visible"], hindrances, certainty)
    true = both["true_class"].to_numpy(str)
    called = np.array(names, str)
    sure = np.isin(called, CRYSTALLINITIES)
    likeliest = np.array(CRYSTALLINITIES)[both[_PROBABILITIES].fillna(0).to_numpy(float).argmax(axis=1)]
    lines = [
        f"{len(both)} particles, coverage {sure.mean():.3f}, accuracy of these "
        f"{_share(called[sure] == true[sure])}, at full coverage {_share(likeliest == true)}"
    ]
    for kind in CRYSTALLINITIES:
        counts = Counter(called[true == kind].tolist())
        said = ", ".join(f"{counts[name]} {name}" for name in (*CRYSTALLINITIES, "unknown"))
        lines.append(f"    {np.count_nonzero(true == kind):5d} {kind:16} called {said}")
    return "\n".join(lines)


def _share(right: np.ndarray) -> str:
    return f"{right.mean():.3f}" if len(right) else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fields", type=Path, nargs="+", metavar="DIR", help="sets that are there already")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--seed", type=int, default=90_000_000)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--model", default="default", help="of the task crystallinity")
    options = parser.parse_args()
    try:
        print(f"model: {find(options.model, task='crystallinity').name}")
        installed = True
    except NotFound as error:
        print(f"NO MODEL FOR CRYSTALLINITY IS INSTALLED ({error}): nothing is classified")
        installed = False
    recipe = Recipe(crystallinity=installed, crystallinity_model=options.model)
    with tempfile.TemporaryDirectory() as folder:
        sets = options.fields or [Path(folder)]
        if not options.fields:
            shape = (options.size, options.size)
            simulate_micrographs(
                sets[0], count=options.count, seed=options.seed, shape=shape, kind="crystallinity", processes=1
            )
        known = {path: truth for each in sets for path, truth in truths(each).items()}
        fields = [one for path, truth in known.items() if (one := compared(path, truth, recipe))]
    both = pd.concat([found_particles(one) for one in fields], ignore_index=True)
    whole = [[each for each in one.truth if not each["touches_border"]] for one in fields]
    true = np.array([each["equivalent_diameter_nm"] for some in whole for each in some])
    found = np.concatenate(
        [one.analysis.table["equivalent_diameter_nm"].to_numpy(float)[one.measured] for one in fields]
    )
    print(
        f"{len(fields)} fields, {len(true)} whole particles, {len(found)} measured, {len(both)} of them true ones; "
        f"mean diameter {found.mean():.3f} nm, in truth {true.mean():.3f} nm ({found.mean() / true.mean() - 1:+.1%})"
    )
    for kind in CRYSTALLINITIES:
        some = both[both["true_class"] == kind]
        hidden = "could not be told from a crystal" if kind == AMORPHOUS else "show no lattice"
        unseen = np.count_nonzero(~some["true_lattice_visible"].astype(bool))
        print(f"    {len(some):5d} {kind:16} {unseen:5d} {hidden}")
    if installed:
        seen = both["true_lattice_visible"].astype(bool)
        for title, some in (("lattice visible", both[seen]), ("lattice hidden", both[~seen]), ("all", both)):
            words = judged(some.reset_index(drop=True), View().crystallinity_certainty) if len(some) else "none"
            print(f"{title}: {words}")


if __name__ == "__main__":
    main()
