"""The course of a training run as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def write_curve(
    history: Sequence[dict[str, Any]],
    path: Path,
    *,
    score: str = "dice",
    label: str = "Dice of particle, held-out tiles",
) -> None:
    """Draw loss and a held-out score over the steps of `history` (as in ``training.jsonl``) into a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    losses = [(entry["step"], entry["loss"]) for entry in history if "loss" in entry]
    if losses:
        left.plot(*zip(*losses, strict=True), color="#0072B2", linewidth=1)
    left.set(xlabel="step", ylabel="loss")
    checks = [entry for entry in history if "held_out" in entry]
    for name in checks[-1]["held_out"] if checks else ():
        # a set added when the run was taken up again has no earlier points
        points = [(entry["step"], entry["held_out"][name][score]) for entry in checks if name in entry["held_out"]]
        right.plot(*zip(*points, strict=True), marker="o", markersize=3, linewidth=1, label=name)
    right.set(xlabel="step", ylabel=label, ylim=(0, 1))
    if checks:
        right.legend(fontsize="small", loc="lower right")
    figure.savefig(path, dpi=120)
