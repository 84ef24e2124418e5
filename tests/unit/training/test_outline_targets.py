"""What a network that finds particles one by one is to answer: known shapes, known answers."""

import numpy as np
import pytest

from antema.nets.proposals import N_RAYS, OBJECT_STRIDE
from antema.training.outline_targets import targets_of
from antema.training.outline_tiles import PAD_PX, outline_batch_of
from antema.training.sources import LabelledImage

PAD, SIDE = 32, 64
WHOLE = SIDE + 2 * PAD


def disc(x, y, radius, side=WHOLE):
    rows, columns = np.mgrid[:side, :side] + 0.5
    return np.hypot(columns - x, rows - y) < radius


def pages_of(*masks):
    return np.stack([np.where(mask, number, 0) for number, mask in enumerate(masks, start=1)]).astype(np.int32)


def at(x, y):
    """Return the place of a point of the tile among the answers about objects."""
    return int(y - PAD) // OBJECT_STRIDE, int(x - PAD) // OBJECT_STRIDE


def test_rays_reach_the_outline_from_wherever_they_start():
    found = targets_of(pages_of(disc(64, 64, 20)), PAD)
    row, column = at(70, 64)
    x, y = PAD + OBJECT_STRIDE * (column + 0.5) - 64, PAD + OBJECT_STRIDE * (row + 0.5) - 64
    turn = 2 * np.pi * np.arange(N_RAYS) / N_RAYS
    along = x * np.cos(turn) + y * np.sin(turn)
    expected = -along + np.sqrt(20**2 - (x**2 + y**2 - along**2))
    np.testing.assert_allclose(found.rays[row, column], expected, atol=0.8)
    assert found.middle[row, column] == pytest.approx(1 - np.hypot(x, y) / 20, abs=0.05)
    assert (found.ray_weight[row, column] > 0).all()


def test_votes_point_to_the_middle_and_are_silent_where_two_lie():
    one, other = disc(52, 64, 14), disc(72, 64, 14)
    found = targets_of(pages_of(one, other), PAD)
    rows, columns = np.mgrid[: SIDE // 2, : SIDE // 2] * 2 + 1 + PAD
    alone = one[rows, columns] & ~other[rows, columns]
    to_middle = np.stack([52 - columns, 64 - rows], -1)
    np.testing.assert_allclose(found.offsets[alone], to_middle[alone], atol=0.6)
    assert (found.offset_weight[(one & other)[rows, columns]] == 0).all()
    assert (found.offset_weight[alone] > 0).all()


def test_seams_are_rims_inside_others_and_where_two_touch():
    one, other = disc(52, 64, 14), disc(72, 64, 14)
    contact = targets_of(pages_of(one, other), PAD).contact
    inside = contact > 0
    tile = (slice(PAD, PAD + SIDE),) * 2
    assert inside[(one & other)[tile]].any()
    # rims that face the ground are none
    assert not inside[disc(44, 64, 5)[tile]].any()
    far = targets_of(pages_of(disc(48, 64, 10), disc(80, 64, 10)), PAD).contact
    assert not far.any()


def test_a_scale_is_silent_about_what_is_too_small_or_too_large_and_unsure_between():
    sizes = {3: (0, 1), 4.2: (1, 0), 10: (1, 1), 44: (1, 0), 58: (0, 1)}
    for radius, (speaks, weight) in sizes.items():
        found = targets_of(pages_of(disc(64, 64, radius, WHOLE)), PAD)
        row, column = at(64, 64)
        assert (found.middle[row, column] > 0) == bool(speaks)
        assert found.middle_weight[row, column] == weight


def test_what_is_not_seen_is_neither_there_nor_not_there():
    found = targets_of(pages_of(disc(64, 64, 12)), PAD, np.array([True, False]))
    row, column = at(64, 64)
    assert (found.middle[row, column], found.middle_weight[row, column]) == (0, 0)
    assert found.middle_weight[at(40, 40)] == 1


def test_rays_that_leave_the_picture_weigh_nothing():
    pages = pages_of(disc(64, 64, 20))
    pages[:, :, :50] = -1
    found = targets_of(pages, PAD)
    row, column = at(64, 64)
    assert found.ray_weight[row, column, N_RAYS // 2] == 0  # to the left
    assert found.ray_weight[row, column, 0] > 0


def test_a_batch_is_the_same_for_its_seed_and_step_and_fits_itself():
    rng = np.random.default_rng(0)
    masks = [disc(x, y, 12, 200) for x, y in rng.uniform(0, 200, (12, 2))]
    pages = pages_of(*masks).astype(np.uint16)
    particle = pages.any(axis=0)
    pixels = (200 - 90 * particle + rng.normal(0, 3, particle.shape)).astype(np.float32)
    image = LabelledImage("made", pixels, particle, None, 24.0, pages=pages)
    one, again = (outline_batch_of([[image]], 3, seed=1, n=3, side=128) for _ in range(2))
    np.testing.assert_array_equal(one.pixels, again.pixels)
    np.testing.assert_array_equal(one.rays, again.rays)
    other = outline_batch_of([[image]], 4, seed=1, n=3, side=128)
    assert not np.array_equal(one.pixels, other.pixels)
    # seams, votes and middles lie where the map says particle, whatever was turned and enlarged
    assert (one.particle[one.contact > 0] > 0).all()
    coarse = one.particle.reshape(3, 32, 4, 32, 4).max(axis=(2, 4))
    assert (coarse[one.middle > 0] > 0).all()
    assert PAD_PX % 32 == 0
