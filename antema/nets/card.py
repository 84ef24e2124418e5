"""Model cards: what a network is, what it learned from, how good it is, and whether its file is the one described."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antema.domain import AntemaError, NotFound

WEIGHTS_FILE = "weights.safetensors"
_SHIPPED = Path(__file__).parents[2] / "models"


@dataclass(frozen=True)
class ModelCard:
    """One model on disk.

    Parameters
    ----------
    name : str
        Name of its folder.
    folder : Path
        Where its card and weights lie.
    task : str
        ``segmentation`` or ``crystallinity``.
    title, description : str
        Words for pages and reports.
    sha256 : str
        Hex digest that the weight file must have.
    threshold : float
        Probability above which a pixel is particle.
    licence : str
        SPDX identifier.
    default : bool
        Whether ``default`` means this model; of shipped models only.
    metrics : mapping
        Measured numbers, each with the command that gives it again.
    content : mapping
        The whole card as it is in ``card.json``.
    """

    name: str
    folder: Path
    task: str
    title: str
    description: str
    sha256: str
    threshold: float
    licence: str
    default: bool = False
    metrics: Mapping[str, Any] = field(default_factory=dict)
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def weights_path(self) -> Path:
        """The weight file."""
        return self.folder / WEIGHTS_FILE


@dataclass(frozen=True)
class BrokenModel:
    """A folder among the models whose card cannot be read.

    Parameters
    ----------
    name : str
        Name of the folder.
    reason : str
        What is wrong, as a sentence.
    """

    name: str
    reason: str


def model_folders() -> list[Path]:
    """Return the folders that models are looked for in: the shipped one, then ``$ANTEMA_DATA/models``."""
    return [_SHIPPED, Path(os.environ.get("ANTEMA_DATA", "data")) / "models"]


def read_card(folder: Path) -> ModelCard:
    """Return the card of the model in `folder`.

    Raises
    ------
    AntemaError
        Where ``card.json`` is no valid card.
    """
    path = folder / "card.json"
    try:
        content = json.loads(path.read_text("utf-8"))
        _check(content)
        return ModelCard(
            name=folder.name,
            folder=folder,
            task=content["task"],
            title=content["title"],
            description=content["description"],
            sha256=content["sha256"],
            threshold=float(content.get("threshold", 0.5)),
            licence=content["licence"],
            default=bool(content.get("default", False)),
            metrics=content.get("metrics", {}),
            content=content,
        )
    except (OSError, ValueError, KeyError, RecursionError) as error:
        msg = f"model {folder.name}: expected a card with task, title, description, sha256 and licence in {path}"
        raise AntemaError(f"{msg} ({type(error).__name__}: {error})") from error


def _check(content: Any) -> None:  # noqa: ANN401 - JSON may be anything
    if not isinstance(content, dict):
        msg = f"expected an object, found {type(content).__name__}"
        raise ValueError(msg)
    kinds: dict[str, type] = dict.fromkeys(("task", "title", "description", "sha256", "licence"), str)
    missing = [key for key in kinds if key not in content]
    if missing:
        msg = f"found no {', '.join(missing)}"
        raise ValueError(msg)
    kinds |= {"metrics": dict, "architecture": dict, "classes": list, "calibration": dict}
    wrong = [key for key, kind in kinds.items() if not isinstance(content.get(key, kind()), kind)]
    if wrong:
        msg = f"{wrong[0]} is {type(content[wrong[0]]).__name__}, not {kinds[wrong[0]].__name__}"
        raise ValueError(msg)
    threshold = content.get("threshold", 0.5)
    if not (isinstance(threshold, int | float) and 0 < threshold < 1):
        msg = f"the threshold is {threshold!r}, not a number between 0 and 1"
        raise ValueError(msg)


def models() -> list[ModelCard]:
    """Return the cards of all models, shipped ones first, each group by name; a shipped name wins."""
    return _found()[0]


def broken_models() -> list[BrokenModel]:
    """Return the models whose cards cannot be read, which `models` leaves out."""
    return _found()[1]


def _found() -> tuple[list[ModelCard], list[BrokenModel]]:
    cards: dict[str, ModelCard] = {}
    broken: dict[str, BrokenModel] = {}
    for root in model_folders():
        # what begins with a dot is being written
        for path in sorted(root.glob("[!.]*/card.json")):
            name = path.parent.name
            try:
                cards.setdefault(name, read_card(path.parent))
            except AntemaError as error:
                broken.setdefault(name, BrokenModel(name, str(error)))
    return list(cards.values()), list(broken.values())


def find(name: str = "default", *, task: str = "segmentation") -> ModelCard:
    """Return the card of the model `name`; ``default`` is the shipped default of `task`.

    Raises
    ------
    NotFound
        Where there is no such model, or its card cannot be read.
    """
    cards, broken = _found()
    for card in cards:
        is_default = name == "default" and card.default and card.task == task and card.folder.parent == _SHIPPED
        if is_default or card.name == name:
            return card
    for model in broken:
        if model.name == name:
            raise NotFound(model.reason)
    known = ", ".join(card.name for card in cards) or "none"
    msg = f"no model {name!r} for {task}; installed are: {known}"
    raise NotFound(msg)


def verify(name: str) -> ModelCard:
    """Return the card of the model `name` after checking that its weight file is the one described.

    Raises
    ------
    NotFound
        Where there is no such model.
    AntemaError
        Where the weight file is absent or has another sha256 than the card says.
    """
    card = find(name)
    if not card.weights_path.is_file():
        msg = f"model {card.name}: expected its weights in {card.weights_path}, found no such file"
        raise AntemaError(msg)
    found = hashlib.sha256(card.weights_path.read_bytes()).hexdigest()
    if found != card.sha256:
        msg = f"model {card.name}: the weight file is not the one of the card (expected {card.sha256}, found {found})"
        raise AntemaError(msg)
    return card
