"""The whole of ``antema train segmentation``: learn, and leave a model folder behind."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from antema.domain import AntemaError
from antema.nets.proposals import KIND as ONE_BY_ONE
from antema.nets.proposals import OUTPUTS
from antema.nets.unet import FEATURES

TAUGHT: dict[str, dict[str, Any]] = {
    ONE_BY_ONE: {"kind": ONE_BY_ONE, "features": list(FEATURES), "outputs": list(OUTPUTS)},
    "unet-stride2": {"kind": "unet-stride2", "features": list(FEATURES), "outputs": ["particle", "contact"]},
    "deeplabv3plus-resnet18": {
        "kind": "deeplabv3plus-resnet18",
        "width": 24,
        "n_channels": 1,
        "outputs": ["particle", "contact"],
    },
    "unet-stride2-wide": {
        "kind": "unet-stride2",
        "features": [2 * n for n in FEATURES],
        "outputs": ["particle", "contact"],
    },
}
"""What can be taught, as the ``architecture`` entry of a card; the last is meant for a GPU."""


def train_segmentation(
    data_dirs: Sequence[Path],
    out: Path,
    *,
    minutes: float | None = 50.0,
    steps: int | None = None,
    seed: int = 0,
    device: str | None = None,
    batch: int | None = None,
    rate: float | None = None,
    architecture: Mapping[str, Any] | str = ONE_BY_ONE,
    start_from: str | None = None,
    partly_labelled: Sequence[Path] = (),
    shares: Sequence[float] | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> dict[str, Any]:
    """Teach a segmentation network and write it as a model; return its card.

    Interrupted, the same call goes on from the last checkpoint (``OUT/training/checkpoint.npz``, at most a minute
    old).

    Parameters
    ----------
    data_dirs : sequence of Path
        Micrograph sets, or images with COCO polygons. About 15 % of the images of each are held out.
    out : Path
        The model's folder.
    minutes, steps : float, int or None
        Length of the run; `steps` takes precedence.
    seed : int
        Of the first weights, the split and the tiles.
    device : str or None
        ``cpu`` or ``gpu``; None or ``auto`` for what JAX takes by itself.
    batch : int or None
        Tiles of 256 x 256 pixels a step; None: 8 for ``unet-outlines``, 16 for others.
    rate : float or None
        Highest learning rate; None: 0.001 for ``unet-outlines``, 0.002 for others.
    architecture : str or mapping
        A name of `TAUGHT`, or an ``architecture`` entry of a card.
    start_from : str or None
        An installed model to go on from, of the same architecture, which may lack outputs, or for ``unet-outlines`` a
        ``unet-stride2``; None: from nothing.
    partly_labelled : sequence of Path
        Those of the sets in which not every particle has its label.
    shares : sequence of float or None
        How often each set is drawn; None: in proportion to the square root of its size.
    progress : callable or None
        Called with (share done, words).
    """
    import contextlib
    import json
    from functools import partial

    import jax

    from antema.nets.card import find
    from antema.nets.device import device_name
    from antema.nets.weights import read
    from antema.training.curve import write_curve
    from antema.training.loop import Schedule
    from antema.training.models import add_metrics, write_model
    from antema.training.segmentation import learn
    from antema.training.sources import read_divided

    out = Path(out)
    work = out / "training"
    work.mkdir(parents=True, exist_ok=True)
    entry = entry_of(architecture, TAUGHT)
    one_by_one = entry["kind"] == ONE_BY_ONE
    batch, rate = batch or (8 if one_by_one else 16), rate or (1e-3 if one_by_one else 2e-3)
    schedule = Schedule(minutes=minutes, steps=steps, batch=batch, peak_rate=rate)
    older = find(start_from) if start_from else None
    named = device not in (None, "auto")
    chosen = jax.default_device(jax.devices(device)[0]) if named else contextlib.nullcontext()
    if one_by_one:
        from antema.training.outline_learning import learn_outlines

        learning = partial(learn_outlines, shares=shares)
    elif shares is not None:
        msg = f"shares: expected none for {entry['kind']}, which draws sets by their sizes, found {len(shares)}"
        raise AntemaError(msg)
    else:
        learning = learn
    with chosen:
        trained = learning(
            [
                read_divided(
                    folder,
                    seed=seed,
                    remembered=work / "annotations.json",
                    one_by_one=one_by_one,
                    partly_labelled=folder in partly_labelled,
                )
                for folder in data_dirs
            ],
            work,
            schedule=schedule,
            entry=entry,
            start=read(older.weights_path) if older else None,
            seed=seed,
            progress=progress,
        )
    write_curve(trained.history, out / "curve.png")
    training = {
        "images": trained.learned_from,
        "held_out": trained.held_out,
        "steps": trained.progress["step"],
        "batch": batch,
        "tile_px": schedule.side_px,
        "minutes": round(trained.progress["seconds"] / 60, 1),
        "peak_rate": schedule.peak_rate,
        "seed": seed,
        "device": device_name(),
    }
    if older:
        training["started_from"] = {"model": older.name, "sha256": older.sha256, "training": older.content["training"]}
    write_model(out, trained.weights, architecture=entry, training=training)
    last = next(entry["held_out"] for entry in reversed(trained.history) if "held_out" in entry)
    for name, scores in last.items():
        add_metrics(out, f"held-out tiles of {name}", scores, command="antema train segmentation (end of the run)")
    return json.loads((out / "card.json").read_text("utf-8"))


def entry_of(architecture: Mapping[str, Any] | str, taught: Mapping[str, dict[str, Any]]) -> Mapping[str, Any]:
    """Return the ``architecture`` entry of a card, given as itself or by its name among those `taught`.

    Raises
    ------
    AntemaError
        For a name that is none of them.
    """
    if not isinstance(architecture, str):
        return architecture
    if architecture not in taught:
        msg = f"expected an architecture of {', '.join(taught)}, found {architecture!r}"
        raise AntemaError(msg)
    return taught[architecture]
