"""What training of a segmentation network makes small."""

import jax
import jax.numpy as jnp
import optax


def segmentation_loss(logits: jax.Array, particle: jax.Array, weight: jax.Array) -> jax.Array:
    """Return binary cross-entropy plus half of one minus the soft Dice of the batch.

    Cross-entropy against shares of pixels puts the contour of probability 1/2 on the true outline; Dice keeps small
    particles from drowning in the ground.

    Parameters
    ----------
    logits, particle, weight : Array, shape (n, h, w)
        Network's output, share of each pixel that is particle, and how far that is believed.
    """
    entropy = (optax.sigmoid_binary_cross_entropy(logits, particle) * weight).sum() / weight.sum()
    probability = jax.nn.sigmoid(logits)
    common = (probability * particle * weight).sum()
    both = ((probability + particle) * weight).sum()
    return entropy + 0.5 * (1 - (2 * common + 1) / (both + 1))


def pixel_counts(logits: jax.Array, particle: jax.Array, weight: jax.Array) -> jax.Array:
    """Return how many believed pixels are truly particle, wrongly particle and wrongly ground, shape (3,)."""
    found, true, counts = logits > 0, particle >= 0.5, weight > 0.5
    return jnp.stack([(found & true & counts).sum(), (found & ~true & counts).sum(), (~found & true & counts).sum()])
