"""Particles of known crystallinity as a classifier learns from them: crop sets, and batches of views."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from antema.domain import CRYSTALLINITIES, AntemaError
from antema.nets.particle_views import SIDES_PX, Cut, cut_out, normalised, view

_BUDGET_PX = 24 * 64**2
_LEAST, _MOST = 8, 48
_DROWNED = 0.03
"""Share of the views of which noise leaves nothing: what is there keeps its class, and none of it can be seen."""


@dataclass(frozen=True, eq=False)
class LabelledCrop:
    """A particle with its surroundings and what it is.

    Parameters
    ----------
    name : str
        Its name, after that of its set.
    pixels : ndarray, shape (h, w)
        Grey values.
    mask : ndarray of bool, shape (h, w)
        The particle.
    pixel_size_nm : float
        Edge of a pixel.
    crystallinity : str
        One of `antema.domain.CRYSTALLINITIES`.
    visible : bool or None
        Whether its lattice can be seen, or could be if it had one; None where that is not known.
    facts : dict
        Its row of ``labels.csv``.
    """

    name: str
    pixels: NDArray[np.generic]
    mask: NDArray[np.bool_]
    pixel_size_nm: float
    crystallinity: str
    visible: bool | None
    facts: Mapping[str, str]


def read_crop_set(folder: Path, *, pixel_size_nm: float | None = None) -> list[LabelledCrop]:
    """Return the crops of a set, in the order of its table.

    Parameters
    ----------
    folder : Path
        With ``labels.csv``, ``crops/NAME.tif`` and ``masks/NAME.png``.
    pixel_size_nm : float, optional
        Edge of a pixel where neither the crop nor the table says it.

    Raises
    ------
    AntemaError
        Where the folder is no such set, a crop or mask is missing, they differ in shape, a class has another name, or
        nothing tells the pixel size.
    """
    folder = Path(folder)
    table = folder / "labels.csv"
    if not table.is_file():
        msg = f"{folder}: expected a crop set with crops/, masks/ and labels.csv, found no labels.csv"
        raise AntemaError(msg)
    with table.open(newline="", encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    if not rows or not {"name", "class"} <= set(rows[0]):
        found = ", ".join(rows[0]) if rows else "no row"
        msg = f"{table}: expected the columns name and class, found {found}"
        raise AntemaError(msg)
    return [_read_crop(folder, row, pixel_size_nm) for row in rows]


def _read_crop(folder: Path, row: Mapping[str, str], pixel_size_nm: float | None) -> LabelledCrop:
    from PIL import Image

    from antema.imaging import read

    name, crystallinity = row["name"], row["class"]
    if crystallinity not in CRYSTALLINITIES:
        msg = f"{folder.name}/{name}: expected a class of {', '.join(CRYSTALLINITIES)}, found {crystallinity!r}"
        raise AntemaError(msg)
    mask_path = folder / "masks" / f"{name}.png"
    paths = [folder / "crops" / f"{name}{suffix}" for suffix in (".tif", ".tiff", ".png")]
    path = next((each for each in paths if each.is_file()), None)
    if path is None or not mask_path.is_file():
        msg = f"{folder.name}/{name}: expected crops/{name}.tif and masks/{name}.png, found only one or none of them"
        raise AntemaError(msg)
    crop = read(path)
    with Image.open(mask_path) as image:
        mask = np.asarray(image.convert("L")) > 0
    if mask.shape != crop.pixels.shape or not mask.any():
        msg = f"{folder.name}/{name}: expected a mask of {crop.pixels.shape} with a particle, found {mask.shape}"
        raise AntemaError(f"{msg} with {np.count_nonzero(mask)} pixels")
    nm = crop.pixel_size.nm or float(row.get("pixel_size_nm") or 0) or pixel_size_nm
    if not nm:
        msg = f"{folder.name}/{name}: expected a pixel size in the crop or the table, found none"
        raise AntemaError(msg)
    visible = {"true": True, "false": False, "1": True, "0": False}.get(row.get("lattice_visible", "").strip().lower())
    return LabelledCrop(f"{folder.name}/{name}", crop.pixels, mask, nm, crystallinity, visible, dict(row))


def box_of(mask: NDArray[np.bool_]) -> tuple[int, int, NDArray[np.bool_]]:
    """Return column and row of the bounding box of a mask, and the mask in it."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    y, x = int(rows[0]), int(columns[0])
    return x, y, mask[y : rows[-1] + 1, x : columns[-1] + 1]


@dataclass(frozen=True, eq=False)
class ViewBatch:
    """Views of particles with what they are.

    Parameters
    ----------
    views : ndarray of float32, shape (n, side, side, 2)
        Grey values and mask.
    classes : ndarray of float32, shape (n, 3)
        1 at the class.
    visible, visible_weight : ndarray of float32, shape (n,)
        Whether a lattice can be seen, and whether that is known.
    """

    views: NDArray[np.float32]
    classes: NDArray[np.float32]
    visible: NDArray[np.float32]
    visible_weight: NDArray[np.float32]


class Views:
    """Crops cut out once, to be seen in ever new ways.

    Parameters
    ----------
    crops : sequence of LabelledCrop
        Those too large for any view are left out.
    """

    def __init__(self, crops: Sequence[LabelledCrop]) -> None:
        cuts = [cut_out(crop.pixels, box[2], box[0], box[1], crop.pixel_size_nm) for crop, box in _boxed(crops)]
        kept = [k for k, cut in enumerate(cuts) if cut.side_px is not None]
        self.cuts: list[Cut] = [cuts[k] for k in kept]
        self.crops = [crops[k] for k in kept]
        sides = np.array([cut.side_px for cut in self.cuts])
        self._of_side = {side: np.flatnonzero(sides == side) for side in SIDES_PX if (sides == side).any()}
        sizes = {side: _batch_size(side) for side in self._of_side}
        odds = np.array([len(members) / sizes[side] for side, members in self._of_side.items()])
        self._sizes, self._odds = sizes, odds / odds.sum()

    def batch(self, step: int, *, seed: int) -> ViewBatch:
        """Return the batch of one step: particles of one size of view, turned, mirrored and disturbed."""
        rng = np.random.default_rng((seed, step))
        side = int(rng.choice(list(self._of_side), p=self._odds))
        chosen = rng.choice(self._of_side[side], self._sizes[side])
        views = np.stack([_disturbed(self.cuts[k], side, rng) for k in chosen])
        drowned = np.flatnonzero(rng.random(len(chosen)) < _DROWNED)
        for k in drowned:
            views[k, ..., 0] = normalised(_nothing(rng, side), views[k, ..., 1])
        batch = self._labelled(chosen, views)
        batch.visible[drowned], batch.visible_weight[drowned] = 0, 1
        return batch

    def plain(self) -> list[ViewBatch]:
        """Return all of them as they are, a batch for each size of view."""
        return [
            self._labelled(members, np.stack([view(self.cuts[k], side) for k in members]))
            for side, members in self._of_side.items()
        ]

    def _labelled(self, members: NDArray[np.int64], views: NDArray[np.float32]) -> ViewBatch:
        crops = [self.crops[k] for k in members]
        classes = np.eye(3, dtype=np.float32)[[CRYSTALLINITIES.index(crop.crystallinity) for crop in crops]]
        return ViewBatch(
            views,
            classes,
            np.array([bool(crop.visible) for crop in crops], np.float32),
            np.array([crop.visible is not None for crop in crops], np.float32),
        )


def _boxed(
    crops: Sequence[LabelledCrop],
) -> list[tuple[LabelledCrop, tuple[int, int, NDArray[np.bool_]]]]:
    return [(crop, box_of(crop.mask)) for crop in crops]


def _batch_size(side: int) -> int:
    return int(np.clip(_BUDGET_PX // side**2, _LEAST, _MOST))


def _disturbed(cut: Cut, side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a view turned at will, of other magnification, noise, blur, slope and outline than the crop has."""
    # half of them only by right angles, so that not every view has the blur of turning
    turn = rng.uniform(0, 2 * np.pi) if rng.random() < 0.5 else int(rng.integers(4)) * np.pi / 2
    result = view(cut, side, turn_rad=turn, mirrored=bool(rng.random() < 0.5), stretch=float(rng.normal(1, 0.04)))
    grey, mask = result[..., 0], result[..., 1]
    if rng.random() < 0.3:
        grey = ndimage.gaussian_filter(grey, rng.uniform(0.2, 0.7))
    if rng.random() < 0.4:
        grey = grey + rng.uniform(0, 0.7) * _noise(rng, side)
    if rng.random() < 0.3:
        grey = grey + _slope(rng, side)
    if rng.random() < 0.5:
        moved = np.roll(mask, tuple(rng.integers(-1, 2, 2)), (0, 1))
        kind = rng.integers(3)
        mask = (moved, ndimage.grey_erosion(moved, (3, 3)), ndimage.grey_dilation(moved, (3, 3)))[kind]
        mask = np.asarray(mask if mask.sum() > 0.3 * moved.sum() else moved, np.float32)
    return np.stack([normalised(grey.astype(np.float32), mask), mask], axis=-1, dtype=np.float32)


def _nothing(rng: np.random.Generator, side: int) -> NDArray[np.float32]:
    """Return what is left of a particle that is all noise."""
    return (_noise(rng, side) + rng.uniform(0, 1) * _slope(rng, side)).astype(np.float32)


def _noise(rng: np.random.Generator, side: int) -> NDArray[np.float64]:
    """Return noise of standard deviation 1, half of the time as a camera blurs it."""
    noise = rng.normal(0, 1, (side, side))
    if rng.random() < 0.5:
        noise = ndimage.gaussian_filter(noise, rng.uniform(0.3, 0.8))
        noise /= noise.std()
    return noise


def _slope(rng: np.random.Generator, side: int) -> NDArray[np.float64]:
    y, x = np.mgrid[:side, :side] / side - 0.5
    return rng.normal(0, 0.7) * y + rng.normal(0, 0.7) * x
