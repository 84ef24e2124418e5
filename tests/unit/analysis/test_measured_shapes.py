import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.measure import find_contours

from antema.analysis import measure
from antema.analysis.outline import outline
from antema.analysis.polygon import polygon_area, polygon_perimeter
from antema.domain import PARTICLE_COLUMNS, Recipe
from tests.strategies.shapes import SHAPES, anywhere, coverage, disc, ellipse

WHOLE = Recipe(separation="none", min_diameter_nm=0, hole_diameter_nm=0)
LENGTHS = ["equivalent_diameter_nm", "feret_min_nm", "feret_max_nm", "perimeter_nm"]
SHAPE_NUMBERS = ["aspect_ratio", "circularity", "convexity", "solidity"]


def one(table: pd.DataFrame) -> pd.Series:
    assert len(table) == 1
    return table.iloc[0]


def mean_errors(kind: str, size_px: float, *, with_map: bool, n: int = 8) -> dict[str, float]:
    rng = np.random.default_rng(7)
    inside, truth = SHAPES[kind](size_px)
    rows = []
    for _ in range(n):
        picture = anywhere(inside, truth, rng)
        rows.append(one(measure(picture > 0.5, 1.0, recipe=WHOLE, probability=picture if with_map else None)))
    found = pd.DataFrame(rows)
    expected = [truth.equivalent_diameter, truth.feret_min, truth.feret_max, truth.perimeter]
    return {name: found[name].mean() / value - 1 for name, value in zip(LENGTHS, expected, strict=True)} | {
        "circularity": found["circularity"].mean() - truth.circularity
    }


@pytest.mark.parametrize(
    ("size_px", "with_map", "limit"),
    [(10, True, 0.015), (30, True, 0.003), (80, True, 0.003), (10, False, 0.04), (30, False, 0.01), (80, False, 0.01)],
)
def test_lengths_have_no_bias_over_shapes_at_any_place_and_angle(size_px, with_map, limit):
    errors = pd.DataFrame([mean_errors(kind, size_px, with_map=with_map) for kind in SHAPES])
    assert (errors[LENGTHS].mean().abs() < limit).all(), errors
    assert (errors[LENGTHS].abs() < 3 * limit).all(axis=None), errors  # no shape's error hides another's
    if with_map and size_px >= 30:
        assert (errors["circularity"].abs() < 0.012).all(), errors


@pytest.mark.parametrize("blur_px", [1.0, 2.0])
def test_the_outline_of_a_soft_map_is_nearer_than_its_plain_level_line(blur_px):
    for kind in ("disc", "square"):
        inside, truth = SHAPES[kind](30)
        soft = gaussian_filter(np.pad(anywhere(inside, truth, np.random.default_rng(2)), 4).astype(float), blur_px)
        plain = max(find_contours(soft, 0.5), key=len)[:-1]
        row = one(measure(soft > 0.5, 1.0, recipe=WHOLE, probability=soft))
        for found, line in ((row["perimeter_nm"], polygon_perimeter(plain)), (row["area_nm2"], polygon_area(plain))):
            target = truth.perimeter if found == row["perimeter_nm"] else truth.area
            assert abs(found - target) < abs(line - target)


def test_the_outline_of_a_noisy_map_is_hardly_longer_than_its_plain_level_line():
    rng = np.random.default_rng(4)
    for kind in SHAPES:
        picture = anywhere(*SHAPES[kind](30), rng)
        noisy = np.clip(picture + rng.normal(0, 0.1, picture.shape), 0, 1)
        noisy[0] = noisy[-1] = noisy[:, 0] = noisy[:, -1] = 0
        plain = max(find_contours(noisy, 0.5), key=len)[:-1]
        table = measure(noisy > 0.5, 1.0, recipe=WHOLE, probability=noisy)
        assert table["perimeter_nm"].max() < 1.01 * polygon_perimeter(plain)


@pytest.mark.parametrize("with_map", [True, False])
@pytest.mark.parametrize("size_px", [10, 30, 120])
def test_a_disc_is_round(size_px, with_map):
    errors = mean_errors("disc", size_px, with_map=with_map)
    assert abs(errors["circularity"]) < 0.02


def test_circularity_never_exceeds_one_by_more_than_its_uncertainty():
    rng = np.random.default_rng(3)
    for size_px in rng.uniform(4, 40, 60):
        inside, truth = disc(size_px)
        table = measure(anywhere(inside, truth, rng) > 0.5, 1.0, recipe=WHOLE)
        assert one(table)["circularity"] < 1.005


def test_the_outline_of_a_mask_encloses_as_many_pixels_as_it_has():
    rng = np.random.default_rng(5)
    for kind in SHAPES:
        mask = anywhere(*SHAPES[kind](25), rng) > 0.5
        assert polygon_area(outline(mask)) == pytest.approx(np.count_nonzero(mask))


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 2), (5, 1), (3, 1)])
def test_the_smallest_masks_have_an_outline(shape):
    polygon = outline(np.ones(shape, dtype=bool))
    assert polygon_area(polygon) == pytest.approx(shape[0] * shape[1])
    assert polygon.mean(axis=0) == pytest.approx([shape[1] / 2, shape[0] / 2], abs=0.05)


def test_the_level_of_the_outline_follows_the_threshold():
    y, x = np.mgrid[:80, :80] + 0.5
    slope = np.clip(0.5 + (20 - np.hypot(x - 40, y - 40)) / 10, 0, 1)  # 0.5 at a radius of 20 px, 0.1 per px
    for threshold, radius in ((0.3, 22), (0.5, 20), (0.8, 17)):
        recipe = Recipe(separation="none", threshold=threshold, min_diameter_nm=0)
        row = one(measure(slope > threshold, 0.5, recipe=recipe, probability=slope))
        assert row["equivalent_diameter_nm"] == pytest.approx(radius, rel=2e-3)


def test_a_neighbour_in_the_bounding_box_changes_nothing():
    # a small disc in the corner of a large one's box
    big = coverage(disc(60)[0], (80, 80), (40, 40))
    small = coverage(disc(8)[0], (80, 80), (66.5, 66.5))
    alone = one(measure(big > 0.5, 1.0, recipe=WHOLE, probability=big))
    together = measure(np.maximum(big, small) > 0.5, 1.0, recipe=WHOLE, probability=np.maximum(big, small))
    assert len(together) == 2
    row = together[together["area_nm2"] > 1000].iloc[0]
    pd.testing.assert_series_equal(row[LENGTHS], alone[LENGTHS], check_names=False)


def test_closed_holes_count_as_particle():
    picture = coverage(disc(40)[0], (60, 60), (30, 30))
    pierced = picture * (1 - coverage(disc(6)[0], (60, 60), (30, 30)))
    whole, filled = (one(measure(p > 0.5, 1.0, recipe=WHOLE, probability=p)) for p in (picture, pierced))
    pd.testing.assert_series_equal(whole[LENGTHS], filled[LENGTHS])


def test_positions_are_measured_from_the_upper_left_corner_of_the_image():
    picture = coverage(disc(20)[0], (60, 90), (41.3, 22.8))
    row = one(measure(picture > 0.5, 0.1, recipe=Recipe(), probability=picture))
    assert (row["centroid_x_nm"], row["centroid_y_nm"]) == pytest.approx((4.13, 2.28), abs=2e-3)
    assert (row["bbox_x_px"], row["bbox_y_px"]) == (31, 13)
    assert (row["bbox_w_px"], row["bbox_h_px"]) == (20, 20)


def test_columns_types_and_values_that_do_not_apply():
    mask = np.zeros((60, 60), dtype=bool)
    mask[5:30, 10:40] = True
    mask[50, 50] = True
    table = measure(mask, 0.1, name="a.png")
    assert tuple(table.columns) == PARTICLE_COLUMNS
    assert table["particle"].tolist() == [1, 2]
    kinds = {name: table[name].dtype.kind for name in table.columns}
    assert all(kinds[name] == "i" for name in ("particle", "bbox_x_px", "bbox_y_px", "bbox_w_px", "bbox_h_px"))
    assert kinds["separated"] == "b"
    text = ("sample", "image", "status", "drop_reason", "crystallinity", "convention")
    assert all(isinstance(value, str) for name in text for value in table[name])
    assert table["drop_reason"].tolist() == ["", "too_small"]
    assert table["crystallinity"].tolist() == ["", ""]
    assert table[["p_amorphous", "p_monocrystalline", "p_polycrystalline", "confidence"]].isna().all(axis=None)
    # a speckle is counted but has no outline
    assert table["area_nm2"].tolist()[1] == pytest.approx(0.01)
    assert math.isnan(table["perimeter_nm"].tolist()[1])
    assert not table.iloc[0][[*LENGTHS, *SHAPE_NUMBERS]].isna().any()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size_px=st.floats(8, 40), convention=st.sampled_from(["contour", "antema"]))
def test_a_quarter_turn_a_mirror_and_a_shift_change_no_measure(seed, size_px, convention):
    mask = anywhere(*ellipse(size_px), np.random.default_rng(seed)) > 0.5
    recipe = Recipe(separation="none", convention=convention, min_diameter_nm=0)
    first = one(measure(mask, 1.0, recipe=recipe))
    tolerance = 1e-9 if convention == "contour" else 2e-2  # the original's convex image tells left from right
    names = LENGTHS + (SHAPE_NUMBERS if convention == "contour" else ["aspect_ratio", "circularity"])
    for other in (np.rot90(mask), mask[:, ::-1], np.pad(mask, ((3, 0), (11, 2)))):
        row = one(measure(np.ascontiguousarray(other), 1.0, recipe=recipe))
        assert row[names].tolist() == pytest.approx(first[names].tolist(), rel=tolerance)


@settings(max_examples=20, deadline=None)
@given(nm=st.floats(1e-3, 1e3), convention=st.sampled_from(["contour", "antema"]))
def test_lengths_scale_with_the_pixel_and_shapes_do_not(nm, convention):
    mask = anywhere(*ellipse(30), np.random.default_rng(0)) > 0.5
    recipe = Recipe(separation="none", convention=convention, min_diameter_nm=0)
    first, scaled = (one(measure(mask, size, recipe=recipe)) for size in (1.0, nm))
    assert scaled[LENGTHS].tolist() == pytest.approx((first[LENGTHS] * nm).tolist())
    assert scaled["area_nm2"] == pytest.approx(first["area_nm2"] * nm**2)
    assert scaled[SHAPE_NUMBERS].tolist() == pytest.approx(first[SHAPE_NUMBERS].tolist())


def test_a_map_of_zero_and_one_is_measured_as_the_mask_that_it_is():
    mask = anywhere(disc(33)[0], disc(33)[1], np.random.default_rng(4)) > 0.5
    by_mask, by_map = one(measure(mask, 1.0)), one(measure(mask, 1.0, probability=mask.astype(np.float32)))
    assert by_map["status"] == "measured"
    assert by_map[LENGTHS].tolist() == by_mask[LENGTHS].tolist()
