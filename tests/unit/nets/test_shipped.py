"""What the shipped segmentation model must be able to do."""

import numpy as np
import pytest
from scipy import ndimage

from antema.nets import load, models, verify
from antema.simulation import Camera, Optics, drawn_field, specimen_field
from antema.simulation.amorphous import amorphous_shift
from antema.simulation.field import union
from antema.simulation.multislice import thin_image
from antema.simulation.particles import Population
from antema.simulation.supports import Support


def dice(found, true):
    return 2 * np.count_nonzero(found & true) / (np.count_nonzero(found) + np.count_nonzero(true))


@pytest.fixture(autouse=True)
def _only_shipped(tmp_path, monkeypatch):
    monkeypatch.setenv("ANTEMA_DATA", str(tmp_path))


@pytest.fixture(scope="module")
def segmenter():
    load.cache_clear()
    return load()


def test_there_is_one_default_and_every_weight_file_is_its_cards():
    cards = models()
    for task in ("segmentation", "crystallinity"):
        assert sum(card.default for card in cards if card.task == task) == 1
    for card in cards:
        verify(card.name)
        assert card.licence
        assert (card.folder / "README.md").is_file()


def test_shipped_weights_are_small():
    sizes = {card.name: card.weights_path.stat().st_size / 1e6 for card in models()}
    assert {"unet-stride2", "deeplabv3plus-resnet18", "resnet18-crystallinity"} <= set(sizes)
    assert max(sizes.values()) < 25
    assert sum(sizes.values()) < 40


def test_every_measured_number_has_its_command():
    for card in models():
        assert card.metrics
        for numbers in card.metrics.values():
            assert numbers["command"]


def test_gold_particles_are_outlined_where_they_end(segmenter):
    field = specimen_field(
        77_000_001,
        shape=(512, 512),
        pixel_size_nm=0.08,
        populations=[Population(diameter_nm=3.0, cover=0.15)],
        support=Support(thickness_nm=4.0),
        optics=Optics(),
        camera=Camera(dose_e_px=800),
    )
    # a network ends particles as it was taught to
    true = union(field.instances if segmenter.outlines[0] == "visible" else field.atoms, field.pixels.shape)
    found = segmenter.probability(field.pixels) > segmenter.threshold
    assert dice(found, true) > 0.93
    # half the relative error of the area is that of the diameter
    assert found.sum() / true.sum() == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize(
    ("name", "width_px", "least"),
    [
        ("default", 20, 0.85),
        ("default", 60, 0.85),
        ("default", 160, 0.85),
        # taught for an eighth of the default's steps
        ("deeplabv3plus-resnet18", 20, 0.8),
        ("deeplabv3plus-resnet18", 60, 0.8),
    ],
)
def test_particles_of_any_width_are_found(name, width_px, least):
    segmenter = load(name)
    scores = []
    for seed in range(77_000_010, 77_000_014):
        field = drawn_field(seed, shape=(512, 512), width_px=width_px)
        if field.conditions["contrast_to_noise"] > 1.5:
            scores.append(dice(segmenter.probability(field.pixels) > segmenter.threshold, field.particle_mask()))
    assert np.mean(scores) > least


def test_a_dense_layer_of_particles_of_a_few_pixels_is_seen_enlarged():
    # at its own size the network sees no particle here at all
    rng = np.random.default_rng(77_000_003)
    pitch, radius, side = 8.0, 3.1, 256
    rows, columns = np.mgrid[:side, :side] + 0.5
    ground = np.full((side, side), 200.0)
    middles = []
    for i in range(int(side / (pitch * np.sqrt(3) / 2)) + 1):
        for j in range(int(side / pitch) + 1):
            x, y = (j + i % 2 / 2) * pitch + rng.normal(0, 0.3), i * pitch * np.sqrt(3) / 2 + rng.normal(0, 0.3)
            apart = np.hypot(columns - x, rows - y)
            ground -= rng.uniform(60, 120) * np.clip(radius + 0.5 - apart, 0, 1)
            middles.append((x, y))
    pixels = ndimage.gaussian_filter(ground, 0.7) + rng.normal(0, 6, ground.shape)
    found = load("unet-outlines").segment(pixels, polarity="dark")
    assert 2.0 in found.scales
    inside = [pitch < x < side - pitch and pitch < y < side - pitch for x, y in middles]
    hit = [found.probability[int(y), int(x)] > 0.5 for (x, y), counts in zip(middles, inside, strict=True) if counts]
    assert np.mean(hit) > 0.95
    assert len(found.proposals) == pytest.approx(len(middles), rel=0.15)


def test_empty_carbon_has_hardly_any_particle(segmenter):
    rng = np.random.default_rng(77_000_002)
    shift = amorphous_shift(rng, (512, 512), 0.064, 4.0, Optics())
    pixels = Camera(shading=0.03).record(rng, thin_image(shift, Optics(), 0.064))
    found = segmenter.segment(pixels, polarity="dark")
    assert (found.probability > segmenter.threshold).mean() < 0.02
    assert max(found.scales) <= 1, "nothing is there to be enlarged for"
