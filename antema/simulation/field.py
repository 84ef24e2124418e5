"""One simulated micrograph with what is known of it."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from antema.domain import Instance
from antema.simulation.atoms import tight


@dataclass(frozen=True, eq=False)
class SimulatedField:
    """A micrograph whose particles are known.

    Parameters
    ----------
    pixels : ndarray of uint16 or uint8, shape (h, w)
        Grey values.
    pixel_size_nm : float or None
        Edge of a pixel; None where the field has no length (drawn figures).
    instances : list of Instance
        Each particle out to half of its own contrast just inside its rim, as far as it lies in the image, with what
        others cover; masks of overlapping particles share pixels.
    particles : list of dict
        One per instance: what it is (diameter, shape, structure, ...).
    conditions : dict
        Seed, optics, dose and what else made the picture.
    atoms : list of Instance or None
        The same particles, in the same order, out to where their matter ends; None where only one outline is known.
    """

    pixels: NDArray[np.generic]
    pixel_size_nm: float | None
    instances: list[Instance]
    particles: list[dict[str, Any]]
    conditions: dict[str, Any] = field(default_factory=dict)
    atoms: list[Instance] | None = None

    def particle_mask(self) -> NDArray[np.bool_]:
        """Return the union of all particles, bool (h, w)."""
        return union(self.instances, self.pixels.shape)


def union(instances: list[Instance], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the pixels that belong to any of `instances`, bool of `shape`."""
    mask = np.zeros(shape, bool)
    for instance in instances:
        mask[instance.y : instance.y + instance.h, instance.x : instance.x + instance.w] |= instance.mask
    return mask


Window = tuple[slice, slice]


def cut(x: int, y: int, size: tuple[int, ...], shape: tuple[int, ...]) -> tuple[Window, Window]:
    """Return where a window of `size` (h, w) at (x, y) lies in an image of `shape`, and which part of it does."""
    top, left = max(0, -y), max(0, -x)
    bottom, right = max(min(size[0], shape[0] - y), top), max(min(size[1], shape[1] - x), left)
    return (slice(y + top, y + bottom), slice(x + left, x + right)), (slice(top, bottom), slice(left, right))


def in_image(x: int, y: int, mask: NDArray[np.bool_], shape: tuple[int, int]) -> Instance | None:
    """Return the part of `mask` at (x, y) that lies in an image of `shape`; None where that is nothing."""
    top, left = max(0, -y), max(0, -x)
    cut = mask[top : shape[0] - y if shape[0] > y else 0, left : shape[1] - x if shape[1] > x else 0]
    if not cut.any():
        return None
    x, y, cut = tight(x + left, y + top, cut)
    return Instance(x, y, cut)


def touches_border(instance: Instance, shape: tuple[int, int]) -> bool:
    """Return whether a particle reaches the edge of an image of `shape`, beyond which more of it may lie."""
    return (
        instance.x == 0 or instance.y == 0 or instance.x + instance.w == shape[1] or instance.y + instance.h == shape[0]
    )


def particle_contrast_to_noise(
    pixels: NDArray[np.generic], instances: list[Instance], atoms: list[Instance] | None = None
) -> list[float]:
    """Return |mean of the particle - mean of its local background| / standard deviation of that, for each instance.

    The background is a ring around the particle's bounding box, half as wide as the particle, without what belongs to
    any particle or lies within two pixels of one; in dense layers it is widened until it has `_LEAST_GROUND_PX`.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Native grey values.
    instances : list of Instance
        All particles of the image.
    atoms : list of Instance or None
        Their wider outlines, which are no background either.

    Returns
    -------
    list of float
        nan where there is no background at all.
    """
    values = pixels.astype(np.float32)
    matter = union(instances + (atoms or []), pixels.shape)
    ground = ~np.asarray(ndimage.binary_dilation(matter, iterations=2), bool)
    return [_ratio(values, ground, instance) for instance in instances]


def field_contrast_to_noise(ratios: list[float]) -> float:
    """Return the median over the particles of a field; nan without any."""
    known = [ratio for ratio in ratios if np.isfinite(ratio)]
    return float(np.median(known)) if known else float("nan")


_LEAST_GROUND_PX = 60


def _ratio(values: NDArray[np.float32], ground: NDArray[np.bool_], instance: Instance) -> float:
    own = values[instance.y : instance.y + instance.h, instance.x : instance.x + instance.w][instance.mask]
    width = max(4, max(instance.w, instance.h) // 2)
    while True:
        top, left = max(0, instance.y - width), max(0, instance.x - width)
        window = (slice(top, instance.y + instance.h + width), slice(left, instance.x + instance.w + width))
        around = values[window][ground[window]]
        if len(around) >= _LEAST_GROUND_PX or around.size == values.size or width > max(values.shape):
            break
        width *= 2
    spread = float(around.std()) if len(around) > 1 else 0.0
    return abs(float(own.mean(dtype=np.float64)) - float(around.mean())) / spread if spread > 0 else float("nan")


def with_pixels(
    field: SimulatedField, pixels: NDArray[np.generic], conditions: dict[str, Any] | None = None
) -> SimulatedField:
    """Return a field with other grey values, its contrast-to-noise measured in them, and more said of it."""
    ratios = particle_contrast_to_noise(pixels, field.instances, field.atoms)
    particles = [one | {"contrast_to_noise": ratio} for one, ratio in zip(field.particles, ratios, strict=True)]
    said = field.conditions | (conditions or {}) | {"contrast_to_noise": field_contrast_to_noise(ratios)}
    return replace(field, pixels=pixels, particles=particles, conditions=said)
