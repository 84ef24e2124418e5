from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from antema.analysis import Analysis, Segmenter, analyse, analyse_mask, instance_pages, measure
from antema.domain import (
    PARTICLE_COLUMNS,
    AntemaError,
    CannotAnalyse,
    Micrograph,
    NoScale,
    PixelSize,
    Recipe,
    Trust,
)
from tests.strategies.shapes import coverage, disc

UNCLASSIFIED = Recipe(crystallinity=False, separation="uecs")


@dataclass(frozen=True)
class Oracle:
    """A segmenter that takes the pixels for probabilities."""

    name: str = "oracle"
    sha256: str = "0" * 64
    threshold: float = 0.5

    def probability(self, pixels):
        return np.asarray(pixels, dtype=np.float32)


@dataclass(frozen=True)
class Talker(Oracle):
    """One that says how it worked."""

    notes: tuple[str, ...] = ("seen at half width",)

    def segment(self, pixels, *, polarity="auto", expected="dark", progress=None):
        @dataclass
        class Segmented:
            probability: np.ndarray = field(default_factory=lambda: np.asarray(pixels, dtype=np.float32))
            notes: tuple[str, ...] = self.notes
            contact: np.ndarray | None = None
            trust: Trust | None = None
            polarity: str = "dark"
            scales: tuple[float, ...] = (0.5,)

        return Segmented()


def micrograph(pixels: np.ndarray, nm: float | None = 0.1) -> Micrograph:
    size = PixelSize(nm, "file: made") if nm else PixelSize.none("PNG has no scale")
    return Micrograph(pixels, size, "made.tif", "f" * 64)


@pytest.fixture(scope="module")
def three_discs() -> np.ndarray:
    picture = np.zeros((128, 160), dtype=np.float32)
    for (x, y), diameter in zip(((40.2, 40.7), (70.1, 40.3), (120.4, 90.2)), (34, 34, 25), strict=True):
        picture = np.maximum(picture, coverage(disc(diameter)[0], picture.shape, (x, y)))
    return picture


@pytest.fixture(scope="module")
def analysis(three_discs) -> Analysis:
    return analyse(micrograph(three_discs), UNCLASSIFIED, segmenter=Oracle())


def test_an_analysis_says_what_was_found_with_what(analysis, three_discs):
    kept = analysis.table[analysis.table["status"] == "measured"]
    assert sorted(kept["equivalent_diameter_nm"]) == pytest.approx([2.5, 3.4, 3.4], rel=0.01)
    assert kept["separated"].sum() == 2
    assert analysis.table["image"].unique().tolist() == ["made.tif"]
    assert analysis.model == {"name": "oracle", "sha256": "0" * 64, "threshold": 0.5}
    assert analysis.sha256 == "f" * 64
    assert analysis.notes == []
    assert set(analysis.seconds) == {"model", "segmentation", "cleaning", "separation", "measuring"}
    np.testing.assert_array_equal(analysis.segmentation, three_discs > 0.5)


def test_instances_are_aligned_with_the_rows(analysis):
    assert len(analysis.instances) == len(analysis.table)
    for instance, row in zip(analysis.instances, analysis.table.itertuples(), strict=True):
        assert (instance.x, instance.y, instance.w, instance.h) == (
            row.bbox_x_px,
            row.bbox_y_px,
            row.bbox_w_px,
            row.bbox_h_px,
        )
        assert (instance.status, instance.drop_reason, instance.separated) == (
            row.status,
            row.drop_reason,
            row.separated,
        )
        assert instance.area_px * 0.01 == pytest.approx(row.area_nm2, rel=0.03)
    assert analysis.table["particle"].tolist() == list(range(1, len(analysis.table) + 1))


def test_the_same_work_gives_the_same_table(analysis, three_discs):
    again = analyse(micrograph(three_discs), UNCLASSIFIED, segmenter=Oracle())
    pd.testing.assert_frame_equal(again.table, analysis.table, check_exact=True)


def test_the_recipes_threshold_goes_before_the_models(three_discs):
    wide = analyse(micrograph(three_discs), Recipe(threshold=0.1), segmenter=Oracle())
    narrow = analyse(micrograph(three_discs), Recipe(threshold=0.9), segmenter=Oracle())
    assert wide.model["threshold"] == 0.1
    assert wide.segmentation.sum() > narrow.segmentation.sum()


def test_what_the_segmenter_says_is_passed_on(three_discs):
    assert analyse(micrograph(three_discs), UNCLASSIFIED, segmenter=Talker()).notes == ["seen at half width"]


def test_a_segmenter_of_the_protocol_is_enough():
    segmenter: Segmenter = Oracle()
    assert segmenter.threshold == 0.5


def test_no_particle_is_an_empty_table_with_a_note():
    pixels = np.full((64, 64), 0.2, dtype=np.float32)
    pixels[0, 0] = 0.1
    analysis = analyse(micrograph(pixels), UNCLASSIFIED, segmenter=Oracle())
    assert tuple(analysis.table.columns) == PARTICLE_COLUMNS
    assert len(analysis.table) == 0
    assert analysis.instances == []
    assert analysis.notes == ["No particle was found."]
    assert analysis.table["area_nm2"].dtype == np.float64
    assert analysis.table["separated"].dtype == np.bool_


def test_all_particle_is_one_row_at_the_border_with_a_note():
    pixels = np.full((64, 64), 0.9, dtype=np.float32)
    pixels[30, 30] = 0.8
    analysis = analyse(micrograph(pixels), UNCLASSIFIED, segmenter=Oracle())
    assert analysis.table["drop_reason"].tolist() == ["touches_border"]
    assert analysis.notes == ["The image seems to be all particle: 100 % of it is foreground."]
    assert analysis.table["area_nm2"].iloc[0] == pytest.approx(64 * 64 * 0.01, rel=0.01)


@pytest.mark.parametrize(
    ("pixels", "nm", "error", "message"),
    [
        (np.eye(64), None, NoScale, "made.tif: expected a pixel size in nm, found none: PNG has no scale"),
        (np.eye(64), float("nan"), NoScale, "expected a pixel size in nm"),
        (np.eye(64), -1.0, NoScale, "expected a pixel size in nm"),
        (np.eye(31), 0.1, CannotAnalyse, "expected at least 32 x 32 pixels, found 31 x 31"),
        (np.full((64, 64), 7, np.uint8), 0.1, CannotAnalyse, "found the one grey value 7"),
        (np.full((64, 64), np.nan), 0.1, CannotAnalyse, "found none that is finite"),
    ],
)
def test_what_cannot_be_analysed_is_refused_in_a_sentence(pixels, nm, error, message):
    with pytest.raises(error, match=message):
        analyse(micrograph(pixels, nm), segmenter=Oracle())


def test_a_map_of_another_size_is_refused():
    class Half(Oracle):
        def probability(self, pixels):
            return np.zeros((32, 32), dtype=np.float32)

    with pytest.raises(CannotAnalyse, match=r"expected a map of \(64, 64\) pixels, found \(32, 32\)"):
        analyse(micrograph(np.eye(64)), segmenter=Half())


def test_more_pieces_than_can_be_numbered_are_named():
    pixels = np.zeros((530, 530), dtype=np.float32)
    pixels[1:-1:2, 1:-1:2] = 1
    pixels[98:132, 98:132] = 0
    pixels[100:130, 100:130] = 1
    analysis = analyse(micrograph(pixels), UNCLASSIFIED, segmenter=Oracle())
    assert len(analysis.table) == 65_535
    assert (analysis.table["status"] == "measured").sum() == 1
    assert "are not in the table" in analysis.notes[0]


@pytest.mark.parametrize("value", [1, 255])
def test_a_binary_mask_is_cleaned_and_separated(three_discs, value):
    mask = ((three_discs > 0.5) * value).astype(np.uint8)
    table = measure(mask, 0.1)
    assert (table["status"] == "measured").sum() == 3


@pytest.mark.parametrize("separation", ["uecs", "arcs"])
@pytest.mark.parametrize("kind", [np.float16, ">f4", ">f8"])
def test_maps_of_any_kind_of_number_are_measured_alike(three_discs, kind, separation):
    recipe = Recipe(separation=separation)
    as_given = three_discs.astype(kind)
    table = measure(three_discs > 0.5, 0.1, recipe=recipe, probability=as_given)
    plain = measure(three_discs > 0.5, 0.1, recipe=recipe, probability=as_given.astype(np.float64))
    pd.testing.assert_frame_equal(table, plain)
    assert table["edge_width_nm"].notna().all()


def test_what_is_no_number_in_a_map_is_background(three_discs):
    holed = three_discs.copy()
    holed[:, ::7] = np.nan
    background = np.nan_to_num(holed, nan=0)
    table = measure(holed > 0.5, 0.1, probability=holed)
    pd.testing.assert_frame_equal(table, measure(holed > 0.5, 0.1, probability=background))
    assert len(table) > 3


def test_instances_are_measured_as_they_are_and_keep_their_numbers(analysis, three_discs):
    pages = instance_pages(analysis.instances, three_discs.shape)
    assert pages.shape[0] == 2
    table = measure(pages * np.uint16(10), 0.1)
    assert table["particle"].tolist() == [10, 20, 30]
    assert table["status"].tolist() == ["measured"] * 3
    expected = analysis.table["equivalent_diameter_nm"]
    assert table["equivalent_diameter_nm"].tolist() == pytest.approx(expected.tolist(), rel=0.01)


def test_given_instances_are_dropped_for_their_size_and_place():
    page = np.zeros((64, 64), dtype=np.uint16)
    page[0:20, 10:30], page[40:42, 40:42], page[30:50, 5:25] = 1, 2, 5
    page[60, 60] = 5  # a crumb of the same number
    table = measure(page, 0.1)
    assert table["particle"].tolist() == [1, 2, 5]
    assert table["drop_reason"].tolist() == ["touches_border", "too_small", ""]
    assert table["area_nm2"].tolist()[2] == pytest.approx(4.0)


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((8, 8), dtype=np.float32),
        np.zeros((2, 8, 8), dtype=bool),
        np.zeros(8, dtype=bool),
        np.zeros((0, 8), dtype=bool),
        np.full((8, 8), -1) * np.eye(8, dtype=np.int16) + np.eye(8, k=1, dtype=np.int16),
    ],
)
def test_what_is_no_mask_is_refused(mask):
    with pytest.raises(AntemaError, match="expected"):
        measure(mask, 0.1)


def test_a_mask_needs_a_scale():
    with pytest.raises(NoScale, match="found None"):
        analyse_mask(np.eye(40, dtype=bool), PixelSize.none("not given"))
    with pytest.raises(NoScale, match="above 0"):
        measure(np.eye(40, dtype=bool), 0.0)


def test_a_map_of_another_size_than_the_mask_is_refused():
    with pytest.raises(AntemaError, match="probability map"):
        measure(np.eye(40, dtype=bool), 0.1, probability=np.eye(39))
