"""Particles out of what a network proposes, where the network is an oracle."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antema.analysis import Segmentation, analyse_segmentation
from antema.analysis.proposed import proposed_particles
from antema.domain import Micrograph, PixelSize, Recipe
from antema.nets.proposals import N_RAYS, OFFSET_UNIT_PX, Proposals

TURN = 2 * np.pi * np.arange(N_RAYS) / N_RAYS
SHAPE = (120, 160)
NM = PixelSize(1.0, "made")


def disc(x, y, radius, shape=SHAPE):
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    return np.hypot(columns - x, rows - y) < radius


def box_rays(half_width, half_height):
    return np.minimum(
        half_width / np.maximum(abs(np.cos(TURN)), 1e-9), half_height / np.maximum(abs(np.sin(TURN)), 1e-9)
    )


def told(masks, middles, rays, shape=SHAPE):
    """Return proposals and votes as a perfect network gives them."""
    n = len(masks)
    proposals = Proposals(
        np.array(middles, np.float32),
        np.array(rays, np.float32),
        np.linspace(1, 0.9, n, dtype=np.float32),
        np.full(n, 0.9, np.float32),
        np.zeros(n, np.int64),
        np.full(n, 0.9, np.float32),
    )
    rows, columns = np.mgrid[: shape[0] // 2, : shape[1] // 2] * 2 + 1.0
    votes = np.zeros((shape[0] // 2, shape[1] // 2, 2), np.float32)
    for mask, (x, y) in zip(masks, middles, strict=True):
        own = mask[1::2, 1::2]
        votes[own] = (np.stack([x - columns, y - rows], -1) / OFFSET_UNIT_PX)[own]
    return proposals, [(1.0, votes)]


def whole(found, shape=SHAPE):
    mask = np.zeros(shape, bool)
    mask[found.y : found.y + found.mask.shape[0], found.x : found.x + found.mask.shape[1]] = found.mask
    return mask


def iou(one, other):
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)


def test_squares_that_lie_flush_are_told_apart_by_votes():
    left, right = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    left[30:60, 20:50], right[30:60, 50:80] = True, True
    proposals, votes = told([left, right], [(35, 45), (65, 45)], [box_rays(15, 15)] * 2)
    found = proposed_particles(proposals, votes, left | right, least_area_px=12)
    assert [iou(whole(one), true) for one, true in zip(found, (left, right), strict=True)] == [1.0, 1.0]
    assert all(one.has_neighbours and not one.is_clump and one.inferred_fraction == 0 for one in found)


def test_a_rod_is_whole_though_rays_miss_its_ends():
    rod = np.zeros(SHAPE, bool)
    rod[50:60, 20:140] = True
    rays = np.minimum(box_rays(60, 5), 40)
    proposals, votes = told([rod], [(80, 55)], [rays])
    (found, *rest) = proposed_particles(proposals, votes, rod, least_area_px=12)
    assert iou(whole(found), rod) > 0.8
    assert not [one for one in rest if not one.is_clump]


def test_the_hidden_part_of_a_disc_is_inferred():
    lower, upper = disc(60, 60, 25), disc(90, 60, 25)
    visible = lower & ~upper
    proposals, votes = told([visible, upper], [(60, 60), (90, 60)], [np.full(N_RAYS, 25.0)] * 2)
    found = proposed_particles(proposals, votes, lower | upper, least_area_px=12)
    assert [iou(whole(one), true) > 0.95 for one, true in zip(found, (lower, upper), strict=True)] == [True, True]
    # two thirds of the half-angle of the lens: acos(15 / 25) / pi of the outline lies under the other
    assert found[0].inferred_fraction == pytest.approx(math.acos(15 / 25) / math.pi, abs=0.06)


def test_a_particle_of_which_little_is_seen_is_measured_and_does_not_count():
    lower, upper = disc(60, 60, 15), disc(82, 60, 25)
    visible = lower & ~upper
    proposals, votes = told([visible, upper], [(60, 60), (82, 60)], [np.full(N_RAYS, 15.0), np.full(N_RAYS, 25.0)])
    picture = (lower | upper).astype(np.float32)
    segmentation = Segmentation(picture, picture, np.zeros(SHAPE, bool), proposals=proposals, offsets=votes)
    model = {"name": "oracle", "sha256": "", "threshold": 0.5}

    def analysed(**options):
        micrograph = Micrograph(picture, NM, "made", "")
        return analyse_segmentation(micrograph, segmentation, model, Recipe(min_diameter_nm=3, **options)).table

    table = analysed()
    assert sorted(table["drop_reason"]) == ["", "mostly_hidden"]
    hidden = table[table["drop_reason"] == "mostly_hidden"].iloc[0]
    assert hidden["inferred_fraction"] > 0.4
    assert hidden["equivalent_diameter_nm"] == pytest.approx(30 * NM.nm, rel=0.05)
    assert (analysed(least_seen=0.3)["status"] == "measured").all()


def test_what_hangs_on_particles_unproposed_is_a_clump_and_what_lies_apart_is_not():
    known, unknown, apart = disc(40, 60, 18), disc(72, 60, 18), disc(130, 60, 15)
    proposals, votes = told([known], [(40, 60)], [np.full(N_RAYS, 18.0)])
    foreground = known | unknown | apart
    found = proposed_particles(proposals, votes, foreground, least_area_px=12)
    assert [(one.is_clump, one.confidence > 0) for one in found] == [(False, True), (True, False), (False, False)]
    picture = foreground.astype(np.float32)
    segmentation = Segmentation(picture, picture, np.zeros(SHAPE, bool), proposals=proposals, offsets=votes)
    model = {"name": "oracle", "sha256": "", "threshold": 0.5}
    recipe = Recipe(min_diameter_nm=3)
    table = analyse_segmentation(Micrograph(picture, NM, "made", ""), segmentation, model, recipe).table
    assert table["drop_reason"].tolist() == ["", "unresolved", ""]
    assert table["outline_confidence"].round(2).tolist() == [0.9, 0.0, 0.0]
    assert table["inferred_fraction"].tolist() == [0, 0, 0]


def test_nothing_proposed_and_nothing_seen_is_nothing_found():
    proposals, votes = told([], np.empty((0, 2)), np.empty((0, N_RAYS)))
    assert proposed_particles(proposals, votes, np.zeros(SHAPE, bool), least_area_px=12) == []


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_no_pixel_of_two_discs_is_lost_or_invented(seed):
    rng = np.random.default_rng(seed)
    radii = rng.uniform(8, 20, 2)
    first = rng.uniform(40, 60, 2)
    angle, apart = rng.uniform(0, 2 * np.pi), radii.sum() * rng.uniform(0.8, 1.3)
    second = first + apart * np.array([np.cos(angle), np.sin(angle)])
    one, other = disc(*first, radii[0]), disc(*second, radii[1])
    if np.count_nonzero(other) < 100:
        return
    proposals, votes = told([one, other & ~one], [first, second], [np.full(N_RAYS, r) for r in radii])
    found = proposed_particles(proposals, votes, one | other, least_area_px=12)
    union = np.zeros(SHAPE, bool)
    for each in found:
        union |= whole(each)
    assert np.count_nonzero(union & ~(one | other)) == 0
    assert np.count_nonzero((one | other) & ~union) <= 0.03 * np.count_nonzero(one | other)


def test_parts_of_a_rod_between_which_no_seam_is_seen_are_one_and_with_a_seam_they_are_not():
    rod = np.zeros(SHAPE, bool)
    rod[50:62, 20:140] = True
    parts = [np.zeros(SHAPE, bool) for _ in range(3)]
    for k, part in enumerate(parts):
        part[50:62, 20 + 40 * k : 60 + 40 * k] = True
    proposals, votes = told(parts, [(40 + 40 * k, 56) for k in range(3)], [box_rays(20, 6)] * 3)
    (found,) = proposed_particles(proposals, votes, rod, least_area_px=12, contact=np.zeros(SHAPE, np.float32))
    assert iou(whole(found), rod) == 1
    seams = np.zeros(SHAPE, np.float32)
    seams[50:62, 58:62] = 1
    two = proposed_particles(proposals, votes, rod, least_area_px=12, contact=seams)
    assert sorted(one.mask.shape[1] for one in two) == [40, 80]


def test_a_capsule_of_which_parts_are_proposed_is_one_and_touching_discs_in_a_ring_are_not():
    middle, radius = (80, 60), 40
    capsule = disc(*middle, radius) & ~disc(*middle, 30)
    turns = 2 * np.pi * np.arange(8) / 8
    centres = [(middle[0] + 35 * np.cos(t), middle[1] + 35 * np.sin(t)) for t in turns]
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    near = np.argmin([np.hypot(columns - x, rows - y) for x, y in centres], axis=0)
    parts = [capsule & (near == k) for k in range(8)]
    proposals, votes = told(parts, centres, [np.full(N_RAYS, 14.0)] * 8)
    none = np.zeros(SHAPE, np.float32)
    (one,) = proposed_particles(proposals, votes, capsule, least_area_px=12, contact=none)
    assert iou(whole(one), disc(*middle, radius)) > 0.97
    seen = proposed_particles(proposals, votes, capsule, least_area_px=12, contact=none + 0.9)
    assert len(seen) == 8

    beads = [disc(x, y, 14) for x, y in centres]
    proposals, votes = told(beads, centres, [np.full(N_RAYS, 14.0)] * 8)
    assert len(proposed_particles(proposals, votes, np.any(beads, axis=0), least_area_px=12, contact=none)) == 8


def test_necked_discs_without_a_visible_seam_stay_two():
    one, other = disc(50, 60, 18), disc(84, 60, 18)
    proposals, votes = told([one, other & ~one], [(50, 60), (84, 60)], [np.full(N_RAYS, 18.0)] * 2)
    found = proposed_particles(proposals, votes, one | other, least_area_px=12, contact=np.zeros(SHAPE, np.float32))
    assert len(found) == 2
