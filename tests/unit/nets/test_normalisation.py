import numpy as np
import pytest

from antema.nets.normalisation import ANTEMA_MEAN, ANTEMA_SPREAD, NORMALISATIONS, antema_8_bit, groschner_scaled


def noise(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_antemas_network_sees_every_grey_value_of_eight_bits():
    grey = antema_8_bit(1000 + 300 * noise(64, 80)) * ANTEMA_SPREAD + ANTEMA_MEAN
    np.testing.assert_allclose(grey, np.round(grey), atol=1e-3)
    assert grey.min() == pytest.approx(0, abs=1e-4)
    assert grey.max() == pytest.approx(255, abs=1e-3)


def test_antemas_blur_ends_four_pixels_from_a_point():
    point = np.zeros((21, 21), np.float32)
    point[10, 10] = 1
    grey = antema_8_bit(point)
    ground = grey[0, 0]
    assert (grey[6:15, 6:15] > ground).all()
    assert (grey > ground).sum() == 81
    # the Gaussian's own values, in whole steps of 255
    expected = np.round(255 * np.exp(-(np.arange(5) ** 2) / 8))
    np.testing.assert_allclose(grey[10, 10:15] * ANTEMA_SPREAD + ANTEMA_MEAN, expected, atol=1e-3)


def test_groschners_networks_see_the_largest_value_as_one_and_no_single_hot_pixel():
    values = np.full((20, 20), 50, np.float32)
    values[5:9, 5:9] = 100
    values[15, 15] = 10_000
    scaled = groschner_scaled(values)
    assert scaled[6, 6] == 1
    assert scaled[15, 15] == scaled[0, 0] == 0.5


@pytest.mark.parametrize("name", NORMALISATIONS)
@pytest.mark.parametrize("values", [np.zeros((8, 8)), np.full((8, 8), 7), np.full((8, 8), -7), -np.eye(8)])
def test_flat_and_negative_images_stay_finite(name, values):
    result = NORMALISATIONS[name](values.astype(np.float32))
    assert result.dtype == np.float32
    assert np.isfinite(result).all()


@pytest.mark.parametrize("name", ["percentiles", "antema-8-bit"])
def test_gain_and_offset_do_not_matter(name):
    values = noise(40, 40)
    np.testing.assert_allclose(NORMALISATIONS[name](values), NORMALISATIONS[name](8 * values + 512), atol=0.02)
