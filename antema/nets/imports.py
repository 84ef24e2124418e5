"""Published networks as models of this installation: ``antema models import``."""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from antema.domain import CannotImport
from antema.imaging.hashing import file_sha256
from antema.nets import deeplab
from antema.nets.card import WEIGHTS_FILE, ModelCard, model_folders, models, read_card
from antema.nets.published import Published, read_published
from antema.nets.weights import save
from antema.private import FILE_MODE, private_folder

_GROSCHNER_FILES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "60f698781b699e66e9337617fa316ed33e6a790c35cc396daeb1226971dc8b2f": ("au", "gold"),
        "89c940f35c6144464e01d3d6625cbd0dee7a46e9e9c319c0d727ceecf8f9018d": ("cdse", "CdSe"),
        "156df955b0087f5c08a96fb664b500ce6e9b60eb1ad4ac1ed727d2e564d8e709": ("au-cdse", "gold and CdSe"),
    }
)
"""The three published files by their sha256: a short name and what they learned from."""


def import_model(path: Path, *, name: str | None = None) -> ModelCard:
    """Install the published network whose weights are in `path`, and return its card.

    It becomes a folder of ``$ANTEMA_DATA/models`` with ``weights.safetensors``, ``card.json`` and ``README.md``. The
    weights are kept in float32: in float16 the probabilities of ANTEMA's network move by up to 0.002. A file
    that was imported before, under whatever name, is not imported again.

    Parameters
    ----------
    path : Path
        As `antema.nets.published.read_published` reads it.
    name : str, optional
        What to call the model; by what it is unless given.

    Raises
    ------
    CannotImport
        Where the file holds no network that is known, or another model has the name.
    """
    if name is not None and not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name):
        msg = f"name of a model: expected up to 64 of the characters a-z, 0-9, '.', '-' and '_', found {name!r}"
        raise CannotImport(msg)
    published = read_published(path)
    digest = file_sha256(path)
    there = models()
    for card in there:
        origin = card.content.get("origin")
        if isinstance(origin, dict) and origin.get("sha256") == digest and name in (None, card.name):
            return card
    suggested, content = _described(published, digest)
    name = name or suggested
    root = model_folders()[-1]
    if any(card.name == name for card in there) or (root / name).exists():
        msg = f"{path.name}: expected a name that no model has, found {name} installed; choose another with --name"
        raise CannotImport(msg)
    content["origin"] |= {"file": path.name, "sha256": digest}
    private_folder(root.parent)
    private_folder(root)
    _write(root / name, published, content)
    return read_card(root / name)


def _write(folder: Path, published: Published, content: dict[str, Any]) -> None:
    # under its name when it is whole
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".import-", ignore_cleanup_errors=True) as name:
        unfinished = Path(name) / folder.name
        private_folder(unfinished)
        weights = unfinished / WEIGHTS_FILE
        save(published.weights, weights, dtype=np.float32)
        content["sha256"] = file_sha256(weights)
        (unfinished / "card.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
        (unfinished / "README.md").write_text(_readme(folder.name, content), "utf-8")
        for file in unfinished.iterdir():
            file.chmod(FILE_MODE)
        unfinished.rename(folder)


def _described(published: Published, digest: str) -> tuple[str, dict[str, Any]]:
    """Return a name for the model, and its card but for its file."""
    architecture = published.architecture | {
        "parameters": sum(array.size for array in published.weights.values()),
        "precision": "float32",
        "output": "scores of the classes; their softmax is the probabilities",
    }
    common = {
        "task": "segmentation",
        "default": False,
        "threshold": 0.5,
        "architecture": architecture,
        "classes": ["background", "particle"],
        "scale": "native",
        "metrics": {},
    }
    if published.architecture["kind"] == deeplab.KIND:
        return "antema-deeplabv3plus", {
            "title": "DeepLabv3+ on ResNet-18, with the layers of ANTEMA's",
            "description": "The network of the original ANTEMA (Gumbiowski et al., Nanoscale Adv. 2023, 5, 2318): "
            "finds metal particles of some nanometres in bright-field TEM micrographs.",
            "licence": "that of the imported file (ANTEMA's own network: GPL-3.0)",
            **common,
            "normalisation": "antema-8-bit",
            "input": "Gaussian blur of sigma 2 px over 9 x 9 pixels, scaled from least to largest value to 8 bits, "
            "(x - 114.2725) / 58.9159, the same in every channel; whole image at its own scale",
            "training": "not told by the file; of the published weights the paper reports an IoU of 0.954 for "
            "background and 0.830 for particle",
            "origin": {"network": "the layers are those of ANTEMA (Gumbiowski, Loza, Heggen and Epple, 2023)"},
        }
    suffix, material = _GROSCHNER_FILES.get(digest, ("", ""))
    return "-".join(filter(None, ("groschner-unet", suffix))), {
        "title": "U-Net of Groschner et al." + (f", trained on {material}" if material else ""),
        "description": "A small network for HRTEM micrographs of crystalline particles on carbon, dark or by their "
        "lattice (Groschner, Choi and Scott, Methodologies for Successful Segmentation of HRTEM Images, 2021).",
        "licence": "none stated by its authors: for your own use, do not pass it on",
        **common,
        "normalisation": "groschner-maximum",
        "input": "median of 3 x 3 pixels, divided by the largest value of the image (published: of the data set); "
        "whole image at its own scale",
        "threshold_note": "its authors chose a threshold on their training data and did not state it",
        "training": f"by its authors, on 512 x 512 px parts of HRTEM micrographs of {material}"
        if material
        else "not told by the file, which is none of the three published ones",
        "origin": {
            "network": "the layers are those of Groschner, Choi and Scott (2021)",
            "published": bool(material),
        },
    }


def _readme(name: str, content: Mapping[str, Any]) -> str:
    architecture, origin = content["architecture"], content["origin"]
    return "\n".join(
        (
            f"# {name}",
            "",
            f"{content['title']}. {content['description']}",
            "",
            f"- Architecture: {architecture['kind']}, {architecture['parameters']:,} numbers in float32, batch "
            "normalisation folded into the convolutions.",
            f"- Classes: {', '.join(content['classes'])}. A pixel is particle above probability "
            f"{content['threshold']:g}.",
            f"- Input: {content['input']}.",
            f"- Training: {content['training']}.",
            f"- Origin: {origin['network']}; imported from `{origin['file']}`, sha256 `{origin['sha256']}`.",
            f"- Licence: {content['licence']}. sha256 of the weights: `{content['sha256']}`.",
            "",
        )
    )
