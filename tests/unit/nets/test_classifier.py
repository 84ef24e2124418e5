import json
import math

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

from antema.domain import AntemaError, Instance, NotFound
from antema.nets import load_classifier
from antema.nets.certainty import Certainty, fitted
from antema.nets.particle_views import SAMPLING_NM, cut_out, view
from antema.nets.resnet import BLOCKS, ParticleResNet, network_of_entry
from antema.nets.weights import first_weights, flat_weights, folded, set_weights
from antema.training.models import write_classifier

ENTRY = {"kind": "resnet-particles", "depth": 18, "features": [4, 4, 8, 8, 8]}
KNOWS = {"least_nm": 0.8, "most_nm": 15.0, "coarsest_nm": 0.1177}


def fringes(pixel_nm, spacing_nm=0.235, angle=0.3, extent_nm=5.0):
    n = round(extent_nm / pixel_nm)
    y, x = (np.mgrid[:n, :n] + 0.5) * pixel_nm
    grey = 100 + 10 * np.cos(2 * np.pi * (np.cos(angle) * x + np.sin(angle) * y) / spacing_nm)
    mask = np.hypot(x - extent_nm / 2, y - extent_nm / 2) < 1.2
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return grey, Instance(int(columns[0]), int(rows[0]), part)


@pytest.mark.parametrize("pixel_nm", [0.011, 0.024, 0.05, 0.08])
def test_fringes_keep_their_spacing_whatever_the_sampling(pixel_nm):
    grey, one = fringes(pixel_nm)
    cut = cut_out(grey, one.mask, one.x, one.y, pixel_nm)
    assert cut.side_px == 64
    seen = view(cut, 64)
    power = np.abs(np.fft.rfft2(seen[..., 0] * np.hanning(64)[:, None] * np.hanning(64), (512, 512)))
    row, column = np.unravel_index(power.argmax(), power.shape)
    frequency = np.hypot(np.fft.fftfreq(512)[row], np.fft.rfftfreq(512)[column]) / SAMPLING_NM
    assert 1 / frequency == pytest.approx(0.235, rel=0.03)
    inside = seen[..., 1] > 0.5
    assert inside.sum() * SAMPLING_NM**2 == pytest.approx(math.pi * 1.2**2, rel=0.05)
    assert abs(seen[..., 0][inside].mean()) < 0.1
    assert seen[..., 0][inside].std() == pytest.approx(1, abs=0.1)


def test_a_turned_view_is_the_particle_turned():
    grey, one = fringes(0.03)
    cut = cut_out(grey, one.mask, one.x, one.y, 0.03)
    straight, turned = view(cut, 64), view(cut, 64, turn_rad=np.pi / 2)
    np.testing.assert_allclose(np.rot90(straight, -1), turned, atol=2e-3)


def test_a_particle_at_the_edge_has_a_view_too():
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 60000, (80, 90)).astype(np.uint16)
    seen = view(cut_out(grey, np.ones((20, 25), bool), 0, 60, 0.06), 48)
    assert np.isfinite(seen).all()
    assert seen[..., 1].sum() == pytest.approx(500, rel=0.05)


@given(st.floats(0.009, 0.11), st.floats(0.5, 14), st.floats(0.3, 1))
def test_a_view_holds_the_particle_with_its_surroundings(pixel_nm, extent_nm, share):
    mask = np.ones((max(int(extent_nm / pixel_nm), 1), max(int(share * extent_nm / pixel_nm), 1)), bool)
    if mask.size > 200_000:
        return
    cut = cut_out(np.zeros((max(mask.shape) + 5, max(mask.shape) + 5)), mask, 2, 1, pixel_nm)
    assert cut.side_px is not None
    assert cut.side_px * SAMPLING_NM >= max(mask.shape) * pixel_nm + 0.99
    seen = view(cut, cut.side_px)[..., 1].sum() * SAMPLING_NM**2
    assert seen == pytest.approx(mask.size * pixel_nm**2, rel=0.25, abs=0.02)


@pytest.mark.parametrize("depth", [18, 50])
def test_the_particle_is_the_mean_of_its_places(depth):
    network = ParticleResNet(depth=depth, features=(4, 8, 8, 8, 16), rngs=nnx.Rngs(0))
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 32, 48, 2)).astype(np.float32)
    x[..., 1] = 0
    x[0, 8:20, 10:30, 1] = x[1, 4:28, 4:40, 1] = 1
    logits, places, weights = (np.asarray(each) for each in network(jnp.asarray(x)))
    assert places.shape == (2, 4, 6, 4)
    np.testing.assert_allclose(weights.sum((1, 2, 3)), 1, rtol=1e-5)
    np.testing.assert_allclose((places * weights).sum((1, 2)), logits, rtol=1e-4, atol=1e-5)
    assert sum(BLOCKS[depth]) == sum(len(stage) for stage in network.stages)


def test_batch_normalisation_is_worked_into_the_convolutions():
    learning = nnx.eval_shape(lambda: network_of_entry(ENTRY, trainable=True))
    weights = first_weights(learning, 3)
    rng = np.random.default_rng(0)
    for name in weights:
        if name.endswith("norm.mean"):
            weights[name] = rng.normal(0, 0.3, weights[name].shape).astype(np.float32)
        if name.endswith("norm.var"):
            weights[name] = rng.uniform(0.5, 2, weights[name].shape).astype(np.float32)
    set_weights(learning, weights)
    learning.eval()
    using = nnx.eval_shape(lambda: network_of_entry(ENTRY))
    set_weights(using, folded(flat_weights(learning)))
    x = jnp.asarray(rng.uniform(0, 1, (2, 32, 32, 2)), jnp.float32)
    np.testing.assert_allclose(learning(x)[0], using(x)[0], rtol=1e-3, atol=1e-4)


def test_overconfident_logits_are_calibrated():
    rng = np.random.default_rng(5)
    p = rng.dirichlet((1, 1, 1), 4000)
    classes = np.array([rng.choice(3, p=row) for row in p])
    seen = rng.uniform(0, 1, 4000)
    logits = np.column_stack([3 * np.log(p) + np.array([1.0, -0.5, 0.3]), 2 * np.log(seen / (1 - seen)) - 1])
    visible = np.where(rng.random(4000) < 0.1, np.nan, (rng.random(4000) < seen).astype(float))
    certainty = fitted(logits, classes, visible)
    np.testing.assert_allclose(certainty.probabilities(logits), p, atol=0.04)
    np.testing.assert_allclose(certainty.lattice(logits), seen, atol=0.06)
    assert Certainty.from_dict(json.loads(json.dumps(certainty.to_dict()))) == certainty


@pytest.fixture
def installed(tmp_path, monkeypatch):
    monkeypatch.setenv("ANTEMA_DATA", str(tmp_path))
    network = nnx.eval_shape(lambda: network_of_entry(ENTRY, trainable=True))
    return write_classifier(
        tmp_path / "models" / "tiny",
        folded(first_weights(network, 0)),
        architecture=ENTRY,
        training={"images": {"made": 1}, "held_out": {}, "steps": 1, "minutes": 0.0, "device": "CPU", "seed": 0},
        probabilities=Certainty(2.0, (0.1, 0.0, 0.0)).to_dict() | {"ece_before": 0.1, "ece_after": 0.01},
        knows=KNOWS,
        metrics={},
    )


def test_particles_of_all_sizes_are_answered_in_their_order(installed):
    rng = np.random.default_rng(0)
    grey = rng.normal(1000, 50, (400, 400))
    disc = np.hypot(*np.mgrid[-30:31, -30:31]) < 30
    instances = [Instance(5, 5, disc), Instance(100, 50, disc[::3, ::3]), Instance(200, 200, disc[20:24, 20:24])]
    instances += [Instance(10, 200, disc), Instance(90, 250, np.ones((140, 300), bool))]
    told = []
    classifier = load_classifier("tiny")
    found = classifier.classify(grey, instances, 0.1, progress=told.append)
    assert found.hindrances == ("", "", "too_small", "", "too_large")
    assert told[-1] == 1
    asked = np.isfinite(found.probabilities).all(axis=1)
    assert asked.tolist() == [True, True, False, True, False]
    np.testing.assert_allclose(found.probabilities[asked].sum(axis=1), 1)
    alone = classifier.classify(grey, instances[3:4], 0.1)
    np.testing.assert_allclose(alone.probabilities[0], found.probabilities[3], rtol=1e-4)
    evidence = found.evidence[3]
    assert evidence is not None
    assert (evidence.x + evidence.w / 2, evidence.y + evidence.h / 2) == pytest.approx((40.5, 230.5))
    assert found.evidence[2] is None
    again = load_classifier("tiny")
    assert classifier.sha256 == again.sha256 != installed["sha256"]


def test_a_network_is_kept_until_its_weights_are_others(installed, tmp_path):
    first, again = load_classifier("tiny"), load_classifier("tiny")
    assert again.network is first.network
    network = nnx.eval_shape(lambda: network_of_entry(ENTRY, trainable=True))
    write_classifier(
        tmp_path / "models" / "tiny",
        folded(first_weights(network, 1)),
        architecture=ENTRY,
        training=installed["training"],
        probabilities=Certainty().to_dict() | {"ece_before": 0.1, "ece_after": 0.01},
        knows=KNOWS,
        metrics={},
    )
    view = np.random.default_rng(0).normal(size=(1, 48, 48, 2)).astype(np.float32)
    assert not np.allclose(load_classifier("tiny").network(view)[0], first.network(view)[0])


def test_where_no_lattice_can_be_resolved_nothing_is_asked(installed):
    found = load_classifier("tiny").classify(np.zeros((99, 99)), [Instance(9, 9, np.ones((40, 40), bool))], 0.12)
    assert found.hindrances == ("sampling_too_coarse",)
    assert np.isnan(found.probabilities).all()


def test_a_segmenting_network_is_no_classifier(installed):
    with pytest.raises(NotFound, match="no model 'absent'"):
        load_classifier("absent")
    with pytest.raises(AntemaError, match="expected one of crystallinity, found one of segmentation"):
        load_classifier("unet-stride2")
