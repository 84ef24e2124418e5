import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from antema.analysis import clean, measure
from antema.domain import Recipe
from tests.strategies.shapes import coverage, disc


def mask_of(*boxes: tuple[int, int, int, int], shape: tuple[int, int] = (60, 60)) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    for y0, y1, x0, x1 in boxes:
        mask[y0:y1, x0:x1] = True
    return mask


def reasons(mask: np.ndarray, recipe: Recipe, nm: float = 0.1) -> list[str]:
    return measure(mask, nm, recipe=recipe)["drop_reason"].tolist()


def test_pixels_that_meet_in_a_corner_are_one_region():
    mask = mask_of((10, 20, 10, 20), (20, 30, 20, 30))
    assert len(clean(mask, 0.1, Recipe())) == 1


def test_the_smallest_particle_is_the_larger_of_diameter_and_pixels():
    mask = mask_of((5, 9, 5, 10), (20, 24, 20, 26))  # 20 px and 24 px
    # 0.5 nm at 0.1 nm/px is a disc of 19.6 px
    assert reasons(mask, Recipe()) == ["", ""]
    assert reasons(mask, Recipe(min_area_px=21)) == ["too_small", ""]
    assert reasons(mask, Recipe(min_diameter_nm=0.53)) == ["too_small", ""]


@pytest.mark.parametrize("box", [(0, 20, 20, 40), (20, 40, 0, 20), (40, 60, 20, 40), (20, 40, 40, 60)])
def test_each_edge_of_the_image_drops_what_it_cuts_and_can_be_told_not_to(box):
    table = measure(mask_of(box), 0.1)
    assert table[["status", "drop_reason"]].to_numpy().tolist() == [["dropped", "touches_border"]]
    assert table["area_nm2"].iloc[0] == pytest.approx(4.0)
    assert reasons(mask_of(box), Recipe(drop_border=False)) == [""]


def test_one_pixel_from_the_edge_is_no_border_particle():
    assert reasons(mask_of((1, 21, 1, 21)), Recipe()) == [""]
    assert reasons(mask_of((39, 59, 39, 59)), Recipe()) == [""]


def test_holes_below_the_limit_are_closed_and_larger_ones_counted():
    mask = mask_of((5, 55, 5, 55))
    for i in range(12):
        mask[10 + 10 * (i // 4), 10 + 10 * (i % 4)] = False  # pinholes of 0.1 nm
    assert reasons(mask, Recipe()) == [""]
    for i in range(11):
        y, x = 10 + 10 * (i // 4), 10 + 10 * (i % 4)
        mask[y : y + 6, x : x + 6] = False  # 36 px, 0.68 nm
    assert reasons(mask, Recipe()) == ["too_many_holes"]
    assert reasons(mask, Recipe(max_holes=11)) == [""]
    assert reasons(mask, Recipe(hole_diameter_nm=0.7)) == [""]


def test_holes_are_closed_in_the_mask_and_large_ones_stay_open_for_the_separation():
    mask = mask_of((5, 55, 5, 55))
    mask[10, 10] = False
    mask[20:30, 20:30] = False
    (region,) = clean(mask, 0.1, Recipe())
    assert region.filled.all()
    assert np.count_nonzero(~region.mask) == 100


def test_a_notch_is_no_hole():
    mask = mask_of((5, 55, 5, 55))
    mask[5:20, 30] = False
    (region,) = clean(mask, 0.1, Recipe())
    assert not region.filled.all()


def test_a_tangle_below_the_lower_bound_is_dropped():
    mask = mask_of(*[(5, 55, x, x + 3) for x in range(5, 55, 8)], (5, 8, 5, 55))  # a comb
    assert reasons(mask, Recipe()) == ["convexity_too_low"]


@settings(max_examples=60, deadline=None)
@given(mask=arrays(np.bool_, (24, 24)), separation=st.sampled_from(["uecs", "watershed", "none"]))
def test_every_foreground_pixel_region_has_a_row(mask, separation):
    recipe = Recipe(separation=separation, min_area_px=1, marker_area_px=3, min_diameter_nm=0, marker_diameter_nm=0)
    regions = clean(mask, 1.0, recipe)
    table = measure(mask, 1.0, recipe=recipe)
    assert len(table) >= len(regions)
    assert sum(np.count_nonzero(region.filled) for region in regions) >= np.count_nonzero(mask)
    for region in regions:
        inside = (
            (table["bbox_x_px"] >= region.x)
            & (table["bbox_y_px"] >= region.y)
            & (table["bbox_x_px"] + table["bbox_w_px"] <= region.x + region.mask.shape[1])
            & (table["bbox_y_px"] + table["bbox_h_px"] <= region.y + region.mask.shape[0])
        )
        assert inside.any()


def test_rows_are_in_reading_order_by_centroid():
    picture = np.zeros((100, 100), dtype=np.float32)
    for x, y in ((70.2, 30.1), (30.4, 20.3), (50.5, 80.7)):
        picture = np.maximum(picture, coverage(disc(20)[0], (100, 100), (x, y)))
    table = measure(picture > 0.5, 0.1)
    assert table["centroid_y_nm"].is_monotonic_increasing
    assert table["particle"].tolist() == [1, 2, 3]
