import json

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from antema.simulation import SCENES, scene_field, simulate_micrographs
from antema.simulation.bodies import MARGIN_PX, bodies, drawn_together
from antema.simulation.exposures import Look, defocused, exposed, film_texture
from antema.simulation.packings import grown, heaped, island, raft, relaxed, within
from antema.simulation.silhouettes import FORM, OUTLINES, PROFILES, reach, rim, signed_distance, thickness

FORMS = {
    "ellipse": [1.6],
    "wavy": [0.03, 0.02, 0.01, 0.0, 1, 2, 3, 4],
    "box": [3.0, 0.4],
    "polygon": [5, 0.3, 1.0],
    "bent": [5.0, 1.2],
    "spindle": [2.5],
    "branched": [5.0, 1.0, 0.7, 0.8, 0.0, 0.2, 1.0],
}


def rng(seed=1):
    return np.random.default_rng(seed)


def form_of(outline):
    return np.array([FORMS[outline] + [0.0] * (FORM - len(FORMS[outline]))], np.float32)


def discs(places, radii, **said):
    said |= {"proportions": np.full((len(radii), 1), 0.02)}
    return bodies("ellipse", "flat", np.array(places, float), np.array(radii, float), rng=rng(), **said)


@pytest.mark.parametrize("outline", OUTLINES)
def test_silhouettes_are_signed_distances_within_their_reach(outline):
    v, u = np.mgrid[-120:120, -120:120].astype(np.float32)[:, None] + 0.5
    inner, form = np.array([15.0], np.float32), form_of(outline)
    distance = signed_distance(outline, u, v, inner, form)[0]
    inside = distance < 0
    assert np.hypot(u, v)[0][inside].max() <= reach(outline, inner, form)[0] + 1
    assert -distance.min() == pytest.approx(15, rel=0.15)  # half of the smallest width
    near = np.abs(distance[:-1]) < 3
    assert np.abs(np.diff(distance, axis=0))[near].max() < 1.4
    edge = distance[:-1] * distance[1:] < 0
    assert np.abs(distance[:-1][edge]).max() < 1.5


@pytest.mark.parametrize("profile", PROFILES)
def test_profiles_reach_one_and_are_nothing_at_the_edge(profile):
    depth = np.linspace(0, 20, 200, dtype=np.float32)[None, None]
    values = thickness(profile, depth, np.array([20.0]), np.array([[0.3, 0.4]]))
    assert values.min() >= 0
    assert values.max() == pytest.approx(1, abs=0.02)
    assert rim(profile, np.array([20.0]), np.array([[0.3, 0.4]]))[0] == (8 if profile in ("core", "hollow") else 20)


def test_two_bodies_absorb_as_the_sum_and_each_is_whole_in_the_truth():
    drawing = drawn_together([discs([(40, 50), (60, 50)], [16, 16], opacity=0.7)], (100, 100), 0.8, rng())
    inner = drawing.absorbed[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    assert inner[50, 50] == pytest.approx(1.4, abs=1e-3)
    assert inner[50, 30] == pytest.approx(0.7, abs=1e-3)
    for both in (drawing.instances, drawing.atoms):
        assert [one.area_px for one in both] == pytest.approx([np.pi * 256] * 2, rel=0.02)


def test_what_others_cover_is_less_seen():
    clear = drawn_together([discs([(30, 50), (70, 50)], [12, 12], opacity=3.0)], (100, 100), 0.8, rng())
    assert [one["seen"] for one in clear.particles] == [1.0, 1.0]
    half = drawn_together([discs([(40, 50), (56, 50)], [12, 12], opacity=3.0)], (100, 100), 0.8, rng())
    # chords of two circles at 2/3 of their diameters: 1 - 2 acos(2/3) / 2 pi
    assert [one["seen"] for one in half.particles] == pytest.approx([0.732] * 2, abs=0.06)
    thin = drawn_together([discs([(40, 50), (56, 50)], [12, 12], opacity=0.5)], (100, 100), 0.8, rng())
    assert [one["seen"] for one in thin.particles] == [1.0, 1.0]
    hidden = drawn_together([discs([(50, 50), (50, 50)], [30, 8], opacity=3.0)], (100, 100), 0.8, rng())
    assert sorted(one["seen"] for one in hidden.particles) == [0.0, 1.0]


def test_bodies_across_the_border_are_cut_and_those_beyond_are_none():
    drawing = drawn_together([discs([(0, 50), (-40, 50), (100, 100)], [12, 12, 12])], (100, 100), 0.8, rng())
    assert len(drawing.instances) == 2
    assert [one.area_px for one in drawing.instances] == pytest.approx([np.pi * 72, np.pi * 36], rel=0.12)
    for one in drawing.instances:
        assert min(one.x, one.y) >= 0
        assert max(one.x + one.w, one.y + one.h) <= 100


def test_a_raft_has_as_many_places_as_fit():
    places, angles = raft(rng(), (300, 400), 10.0)
    inside = within(places, (300, 400), 0)
    assert inside.sum() == pytest.approx(300 * 400 / (100 * np.sqrt(0.75)), rel=0.02)
    assert len(angles) == len(places)
    square, _ = raft(rng(), (300, 400), 10.0, square=True)
    assert within(square, (300, 400), 0).sum() == pytest.approx(1200, rel=0.02)
    assert island(rng(), places, (300, 400), 0.4).mean() == pytest.approx(0.4, abs=0.08)


def test_circles_push_each_other_apart():
    places = rng().uniform(0, 200, (100, 2))
    radii = np.full(100, 6.0)
    apart = relaxed(places, radii, 1.0, steps=60)
    distance = np.hypot(*(apart[:, None] - apart).transpose(2, 0, 1))[np.triu_indices(100, 1)]
    assert distance.min() > 12


@pytest.mark.parametrize("put", [grown, heaped])
def test_spheres_of_a_lump_touch_another_one(put):
    radii = rng().uniform(5, 8, 40)
    places = put(rng(), radii, contact=1.0)
    distance = np.linalg.norm(places[:, None] - places[None], axis=2) / (radii[:, None] + radii[None])
    np.fill_diagonal(distance, 9)
    assert distance.min(axis=1).max() < 1.01
    assert np.quantile(distance.min(axis=1), 0.2) > 0.8


def test_a_defocused_body_has_a_bright_fringe_and_absorbs_as_much():
    absorbed = np.zeros((128, 128), np.float32)
    absorbed[48:80, 48:80] = 1.0
    flat, image = np.exp(-absorbed), defocused(absorbed, 3.0, 1.0)
    assert image[64, 36:48].max() > 1.05
    assert image.mean() == pytest.approx(flat.mean(), rel=0.02)
    assert defocused(np.zeros((64, 64), np.float32), 3.0, 1.0) == pytest.approx(1.0)


def test_noise_is_as_strong_and_as_coarse_as_asked_for():
    assert film_texture(rng(), (128, 128), 3.0).std() == pytest.approx(1, abs=1e-3)
    nothing = np.zeros((256 + 2 * MARGIN_PX,) * 2, np.float32)
    look = Look(blur_px=1.0, contrast_to_noise=4.0, grain_px=(2.0, 2.0), film=0.0, narrow=True)
    pixels, spread = exposed(rng(4), nothing, 0.4, look)
    assert spread == pytest.approx(0.1)
    assert pixels.dtype == np.uint8
    assert 8 <= int(pixels.max()) - int(pixels.min()) <= 45
    values = pixels - pixels.mean()
    assert (values[:, 1:] * values[:, :-1]).mean() / values.var() > 0.7


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_scenes_repeat_and_fit(seed):
    first, again = (scene_field(seed, shape=(128, 160)) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)
    assert first.pixels.shape == (128, 160)
    assert first.pixels.dtype in (np.uint8, np.uint16)
    assert all(0 <= one["seen"] <= 1 for one in first.particles)
    assert [one.area_px for one in first.instances] == [one.area_px for one in again.instances]


@pytest.mark.parametrize("kind", SCENES)
def test_each_kind_of_scene_can_be_drawn(kind):
    groups, look = SCENES[kind](rng(5), (160, 160))
    drawing = drawn_together(groups, (160, 160), look.blur_px, rng(6))
    assert kind == "junk" or len(drawing.instances) > 1
    assert len(drawing.instances) == len(drawing.atoms) == len(drawing.particles)


def test_dense_scenes_have_hundreds_of_small_particles():
    counts = []
    for seed in range(6):
        groups, look = SCENES["monolayer"](rng(seed), (256, 256))
        found = drawn_together(groups, (256, 256), look.blur_px, rng())
        counts.append(len(found.instances))
        widths = [2 * np.sqrt(one.area_px / np.pi) for one in found.instances]
        assert 3 < np.median(widths) < 24
    assert np.median(counts) > 150


def test_a_set_of_scenes_has_both_truths(tmp_path):
    (path,) = simulate_micrographs(tmp_path, count=1, seed=7, shape=(128, 128), kind="scenes")
    truth = json.loads((tmp_path / f"{path.stem}.json").read_text())
    for folder in ("instances", "atoms"):
        pages = tifffile.imread(tmp_path / folder / path.name)
        numbers = np.unique(pages[pages > 0]).tolist()
        assert numbers == [one["number"] for one in truth["particles"]]
