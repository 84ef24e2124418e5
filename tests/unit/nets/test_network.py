from itertools import pairwise

import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

from antema.domain import AntemaError
from antema.nets import load
from antema.nets.normalisation import finite, standardised
from antema.nets.tiling import Windows, logits_anywhere, padded_side, window_starts
from antema.nets.unet import FEATURES, REACH_PX, UNet, _pixels_to_channels, channels_to_pixels
from antema.nets.weights import first_weights, flat_weights, folded, read, save, set_weights

SMALL = (4, 6, 8)


def built(*, trainable=False, features=SMALL, n_outputs=1, seed=0):
    network = nnx.eval_shape(
        lambda: UNet(features=features, n_outputs=n_outputs, trainable=trainable, rngs=nnx.Rngs(0))
    )
    set_weights(network, first_weights(network, seed))
    return network


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_moving_pixels_into_channels_and_back_changes_nothing():
    x = noise(2, 8, 6)
    np.testing.assert_array_equal(channels_to_pixels(_pixels_to_channels(x))[..., 0], x)


def test_logits_have_the_images_shape():
    assert built()(noise(3, 32, 48)).shape == (3, 32, 48, 1)
    assert built(n_outputs=2)(noise(3, 32, 48)).shape == (3, 32, 48, 2)


def test_batch_normalisation_folds_into_the_convolutions():
    network = built(trainable=True)
    rng = np.random.default_rng(1)
    weights = {
        name: rng.uniform(0.5, 1.5, array.shape).astype(np.float32) if ".norm." in name else array
        for name, array in flat_weights(network).items()
    }
    set_weights(network, weights)
    network.eval()
    inference = nnx.eval_shape(lambda: UNet(features=SMALL, rngs=nnx.Rngs(0)))
    set_weights(inference, folded(weights))
    x = noise(1, 32, 32)
    np.testing.assert_allclose(inference(x), network(x), atol=1e-4)


def test_weights_survive_the_file_in_half_precision(tmp_path):
    weights = flat_weights(built())
    save(weights, tmp_path / "w.safetensors")
    again = read(tmp_path / "w.safetensors")
    assert again.keys() == weights.keys()
    for name, array in weights.items():
        np.testing.assert_allclose(again[name], array, rtol=1e-3, atol=1e-6)


def test_weights_that_do_not_fit_are_refused():
    weights = flat_weights(built())
    weights.pop("head.bias")
    with pytest.raises(ValueError, match=r"head\.bias"):
        set_weights(built(), weights)


def test_the_network_reaches_no_further_than_the_windows_overlap():
    # every weight made positive: what an input pixel can reach, it changes
    network = built(features=tuple(2 for _ in FEATURES))
    set_weights(network, {name: np.full_like(array, 0.2) for name, array in flat_weights(network).items()})
    import jax

    run = jax.jit(lambda x: network(x))
    flat = np.zeros((1, 1024, 1024), np.float32)
    point = flat.copy()
    point[0, 511, 513] = 1e6
    changed = np.argwhere(np.abs(np.asarray(run(point) - run(flat)))[0, ..., 0] > 0)
    reach = np.abs(changed - [511, 513]).max()
    assert 32 < reach <= REACH_PX


def test_windows_give_what_the_whole_gives():
    import jax

    network = built(features=SMALL, seed=3)
    run = jax.jit(lambda x: network(x))
    shapes, shares = set(), []

    def logits(x):
        shapes.add(x.shape)
        return np.asarray(run(x))

    image = noise(700, 900, seed=4)
    (whole,) = logits_anywhere(image, logits, Windows(2048, 128))
    assert whole.shape == image.shape
    for at_once in (1, 4):
        shapes.clear()
        (windows,) = logits_anywhere(image, logits, Windows(512, 128, at_once), shares.append)
        assert len(shapes) == 1  # each shape is compiled for
        np.testing.assert_allclose(windows, whole, atol=1e-3)
    assert sorted(shares[-2:]) == shares[-2:]
    assert shares[-1] == 1


@given(side=st.integers(1, 9000), largest=st.sampled_from([512, 2048, 2560]), margin=st.sampled_from([96, 224]))
def test_windows_cover_an_image_and_overlap_by_their_margins(side, largest, margin):
    padded = padded_side(side)
    assert side <= padded <= max(1.5 * side, side + 256)
    window, starts = window_starts(padded, Windows(largest, margin))
    assert window <= largest
    assert starts[0] == 0
    assert starts[-1] + window == padded
    assert all(start % 32 == 0 for start in starts)
    assert all(b + margin <= a + window - margin for a, b in pairwise(starts))


def test_an_image_is_mirrored_beyond_its_edge():
    image = noise(70, 300, seed=5)
    seen = []

    def logits(x):
        seen.append(x[0])
        return x[..., None]

    (same,) = logits_anywhere(image, logits, Windows(2048, 64))
    np.testing.assert_array_equal(same, image)
    np.testing.assert_array_equal(seen[0], np.pad(image, ((0, 186), (0, 212)), mode="symmetric"))


@pytest.mark.parametrize("shape", [(40, 33), (256, 256), (300, 511)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_any_image_gives_probabilities_of_its_shape(model_folder, shape, dtype):
    pixels = (np.abs(noise(*shape)) * 50).astype(dtype)
    result = load("tiny").segment(pixels)
    assert result.probability.shape == shape
    assert result.probability.dtype == np.float32
    assert 0 <= result.probability.min() <= result.probability.max() <= 1
    assert result.scales in ((1,), (1 / 2,), (1, 1 / 2))


def test_gain_and_offset_do_not_matter(model_folder):
    segmenter = load("tiny")
    pixels = noise(64, 64)
    np.testing.assert_allclose(segmenter.probability(pixels), segmenter.probability(pixels * 300 + 1000), atol=1e-3)


def test_a_reduced_scale_is_told(model_folder, monkeypatch):
    import antema.nets.segmenter as module

    monkeypatch.setattr(module, "estimated_width_px", lambda width_px, factors: (600.0, 8))
    result = load("tiny").segment(noise(400, 400))
    assert result.scales == (1 / 4,)
    assert result.width_px == 600


def test_bright_particles_are_seen_inverted(model_folder):
    segmenter = load("tiny")
    pixels = np.abs(noise(90, 120) * 50).astype(np.uint16)
    dark = segmenter.segment(pixels, polarity="dark")
    bright = segmenter.segment(1000 - pixels, polarity="bright")
    assert (dark.polarity, bright.polarity) == ("dark", "bright")
    np.testing.assert_allclose(bright.probability, dark.probability, atol=1e-4)
    assert segmenter.segment(pixels).polarity == "dark"  # nothing was measured of this network: what is expected
    assert segmenter.segment(pixels, expected="bright").polarity == "bright"
    with pytest.raises(AntemaError, match="expected one of auto, dark, bright, found 'grey'"):
        segmenter.segment(pixels, polarity="grey")


def test_progress_grows_to_1(model_folder):
    shares = []
    load("tiny").segment(noise(300, 300), progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) > 2


def test_values_that_are_no_numbers_become_the_median():
    pixels = np.array([[1.0, np.nan], [3.0, np.inf]])
    assert finite(pixels).tolist() == [[1, 2], [3, 2]]
    assert not finite(np.full((2, 2), np.nan)).any()


def test_standardising_survives_flat_images_and_odd_pixels():
    assert not standardised(np.full((8, 8), 7.0, np.float32)).any()
    odd = np.zeros((100, 100), np.float32)
    odd[3, 3] = 5
    assert standardised(odd)[3, 3] > 0
    values = standardised(noise(64, 64) * 30 + 5)
    assert values.mean() == pytest.approx(0, abs=1e-4)
    assert values.std() == pytest.approx(1, abs=1e-3)
