"""The course of a training run: steps by a schedule, checkpoints, checks on what was held out, a log."""

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np

from antema.training import checkpoint
from antema.training.learner import Learner

_LOG_EVERY_STEPS = 50
_CHECKPOINT_EVERY_S = 60.0
_VALIDATE_EVERY_S = 240.0
_VALIDATE_SHARE = 0.05
"""Of the time, at most: many held-out images take long."""

Batch = TypeVar("Batch")


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


def run(
    learner: Learner,
    make: Callable[[int], Batch],
    arrays: Callable[[Batch], tuple[jax.Array, ...]],
    scores: Callable[[], Mapping[str, Mapping[str, float]]],
    folder: Path,
    *,
    schedule: Schedule,
    seed: int,
    always_settled: bool = False,
    progress: Callable[[float, str], None] | None = None,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Teach `learner`, or go on where the checkpoint in `folder` stands; return the log and what was reached.

    Parameters
    ----------
    learner : Learner
        Network and optimiser.
    make : callable
        From the number of a step to its batch; called ahead in a thread.
    arrays : callable
        From a batch to what the learner's loss takes.
    scores : callable
        Called now and then and at the end: the scores of the learner by the name of a held-out set.
    folder : Path
        Gets ``checkpoint.npz`` and ``training.jsonl``.
    schedule : Schedule
        How long and how fast.
    seed : int
        Kept with the checkpoint.
    always_settled : bool
        Whether batch statistics never move.
    progress : callable or None
        Called with (share done, words).
    """
    state_path, log_path = folder / "checkpoint.npz", folder / "training.jsonl"
    step, before_s, history = 0, 0.0, []
    if state_path.is_file():
        learner.state, reached = checkpoint.restore(state_path, learner.state)
        step, before_s = int(reached["step"]), float(reached["seconds"])
        history = _history(log_path, step)
    started = time.monotonic()
    saved = validated = started
    took_s = 0.0
    losses: list[float] = []
    with ThreadPoolExecutor(1) as maker, log_path.open("a" if history else "w", encoding="utf-8") as log:

        def note(entry: dict[str, Any]) -> None:
            history.append(entry)
            log.write(json.dumps(entry) + "\n")
            log.flush()

        waiting = maker.submit(make, step)
        while True:
            elapsed = before_s + time.monotonic() - started
            done = schedule.done(step, elapsed)
            now = time.monotonic()
            finished = done >= 1
            if finished or now - validated > max(_VALIDATE_EVERY_S, took_s / _VALIDATE_SHARE):
                note({"step": step, "seconds": round(elapsed, 1), "held_out": scores()})
                validated = time.monotonic()
                took_s = validated - now
            if finished or now - saved > _CHECKPOINT_EVERY_S:
                saved = now
                checkpoint.save(state_path, learner.state, {"step": step, "seconds": elapsed, "seed": seed})
            if finished:
                break
            batch = waiting.result()
            waiting = maker.submit(make, step + 1)
            rate = schedule.rate(done)
            losses.append(learner.step(arrays(batch), rate, settled=always_settled or done >= schedule.settled))
            step += 1
            if step % _LOG_EVERY_STEPS == 0:
                note({"step": step, "seconds": round(elapsed, 1), "loss": float(np.mean(losses)), "rate": rate})
                losses.clear()
                if progress:
                    progress(done, f"step {step}, loss {history[-1]['loss']:.4f}")
    return history, {"step": step, "seconds": before_s + time.monotonic() - started, "seed": seed}


def _history(path: Path, step: int) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    entries = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.endswith("}")]
    return [entry for entry in entries if entry["step"] <= step]
