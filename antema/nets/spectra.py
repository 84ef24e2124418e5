"""Local Fourier spectra of particles, and what they say together, whichever way a particle lies.

Each place of a particle has a spectrum of its own: the power at the spacings that lattices have, in every direction.
One crystal shows the same reflections wherever it shows any; of several domains each shows its own. What is learned
from the spectra is therefore the same for each direction, and is told beside the mean over the particle how much
directions differ from place to place and whether they do so together.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from antema.nets.particle_views import SAMPLING_NM

STRIDE = 4
"""Every how many pixels there is a spectrum."""
SPACINGS_NM = (0.30, 0.257, 0.235, 0.215, 0.2, 0.17, 0.143)
"""At which power is told: those of metals' lattices are 0.22 to 0.24, 0.19 to 0.21 and 0.13 to 0.15 nm."""
DIRECTIONS = 16
"""Of half a turn; the other half has the same power."""
_WINDOW_NM = 0.36
"""Standard deviation of the window."""
FAINT = 0.1
"""Power, in that of noise of the particle's contrast, below which differences do not matter."""
_EACH, _HEADS, _TOGETHER = 24, 6, 64
"""Features of a direction in one place, strengths whose going together is told, features of a direction over all."""
_EPSILON = 1e-3
_LEAST_VARIANCE = 0.05
"""Below it directions that vary together are as little evidence as ones that do not."""


class ParticleSpectra(nnx.Module):
    """What the local spectra of a particle say together: the same if it is turned by a step of the directions.

    Parameters
    ----------
    rngs : Rngs
        Of the first weights.
    """

    n_out = 2 * _TOGETHER

    def __init__(self, *, rngs: nnx.Rngs) -> None:
        self.each = nnx.Linear(3 * len(SPACINGS_NM), _EACH, rngs=rngs)
        self.heads = nnx.Linear(_EACH, _HEADS, rngs=rngs)
        n_told = 3 * _EACH + _HEADS * DIRECTIONS
        self.first = nnx.Linear(3 * n_told, _TOGETHER, rngs=rngs)
        self.second = nnx.Linear(3 * _TOGETHER, _TOGETHER, rngs=rngs)
        self.third = nnx.Linear(3 * _TOGETHER, _TOGETHER, rngs=rngs)

    def __call__(self, spectra: jax.Array, weights: jax.Array) -> jax.Array:
        """Return features of particles.

        Parameters
        ----------
        spectra : Array, shape (n, h, w, spacings x directions)
            As `local_power` gives them.
        weights : Array, shape (n, h, w, 1)
            Of the places; their sum is 1.

        Returns
        -------
        Array, shape (n, n_out)
        """
        n, h, w, _ = spectra.shape
        places = spectra.reshape(n, h * w, len(SPACINGS_NM), DIRECTIONS).swapaxes(2, 3) / 2
        share = weights.reshape(n, h * w, 1, 1)
        each = jax.nn.relu(self.each(with_neighbours(places)))
        mean = (each * share).sum(axis=1)
        spread = jnp.sqrt(((each - mean[:, None]) ** 2 * share).sum(axis=1) + _EPSILON)
        most = jnp.where(share > 0, each, 0).max(axis=1)
        x = jnp.concatenate([mean, spread, most, self._together(each, share)], axis=-1)
        x = jax.nn.relu(self.first(with_neighbours(x)))
        x = x + jax.nn.relu(self.second(with_neighbours(x)))
        x = x + jax.nn.relu(self.third(with_neighbours(x)))
        return jnp.concatenate([x.mean(axis=1), x.max(axis=1)], axis=-1)

    def _together(self, each: jax.Array, share: jax.Array) -> jax.Array:
        """Return for each direction how it goes with those at every angle to it, (n, directions, heads x angles)."""
        strength = self.heads(each)
        strength = strength - (strength * share).sum(axis=1, keepdims=True)
        both = jnp.einsum("npak,npbk->nkab", strength * share, strength)
        variance = jnp.diagonal(both, axis1=2, axis2=3) + _LEAST_VARIANCE
        alike = both / jnp.sqrt(variance[..., None] * variance[:, :, None])
        start = np.arange(DIRECTIONS)[:, None]
        turned = alike[:, :, start, (start + np.arange(DIRECTIONS)) % DIRECTIONS]
        return turned.transpose(0, 2, 1, 3).reshape(len(each), DIRECTIONS, -1)


def with_neighbours(x: jax.Array, steps: int = 1) -> jax.Array:
    """Return features (..., directions, c) with those so many directions aside, the first being beside the last."""
    return jnp.concatenate([jnp.roll(x, steps, axis=-2), x, jnp.roll(x, -steps, axis=-2)], axis=-1)


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
        (STRIDE, STRIDE),
        ((reach - 1, reach - 2), (reach - 1, reach - 2)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    n = filters.shape[-1] // 2
    return jnp.log(waves[..., :n] ** 2 + waves[..., n:] ** 2 + FAINT)


def _filters() -> NDArray[np.float32]:
    """Return waves under a window, cosines before sines, shape (side, side, 1, 2 x spacings x directions)."""
    reach = round(2.5 * _WINDOW_NM / SAMPLING_NM)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1] * SAMPLING_NM
    window = np.exp(-(x**2 + y**2) / (2 * _WINDOW_NM**2))
    angles = np.arange(DIRECTIONS) * np.pi / DIRECTIONS
    phases = [
        2 * np.pi * (np.cos(angle) * x + np.sin(angle) * y) / spacing for spacing in SPACINGS_NM for angle in angles
    ]
    both = np.stack([function(phase) * window for function in (np.cos, np.sin) for phase in phases], axis=-1)
    both -= window[..., None] * (both.sum(axis=(0, 1)) / window.sum())
    both /= np.sqrt(2 * (both**2).sum(axis=(0, 1)))
    return both[:, :, None].astype(np.float32)
