"""The classifier of crystallinity as it learns: what it makes small, and its answers."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from antema.nets.resnet import ParticleResNet, network_of_entry
from antema.nets.weights import Weights
from antema.training.crop_sets import ViewBatch, Views
from antema.training.learner import Learner

LATTICE_SHARE = 0.3
"""How much the question for a visible lattice counts beside the class."""
_PASSES = 512


def classifier_loss(
    network: ParticleResNet,
    views: jax.Array,
    classes: jax.Array,
    visible: jax.Array,
    visible_weight: jax.Array,
) -> jax.Array:
    """Return cross-entropy of the class, and of whether a lattice can be seen where that is known."""
    logits = network(views)[0]
    of_class = optax.softmax_cross_entropy(logits[:, :3], classes).mean()
    of_lattice = optax.sigmoid_binary_cross_entropy(logits[:, 3], visible) * visible_weight
    return of_class + LATTICE_SHARE * of_lattice.sum() / jnp.maximum(visible_weight.sum(), 1)


def arrays(batch: ViewBatch) -> tuple[jax.Array, ...]:
    """Return the parts of a batch in the order that the loss takes."""
    return tuple(jnp.asarray(part) for part in (batch.views, batch.classes, batch.visible, batch.visible_weight))


def learner_of(entry: Mapping[str, Any], *, start: Weights | None = None, seed: int = 0) -> Learner:
    """Return a network that learns to classify, from the ``architecture`` entry of a card, anew or from weights on."""
    return Learner(lambda: network_of_entry(entry, trainable=True), classifier_loss, start=start, seed=seed)


def logits_of(
    answer: Callable[[tuple[jax.Array, ...]], jax.Array], views: Views
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return logits, classes and visibility (NaN where not known) of all views as they are."""
    logits: list[np.ndarray] = []
    classes: list[np.ndarray] = []
    visible: list[np.ndarray] = []
    for batch in views.plain():
        n, side = batch.views.shape[:2]
        at_once = max(_PASSES * 32**2 // side**2, 4)
        padded = np.concatenate([batch.views, np.zeros((-n % at_once, *batch.views.shape[1:]), np.float32)])
        parts = [np.asarray(answer((jnp.asarray(part),))) for part in np.split(padded, len(padded) // at_once)]
        logits.append(np.concatenate(parts)[:n])
        classes.append(batch.classes.argmax(axis=1))
        visible.append(np.where(batch.visible_weight > 0, batch.visible, np.nan))
    return np.concatenate(logits), np.concatenate(classes), np.concatenate(visible)
