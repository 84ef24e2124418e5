import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antema.simulation.atoms import random_rotation
from antema.simulation.shapes import (
    SHAPES,
    Capsule,
    Ellipsoid,
    Polyhedron,
    Shadow,
    body_of,
    convex_hull,
    cut,
    domain_planes,
    feret,
    lying,
    polygon_area,
    rounded,
)


def thickness(body, step=0.1, reach=40.0):
    edge = np.arange(-reach, reach, step, dtype=np.float32) + step / 2
    low, high = body.chord(*np.meshgrid(edge, edge))
    return np.maximum(high - low, 0)


def cube(edge=2.0):
    body = body_of("cube", np.cbrt(6 / np.pi) * edge, np.random.default_rng(0))
    assert isinstance(body, Polyhedron)
    return body


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rounding", [0.0, 0.4])
def test_a_body_has_the_volume_and_the_shadow_that_its_thickness_has(shape, rounding):
    rng = np.random.default_rng(len(shape))
    body = body_of(shape, 20.0, rng, rounding=rounding).turned(random_rotation(rng))
    depth = thickness(body)
    ball = np.pi / 6 * 20.0**3
    assert body.volume == pytest.approx(ball, rel=1e-6)
    assert depth.sum() * 0.01 == pytest.approx(ball, rel=2e-3)
    shadow = body.shadow()
    assert np.count_nonzero(depth) * 0.01 == pytest.approx(shadow.area_nm2, rel=3e-3)
    from_outline = Shadow.of_polygon(body.outline())
    for name in ("area_nm2", "feret_max_nm", "feret_min_nm"):
        assert getattr(from_outline, name) == pytest.approx(getattr(shadow, name), rel=2e-3)
    rows, columns = np.nonzero(depth)
    far = np.hypot(np.ptp(rows), np.ptp(columns)) * 0.1
    assert max(np.ptp(rows), np.ptp(columns)) * 0.1 <= shadow.feret_max_nm + 0.1
    assert far >= shadow.feret_min_nm - 0.3
    assert np.linalg.norm(body.outline(), axis=1).max() <= body.reach_nm + 1e-9


def test_a_cube_has_the_shadows_that_geometry_gives_it():
    flat = cube().shadow()
    assert (flat.area_nm2, flat.feret_max_nm, flat.feret_min_nm) == pytest.approx((4, 2 * np.sqrt(2), 2))
    diagonal = lying(Polyhedron(np.ones((1, 3)) / np.sqrt(3), np.ones(1), np.zeros((1, 3))), np.random.default_rng(1))
    hexagon = cube().turned(diagonal).shadow()
    assert hexagon.area_nm2 == pytest.approx(4 * np.sqrt(3), rel=0.01)  # what is left of the tilt takes a little
    # the mean shadow of a convex body is a quarter of its surface (Cauchy)
    rng = np.random.default_rng(2)
    areas = [cube().turned(random_rotation(rng)).shadow().area_nm2 for _ in range(400)]
    assert np.mean(areas) == pytest.approx(6 * 4 / 4, rel=0.01)


def test_a_capsule_and_an_ellipsoid_have_known_shadows():
    rod = Capsule(np.array([3.0, 0, 4.0]), 1.0).shadow()
    assert (rod.area_nm2, rod.feret_max_nm, rod.feret_min_nm) == pytest.approx((np.pi + 12, 8, 2))
    egg = Ellipsoid(np.diag([1.0, 2.0, 5.0])).shadow()
    assert (egg.area_nm2, egg.feret_max_nm, egg.feret_min_nm) == pytest.approx((2 * np.pi, 4, 2))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_body_holds_the_middles_of_its_chords_and_nothing_beyond_them(seed):
    rng = np.random.default_rng(seed)
    shape = str(rng.choice(SHAPES))
    body = body_of(shape, 10.0, rng, rounding=0.2).turned(random_rotation(rng))
    x, y = rng.uniform(-9, 9, (2, 300)).astype(np.float32)
    low, high = body.chord(x, y)
    hit = high - low > 1e-3
    x, y, low, high = x[hit], y[hit], low[hit], high[hit]
    at = np.stack([x, y, (low + high) / 2], axis=1).astype(float)
    assert body.holds(at).all()
    assert not body.holds(at + (np.r_[0, 0, 1] * ((high - low)[:, None] / 2 + 0.01))).any()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=8, max_size=30, unique=True))
def test_feret_diameters_enclose_every_width(points):
    spread = np.array(points) + np.random.default_rng(len(points)).normal(0, 0.1, (len(points), 2))
    corners = convex_hull(spread)
    largest, smallest = feret(corners)
    angle = np.linspace(0, np.pi, 181)
    along = corners @ np.stack([np.cos(angle), np.sin(angle)])
    widths = along.max(axis=0) - along.min(axis=0)
    assert smallest - 1e-9 <= widths.min() <= smallest * 1.05 + 0.15
    assert widths.max() <= largest + 1e-9 <= widths.max() * 1.001 + 1e-6
    assert polygon_area(corners) > 0


def test_a_rounded_cube_lies_between_the_cube_and_its_inner_ball():
    sharp, soft = cube(), rounded(cube(), 0.5)
    points = np.random.default_rng(3).uniform(-1, 1, (4000, 3))
    inside = soft.holds(points)
    assert sharp.holds(points[inside]).all()
    core = np.maximum(np.abs(points) - 0.5, 0)
    assert inside[np.linalg.norm(core, axis=1) < 0.5].all()
    # 8 - (corners and edges that the radius takes off)
    exact = 1 + 6 * 0.5 + 12 * np.pi / 4 * 0.25 + 4 / 3 * np.pi * 0.125
    assert soft.volume == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("shape", ["decahedron", "icosahedron"])
def test_the_crystals_of_a_multiply_twinned_particle_fill_it(shape):
    rng = np.random.default_rng(5)
    body, rotation = body_of(shape, 10.0, rng), random_rotation(rng)
    edge = np.arange(-9, 9, 0.1, dtype=np.float32) + 0.05
    x, y = np.meshgrid(edge, edge)
    low, high = body.turned(rotation).chord(x, y)
    parts = [cut(low, high, x, y, planes @ rotation.T, np.zeros(len(planes))) for planes in domain_planes(shape)]
    depths = np.stack([np.maximum(last - first, 0) for first, last in parts])
    assert len(depths) == {"decahedron": 5, "icosahedron": 20}[shape]
    np.testing.assert_allclose(depths.sum(axis=0), np.maximum(high - low, 0), atol=1e-3)
    volumes = depths.sum(axis=(1, 2))
    assert volumes.std() < 0.02 * volumes.mean()


def test_a_cube_that_lies_shows_a_square():
    rng = np.random.default_rng(6)
    for _ in range(5):
        shadow = cube().turned(lying(cube(), rng, tilt_rad=0.0)).shadow()
        assert (shadow.area_nm2, shadow.feret_min_nm) == pytest.approx((4, 2))


def test_an_unknown_shape_is_refused():
    with pytest.raises(ValueError, match="expected a shape out of sphere, .* found 'blob'"):
        body_of("blob", 1.0, np.random.default_rng(0))
