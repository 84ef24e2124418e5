import json
from collections import Counter

import numpy as np
import pytest

from antema.domain import AMORPHOUS, CRYSTALLINITIES, MONOCRYSTALLINE, POLYCRYSTALLINE
from antema.imaging import read
from antema.simulation import Camera, Optics, demo
from antema.simulation.crops import GAP_NM
from antema.simulation.materials import METALS
from antema.simulation.multislice import exit_wave, image
from antema.simulation.resolved import Batch, _Lens, _placed, resolved_field
from antema.simulation.supports import Support
from antema.simulation.visibility import shown

GOLD = METALS["Au"]
LENS = Optics(defocus_nm=60, cs_mm=1.2, focal_spread_nm=3.5)
BATCH = Batch(
    diameter_nm=1.6, spread=0.1, classes={AMORPHOUS: 1, MONOCRYSTALLINE: 1, POLYCRYSTALLINE: 1}, cover=0.25, overlap=0
)
PIXEL_NM = 0.05


@pytest.fixture(scope="module")
def field():
    return resolved_field(
        3,
        shape=(160, 176),
        pixel_size_nm=PIXEL_NM,
        batch=BATCH,
        support=Support(thickness_nm=2.0),
        optics=LENS,
        camera=Camera(dose_e_px=1000),
    )


def test_waves_of_single_particles_make_up_the_wave_of_all():
    shape, pad = (112, 112), np.array([16, 16])
    full = (288, 288)
    placed = _placed(np.random.default_rng(2), BATCH, GOLD, shape, pad, 2, PIXEL_NM)
    assert len(placed) > 3
    fine_nm = PIXEL_NM / 2
    lens = _Lens(LENS, Camera(), fine_nm, 2, plane_nm=GAP_NM)
    product = np.ones(full, np.complex64)
    everything = []
    for one, wave in zip(placed, lens.exits([(p.places_nm, p.grown.atoms.z, p.edge_px) for p in placed]), strict=True):
        square = np.zeros(full, np.complex64)
        x, y = one.at_px
        rows, columns = np.arange(one.edge_px) + y, np.arange(one.edge_px) + x
        kept = (rows >= 0) & (rows < full[0]), (columns >= 0) & (columns < full[1])
        square[np.ix_(rows[kept[0]], columns[kept[1]])] = wave[np.ix_(*kept)] - 1
        product *= 1 + square
        everything.append(one.places_nm + (x * fine_nm, y * fine_nm, 0))
    atoms = np.concatenate(everything)
    together = exit_wave(atoms, 79, pixel_size_nm=fine_nm, shape=full, slice_nm=0.3, optics=LENS, plane_nm=GAP_NM)
    # away from the edges, beyond which a grid goes on at its other side
    inner = (slice(40, 248), slice(40, 248))
    one, other = (image(wave, LENS, fine_nm)[inner] for wave in (product, together))
    assert np.sqrt(np.mean((one - other) ** 2)) < 0.06 * other.std()


def test_truth_says_what_each_particle_is(field):
    # a ninth lies at the border, with its atoms alone in the image
    assert len(field.instances) == len(field.atoms) == len(field.particles) == 8
    assert {said["class"] for said in field.particles} == set(CRYSTALLINITIES)
    for said in field.particles:
        assert said["class"] == CRYSTALLINITIES[min(said["domains"], 2)]
        assert said["lattice_visible"] == (said["hidden_by"] == "")
        assert (said["lattice_contrast"] == 0) == (said["class"] == AMORPHOUS)
        assert (said["shape"] in ("decahedron", "icosahedron")) == (said["structure"] == "multiply twinned")


def test_masks_have_the_areas_and_places_of_the_truth(field):
    inside = [(i, said) for i, said in zip(field.atoms, field.particles, strict=True) if not said["touches_border"]]
    assert len(inside) > 3
    for instance, said in inside:
        assert instance.area_px * PIXEL_NM**2 == pytest.approx(said["projected_area_nm2"], rel=0.05)
        rows, columns = np.nonzero(instance.mask)
        centre = (np.array([columns.mean() + instance.x, rows.mean() + instance.y]) + 0.5) * PIXEL_NM
        assert np.hypot(*(centre - (said["x_nm"], said["y_nm"]))) < 0.2


def test_visible_lattices_stand_in_the_pixels(field):
    """The strongest frequency of {111} to {220} in the recorded pixels is stronger where the truth says so."""

    def sharpest(instance):
        window = (slice(instance.y, instance.y + instance.h), slice(instance.x, instance.x + instance.w))
        grey = np.where(instance.mask, field.pixels[window] - field.pixels[window][instance.mask].mean(), 0)
        power = np.abs(np.fft.fft2(grey, s=(96, 96))) ** 2 / instance.area_px
        y, x = (np.fft.fftfreq(96, PIXEL_NM) for _ in range(2))
        g = np.hypot(y[:, None], x)
        return power[(g > 4) & (g < 5.2)].max()

    whole = [(sharpest(i), p) for i, p in zip(field.instances, field.particles, strict=True) if i.area_px > 400]
    crystals = [power for power, said in whole if said["class"] != AMORPHOUS and said["lattice_contrast"] > 100]
    glasses = [power for power, said in whole if said["class"] == AMORPHOUS]
    assert crystals
    assert glasses
    assert np.median(crystals) > 2 * np.median(glasses)


@pytest.mark.parametrize(
    ("kind", "contrast", "best", "visible", "hidden_by"),
    [
        (MONOCRYSTALLINE, 30.0, None, True, ""),
        (POLYCRYSTALLINE, 3.0, 90.0, False, "orientation"),
        (POLYCRYSTALLINE, 3.0, 9.0, False, "conditions"),
        (AMORPHOUS, 0.0, 90.0, True, ""),
        (AMORPHOUS, 0.0, 9.0, False, "conditions"),
    ],
)
def test_what_hides_a_lattice(kind, contrast, best, visible, hidden_by):
    said = shown(kind, (contrast, 0.2355), best)
    assert (said["lattice_visible"], said["hidden_by"]) == (visible, hidden_by)


def test_whether_an_amorphous_particle_could_be_told_is_not_guessed():
    with pytest.raises(ValueError, match="ball in its place"):
        shown(AMORPHOUS, (0.0, float("nan")), None)


def test_the_demo_is_two_batches_in_bytes_with_their_truth(tmp_path, monkeypatch):
    full = demo.demo_field
    monkeypatch.setattr(demo, "demo_field", lambda seed, batch: full(seed, batch, shape=(160, 160)))
    monkeypatch.setattr(demo, "_IMAGES", 1)

    paths = demo.write_demo(tmp_path)

    samples = json.loads((tmp_path / "demo.json").read_text("utf-8"))
    assert samples == demo.demo_samples()
    assert [path.name for path in paths] == [name for sample in samples for name in sample["images"]]
    for sample, path in zip(samples, paths, strict=True):
        assert sample["material"] == "Au"
        pixels = read(path).pixels
        assert pixels.dtype == np.uint8
        # darker than the empty beam, and next to nothing is cut off
        assert 90 < np.median(pixels) < 140
        assert np.mean((pixels == 0) | (pixels == 255)) < 1e-3
        truth = json.loads(path.with_suffix(".json").read_text("utf-8"))
        assert truth["pixel_size_nm"] == sample["pixel_size_nm"]
        assert truth["particles"]
        assert all({"class", "lattice_visible", "hidden_by", "number"} <= set(said) for said in truth["particles"])


def test_the_notes_of_the_demo_say_the_shares_that_particles_are_drawn_with():
    for k, sample in enumerate(demo.demo_samples()):
        diameter, seen, _, batch = demo._DEMO[k]
        assert f"{diameter} nm on average as far as atoms reach and {seen} nm" in sample["notes"]
        assert sum(batch.classes.values()) == pytest.approx(1)
        for kind, share in batch.classes.items():
            assert f"{share:.0%} {kind}" in sample["notes"]
        rng = np.random.default_rng(k)
        placed = _placed(rng, batch, GOLD, (480, 480), np.array([0, 0]), 2, PIXEL_NM)
        widths = [2 * np.sqrt(one.outline[3].area_nm2 / np.pi) for one in placed]
        error = np.std(widths) / np.sqrt(len(widths))
        assert np.mean(widths) == pytest.approx(float(diameter), abs=3 * error)
        counts = Counter(one.grown.crystallinity for one in placed)
        for kind, share in batch.classes.items():
            spread = np.sqrt(share * (1 - share) / len(placed))
            assert counts[kind] / len(placed) == pytest.approx(share, abs=4 * spread)
