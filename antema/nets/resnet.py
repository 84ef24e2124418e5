"""Residual networks that classify particles, place by place (He et al. 2016, arXiv:1512.03385).

Three things differ from the published ones. The first convolution keeps the resolution and what follows it averages:
the finest fringes are three pixels wide, and a stride would fold them onto each other. Strides end at 1/8 of the width,
further stages are dilated, since particles are small. And the classes' logits are given for each place of the particle
and averaged over its mask, after each place was told mean and spread of the features over the whole particle: whether a
lattice is one or several is a question of places far apart, and what speaks for the answer can be shown on a map.

Beside what it learns to see, the network is given the power of the image around each place at the frequencies that
lattices have: a Fourier transform with a window, which no network has to find out by itself.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from antema.nets.layers import ConvUnit
from antema.nets.particle_views import SAMPLING_NM

KIND = "resnet-particles"
STRIDE = 8
"""Sides of an input must be multiples of this many pixels."""
BLOCKS: Mapping[int, tuple[int, int, int, int]] = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
"""Residual blocks of each of the four stages, by the network's published depth; from 50 on they are bottlenecks."""
_STRIDES, _DILATIONS = (1, 2, 2, 1), (1, 1, 1, 2)
_BOTTLENECK = 4
_SPACINGS_NM = (0.30, 0.257, 0.235, 0.215, 0.2, 0.17, 0.143)
"""At which power is told: those of metals' lattices are 0.22 to 0.24, 0.19 to 0.21 and 0.13 to 0.15 nm."""
_DIRECTIONS = 16
_WINDOW_NM = 0.36
"""Standard deviation of the window."""
_FAINT = 0.1
"""Power, in that of noise of the particle's contrast, below which differences do not matter."""
_EPSILON = 1e-3


class _Block(nnx.Module):
    """Convolutions beside a shortcut: two of 3 x 3, or one between a narrowing and a widening one of 1 x 1."""

    def __init__(
        self, n_in: int, n_out: int, *, stride: int, dilation: int, narrow: bool, trainable: bool, rngs: nnx.Rngs
    ) -> None:
        common: dict[str, Any] = {"trainable": trainable, "rngs": rngs}
        if narrow:
            inner = n_out // _BOTTLENECK
            units = [
                ConvUnit(n_in, inner, kernel_px=1, **common),
                ConvUnit(inner, inner, stride=stride, dilation=dilation, **common),
                ConvUnit(inner, n_out, kernel_px=1, rectified=False, **common),
            ]
        else:
            units = [
                ConvUnit(n_in, n_out, stride=stride, dilation=dilation, **common),
                ConvUnit(n_out, n_out, dilation=dilation, rectified=False, **common),
            ]
        self.units = nnx.List(units)
        fits = n_in == n_out and stride == 1
        self.shortcut = None if fits else ConvUnit(n_in, n_out, kernel_px=1, stride=stride, rectified=False, **common)

    def __call__(self, x: jax.Array) -> jax.Array:
        shortcut = x if self.shortcut is None else self.shortcut(x)
        for unit in self.units:
            x = unit(x)
        return jax.nn.relu(x + shortcut)


class ParticleResNet(nnx.Module):
    """A residual network for particles with their masks.

    Parameters
    ----------
    depth : int
        A key of `BLOCKS`.
    features : tuple of int
        Of the stem and of the four stages; bottlenecks are a quarter as wide inside.
    n_outputs : int
        Questions that it answers.
    trainable : bool
        Whether the convolutions carry batch normalisation.
    """

    def __init__(
        self,
        *,
        depth: int = 18,
        features: tuple[int, int, int, int, int] = (24, 24, 48, 96, 128),
        n_outputs: int = 4,
        trainable: bool = False,
        rngs: nnx.Rngs,
    ) -> None:
        self.stem = ConvUnit(2, features[0], kernel_px=7, trainable=trainable, rngs=rngs)
        stages: list[nnx.List] = []
        n_in = features[0]
        for blocks, n_out, stride, dilation in zip(BLOCKS[depth], features[1:], _STRIDES, _DILATIONS, strict=True):
            stage = []
            for k in range(blocks):
                first = k == 0
                stage.append(
                    _Block(
                        n_in,
                        n_out,
                        stride=stride if first else 1,
                        dilation=dilation,
                        narrow=depth >= 50,  # noqa: PLR2004 - as published
                        trainable=trainable,
                        rngs=rngs,
                    )
                )
                n_in = n_out
            stages.append(nnx.List(stage))
        self.stages = nnx.List(stages)
        self.power = ConvUnit(
            len(_SPACINGS_NM) * _DIRECTIONS, features[2], kernel_px=1, rectified=False, trainable=trainable, rngs=rngs
        )
        self.whole = nnx.Linear(2 * n_in, n_in, rngs=rngs)
        self.local = ConvUnit(n_in, n_in // 2, kernel_px=1, trainable=trainable, rngs=rngs)
        self.head = nnx.Conv(n_in // 2, n_outputs, (1, 1), rngs=rngs)

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Return the logits of the particles, and those of their places.

        Parameters
        ----------
        x : Array, shape (n, h, w, 2)
            Normalised grey values, and the mask from 0 to 1; h and w multiples of 8.

        Returns
        -------
        (Array, Array, Array)
            Logits (n, n_outputs); logits of the places (n, h / 8, w / 8, n_outputs); the places' weights
            (n, h / 8, w / 8, 1), whose sum is 1: the first are the mean of the second by these.
        """
        weights = _mean_of_blocks(x[..., 1:], STRIDE)
        weights = weights / jnp.maximum(weights.sum(axis=(1, 2), keepdims=True), _EPSILON)
        power = self.power(local_power(x[..., :1]))
        x = _mean_of_blocks(self.stem(x), 2)
        for number, stage in enumerate(self.stages):
            for block in stage:
                x = block(x)
            x = x + power if number == 1 else x
        mean = (x * weights).sum(axis=(1, 2))
        variance = ((x - mean[:, None, None]) ** 2 * weights).sum(axis=(1, 2))
        whole = self.whole(jnp.concatenate([mean, jnp.sqrt(variance + _EPSILON)], axis=-1))
        places = self.head(self.local(jax.nn.relu(x + whole[:, None, None])))
        return (places * weights).sum(axis=(1, 2)), places, weights


def local_power(grey: jax.Array) -> jax.Array:
    """Return the logarithm of the power around every fourth pixel at the frequencies of lattices.

    Parameters
    ----------
    grey : Array, shape (n, h, w, 1)
        Normalised grey values, sampled as `antema.nets.particle_views` does.

    Returns
    -------
    Array, shape (n, h / 4, w / 4, spacings x directions)
        1 under the logarithm is the mean power of white noise of standard deviation 1.
    """
    filters = jnp.asarray(_filters())
    reach = filters.shape[0] // 2
    waves = jax.lax.conv_general_dilated(
        jax.lax.stop_gradient(grey),
        filters,
        (4, 4),
        ((reach - 1, reach - 2), (reach - 1, reach - 2)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    n = filters.shape[-1] // 2
    return jnp.log(waves[..., :n] ** 2 + waves[..., n:] ** 2 + _FAINT)


def _filters() -> NDArray[np.float32]:
    """Return waves under a window, cosines before sines, shape (side, side, 1, 2 x spacings x directions)."""
    reach = round(2.5 * _WINDOW_NM / SAMPLING_NM)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1] * SAMPLING_NM
    window = np.exp(-(x**2 + y**2) / (2 * _WINDOW_NM**2))
    angles = np.arange(_DIRECTIONS) * np.pi / _DIRECTIONS
    phases = [
        2 * np.pi * (np.cos(angle) * x + np.sin(angle) * y) / spacing for spacing in _SPACINGS_NM for angle in angles
    ]
    both = np.stack([function(phase) * window for function in (np.cos, np.sin) for phase in phases], axis=-1)
    both -= window[..., None] * (both.sum(axis=(0, 1)) / window.sum())
    both /= np.sqrt(2 * (both**2).sum(axis=(0, 1)))
    return both[:, :, None].astype(np.float32)


def _mean_of_blocks(x: jax.Array, px: int) -> jax.Array:
    n, h, w, c = x.shape
    return x.reshape(n, h // px, px, w // px, px, c).mean(axis=(2, 4))


def all_ways(network: ParticleResNet, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return what `network` says of particles, as the mean of what it says of them in each of four quarter turns.

    A particle is what it is, however it lies; square views (n, side, side, 2) are expected.
    """
    n = x.shape[0]
    _, places, weights = network(jnp.concatenate([jnp.rot90(x, k, (1, 2)) for k in range(4)]))
    back = [jnp.rot90(places[k * n : (k + 1) * n], -k, (1, 2)) for k in range(4)]
    places, weights = jnp.mean(jnp.stack(back), axis=0), weights[:n]
    return (places * weights).sum(axis=(1, 2)), places, weights


def network_of_entry(entry: Mapping[str, Any], *, trainable: bool = False) -> ParticleResNet:
    """Return the network of a card's ``architecture`` entry, to be called in `nnx.eval_shape`."""
    return ParticleResNet(
        depth=entry["depth"], features=tuple(entry["features"]), trainable=trainable, rngs=nnx.Rngs(0)
    )
