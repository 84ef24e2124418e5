"""Pictures: outlines lie on the particles' edges, scale bars are as long as they say."""

import io
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from antema.domain import Instance
from antema.imaging import annotated_png, display_png, outline_overlay, thumbnail_png, to_8bit
from antema.imaging.palette import CRYSTALLINITY_COLOURS, OUTLINE_COLOURS, SAMPLE_COLOURS, rgb, sample_colour
from antema.imaging.pictures import length_label, outline_indices, scale_bar_length_nm


def disc(radius):
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return rows**2 + columns**2 <= radius**2


def instance(x, y, radius, **kwargs):
    return Instance(x, y, disc(radius), **kwargs)


def dropped(x, y, radius):
    return instance(x, y, radius, status="dropped", drop_reason="touches_border")


def opened(png):
    return Image.open(io.BytesIO(png))


def full_mask(shape, one):
    mask = np.zeros(shape, bool)
    mask[one.y : one.y + one.h, one.x : one.x + one.w] = one.mask
    return mask


# --- the overlay


def test_the_overlay_is_an_indexed_transparent_png():
    png = outline_overlay((80, 100), [instance(10, 10, 8), instance(50, 40, 8, separated=True), dropped(10, 50, 8)])

    image = opened(png)

    assert image.format == "PNG"
    assert image.mode == "P"
    assert image.size == (100, 80)
    rgba = np.asarray(image.convert("RGBA"))
    indices = np.asarray(image)
    assert set(np.unique(indices)) == {0, 1, 2, 3}
    assert np.all(rgba[indices == 0, 3] == 0)
    for number, kind in enumerate(("whole", "separated", "dropped"), start=1):
        assert np.all(rgba[indices == number] == (*rgb(OUTLINE_COLOURS[kind]), 255))


def test_the_outline_of_a_small_image_is_the_masks_inner_boundary():
    one = instance(10, 20, 9)
    mask = full_mask((60, 60), one)

    drawn = outline_indices((60, 60), [one]) > 0

    np.testing.assert_array_equal(drawn, mask & ~ndimage.binary_erosion(mask))


@given(
    mask=st.integers(1, 2**25 - 1).map(lambda bits: np.array([bits >> n & 1 for n in range(25)], bool).reshape(5, 5)),
    x=st.integers(-6, 34),
    y=st.integers(-6, 34),
)
@settings(deadline=None)
def test_outlines_lie_on_boundary_pixels_of_the_mask(mask, x, y):
    # a frame of 6 pixels around the image takes the parts of boxes that reach over its edge
    whole = np.zeros((48, 48), bool)
    whole[y + 6 : y + 11, x + 6 : x + 11] = mask[: 48 - y - 6, : 48 - x - 6]
    boundary = whole & ~ndimage.binary_erosion(whole)

    drawn = outline_indices((36, 36), [Instance(x, y, mask)])

    np.testing.assert_array_equal(drawn > 0, boundary[6:42, 6:42])


def test_a_dropped_outline_is_dotted_and_lies_below():
    alone = outline_indices((60, 60), [dropped(10, 10, 15)]) == 3
    whole = outline_indices((60, 60), [instance(10, 10, 15)]) == 1
    both = outline_indices((60, 60), [instance(10, 10, 15), dropped(10, 10, 15)])

    assert 0.3 * whole.sum() < alone.sum() < 0.7 * whole.sum()
    assert np.all(whole[alone])
    # gaps all around, not one missing half
    angles = np.arctan2(*(np.argwhere(whole & ~alone) - 25).T)
    assert np.histogram(angles, bins=8, range=(-np.pi, np.pi))[0].min() > 0
    assert not np.any(both == 3)


def test_outlines_are_coloured_by_crystallinity_where_there_is_one():
    whole, unknown, cut, bare = instance(5, 5, 10), instance(35, 5, 10), dropped(5, 35, 10), instance(35, 35, 10)
    particles, classes = [whole, unknown, cut, bare], ["polycrystalline", "unknown", "", ""]
    png = outline_overlay((60, 60), particles, classes)
    colours = np.asarray(opened(png).convert("RGBA"))

    def seen(one):
        drawn = colours[full_mask((60, 60), one)]
        return {tuple(colour) for colour in drawn[drawn[:, 3] > 0, :3].tolist()}

    assert seen(whole) == {rgb(CRYSTALLINITY_COLOURS["polycrystalline"])}
    assert seen(unknown) == {rgb(CRYSTALLINITY_COLOURS["unknown"]), (255, 255, 255)}
    assert seen(cut) == {rgb(OUTLINE_COLOURS["dropped"])}
    assert seen(bare) == {rgb(OUTLINE_COLOURS["whole"])}
    picture = np.asarray(opened(annotated_png(np.full((60, 60), 7), particles, None, classes=classes)))
    assert np.array_equal(picture[colours[..., 3] > 0], colours[colours[..., 3] > 0][:, :3])


@pytest.mark.parametrize(("width", "expected"), [(64, 1), (512, 1), (1024, 2), (4096, 8)])
def test_outlines_grow_with_the_image(width, expected):
    square = Instance(10, 10, np.ones((40, 40), bool))

    row = outline_indices((60, width), [square])[30]

    assert np.flatnonzero(row).tolist() == [*range(10, 10 + expected), *range(50 - expected, 50)]


def test_no_instance_gives_an_empty_overlay():
    assert not np.asarray(opened(outline_overlay((10, 20), []))).any()


def test_the_overlay_is_the_same_each_time():
    instances = [instance(10, 10, 8), dropped(30, 30, 8)]

    assert outline_overlay((80, 100), instances) == outline_overlay((80, 100), instances)


def test_a_full_frame_of_3000_instances_is_quick():
    rng = np.random.default_rng(0)
    mask = disc(20)
    places = rng.integers(0, 4055, (3000, 2))
    started = time.perf_counter()

    outline_overlay((4096, 4096), [Instance(int(x), int(y), mask) for x, y in places])

    # 0.2 s on an idle core; a pass over the full image for each would be minutes
    assert time.perf_counter() - started < 10


# --- pictures of the micrograph


def test_the_display_picture_is_the_8_bit_image():
    pixels = np.random.default_rng(0).normal(1000, 50, (40, 60)).astype(np.float32)

    image = opened(display_png(pixels))

    assert image.mode == "L"
    np.testing.assert_array_equal(np.asarray(image), to_8bit(pixels))


@pytest.mark.parametrize("shape", [(2000, 3000), (3000, 500), (100, 80), (5000, 3)])
def test_a_thumbnail_fits_and_keeps_the_proportions(shape):
    image = opened(thumbnail_png(np.random.default_rng(0).random(shape), 256))

    assert max(image.size) == min(256, max(shape))
    assert image.width == pytest.approx(max(1, shape[1] * max(image.size) / max(shape)), abs=1.01)


def test_a_thumbnail_shows_the_image_upright():
    pixels = np.zeros((1024, 1024))
    pixels[:512, :512] = 1

    thumbnail = np.asarray(opened(thumbnail_png(pixels, 64)))

    assert thumbnail[16, 16] > 200
    assert max(thumbnail[16, 48], thumbnail[48, 16], thumbnail[48, 48]) < 50


# --- the annotated picture


def bar_length_px(picture):
    """Longest run of white pixels in a row of the lower right quarter: the bar, and not its label."""
    quarter = np.all(picture[picture.shape[0] // 2 :, picture.shape[1] // 4 :] == 255, axis=-1)
    return max(
        (len(run) for row in quarter for run in "".join("x" if value else " " for value in row).split()), default=0
    )


def test_the_scale_bar_is_as_long_as_it_says():
    pixels = np.random.default_rng(0).normal(100, 5, (400, 600))

    picture = np.asarray(opened(annotated_png(pixels, [], 0.1)))

    # 600 px of 0.1 nm are 60 nm; a fifth is 12 nm, the next round length 10 nm
    assert scale_bar_length_nm(600, 0.1) == 10.0
    assert bar_length_px(picture) == 100


def test_the_scale_bar_of_a_reduced_picture_is_as_long_as_it_says():
    pixels = np.random.default_rng(0).normal(100, 5, (1200, 1600))

    picture = np.asarray(opened(annotated_png(pixels, [], 0.1, max_px=400)))

    assert picture.shape == (300, 400, 3)
    assert scale_bar_length_nm(400, 0.4) == pytest.approx(50.0) or scale_bar_length_nm(400, 0.4) == pytest.approx(20.0)
    assert bar_length_px(picture) == round(scale_bar_length_nm(400, 0.4) / 0.4)


def test_without_a_pixel_size_there_is_no_scale_bar():
    pixels = np.full((200, 300), 100.0)

    picture = np.asarray(opened(annotated_png(pixels, [], None)))

    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 1


@given(width=st.integers(64, 8192), nm=st.floats(1e-3, 1e3))
def test_the_scale_bar_is_round_and_about_a_fifth(width, nm):
    length = scale_bar_length_nm(width, nm)

    mantissa = length / 10 ** np.floor(np.log10(length) + 1e-9)
    assert round(mantissa, 6) in (1.0, 2.0, 5.0)
    assert 0.5 < length / (width * nm / 5) < 2.0


@pytest.mark.parametrize(
    ("nm", "label"),
    [(0.05, "50 pm"), (0.5, "500 pm"), (1.0, "1 nm"), (500.0, "500 nm"), (1000.0, "1 µm"), (2e6, "2 mm")],
)
def test_lengths_are_labelled_with_a_fitting_unit(nm, label):
    assert length_label(nm) == label


def test_outlines_of_the_annotated_picture_have_their_colours():
    pixels = np.full((200, 300), 100.0)
    instances = [instance(20, 20, 20), instance(80, 20, 20, separated=True), dropped(20, 100, 20)]

    picture = np.asarray(opened(annotated_png(pixels, instances, None)))

    indices = outline_indices((200, 300), instances)
    for number, kind in enumerate(("whole", "separated", "dropped"), start=1):
        assert np.all(picture[indices == number] == rgb(OUTLINE_COLOURS[kind]))


def test_outlines_stay_on_their_particles_in_a_reduced_picture():
    pixels = np.full((2000, 2000), 100.0)
    # 4 times smaller, the disc around (1040, 640) has radius 35 around (260, 160)
    picture = np.asarray(opened(annotated_png(pixels, [instance(900, 500, 140)], None, max_px=500)))

    drawn = np.argwhere(np.all(picture == rgb(OUTLINE_COLOURS["whole"]), axis=-1))
    distances = np.hypot(drawn[:, 0] - 160, drawn[:, 1] - 260)
    assert len(drawn) > 150
    assert distances.min() > 33
    assert distances.max() < 36.5


def test_a_particle_smaller_than_a_pixel_of_the_reduced_picture_is_still_shown():
    picture = np.asarray(opened(annotated_png(np.full((2000, 2000), 100.0), [instance(900, 500, 1)], None, max_px=100)))

    assert np.any(np.all(picture == rgb(OUTLINE_COLOURS["whole"]), axis=-1))


# --- colours


def test_colours_are_distinct_and_well_formed():
    assert len(set(SAMPLE_COLOURS)) == len(SAMPLE_COLOURS) >= 8
    assert set(CRYSTALLINITY_COLOURS) == {"amorphous", "monocrystalline", "polycrystalline", "unknown"}
    assert set(OUTLINE_COLOURS) == {"whole", "separated", "dropped"}
    for colours in (SAMPLE_COLOURS, CRYSTALLINITY_COLOURS.values(), OUTLINE_COLOURS.values()):
        assert len({rgb(colour) for colour in colours}) == len(list(colours))
    assert sample_colour(len(SAMPLE_COLOURS) + 1) == SAMPLE_COLOURS[1]
