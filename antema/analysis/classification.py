"""Measured particles into what their inner order may be called."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from antema.analysis.segmentation import Progress
from antema.domain import (
    CRYSTALLINITIES,
    DOUBTS,
    UNKNOWN,
    CannotAnalyse,
    Instance,
    NotFound,
    Recipe,
    View,
    crystallinity_codes,
)
from antema.nets.card import find
from antema.nets.classified import Classified, EvidenceMap

NO_MODEL = "No crystallinity model is installed: no particle was classified."
_PROBABILITIES = [f"p_{name}" for name in CRYSTALLINITIES]


class Classifier(Protocol):
    """What tells crystalline from amorphous particles; `load_classifier` gives one."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    @property
    def sha256(self) -> str:
        """Digest that identifies the model with its calibration."""
        ...

    def classify(
        self,
        pixels: NDArray[np.generic],
        instances: Sequence[Instance],
        pixel_size_nm: float,
        *,
        progress: Progress | None = None,
    ) -> Classified:
        """Return what is said of `instances` in an image of native grey values (h, w), in their order."""
        ...


def load_classifier(recipe: Recipe) -> Classifier | None:
    """Return the recipe's crystallinity model; None where it asks for none, or for the default and none is shipped.

    Raises
    ------
    NotFound
        For a model that is asked for by name and is not installed, or is no crystallinity model.
    """
    if not recipe.crystallinity:
        return None
    try:
        card = find(recipe.crystallinity_model, task="crystallinity")
    except NotFound:
        if recipe.crystallinity_model == Recipe().crystallinity_model:
            return None
        raise
    from antema.nets.classifier import load_classifier as load

    return load(card.name)


def identity(classifier: Classifier | None) -> dict[str, Any]:
    """Return ``name`` and ``sha256`` of a classifier; nothing of none."""
    return {} if classifier is None else {"name": classifier.name, "sha256": classifier.sha256}


def classify_rows(
    table: pd.DataFrame,
    instances: Sequence[Instance],
    pixels: NDArray[np.generic],
    pixel_size_nm: float,
    classifier: Classifier,
    *,
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, list[EvidenceMap | None]]:
    """Return the particle table with the crystallinity of its measured rows, and the evidence of each row.

    Parameters
    ----------
    table : DataFrame
        The particle table of one image.
    instances : sequence of Instance
        One per row.
    pixels : ndarray, shape (h, w)
        The image's own grey values.
    pixel_size_nm : float
        Edge of a pixel in nm.
    classifier : Classifier
        What is asked.
    progress : callable, optional
        Told the share of the particles that is done.

    Returns
    -------
    table : DataFrame
        Probabilities as the classifier gave them; class and reason at the certainty of `antema.domain.View`, which
        `called` changes.
    evidence : list of EvidenceMap or None
        One per row.

    Raises
    ------
    CannotAnalyse
        Where the classifier answers for another number of particles.
    """
    rows = [row for row, status in enumerate(table["status"]) if status == "measured"]
    evidence: list[EvidenceMap | None] = [None] * len(table)
    if not rows:
        return table, evidence
    found = classifier.classify(pixels, [instances[row] for row in rows], pixel_size_nm, progress=progress)
    sizes = {len(found.probabilities), len(found.lattice), len(found.hindrances), len(found.evidence)}
    if sizes != {len(rows)}:
        msg = f"crystallinity: expected an answer for {len(rows)} particles, found {sorted(sizes)}"
        raise CannotAnalyse(msg)
    columns = {name: table[name].to_numpy(dtype=np.float64, copy=True) for name in _PROBABILITIES}
    for place, name in enumerate(_PROBABILITIES):
        columns[name][rows] = found.probabilities[:, place]
    confidence = table["confidence"].to_numpy(dtype=np.float64, copy=True)
    # the largest of three numbers, NaN where there are none
    confidence[rows] = found.probabilities.max(axis=1)
    lattice = table["p_lattice_visible"].to_numpy(dtype=np.float64, copy=True)
    lattice[rows] = found.lattice
    reasons = table["crystallinity_reason"].to_numpy(dtype=object, copy=True)
    reasons[rows] = list(found.hindrances)
    for row, one in zip(rows, found.evidence, strict=True):
        evidence[row] = one
    more = {**columns, "confidence": confidence, "p_lattice_visible": lattice}
    classified = table.assign(**more, crystallinity_reason=pd.Series(reasons, index=table.index, dtype="str"))
    return called(classified, View().crystallinity_certainty), evidence


def called(table: pd.DataFrame, certainty: float) -> pd.DataFrame:
    """Return a particle table with class and reason as they are at a certainty.

    Parameters
    ----------
    table : DataFrame
        With the columns of crystallinity, from `classify_rows` or from a result that was kept.
    certainty : float
        Least probability that gives a class its name.

    Returns
    -------
    DataFrame
        The same rows, with categories where the reasons came as such; ``crystallinity`` and ``crystallinity_reason``
        follow from the probabilities alone, so that any certainty can be asked for after any other. What kept a
        particle from being asked about stays its reason.
    """
    reasons = table["crystallinity_reason"]
    stored = reasons.cat if isinstance(reasons.dtype, pd.CategoricalDtype) else pd.Categorical(reasons)
    known = ["" if reason in DOUBTS else str(reason) for reason in stored.categories]
    codes = np.asarray(stored.codes, dtype=np.intp)
    hindered = np.array([*(reason != "" for reason in known), False])[codes]
    classes, doubts = crystallinity_codes(
        table[_PROBABILITIES].to_numpy(dtype=np.float64, na_value=np.nan),
        table["p_lattice_visible"].to_numpy(dtype=np.float64, na_value=np.nan),
        hindered,
        certainty,
    )
    names = [*CRYSTALLINITIES, UNKNOWN, ""]
    whys = list(dict.fromkeys([*DOUBTS, "", *known]))
    place = np.array([whys.index(reason) for reason in [*known, ""]], dtype=np.intp)
    why = np.where(hindered, place[codes], np.where(doubts < 0, whys.index(""), doubts))
    found = {
        "crystallinity": pd.Categorical.from_codes(
            np.where(classes < 0, len(names) - 1, classes), dtype=pd.CategoricalDtype(names)
        ),
        "crystallinity_reason": pd.Categorical.from_codes(why, dtype=pd.CategoricalDtype(whys)),
    }
    if isinstance(reasons.dtype, pd.CategoricalDtype):
        return table.assign(**found)
    return table.assign(
        **{name: pd.Series(np.asarray(one), index=table.index, dtype="str") for name, one in found.items()}
    )
