import numpy as np
import pandas as pd
import pytest
from PIL import Image

from antema.analysis import measure
from antema.analysis.pixel_counting import boundary_chain, chain_perimeter, convex_image, minor_axis_px
from antema.domain import Recipe

PIXEL_SIZE_NM = 0.06398699
BOX = ["bbox_x_px", "bbox_y_px", "bbox_w_px", "bbox_h_px"]
MEASURED = ["area_nm2", "equivalent_diameter_nm", "feret_min_nm", "feret_max_nm", "perimeter_nm", "circularity"]


@pytest.fixture(scope="module")
def tables(shared_data):
    folder = shared_data / "antema-au"
    class_map = np.array(Image.open(folder / "class_map.png"))
    ours = measure(class_map, PIXEL_SIZE_NM, recipe=Recipe(convention="antema"))
    return pd.read_csv(folder / "particles.csv"), ours


@pytest.mark.parametrize(("rows", "separated"), [(slice(0, 242), False), (slice(242, None), True)])
def test_the_originals_table_is_met_row_by_row(tables, rows, separated):
    theirs, ours = tables[0].iloc[rows], tables[1]
    kept = ours[(ours["status"] == "measured") & (ours["separated"] == separated)]
    assert len(kept) == len(theirs)
    pairs = theirs.merge(kept, on=BOX, suffixes=("", "_ours"), validate="one_to_one")
    assert len(pairs) == len(theirs)
    for name in MEASURED:
        np.testing.assert_allclose(pairs[f"{name}_ours"], pairs[name], rtol=1e-6)


def test_what_the_original_threw_away_keeps_a_row(tables):
    dropped = tables[1][tables[1]["status"] == "dropped"]
    assert set(dropped["drop_reason"]) == {"too_small", "touches_border", "not_separable"}
    assert not dropped["area_nm2"].isna().any()


def test_the_chain_of_a_square_goes_round_it_clockwise():
    assert boundary_chain(np.ones((3, 3), dtype=bool)) == [0, 0, 2, 2, 4, 4, 6, 6]
    # steps of one kind in a row make no corner: four corners
    assert chain_perimeter(np.ones((3, 3), dtype=bool)) == pytest.approx(8 * 0.980 - 4 * 0.091)


def test_chains_of_lines_and_points():
    assert boundary_chain(np.ones((1, 1), dtype=bool)) == []
    assert chain_perimeter(np.ones((1, 1), dtype=bool)) == 0
    assert boundary_chain(np.ones((1, 3), dtype=bool)) == [0, 0, 4, 4]
    diagonal = np.eye(3, dtype=bool)
    assert boundary_chain(diagonal) == [1, 1, 5, 5]
    assert chain_perimeter(diagonal) == pytest.approx(4 * 1.406)


def test_the_convex_image_contains_the_mask_and_closes_its_notch():
    mask = np.ones((9, 9), dtype=bool)
    mask[:6, 3:6] = False
    hull = convex_image(mask)
    assert hull.all()
    assert convex_image(np.eye(5, dtype=bool)).sum() >= 5


def test_the_minor_axis_of_a_bar_is_its_width():
    # the second moment of a bar of width w is w² / 12, of an ellipse w² / 16
    assert minor_axis_px(np.ones((6, 40), dtype=bool)) == pytest.approx(6 * (16 / 12) ** 0.5)
