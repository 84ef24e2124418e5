"""Small files in the formats of microscopes, written for tests."""

import json
import struct
from pathlib import Path

import h5py
import numpy as np
import tifffile

MRC_MODES = {"i1": 0, "u1": 0, "i2": 1, "f4": 2, "u2": 6, "f2": 12}
DM_TYPES = {
    "int16": 1,
    "float32": 2,
    "uint8": 6,
    "int32": 7,
    "int8": 9,
    "uint16": 10,
    "uint32": 11,
    "float64": 12,
    "bool": 14,
}
DM_ITEM_CODES = {"int16": 2, "float32": 6, "uint8": 10, "int32": 3, "int8": 9, "uint16": 4, "uint32": 5, "float64": 7}


def particle_image(shape=(48, 64), dtype=np.uint16, seed=0):
    """A bright background with a dark disc, noisy, so that orientation mistakes show."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    image = 150 + 10 * rng.standard_normal(shape) + 0.3 * columns
    image[(rows - 12) ** 2 + (columns - 40) ** 2 < 64] -= 80
    return np.clip(np.rint(image), 0, 255).astype(dtype)


# --- MRC ---------------------------------------------------------------------------------------------------------


def write_mrc(path: Path, pixels, voxel_angstrom=2.0, *, mark=b"MAP ", extended=b"", order="<"):
    volume = pixels[None] if pixels.ndim == 2 else pixels
    nz, ny, nx = volume.shape
    header = bytearray(1024)
    mode = MRC_MODES[volume.dtype.str[1:]]
    struct.pack_into(order + "10i", header, 0, nx, ny, nz, mode, 0, 0, 0, nx, ny, nz)
    struct.pack_into(order + "3f", header, 40, nx * voxel_angstrom, ny * voxel_angstrom, nz * voxel_angstrom)
    struct.pack_into(order + "3i", header, 64, 1, 2, 3)
    struct.pack_into(order + "i", header, 92, len(extended))
    struct.pack_into(order + "f", header, 80, float(volume.max()))  # over 127: mode 0 is unsigned
    header[208:212] = mark
    header[212:216] = b"DD\x00\x00" if order == "<" else b"\x11\x11\x00\x00"
    path.write_bytes(bytes(header) + extended + volume.astype(volume.dtype.newbyteorder(order)).tobytes())
    return path


def write_half_byte_mrc(path: Path, pixels, voxel_angstrom=2.0):
    """An MRC file of mode 101: two values from 0 to 15 a byte, the first in the lower half, rows in whole bytes."""
    height, width = pixels.shape
    write_mrc(path, np.zeros((height, width), np.int8), voxel_angstrom)
    header = bytearray(path.read_bytes()[:1024])
    struct.pack_into("<i", header, 12, 101)
    padded = np.pad(pixels, ((0, 0), (0, width % 2))).astype(np.uint8)
    path.write_bytes(bytes(header) + (padded[:, ::2] | padded[:, 1::2] << 4).tobytes())
    return path


def write_fei1_mrc(path: Path, pixels, step_m=1.5e-10):
    """An MRC file as Thermo Fisher's cameras write it: an empty cell, the pixel size in the extended header."""
    record = bytearray(768)
    struct.pack_into("<ii", record, 0, 768, 2)
    record[20:36] = b"TITAN52334130".ljust(16, b"\x00")
    struct.pack_into("<d", record, 84, 300e3)
    struct.pack_into("<dd", record, 156, step_m, step_m)
    struct.pack_into("<d", record, 289, 96000.0)
    write_mrc(path, pixels, 0.0, extended=bytes(record))
    content = bytearray(path.read_bytes())
    content[104:108] = b"FEI1"
    path.write_bytes(bytes(content))
    return path


# --- TIA ---------------------------------------------------------------------------------------------------------


def write_ser(path: Path, pixels, pixel_size_m=2e-10, *, elements=1, announced=None):
    """A .ser file of images of 16-bit integers; `announced` puts another width and height into the header."""
    height, width = pixels.shape
    header = struct.pack("<HHHIIII", 0x4949, 0x0197, 0x0210, 0x4122, 0x4152, elements, elements)
    dimension = struct.pack("<IddII", elements, 0.0, 1.0, 0, 6) + b"Number" + struct.pack("<I", 0)
    data_at = 30 + len(dimension)
    element = struct.pack("<ddIddI", 0.0, pixel_size_m, 0, 0.0, pixel_size_m, 0)
    element += struct.pack("<HII", 2, *(announced or (width, height)))
    element += pixels[::-1].astype("<u2").tobytes()
    table_at = data_at + elements * len(element)
    tags_at = table_at + 8 * elements
    table = b"".join(struct.pack("<I", data_at + number * len(element)) for number in range(elements))
    table += b"".join(struct.pack("<I", tags_at + number * 8) for number in range(elements))
    tag = struct.pack("<HHI", 0x4152, 0, 1_400_000_000)
    path.write_bytes(header + struct.pack("<II", table_at, 1) + dimension + element * elements + table + tag * elements)
    return path


def write_emi(path: Path, mode="TEM uP SA Zoom Image"):
    """An .emi file that describes the .ser files beside it."""
    rows = {"Microscope": "Microscope made", "Mode": mode, "High tension": 200, "Magnification": 20000}
    units = {"High tension": "kV", "Magnification": "x"}
    data = "".join(
        f"<Data><Label>{label}</Label><Value>{value}</Value><Unit>{units.get(label, '')}</Unit></Data>"
        for label, value in rows.items()
    )
    described = f"<ExperimentalDescription><Root>{data}</Root></ExperimentalDescription>"
    acquired = "<AcquireInfo><DwellTimePath>0.5</DwellTimePath><CameraNamePath>Orius</CameraNamePath></AcquireInfo>"
    date = "<AcquireDate>Sun Feb 21 17:50:18 2016</AcquireDate>"
    conditions = "<ExperimentalConditions><MicroscopeConditions></MicroscopeConditions></ExperimentalConditions>"
    info = f"<ObjectInfo>{conditions}{described}{acquired}<DetectorRange></DetectorRange>{date}</ObjectInfo>"
    path.write_bytes(b"JK\x00\x02" + bytes(60) + info.encode() + bytes(20))
    return path


# --- DigitalMicrograph -------------------------------------------------------------------------------------------


# Tags are written by functions of the letter of a length: "I", 4 bytes, in DM3; "Q", 8 bytes, in DM4, where the number
# of bytes that follow stands behind each name as well.


def _dm_tag(word, name, kind, body):
    label = name.encode("latin-1")
    return struct.pack(">BH", kind, len(label)) + label + (struct.pack(">Q", len(body)) if word == "Q" else b"") + body


def _dm_group(name, *entries):
    def write(word):
        body = struct.pack(">BB" + word, 1, 0, len(entries)) + b"".join(entry(word) for entry in entries)
        return _dm_tag(word, name, 20, body)

    return write


def _dm_data(name, codes, content):
    def write(word):
        return _dm_tag(word, name, 21, b"%%%%" + struct.pack(f">{1 + len(codes)}{word}", len(codes), *codes) + content)

    return write


def _dm_number(name, code, form, value):
    return _dm_data(name, (code,), struct.pack("<" + form, value))


def _dm_text(name, text):
    units = text.encode("utf-16-le")
    return _dm_data(name, (20, 4, len(units) // 2), units)


def _dm_array(name, pixels):
    return _dm_data(name, (20, DM_ITEM_CODES[pixels.dtype.name], pixels.size), pixels.tobytes())


def _dm_image(pixels, scale, unit, tags, *, colours=False):
    shape = pixels.shape[:-1] if colours else pixels.shape
    scales = [scale] * len(shape) if np.isscalar(scale) else list(scale)
    dimensions = [
        _dm_group("", _dm_number("Origin", 6, "f", 0.0), _dm_number("Scale", 6, "f", step), _dm_text("Units", unit))
        for step in reversed(scales)
    ]
    brightness = _dm_group(
        "Brightness", _dm_number("Origin", 6, "f", 0.0), _dm_number("Scale", 6, "f", 1.0), _dm_text("Units", "")
    )
    lengths = [_dm_number("", 5, "I", length) for length in reversed(shape)]
    values = pixels.view(np.uint32)[..., 0] if colours else pixels.view(np.uint8) if pixels.dtype == bool else pixels
    kind = 23 if colours else DM_TYPES[pixels.dtype.name]
    data = _dm_group(
        "ImageData",
        _dm_group("Calibrations", brightness, _dm_group("Dimension", *dimensions)),
        _dm_array("Data", values),
        _dm_number("DataType", 5, "I", kind),
        _dm_group("Dimensions", *lengths),
    )
    info = [_dm_text(key, value) if isinstance(value, str) else _dm_number(key, 7, "d", value) for key, value in tags]
    return _dm_group("", data, _dm_group("ImageTags", _dm_group("Microscope Info", *info)), _dm_text("Name", "made"))


def write_dm3(path: Path, pixels, scale=0.25, unit="nm", tags=(), **options):
    """A DM3 file of one image; `tags` are pairs that go below Microscope Info. `write_dm` has the options."""
    return write_dm(path, [pixels], scale, unit, tags, version=3, **options)


def write_dm(path: Path, images, scale=0.25, unit="nm", tags=(), *, version=4, thumbnail=None, colours=False):
    """A DM3 or DM4 file of some images; `colours`: (..., 4) bytes each, blue, green, red, opacity."""
    word = "Q" if version == 4 else "I"
    entries = [_dm_image(pixels, scale, unit, tags, colours=colours) for pixels in images]
    if thumbnail is not None:
        entries.insert(0, _dm_image(thumbnail, 1.0, "", (), colours=True))
    image_list = _dm_group("ImageList", *entries)
    root = struct.pack(">BB" + word, 1, 0, 1) + image_list(word)
    path.write_bytes(struct.pack(f">I{word}I", version, len(root), 1) + root + bytes(8))
    return path


# --- HDF5 --------------------------------------------------------------------------------------------------------


def write_ncem_emd(path: Path, pixels, step=0.5, unit="[n_m]"):
    with h5py.File(path, "w") as file:
        file.attrs["version_major"], file.attrs["version_minor"] = 0, 2
        group = file.create_group("data/made")
        group.attrs["emd_group_type"] = 1
        group["data"] = pixels
        for number, length in enumerate(pixels.shape, start=1):
            vector = group.create_dataset(f"dim{number}", data=step * np.arange(length))
            vector.attrs["name"], vector.attrs["units"] = "xyz"[number - 1], unit
    return path


def write_sparse_emd(path: Path, shape=(20000, 10000)):
    """An EMD file whose image was announced and never written: kilobytes that read as hundreds of megabytes."""
    with h5py.File(path, "w") as file:
        file.attrs["version_major"], file.attrs["version_minor"] = 0, 2
        group = file.create_group("data/made")
        group.attrs["emd_group_type"] = 1
        group.create_dataset("data", shape=shape, dtype="f4", chunks=(500, 500))
        for number, length in enumerate(shape, start=1):
            group.create_dataset(f"dim{number}", data=np.arange(length), compression="gzip")
    return path


def write_hspy(path: Path, data, step=0.2, unit="nm", *, recorded=2):
    """A HyperSpy file whose last `recorded` axes belong to the signal, in the layout of version 3 of the format."""
    with h5py.File(path, "w") as file:
        file.attrs["file_format"], file.attrs["file_format_version"] = "HyperSpy", "3.3"
        group = file.create_group("Experiments/made")
        group.attrs["package"], group.attrs["package_version"] = "", ""
        group["data"] = data
        for number, length in enumerate(data.shape):
            axis = group.create_group(f"axis-{number}")
            axis.attrs.update(
                name="xyz"[number],
                navigate=number < data.ndim - recorded,
                offset=0.0,
                scale=step,
                size=length,
                units=unit,
                _type="UniformDataAxis",
            )
        group.create_group("metadata/General").attrs["title"] = "made"
        group.create_group("original_metadata")
        group.create_group("learning_results")
        group.create_group("attributes").attrs.update(_lazy=False, ragged=False)
    return path


# --- TIFF --------------------------------------------------------------------------------------------------------


def write_imagej(path: Path, pixels, step=0.0123, unit="nm"):
    tifffile.imwrite(path, pixels, imagej=True, resolution=(1 / step, 1 / step), metadata={"unit": unit})
    return path


def write_tiff_with_tag(path: Path, pixels, code, text, **options):
    """A TIFF with a private tag of bytes."""
    data = text.encode("latin-1") + b"\x00"
    tifffile.imwrite(path, pixels, extratags=[(code, 2, len(data), data, False)], metadata=None, **options)
    return path


def write_sis(path: Path, pixels, step_m=2.5e-10, thumbnail=None):
    """An Olympus SIS TIFF: a thumbnail in front, and the structure of tag 33560 as tifffile takes it apart.

    The structure holds a date, a name, and a table of blocks; block 1 has the exponent and the steps of both axes, the
    magnification and the camera. Its offset is from the file's start, so it is written behind the pages.
    """
    blank = struct.pack("<4s6xhhhhh6x32sH", b"SIS0", 30, 14, 5, 6, 118, b"made", 1) + struct.pack("<hhI", 1, 1, 0)
    with tifffile.TiffWriter(path) as writer:
        if thumbnail is not None:
            writer.write(thumbnail, photometric="rgb", metadata=None)
        writer.write(pixels, extratags=[(33560, 7, len(blank), blank, False)], metadata=None, contiguous=False)
    content = bytearray(path.read_bytes())
    block_at = len(content)
    steps = (step_m * 1e9, step_m * 1e9, 50000.0)
    struct.pack_into("<I", content, content.index(b"SIS0") + len(blank) - 4, block_at)
    block = struct.pack("<10xhdd8xd2x34s32s", -9, *steps, b"KeenView", b"TEM")
    path.write_bytes(bytes(content) + block)
    return path


def write_velox(path: Path, images, step_m=2e-10, unit="m"):
    """A Velox EMD file with one image (height, width, frames) for each detector name."""
    with h5py.File(path, "w") as file:
        file["Version"] = np.array([b'{"format": "Velox", "version": "2.5"}'], dtype="S64")
        for number, (detector, pixels) in enumerate(images.items()):
            stack = pixels[..., None] if pixels.ndim == 2 else pixels
            metadata = {
                "Core": {"MetadataDefinitionVersion": "7.9"},
                "Instrument": {"InstrumentClass": "Titan", "InstrumentModel": "Titan"},
                "Acquisition": {"AcquisitionStartDatetime": {"DateTime": "1596041299"}},
                "Optics": {"AccelerationVoltage": "300000", "NominalMagnification": "20000"},
                "Detectors": {"Detector-0": {"DetectorName": detector, "ExposureTime": "0.5"}},
                "BinaryResult": {
                    "Detector": detector,
                    "DetectorIndex": "0",
                    "PixelSize": {"width": repr(step_m), "height": repr(step_m)},
                    "PixelUnitX": unit,
                    "PixelUnitY": unit,
                    "Offset": {"x": "0", "y": "0"},
                },
                "Scan": {"DwellTime": "1e-05"},
            }
            text = json.dumps(metadata).encode()
            column = np.zeros((len(text) + 10, stack.shape[2]), np.uint8)
            column[: len(text)] = np.frombuffer(text, np.uint8)[:, None]
            group = file.create_group(f"Data/Image/{number:032x}")
            group["Metadata"] = column
            group.create_dataset("Data", data=stack, chunks=(*stack.shape[:2], 1))
    return path
