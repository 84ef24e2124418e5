"""Labelled micrographs as networks learn from them."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from antema.analysis import instance_pages
from antema.domain import Annotations, AntemaError, Instance
from antema.imaging import fill_boxes, find_annotations
from antema.simulation.field import union
from antema.training.half_contrast import moved_to_half_contrast

_MOST_SHIFT = 0.05
"""Of its inradius, that a label is moved: where half contrast seems to be further off, of ball-like particles whose
grey goes on changing inside, a person's outline is believed as much."""

IMAGE_SUFFIXES = (".png", ".tif", ".tiff")


@dataclass(frozen=True, eq=False)
class LabelledImage:
    """A micrograph and what in it is particle.

    Parameters
    ----------
    name : str
        File name without suffix, after that of its set.
    pixels : ndarray, shape (h, w)
        Grey values as they are in the file, inverted where particles are known to be the bright ones.
    particle : ndarray of bool, shape (h, w)
        Union of the instances.
    trusted : ndarray of bool, shape (h, w), or None
        Where the label is to be believed; None: everywhere.
    width_px : float
        Median equivalent diameter of the instances; 0 without any.
    contact : ndarray of bool, shape (h, w), or None
        Seams between instances that touch or overlap (see `seams`); None where instances are not told apart.
    pages : ndarray of uint16, shape (pages, h, w), or None
        Numbers of the instances from 1, each whole on one page; None where that was not asked for.
    atoms : ndarray of bool, shape (h, w), or None
        Union of the particles as far as their atoms reach; None where only the visible outline is known.
    seen : ndarray of float32, shape (instances,), or None
        Share of the outline of each that is seen; None: all of it.
    """

    name: str
    pixels: NDArray[np.generic]
    particle: NDArray[np.bool_]
    trusted: NDArray[np.bool_] | None
    width_px: float
    contact: NDArray[np.bool_] | None = None
    pages: NDArray[np.uint16] | None = None
    atoms: NDArray[np.bool_] | None = None
    seen: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class DividedSet:
    """The labelled images of a folder of that name, those to learn from and those held out."""

    name: str
    learned: list[LabelledImage]
    held_out: list[LabelledImage]


def read_divided(
    folder: Path,
    *,
    seed: int,
    remembered: Path | None = None,
    one_by_one: bool = False,
    partly_labelled: bool = False,
) -> DividedSet:
    """Return `read_set` of a folder, divided by `split`."""
    images = read_set(folder, remembered=remembered, one_by_one=one_by_one, partly_labelled=partly_labelled)
    return DividedSet(Path(folder).name, *split(images, seed=seed))


def read_set(
    folder: Path, *, remembered: Path | None = None, one_by_one: bool = False, partly_labelled: bool = False
) -> list[LabelledImage]:
    """Return the labelled images of a folder, ordered by name.

    Parameters
    ----------
    folder : Path
        A micrograph set (``images/NAME`` with ``instances/NAME``) or images with ``annotations.coco.json``.
    remembered : Path or None
        A JSON file that keeps what was found burned into real images: looking for it takes up to a second each.
    one_by_one : bool
        Whether the instances come along as pages, those of real images moved to the half-contrast level of their
        picture (`antema.training.half_contrast`), in place of seams.
    partly_labelled : bool
        Whether not every particle has its label, so that dark patches without one are not trusted; of images with COCO
        polygons that is always so.

    Raises
    ------
    AntemaError
        Where the folder is neither, or an image has no instance map of its size.
    """
    folder = Path(folder)
    if (folder / "annotations.coco.json").is_file():
        return _read_coco(folder, one_by_one=one_by_one)
    if not (folder / "images").is_dir() or not (folder / "instances").is_dir():
        msg = f"{folder}: expected images/ with instances/, or annotations.coco.json"
        raise AntemaError(msg)
    known = json.loads(remembered.read_text("utf-8")) if remembered and remembered.is_file() else {}
    n_known = len(known)
    images = [
        _read_pair(folder, image, instances, known, one_by_one=one_by_one, partly_labelled=partly_labelled)
        for image, instances in image_pairs(folder)
    ]
    if remembered and len(known) > n_known:
        remembered.write_text(json.dumps(known), "utf-8")
    return images


def image_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Return the images of a micrograph set with their instance maps.

    Raises
    ------
    AntemaError
        Where an image has no instance map of its name, or there is no image.
    """
    return paired(folder / "images", folder / "instances")


def paired(images: Path, instances: Path) -> list[tuple[Path, Path]]:
    """Return the images in one folder with the instance maps of the same names in another, ordered by name.

    Raises
    ------
    AntemaError
        Where an image has no instance map of its name, or there is no image.
    """
    maps = {path.stem: path for path in instances.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES}
    found = sorted(path for path in images.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        msg = f"{images}: expected PNG or TIFF images, found none"
        raise AntemaError(msg)
    for path in found:
        if path.stem not in maps:
            msg = f"{path.name}: expected an instance map {path.stem}.png or .tif in {instances}, found none"
            raise AntemaError(msg)
    return [(path, maps[path.stem]) for path in found]


def read_pages(path: Path) -> NDArray[np.generic]:
    """Return an instance map as pages (n, h, w)."""
    values = _read_values(path)
    return values[None] if values.ndim == 2 else values


def is_held_out(name: str, *, seed: int, share: float = 0.15) -> bool:
    """Return whether the image `name` belongs to validation; the same for the same seed, whatever else is there."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < share


def split(images: Iterable[LabelledImage], *, seed: int) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Return the images to learn from and those held out."""
    learn, held_out = [], []
    for image in images:
        (held_out if is_held_out(image.name, seed=seed) else learn).append(image)
    return learn, held_out


def seams(instances: Iterable[Instance], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return where the edge of an instance runs along or across another one, as a band of 3 px, bool (h, w).

    Parameters
    ----------
    instances : iterable of Instance
        May share pixels. Instances with a gap of one pixel count as touching: many labels leave one.
    shape : tuple of int
        Of the image.
    """
    instances = list(instances)
    cover = np.zeros((shape[0] + 4, shape[1] + 4), np.uint16)
    for one in instances:
        cover[one.y + 2 : one.y + one.h + 2, one.x + 2 : one.x + one.w + 2] += one.mask
    result = np.zeros(cover.shape, bool)
    for one in instances:
        window = (slice(one.y, one.y + one.h + 4), slice(one.x, one.x + one.w + 4))
        mask = np.pad(one.mask, 2)
        others = _dilated((cover[window] > 0) & ~mask)
        edge = _dilated(mask) & ~mask
        result[window] |= _dilated(edge & others, np.ones((3, 3), bool))
    return (result & (cover > 0))[2:-2, 2:-2]


def _dilated(mask: NDArray[np.bool_], neighbours: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    return np.asarray(ndimage.binary_dilation(mask, neighbours), bool)


def true_instances(pages: NDArray[np.generic]) -> list[Instance]:
    """Return the instances of an instance map (pages, h, w)."""
    result = []
    for page in pages.astype(np.int64):
        numbers, labels = np.unique(page, return_inverse=True)
        labels = labels.reshape(page.shape) + (numbers[0] != 0)
        for value, window in enumerate(ndimage.find_objects(labels), start=1):
            if window is not None:
                rows, columns = window
                result.append(Instance(columns.start, rows.start, labels[window] == value))
    return result


def _burned_in(pixels: NDArray[np.generic], known: dict[str, Any]) -> Annotations:
    key = hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
    if key not in known:
        known[key] = find_annotations(pixels).to_dict()
    return Annotations.from_dict(known[key])


def _read_pair(
    folder: Path, image: Path, instances: Path, known: dict[str, Any], *, one_by_one: bool, partly_labelled: bool
) -> LabelledImage:
    pixels, pages = _read_values(image), read_pages(instances)
    atoms = folder / "atoms" / instances.name
    if atoms.is_file() and not one_by_one:
        pages = read_pages(atoms)  # the definition that older architectures know, and their cards tell
    if pixels.shape != pages.shape[1:]:
        msg = f"{image.name}: image of {pixels.shape} pixels, instance map of {pages.shape[1:]}"
        raise AntemaError(msg)
    shape = (pixels.shape[0], pixels.shape[1])
    found = true_instances(pages)
    name = f"{folder.name}/{image.stem}"
    trusted = None
    truth = folder / f"{image.stem}.json"
    if truth.is_file():
        if json.loads(truth.read_text("utf-8")).get("conditions", {}).get("mode") == "dark":
            pixels = pixels.max() - pixels  # networks know dark particles; bright ones they are shown inverted
    else:
        # of a real picture the network sees no burned-in text; simulated ones keep it, and so teach what it looks like
        annotations = _burned_in(pixels, known)
        if annotations.boxes:
            pixels, trusted = fill_boxes(pixels, annotations.boxes), ~annotations.mask(shape)
    if one_by_one:
        return _one_by_one(
            name,
            pixels,
            found,
            trusted,
            atoms=_union(read_pages(atoms)) if atoms.is_file() else None,
            is_real=not truth.is_file(),
            partly_labelled=partly_labelled,
            seen=_seen(truth),
        )
    return LabelledImage(
        name,
        pixels,
        _union(pages),
        trusted,
        _median_width([instance.area_px for instance in found]),
        seams(found, shape),
    )


def _one_by_one(
    name: str,
    pixels: NDArray[np.generic],
    instances: list[Instance],
    trusted: NDArray[np.bool_] | None,
    *,
    atoms: NDArray[np.bool_] | None = None,
    is_real: bool,
    partly_labelled: bool,
    seen: NDArray[np.float32] | None = None,
) -> LabelledImage:
    if is_real:
        shown = pixels.astype(np.float32)
        instances = moved_to_half_contrast(shown, instances, trusted=trusted, most_shift=_MOST_SHIFT)
    pages = instance_pages(instances, (pixels.shape[0], pixels.shape[1]))
    particle = _union(pages)
    if partly_labelled:
        labelled = _trusted(pixels, particle)
        if labelled is not None:
            trusted = labelled if trusted is None else labelled & trusted
    width_px = _median_width([instance.area_px for instance in instances])
    return LabelledImage(name, pixels, particle, trusted, width_px, pages=pages, atoms=atoms, seen=seen)


def _seen(truth: Path) -> NDArray[np.float32] | None:
    """Return the share of each outline that is seen, in the order of `true_instances`: page by page.

    None of a picture that is not simulated.
    """
    if not truth.is_file():
        return None
    particles = json.loads(truth.read_text("utf-8"))["particles"]
    ordered = sorted(particles, key=lambda one: (one["page"], one["number"]))
    return np.array([one.get("seen", 1.0) for one in ordered], np.float32)


def _union(pages: NDArray[np.generic]) -> NDArray[np.bool_]:
    return np.asarray((pages != 0).any(axis=0))


def _read_values(path: Path) -> NDArray[Any]:
    if path.suffix.lower() in (".tif", ".tiff"):
        import tifffile

        return tifffile.imread(path)
    from PIL import Image

    with Image.open(path) as picture:
        grey = picture if picture.mode in ("L", "I", "I;16", "F") else picture.convert("L")
        return np.asarray(grey)


def _median_width(areas_px: Sequence[float] | NDArray[np.integer]) -> float:
    return float(np.sqrt(4 / np.pi * np.median(areas_px))) if len(areas_px) else 0.0


def _read_coco(folder: Path, *, one_by_one: bool) -> list[LabelledImage]:
    result = []
    for path, labelled in coco_instances(folder):
        pixels = _read_values(path)
        shape = (pixels.shape[0], pixels.shape[1])
        instances = [instance for instance, _ in labelled]
        name = f"{folder.name}/{path.stem}"
        if one_by_one:
            result.append(_one_by_one(name, pixels, instances, None, is_real=True, partly_labelled=True))
            continue
        particle = union(instances, shape)
        width_px = _median_width([instance.area_px for instance in instances])
        contact = seams(instances, shape)
        result.append(LabelledImage(name, pixels, particle, _trusted(pixels, particle), width_px, contact))
    return result


def coco_instances(folder: Path) -> list[tuple[Path, list[tuple[Instance, str]]]]:
    """Return the images of a folder with ``annotations.coco.json``, each with its objects and their categories."""
    content = json.loads((folder / "annotations.coco.json").read_text("utf-8"))
    words = {entry["id"]: str(entry["name"]) for entry in content.get("categories", [])}
    result = []
    for entry in sorted(content["images"], key=lambda entry: entry["file_name"]):
        height, width = _read_values(folder / entry["file_name"]).shape[:2]
        drawn = [
            (_filled(each["segmentation"], (height, width)), words.get(each.get("category_id"), ""))
            for each in content["annotations"]
            if each["image_id"] == entry["id"]
        ]
        found = [(_whole(mask), word) for mask, word in drawn if mask.any()]
        result.append((folder / entry["file_name"], found))
    return result


def _whole(mask: NDArray[np.bool_]) -> Instance:
    rows, columns = ndimage.find_objects(mask.astype(np.uint8))[0]
    return Instance(columns.start, rows.start, mask[rows, columns])


def _filled(polygons: list[list[float]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    from skimage.draw import polygon

    mask = np.zeros(shape, bool)
    for corners in polygons:
        points = np.asarray(corners).reshape(-1, 2) - 0.5  # to pixel centres at whole numbers
        mask[polygon(points[:, 1], points[:, 0], shape)] = True
    return mask


def _trusted(pixels: NDArray[np.generic], particle: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Return where a label can be believed: not where a dark patch was left unlabelled."""
    from skimage.morphology import disk

    if particle.all() or not particle.any():
        return None
    smooth = ndimage.gaussian_filter(pixels.astype(np.float32), 2)
    halfway = (np.median(smooth[particle]) + np.percentile(smooth[~particle], 75)) / 2
    forgotten = ndimage.binary_opening((smooth < halfway) & ~particle, disk(4))
    return ~np.asarray(ndimage.binary_dilation(forgotten, disk(6)), bool) | particle
