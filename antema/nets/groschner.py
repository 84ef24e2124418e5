"""The U-Net of Groschner, Choi and Scott, "Methodologies for Successful Segmentation of HRTEM Images" (2021)."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx

from antema.nets.layers import ConvUnit

KIND = "groschner-unet"
FEATURES = (4, 8, 16, 32)
STRIDE = 2 ** len(FEATURES)
"""Sides of an input must be multiples of this many pixels."""
REACH_PX = 96
"""A pixel of the output depends on no input pixel further away than this (for `FEATURES`)."""


class GroschnerUNet(nnx.Module):
    """U-Net whose way down pools before it rectifies.

    For inference alone: batch normalisation is folded into the convolutions, dropout left out.

    Parameters
    ----------
    features : sequence of int
        Channels at strides 1, 2, 4 ...
    n_channels, n_classes : int
        Channels of the input and classes of the output.
    precision : lax.Precision, optional
        Of the products; ``HIGHEST`` gives the published network's numbers on a GPU, too.
    """

    def __init__(
        self,
        *,
        features: Sequence[int] = FEATURES,
        n_channels: int = 1,
        n_classes: int = 2,
        precision: jax.lax.Precision | None = None,
        rngs: nnx.Rngs,
    ) -> None:
        def unit(n_in: int, n_out: int, *, rectified: bool = True) -> ConvUnit:
            return ConvUnit(n_in, n_out, rectified=rectified, trainable=False, precision=precision, rngs=rngs)

        self.n_channels = n_channels
        inputs = (n_channels, *features[:-1])
        self.down = nnx.List([unit(a, b, rectified=False) for a, b in zip(inputs, features, strict=True)])
        self.centre = nnx.List([unit(features[-1], features[-1]) for _ in range(2)])
        outputs = tuple(reversed(features))
        below = (features[-1], *outputs[:-1])
        self.up = nnx.List([nnx.List([unit(a + b, b), unit(b, b)]) for a, b in zip(below, outputs, strict=True)])
        self.scores = nnx.Conv(features[0], n_classes, (1, 1), precision=precision, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Return the scores of the classes.

        Parameters
        ----------
        x : Array, shape (n, h, w, n_channels)
            Normalised image; h and w multiples of 2**len(features).

        Returns
        -------
        Array, shape (n, h, w, n_classes)
            Logarithms of the classes' probabilities up to a constant of each pixel: a softmax gives these.
        """
        skips: list[jax.Array] = []
        for unit in self.down:
            x = unit(x)
            skips.append(jax.nn.relu(x))
            n, h, w, c = x.shape
            x = x.reshape(n, h // 2, 2, w // 2, 2, c).max(axis=(2, 4))
        for unit in self.centre:
            x = unit(x)
        for first, second in self.up:
            x = jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)
            x = second(first(jnp.concatenate([skips.pop(), x], axis=-1)))
        return self.scores(x)
