import json

import jax
import numpy as np
import pytest
from PIL import Image

import antema.training.loop as loop
import antema.training.segmentation as segmentation
from antema.domain import AntemaError
from antema.nets.proposals import KIND as ONE_BY_ONE
from antema.nets.proposals import OUTPUTS
from antema.training.checkpoint import restore, save
from antema.training.loop import Schedule
from antema.training.loss import pixel_counts, segmentation_loss
from antema.training.segmentation import arrays, learn, learner_of, scorer_of
from antema.training.sources import read_divided
from antema.training.tiles import Batch

SMALL = {"kind": "unet-stride2", "features": [6, 8], "outputs": ["particle", "contact"]}


@pytest.fixture
def dark_discs(tmp_path):
    folder = tmp_path / "discs"
    rng = np.random.default_rng(0)
    rows, columns = np.indices((96, 96))
    for name in ("images", "instances"):
        (folder / name).mkdir(parents=True)
    for k in range(6):
        instances = np.zeros((96, 96), np.uint16)
        for number, (y, x) in enumerate(rng.uniform(15, 81, (4, 2)), start=1):
            instances[(rows - y) ** 2 + (columns - x) ** 2 < 11**2] = number
        grey = 170 - 70 * (instances > 0) + rng.normal(0, 15, (96, 96))
        Image.fromarray(grey.astype(np.uint8)).save(folder / "images" / f"{k}.png")
        Image.fromarray(instances).save(folder / "instances" / f"{k}.png")
    return folder


def test_twenty_steps_learn_one_batch_by_heart():
    rng = np.random.default_rng(1)
    particle = np.zeros((2, 64, 64), np.float32)
    particle[:, 16:40, 20:50] = 1
    grey = (rng.normal(0, 0.5, particle.shape) - 2 * particle).astype(np.float32)
    batch = Batch(grey, particle, particle * 0 + 1, particle * 0, particle * 0)
    learner = learner_of(SMALL | {"features": [8, 12]}, seed=0)
    losses = [learner.step(arrays(batch), 1e-2) for _ in range(20)]
    assert losses[-1] < 0.35 * losses[0]
    for _ in range(130):  # until the running statistics have followed
        learner.step(arrays(batch), 1e-3)
    assert scorer_of(learner, SMALL)([batch])["iou"] > 0.9
    settled = [np.asarray(leaf) for leaf in jax.tree.leaves(learner.state[1])]
    learner.step(arrays(batch), 1e-3, settled=True)
    for before, after in zip(settled, jax.tree.leaves(learner.state[1]), strict=True):
        np.testing.assert_array_equal(before, after)
    learner.step(arrays(batch), 1e-3)
    assert any(
        (before != after).any() for before, after in zip(settled, jax.tree.leaves(learner.state[1]), strict=True)
    )


def test_a_run_taken_up_again_gives_the_same_weights(dark_discs, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "_CHECKPOINT_EVERY_S", 0.0)
    schedule = Schedule(steps=6, batch=2, side_px=32)
    whole = learn([read_divided(dark_discs, seed=2)], tmp_path / "whole", schedule=schedule, entry=SMALL, seed=2)

    make = segmentation.batch_of

    def broken(sets, step, **options):
        if step == 4 and options["seed"] == 2:
            msg = "power cut"
            raise RuntimeError(msg)
        return make(sets, step, **options)

    monkeypatch.setattr(segmentation, "batch_of", broken)
    with pytest.raises(RuntimeError, match="power cut"):
        learn([read_divided(dark_discs, seed=2)], tmp_path / "cut", schedule=schedule, entry=SMALL, seed=2)
    monkeypatch.setattr(segmentation, "batch_of", make)
    resumed = learn([read_divided(dark_discs, seed=2)], tmp_path / "cut", schedule=schedule, entry=SMALL, seed=2)

    assert resumed.progress["step"] == whole.progress["step"] == 6
    assert whole.weights.keys() == resumed.weights.keys()
    for name, array in whole.weights.items():
        np.testing.assert_array_equal(resumed.weights[name], array)
    entries = [json.loads(line) for line in (tmp_path / "whole" / "training.jsonl").read_text().splitlines()]
    assert entries[-1]["step"] == 6


SMALL_ONE_BY_ONE = {"kind": ONE_BY_ONE, "features": [4, 4, 6, 6], "outputs": list(OUTPUTS)}


@pytest.mark.parametrize("architecture", [SMALL, SMALL_ONE_BY_ONE])
def test_a_finished_run_is_a_model(architecture, dark_discs, tmp_path, monkeypatch):
    import antema.nets.card
    from antema.nets import load, verify
    from antema.training import train_segmentation

    monkeypatch.setattr(antema.nets.card, "_SHIPPED", tmp_path / "models")
    card = train_segmentation([dark_discs], tmp_path / "models" / "mine", steps=2, batch=2, architecture=architecture)
    assert verify("mine").sha256 == card["sha256"]
    assert card["training"]["steps"] == 2
    assert (tmp_path / "models" / "mine" / "curve.png").is_file()
    assert "Licence" in (tmp_path / "models" / "mine" / "README.md").read_text()
    probability = load("mine").probability(np.random.default_rng(0).normal(size=(64, 64)))
    assert probability.shape == (64, 64)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    save(tmp_path / "c.npz", {"a": np.zeros(3, np.float32)}, {"step": 1})
    with pytest.raises(AntemaError, match="another network"):
        restore(tmp_path / "c.npz", {"a": np.zeros(4, np.float32)})
    tree, progress = restore(tmp_path / "c.npz", {"a": np.ones(3, np.float32)})
    assert progress == {"step": 1}
    assert not np.asarray(tree["a"]).any()


def test_the_rate_rises_then_falls_to_nothing():
    schedule = Schedule(steps=100, peak_rate=1.0, warmup=0.1)
    rates = [schedule.rate(done) for done in (0.0, 0.05, 0.1, 0.5, 1.0)]
    assert rates[0] < rates[1] < rates[2] == pytest.approx(1.0)
    assert rates[2] > rates[3] > rates[4] == pytest.approx(0.0, abs=1e-9)


def test_time_counts_where_no_steps_are_given():
    assert Schedule(minutes=2).done(10**6, 60.0) == pytest.approx(0.5)
    assert Schedule(minutes=None).done(0, 0.0) == 1


def test_loss_and_counts_ignore_what_is_not_believed():
    logits = np.array([[[5.0, -5.0, 5.0]]], np.float32)
    particle = np.array([[[1.0, 0.0, 0.0]]], np.float32)
    all_of_it, most = np.ones_like(logits), np.array([[[1.0, 1.0, 0.0]]], np.float32)
    assert (
        segmentation_loss(logits[..., None], particle, most)
        < 0.1
        < segmentation_loss(logits[..., None], particle, all_of_it)
    )
    assert np.asarray(pixel_counts(logits, particle, all_of_it)).tolist() == [1, 1, 0]
    assert np.asarray(pixel_counts(logits, particle, most)).tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    "entry",
    [SMALL, {"kind": "deeplabv3plus-resnet18", "width": 4, "n_channels": 1, "outputs": ["particle", "contact"]}],
)
def test_a_network_goes_on_from_the_weights_that_it_ended_with(entry):
    rng = np.random.default_rng(0)
    particle = (rng.random((2, 64, 64)) < 0.3).astype(np.float32)
    batch = Batch(rng.normal(size=particle.shape).astype(np.float32), particle, particle * 0 + 1, particle, particle)
    learner = learner_of(entry, seed=1)
    for _ in range(3):
        learner.step(arrays(batch), 1e-3)
    again = learner_of(entry, start=learner.weights())
    assert scorer_of(again, entry)([batch]) == scorer_of(learner, entry)([batch])
    for name, array in again.weights().items():
        np.testing.assert_allclose(array, learner.weights()[name], rtol=1e-5, atol=1e-6)


def test_a_network_is_taught_a_further_question():
    rng = np.random.default_rng(0)
    particle = (rng.random((1, 64, 64)) < 0.3).astype(np.float32)
    batch = Batch(rng.normal(size=particle.shape).astype(np.float32), particle, particle * 0 + 1, particle, particle)
    older = learner_of(SMALL | {"outputs": ["particle"]}, seed=1)
    newer = learner_of(SMALL, start=older.weights())
    assert scorer_of(newer, SMALL)([batch]) == scorer_of(older, SMALL | {"outputs": ["particle"]})([batch]) | {
        "contact_iou": 0.0
    }
    losses = [newer.step(arrays(batch), 3e-3, settled=True) for _ in range(20)]
    assert losses[-1] < losses[0]


def test_weights_of_another_network_are_no_start():
    older = learner_of(SMALL | {"features": [6, 10]}, seed=1)
    with pytest.raises(AntemaError, match="weights of another network"):
        learner_of(SMALL, start=older.weights())
