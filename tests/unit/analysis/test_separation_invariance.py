"""Separation does not depend on where particles lie, on their order or on how their image is turned."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antema.analysis import ProbabilityMap, clean, measure, separate
from antema.analysis.separation import image_outline
from antema.domain import Recipe
from benchmarks import naive
from benchmarks.separation import field
from tests.strategies.shapes import chain_of_discs

NM = 0.1
CONTOUR, ANTEMA = Recipe(), Recipe(convention="antema")


def areas_of(picture, recipe=CONTOUR):
    table = measure(picture > 0.5, NM, recipe=recipe, probability=picture)
    return np.sort(table.loc[table["status"] == "measured", "area_nm2"].to_numpy())


def scene(seed, n_chains=3, side=260):
    """Return a picture of chains of overlapping discs that keep their distance, and each chain alone."""
    rng = np.random.default_rng(seed)
    alone = []
    for k in range(n_chains):
        diameters = rng.uniform(22, 34, int(rng.integers(1, 3))).tolist()
        chain, _ = chain_of_discs(diameters, float(rng.uniform(0.02, 0.25)), rng)
        picture = np.zeros((side, side), np.float32)
        y, x = 5 + 85 * k, int(rng.integers(5, side - chain.shape[1] - 5))
        picture[y : y + chain.shape[0], x : x + chain.shape[1]] = chain
        alone.append(picture)
    return np.maximum.reduce(alone), alone


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), down=st.integers(0, 40), right=st.integers(0, 40))
def test_a_shift_changes_nothing(seed, down, right):
    picture, _ = scene(seed)
    for recipe in (CONTOUR, ANTEMA):
        shifted = areas_of(np.pad(picture, ((down, 3), (right, 7))), recipe)
        np.testing.assert_allclose(shifted, areas_of(picture, recipe), rtol=1e-6)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), turns=st.integers(0, 3), mirrored=st.booleans())
def test_quarter_turns_and_mirrors_change_nothing(seed, turns, mirrored):
    picture, _ = scene(seed)
    turned = np.ascontiguousarray(np.rot90(picture[::-1] if mirrored else picture, turns))
    np.testing.assert_allclose(areas_of(turned), areas_of(picture), rtol=1e-4)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_each_cluster_is_separated_as_if_it_were_alone(seed):
    picture, alone = scene(seed)
    together = np.sort(np.concatenate([areas_of(each) for each in alone]))
    np.testing.assert_allclose(areas_of(picture), together, rtol=1e-9)


@pytest.mark.parametrize(("side", "n"), [(400, 60), (400, 150)])
def test_the_same_objects_as_the_naive_implementation(side, n, monkeypatch):
    picture = field(side, n, seed=5)
    foreground = picture > 0.5
    # what is under test is how regions are taken apart, not the outline that says whether one has to be
    on_map = ProbabilityMap(picture, 0.5)
    monkeypatch.setattr(naive, "outline", lambda found, _: image_outline(found.x, found.y, found.mask, on_map))
    for recipe in (CONTOUR, ANTEMA):
        surface = on_map if recipe is CONTOUR else None
        ours = [each.instance for each in separate(clean(foreground, NM, recipe), picture.shape, NM, recipe, surface)]
        if recipe is CONTOUR:
            theirs = [each for each, _ in naive.contour(foreground, picture.astype(np.float64), NM, recipe)]
        else:
            theirs = naive.antema(foreground, NM, recipe)
        assert sum(each.separated for each in ours) >= 4
        assert [(i.x, i.y, i.drop_reason, i.separated, i.mask.shape, i.mask.tobytes()) for i in ours] == [
            (i.x, i.y, i.reason, i.separated, i.mask.shape, i.mask.tobytes()) for i in theirs
        ]


def test_the_antema_table_is_that_of_the_naive_implementation():
    picture = field(400, 150, seed=2)
    found = naive.antema(picture > 0.5, 1.0, ANTEMA)
    table = measure(picture > 0.5, 1.0, recipe=ANTEMA).sort_values(["bbox_y_px", "bbox_x_px"])
    found.sort(key=lambda each: (each.y, each.x))
    assert len(table) == len(found)
    for (_, row), other in zip(table.iterrows(), found, strict=True):
        for name, value in naive.measured_pixels(other).items():
            assert row[name] == pytest.approx(value, rel=1e-9)


def test_memory_goes_with_the_particles_and_not_with_particles_times_image():
    # one mask of the image for each of the 4,000 particles would be 4 GB
    code = (
        "import resource\n"
        "from antema.analysis import measure\n"
        "from benchmarks.separation import field\n"
        "picture = field(1024, 4000, largest_px=7)\n"
        "measure(field(256, 40) > 0.5, 0.1)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert len(measure(picture > 0.5, 0.1)) > 3000\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) / 1024 < 60
