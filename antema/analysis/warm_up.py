"""Compiling ahead what an analysis would compile at its first run: ``python -m antema.analysis.warm_up``.

`make run` and `make test` do so when they set up the environment, so that nobody's first analysis waits for it.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.analysis.pipeline import analyse_mask, analyse_segmentation
from antema.analysis.segmentation import Segmentation
from antema.domain import Micrograph, PixelSize, Recipe
from antema.domain.recipe import CONVENTIONS, SEPARATIONS
from antema.nets.proposals import N_RAYS, Proposals, each_once

_SHAPE = (160, 224)
# single, overlapping by a fifth, touching in a chain, cut by the border
_DISCS = ((40, 40, 15), (100, 40, 15), (124, 40, 15), (40, 110, 12), (64, 110, 12), (52, 131, 12), (220, 90, 12))


def warm_up() -> None:
    """Analyse a small made field by every convention and separation."""
    rows, columns = np.mgrid[: _SHAPE[0], : _SHAPE[1]] + 0.5
    outside = np.min([np.hypot(columns - x, rows - y) - radius for x, y, radius in _DISCS], axis=0)
    probability = np.clip(0.5 - outside, 0, 1).astype(np.float32)
    covered = np.zeros(_SHAPE, dtype=np.bool_)
    model = {"name": "drawn", "sha256": "", "threshold": 0.5}
    grey = 40000 * (1 - probability) + 10000
    contact = np.zeros(_SHAPE, dtype=np.float32)
    contact[25:55, 111:114] = 1
    proposed = _proposed(probability > 0.5)
    recipes = [
        Recipe(convention=each, separation=way)
        for each in CONVENTIONS
        for way in SEPARATIONS
        if (each, way) != ("antema", "network")
    ]
    for recipe in recipes:
        analyse_mask(probability > 0.5, PixelSize(0.1, "drawn"), recipe, contact=contact)
        for kind in (np.uint8, np.uint16, np.float32):
            micrograph = Micrograph((grey / 256).astype(kind), PixelSize(0.1, "drawn"), "warm-up", "")
            segmentation = Segmentation(micrograph.pixels, probability, covered, contact=contact)
            analyse_segmentation(micrograph, segmentation, model, recipe)
            analyse_segmentation(micrograph, replace(segmentation, **proposed), model, recipe)


def _proposed(particle: NDArray[np.bool_]) -> dict[str, Any]:
    """Return what a network that finds particles one by one would say of the field."""
    n = len(_DISCS)
    places = np.array(_DISCS, np.float32)
    proposals = Proposals(
        places[:, :2],
        np.repeat(places[:, 2:], N_RAYS, axis=1),
        np.ones(n, np.float32),
        np.ones(n, np.float32),
        np.zeros(n, np.int64),
        np.ones(n, np.float32),
    )
    votes = np.zeros((_SHAPE[0] // 2, _SHAPE[1] // 2, 2), np.float32)
    return {"proposals": each_once(proposals, particle), "offsets": ((1.0, votes),)}


if __name__ == "__main__":
    warm_up()
