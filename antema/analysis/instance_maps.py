"""Instance maps: which pixel belongs to which particle, on as many pages as overlaps need."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antema.analysis.morphology import boxes
from antema.domain import AntemaError, CannotRead, Instance

MOST_INSTANCES = 65_535


def instance_pages(instances: Sequence[Instance], shape: tuple[int, int]) -> NDArray[np.uint16]:
    """Draw instances, numbered from 1 in their order, each whole on the first page where nothing is in its way.

    Parameters
    ----------
    instances : sequence of Instance
        They may overlap.
    shape : (int, int)
        Height and width of the image.

    Returns
    -------
    ndarray of uint16, shape (pages, h, w)
        0 is background; at least one page.

    Raises
    ------
    AntemaError
        For more than 65,535 instances, which 16 bits cannot number, and for one that leaves the image.
    """
    if len(instances) > MOST_INSTANCES:
        msg = f"instance map: expected at most {MOST_INSTANCES} objects (16 bits), found {len(instances)}"
        raise AntemaError(msg)
    pages = [np.zeros(shape, dtype=np.uint16)]
    for number, instance in enumerate(instances, start=1):
        box = (slice(instance.y, instance.y + instance.h), slice(instance.x, instance.x + instance.w))
        if instance.x < 0 or instance.y < 0 or pages[0][box].shape != instance.mask.shape:
            msg = (
                f"instance map: object {number} at x {instance.x}, y {instance.y} of {instance.w} x {instance.h} px "
                f"does not lie in an image of {shape[1]} x {shape[0]} px"
            )
            raise AntemaError(msg)
        page = next((p for p in pages if not p[box][instance.mask].any()), None)
        if page is None:
            page = np.zeros(shape, dtype=np.uint16)
            pages.append(page)
        page[box][instance.mask] = number
    return np.stack(pages)


def instances_tiff(instances: Sequence[Instance], shape: tuple[int, int], path: Path) -> None:
    """Write instances, numbered from 1 in their order, to a TIFF of uint16 pages.

    Each instance is whole on exactly one page; further pages are there where instances overlap.

    Parameters
    ----------
    instances : sequence of Instance
        At most 65,535.
    shape : (int, int)
        Height and width of the image.
    path : Path
        File to write.
    """
    import tifffile

    pages = instance_pages(instances, shape)
    with tifffile.TiffWriter(path) as writer:
        for page in pages:
            writer.write(page, photometric="minisblack", compression="zlib", contiguous=False, metadata=None)


def numbered_instances(pages: NDArray[np.integer]) -> dict[int, Instance]:
    """Return the instances of a map by their numbers, in increasing order.

    Parameters
    ----------
    pages : ndarray of int, shape (h, w) or (pages, h, w)
        0 is background.

    Raises
    ------
    AntemaError
        For a number on two pages, and for negative numbers.
    """
    found: dict[int, Instance] = {}
    for page in pages if pages.ndim == 3 else pages[None]:
        if page.size and page.min() < 0:
            msg = f"instance map: expected numbers from 0 up, found {int(page.min())}"
            raise AntemaError(msg)
        numbers, labels = _dense(page)
        for label, box in enumerate(boxes(labels), start=1):
            if box is None:
                continue
            number = numbers[label - 1]
            if number in found:
                msg = f"instance map: expected each number on one page, found {number} on two"
                raise AntemaError(msg)
            found[number] = Instance(box[1].start, box[0].start, labels[box] == label)
    return dict(sorted(found.items()))


def _dense(page: NDArray[np.integer]) -> tuple[Sequence[int], NDArray[np.integer]]:
    """Return numbers, and a page of labels from 1 up that stand for them.

    Numbers are their own labels, unless they are so large (32-bit colours, say) that a box for every number up to the
    largest would fill the memory.
    """
    most = int(page.max()) if page.size else 0
    if most <= max(page.size, MOST_INSTANCES):
        return range(1, most + 1), page
    occupied = page != 0
    numbers, compact = np.unique(page[occupied], return_inverse=True)
    labels = np.zeros(page.shape, np.int32)
    labels[occupied] = compact + 1
    return numbers.tolist(), labels


def read_instances(path: Path) -> list[Instance]:
    """Return the instances of a map (uint16 TIFF of one or more pages) in the order of their numbers.

    Raises
    ------
    CannotRead
        For a file that is no such map.
    """
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            pages = [page.asarray() for page in file.pages]
    except (OSError, ValueError, tifffile.TiffFileError) as error:
        msg = f"{Path(path).name}: expected a TIFF with instance numbers, found {error}"
        raise CannotRead(msg) from error
    if len({page.shape for page in pages}) != 1 or pages[0].ndim != 2 or pages[0].dtype.kind not in "iu":
        msg = f"{Path(path).name}: expected pages of whole numbers, all of one size"
        raise CannotRead(msg)
    return list(numbered_instances(np.stack(pages)).values())
