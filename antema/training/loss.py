"""What training of a segmentation network makes small."""

import jax
import jax.numpy as jnp
import optax

DICE_SHARE = 0.3
"""How much of the soft Dice is added: enough to keep small particles, little enough to leave probabilities honest."""
CONTACT_SHARE = 0.3


def segmentation_loss(
    logits: jax.Array,
    particle: jax.Array,
    weight: jax.Array,
    contact: jax.Array | None = None,
    contact_weight: jax.Array | None = None,
) -> jax.Array:
    """Return the loss of a batch: that of "particle", and that of "contact" where the network has it.

    Parameters
    ----------
    logits : Array, shape (n, h, w, 1 or 2)
        Network's output.
    particle, weight : Array, shape (n, h, w)
        Share of each pixel that is particle, and how far that is believed.
    contact, contact_weight : Array, shape (n, h, w), or None
        Seams between particles, and how far they are believed.
    """
    loss = pixel_loss(logits[..., 0], particle, weight)
    if logits.shape[-1] == 1 or contact is None or contact_weight is None:
        return loss
    return loss + CONTACT_SHARE * pixel_loss(logits[..., 1], contact, contact_weight)


def pixel_loss(logits: jax.Array, true: jax.Array, weight: jax.Array) -> jax.Array:
    """Return binary cross-entropy plus a share of one minus the soft Dice of the batch.

    Cross-entropy against shares of pixels puts the contour of probability 1/2 on the true outline; Dice keeps small
    particles, and thin seams, from drowning in the ground.
    """
    entropy = (optax.sigmoid_binary_cross_entropy(logits, true) * weight).sum() / jnp.maximum(weight.sum(), 1)
    probability = jax.nn.sigmoid(logits)
    common = (probability * true * weight).sum()
    both = ((probability + true) * weight).sum()
    return entropy + DICE_SHARE * (1 - (2 * common + 1) / (both + 1))


def pixel_counts(logits: jax.Array, particle: jax.Array, weight: jax.Array) -> jax.Array:
    """Return how many believed pixels are truly particle, wrongly particle and wrongly ground, shape (3,)."""
    found, true, counts = logits > 0, particle >= 0.5, weight > 0.5
    return jnp.stack([(found & true & counts).sum(), (found & ~true & counts).sum(), (~found & true & counts).sum()])
