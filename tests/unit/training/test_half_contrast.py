import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from antema.domain import Instance
from antema.training.half_contrast import half_contrast_shifts, moved_to_half_contrast
from antema.training.sources import true_instances


def whole(mask):
    (found,) = true_instances(mask.astype(np.uint8)[None])
    return found


def drawn(instance, shape):
    mask = np.zeros(shape, bool)
    mask[instance.y : instance.y + instance.h, instance.x : instance.x + instance.w] = instance.mask
    return mask


def distance_from(shape, x, y):
    rows, columns = np.indices(shape)
    return np.hypot(columns - x, rows - y)


def soft_disc(shape, x, y, radius, blur):
    """A disc of height 1 as a detector of that blur sees it."""
    return ndimage.gaussian_filter(np.clip(radius - distance_from(shape, x, y) + 0.5, 0, 1), blur)


def radius_of(mask):
    return np.sqrt(np.count_nonzero(mask) / np.pi)


@settings(max_examples=30, deadline=None)
@given(
    radius=st.integers(16, 40),
    wider=st.sampled_from((-3, -2, -1, 0, 1, 2, 3)),
    blur=st.floats(0.7, 2.0),
    height=st.sampled_from((-60.0, 60.0)),
    noise=st.sampled_from((0.0, 5.0)),
    at=st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)),
)
def test_discs_labelled_too_wide_or_too_narrow_come_back_to_half_of_their_contrast(
    radius, wider, blur, height, noise, at
):
    side = 2 * radius + 60
    shape = side, side
    x, y = side / 2 + at[0], side / 2 + at[1]
    seen = soft_disc(shape, x, y, radius, blur)
    pixels = 120 + height * seen + np.random.default_rng(radius).normal(0, noise, shape)
    label = whole(distance_from(shape, x, y) <= radius + wider)
    (moved,) = moved_to_half_contrast(pixels, [label])
    assert radius_of(moved.mask) == pytest.approx(radius_of(seen > 0.5), abs=0.3)


def test_a_label_moves_as_a_whole_and_keeps_its_shape_and_its_words():
    # a rod whose one end has faded: its label has the end, and keeps it
    shape = (80, 160)
    mask = np.zeros(shape, bool)
    mask[30:50, 30:130] = True
    rows, columns = np.indices(shape)
    pixels = 200 - 100 * ndimage.gaussian_filter(mask.astype(float), 1.5) * np.clip((150 - columns) / 60, 0, 1)
    wide = ndimage.binary_dilation(mask, iterations=2)
    label = Instance(28, 28, wide[28:52, 28:132], "dropped", "touches_border")
    (moved,) = moved_to_half_contrast(pixels, [label])
    assert (moved.w, moved.h) == pytest.approx((100, 20), abs=1)
    assert (moved.status, moved.drop_reason) == ("dropped", "touches_border")


def test_what_the_neighbours_hide_says_nothing_and_moves_with_the_rest():
    # two discs that overlap and are darker together: only the free parts of their outlines tell where they end
    shape = (120, 160)
    one, other = soft_disc(shape, 60, 60, 25, 1.2), soft_disc(shape, 98, 60, 25, 1.2)
    pixels = 200 - 60 * (one + other)
    labels = [whole(distance_from(shape, x, 60) <= 27) for x in (60, 98)]
    moved = moved_to_half_contrast(pixels, labels)
    for instance, seen in zip(moved, (one, other), strict=True):
        assert radius_of(instance.mask) == pytest.approx(radius_of(seen > 0.5), abs=0.3)
        both = drawn(instance, shape) & (seen > 0.5)
        assert np.count_nonzero(both) > 0.97 * np.count_nonzero(seen > 0.5)


def test_one_without_a_profile_of_its_own_moves_as_the_others_do():
    shape = (160, 260)
    pixels = 200 - 80 * (soft_disc(shape, 50, 80, 30, 1.0) + soft_disc(shape, 130, 80, 15, 1.0))
    labels = [whole(distance_from(shape, x, 80) <= r) for x, r in ((50, 33), (130, 16.5), (215, 22))]
    shifts = half_contrast_shifts(pixels, labels)
    assert shifts[:2] == pytest.approx([-3, -1.5], abs=0.2)
    assert shifts[2] == pytest.approx(-2.0, abs=0.2)  # nothing is seen there


def test_without_any_profile_labels_stay():
    flat = np.full((60, 60), 7, np.uint8)
    label = whole(distance_from((60, 60), 30, 30) <= 12)
    (moved,) = moved_to_half_contrast(flat, [label])
    assert moved is label
    assert moved_to_half_contrast(flat, []) == []


def test_noise_without_a_particle_moves_no_label():
    pixels = np.random.default_rng(3).normal(100, 10, (120, 120))
    label = whole(distance_from((120, 120), 60, 60) <= 20)
    assert half_contrast_shifts(pixels, [label]).tolist() == [0.0]


def test_text_beside_a_particle_is_no_ground_where_it_is_not_trusted():
    shape = (120, 120)
    pixels = 200 - 80 * soft_disc(shape, 60, 60, 25, 1.0)
    pixels[:, 87:] = 0
    trusted = np.ones(shape, bool)
    trusted[:, 86:] = False
    label = whole(distance_from(shape, 60, 60) <= 27)
    (shift,) = half_contrast_shifts(pixels, [label], trusted=trusted)
    assert shift == pytest.approx(-2, abs=0.2)


@pytest.mark.parametrize("at", [(0, 40), (79, 0), (40, 79)])
def test_the_pictures_border_is_no_outline(at):
    shape = (80, 80)
    seen = soft_disc(tuple(s + 60 for s in shape), at[0] + 30, at[1] + 30, 22, 1.0)[30:-30, 30:-30]
    label = whole(distance_from(shape, *at) <= 24)
    (moved,) = moved_to_half_contrast(200 - 80 * seen, [label])
    assert np.count_nonzero(drawn(moved, shape) ^ (seen > 0.5)) < 0.05 * np.count_nonzero(seen > 0.5)
    assert moved.x == 0 or moved.x + moved.w == 80 or moved.y + moved.h == 80


def test_a_label_never_moves_by_more_than_a_quarter_of_its_inradius():
    shape = (160, 160)
    pixels = 200 - 80 * soft_disc(shape, 80, 80, 13, 1.0)
    labels = [whole(distance_from(shape, 80, 80) <= 20)]
    (shift,) = half_contrast_shifts(pixels, labels)
    assert shift == pytest.approx(-5.0, abs=0.15)


def test_a_large_label_never_moves_by_more_than_8_px():
    shape = (160, 160)
    pixels = 200 - 80 * soft_disc(shape, 80, 80, 36, 1.0)
    labels = [whole(distance_from(shape, 80, 80) <= 48)]
    (shift,) = half_contrast_shifts(pixels, labels)
    assert shift == pytest.approx(-8.0, abs=0.1)


@pytest.mark.parametrize(("most_shift", "radius"), [(0.05, 28.5), (0.1, 27.0), (0.25, 25.0)])
def test_whoever_moves_labels_says_how_far_at_most(most_shift, radius):
    shape = (120, 120)
    seen = soft_disc(shape, 60, 60, 25, 1.0)
    label = whole(distance_from(shape, 60, 60) <= 30)
    (moved,) = moved_to_half_contrast(200 - 80 * seen, [label], most_shift=most_shift)
    assert radius_of(moved.mask) == pytest.approx(radius, abs=0.3)


def test_labels_that_touch_do_not_grow_into_one_another():
    shape = (100, 140)
    pixels = 200 - 80 * np.maximum(soft_disc(shape, 48, 50, 22, 1.0), soft_disc(shape, 93, 50, 22, 1.0))
    labels = [whole(distance_from(shape, x, 50) <= 20) for x in (48, 93)]
    one, other = (drawn(i, shape) for i in moved_to_half_contrast(pixels, labels))
    assert not (one & other).any()
    assert radius_of(one) == pytest.approx(22, abs=0.3)
