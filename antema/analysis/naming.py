"""The name of a result: the same work has the same name and is done once."""

import hashlib
import json

from antema.domain import Recipe

ALGORITHM_VERSION = "6"
"""Raised whenever the same image, recipe and model would give other numbers than before."""


def result_key(
    image_sha256: str,
    pixel_size_nm: float,
    recipe: Recipe,
    model_sha256: str,
    data_index: int | None = None,
    *,
    crystallinity_sha256: str | None = None,
) -> str:
    """Return the hex sha256 that names the result of a recipe on an image.

    Parameters
    ----------
    image_sha256 : str
        Digest of the image file's bytes.
    pixel_size_nm : float
        Edge of a pixel in nm.
    recipe : Recipe
        What is done.
    model_sha256 : str
        Digest of the segmentation model's weights.
    data_index : int, optional
        Number of the image in a file that holds several.
    crystallinity_sha256 : str, optional
        Digest of the crystallinity model; None where particles are not classified.
    """
    parts: list[object] = [image_sha256, float(pixel_size_nm).hex(), recipe.fingerprint(), model_sha256]
    parts.append(ALGORITHM_VERSION)
    if data_index is not None:
        parts.append(data_index)
    if crystallinity_sha256 is not None:
        parts.append({"crystallinity": crystallinity_sha256})
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
