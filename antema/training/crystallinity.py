"""The whole of ``antema train crystallinity``: learn, calibrate, and leave a model folder behind."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from antema.domain import AntemaError, NotFound
from antema.nets.card import ModelCard, find, verify
from antema.training.class_scores import expected_calibration_error
from antema.training.crop_sets import LabelledCrop, Views, read_crop_set
from antema.training.sources import is_held_out
from antema.training.train import entry_of

TAUGHT: dict[str, dict[str, Any]] = {
    "resnet18": {"kind": "resnet-particles", "depth": 18, "features": [16, 16, 48, 96, 128]},
    "resnet50": {"kind": "resnet-particles", "depth": 50, "features": [64, 256, 512, 1024, 2048]},
    "resnet101": {"kind": "resnet-particles", "depth": 101, "features": [64, 256, 512, 1024, 2048]},
}
"""What can be taught, as the ``architecture`` entry of a card: the first for a CPU, the others as wide as published."""
_LEAST_NM, _MOST_NM, _COARSEST_NM = 0.8, 15.0, 0.1177


def train_crystallinity(
    data_dirs: Sequence[Path],
    out: Path,
    *,
    minutes: float | None = 45.0,
    steps: int | None = None,
    seed: int = 0,
    device: str | None = None,
    rate: float = 2e-3,
    architecture: Mapping[str, Any] | str = "resnet18",
    start_from: str | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> dict[str, Any]:
    """Teach a classifier of crystallinity and write it as a model; return its card.

    Interrupted, the same call goes on from the last checkpoint (``OUT/training/checkpoint.npz``, at most a minute
    old). Probabilities are calibrated on the crops that were held out.

    Parameters
    ----------
    data_dirs : sequence of Path
        Crop sets. About 15 % of the crops of each are held out.
    out : Path
        The model's folder.
    minutes, steps : float, int or None
        Length of the run; `steps` takes precedence.
    seed : int
        Of the first weights, the split and the views.
    device : str or None
        ``cpu`` or ``gpu``; None or ``auto`` for what JAX takes by itself.
    rate : float
        Highest learning rate.
    architecture : str or mapping
        A name of `TAUGHT`, or an ``architecture`` entry of a card.
    start_from : str or None
        An installed model of the same architecture to go on from; None: from nothing.
    progress : callable or None
        Called with (share done, words).
    """
    import contextlib
    import json

    import jax

    from antema.nets.device import device_name
    from antema.nets.weights import read
    from antema.training.classifier_learning import arrays, learner_of, logits_of
    from antema.training.curve import write_curve
    from antema.training.loop import Schedule, run
    from antema.training.models import write_classifier

    out = Path(out)
    work = out / "training"
    work.mkdir(parents=True, exist_ok=True)
    entry = entry_of(architecture, TAUGHT)
    older = _older(start_from, seed) if start_from else None
    _begun_with(work, older.sha256 if older else "random weights")
    named = device not in (None, "auto")
    chosen = jax.default_device(jax.devices(device)[0]) if named else contextlib.nullcontext()
    with chosen:
        learn, held = _split([read_crop_set(Path(folder)) for folder in data_dirs], seed)
        if not (learn and held):
            msg = "expected crops enough to learn from some and hold out others, found too few of them"
            raise AntemaError(msg)
        views = Views([crop for crops in learn.values() for crop in crops])
        checks = {name: Views(crops) for name, crops in held.items() if crops}
        learner = learner_of(entry, start=read(older.weights_path) if older else None, seed=seed)
        answer = learner.asked(lambda network, x: network(x)[0])
        # views of one size fill a batch, and sizes differ: statistics settle early, as inference has them
        schedule = Schedule(minutes=minutes, steps=steps, peak_rate=rate, settled=0.4)

        def scores() -> dict[str, dict[str, float]]:
            return {name: _scores(*logits_of(answer, each)) for name, each in checks.items()}

        history, reached = run(
            learner,
            lambda step: views.batch(step, seed=seed),
            arrays,
            scores,
            work,
            schedule=schedule,
            seed=seed,
            always_settled=older is not None,
            progress=progress,
        )
        answers = {name: logits_of(answer, each) for name, each in checks.items()}
    write_curve(history, out / "curve.png", score="accuracy", label="accuracy, held-out crops")
    training = {
        "images": {name: len(crops) for name, crops in learn.items()},
        "held_out": {name: len(crops) for name, crops in held.items()},
        "steps": reached["step"],
        "minutes": round(reached["seconds"] / 60, 1),
        "peak_rate": rate,
        "seed": seed,
        "device": device_name(),
    }
    if older:
        training["started_from"] = {"model": older.name, "sha256": older.sha256, "training": older.content["training"]}
    write_classifier(
        out,
        learner.weights(),
        architecture=entry,
        training=training,
        probabilities=_calibrated(list(answers.values())),
        knows={"least_nm": _LEAST_NM, "most_nm": _MOST_NM, "coarsest_nm": _COARSEST_NM},
        metrics={
            f"held-out crops of {name}": {"command": "antema train crystallinity (end of the run)", **_scores(*each)}
            for name, each in answers.items()
        },
    )
    return json.loads((out / "card.json").read_text("utf-8"))


def _older(name: str, seed: int) -> ModelCard:
    """Return the card of a classifier to go on from.

    Raises
    ------
    AntemaError
        Where it is none, its weights are absent or others, or it held out other crops than `seed` does: what it has
        learned from would count as unseen.
    """
    card = verify(find(name, task="crystallinity").name)
    if card.task != "crystallinity":
        msg = f"model {card.name}: expected one of crystallinity, found one of {card.task}"
        raise NotFound(msg)
    taught = card.content["training"].get("seed")
    if taught != seed:
        msg = f"model {card.name}: expected --seed {taught}, with which it was taught, found {seed}"
        raise AntemaError(f"{msg}; with it other crops would be held out")
    return card


def _begun_with(work: Path, start: str) -> None:
    """Note what a run begins with, or check it where a checkpoint is taken up, lest the card tells of another start."""
    noted = work / "start.txt"
    before = noted.read_text("utf-8") if (work / "checkpoint.npz").is_file() and noted.is_file() else start
    if before != start:
        msg = f"{work}: expected to take up a run that began with {start}, found one that began with {before}"
        raise AntemaError(f"{msg}; choose another --out")
    noted.write_text(start, "utf-8")


def _split(
    sets: Sequence[Sequence[LabelledCrop]], seed: int
) -> tuple[dict[str, list[LabelledCrop]], dict[str, list[LabelledCrop]]]:
    learn: dict[str, list[LabelledCrop]] = {}
    held: dict[str, list[LabelledCrop]] = {}
    for crops in sets:
        name = crops[0].name.split("/")[0]
        for crop in crops:
            # particles of one micrograph are alike: all of them are held out, or none
            of_one = crop.facts.get("field") or crop.name
            (held if is_held_out(of_one, seed=seed) else learn).setdefault(name, []).append(crop)
    return learn, held


def _calibrated(answers: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> dict[str, float | list[float]]:
    """Return how logits become probabilities, and the calibration error without and with that."""
    from antema.nets.certainty import Certainty, fitted

    logits, classes, visible = (np.concatenate([each[k] for each in answers]) for k in range(3))
    # odd ones calibrate, even ones tell what that is worth
    odd = np.arange(len(classes)) % 2 == 1
    tried = fitted(logits[odd], classes[odd], visible[odd])

    def error(certainty: Certainty) -> float:
        return round(expected_calibration_error(certainty.probabilities(logits[~odd]), classes[~odd]), 5)

    return {
        **fitted(logits, classes, visible).to_dict(),
        "ece_before": error(Certainty()),
        "ece_after": error(tried),
    }


def _scores(logits: np.ndarray, classes: np.ndarray, visible: np.ndarray) -> dict[str, float]:
    right = logits[:, :3].argmax(axis=1) == classes
    scores = {"accuracy": float(right.mean())}
    if (visible == 1).any():
        scores["accuracy_visible"] = float(right[visible == 1].mean())
    known = np.isfinite(visible)
    if known.any():
        scores["accuracy_of_visibility"] = float(((logits[known, 3] > 0) == (visible[known] == 1)).mean())
    return scores
