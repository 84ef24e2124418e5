import math

import numpy as np
import pytest

from antema.analysis import ProbabilityMap, analyse_mask, clean, measure, separate
from antema.analysis.ellipse import fit_circle, fit_ellipse
from antema.analysis.uecs import necked_lobes, uecs
from antema.domain import PixelSize, Recipe
from tests.strategies.shapes import anywhere, chain_of_discs, coverage, disc, ellipse, hexagon

RECIPE = Recipe(min_diameter_nm=3, marker_diameter_nm=3, hole_diameter_nm=2)


def errors_of(diameters, overlap, seed, *, with_map=True, recipe=RECIPE):
    """Return the number of measured particles, and the error of the one nearest to each true centre."""
    picture, centres = chain_of_discs(diameters, overlap, np.random.default_rng(seed))
    table = measure(picture > 0.5, 1.0, recipe=recipe, probability=picture if with_map else None)
    kept = table[table["status"] == "measured"]
    errors = []
    for (x, y), diameter in zip(centres, diameters, strict=True):
        nearest = np.hypot(kept["centroid_x_nm"] - x, kept["centroid_y_nm"] - y).argmin()
        errors.append(kept["equivalent_diameter_nm"].iloc[nearest] / diameter - 1)
    return len(kept), errors


@pytest.mark.parametrize("with_map", [True, False])
@pytest.mark.parametrize("overlap", [0.02, 0.08, 0.15, 0.2, 0.25, 0.3])
@pytest.mark.parametrize("diameters", [[40.0, 40.0], [30.0, 42.0], [50.0, 46.0, 52.0]])
def test_overlapping_discs_come_apart_with_their_diameters(diameters, overlap, with_map):
    errors = []
    for seed in range(4):
        n, found = errors_of(diameters, overlap, seed, with_map=with_map)
        assert n == len(diameters)
        errors.extend(found)
    assert abs(np.mean(errors)) < 0.01
    assert np.max(np.abs(errors)) < 0.06


def test_masks_of_overlapping_particles_share_pixels():
    picture, _ = chain_of_discs([50.0, 50.0], 0.2, np.random.default_rng(0))
    analysis = analyse_mask(picture > 0.5, PixelSize(1.0, "made"), RECIPE)
    covered = np.zeros(picture.shape, dtype=int)
    for instance in analysis.instances:
        assert instance.separated
        covered[instance.y : instance.y + instance.h, instance.x : instance.x + instance.w] += instance.mask
    distance = 0.8 * 50
    half_angle = math.acos(distance / 50)
    lens = 2 * (25**2 * half_angle - distance / 2 * 25 * math.sin(half_angle))
    assert np.count_nonzero(covered == 2) == pytest.approx(lens, rel=0.25)
    assert not (covered[picture <= 0.5]).any()  # nothing grows out of the region


@pytest.mark.parametrize("make", [disc, ellipse, hexagon])
@pytest.mark.parametrize("size_px", [12, 40, 90])
def test_single_particles_stay_whole(make, size_px):
    rng = np.random.default_rng(2)
    for _ in range(4):
        picture = anywhere(*make(size_px), rng)
        table = measure(picture > 0.5, 1.0, recipe=RECIPE, probability=picture)
        assert table[["status", "separated"]].to_numpy().tolist() == [["measured", False]]


def test_separation_does_not_depend_on_the_place_in_the_image_or_its_orientation():
    picture, _ = chain_of_discs([44.0, 36.0], 0.12, np.random.default_rng(4))
    mask = picture > 0.5
    shifted = np.pad(mask, ((17, 3), (1, 40)))
    names = ["equivalent_diameter_nm", "feret_max_nm", "perimeter_nm"]
    first = measure(mask, 1.0, recipe=RECIPE)[names].sort_values(names[0]).to_numpy()
    for other in (shifted, np.rot90(mask), mask[::-1]):
        found = measure(np.ascontiguousarray(other), 1.0, recipe=RECIPE)[names].sort_values(names[0]).to_numpy()
        np.testing.assert_allclose(found, first, rtol=1e-6)


def test_no_separation_keeps_everything_whole_and_reports_convexity():
    picture, _ = chain_of_discs([40.0, 40.0], 0.05, np.random.default_rng(1))
    table = measure(picture > 0.5, 1.0, recipe=Recipe(separation="none"), probability=picture)
    assert table["status"].tolist() == ["measured"]
    assert table["convexity"].iloc[0] < 0.9


def test_watershed_cuts_and_shares_nothing():
    picture, _ = chain_of_discs([40.0, 40.0], 0.1, np.random.default_rng(1))
    analysis = analyse_mask(picture > 0.5, PixelSize(1.0, "made"), Recipe(separation="watershed"))
    assert analysis.table["status"].tolist() == ["measured", "measured"]
    assert sum(i.area_px for i in analysis.instances) == np.count_nonzero(picture > 0.5)
    assert analysis.table["equivalent_diameter_nm"].tolist() == pytest.approx([40, 40], rel=0.04)
    deep = Recipe(separation="watershed", watershed_depth_px=30)
    assert len(measure(picture > 0.5, 1.0, recipe=deep)) == 1


def test_what_does_not_separate_keeps_a_row():
    # a spiral arm: not convex at any depth, and too thin for markers
    mask = np.zeros((80, 80), dtype=bool)
    for t in np.linspace(0.5, 1.6 * math.pi, 400):
        y, x = int(40 + 25 * math.sin(t)), int(40 + 25 * math.cos(t))
        mask[y - 2 : y + 3, x - 2 : x + 3] = True
    table = measure(mask, 1.0, recipe=Recipe(marker_area_px=200, min_diameter_nm=3))
    assert set(table["status"]) == {"dropped"}
    assert set(table["drop_reason"]) <= {"not_separable", "convexity_too_low"}
    assert not table["perimeter_nm"].isna().any()


def test_a_piece_too_small_for_a_marker_is_not_lost():
    # a large disc with a small one hanging on: the small one is below the marker's size
    big, small = coverage(disc(60)[0], (100, 120), (40, 50)), coverage(disc(14)[0], (100, 120), (76, 50))
    recipe = Recipe(min_diameter_nm=5, marker_diameter_nm=16, convexity_threshold=0.97)
    table = measure(np.maximum(big, small) > 0.5, 1.0, recipe=recipe)
    assert sorted(table["drop_reason"]) == ["", "not_separable"]
    assert table["separated"].all()


def test_only_the_particle_at_the_border_is_dropped_from_a_cluster():
    picture, _ = chain_of_discs([40.0, 40.0], 0.1, np.random.default_rng(8), bend=0.0)
    rows = np.flatnonzero((picture > 0.5).any(axis=1))
    columns = np.flatnonzero((picture > 0.5).any(axis=0))
    tall = len(rows) > len(columns)
    cut = picture[rows[0] + 8 :] if tall else picture[:, columns[0] + 8 :]
    table = measure(cut > 0.5, 1.0, recipe=RECIPE, probability=np.ascontiguousarray(cut))
    assert sorted(table["drop_reason"]) == ["", "touches_border"]
    kept = table[table["status"] == "measured"].iloc[0]
    assert kept["equivalent_diameter_nm"] == pytest.approx(40, rel=0.02)


def test_a_ring_of_discs_is_not_one_particle():
    shape = (160, 160)
    ring = [
        coverage(disc(34)[0], shape, (80 + 45 * math.cos(t), 80 + 45 * math.sin(t)), samples=4)
        for t in 2 * math.pi * np.arange(9) / 9
    ]
    picture = np.maximum.reduce(ring)
    table = measure(picture > 0.5, 1.0, recipe=Recipe(convexity_threshold=0.97, min_diameter_nm=3), probability=picture)
    kept = table[table["status"] == "measured"]
    assert len(kept) == 9
    assert kept["equivalent_diameter_nm"].tolist() == pytest.approx([34] * 9, rel=0.05)


def test_pieces_of_a_convex_region_are_the_region():
    mask = anywhere(*disc(30), np.random.default_rng(0)) > 0.5
    ((x, y, piece),) = uecs(mask, convexity_threshold=0.5, least_marker_px=10)
    assert np.count_nonzero(piece) > 0.98 * np.count_nonzero(mask)
    assert mask[y : y + piece.shape[0], x : x + piece.shape[1]][piece].all()
    assert necked_lobes(mask, least_marker_px=10) == []


def test_every_region_gives_an_object_with_or_without_a_map():
    rng = np.random.default_rng(11)
    picture = rng.random((96, 96)).astype(np.float32)
    from scipy.ndimage import gaussian_filter

    picture = gaussian_filter(picture, 3)
    picture = (picture - picture.min()) / np.ptp(picture)
    recipe = Recipe(min_diameter_nm=0, marker_area_px=5, marker_diameter_nm=0)
    regions = clean(picture > 0.5, 1.0, recipe)
    for probability in (None, ProbabilityMap(picture, 0.5)):
        assert len(separate(regions, (96, 96), 1.0, recipe, probability)) >= len(regions)


def test_an_ellipse_is_found_from_part_of_it():
    t = np.linspace(0.4, 1.4 * math.pi, 60)
    points = np.stack([30 + 20 * np.cos(t), 50 + 12 * np.sin(t)], axis=1)
    fitted = fit_ellipse(points)
    assert fitted is not None
    everywhere = np.linspace(0, 2 * math.pi, 50)
    on_it = np.stack([30 + 20 * np.cos(everywhere), 50 + 12 * np.sin(everywhere)], axis=1)
    assert np.abs(fitted.distance(on_it)).max() < 1e-6
    assert fitted.distance(np.array([[30.0, 50.0]]))[0] < 0
    assert fitted.distance(np.array([[52.0, 50.0]]))[0] == pytest.approx(2, rel=0.1)


def test_a_circle_is_found_from_part_of_it():
    t = np.linspace(0, 0.7 * math.pi, 40)
    fitted = fit_circle(np.stack([30 + 20 * np.cos(t), 50 + 20 * np.sin(t)], axis=1))
    assert fitted is not None
    assert fitted.distance(np.array([[10.0, 50.0], [30.0, 30.0]])) == pytest.approx([0, 0], abs=1e-9)


@pytest.mark.parametrize("fit", [fit_circle, fit_ellipse])
def test_no_ellipse_through_too_few_points_or_a_line(fit):
    assert fit(np.zeros((5, 2))) is None
    assert fit(np.zeros((20, 2))) is None
    assert fit(np.stack([np.arange(20.0), 3 * np.arange(20.0)], axis=1)) is None


def layer(overlap_px, side=300, diameter=30):
    """Return a hexagonal layer of discs that runs out of the image, and how many of them lie wholly in it."""
    y, x = np.mgrid[:side, :side] + 0.5
    pitch = diameter - overlap_px
    mask, n_inside = np.zeros((side, side), bool), 0
    for row in range(-1, int(side / pitch / 0.86) + 2):
        for column in range(-1, int(side / pitch) + 2):
            cx, cy = pitch * (column + 0.5 * (row % 2)), pitch * row * math.sqrt(0.75)
            mask |= (x - cx) ** 2 + (y - cy) ** 2 <= diameter**2 / 4
            n_inside += all(diameter / 2 + 1 < c < side - diameter / 2 - 1 for c in (cx, cy))
    return mask, n_inside


@pytest.mark.parametrize("separation", ["uecs", "watershed"])
@pytest.mark.parametrize("overlap_px", [0.5, 1.2])
def test_the_gaps_of_a_dense_layer_are_not_holes_of_a_particle(overlap_px, separation):
    mask, n_inside = layer(overlap_px)
    kept = measure(mask, 0.1, recipe=Recipe(separation=separation, hole_diameter_nm=0.3)).query("status == 'measured'")
    assert 0.85 * n_inside < len(kept) <= n_inside
    np.testing.assert_allclose(kept["equivalent_diameter_nm"], 3.0, rtol=0.08)


@pytest.mark.parametrize("separation", ["uecs", "watershed"])
def test_a_network_is_dropped_for_its_holes_at_the_border_too(separation):
    mask = np.zeros((300, 300), bool)
    for k in range(0, 300, 40):
        mask[k : k + 8] = True
        mask[:, k : k + 8] = True
    table = measure(mask, 0.1, recipe=Recipe(separation=separation))
    assert table["drop_reason"].tolist() == ["too_many_holes"]


def test_a_layer_without_gaps_to_go_by_is_dropped_and_not_measured_as_lumps():
    # the discs overlap so far that hardly a pixel is left between three of them, but for some that are missing
    mask, _ = layer(3.5)
    for k in range(5):
        for j in range(4):
            mask[30 + 55 * k : 36 + 55 * k, 30 + 70 * j : 36 + 70 * j] = False
    table = measure(mask, 0.1)
    assert "too_many_holes" in set(table["drop_reason"])
    assert not (table["status"] == "measured").any()


def test_a_patch_of_touching_discs_is_no_particle_though_its_outline_is_convex():
    y, x = np.mgrid[:140, :140] + 0.5
    places = [(70, 70)] + [(70 + 36 * math.cos(t), 70 + 36 * math.sin(t)) for t in math.pi / 3 * np.arange(6)]
    mask = np.logical_or.reduce([(x - u) ** 2 + (y - v) ** 2 <= 18.4**2 for u, v in places])
    kept = measure(mask, 0.1, recipe=Recipe(convexity_threshold=0.9)).query("status == 'measured'")
    assert kept["equivalent_diameter_nm"].tolist() == pytest.approx([3.68] * 7, rel=0.05)


def test_a_hollow_particle_stays_one():
    y, x = np.mgrid[:80, :80] + 0.5
    distance = np.hypot(x - 40, y - 40)
    table = measure((distance < 25) & (distance > 9), 0.1)
    assert table[["status", "separated"]].to_numpy().tolist() == [["measured", False]]
    assert table["equivalent_diameter_nm"].iloc[0] == pytest.approx(5.0, rel=0.02)


def test_no_corner_is_left_over_where_particles_meet_the_images_edge():
    rows, columns = np.indices((120, 200))
    near, inner = (rows - 8) ** 2 + (columns - 70) ** 2, (rows - 45) ** 2 + (columns - 95) ** 2
    mask = (near <= 30**2) | (inner <= 24**2)
    table = measure(mask, 0.1)
    assert sorted(table["drop_reason"].fillna("").tolist()) == ["", "touches_border"]
    assert table["area_nm2"][table["status"] == "measured"].iloc[0] == pytest.approx(np.pi * 2.4**2, rel=0.1)
