"""Local spectra: power where a lattice has it, and features that do not depend on how a particle lies."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from antema.nets.particle_views import SAMPLING_NM
from antema.nets.spectra import DIRECTIONS, SPACINGS_NM, STRIDE, ParticleSpectra, local_power
from antema.nets.weights import first_weights, set_weights

SIDE = 64


@pytest.fixture(scope="module")
def network() -> ParticleSpectra:
    made = nnx.eval_shape(lambda: ParticleSpectra(rngs=nnx.Rngs(0)))
    set_weights(made, first_weights(made, 0))
    return made


def waves(spacing_nm: float, direction: int) -> np.ndarray:
    """Return fringes of standard deviation 1, (side, side)."""
    y, x = np.mgrid[:SIDE, :SIDE] * SAMPLING_NM
    angle = np.pi * direction / DIRECTIONS
    return np.sqrt(2) * np.cos(2 * np.pi * (np.cos(angle) * x + np.sin(angle) * y) / spacing_nm + 0.4)


def spectra_of(image: np.ndarray) -> np.ndarray:
    power = np.asarray(local_power(jnp.asarray(image[None, :, :, None], jnp.float32)))
    return power.reshape(power.shape[1], power.shape[2], len(SPACINGS_NM), DIRECTIONS)


@settings(max_examples=15)
@given(st.integers(0, len(SPACINGS_NM) - 1), st.integers(0, DIRECTIONS - 1))
def test_fringes_have_their_power_at_their_spacing_and_direction(spacing, direction):
    inner = spectra_of(waves(SPACINGS_NM[spacing], direction))[3:-3, 3:-3]
    highest = inner.reshape(*inner.shape[:2], -1).argmax(axis=-1)
    assert (highest == spacing * DIRECTIONS + direction).all()


def test_white_noise_has_a_mean_power_of_one():
    noise = np.random.default_rng(0).normal(size=(48, SIDE, SIDE, 1))
    power = np.exp(np.asarray(local_power(jnp.asarray(noise, jnp.float32)))[:, 3:-3, 3:-3]) - 0.1
    np.testing.assert_allclose(power.mean(axis=(0, 1, 2)), 1, atol=0.2)
    assert power.mean() == pytest.approx(1, abs=0.02)


def uniform(n: int) -> jax.Array:
    return jnp.full((1, n, n, 1), 1 / n**2)


@settings(max_examples=15)
@given(st.integers(1, DIRECTIONS - 1), st.integers(0, 100))
def test_turning_all_spectra_changes_nothing(network, steps, seed):
    spectra = np.random.default_rng(seed).normal(size=(1, 4, 4, len(SPACINGS_NM), DIRECTIONS)).astype(np.float32)
    turned = np.roll(spectra, steps, axis=-1)
    flat = [jnp.asarray(each.reshape(1, 4, 4, -1)) for each in (spectra, turned)]
    one, other = (np.asarray(network(each, uniform(4))) for each in flat)
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_places_outside_of_the_particle_do_not_count(network):
    rng = np.random.default_rng(1)
    spectra = rng.normal(size=(1, 4, 4, len(SPACINGS_NM) * DIRECTIONS)).astype(np.float32)
    weights = np.zeros((1, 4, 4, 1), np.float32)
    weights[:, :2] = 1 / 8
    other = spectra.copy()
    other[:, 2:] = rng.normal(0, 9, other[:, 2:].shape)
    given_, changed = (np.asarray(network(jnp.asarray(each), jnp.asarray(weights))) for each in (spectra, other))
    np.testing.assert_allclose(given_, changed, rtol=1e-5)


def test_two_domains_are_not_two_lattices_in_one_place(network):
    """Both have the same spectra in half of the places; only in one of them do they come together."""
    first, second = np.zeros((2, len(SPACINGS_NM), DIRECTIONS), np.float32)
    first[2, 3] = second[2, 9] = 6
    empty = np.zeros_like(first)
    apart = np.stack([first, first, second, second])
    together = np.stack([first + second, first + second, empty, empty])
    features = [
        np.asarray(network(jnp.asarray(np.repeat(each[None, :, None], 4, axis=2).reshape(1, 4, 4, -1)), uniform(4)))
        for each in (apart, together)
    ]
    assert np.abs(features[0] - features[1]).max() > 0.05 * np.abs(features[0]).max()


def test_spectra_stand_at_every_fourth_pixel():
    assert spectra_of(np.zeros((SIDE, SIDE))).shape[:2] == (SIDE // STRIDE, SIDE // STRIDE)
