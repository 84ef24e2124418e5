"""Teaching a network that finds particles one by one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from antema.nets.architectures import ARCHITECTURES
from antema.nets.outlines import OutlineUNet
from antema.nets.proposals import OFFSET_UNIT_PX
from antema.nets.weights import Weights
from antema.training.learner import Learner
from antema.training.loop import Schedule, run
from antema.training.loss import pixel_loss
from antema.training.outline_tiles import OutlineBatch, outline_batch_of
from antema.training.segmentation import Trained
from antema.training.sources import DividedSet

CONTACT_SHARE, ATOMS_SHARE = 0.3, 0.3
OFFSET_SHARE, MIDDLE_SHARE, RAY_SHARE, OVERLAP_SHARE = 0.4, 1.0, 0.5, 0.2
"""What the parts of the loss count beside that of the visible particle."""


def outline_loss(network: OutlineUNet, *arrays: jax.Array) -> jax.Array:
    """Return the loss of a batch, its parts in the order of `OutlineBatch`.

    Maps by cross-entropy and soft Dice; middles by cross-entropy against their height; rays by the absolute error of
    their logarithm and one minus the overlap of the polygons; offsets by their absolute error in radii of the particle;
    the overlap that is foretold by cross-entropy against the one that the rays have.
    """
    b = OutlineBatch(*arrays)
    answers = network.answers(b.pixels)
    maps, found = answers.maps, answers.objects
    loss = pixel_loss(maps[..., 0], b.particle, b.weight)
    loss += CONTACT_SHARE * pixel_loss(maps[..., 1], b.contact, b.contact_weight)
    loss += ATOMS_SHARE * pixel_loss(maps[..., 2], b.atoms, b.atoms_weight)
    middle = optax.sigmoid_binary_cross_entropy(found[..., 0], b.middle) - _entropy(b.middle)
    loss += MIDDLE_SHARE * _mean(middle, b.middle_weight)
    log_rays = found[..., 2:]
    known = b.ray_weight.sum(-1)
    error = (jnp.abs(log_rays - jnp.log(b.rays)) * b.ray_weight).sum(-1)
    overlap = polygon_overlap(jnp.exp(jnp.clip(log_rays, -2, 6)), b.rays, b.ray_weight)
    has_rays = (known > 0).astype(jnp.float32) * b.middle
    loss += RAY_SHARE * (error.sum() / jnp.maximum(known.sum(), 1) + _mean(1 - overlap, has_rays))
    foretold = optax.sigmoid_binary_cross_entropy(found[..., 1], jax.lax.stop_gradient(overlap))
    loss += OVERLAP_SHARE * _mean(foretold, has_rays)
    away = jnp.sqrt(((answers.offsets * OFFSET_UNIT_PX - b.offsets) ** 2).sum(-1) + 1e-2)
    loss += OFFSET_SHARE * (away * b.offset_weight).sum() / jnp.maximum((b.offset_weight > 0).sum(), 1)
    return loss


def polygon_overlap(rays: jax.Array, true: jax.Array, weight: jax.Array) -> jax.Array:
    """Return the intersection over union of polygons around one centre, (...), from their rays (..., n)."""
    weight = (weight > 0).astype(jnp.float32)
    both = (jnp.minimum(rays, true) ** 2 * weight).sum(-1)
    either = (jnp.maximum(rays, true) ** 2 * weight).sum(-1)
    return both / jnp.maximum(either, 1e-3)


def _entropy(p: jax.Array) -> jax.Array:
    p = jnp.clip(p, 1e-6, 1 - 1e-6)
    return -(p * jnp.log(p) + (1 - p) * jnp.log(1 - p))


def _mean(values: jax.Array, weight: jax.Array) -> jax.Array:
    return (values * weight).sum() / jnp.maximum(weight.sum(), 1)


def _scores(network: OutlineUNet, *arrays: jax.Array) -> jax.Array:
    """Return sums of which `scores_of` makes means, shape (9,)."""
    b = OutlineBatch(*arrays)
    answers = network.answers(b.pixels)
    found, true, counts = answers.maps[..., 0] > 0, b.particle >= 0.5, b.weight > 0.5
    rays = jnp.exp(jnp.clip(answers.objects[..., 2:], -2, 6))
    overlap = polygon_overlap(rays, b.rays, b.ray_weight)
    near = ((b.ray_weight.sum(-1) > 0) & (b.middle > 0.5)).astype(jnp.float32)
    error = jnp.abs(jax.nn.sigmoid(answers.objects[..., 0]) - b.middle)
    away = jnp.sqrt(((answers.offsets * OFFSET_UNIT_PX - b.offsets) ** 2).sum(-1))
    return jnp.stack(
        [
            (found & true & counts).sum(),
            (found & ~true & counts).sum(),
            (~found & true & counts).sum(),
            (overlap * near).sum(),
            near.sum(),
            (error * b.middle_weight).sum(),
            b.middle_weight.sum(),
            (away * b.offset_weight).sum(),
            (b.offset_weight > 0).sum(),
        ]
    ).astype(jnp.float32)


def scores_of(sums: np.ndarray) -> dict[str, float]:
    """Return Dice, mean overlap of polygons, mean errors of middles and of offsets (in radii)."""
    both, wrong, missed, overlap, near, middle, n, away, m = sums.tolist()
    return {
        "dice": 2 * both / max(2 * both + wrong + missed, 1),
        "polygon_overlap": overlap / max(near, 1),
        "middle_error": middle / max(n, 1),
        "offset_error": away / max(m, 1),
    }


def arrays_of(batch: OutlineBatch) -> tuple[jax.Array, ...]:
    """Return the parts of a batch in the order that the loss takes."""
    return tuple(jnp.asarray(getattr(batch, part.name)) for part in fields(OutlineBatch))


def learn_outlines(
    sets: Sequence[DividedSet],
    folder: Path,
    *,
    schedule: Schedule,
    entry: Mapping[str, Any],
    start: Weights | None = None,
    shares: Sequence[float] | None = None,
    seed: int = 0,
    progress: Callable[[float, str], None] | None = None,
) -> Trained:
    """Teach a network, or go on where the checkpoint in `folder` stands; the arguments are those of `learn`.

    Parameters
    ----------
    shares : sequence of float or None
        How often each set is drawn; None: in proportion to the square root of its size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    learn_sets = [each.learned or each.held_out for each in sets]
    architecture = ARCHITECTURES[entry["kind"]]
    learner = Learner(lambda: architecture.build(entry, trainable=True), outline_loss, start=start, seed=seed)
    ask = learner.asked(_scores)
    checks = {
        each.name: [outline_batch_of([each.held_out], k, seed=seed + 1, n=8, disturb=False) for k in range(4)]
        for each in sets
        if each.held_out
    }

    def scores() -> dict[str, dict[str, float]]:
        return {
            name: scores_of(np.sum([np.asarray(ask(arrays_of(batch))) for batch in batches], axis=0))
            for name, batches in checks.items()
        }

    def make(step: int) -> OutlineBatch:
        return outline_batch_of(learn_sets, step, seed=seed, n=schedule.batch, side=schedule.side_px, shares=shares)

    history, reached = run(
        learner,
        make,
        arrays_of,
        scores,
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
