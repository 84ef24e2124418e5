"""Separation along the seams that a network sees."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antema.analysis import Segmentation, analyse_mask, analyse_segmentation, measure
from antema.analysis.seams import along_seams
from antema.domain import Instance, Micrograph, PixelSize, Recipe
from antema.training.sources import seams
from tests.strategies.shapes import coverage, disc

LEAST = {"min_diameter_nm": 3, "marker_diameter_nm": 3, "hole_diameter_nm": 2}
NETWORK = Recipe.from_dict(LEAST | {"separation": "network"})
ERODED = Recipe.from_dict(LEAST | {"separation": "uecs"})
NM = PixelSize(1.0, "made")
LIMITS = {"convexity_threshold": 0.95, "least_marker_px": 30}


def box(shape, rows, columns):
    result = np.zeros(shape, dtype=bool)
    result[slice(*rows), slice(*columns)] = True
    return result


def measured(mask, contact, recipe=NETWORK):
    analysis = analyse_mask(mask, NM, recipe, contact=contact)
    return analysis.table[analysis.table["status"] == "measured"]


@pytest.fixture
def bar():
    """Two squares of 30 px that lie flush: no outline tells that there are two."""
    return box((50, 80), (10, 40), (10, 70))


def test_a_seam_cuts_what_no_outline_tells(bar):
    contact = box(bar.shape, (10, 40), (39, 42)).astype(np.float32)
    assert len(measured(bar, contact, ERODED)) == 1
    halves = measured(bar, contact)
    assert len(halves) == 2
    assert halves["separated"].all()
    # the seam's own pixels go to the nearer side
    assert sorted(halves["area_nm2"]) == pytest.approx([900, 900], rel=0.04)
    assert halves["area_nm2"].sum() == pytest.approx(1800, rel=1e-2)


@pytest.mark.parametrize("gap", [(10, 13), (22, 25)])
def test_a_gap_in_a_seam_is_bridged(bar, gap):
    contact = box(bar.shape, (10, 40), (39, 42)).astype(np.float32)
    contact[slice(*gap)] = 0
    assert sorted(measured(bar, contact)["area_nm2"]) == pytest.approx([900, 900], rel=0.06)


def test_a_seam_inside_a_particle_cuts_nothing(bar):
    contact = box(bar.shape, (20, 30), (39, 42)).astype(np.float32)
    assert measured(bar, contact)["area_nm2"].tolist() == pytest.approx([1800], rel=0.02)


@pytest.mark.parametrize("seen_px", [8, 16, 24])
def test_a_rim_inside_a_convex_particle_is_no_seam(bar, seen_px):
    # as of a core in its shell, or of dark spots: not from outline to outline
    contact = box(bar.shape, (25 - seen_px // 2, 25 + seen_px // 2), (39, 42)).astype(np.float32)
    assert measured(bar, contact)["area_nm2"].tolist() == pytest.approx([1800], rel=0.02)


def test_a_speck_between_seams_is_no_particle(bar):
    contact = box(bar.shape, (10, 40), (36, 46)).astype(np.float32)
    contact[20:22, 39:43] = 0
    assert len(measured(bar, contact)) == 2


def test_what_has_no_seam_is_left_to_erosion():
    picture = np.zeros((60, 130))
    for x in (30, 60, 90):
        picture = np.maximum(picture, coverage(disc(32)[0], picture.shape, (x, 30)))
    contact = np.zeros(picture.shape, np.float32)
    whole = measured(picture > 0.5, contact)
    contact[:, 44:47] = 1
    # one seam seen, the other one not
    partly = measured(picture > 0.5, contact)
    for found in (whole, partly):
        assert found["equivalent_diameter_nm"].tolist() == pytest.approx([32, 32, 32], rel=0.02)


@pytest.mark.parametrize("distance", [24, 28, 30])
def test_a_covered_disc_is_completed(distance):
    one = coverage(disc(40)[0], (60, 110), (30, 30))
    other = coverage(disc(40)[0], (60, 110), (30 + distance, 30))
    # of two that overlap the one on top is seen whole: its rim is the seam
    rim = (np.abs(np.hypot(*(np.indices((60, 110)) + 0.5 - np.array([30, 30])[:, None, None])) - 20) < 1.5) & (
        other > 0.5
    )
    found = measured(np.maximum(one, other) > 0.5, rim.astype(np.float32))
    assert found["equivalent_diameter_nm"].tolist() == pytest.approx([40, 40], rel=0.02)


@pytest.mark.parametrize("distance", [24, 28, 32])
def test_what_lies_between_two_rims_belongs_to_both(distance):
    masks = [coverage(disc(40)[0], (60, 110), (30 + shift, 30)) > 0.5 for shift in (0, distance)]
    drawn = seams([Instance(0, 0, mask) for mask in masks], (60, 110)).astype(np.float32)
    found = measured(masks[0] | masks[1], drawn)
    assert found["equivalent_diameter_nm"].tolist() == pytest.approx([40, 40], rel=0.03)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), level=st.floats(-0.5, 2.5))
def test_whatever_a_network_draws_the_pieces_make_up_the_region(seed, level):
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(np.random.default_rng(seed).normal(size=(70, 70)), 3)
    contact = (field / field.std() > level).astype(np.float32)
    rows, columns = np.indices((70, 70))
    region = np.hypot(rows - 35, columns - 35) < 30
    pieces = along_seams(region, contact, **LIMITS)
    covered = np.zeros_like(region)
    for x, y, mask in pieces:
        assert mask.any(axis=0).all()
        assert mask.any(axis=1).all()
        covered[y : y + mask.shape[0], x : x + mask.shape[1]] |= mask
        assert math.isclose(
            np.count_nonzero(mask), np.count_nonzero(mask & region[y:, x:][: mask.shape[0], : mask.shape[1]])
        )
    assert not (covered & ~region).any()
    assert len(pieces) != 1
    if pieces:
        assert np.count_nonzero(covered) >= 0.9 * np.count_nonzero(region)


def test_without_seams_from_the_model_erosion_does_it_and_the_result_says_so():
    picture = np.zeros((60, 100), dtype=np.float32)
    for x in (30, 60):
        picture = np.maximum(picture, coverage(disc(32)[0], picture.shape, (x, 30)))
    micrograph = Micrograph(picture, NM, "made.tif", "f" * 64)
    model = {"name": "drawn", "sha256": "", "threshold": 0.5}

    def analysed(contact, recipe=NETWORK):
        covered = np.zeros(picture.shape, dtype=bool)
        return analyse_segmentation(micrograph, Segmentation(picture, picture, covered, contact=contact), model, recipe)

    without = analysed(None)
    assert without.notes == ["The model tells of no seams between particles: they were separated by UECS instead."]
    eroded = analysed(None, ERODED)
    assert without.table["area_nm2"].tolist() == eroded.table["area_nm2"].tolist()
    assert analysed(np.zeros(picture.shape, np.float32)).notes == []


def test_masks_and_the_original_convention_have_no_network(bar):
    assert measure(bar, 1.0, recipe=NETWORK).equals(measure(bar, 1.0, recipe=ERODED))
    assert Recipe(convention="antema").separation == "uecs"
