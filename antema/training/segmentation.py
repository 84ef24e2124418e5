"""Teaching the segmentation network."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from antema.nets.architectures import ARCHITECTURES
from antema.nets.weights import Weights, first_weights, flat_weights, folded, set_weights, unfolded
from antema.training import checkpoint
from antema.training.loss import pixel_counts, segmentation_loss
from antema.training.sources import LabelledImage, read_set, split
from antema.training.tiles import Batch, batch_of

_LOG_EVERY_STEPS = 50
_CHECKPOINT_EVERY_S = 60.0
_VALIDATE_EVERY_S = 240.0


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast to learn.

    Parameters
    ----------
    minutes : float or None
        Length of the run by the clock, over all times it is taken up.
    steps : int or None
        Length in steps; takes precedence, and then the run gives the same weights whatever the machine's speed.
    peak_rate : float
        Learning rate after the warm-up; it falls to 0 as a cosine.
    warmup : float
        Share of the run in which the rate rises.
    batch : int
        Tiles a step.
    side_px : int
        Side of a tile.
    settled : float
        Share of the run after which batch statistics no longer move and learning goes on with them, as inference
        has them: a batch of few, very different tiles is normalised otherwise than any single image will be, and
        outlines learned that way sit a little off.
    """

    minutes: float | None = 50.0
    steps: int | None = None
    peak_rate: float = 2e-3
    warmup: float = 0.03
    batch: int = 16
    side_px: int = 256
    settled: float = 0.85

    def done(self, step: int, elapsed_s: float) -> float:
        """Return the share of the run that is over, 1 or more at its end."""
        if self.steps is not None:
            return step / self.steps
        return elapsed_s / (60 * (self.minutes or 0.0)) if self.minutes else 1.0

    def rate(self, done: float) -> float:
        """Return the learning rate at that share of the run."""
        if done < self.warmup:
            return self.peak_rate * max(done / self.warmup, 0.01)
        return self.peak_rate * 0.5 * (1 + float(np.cos(np.pi * min((done - self.warmup) / (1 - self.warmup), 1.0))))


@dataclass(frozen=True, eq=False)
class Trained:
    """The end of a run: the inference network's weights, how it went, and on what."""

    weights: dict[str, np.ndarray]
    history: list[dict[str, Any]]
    progress: dict[str, Any]
    learned_from: dict[str, int]
    held_out: dict[str, int]


class Learner:
    """The network, its optimiser and the compiled steps.

    Parameters
    ----------
    entry : mapping
        The ``architecture`` of a card.
    start : dict or None
        Weights of an inference network of this architecture to go on from; None: random ones.
    seed : int
        Of the random ones.
    weight_decay : float
        Share of each weight that a step of rate 1 takes off.
    """

    def __init__(
        self, entry: Mapping[str, Any], *, start: Weights | None = None, seed: int = 0, weight_decay: float = 1e-4
    ) -> None:
        architecture = ARCHITECTURES[entry["kind"]]
        network = nnx.eval_shape(lambda: architecture.build(entry, trainable=True))
        set_weights(network, first_weights(network, seed) if start is None else unfolded(start, network))
        graph, parameters, statistics = nnx.split(network, nnx.Param, nnx.BatchStat)
        direction = optax.chain(
            optax.clip_by_global_norm(5.0), optax.scale_by_adam(), optax.add_decayed_weights(weight_decay)
        )
        self.graph = graph
        self.state = (parameters, statistics, direction.init(parameters))

        def loss_of(parameters: nnx.State, statistics: nnx.State, batch: tuple[jax.Array, ...], settled: bool):  # noqa: ANN202, FBT001
            network = nnx.merge(graph, parameters, statistics, copy=True)
            if settled:
                network.eval()
            loss = segmentation_loss(architecture.logits(network, batch[0], 0), *batch[1:])
            return loss, nnx.state(network, nnx.BatchStat)

        @partial(jax.jit, static_argnums=3)
        def step(state: tuple[Any, ...], batch: tuple[jax.Array, ...], rate: jax.Array, settled: bool):  # noqa: ANN202, FBT001
            parameters, statistics, memory = state
            gradient = jax.value_and_grad(loss_of, has_aux=True)
            (loss, statistics), slope = gradient(parameters, statistics, batch, settled)
            update, memory = direction.update(slope, memory, parameters)
            parameters = jax.tree.map(lambda value, change: value - rate * change, parameters, update)
            return (parameters, statistics, memory), loss

        @jax.jit
        def check(parameters: nnx.State, statistics: nnx.State, batch: tuple[jax.Array, ...]) -> jax.Array:
            network = nnx.merge(graph, parameters, statistics, copy=True)
            network.eval()
            logits = architecture.logits(network, batch[0], 0)
            counts = [pixel_counts(logits[..., 0], batch[1], batch[2])]
            if logits.shape[-1] > 1:
                counts.append(pixel_counts(logits[..., 1], batch[3], batch[4]))
            return jnp.stack(counts)

        self._step, self._check = step, check

    def step(self, batch: Batch, rate: float, *, settled: bool = False) -> float:
        """Learn from one batch, with batch statistics or `settled` ones; return its loss."""
        self.state, loss = self._step(self.state, _arrays(batch), jnp.float32(rate), settled)
        return float(loss)

    def score(self, batches: Sequence[Batch]) -> dict[str, float]:
        """Return IoU and Dice of particles over all pixels of `batches` at probability 1/2, and IoU of seams."""
        counts = [np.asarray(self._check(self.state[0], self.state[1], _arrays(batch))) for batch in batches]
        ious = [both / max(both + wrong + missed, 1) for both, wrong, missed in np.sum(counts, axis=0).tolist()]
        scores = {"iou": ious[0], "dice": 2 * ious[0] / (1 + ious[0])}
        return scores | ({"contact_iou": ious[1]} if len(ious) > 1 else {})

    def weights(self) -> dict[str, np.ndarray]:
        """Return the weights of the inference network."""
        return folded(flat_weights(nnx.merge(self.graph, self.state[0], self.state[1])))


def _arrays(batch: Batch) -> tuple[jax.Array, ...]:
    parts = (batch.pixels, batch.particle, batch.weight, batch.contact, batch.contact_weight)
    return tuple(jnp.asarray(part) for part in parts)


def learn(
    data_dirs: Sequence[Path],
    folder: Path,
    *,
    schedule: Schedule,
    entry: Mapping[str, Any],
    start: Weights | None = None,
    seed: int = 0,
    progress: Callable[[float, str], None] | None = None,
) -> Trained:
    """Teach a network, or go on teaching where the checkpoint in `folder` stands.

    Parameters
    ----------
    data_dirs : sequence of Path
        Folders as `antema.training.sources.read_set` takes them; of each about 15 % of the images are held out.
    folder : Path
        Gets ``checkpoint.npz`` and ``training.jsonl``.
    schedule : Schedule
        How long and how fast.
    entry : mapping
        The ``architecture`` of the network's card.
    start : dict or None
        Weights of an inference network to go on from, with its batch statistics as they are; None: random ones.
    seed : int
        Of the first weights, of the split and of the tiles.
    progress : callable or None
        Called with (share done, words).
    """
    folder.mkdir(parents=True, exist_ok=True)
    learn_sets, held_sets = _sets(data_dirs, seed, folder / "annotations.json")
    learner = Learner(entry, start=start, seed=seed)
    state_path, log_path = folder / "checkpoint.npz", folder / "training.jsonl"
    step, before_s, history = 0, 0.0, []
    if state_path.is_file():
        learner.state, reached = checkpoint.restore(state_path, learner.state)
        step, before_s = int(reached["step"]), float(reached["seconds"])
        history = _history(log_path, step)
    checks = [batch_of([images], k, seed=seed + 1, n=16, disturb=False) for images in held_sets for k in range(4)]
    per_set = len(checks) // max(len(held_sets), 1)

    started = time.monotonic()
    saved = validated = started
    losses: list[float] = []

    def make(step: int) -> Batch:
        return batch_of(learn_sets, step, seed=seed, n=schedule.batch, side=schedule.side_px)

    with ThreadPoolExecutor(1) as maker, log_path.open("a" if history else "w", encoding="utf-8") as log:
        waiting = maker.submit(make, step)
        while True:
            elapsed = before_s + time.monotonic() - started
            done = schedule.done(step, elapsed)
            now = time.monotonic()
            finished = done >= 1
            if finished or now - validated > _VALIDATE_EVERY_S:
                validated = now
                scores = {
                    f"{Path(data).name}": learner.score(checks[k * per_set : (k + 1) * per_set])
                    for k, data in enumerate(_named(data_dirs, held_sets))
                }
                history.append({"step": step, "seconds": round(elapsed, 1), "held_out": scores})
                log.write(json.dumps(history[-1]) + "\n")
                log.flush()
            if finished or now - saved > _CHECKPOINT_EVERY_S:
                saved = now
                checkpoint.save(state_path, learner.state, {"step": step, "seconds": elapsed, "seed": seed})
            if finished:
                break
            batch = waiting.result()
            waiting = maker.submit(make, step + 1)
            rate = schedule.rate(done)
            losses.append(learner.step(batch, rate, settled=start is not None or done >= schedule.settled))
            step += 1
            if step % _LOG_EVERY_STEPS == 0:
                history.append(
                    {"step": step, "seconds": round(elapsed, 1), "loss": float(np.mean(losses)), "rate": rate}
                )
                log.write(json.dumps(history[-1]) + "\n")
                log.flush()
                losses.clear()
                if progress:
                    progress(done, f"step {step}, loss {history[-1]['loss']:.4f}")
    reached = {"step": step, "seconds": before_s + time.monotonic() - started, "seed": seed}
    names = [Path(data).name for data in data_dirs]
    return Trained(
        weights=learner.weights(),
        history=history,
        progress=reached,
        learned_from=dict(zip(names, map(len, learn_sets), strict=True)),
        held_out={name: sum(image.name.startswith(f"{name}/") for s in held_sets for image in s) for name in names},
    )


def _sets(
    data_dirs: Sequence[Path], seed: int, remembered: Path
) -> tuple[list[list[LabelledImage]], list[list[LabelledImage]]]:
    pairs = [split(read_set(Path(folder), remembered=remembered), seed=seed) for folder in data_dirs]
    # an image without particles is no measure of anything by itself, but belongs to learning
    return [learn or held for learn, held in pairs], [held for _, held in pairs if held]


def _named(data_dirs: Sequence[Path], held_sets: Sequence[Sequence[LabelledImage]]) -> list[Path]:
    names = {images[0].name.split("/")[0] for images in held_sets}
    return [Path(folder) for folder in data_dirs if Path(folder).name in names]


def _history(path: Path, step: int) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    entries = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.endswith("}")]
    return [entry for entry in entries if entry["step"] <= step]
