"""The Fourier spectrum of a whole particle by direction and spacing, and what it says, whichever way the particle lies.

The spectra of its places (`antema.nets.spectra`) tell where which lattice is. That of the whole particle is finer: its
spots are as narrow as the particle is wide, so that faint lattices stand out of the noise, and the angles between them
tell whether one crystal can have them all.
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from antema.nets.particle_views import SAMPLING_NM
from antema.nets.spectra import FAINT, with_neighbours

DIRECTIONS = 48
"""Of half a turn; the other half has the same power."""
_WIDEST_NM, _FINEST_NM, SPACINGS = 0.36, 0.122, 24
"""Range of spacings, and in how many steps of equal frequency."""
_FEATURES = 64
_DILATIONS = (1, 2, 4, 8)
_FINE_NM = 7.7
"""Least width over which the spectrum is taken: more zeros around small particles sample it finely enough."""
_SOFT_PX = 5
"""Width of the mean that makes the mask fall off towards its edge, whose own spectrum would cover the spots."""
_EPSILON = 1e-3


class PolarSpectrum(nnx.Module):
    """What the spectrum of a particle says: the same if it is turned by a step of the directions.

    Parameters
    ----------
    rngs : Rngs
        Of the first weights.
    """

    n_out = 2 * _FEATURES

    def __init__(self, *, rngs: nnx.Rngs) -> None:
        self.first = nnx.Linear(2 * SPACINGS + 1, _FEATURES, rngs=rngs)
        self.beside = nnx.List([nnx.Linear(3 * _FEATURES, _FEATURES, rngs=rngs) for _ in _DILATIONS])

    def __call__(self, grey: jax.Array, mask: jax.Array) -> jax.Array:
        """Return features of particles.

        Parameters
        ----------
        grey, mask : Array, shape (n, side, side, 1)
            Normalised grey values, sampled as `antema.nets.particle_views` does, and the mask from 0 to 1.

        Returns
        -------
        Array, shape (n, n_out)
        """
        power = polar_power(grey, mask)
        ground = jnp.broadcast_to(power.mean(axis=1, keepdims=True), power.shape)
        size = jnp.log(mask.sum(axis=(1, 2)) * SAMPLING_NM**2 + _EPSILON)
        told = [power / 2, ground / 2, jnp.broadcast_to(size[:, None], (*power.shape[:2], 1))]
        x = jax.nn.relu(self.first(jnp.concatenate(told, axis=-1)))
        for layer, step in zip(self.beside, _DILATIONS, strict=True):
            x = x + jax.nn.relu(layer(with_neighbours(x, step)))
        return jnp.concatenate([x.mean(axis=1), x.max(axis=1)], axis=-1)


def polar_power(grey: jax.Array, mask: jax.Array) -> jax.Array:
    """Return the logarithm of the greatest power of a particle by direction and spacing.

    Parameters
    ----------
    grey, mask : Array, shape (n, side, side, 1)
        As of `PolarSpectrum`.

    Returns
    -------
    Array, shape (n, DIRECTIONS, SPACINGS)
        1 under the logarithm is the mean power of white noise of standard deviation 1.
    """
    side = grey.shape[1]
    room = max(side, int(np.ceil(_FINE_NM / SAMPLING_NM / 2)) * 2)
    soft = jax.lax.reduce_window(mask, 0.0, jax.lax.add, (1, _SOFT_PX, _SOFT_PX, 1), (1, 1, 1, 1), "SAME")
    window = jax.lax.stop_gradient(mask * soft / _SOFT_PX**2)[..., 0]
    rest = jax.lax.stop_gradient(grey)[..., 0] * window
    total = (window**2).sum(axis=(1, 2), keepdims=True) + _EPSILON
    waves = jnp.fft.rfft2(rest, s=(room, room))
    power = ((jnp.abs(waves) ** 2) / total).reshape(len(grey), -1)
    return jnp.log(power[:, _places(room)].max(axis=-1) + FAINT)


@lru_cache(maxsize=16)
def _places(room: int) -> NDArray[np.int32]:
    """Return where each step of direction and spacing lies in a flat half spectrum, (DIRECTIONS, SPACINGS, places)."""
    low, high = 1 / _WIDEST_NM, 1 / _FINEST_NM
    wide = (high - low) / SPACINGS
    grid = 1 / (room * SAMPLING_NM)
    along, across = (int(np.ceil(width / grid)) for width in (wide, np.pi * high / DIRECTIONS))
    radius = low + wide * (np.arange(SPACINGS)[:, None] + (np.arange(along) + 0.5) / along)
    angle = np.pi / DIRECTIONS * (np.arange(DIRECTIONS)[:, None] + (np.arange(across) + 0.5) / across - 0.5)
    x = np.cos(angle)[:, None, None, :] * radius[None, :, :, None]
    y = np.sin(angle)[:, None, None, :] * radius[None, :, :, None]
    column, row = np.rint(x / grid).astype(int), np.rint(y / grid).astype(int)
    column, row = np.where(column < 0, -column, column), np.where(column < 0, -row, row)
    flat = (row % room) * (room // 2 + 1) + column
    return flat.reshape(DIRECTIONS, SPACINGS, -1).astype(np.int32)
