"""Teaching the segmentation network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from antema.nets.architectures import ARCHITECTURES
from antema.nets.weights import Weights
from antema.training.learner import Learner
from antema.training.loop import Schedule, run
from antema.training.loss import pixel_counts, segmentation_loss
from antema.training.sources import DividedSet
from antema.training.tiles import Batch, Tiling, batch_of


@dataclass(frozen=True, eq=False)
class Trained:
    """The end of a run: the inference network's weights, how it went, and on what."""

    weights: dict[str, np.ndarray]
    history: list[dict[str, Any]]
    progress: dict[str, Any]
    learned_from: dict[str, int]
    held_out: dict[str, int]


def learner_of(entry: Mapping[str, Any], *, start: Weights | None = None, seed: int = 0) -> Learner:
    """Return a network that learns to segment.

    Parameters
    ----------
    entry : mapping
        The ``architecture`` of a card.
    start : dict or None
        Weights to go on from.
    seed : int
        Of the first weights.
    """
    architecture = ARCHITECTURES[entry["kind"]]

    def loss(network: nnx.Module, pixels: jax.Array, *labels: jax.Array) -> jax.Array:
        return segmentation_loss(architecture.logits(network, pixels, 0), *labels)

    return Learner(lambda: architecture.build(entry, trainable=True), loss, start=start, seed=seed)


def scorer_of(learner: Learner, entry: Mapping[str, Any]) -> Callable[[Sequence[Batch]], dict[str, float]]:
    """Return what gives IoU and Dice of particles over batches at probability 1/2, and IoU of seams."""
    architecture = ARCHITECTURES[entry["kind"]]

    def counts_of(
        network: nnx.Module,
        pixels: jax.Array,
        particle: jax.Array,
        weight: jax.Array,
        contact: jax.Array,
        contact_weight: jax.Array,
    ) -> jax.Array:
        logits = architecture.logits(network, pixels, 0)
        counts = [pixel_counts(logits[..., 0], particle, weight)]
        if logits.shape[-1] > 1:
            counts.append(pixel_counts(logits[..., 1], contact, contact_weight))
        return jnp.stack(counts)

    count = learner.asked(counts_of)

    def score(batches: Sequence[Batch]) -> dict[str, float]:
        counts = [np.asarray(count(arrays(batch))) for batch in batches]
        ious = [both / max(both + wrong + missed, 1) for both, wrong, missed in np.sum(counts, axis=0).tolist()]
        scores = {"iou": ious[0], "dice": 2 * ious[0] / (1 + ious[0])}
        return scores | ({"contact_iou": ious[1]} if len(ious) > 1 else {})

    return score


def arrays(batch: Batch) -> tuple[jax.Array, ...]:
    """Return the parts of a batch in the order that the learner's loss takes."""
    parts = (batch.pixels, batch.particle, batch.weight, batch.contact, batch.contact_weight)
    return tuple(jnp.asarray(part) for part in parts)


def learn(
    sets: Sequence[DividedSet],
    folder: Path,
    *,
    schedule: Schedule,
    entry: Mapping[str, Any],
    start: Weights | None = None,
    seed: int = 0,
    tiling: Tiling | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Trained:
    """Teach a network, or go on teaching where the checkpoint in `folder` stands.

    Parameters
    ----------
    sets : sequence of DividedSet
        Images to learn from and images held out.
    folder : Path
        Gets ``checkpoint.npz`` and ``training.jsonl``.
    schedule : Schedule
        How long and how fast.
    entry : mapping
        The ``architecture`` of the network's card.
    start : dict or None
        Weights of an inference network to go on from, with its batch statistics as they are; None: random ones.
    seed : int
        Of the first weights and of the tiles.
    tiling : Tiling or None
        How tiles are made of images; None: as it is by itself.
    progress : callable or None
        Called with (share done, words).
    """
    folder.mkdir(parents=True, exist_ok=True)
    # a small set of which chance held out everything is learned from all the same
    learn_sets = [each.learned or each.held_out for each in sets]
    learner = learner_of(entry, start=start, seed=seed)
    score = scorer_of(learner, entry)
    checks = {
        each.name: [batch_of([each.held_out], k, seed=seed + 1, n=16, disturb=False) for k in range(4)]
        for each in sets
        if each.held_out
    }

    history, reached = run(
        learner,
        lambda step: batch_of(learn_sets, step, seed=seed, n=schedule.batch, side=schedule.side_px, tiling=tiling),
        arrays,
        lambda: {name: score(batches) for name, batches in checks.items()},
        folder,
        schedule=schedule,
        seed=seed,
        always_settled=start is not None,
        progress=progress,
    )
    return Trained(
        weights=learner.weights(),
        history=history,
        progress=reached,
        learned_from={each.name: len(images) for each, images in zip(sets, learn_sets, strict=True)},
        held_out={each.name: len(each.held_out) for each in sets},
    )
