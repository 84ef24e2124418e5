import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from antema.analysis import analyse_mask, measure
from antema.analysis.arc_fitting import (
    deepest_in_ellipse,
    deepest_inside,
    depth_in_star,
    fit_ellipse,
    hull,
    least_sweep,
    least_width,
    length,
    star_pixels,
)
from antema.analysis.arcs import arcs
from antema.analysis.outline import outline
from antema.analysis.runs import close_holes
from antema.domain import PixelSize, Recipe
from antema.simulation.overlaps import CONVEX_KINDS, overlapping_particles, single_particle
from tests.strategies.shapes import chain_of_discs

RECIPE = Recipe(separation="arcs", min_diameter_nm=3, marker_diameter_nm=3, hole_diameter_nm=2)


def table_of(picture, recipe=RECIPE):
    return measure(picture > 0.5, 1.0, recipe=recipe, probability=picture)


def kept(picture, recipe=RECIPE):
    table = table_of(picture, recipe)
    return table[table["status"] == "measured"]


def ellipse_points(angles, axes=(20.0, 12.0), turn=0.4, centre=(30.0, 10.0)):
    u, v = axes[0] * np.cos(angles), axes[1] * np.sin(angles)
    x, y = u * math.cos(turn) - v * math.sin(turn), u * math.sin(turn) + v * math.cos(turn)
    return np.stack([x, y], axis=1) + centre


# Compiled loops, on shapes with exact answers.


def test_the_hull_is_that_of_qhull():
    rng = np.random.default_rng(1)
    for n in (3, 10, 60):
        points = rng.normal(size=(n, 2)).round(1)
        corners, expected = hull(points), ConvexHull(points)
        after = np.roll(corners, -1, axis=0)
        area = 0.5 * (corners[:, 0] * after[:, 1] - corners[:, 1] * after[:, 0]).sum()
        assert area == pytest.approx(expected.volume)  # scipy's name for an area; positive: the sense is right
        assert length(corners) == pytest.approx(expected.area)


def test_width_depth_and_sense_of_a_rectangle():
    corners = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 4.0], [0.0, 4.0]])
    assert least_width(corners) == 4
    depth, which = deepest_inside(corners, np.array([[5.0, 9.0], [9.0, 1.5], [5.0, 0.5]]))
    assert (depth, which) == (1.0, 1)
    assert deepest_inside(corners, np.array([[11.0, 2.0]])) == (0.0, -1)
    assert least_sweep(corners, np.array([4]), corners) > 0
    assert least_sweep(corners[::-1].copy(), np.array([4]), corners) < 0


@pytest.mark.parametrize("share", [1.0, 0.8, 0.6])
def test_an_ellipse_is_found_from_a_part_of_it(share):
    points = ellipse_points(np.linspace(0, 2 * np.pi * share, 80))
    ellipse, rms = fit_ellipse(points, 0.0)
    assert rms < 1e-3
    np.testing.assert_allclose(ellipse[:2], (30, 10), atol=0.05)
    axes = 1 / np.linalg.eigvalsh([[ellipse[2], ellipse[3]], [ellipse[3], ellipse[4]]])
    np.testing.assert_allclose(sorted(axes), (12, 20), rtol=5e-3)
    nearly_on_it = ellipse_points(np.array([2.0]), axes=(19.5, 11.7))
    assert deepest_in_ellipse(ellipse, nearly_on_it) == pytest.approx(0.3, abs=0.05)
    assert 12 <= deepest_in_ellipse(ellipse, np.array([[30.0, 10.0]])) <= 20 + 1e-3
    assert deepest_in_ellipse(ellipse, ellipse_points(np.array([1.0]), axes=(30.0, 25.0))) == 0


def test_a_short_rough_arc_gives_a_circle_rather_than_a_wild_ellipse():
    rng = np.random.default_rng(0)
    angles = np.linspace(0, 1.6, 40)
    points = 20 * np.stack([np.cos(angles), np.sin(angles)], axis=1) + rng.normal(0, 0.2, (40, 2))
    ellipse, _ = fit_ellipse(points, 0.1)
    axes = 1 / np.linalg.eigvalsh([[ellipse[2], ellipse[3]], [ellipse[3], ellipse[4]]])
    assert axes.max() / axes.min() < 1.5
    assert math.sqrt(axes.prod()) == pytest.approx(20, rel=0.25)


def test_points_on_a_line_have_no_ellipse():
    ellipse, rms = fit_ellipse(np.stack([np.arange(20.0), np.arange(20.0)], axis=1), 0.1)
    assert not np.isfinite(ellipse).any()
    assert math.isinf(rms)


def test_a_star_of_unit_radii_is_its_ellipse():
    ellipse, _ = fit_ellipse(ellipse_points(np.linspace(0, 2 * np.pi, 90), centre=(30.0, 25.0)), 0.0)
    radii = np.ones(64)
    x, y, mask = star_pixels(ellipse, radii, 60, 60)
    assert np.count_nonzero(mask) == pytest.approx(math.pi * 20 * 12, rel=0.01)
    rows, columns = np.nonzero(mask)
    centres = np.stack([columns + x + 0.5, rows + y + 0.5], axis=1)
    assert depth_in_star(ellipse, radii, centres).min() >= -1e-9
    on_it = ellipse_points(np.linspace(0, 6, 20), centre=(30.0, 25.0))
    np.testing.assert_allclose(depth_in_star(ellipse, radii, on_it), 0, atol=0.02)


# Known groups.


@pytest.mark.parametrize("kind", [*CONVEX_KINDS, "mixed"])
@pytest.mark.parametrize("overlap", [0.0, 0.1, 0.2])
def test_groups_come_apart_with_their_diameters(kind, overlap):
    right, errors = 0, []
    for seed in range(6):
        group = overlapping_particles(seed, kind=kind, n=2 + seed % 3, overlap=overlap, diameters_px=(30, 90))
        found = np.sort(kept(group.probability)["equivalent_diameter_nm"])
        if len(found) == len(group.diameters_px):
            right += 1
            errors.extend(found / np.sort(group.diameters_px) - 1)
    assert right >= 5
    assert abs(np.mean(errors)) < 0.02


@pytest.mark.parametrize("ratio", [1.0, 0.7])
@pytest.mark.parametrize("overlap", [0.4, 0.5])
def test_deep_overlaps_that_hardly_lower_the_convexity_come_apart(overlap, ratio):
    picture, _ = chain_of_discs([60.0, 60.0 * ratio], overlap, np.random.default_rng(2))
    assert table_of(picture, Recipe(separation="none"))["convexity"].iloc[0] > 0.95
    found = np.sort(kept(picture)["equivalent_diameter_nm"])
    np.testing.assert_allclose(found, [60 * ratio, 60], rtol=0.02)


def test_masks_of_overlapping_particles_are_whole_and_share_the_lens():
    picture, _ = chain_of_discs([50.0, 50.0], 0.3, np.random.default_rng(0))
    analysis = analyse_mask(picture > 0.5, PixelSize(1.0, "made"), RECIPE, probability=picture)
    covered = np.zeros(picture.shape, dtype=int)
    for instance in analysis.instances:
        assert instance.separated
        covered[instance.y : instance.y + instance.h, instance.x : instance.x + instance.w] += instance.mask
    half_angle = math.acos(0.7)
    lens = 2 * 25**2 * (half_angle - 0.7 * math.sin(half_angle))
    assert np.count_nonzero(covered == 2) == pytest.approx(lens, rel=0.1)
    assert ((covered > 0) == (picture > 0.5)).all()  # all of the region, and nothing beyond it


@pytest.mark.parametrize("kind", CONVEX_KINDS)
def test_convex_singles_stay_whole(kind):
    for seed in range(15):
        table = table_of(single_particle(seed, kind=kind).probability)
        assert table[["status", "separated"]].to_numpy().tolist() == [["measured", False]]


def test_a_cluster_of_thirty_comes_apart():
    group = overlapping_particles(0, n=30, overlap=0.1, arrangement="cluster", diameters_px=(40, 50))
    recipe = Recipe.from_dict(RECIPE.to_dict() | {"max_holes": 50})
    found = kept(group.probability, recipe)
    assert abs(len(found) - 30) <= 1
    assert np.median(found["equivalent_diameter_nm"]) == pytest.approx(np.median(group.diameters_px), rel=0.03)


def hexagonal_layer(rows, radius):
    """Return discs that overlap by a hundredth, each in the gap between two of the row before, and how many."""
    pitch = 1.98 * radius
    centres = [(pitch * (i + j % 2 / 2), pitch * j * math.sqrt(3) / 2) for j in range(rows) for i in range(rows)]
    y, x = np.mgrid[: pitch * rows + 20, : pitch * (rows + 1) + 20]
    return np.min([np.hypot(x - a - radius - 8, y - b - radius - 8) for a, b in centres], axis=0) < radius, rows**2


@pytest.mark.parametrize("separation", ["arcs", "uecs"])
def test_a_dense_layer_comes_apart_though_its_inner_particles_have_hardly_an_outline(separation):
    layer, n = hexagonal_layer(8, 20)
    table = measure(layer, 0.5, recipe=Recipe(separation=separation))
    assert table["status"].tolist() == ["measured"] * n
    np.testing.assert_allclose(table["equivalent_diameter_nm"], 20, rtol=0.02)


def test_particles_that_leave_much_of_a_region_are_no_explanation_of_it():
    layer, _ = hexagonal_layer(8, 20)
    pieces, reason = arcs(layer, outline(close_holes(layer, math.inf)[1]))
    assert not pieces
    assert reason == "too much of it belongs to no convex particle"


def test_the_original_s_measures_go_with_arcs_too():
    group = overlapping_particles(3, n=2, overlap=0.35)
    sizes = {}
    for convention in ("antema", "contour"):
        recipe = Recipe.from_dict(RECIPE.to_dict() | {"convention": convention})
        sizes[convention] = sorted(measure(group.foreground, 1.0, recipe=recipe)["equivalent_diameter_nm"])
    assert len(sizes["antema"]) == 2
    np.testing.assert_allclose(sizes["antema"], sizes["contour"], rtol=0.01)


# What cannot be separated.


def test_a_bent_rod_without_a_notch_is_dropped_as_it_is():
    angles = np.linspace(0, math.pi, 200)
    y, x = np.mgrid[:80, :120] + 0.5
    rod = np.min([np.hypot(x - 60 - 40 * math.cos(a), y - 15 - 40 * math.sin(a)) for a in angles], axis=0) < 8
    table = measure(rod, 1.0, recipe=RECIPE)
    assert table[["status", "drop_reason", "separated"]].to_numpy().tolist() == [["dropped", "not_separable", False]]
    pieces, reason = arcs(rod, outline(rod))
    assert not pieces
    assert reason == "an arc belongs to no convex particle"


def test_a_tangle_is_given_up_at_once():
    y, x = np.mgrid[:700, :700]
    comb = (y < 20) | ((x % 3 == 0) & (y < 60))
    comb[:, 690:] = False
    labyrinth = np.pad(comb, 2)
    pieces, reason = arcs(labyrinth, outline(labyrinth))
    assert not pieces
    assert reason.startswith("it is too tangled: ")


def test_a_particle_with_a_hole_is_no_cluster():
    y, x = np.mgrid[:90, :90] + 0.5
    distance = np.hypot(x - 45, y - 45)
    table = measure((distance < 35) & (distance > 12), 1.0, recipe=RECIPE)
    assert table[["status", "separated"]].to_numpy().tolist() == [["measured", False]]


def test_pieces_at_the_border_and_small_ones_say_so():
    picture, _ = chain_of_discs([40.0, 40.0], 0.1, np.random.default_rng(8), bend=0.0)
    rows, columns = np.flatnonzero((picture > 0.5).any(axis=1)), np.flatnonzero((picture > 0.5).any(axis=0))
    cut = picture[rows[0] + 8 :] if len(rows) > len(columns) else picture[:, columns[0] + 8 :]
    assert sorted(table_of(np.ascontiguousarray(cut))["drop_reason"]) == ["", "touches_border"]
    unequal, _ = chain_of_discs([60.0, 24.0], 0.1, np.random.default_rng(3))
    recipe = Recipe.from_dict(RECIPE.to_dict() | {"min_diameter_nm": 30})
    assert sorted(table_of(unequal, recipe)["drop_reason"]) == ["", "too_small"]


# Properties.


def sizes(picture):
    return np.sort(kept(picture)["equivalent_diameter_nm"])


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000), st.sampled_from(CONVEX_KINDS), st.floats(0, 0.2))
def test_separation_does_not_depend_on_place_or_orientation(seed, kind, overlap):
    picture = overlapping_particles(
        seed, kind=kind, n=2, overlap=overlap, noise=0.01, diameters_px=(40, 90)
    ).probability
    expected = sizes(picture)
    moved = np.pad(picture, ((5, 17), (31, 2)))
    np.testing.assert_allclose(sizes(moved), expected, rtol=1e-6)
    for other in (np.rot90(picture), picture[::-1], picture.T):
        np.testing.assert_allclose(sizes(np.ascontiguousarray(other)), expected, rtol=0.02)


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000), st.sampled_from(CONVEX_KINDS), st.floats(0.02, 0.2))
def test_larger_pictures_of_the_same_particles_give_the_same_particles(seed, kind, overlap):
    small, large = (
        overlapping_particles(seed, kind=kind, n=2, overlap=overlap, diameters_px=(d, d), noise=0.0) for d in (45, 90)
    )
    np.testing.assert_allclose(2 * sizes(small.probability), sizes(large.probability), rtol=0.03)
