"""One particle looked at closely: its own grey values, their Fourier transform with spots, and the network's evidence.

Nothing here needs a network: evidence was stored with the result, and the transform is made when somebody looks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antema.analysis.lattice import LatticeSpots, lattice_spots
from antema.domain import NotFound
from antema.domain.lattices import Lattice
from antema.domain.material_names import material_named
from antema.nets.classified import EvidenceMap
from antema.storage import ImageResult, StoredMicrograph
from antema.storage.kept import Kept
from antema.storage.particle_files import read_provenance
from antema.web.intake import read_again
from antema.web.state import store

_MARGIN_SHARE = 0.35
_LEAST_MARGIN_PX = 6
_IMAGES_KEPT = 2
_LOOKS_KEPT = 24

_images: Kept[NDArray[np.generic]] = Kept(_IMAGES_KEPT)
_looks: Kept["Look"] = Kept(_LOOKS_KEPT)


@dataclass(frozen=True, eq=False)
class Look:
    """A particle with its surroundings.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        The micrograph's own grey values.
    mask : ndarray of bool, shape (h, w)
        The particle.
    x, y : int
        Place of the first pixel on the micrograph.
    pixel_size_nm : float
        Edge of a pixel, as the result was computed with it.
    sample_id : int
        Whose particle it is.
    material_text : str
        What the sample says it is made of; empty where it says nothing.
    material : Lattice or None
        The lattice that this names; None where it names none that is known.
    spots : LatticeSpots
        What its Fourier transform shows.
    evidence : EvidenceMap or None
        Where the network saw what; None where the particle was not classified.
    """

    pixels: NDArray[np.generic]
    mask: NDArray[np.bool_]
    x: int
    y: int
    pixel_size_nm: float
    sample_id: int
    material_text: str
    material: Lattice | None
    spots: LatticeSpots
    evidence: EvidenceMap | None


def look(analysis_id: int, micrograph_id: int, particle: int) -> Look:
    """Return a particle of a result with its surroundings.

    Raises
    ------
    CannotRead
        Where the micrograph's file cannot be read any more.
    NotFound
        Where there is no such particle, or no such result.
    """
    result = store().image_result(analysis_id, micrograph_id)
    analysis = store().analysis(analysis_id)
    text = store().sample(analysis.sample_id).material
    return _looks.get(
        (store().data_dir, result.result_key, particle, text), lambda: _look(result, analysis_id, particle, text)
    )


def _look(result: ImageResult, analysis_id: int, particle: int, text: str) -> Look:
    numbers = store().particles_of(analysis_id, result.micrograph_id)["particle"].tolist()
    if particle not in numbers:
        msg = f"expected a particle of {result.filename} that counts or was left out, found none numbered {particle}"
        raise NotFound(msg)
    # rows and masks are both in the order of the numbers
    one = store().instances(analysis_id, result.micrograph_id)[numbers.index(particle)]
    stored = store().micrograph(result.micrograph_id)
    pixels = _pixels(result, stored)
    margin = max(_LEAST_MARGIN_PX, round(_MARGIN_SHARE * max(one.h, one.w)))
    top, left = max(one.y - margin, 0), max(one.x - margin, 0)
    crop = pixels[top : one.y + one.h + margin, left : one.x + one.w + margin]
    mask = np.zeros(crop.shape, bool)
    mask[one.y - top : one.y - top + one.h, one.x - left : one.x - left + one.w] = one.mask
    material, nm = material_named(text), result.pixel_size.nm
    assert nm is not None  # there is no result without
    return Look(
        pixels=crop,
        mask=mask,
        x=left,
        y=top,
        pixel_size_nm=nm,
        sample_id=stored.sample_id,
        material_text=text,
        material=material,
        spots=lattice_spots(crop, mask, nm, material),
        evidence=store().evidence(analysis_id, result.micrograph_id, particle),
    )


def _pixels(result: ImageResult, stored: StoredMicrograph) -> NDArray[np.generic]:
    """Return the grey values that a result was computed from, of the image of the file that it then was."""
    assert result.parquet is not None  # of a result that is done
    number = read_provenance(result.parquet)["data_index"]
    return _images.get((stored.sha256, number), lambda: read_again(store(), stored, number).pixels)
