import pytest
from hypothesis import given
from hypothesis import strategies as st

from antema.domain import SCALE_TOLERANCE, Box, PixelSize, ScaleBar, disagree, scale_disagreements

SIZES = st.floats(1e-3, 1e3)
AT = Box(10, 10, 100, 4)


def sentences(in_force, file_nm, bar):
    return [found.sentence for found in scale_disagreements(in_force, file_nm=file_nm, bar=bar)]


def test_the_export_that_is_ten_per_cent_off():
    """Its bar of 172 px says 10 nm, its file 0.06398699 nm/px."""
    bar = ScaleBar(172.0, AT, "10 nm", 10.0)
    (found,) = scale_disagreements(PixelSize(0.06398699, "file: a tag"), file_nm=0.06398699, bar=bar)
    assert "0.05814 nm/px, 9.1 % less than the file's 0.06399 nm/px" in found.sentence
    assert "172 px, labelled “10 nm”" in found.sentence
    assert found.short == "scale bar: 0.05814 nm/px, 9.1 % less"


@given(SIZES, SIZES, SIZES)
def test_a_sentence_for_each_pair_that_is_apart(given_nm, file_nm, bar_nm):
    bar = ScaleBar(200.0, AT, "x", 200.0 * bar_nm)
    apart = disagree(given_nm, file_nm) + disagree(bar.pixel_size_nm, given_nm)
    assert len(sentences(PixelSize(given_nm, "user: Ann"), file_nm, bar)) == apart
    assert len(sentences(PixelSize(file_nm, "file: a tag"), file_nm, bar)) == disagree(bar.pixel_size_nm, file_nm)


@given(SIZES, st.floats(-0.9, 20).filter(lambda share: abs(abs(share) - SCALE_TOLERANCE) > 1e-9))
def test_more_than_one_per_cent_is_told(nm, share):
    other = nm * (1 + share)
    assert bool(sentences(PixelSize(other, "command line"), nm, None)) == (abs(share) > SCALE_TOLERANCE)


def test_what_is_not_known_disagrees_with_nothing():
    bar = ScaleBar(172.0, AT, "10 nm", 10.0)
    unread = ScaleBar(172.0, AT, "?", None)
    assert sentences(PixelSize.none("no tag"), None, bar) == []
    assert sentences(PixelSize(0.1, "file: a tag"), 0.1, unread) == []
    assert sentences(PixelSize(0.1, "user: Ann"), None, None) == []


@pytest.mark.parametrize(("length_px", "told"), [(40.0, True), (400.0, False)])
def test_what_one_pixel_of_a_short_bar_means(length_px, told):
    bar = ScaleBar(length_px, AT, "x", length_px * 0.11)
    (sentence,) = sentences(PixelSize(0.1, "file: a tag"), 0.1, bar)
    assert ("One pixel of this bar is 2.5 %." in sentence) == told
