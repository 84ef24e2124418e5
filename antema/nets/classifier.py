"""A trained classifier on the particles of a micrograph."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import AntemaError, Instance, NotFound
from antema.nets.card import ModelCard, find, verify
from antema.nets.certainty import Certainty
from antema.nets.classified import Classified, EvidenceMap
from antema.nets.network import keep_compiled
from antema.nets.particle_views import SAMPLING_NM, Cut, cut_out, view

Array = NDArray[np.float32]
Progress = Callable[[float], None]
"""Called with the share that is done, from 0 to 1."""

_FEW = (1, 4)
_BATCH_PX = 16 * 96**2
"""Pixels of the views that are classified at a time."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """A classifier of crystallinity ready for use; `load_classifier` gives one.

    Parameters
    ----------
    name : str
        The model's name.
    sha256 : str
        Digest of its weight file and of how its probabilities are calibrated.
    card : dict
        The model's card.
    certainty : Certainty
        What its logits are worth.
    least_nm, most_nm : float
        Equivalent diameters of the particles that it knows.
    coarsest_nm : float
        Pixel size from which on no lattice can be resolved.
    network : callable
        From views (n, side, side, 2) to the logits (n, 4), those of the places (n, rows, columns, 4) and the places'
        weights (n, rows, columns, 1).
    """

    name: str
    sha256: str
    card: dict[str, Any]
    certainty: Certainty
    least_nm: float
    most_nm: float
    coarsest_nm: float
    network: Callable[[Array], tuple[Array, Array, Array]] = field(repr=False)

    def classify(
        self,
        pixels: NDArray[np.generic],
        instances: Sequence[Instance],
        pixel_size_nm: float,
        *,
        progress: Progress | None = None,
    ) -> Classified:
        """Return what the particles of a micrograph are.

        Parameters
        ----------
        pixels : ndarray, shape (h, w)
            The micrograph's own grey values.
        instances : sequence of Instance
            Its particles.
        pixel_size_nm : float
            Edge of a pixel.
        progress : callable, optional
            Called with the share of the work that is done.
        """
        n = len(instances)
        probabilities, lattice = np.full((n, 3), np.nan), np.full(n, np.nan)
        evidence: list[EvidenceMap | None] = [None] * n
        hindrances = [self._hindrance(instance, pixel_size_nm) for instance in instances]
        free = [k for k in range(n) if not hindrances[k]]
        cuts: dict[int, Cut] = {}
        by_side: dict[int, list[int]] = {}
        for k in free:
            one = instances[k]
            cuts[k] = cut_out(pixels, one.mask, one.x, one.y, pixel_size_nm)
            side = cuts[k].side_px
            if side is None:
                hindrances[k] = "too_large"
            else:
                by_side.setdefault(side, []).append(k)
        done = 0
        for side, members in sorted(by_side.items()):
            at_once = max(_BATCH_PX // side**2, 1)
            for start in range(0, len(members), at_once):
                group = members[start : start + at_once]
                # one of few numbers of views, each of which is compiled for itself
                room = next((n for n in _FEW if len(group) <= n < at_once), at_once)
                views = np.zeros((room, side, side, 2), np.float32)
                for place, k in enumerate(group):
                    views[place] = view(cuts[k], side)
                logits, places, weights = self.network(views)
                probabilities[group] = self.certainty.probabilities(logits[: len(group)])
                lattice[group] = self.certainty.lattice(logits[: len(group)])
                for place, k in enumerate(group):
                    evidence[k] = self._evidence(places[place], weights[place], cuts[k], instances[k], side)
                done += len(group)
                if progress:
                    progress(done / len(free))
        return Classified(probabilities, lattice, tuple(hindrances), tuple(evidence))

    def _hindrance(self, instance: Instance, pixel_size_nm: float) -> str:
        if pixel_size_nm >= self.coarsest_nm:
            return "sampling_too_coarse"
        diameter_nm = 2 * np.sqrt(instance.area_px / np.pi) * pixel_size_nm
        if diameter_nm < self.least_nm:
            return "too_small"
        return "too_large" if diameter_nm > self.most_nm else ""

    def _evidence(self, places: Array, weights: Array, cut: Cut, instance: Instance, side: int) -> EvidenceMap:
        scaled = places[..., :3] / self.certainty.temperature + np.array(self.certainty.offsets)
        values = np.where(weights > 0, scaled - scaled.mean(axis=-1, keepdims=True), np.nan)
        side_px = side * SAMPLING_NM / (cut.extent_nm / max(instance.w, instance.h))
        middle_x, middle_y = instance.x + instance.w / 2, instance.y + instance.h / 2
        return EvidenceMap(middle_x - side_px / 2, middle_y - side_px / 2, side_px, side_px, values.astype(np.float16))


def load_classifier(name: str = "default") -> Classifier:
    """Return the classifier of crystallinity `name`.

    Raises
    ------
    NotFound
        Where there is no such model, or it is of another task.
    AntemaError
        Where its weight file is absent or another one, or does not fit.
    """
    card = verify(find(name, task="crystallinity").name)
    if card.task != "crystallinity":
        msg = f"model {card.name}: expected one of crystallinity, found one of {card.task}"
        raise NotFound(msg)
    try:
        certainty = Certainty.from_dict(card.content["probabilities"])
        knows = card.content["knows"]
        return Classifier(
            card.name,
            certainty.digest(card.sha256),
            dict(card.content),
            certainty,
            float(knows["least_nm"]),
            float(knows["most_nm"]),
            float(knows["coarsest_nm"]),
            classifier_network(card),
        )
    except (KeyError, TypeError, ValueError) as error:
        msg = f"model {card.name}: expected a classifier's card and weights that fit, found others ({error})"
        raise AntemaError(msg) from error


def classifier_network(card: ModelCard) -> Callable[[Array], tuple[Array, Array, Array]]:
    """Return the compiled network of a classifier's card, kept for this process; see `Classifier`.

    Raises
    ------
    KeyError, TypeError, ValueError
        Where architecture and weights do not fit.
    """
    return _network(json.dumps(card.content["architecture"]), card.weights_path, card.sha256)


@lru_cache(maxsize=4)
def _network(
    architecture: str,
    weights_path: Path,
    sha256: str,  # noqa: ARG001 - other weights in the same place are another network
) -> Callable[[Array], tuple[Array, Array, Array]]:
    import jax
    from flax import nnx

    from antema.nets.resnet import network_of_entry
    from antema.nets.weights import read, set_weights

    keep_compiled()
    network = nnx.eval_shape(lambda: network_of_entry(json.loads(architecture)))
    set_weights(network, read(weights_path))
    graph, state = nnx.split(network)

    @jax.jit
    def run(state: nnx.State, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        return nnx.merge(graph, state)(x)

    def answer(views: Array) -> tuple[Array, Array, Array]:
        logits, places, weights = run(state, views)
        return np.asarray(logits), np.asarray(places), np.asarray(weights)

    return answer
