import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, label

from antema.analysis import measure
from antema.domain import Recipe
from tests.strategies.shapes import anywhere, chain_of_discs, coverage, disc, ellipse

WHOLE = Recipe(separation="none", min_diameter_nm=0, hole_diameter_nm=0)


@pytest.mark.parametrize("convention", ["contour", "antema"])
@pytest.mark.parametrize("degrees", [0, 30, 90, 137])
def test_the_ellipse_of_equal_moments_is_the_ellipse(convention, degrees):
    ratio = 0.5
    picture = coverage(ellipse(60, ratio)[0], (80, 80), (40.2, 39.7), -math.radians(degrees))
    recipe = Recipe(separation="none", min_diameter_nm=0, convention=convention)
    row = measure(picture > 0.5, 1.0, recipe=recipe).iloc[0]
    assert row["eccentricity"] == pytest.approx(math.sqrt(1 - ratio**2), abs=0.01)
    assert (row["orientation_deg"] - degrees + 90) % 180 - 90 == pytest.approx(0, abs=1)
    assert 0 <= row["orientation_deg"] < 180


@pytest.mark.parametrize("cnr", [0.5, 2.0, 6.0])
def test_contrast_is_the_contrast_to_noise_that_the_field_was_made_with(cnr):
    rng = np.random.default_rng(3)
    centres = [(40, 40), (40, 75), (110, 60), (90, 120)]
    noise = 25.0
    particles = np.max([coverage(disc(24)[0], (160, 160), c) for c in centres], axis=0)
    mask = particles > 0.5
    ramp = np.linspace(0, 10 * noise, 160)  # a slow background, to which the local contrast is blind
    pixels = 1000 + ramp + rng.normal(0, noise, mask.shape) - cnr * noise * particles
    table = measure(mask, 1.0, recipe=WHOLE, pixels=np.round(pixels).astype(np.uint16))
    # of some 500 background pixels; the ramp adds (10 sigma / 160 px * 10 px)^2, to the noise's sigma^2
    assert table["contrast"].mean() == pytest.approx(cnr, rel=0.25, abs=0.08)
    for row, (x, _) in zip(
        table.sort_values("centroid_y_nm").itertuples(), [(40, 0), (110, 0), (40, 0), (90, 0)], strict=True
    ):
        assert row.mean_grey == pytest.approx(1000 + ramp[x] - cnr * noise, abs=10)


def test_the_background_holds_no_neighbour():
    # dark discs two gaps apart: if one were taken for the other's background, the contrast would fall
    pixels = 200 + np.random.default_rng(0).normal(0, 1, (90, 150))
    particles = coverage(disc(40)[0], (90, 150), (45, 45)) + coverage(disc(40)[0], (90, 150), (95, 45))
    table = measure(particles > 0.5, 1.0, recipe=WHOLE, pixels=pixels - 50 * particles)
    assert table["contrast"].tolist() == pytest.approx([50, 50], rel=0.12)


def test_without_grey_values_there_is_none_told():
    table = measure(coverage(disc(20)[0], (40, 40), (20, 20)) > 0.5, 1.0, recipe=WHOLE)
    assert table[["mean_grey", "contrast", "edge_width_nm"]].isna().all(axis=None)


def test_the_nearest_neighbour_is_a_particle_and_not_a_speck():
    shape = (100, 100)
    picture = coverage(disc(16)[0], shape, (30, 30)) + coverage(disc(16)[0], shape, (70, 60))
    mask = (picture > 0.5) | (coverage(disc(16)[0], shape, (0, 30)) > 0.5)
    mask[45, 30] = True
    mask[68:71, 99] = True  # one at the edge is none either
    table = measure(mask, 0.5, recipe=Recipe(separation="none")).set_index("drop_reason")
    speck = table.loc["too_small"]
    at_border = table.loc["touches_border"].sort_values("centroid_x_nm").iloc[0]
    one, other = table.loc[""].sort_values("centroid_x_nm").itertuples()
    to_border = math.dist((one.centroid_x_nm, one.centroid_y_nm), at_border[["centroid_x_nm", "centroid_y_nm"]])
    assert one.nearest_neighbour_nm == pytest.approx(to_border)
    assert at_border["nearest_neighbour_nm"] == pytest.approx(to_border)
    assert other.nearest_neighbour_nm == pytest.approx(25, abs=0.02)  # 40 and 30 px of 0.5 nm
    assert speck["nearest_neighbour_nm"] == pytest.approx(0.5 * math.dist((30.5, 45.5), (30, 30)), abs=0.02)


def test_a_particle_alone_has_no_neighbour_and_no_overlap():
    row = measure(coverage(disc(20)[0], (40, 40), (20, 20)) > 0.5, 1.0, recipe=WHOLE).iloc[0]
    assert math.isnan(row["nearest_neighbour_nm"])
    assert row["overlap_fraction"] == 0


def test_the_overlap_is_the_share_that_others_cover():
    pages = np.zeros((3, 60, 60), np.uint16)
    pages[0, 10:30, 10:30] = 1
    pages[1, 20:40, 10:30] = 2
    pages[2, 25:35, 25:35] = 3
    table = measure(pages, 1.0, recipe=WHOLE)
    first, second, third = (pages == number for number in (1, 2, 3))
    expected = [
        ((mine.any(0) & rest).sum() / mine.sum())
        for mine, rest in (
            (first, second.any(0) | third.any(0)),
            (second, first.any(0) | third.any(0)),
            (third, first.any(0) | second.any(0)),
        )
    ]
    assert table["overlap_fraction"].tolist() == pytest.approx(expected)


@settings(max_examples=10, deadline=None)
@given(st.floats(1.0, 3.0), st.floats(20, 50), st.integers(0, 2**32 - 1))
def test_the_edge_width_is_that_of_the_blur(sigma_px, size_px, seed):
    picture = np.pad(anywhere(*disc(size_px), np.random.default_rng(seed)), 12)
    blurred = gaussian_filter(picture.astype(float), sigma_px)
    row = measure(blurred > 0.5, 0.2, recipe=WHOLE, probability=blurred).iloc[0]
    # a straight edge blurred by a Gaussian (and by the pixel) falls from 0.7 to 0.3 within 1.0488 sigma
    expected = 1.0488 * math.hypot(sigma_px, math.sqrt(1 / 12)) * 0.2
    assert row["edge_width_nm"] == pytest.approx(expected, rel=0.04)


def test_the_edge_width_of_touching_particles_is_that_of_their_free_edges():
    picture, _ = chain_of_discs([40, 40], 0.1, np.random.default_rng(1))
    blurred = gaussian_filter(np.pad(picture, 8).astype(float), 2.0)
    table = measure(blurred > 0.5, 1.0, recipe=Recipe(), probability=blurred)
    assert len(table) == 2
    assert table["edge_width_nm"].tolist() == pytest.approx([1.0488 * math.hypot(2, 0.289)] * 2, rel=0.05)


def test_border_weights_undo_the_bias_of_dropping_what_touches_the_edge():
    # fields of two known sizes, equally many of each
    rng = np.random.default_rng(11)
    side, small, large = 120, 8, 40
    kept = {small: 0.0, large: 0.0}
    weighted = {small: 0.0, large: 0.0}
    y, x = np.mgrid[:side, :side] + 0.5
    for _ in range(60):
        pages = np.zeros((16, side, side), np.uint16)
        for number, page in enumerate(pages, start=1):
            diameter = small if number % 2 else large
            # centres all over the plane around the window, so that every place in it is as likely
            cx, cy = rng.uniform(-large, side + large, 2)
            page[(x - cx) ** 2 + (y - cy) ** 2 < diameter**2 / 4] = number
        table = measure(pages, 1.0, recipe=WHOLE)
        measured = table[table["status"] == "measured"]
        for row in measured.itertuples():
            diameter = small if row.particle % 2 else large
            kept[diameter] += 1
            weighted[diameter] += row.border_weight
        assert (table.loc[table["drop_reason"] == "touches_border", "border_weight"] == 0).all()
    truth = (small + large) / 2
    plain_mean = (small * kept[small] + large * kept[large]) / sum(kept.values())
    weighted_mean = (small * weighted[small] + large * weighted[large]) / sum(weighted.values())
    assert plain_mean < 0.85 * truth
    assert weighted_mean == pytest.approx(truth, rel=0.06)


ROTATED = ["area_nm2", "perimeter_nm", "feret_min_nm", "feret_max_nm", "eccentricity", "mean_grey", "contrast"]
ROTATED += ["nearest_neighbour_nm", "overlap_fraction", "edge_width_nm", "border_weight", "circularity", "solidity"]


def field_of_three(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a map of three ellipses and a noisy micrograph of them."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((90, 120))
    for x, y in ((25, 25), (80, 30), (55, 65)):
        size, angle = rng.uniform(12, 24), rng.uniform(0, math.pi)
        picture += coverage(ellipse(size, 0.6)[0], picture.shape, (x + rng.uniform(), y + rng.uniform()), angle)
    picture = gaussian_filter(picture, 0.8)
    return picture, 100 - 30 * picture + rng.normal(0, 3, picture.shape)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 3), st.booleans())
def test_quarter_turns_and_mirrors_turn_the_angle_alone(seed, turns, mirrored):
    picture, pixels = field_of_three(seed)

    def turned(values):
        return np.ascontiguousarray(np.rot90(values[:, ::-1] if mirrored else values, turns))

    first = measure(picture > 0.5, 1.0, recipe=WHOLE, probability=picture, pixels=pixels).sort_values("area_nm2")
    probability = turned(picture)
    other = measure(probability > 0.5, 1.0, recipe=WHOLE, probability=probability, pixels=turned(pixels))
    other = other.sort_values("area_nm2")
    np.testing.assert_allclose(other[ROTATED].to_numpy(float), first[ROTATED].to_numpy(float), rtol=1e-6)
    expected = (-1 if mirrored else 1) * first["orientation_deg"].to_numpy() + 90 * turns
    np.testing.assert_allclose((other["orientation_deg"].to_numpy() - expected + 90) % 180, 90, atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.permutations([1, 2, 3]), st.floats(0.01, 10))
def test_the_order_of_particles_changes_nothing_and_the_pixel_only_the_unit(seed, order, nm):
    picture, pixels = field_of_three(seed)
    labels, _ = label(picture > 0.5)
    first = measure(labels.astype(np.uint8), 1.0, recipe=WHOLE, probability=picture, pixels=pixels)
    numbered = np.array([0, *order], np.uint8)[labels]
    other = measure(numbered, nm, recipe=WHOLE, probability=picture, pixels=pixels)
    assert first["particle"].tolist() == other["particle"].tolist() == [1, 2, 3]
    for number, row in zip(order, first[ROTATED].to_dict("records"), strict=True):
        found = other.set_index("particle").loc[number]
        for name, value in row.items():
            unit = nm ** (2 if name.endswith("_nm2") else 1 if name.endswith("_nm") else 0)
            assert found[name] == pytest.approx(value * unit, rel=1e-9)
