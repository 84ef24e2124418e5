"""The spectrum of a whole particle: spots where a lattice has them, and features that do not depend on how it lies."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from antema.nets.particle_views import SAMPLING_NM, normalised
from antema.nets.polar_spectrum import _FINEST_NM, _WIDEST_NM, DIRECTIONS, SPACINGS, PolarSpectrum, polar_power
from antema.nets.weights import first_weights, set_weights

SIDES = (48, 64, 128, 192)
_WIDE = (1 / _FINEST_NM - 1 / _WIDEST_NM) / SPACINGS


@pytest.fixture(scope="module")
def network() -> PolarSpectrum:
    made = nnx.eval_shape(lambda: PolarSpectrum(rngs=nnx.Rngs(0)))
    set_weights(made, first_weights(made, 0))
    return made


def ball(image: np.ndarray) -> tuple[jnp.ndarray, jnp.ndarray]:
    """Return an image as a round particle's grey values and mask, each (1, side, side, 1)."""
    side = len(image)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    mask = (np.hypot(y, x) < 0.4 * side).astype(np.float32)
    grey = normalised(image.astype(np.float32), mask)
    return jnp.asarray(grey[None, :, :, None]), jnp.asarray(mask[None, :, :, None])


def fringes(side: int, spacing_nm: float, angle: float) -> np.ndarray:
    y, x = np.mgrid[:side, :side] * SAMPLING_NM
    return np.cos(2 * np.pi * (np.cos(angle) * x + np.sin(angle) * y) / spacing_nm + 0.4)


@settings(max_examples=25)
@given(st.sampled_from(SIDES), st.integers(1, SPACINGS - 2), st.integers(0, DIRECTIONS - 1))
def test_fringes_have_their_spot_at_their_spacing_and_direction(side, spacing, direction):
    nm = 1 / (1 / _WIDEST_NM + (spacing + 0.5) * _WIDE)
    power = np.asarray(polar_power(*ball(fringes(side, nm, np.pi * direction / DIRECTIONS))))[0]
    found = np.unravel_index(power.argmax(), power.shape)
    # a small particle's spot is wider than a step, so that two steps are as strong
    assert min((found[0] - direction) % DIRECTIONS, (direction - found[0]) % DIRECTIONS) <= 1
    assert abs(found[1] - spacing) <= 1


def test_a_wider_particle_has_narrower_spots():
    def width(side):
        power = np.exp(np.asarray(polar_power(*ball(fringes(side, 0.2355, 0.7))))[0])
        return np.count_nonzero(power > power.max() / 4)

    assert width(192) < 0.5 * width(48)


def test_white_noise_has_the_same_power_in_particles_of_all_sizes():
    rng = np.random.default_rng(0)
    means = []
    for side in SIDES:
        grey, mask = zip(*(ball(rng.normal(size=(side, side))) for _ in range(8)), strict=True)
        means.append(float(np.median(np.asarray(polar_power(jnp.concatenate(grey), jnp.concatenate(mask))))))
    # wide ones have more coefficients in a step, of which the greatest counts
    assert np.ptp(means) < 1.6
    assert abs(np.mean(means)) < 1.5


@settings(max_examples=10)
@given(st.sampled_from((48, 64)), st.integers(1, 3), st.integers(0, 100))
def test_a_quarter_turn_changes_nothing(network, side, turns, seed):
    grey, mask = ball(np.random.default_rng(seed).normal(size=(side, side)))
    one = np.asarray(network(grey, mask))
    other = np.asarray(network(jnp.rot90(grey, turns, (1, 2)), jnp.rot90(mask, turns, (1, 2))))
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def test_what_lies_beside_the_particle_does_not_count(network):
    rng = np.random.default_rng(1)
    grey, mask = ball(rng.normal(size=(48, 48)))
    other = jnp.where(mask > 0, grey, jnp.asarray(rng.normal(0, 9, grey.shape), jnp.float32))
    np.testing.assert_allclose(np.asarray(network(grey, mask)), np.asarray(network(other, mask)), rtol=1e-5)


def test_the_angle_between_two_lattices_is_told(network):
    features = []
    for angle in (np.radians(70.5), np.radians(52.0)):
        both = fringes(64, 0.2355, 0.3) + fringes(64, 0.2355, 0.3 + angle)
        features.append(np.asarray(network(*ball(both))))
    assert np.abs(features[0] - features[1]).max() > 0.05 * np.abs(features[0]).max()
