"""The segmentation network: a small U-Net that starts and ends at half resolution.

Halving happens by moving 2 x 2 pixels into channels, and the last layer moves four channels back into 2 x 2 pixels:
no pixel is thrown away, so that outlines stay sharp below a pixel while every convolution works on a quarter of
the pixels. There is no normalisation over the image at inference (batch statistics are folded into the
convolutions), hence a window of a micrograph gives the same probabilities as the whole of it.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx

from antema.nets.layers import ConvUnit

FEATURES = (16, 32, 64, 96, 128)
STRIDE = 2 ** len(FEATURES)
"""Sides of an input must be multiples of this many pixels."""
REACH_PX = 224
"""A pixel of the output depends on no input pixel further away than this (for `FEATURES`)."""


class UNet(nnx.Module):
    """U-Net from normalised grey values to logits of "particle" and what else it is asked.

    Parameters
    ----------
    features : sequence of int
        Channels at strides 2, 4, 8 ...
    n_outputs : int
        Questions that are answered for each pixel, each by a logit.
    trainable : bool
        Whether the convolutions carry batch normalisation.
    """

    def __init__(
        self, *, features: Sequence[int] = FEATURES, n_outputs: int = 1, trainable: bool = False, rngs: nnx.Rngs
    ) -> None:
        def pair(n_in: int, n_out: int) -> nnx.List:
            return nnx.List(
                [
                    ConvUnit(n_in, n_out, trainable=trainable, rngs=rngs),
                    ConvUnit(n_out, n_out, trainable=trainable, rngs=rngs),
                ]
            )

        inputs = (4, *features[:-1])
        self.down = nnx.List([pair(a, b) for a, b in zip(inputs, features, strict=True)])
        shallower = list(reversed(features[:-1]))
        deeper = list(reversed(features[1:]))
        self.across = nnx.List([nnx.Conv(a, b, (1, 1), rngs=rngs) for a, b in zip(deeper, shallower, strict=True)])
        self.up = nnx.List([pair(b, b) for b in shallower])
        self.head = nnx.Conv(features[0], 4 * n_outputs, (3, 3), padding="SAME", rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Return logits.

        Parameters
        ----------
        x : Array, shape (n, h, w)
            Normalised grey values; h and w multiples of 2**len(features).

        Returns
        -------
        Array, shape (n, h, w, n_outputs)
            Logits: above 0 is yes.
        """
        return channels_to_pixels(self.head(self.decoded(x)[-1]))

    def decoded(self, x: jax.Array) -> list[jax.Array]:
        """Return the features of `x` (n, h, w) on the way up, the last of them at half resolution."""
        skips = self._down(x)
        x = skips.pop()
        levels = []
        for across, (first, second) in zip(self.across, self.up, strict=True):
            x = twice(across(x)) + skips.pop()
            x = second(first(x))
            levels.append(x)
        return levels

    def encoded(self, x: jax.Array) -> list[jax.Array]:
        """Return the features of `x` (n, h, w) on the way down, each (n, h / stride, w / stride, features)."""
        return self._down(x)

    def _down(self, x: jax.Array) -> list[jax.Array]:
        x = _pixels_to_channels(x)
        levels: list[jax.Array] = []
        for level, (first, second) in enumerate(self.down):
            if level:
                x = _max_pool(x)
            x = second(first(x))
            levels.append(x)
        return levels


def _pixels_to_channels(x: jax.Array) -> jax.Array:
    n, h, w = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2).transpose(0, 1, 3, 2, 4).reshape(n, h // 2, w // 2, 4)


def channels_to_pixels(x: jax.Array) -> jax.Array:
    """Return `x` (n, h, w, 4 c) as (n, 2 h, 2 w, c)."""
    n, h, w, c = x.shape
    return x.reshape(n, h, w, 2, 2, c // 4).transpose(0, 1, 3, 2, 4, 5).reshape(n, 2 * h, 2 * w, c // 4)


def _max_pool(x: jax.Array) -> jax.Array:
    # the gradient of a maximum over a reshaped axis is several times faster on a CPU than that of max_pool
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).max(axis=(2, 4))


def twice(x: jax.Array) -> jax.Array:
    """Return `x` (n, h, w, c) with every pixel repeated to 2 x 2."""
    return jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)
