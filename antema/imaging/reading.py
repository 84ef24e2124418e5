"""Reading micrographs from the files of microscopes, by their content and not by their names."""

import codecs
import errno
import io
import os
import re
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np

from antema.domain import CannotRead, Micrograph, NotAnImage, PixelSize
from antema.imaging.dataset import MAX_FRAME_BYTES, DataSet, grey, pixel_size, refusal
from antema.imaging.formats import dm, hdf5, mrc, npy, picture, sidecar, tia, tiff
from antema.imaging.hashing import file_sha256

_HEAD_BYTES = 1024

_TOO_MUCH_MEMORY = "it needs more memory than is allowed for it"

_COPY_BYTES = 1 << 20

Result = TypeVar("Result")

#: What is read: a path, or a file opened for reading bytes.
Source = str | os.PathLike[str] | BinaryIO


@dataclass(frozen=True)
class Format:
    """One format: how it is told, who reads it, and what the documentation says of it.

    Parameters
    ----------
    name : str
        Its name in messages.
    matches : callable
        Whether a file that starts with these bytes is of it.
    datasets : callable
        Returns the data sets of a file.
    suffixes : tuple of str
        Suffixes that a folder is searched for.
    what, library, scale, remarks : str
        What is read, with which library, where the pixel size comes from, and what else is to say: a row of the table
        in ``docs/formats.md``.
    is_read_as_a_whole : bool
        Whether a library maps or reads all of a file to find out what it holds.
    """

    name: str
    matches: Callable[[bytes], bool]
    datasets: Callable[[Path], list[DataSet]]
    suffixes: tuple[str, ...]
    what: str
    library: str
    scale: str
    remarks: str = ""
    is_read_as_a_whole: bool = False


FORMATS: tuple[Format, ...] = (
    Format(
        "TIFF",
        tiff.matches,
        tiff.datasets,
        (".tif", ".tiff"),
        "TIFF and BigTIFF: 1 to 64 bit, float, colours, compressed, tiled, series",
        "tifffile",
        "the maker's tags, see below",
        "reduced copies and Olympus' thumbnails are left out; pages in other files are not looked for",
    ),
    Format(
        "HDF5",
        hdf5.matches,
        hdf5.datasets,
        (".emd", ".h5", ".hdf5", ".hspy"),
        "Velox EMD, Berkeley (NCEM) EMD, HyperSpy's HSPY",
        "RosettaSciIO, after h5py's look at every array",
        "Velox: `BinaryResult.PixelSize`; Berkeley: the `dim` vectors; HSPY: the axes",
        "each detector is a data set; spectra are not loaded; `n_m` is nm; links to other files are refused",
    ),
    Format(
        "TIA .ser",
        tia.matches,
        tia.datasets,
        (".ser",),
        "FEI TIA: images and series",
        "ncempy, after a check of the header; spectra and what it gives up on: RosettaSciIO",
        "`CalibrationDelta`, metres; the unit by the mode in the `.emi` beside it, where there is one",
        "more than a metre a pixel is a diffraction pattern in 1/m",
        is_read_as_a_whole=True,
    ),
    Format(
        "TIA .emi",
        tia.matches_emi,
        tia.datasets_emi,
        (".emi",),
        "FEI TIA: the `.ser` files beside it",
        "as above",
        "as above",
        "holds no image itself",
    ),
    Format(
        "PNG or JPEG",
        picture.matches,
        picture.datasets,
        (".png", ".jpg", ".jpeg"),
        "PNG, 16 bit too, and JPEG",
        "Pillow",
        "Hitachi's or JEOL's text beside it; else the resolution, for pixels of at most 1 µm: mostly none",
        "equal colours give the grey values as they are, others their luminance",
    ),
    Format("NumPy", npy.matches, npy.datasets, (".npy",), "one array", "NumPy", "never", "pickled objects are refused"),
    Format(
        "DigitalMicrograph",
        dm.matches,
        dm.datasets,
        (".dm3", ".dm4"),
        "Gatan DM3 and DM4: images, colours, switches, series, several data sets",
        "ncempy; colours, switches and what else it lacks: RosettaSciIO",
        "`ImageData.Calibrations.Dimension`",
        "the thumbnail is left out",
        is_read_as_a_whole=True,
    ),
    # last, since old files of it have no mark
    Format(
        "MRC",
        mrc.matches,
        mrc.datasets,
        (".mrc", ".mrcs", ".map", ".rec", ".st", ".ali"),
        "MRC and CCP4 of modes 0, 1, 2, 6, 12 and 101, both byte orders, images and volumes",
        "ncempy; unsigned bytes, half floats and the other byte order: RosettaSciIO; the header is checked here",
        "cell / grid, or the extended header of FEI (float records, FEI1, FEI2)",
        "an empty or negative cell is no scale, nor is exactly 1 Å a pixel, which programs write that know none",
        is_read_as_a_whole=True,
    ),
)

#: Suffixes that a folder is searched for. What a file is, is decided by its content.
supported_suffixes: frozenset[str] = frozenset(suffix for form in FORMATS for suffix in form.suffixes)

_KNOWN_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"RIFF", "a RIFF file"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
)


@dataclass(frozen=True)
class ContentEntry:
    """One image of a file, described without its pixels.

    Parameters
    ----------
    index : int
        Its number: `read` with ``data=index`` gives it, and it is the place in what `read_all` gives.
    title : str
        Which image of the file it is, for example ``HAADF, frame 2 of 5``; empty where it is the only one.
    shape : tuple of int
        Height and width in pixels.
    dtype : str
        Type of the grey values, for example ``uint16``.
    pixel_size : PixelSize
        Edge of a pixel and where it came from.
    format : str
        The file's format.
    is_default : bool
        Whether `read` takes this one where it is not told which.
    metadata : mapping
        As in `antema.domain.Micrograph`.
    """

    index: int
    title: str
    shape: tuple[int, int]
    dtype: str
    pixel_size: PixelSize
    format: str
    is_default: bool
    metadata: Mapping[str, str | float] = field(default_factory=dict[str, str | float])


class MicrographFile:
    """The images of one file: what they are is known, their pixels are read one image at a time.

    Parameters
    ----------
    path : path-like
        The file.
    name : str, optional
        What to call it in results and messages.
    sha256 : str, optional
        Digest of its bytes where it is known; it is not hashed then.

    Raises
    ------
    CannotRead, NotAnImage
        As `read` does.
    """

    def __init__(self, path: str | Path, name: str | None = None, sha256: str | None = None) -> None:
        self.path = Path(path)
        self.name = name or self.path.name
        self._known_sha256 = sha256
        self.kind, datasets = _candidates(self.path, self.name)
        #: For each image its data set, the number of its frame in it, and what tells it from the others.
        self.images: list[tuple[DataSet, int, str]] = []
        titles = Counter(dataset.title for dataset in datasets)
        for number, dataset in enumerate(datasets, start=1):
            # a name that several have tells none of them from the others
            label = dataset.title if titles[dataset.title] == 1 else f"{dataset.title} ({number})"
            of_several = [label if dataset.title else f"image {number}"] if len(datasets) > 1 else []
            for frame in range(dataset.n_frames):
                which = [f"frame {frame + 1} of {dataset.n_frames}"] if dataset.n_frames > 1 else []
                self.images.append((dataset, frame, ", ".join(of_several + which)))
        #: Number of the image that is taken where none is asked for: the best data set's first frame.
        self.default = min(range(len(self.images)), key=lambda index: _rank(self.images[index][0]))

    @cached_property
    def sha256(self) -> str:
        """Digest of the file's bytes."""
        if self._known_sha256 is not None:
            return self._known_sha256
        return _guarded(self.path, self.name, "a file", lambda: file_sha256(self.path))

    def entry(self, index: int) -> ContentEntry:
        """Describe one image."""
        dataset, _, title = self.images[index]
        dtype = "uint8" if dataset.dtype.kind == "b" else dataset.dtype.newbyteorder("=").name
        height, width = dataset.shape[-2:]
        return ContentEntry(
            index=index,
            title=title,
            shape=(height, width),
            dtype=dtype,
            pixel_size=pixel_size(dataset),
            format=str(dataset.metadata.get("format", self.kind)),
            is_default=index == self.default,
            metadata=self._metadata(dataset),
        )

    def _metadata(self, dataset: DataSet) -> dict[str, str | float]:
        metadata: dict[str, str | float] = {"format": self.kind, **dataset.metadata}
        if dataset.title:
            metadata["data_set"] = dataset.title
        if dataset.n_frames > 1:
            metadata["frames"] = float(dataset.n_frames)
        return metadata

    def check_index(self, index: int) -> None:
        """Raise `CannotRead` where there is no image of this number."""
        if not 0 <= index < len(self.images):
            count = len(self.images)
            msg = f"{self.name} has {count} images, expected a number from 0 to {count - 1}, found {index}."
            raise CannotRead(msg)

    def load(self, index: int) -> Micrograph:
        """Read the pixels of one image."""
        dataset, frame, _ = self.images[index]
        pixels = _guarded(self.path, self.name, self.kind, lambda: grey(_checked_frame(dataset, frame)))
        return Micrograph(pixels, pixel_size(dataset), self.name, self.sha256, self._metadata(dataset))


def contents(source: Source, *, name: str | None = None) -> list[ContentEntry]:
    """List the images of a file without reading their pixels.

    Parameters
    ----------
    source : path-like or binary file
        The file. Its suffix does not matter. A file object is read from its start where it can seek.
    name : str, optional
        What to call the file in messages.

    Returns
    -------
    list of ContentEntry
        At least one; in the order of `read_all`.

    Raises
    ------
    CannotRead, NotAnImage
        As `read` does, for what shows without the pixels.
    """
    with on_disk(source, name) as (path, label):
        file = MicrographFile(path, label)
        return [file.entry(index) for index in range(len(file.images))]


def read(source: Source, *, data: int | None = None, name: str | None = None) -> Micrograph:
    """Read the micrograph of a file.

    Of several data sets the best is taken: one with a scale before one without, raw counts before computed values,
    then the largest, then the first; of a series of images the first.

    Parameters
    ----------
    source : path-like or binary file
        The file. Its suffix does not matter. A file object is read from its start where it can seek, else from where
        it stands.
    data : int, optional
        Number of the image in `read_all` to take instead of the best.
    name : str, optional
        What to call the file in the result and in messages, where it is stored under another name.

    Returns
    -------
    Micrograph
        With its native type, and a pixel size or the reason why there is none.

    Raises
    ------
    CannotRead
        For a file that is empty, damaged, truncated, too large or of another kind.
    NotAnImage
        For a file whose content is a spectrum, a diffraction pattern or the like.
    """
    with on_disk(source, name) as (path, label):
        file = MicrographFile(path, label)
        if data is not None:
            file.check_index(data)
        return file.load(file.default if data is None else data)


def read_all(source: Source, *, name: str | None = None) -> list[Micrograph]:
    """Read every image of a file: each data set that is one, each frame of a series.

    Parameters
    ----------
    source : path-like or binary file
        As in `read`.
    name : str, optional
        What to call the file in the result and in messages.

    Returns
    -------
    list of Micrograph
        At least one. Where there are several, each name says which it is.

    Raises
    ------
    CannotRead, NotAnImage
        As `read` does.
    """
    with on_disk(source, name) as (path, label):
        file = MicrographFile(path, label)
        micrographs = [file.load(index) for index in range(len(file.images))]
        titles = [title for _, _, title in file.images]
    return [
        replace(micrograph, name=f"{micrograph.name} [{title}]") if title else micrograph
        for micrograph, title in zip(micrographs, titles, strict=True)
    ]


@contextmanager
def on_disk(source: Source, name: str | None) -> Generator[tuple[Path, str | None]]:
    """Give the path of a file, or of a copy of what a file object holds; and the name to show."""
    if isinstance(source, str | os.PathLike):
        yield Path(source), name
        return
    shown = getattr(source, "name", None)
    name = name or (Path(shown).name if isinstance(shown, str) and shown else "the file")
    if isinstance(source, io.TextIOBase):
        msg = f"{name} cannot be read: expected a file opened in binary mode, found one opened as text."
        raise CannotRead(msg)
    if source.seekable():
        source.seek(0)
    with tempfile.TemporaryDirectory(prefix="antema-file-") as folder:
        copy = Path(folder, "file")
        with copy.open("wb") as target:
            while piece := source.read(_COPY_BYTES):
                target.write(piece)
        yield copy, name


def companions(path: Path) -> list[Path]:
    """Return the files beside a file that belong to it and are read with it."""
    return sidecar.own(path, [*tia.companions(path), *sidecar.companions(path)])


def read_as_a_whole(path: Path) -> list[Path]:
    """Return the files that a library maps or reads as a whole to find out what a file holds; none of most formats."""
    if not path.is_file():
        return []
    head = _head(path)
    if tia.matches_emi(head):
        return sidecar.own(path, tia.companions(path))
    known = next((form for form in FORMATS if form.matches(head)), None)
    return [path] if known is not None and known.is_read_as_a_whole else []


def _candidates(path: Path, name: str) -> tuple[str, list[DataSet]]:
    """Return the name of the file's format and those of its data sets that are images."""
    if path.exists() and not path.is_file():
        msg = f"{name} cannot be read: expected a file, found a folder or a device."
        raise CannotRead(msg)
    head = _guarded(path, name, "a file", lambda: _head(path))
    if not head:
        msg = f"{name} cannot be read: the file is empty."
        raise CannotRead(msg)
    known = next((form for form in FORMATS if form.matches(head)), None)
    if known is None:
        msg = f"{name} cannot be read: expected a micrograph (DM3, DM4, SER, EMD, MRC, TIFF, PNG, …), found "
        raise CannotRead(msg + _description(head) + ".")
    kind = known.name
    found = _guarded(path, name, kind, lambda: known.datasets(path))
    images = [dataset for dataset in found if not refusal(dataset)]
    if not images:
        whats = list(dict.fromkeys(refusal(dataset) for dataset in found))
        msg = f"{name} holds no micrograph: it is {'; '.join(whats) or 'a file without data'}."
        raise NotAnImage(msg, kind=_in_short(whats))
    return kind, images


def _in_short(whats: list[str]) -> str:
    """Return what a file holds instead of images, without articles and explanations."""
    short = (re.sub(r"\ban? ", "", re.split(r" \(|, ", what)[0]) for what in whats)
    return ", ".join(dict.fromkeys(short)) or "no image"


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_HEAD_BYTES)


def _description(head: bytes) -> str:
    for mark, what in _KNOWN_OTHERS:
        if head.startswith(mark):
            return what
    try:
        # not final: the last character may be cut in two
        sample = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return f"a file that starts with the bytes {head[:8].hex(' ')}"
    if all(letter.isprintable() or letter in "\t\r\n\f" for letter in sample):
        return "a text file"
    return f"a file that starts with the bytes {head[:8].hex(' ')}"


def _rank(dataset: DataSet) -> tuple[bool, bool, int]:
    size = dataset.shape[-1] * dataset.shape[-2]
    return not pixel_size(dataset).is_known, dataset.dtype.kind not in "iu", -size


def _checked_frame(dataset: DataSet, frame: int) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    height, width = dataset.shape[-2:]
    if dataset.frame_bytes > MAX_FRAME_BYTES:
        msg = f"its image has {height} × {width} pixels, more than {MAX_FRAME_BYTES >> 20} MiB"
        raise CannotRead(msg)
    pixels = dataset.frame(frame)
    if pixels.shape[:2] != (height, width):
        msg = f"its header announces {height} × {width} pixels, but the data give {pixels.shape}"
        raise CannotRead(msg)
    return pixels


def _guarded(path: Path, name: str, kind: str, action: Callable[[], Result]) -> Result:
    """Run a step of reading; whatever a library raises on a damaged file becomes one sentence that names the file."""
    try:
        with warnings.catch_warnings():
            # libraries warn of odd tags; what matters of it is in the result or in an error
            warnings.simplefilter("ignore")
            return action()
    except NotAnImage as error:
        msg = f"{name} holds no micrograph: it is {error}."
        raise NotAnImage(msg, kind=_in_short([str(error)])) from error
    except CannotRead as error:
        msg = f"{name} cannot be read: {error}."
        raise CannotRead(msg) from error
    except FileNotFoundError as error:
        msg = f"{name} cannot be read: there is no such file."
        raise CannotRead(msg) from error
    except PermissionError as error:
        msg = f"{name} cannot be read: the permission is missing."
        raise CannotRead(msg) from error
    except MemoryError as error:
        msg = f"{name} cannot be read: {_TOO_MUCH_MEMORY}."
        raise CannotRead(msg) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            msg = f"{name} cannot be read: {_TOO_MUCH_MEMORY}."
            raise CannotRead(msg) from error
        # at this boundary any exception is the file's fault: the readers' own checks came before
        detail = _first_line(str(error).replace(str(path), name)) or type(error).__name__
        msg = f"{name} cannot be read: it looks like {_article(kind)} but is damaged or truncated ({detail})."
        raise CannotRead(msg) from error


def _article(kind: str) -> str:
    return kind if kind.startswith("a ") else f"a {kind} file" if kind[0] not in "HM" else f"an {kind} file"


def _first_line(message: str) -> str:
    lines: Iterable[str] = message.splitlines()
    return next(iter(lines), "").strip().rstrip(".")[:160]
