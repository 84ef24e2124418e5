import numpy as np
import pytest

from antema.training.sources import LabelledImage
from antema.training.tiles import Tiling, batch_of, resized


def labelled(seed=0, shape=(200, 240), trusted=None):
    rows, columns = np.indices(shape)
    particle = (rows // 40 + columns // 40) % 2 == 0
    noise = np.random.default_rng(seed).normal(0, 3, shape)
    return LabelledImage(f"x/{seed}", (200 - 100 * particle + noise).astype(np.uint8), particle, trusted, 45.0)


def test_a_step_always_has_the_same_batch():
    sets = [[labelled(0), labelled(1)], [labelled(2)]]
    one, again, other = (batch_of(sets, step, seed=3, n=5, side=64) for step in (7, 7, 8))
    assert one.pixels.shape == one.particle.shape == one.weight.shape == (5, 64, 64)
    assert np.array_equal(one.pixels, again.pixels)
    assert not np.array_equal(one.pixels, other.pixels)


def test_labels_stay_on_their_pixels():
    batch = batch_of([[labelled()]], 0, seed=1, n=8, side=96, disturb=False)
    sure = np.abs(batch.particle - 0.5) > 0.45
    dark = batch.pixels < 0
    assert (dark == (batch.particle > 0.5))[sure].mean() > 0.98


def test_disturbed_tiles_keep_their_contrast():
    batch = batch_of([[labelled()]], 0, seed=1, n=16, side=96)
    for pixels, particle in zip(batch.pixels, batch.particle, strict=True):
        assert pixels[particle > 0.9].mean() < pixels[particle < 0.1].mean()


def test_reduced_labels_are_shares_of_area():
    mask = np.zeros((64, 64), np.float32)
    mask[:, :33] = 1
    small = resized(mask, 0.25)
    assert small.shape == (16, 16)
    assert small[:, 8] == pytest.approx(0.25)
    assert small.mean() == pytest.approx(mask.mean())


def test_what_is_not_trusted_weighs_nothing():
    trusted = np.ones((200, 240), bool)
    trusted[:, :120] = False
    batch = batch_of([[labelled(trusted=trusted)]], 0, seed=1, n=8, side=96)
    assert 0.2 < batch.weight.mean() < 0.8


def test_images_smaller_than_a_tile_are_mirrored():
    batch = batch_of([[labelled(shape=(50, 40))]], 0, seed=1, n=2, side=128)
    assert batch.pixels.shape == (2, 128, 128)
    assert np.isfinite(batch.pixels).all()


def test_tiles_have_particles_of_the_widths_asked_for():
    image = labelled(shape=(400, 480))  # squares of 40 px, said to be 45 px wide
    for wanted in (22.5, 45.0):
        tiles = batch_of([[image]], 0, seed=1, n=4, side=128, disturb=False, tiling=Tiling(widths_px=(wanted, wanted)))
        # edges across a line of pixels: one for each square
        crossings = np.abs(np.diff((tiles.particle > 0.5).astype(int), axis=2)).sum(axis=2)
        assert np.median(crossings) == pytest.approx(128 / (40 * wanted / 45), abs=1)


def test_as_many_tiles_are_blurred_as_asked_for():
    def roughness(blurred):
        batch = batch_of([[labelled()]], 0, seed=1, n=32, side=96, tiling=Tiling(widths_px=(45, 45), blurred=blurred))
        tiles = zip(batch.pixels, batch.particle, strict=True)
        return np.median([np.diff(grey, axis=1)[share[:, 1:] < 0.01].std() / grey.std() for grey, share in tiles])

    assert roughness(1.0) < 0.8 * roughness(0.0)
