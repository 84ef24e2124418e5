"""Residual networks that classify particles, place by place (He et al. 2016, arXiv:1512.03385).

Three things differ from the published ones. The first convolution keeps the resolution and what follows it averages:
the finest fringes are three pixels wide, and a stride would fold them onto each other. Strides end at 1/8 of the width,
further stages are dilated, since particles are small. And the classes' logits are given for each place of the particle
and averaged over its mask, after each place was told mean and spread of the features over the whole particle: whether a
lattice is one or several is a question of places far apart, and what speaks for the answer can be shown on a map.

Beside what it learns to see, the network is given the power of the image around each place at the frequencies that
lattices have: a Fourier transform with a window, which no network has to find out by itself. It joins the features of
the places, and what the spectra say together (`antema.nets.spectra`) those of the whole particle, as does the spectrum
of the particle as one (`antema.nets.polar_spectrum`).
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from antema.nets.layers import ConvUnit
from antema.nets.polar_spectrum import PolarSpectrum
from antema.nets.spectra import DIRECTIONS, SPACINGS_NM, ParticleSpectra, local_power
from antema.nets.spectra import STRIDE as SPECTRA_STRIDE

KIND = "resnet-particles"
STRIDE = 8
"""Sides of an input must be multiples of this many pixels."""
BLOCKS: Mapping[int, tuple[int, int, int, int]] = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
"""Residual blocks of each of the four stages, by the network's published depth; from 50 on they are bottlenecks."""
_STRIDES, _DILATIONS = (1, 2, 2, 1), (1, 1, 1, 2)
_BOTTLENECK = 4
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
            len(SPACINGS_NM) * DIRECTIONS, features[2], kernel_px=1, rectified=False, trainable=trainable, rngs=rngs
        )
        self.spectra = ParticleSpectra(rngs=rngs)
        self.polar = PolarSpectrum(rngs=rngs)
        self.whole = nnx.Linear(2 * n_in + ParticleSpectra.n_out + PolarSpectrum.n_out, n_in, rngs=rngs)
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
        polar = self.polar(x[..., :1], x[..., 1:])
        spectra = local_power(x[..., :1])
        together = self.spectra(_mean_of_blocks(spectra, STRIDE // SPECTRA_STRIDE), weights)
        power = self.power(spectra)
        x = _mean_of_blocks(self.stem(x), 2)
        for number, stage in enumerate(self.stages):
            for block in stage:
                x = block(x)
            x = x + power if number == 1 else x
        mean = (x * weights).sum(axis=(1, 2))
        variance = ((x - mean[:, None, None]) ** 2 * weights).sum(axis=(1, 2))
        whole = self.whole(jnp.concatenate([mean, jnp.sqrt(variance + _EPSILON), together, polar], axis=-1))
        places = self.head(self.local(jax.nn.relu(x + whole[:, None, None])))
        return (places * weights).sum(axis=(1, 2)), places, weights


def _mean_of_blocks(x: jax.Array, px: int) -> jax.Array:
    n, h, w, c = x.shape
    return x.reshape(n, h // px, px, w // px, px, c).mean(axis=(2, 4))


def network_of_entry(entry: Mapping[str, Any], *, trainable: bool = False) -> ParticleResNet:
    """Return the network of a card's ``architecture`` entry, to be called in `nnx.eval_shape`."""
    return ParticleResNet(
        depth=entry["depth"], features=tuple(entry["features"]), trainable=trainable, rngs=nnx.Rngs(0)
    )
