import csv
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.spatial import cKDTree

import antema
from antema.domain import CRYSTALLINITIES
from antema.simulation import crop_sets
from antema.simulation.amorphous import CARBON, AmorphousSolid, slab
from antema.simulation.camera import Camera
from antema.simulation.crop_files import COLUMNS, simulate_crystallinity
from antema.simulation.crop_sets import SETS, pattern_crop
from antema.simulation.crops import Conditions, Crop, imperfect, particle_crop
from antema.simulation.domains import along_beam, grown
from antema.simulation.materials import METALS
from antema.simulation.optics import Optics
from antema.simulation.shapes import Ellipsoid, body_of
from antema.simulation.visibility import VISIBLE, lattice_contrast, spacings_nm

GOLD = METALS["Au"]
FAR_FROM_ZONES = (0.356, 0.597, 0.719)
"""At least 0.57 /nm of every {111}, {200}, {220} and {311} reflection of gold lies along it."""
CONDITIONS = Conditions(
    pixel_size_nm=0.024,
    optics=Optics(voltage_kv=300, defocus_nm=3, cs_mm=0.001, focal_spread_nm=2),
    camera=Camera(dose_e_px=200, signal_mtf_px=0.3, noise_mtf_px=0.3, gain=50),
    support=None,
    support_nm=0,
    margin_nm=0.5,
)


def ball_crop(structure="crystal", direction=(1, 1, 0), seed=2, **conditions):
    rng = np.random.default_rng(seed)
    rotation = along_beam(rng, np.array(direction, float))
    particle = grown(rng, GOLD, Ellipsoid(1.4 * np.eye(3)), "sphere", structure, rotation=rotation)
    return particle_crop(rng, particle, GOLD, replace(CONDITIONS, **conditions))


def spectrum(crop):
    """Return the power of the particle's image, and the frequencies (y, x) of its coefficients in 1/nm."""
    grey = np.where(crop.mask, crop.pixels - crop.pixels[crop.mask].mean(), 0)
    power = np.abs(np.fft.fft2(grey)) ** 2
    y, x = (np.fft.fftfreq(n, crop.pixel_size_nm) for n in grey.shape)
    return power, np.stack(np.meshgrid(y, x, indexing="ij"), axis=-1)


@pytest.fixture(scope="module")
def crystal():
    return ball_crop()


def test_planes_of_a_crystal_stand_at_their_spacings_and_angles(crystal):
    power, g = spectrum(crystal)
    length = np.linalg.norm(g, axis=-1)
    power = np.where((length > 3) & (length < 4.6), power, 0)
    step = 1 / (crystal.pixels.shape[0] * crystal.pixel_size_nm)
    found = []
    for _ in range(2):
        peak = g[np.unravel_index(power.argmax(), power.shape)]
        found.append(peak)
        for place in (peak, -peak):
            power = np.where(np.linalg.norm(g - place, axis=-1) < 1.2, 0, power)
    for peak in found:
        assert np.linalg.norm(peak) == pytest.approx(np.sqrt(3) / GOLD.lattice_nm, abs=step)
    cosine = abs(found[0] @ found[1]) / np.prod(np.linalg.norm(found, axis=1))
    assert np.degrees(np.arccos(cosine)) == pytest.approx(70.53, abs=np.degrees(1.5 * step * GOLD.lattice_nm / 3**0.5))
    assert crystal.label["class"] == "monocrystalline"
    assert crystal.label["lattice_visible"]
    assert crystal.label["diameter_nm"] == pytest.approx(2.95, abs=0.15)  # 2.8 nm between atoms, and a radius at most


def test_a_particle_without_order_has_no_spots(crystal):
    def strongest(crop):
        power, g = spectrum(crop)
        length = np.linalg.norm(g, axis=-1)
        ring = power[(length > 3.8) & (length < 5.3)]
        return ring.max() / np.quantile(ring, 0.5)

    glass = ball_crop("glass")
    assert glass.label["class"] == "amorphous"
    assert glass.label["lattice_visible"]  # a crystal in its place would be told from it
    assert glass.label["lattice_contrast"] == 0
    assert strongest(crystal) > 4 * strongest(glass)


def test_a_crystal_far_from_zone_axes_is_hidden_by_its_orientation():
    # thick enough that its reflections are narrower than their distance from the Ewald sphere
    rng = np.random.default_rng(3)
    rotation = along_beam(rng, np.array(FAR_FROM_ZONES))
    particle = grown(rng, GOLD, Ellipsoid(2.1 * np.eye(3)), "sphere", "crystal", rotation=rotation)
    dim = replace(CONDITIONS, pixel_size_nm=0.05, camera=replace(CONDITIONS.camera, dose_e_px=20))
    label = particle_crop(rng, particle, GOLD, dim).label
    assert label["class"] == "monocrystalline"
    assert not label["lattice_visible"]
    assert label["hidden_by"] == "orientation"


@pytest.mark.parametrize("structure", ["crystal", "packed"])
def test_too_few_electrons_hide_every_lattice(structure):
    label = ball_crop(structure, camera=replace(CONDITIONS.camera, dose_e_px=0.02)).label
    assert not label["lattice_visible"]
    assert label["hidden_by"] == "conditions"


@pytest.mark.parametrize(("pixel_size_nm", "visible"), [(0.1, True), (0.117, True), (0.119, False), (0.15, False)])
def test_planes_beyond_half_the_sampling_frequency_are_not_seen(pixel_size_nm, visible):
    y, x = (np.mgrid[:64, :64] - 32) * pixel_size_nm
    fringes = 1 + 0.1 * np.cos(2 * np.pi * (x * 0.8 + y * 0.6) / 0.23546)
    mask = np.hypot(x, y) < 2.5
    noise = 1e-4
    contrast, spacing = lattice_contrast(
        fringes, np.random.default_rng(1).normal(0, 0.01, x.shape), mask, pixel_size_nm, [0.23546], lambda _: noise
    )
    assert (contrast >= VISIBLE) == visible
    assert spacing == 0.23546 if visible else np.isnan(spacing)


def test_noise_alone_is_no_lattice():
    y, x = (np.mgrid[:100, :100] - 50) * 0.03
    mask = np.hypot(x, y) < 1.2
    for seed in range(20):
        rng = np.random.default_rng(seed)
        speckle = rng.normal(1, 0.1, x.shape)
        contrast, _ = lattice_contrast(speckle, np.zeros(x.shape), mask, 0.03, spacings_nm(GOLD), lambda _: 0.01)
        assert contrast < VISIBLE


@pytest.mark.parametrize(("degrees", "own"), [(0, False), (40, True)])
def test_a_reflection_that_the_rest_of_the_particle_has_too_is_not_a_domains_own(degrees, own):
    y, x = (np.mgrid[:128, :128] - 64) * 0.03
    mask = np.hypot(x, y) < 1.4
    lattice = [spacings_nm(GOLD)[0]]

    def half(angle, side):
        phase = 2 * np.pi * (np.cos(angle) * x + np.sin(angle) * y) / lattice[0]
        return np.where((x > 0) == side, 0.2 * np.cos(phase), 0.0)

    first, second = half(0.5, True), half(0.5 + np.radians(degrees), False)
    seen = first + second + np.random.default_rng(0).normal(0, 0.02, x.shape)
    arguments = (second, seen - second, mask, 0.03, lattice, lambda _: 1e-4)
    assert lattice_contrast(*arguments)[0] >= VISIBLE
    assert (lattice_contrast(*arguments, apart=True)[0] >= VISIBLE) == own


@pytest.mark.parametrize(("beam", "domains_visible"), [("in the plane", 2), ("across the plane", 0)])
def test_a_twin_shows_two_lattices_edge_on_and_one_from_above(beam, domains_visible):
    """Along <110> in the twin plane each half has {111} planes of its own; along its normal they share all of them."""
    rng = np.random.default_rng(5)
    plain = grown(rng, GOLD, Ellipsoid(1.6 * np.eye(3)), "sphere", "twin", rotation=np.eye(3))
    means = [plain.atoms.places_nm[plain.atoms.domain == k].mean(axis=0) for k in (0, 1)]
    normal = np.sign(means[0] - means[1]) / np.sqrt(3)
    edge_on = np.array([1, -normal[0] / normal[1], 0.0])
    rotation = along_beam(rng, normal if beam == "across the plane" else edge_on)
    turned = replace(plain, atoms=replace(plain.atoms, places_nm=plain.atoms.places_nm @ rotation.T))
    crop = particle_crop(rng, turned, GOLD, CONDITIONS)
    assert crop.label["class"] == "polycrystalline"
    assert crop.label["domains_visible"] == domains_visible


def test_crystals_over_each_other_show_their_lattices_too():
    """Each dims the other's fringes, which is no reflection of something else."""
    rng = np.random.default_rng(4)
    one, other = (
        grown(
            rng, GOLD, Ellipsoid(1.6 * np.eye(3)), "sphere", "crystal", rotation=along_beam(rng, np.array([1.0, 1, 0]))
        )
        for _ in range(2)
    )
    upper, lower = one.atoms.places_nm[:, 2] < -0.15, other.atoms.places_nm[:, 2] > 0.15
    parts = (one.atoms.places_nm[upper], other.atoms.places_nm[lower])
    atoms = replace(
        one.atoms,
        places_nm=np.concatenate(parts),
        z=np.full(sum(map(len, parts)), 79),
        radii_nm=np.full(sum(map(len, parts)), GOLD.radius_nm),
        domain=np.repeat([0, 1], [len(part) for part in parts]),
    )
    crop = particle_crop(rng, replace(one, atoms=atoms, structure="stitched", domains=2), GOLD, CONDITIONS)
    assert crop.label["domains_visible"] == 2


def test_a_twin_without_its_second_half_is_a_single_crystal():
    thin = [
        grown(rng, GOLD, body_of("plate", 1.8, rng), "plate", "twin")
        for rng in map(np.random.default_rng, range(120, 180))
    ]
    halves = [1 if one.atoms.domain is None else len(np.unique(one.atoms.domain)) for one in thin]
    assert [one.domains for one in thin] == halves
    assert {one.crystallinity for one in thin} == {"monocrystalline", "polycrystalline"}


@pytest.mark.parametrize("structure", ["twin", "stitched"])
def test_every_atom_belongs_to_a_domain(structure):
    particle = grown(np.random.default_rng(1), GOLD, Ellipsoid(1.2 * np.eye(3)), "sphere", structure)
    assert len(particle.atoms.domain) == len(particle.atoms.z) == len(particle.atoms.places_nm)
    assert set(particle.atoms.domain.tolist()) == set(range(particle.domains))


def test_an_outline_moves_by_its_bias_and_stays_one_piece():
    y, x = np.mgrid[:128, :128] - 63.5
    disc = np.hypot(x, y) < 30
    wider = imperfect(np.random.default_rng(1), disc, 0.0, 3.0)
    assert np.sqrt(wider.sum() / np.pi) == pytest.approx(33, abs=0.7)
    for seed in range(5):
        rough = imperfect(np.random.default_rng(seed), disc, 2.0, 0.0)
        assert 0.75 < (rough & disc).sum() / (rough | disc).sum() < 1
    assert imperfect(np.random.default_rng(1), disc, 0.0, 0.0) is disc


def test_a_large_slab_keeps_density_and_distances():
    loose = AmorphousSolid(6, 60.0, 0.160, ())
    atoms = slab(np.random.default_rng(3), (5.0, 5.0, 2.0), loose, most_atoms=100)
    assert len(atoms) == pytest.approx(60 * 50, rel=0.03)
    assert (atoms >= 0).all()
    assert (atoms < (5, 5, 2)).all()
    assert cKDTree(atoms).query(atoms, k=2)[0][:, 1].min() >= 0.160 - 1e-9
    other = slab(np.random.default_rng(4), (5.0, 5.0, 2.0), loose, most_atoms=100)
    assert len(other) != len(atoms) or not np.allclose(other, atoms)


@pytest.fixture
def unseen(monkeypatch):
    """Let sets be drawn without their images; return what would have been imaged."""
    drawn = []

    def instead(rng, particle, material, conditions, neighbours=()):
        drawn.append((particle, material, conditions, neighbours))
        label = {"class": particle.crystallinity, "structure": particle.structure}
        return Crop(np.zeros((8, 8), np.uint16), np.ones((8, 8), bool), conditions.pixel_size_nm, label)

    monkeypatch.setattr(crop_sets, "particle_crop", instead)
    return drawn


@pytest.mark.parametrize(("name", "films"), [("simulation-c", {6}), ("simulation-c-si", {6, 14}), ("poly", {6, 14})])
def test_sets_of_the_literature_have_its_parameters(unseen, name, films):
    labels = [SETS[name](seed).label for seed in range(60)]
    assert {label["class"] for label in labels} == set(CRYSTALLINITIES)
    assert ("stitched" in {label["structure"] for label in labels}) == (name == "poly")
    for particle, material, conditions, _ in unseen:
        assert material.name == "Au"
        assert np.ptp(particle.atoms.places_nm, axis=0).max() < 3 * 1.75  # a tetrahedron is longer than its ball
        optics = conditions.optics
        assert optics.voltage_kv == 300
        assert -5 <= optics.defocus_nm <= 4
        assert optics.astigmatism_nm <= 3 * np.sqrt(2)
        assert 4.5 <= optics.focal_spread_nm <= 5.5
        assert 1 <= conditions.support_nm <= 3
        assert conditions.support.least_distance_nm == 0.160
        assert conditions.support.atoms_per_nm3 == CARBON.atoms_per_nm3
    assert {conditions.support.z for _, _, conditions, _ in unseen} == films


def test_the_realistic_set_is_wide(unseen, monkeypatch):
    original = crop_sets.any_particle
    sizes = []

    def small(rng, material, kind, diameter_nm):
        sizes.append(diameter_nm)
        return original(rng, material, kind, min(diameter_nm, 2.0))

    monkeypatch.setattr(crop_sets, "any_particle", small)
    labels = [SETS["realistic"](seed).label for seed in range(40)]
    assert {label["class"] for label in labels} == set(CRYSTALLINITIES)
    assert min(sizes) < 1.5
    assert 8 < max(sizes) <= 10
    assert {material.name for _, material, _, _ in unseen} == {"Au", "Pt", "Ag", "Pd", "AgPt"}
    assert {z for p, material, *_ in unseen if material.name == "AgPt" for z in p.atoms.z.tolist()} == {47, 78}
    pixels = [conditions.pixel_size_nm for _, _, conditions, _ in unseen]
    assert 0.01 <= min(pixels) < 0.03
    assert 0.06 < max(pixels) <= 0.1
    assert all(80 <= conditions.optics.voltage_kv <= 300 for _, _, conditions, _ in unseen)
    assert any(neighbours for *_, neighbours in unseen)
    for particle, _, _, neighbours in unseen:
        for other in neighbours:
            assert cKDTree(particle.atoms.places_nm).query(other.places_nm)[0].min() > 0.24


def test_patterns_have_the_periods_of_the_literature():
    crops = [pattern_crop(seed) for seed in range(30)]
    assert {crop.label["class"] for crop in crops} == set(CRYSTALLINITIES)
    for crop in crops:
        salt_and_pepper = np.isin(crop.pixels, (0, 65535)).mean()
        assert 0.45 < salt_and_pepper < 0.75
        if crop.label["class"] == "monocrystalline":
            power = np.abs(np.fft.fft2(crop.pixels - crop.pixels.mean())) ** 2
            y, x = np.unravel_index(power.argmax(), power.shape)
            n = len(power)
            place = 2 * np.pi * np.hypot(min(y, n - y), min(x, n - x)) / n
            assert 0.05 - np.pi / n <= place <= 0.55 + 2 * np.pi / n


def test_a_set_on_disk_is_read_back_and_the_same_again(tmp_path):
    told = []
    for processes, out in ((1, tmp_path / "one"), (2, tmp_path / "two")):
        path = simulate_crystallinity(
            out, count=3, seed=5, kind="pattern", processes=processes, progress=lambda *at: told.append(at)
        )
        rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
        assert tuple(rows[0]) == COLUMNS
        assert [row["class"] for row in rows] == [pattern_crop(5 + k).label["class"] for k in range(3)]
        for row in rows:
            micrograph = antema.read(out / "crops" / f"{row['name']}.tif")
            assert micrograph.pixel_size.nm == pytest.approx(float(row["pixel_size_nm"]))
            mask = np.asarray(Image.open(out / "masks" / f"{row['name']}.png"))
            assert mask.shape == micrograph.pixels.shape
            assert set(np.unique(mask)) <= {0, 255}
    assert told == [(1, 3), (2, 3), (3, 3)] * 2
    one, two = (sorted(p for p in (tmp_path / name).rglob("*.*")) for name in ("one", "two"))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]


def test_a_simulated_crop_has_every_column_and_is_the_same_again(tmp_path):
    path = simulate_crystallinity(tmp_path / "one", count=1, seed=7, kind="poly")
    (row,) = csv.DictReader(path.read_text("utf-8").splitlines())
    assert row["element"] == "Au"
    assert row["lattice_visible"] in ("true", "false")
    assert 0.8 < float(row["mask_iou"]) <= 1
    again = SETS["poly"](7)
    np.testing.assert_array_equal(antema.read(tmp_path / "one" / "crops" / "crop_000007.tif").pixels, again.pixels)


def test_an_unknown_set_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a set"):
        simulate_crystallinity(tmp_path, count=1, kind="real")
