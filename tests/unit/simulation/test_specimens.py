import json

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial import cKDTree

from antema import cli
from antema.domain import Instance
from antema.simulation import KINDS, Camera, Optics, simulate_micrographs, specimen_field
from antema.simulation.arrangements import ARRANGEMENTS, arranged, contact
from antema.simulation.contrast import Contrast, direct_beam, interaction_per_v_nm
from antema.simulation.field import field_contrast_to_noise, particle_contrast_to_noise
from antema.simulation.materials import METALS, absorption_per_nm
from antema.simulation.particles import Population, diameters
from antema.simulation.supports import COARSE_NM, Support, film_shift, gentle

SQUARE = 10 * np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
STILL = Contrast(diffraction=0.0, fringes=0.0)


def solids(seed=4, camera=None, **changes):
    population = {"material": "Ag", "diameter_nm": 20.0, "spread": 0.1, "cover": 0.3, **changes.pop("population", {})}
    options = {
        "shape": (160, 192),
        "pixel_size_nm": 0.8,
        "populations": [Population(**population)],
        "support": Support(thickness_nm=3.0),
        "optics": Optics(voltage_kv=200.0, defocus_nm=0.0, aperture_mrad=10.0),
        "camera": camera or Camera(dose_e_px=1000.0, signal_mtf_px=0.0, noise_mtf_px=0.0),
    }
    return specimen_field(seed, **(options | changes))


def whole(field):
    """Return the matter of particles that no border cuts, with what is said of them."""
    pairs = zip(field.atoms, field.particles, strict=True)
    return [(one, said) for one, said in pairs if not said["touches_border"]]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_repeats_whatever_ran_before(kind):
    first, _, again = (KINDS[kind](seed, shape=(96, 128)) for seed in (5, 6, 5))
    assert np.array_equal(first.pixels, again.pixels)
    assert repr(first.particles) == repr(again.particles)  # nan is not itself
    assert first.pixels.shape == (96, 128)
    assert (first.pixel_size_nm is None) == (kind == "scenes")  # drawn in pixels
    assert first.pixel_size_nm is None or 0.01 <= first.pixel_size_nm <= 60
    assert len(first.instances) == len(first.particles)


@pytest.mark.parametrize("kind", ["metal", "large", "solids"])
def test_a_pixel_size_that_is_asked_for_is_kept(kind):
    assert KINDS[kind](3, shape=(96, 96), pixel_size_nm=0.11).pixel_size_nm == 0.11


def test_masks_of_solids_have_the_area_and_the_place_that_the_truth_says():
    field = solids(population={"shapes": {"cube": 1, "octahedron": 1, "rod": 1}, "arrangement": "overlapping"})
    found = whole(field)
    assert len(found) >= 8
    ratios = [one.area_px * 0.64 / said["projected_area_nm2"] for one, said in found]
    assert np.mean(ratios) == pytest.approx(1, abs=0.01)
    assert np.ptp(ratios) < 0.15
    for one, said in found:
        rows, columns = np.nonzero(one.mask)
        centre = (np.array([columns.mean() + one.x, rows.mean() + one.y]) + 0.5) * 0.8
        assert np.hypot(*(centre - (said["x_nm"], said["y_nm"]))) < 0.15 * said["diameter_nm"]
        assert max(one.w, one.h) * 0.8 <= said["feret_max_nm"] + 1.6
        assert said["feret_min_nm"] <= said["equivalent_diameter_nm"] <= said["feret_max_nm"]


def test_outlines_of_atoms_reach_a_radius_beyond_the_solid():
    field = solids(
        shape=(256, 256),
        pixel_size_nm=0.06,
        populations=[Population(diameter_nm=3.0, spread=0.0, cover=0.3)],
        camera=Camera(),
    )
    assert len(whole(field)) >= 5
    for one, said in whole(field):
        assert one.area_px * 0.06**2 == pytest.approx(said["projected_area_nm2"], rel=0.02)
        assert said["diameter_nm"] == pytest.approx(3.0, abs=0.06)
        # the outermost atoms lie on the ball here and there, within it elsewhere
        assert 3.0 < said["equivalent_diameter_nm"] < 3.0 + 2 * 0.144


def test_a_solid_is_as_dark_as_its_thickness_makes_it():
    edge_nm = 20.0
    field = solids(
        population={"shapes": {"cube": 1}, "orientation": "aligned", "diameter_nm": np.cbrt(6 / np.pi) * edge_nm}
        | {"spread": 0.0, "twins": 0.0},
        support=Support(thickness_nm=0.0),
        contrast=STILL,
    )
    expected = np.exp(-absorption_per_nm(METALS["Ag"], 200.0, 10.0) * edge_nm)
    for one, _ in whole(field):
        rows, columns = one.y + one.h // 2, one.x + one.w // 2
        middle = field.pixels[rows - 3 : rows + 4, columns - 3 : columns + 4].mean()
        assert (middle - 100) / 20 / 1000 == pytest.approx(expected, rel=0.05)


def test_counts_in_the_free_beam_are_poissons():
    field = solids(population={"cover": 1e-6, "diameter_nm": 1.0}, support=Support(thickness_nm=0.0), shape=(256, 256))
    electrons = (field.pixels[~field.particle_mask()] - 100.0) / 20
    assert electrons.mean() == pytest.approx(1000, rel=0.005)
    assert electrons.var() == pytest.approx(1000, rel=0.03)


def test_uneven_particles_are_whole():
    population = {"amorphous": 1.0, "arrangement": "separate", "diameter_nm": 15.0}
    field = solids(population=population, contrast=Contrast(texture=0.4), pixel_size_nm=0.4, shape=(320, 320))
    assert len(whole(field)) >= 10
    for one, said in whole(field):
        np.testing.assert_array_equal(one.mask, ndimage.binary_fill_holes(one.mask))
        assert one.area_px * 0.16 == pytest.approx(said["projected_area_nm2"], rel=0.01)


def test_dark_fields_are_bright_where_there_is_more_and_heavier_matter():
    balls = {"diameter_nm": 20.0, "spread": 0.0, "cover": 0.12, "overlap": 0.0}
    populations = [Population(material=material, **balls) for material in ("Ag", "Cu")]
    field = solids(mode="dark", populations=populations, support=Support(thickness_nm=0.0), shape=(320, 320))
    cover = np.zeros(field.pixels.shape, int)
    for one in field.instances:
        cover[one.y : one.y + one.h, one.x : one.x + one.w] += one.mask
    middles = {"Ag": [], "Cu": []}
    for one, said in whole(field):
        window = slice(one.y, one.y + one.h), slice(one.x, one.x + one.w)
        if not (cover[window][one.mask] > 1).any():
            grey = field.pixels[window][one.mask] - 100.0
            middles[said["element"]].append(grey.mean())
    assert all(len(greys) >= 3 for greys in middles.values())
    # atoms in a nm³ times Z to the 1.7
    expected = (58.7 * 47**1.7) / (84.7 * 29**1.7)
    assert np.mean(middles["Ag"]) / np.mean(middles["Cu"]) == pytest.approx(expected, rel=0.02)
    assert field.pixels[cover == 0].mean() - 100 < 0.1 * np.mean(middles["Cu"])
    with pytest.raises(ValueError, match="expected a mode out of bright, dark, found 'grey'"):
        solids(mode="grey")


def test_a_crystal_dims_the_direct_beam_with_the_period_of_its_extinction_distance():
    depth = np.linspace(0, 60, 601, dtype=np.float32)[None]
    nothing = np.zeros_like(depth)
    exact = Contrast(deviation=0.0, bending=0.0)
    for seed in range(5):
        beam = direct_beam(np.random.default_rng(seed), depth, nothing, nothing, 15.0, exact)[0]
        assert beam[0] == 1
        assert (beam >= 0).all()
        assert (beam <= 1).all()
        assert beam.min() < 0.4
    far = direct_beam(np.random.default_rng(1), depth, nothing, nothing, 15.0, Contrast(deviation=1e4, bending=0.0))
    assert far.min() > 0.9


def test_a_volt_and_a_nm_shift_the_phase_as_tabulated():
    # L. Reimer, H. Kohl, Transmission Electron Microscopy: 0.00924, 0.00729 and 0.00653 rad/(V nm)
    assert [interaction_per_v_nm(kv) for kv in (100, 200, 300)] == pytest.approx([0.00924, 0.00729, 0.00653], rel=2e-3)


@pytest.mark.parametrize("distribution", ["normal", "lognormal"])
def test_diameters_follow_their_distribution(distribution):
    population = Population(diameter_nm=5.0, spread=0.2, distribution=distribution)
    found = diameters(np.random.default_rng(0), population, 20_000)
    if distribution == "normal":
        assert (found.mean(), found.std()) == pytest.approx((5.0, 1.0), rel=0.02)
    else:
        assert (np.median(found), np.log(found).std()) == pytest.approx((5.0, 0.2), rel=0.02)
    with pytest.raises(ValueError, match="expected a distribution out of"):
        diameters(np.random.default_rng(0), Population(distribution="flat"), 2)


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_arrangements_repeat_and_stay_in_the_field(arrangement):
    outlines = [SQUARE] * 40
    first, again = (arranged(np.random.default_rng(8), outlines, (300.0, 200.0), arrangement) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    placed = first[~np.isnan(first[:, 0])]
    assert len(placed) > 20
    assert (placed > -20).all()
    assert (placed < (320, 220)).all()


def test_separate_particles_never_touch_and_chains_do():
    outlines = [SQUARE] * 30
    apart = arranged(np.random.default_rng(2), outlines, (400.0, 400.0), "separate")
    apart = apart[~np.isnan(apart[:, 0])]
    assert cKDTree(apart).query(apart, k=2)[0][:, 1].min() >= 10 * np.sqrt(2)
    chains = arranged(np.random.default_rng(2), outlines, (400.0, 400.0), "chains", overlap=0.0)
    chains = chains[~np.isnan(chains[:, 0])]
    nearest = cKDTree(chains).query(chains, k=2)[0][:, 1]
    assert np.median(nearest) < 10 * np.sqrt(2) * 1.05


@given(angle=st.floats(0, 2 * np.pi))
def test_squares_at_their_contact_are_parted_by_a_line(angle):
    direction = np.array([np.cos(angle), np.sin(angle)])
    apart = contact(SQUARE, SQUARE, direction)
    assert 10 - 1e-9 <= apart <= 10 * np.sqrt(2) + 1e-9
    assert (SQUARE @ direction).max() <= ((SQUARE + apart * direction) @ direction).min() + 1e-9


def test_a_raft_is_a_lattice():
    places = arranged(np.random.default_rng(3), [SQUARE] * 60, (300.0, 300.0), "raft", overlap=0.0, square=True)
    places = places[~np.isnan(places[:, 0])]
    nearest = cKDTree(places).query(places, k=3)[0][:, 1:]
    assert np.std(nearest) < 0.12 * np.mean(nearest)


def test_a_support_is_as_thick_as_it_says_and_has_its_holes():
    rng = np.random.default_rng(1)
    plain = Support(thickness_nm=5.0, gradient=0.5, roughness=0.05).thickness(rng, (128, 160))
    assert plain.mean() == pytest.approx(5.0, rel=0.03)
    assert 0.2 < np.ptp(plain) / 5 < 1.0
    holed = Support(thickness_nm=5.0, holes=0.3).thickness(rng, (128, 160))
    assert (holed < 0.5).mean() == pytest.approx(0.3, abs=0.06)
    assert (Support(thickness_nm=5.0, folds=2.0, contamination_nm=3.0).thickness(rng, (128, 160)) >= 0).all()


@pytest.mark.parametrize("pixel_size_nm", [0.06, 0.5])
def test_a_thicker_film_loses_more_and_is_rougher(pixel_size_nm):
    spreads, losses = [], []
    for thickness_nm in (2.0, 8.0):
        film = np.full((128, 128), thickness_nm, np.float32)
        shift = film_shift(np.random.default_rng(2), Support(), film, pixel_size_nm, Optics())
        spreads.append(shift.real.std())
        losses.append(shift.imag.mean())
    assert spreads[1] == pytest.approx(2 * spreads[0], rel=0.02)
    assert losses[1] == pytest.approx(4 * losses[0], rel=0.02)
    assert (pixel_size_nm > COARSE_NM) == (pixel_size_nm == 0.5)


def test_no_phase_is_too_steep_for_the_grid():
    steps = np.zeros((20, 20), np.float32)
    steps[:, 10:] = 30
    assert np.abs(np.diff(gentle(steps))).max() == pytest.approx(1.2)
    np.testing.assert_array_equal(gentle(steps / 100), steps / 100)


@settings(max_examples=10, deadline=None)
@given(contrast=st.floats(0.5, 20), seed=st.integers(0, 1000))
def test_contrast_to_noise_is_that_of_the_local_background(contrast, seed):
    rng = np.random.default_rng(seed)
    pixels = rng.normal(1000, 10, (120, 120))
    pixels[:, 60:] += 500  # a step between two particles does not count as noise
    disc = np.hypot(*(np.mgrid[-10:10, -10:10] + 0.5)) < 10
    instances = [Instance(15, 50, disc), Instance(85, 50, disc)]
    for one in instances:
        pixels[one.y : one.y + 20, one.x : one.x + 20][disc] -= 10 * contrast
    ratios = particle_contrast_to_noise(pixels, instances)
    assert ratios == pytest.approx([contrast, contrast], rel=0.15, abs=0.15)
    assert field_contrast_to_noise(ratios) == pytest.approx(np.median(ratios))


def test_written_truth_is_that_of_the_maps(tmp_path):
    told = []
    paths = simulate_micrographs(
        tmp_path, count=2, seed=7, shape=(128, 128), kind="large", progress=lambda *step: told.append(step)
    )
    assert told == [(1, 2), (2, 2)]
    for path in paths:
        image = tifffile.imread(path)
        assert image.dtype == np.uint16
        truth = json.loads((tmp_path / f"{path.stem}.json").read_text())
        pages, matter = (tifffile.imread(tmp_path / name / path.name) for name in ("instances", "atoms"))
        pages = pages[None] if pages.ndim == 2 else pages
        assert [one["number"] for one in truth["particles"]] == list(range(1, pages.max() + 1))
        for one in truth["particles"]:
            where = [page for page, values in enumerate(pages, start=1) if (values == one["number"]).any()]
            assert where == [one["page"]]
            if not one["touches_border"]:
                area_nm2 = np.count_nonzero(matter == one["number"]) * truth["pixel_size_nm"] ** 2
                assert area_nm2 == pytest.approx(one["projected_area_nm2"], rel=0.12)
            assert {"element", "shape", "structure", "diameter_nm", "feret_max_nm", "contrast_to_noise"} <= set(one)


def test_the_same_fields_come_from_one_process_and_from_two(tmp_path):
    options = {"count": 2, "seed": 21, "shape": (64, 64), "kind": "metal"}
    for processes in (1, 2):
        simulate_micrographs(tmp_path / str(processes), processes=processes, **options)
    for path in sorted((tmp_path / "1").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "2" / path.relative_to(tmp_path / "1")).read_bytes()


def test_kinds_of_the_command_line_are_those_there_are(tmp_path):
    assert tuple(KINDS) == cli._FIELD_KINDS
    with pytest.raises(ValueError, match="expected a kind out of mixed, .* found 'nothing'"):
        simulate_micrographs(tmp_path, count=1, kind="nothing")


def test_impossible_shapes_are_refused():
    with pytest.raises(ValueError, match="expected shapes that ZnO can have, found icosahedron"):
        solids(population={"material": "ZnO", "shapes": {"icosahedron": 1}})
    with pytest.raises(ValueError, match="expected an arrangement out of"):
        solids(population={"arrangement": "circle"})
