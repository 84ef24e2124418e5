"""Small files that want to take memory, time or other files from whoever opens them."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import tifffile

from tests.strategies import em_files
from tests.strategies.em_files import particle_image

WRITERS: dict[str, Callable[[Path], Path]] = {}
#: What the sentence must say of each of them.
REASONS: dict[str, str] = {}


def write(kind: str, folder: Path) -> Path:
    """Write the hostile file of a kind into a folder."""
    return WRITERS[kind](folder)


def hostile(reason: str):
    """Enter a writer into the list, under its name."""

    def enter(writer: Callable[[Path], Path]) -> Callable[[Path], Path]:
        WRITERS[writer.__name__], REASONS[writer.__name__] = writer, reason
        return writer

    return enter


# --- TIFF --------------------------------------------------------------------------------------------------------


def _tiff(folder: Path, **options) -> Path:
    path = folder / "a.tif"
    tifffile.imwrite(path, particle_image(), metadata=None, **options)
    return path


def _entry(path: Path, code: int) -> int:
    """Return where the entry of a tag is in the first page of a little-endian TIFF."""
    content = path.read_bytes()
    (at,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, at)
    return next(at + 2 + 12 * n for n in range(count) if struct.unpack_from("<H", content, at + 2 + 12 * n) == (code,))


def _patched(path: Path, at: int, form: str, *values) -> Path:
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, at, *values)
    path.write_bytes(bytes(content))
    return path


@hostile("runs in a circle")
def tiff_pages_in_a_circle(folder):
    path = _tiff(folder)
    (at,) = struct.unpack_from("<I", path.read_bytes(), 4)
    (count,) = struct.unpack_from("<H", path.read_bytes(), at)
    return _patched(path, at + 2 + 12 * count, "<I", at)


@hostile("more than 20,000 pages")
def tiff_of_200000_empty_pages(folder):
    pages = b"".join(struct.pack("<HI", 0, 8 + 6 * (number + 1)) for number in range(200_000))
    (folder / "a.tif").write_bytes(b"II*\x00\x08\x00\x00\x00" + pages + bytes(6))
    return folder / "a.tif"


@hostile("announces 65,000 tags")
def tiff_of_65000_tags(folder):
    entry = struct.pack("<HHII", 700, 1, 1, 0)
    (folder / "a.tif").write_bytes(b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 65000) + entry * 65000 + bytes(4))
    return folder / "a.tif"


@hostile("cannot be read")
def tiff_strip_table_of_16_gigabytes(folder):
    path = _tiff(folder, compression="zlib", rowsperstrip=8)
    return _patched(path, _entry(path, 273) + 4, "<I", 0x7FFFFFFF)


@hostile("more than 1024 MiB|which no micrograph does|has only")
def tiff_of_65535_squared(folder):
    path = _tiff(folder, compression="zlib")
    for code in (256, 257, 278):
        _patched(path, _entry(path, code) + 2, "<HII", 4, 1, 65535)
    return path


@hostile("which no micrograph does")
def tiff_of_blank_strips(folder):
    path = folder / "a.tif"
    tifffile.imwrite(path, np.zeros((9000, 9000), np.uint8), compression="zlib", metadata=None)
    return path


@hostile("declares entities")
def tiff_with_an_xml_bomb(folder):
    lines = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a0 "aaaaaaaaaa">{lines}]><TemReporter>&a11;</TemReporter>'
    return em_files.write_tiff_with_tag(folder / "a.tif", particle_image(), 34683, bomb)


# --- HDF5 --------------------------------------------------------------------------------------------------------


def _emd(folder: Path, make) -> Path:
    path = folder / "a.emd"
    with h5py.File(path, "w") as file:
        file.attrs["version_major"], file.attrs["version_minor"] = 0, 2
        group = file.create_group("data/made")
        group.attrs["emd_group_type"] = 1
        make(group)
        for number in (1, 2):
            group[f"dim{number}"] = np.arange(100.0)
    return path


@hostile("which no micrograph does")
def emd_of_chunks_never_written(folder):
    return em_files.write_sparse_emd(folder / "a.emd")


@hostile("which no micrograph does|a chunk of the array")
def emd_of_one_blank_chunk(folder):
    blank = {"shape": (20000, 10000), "dtype": "f4", "chunks": (20000, 10000), "compression": "gzip"}
    return _emd(folder, lambda group: group.create_dataset("data", **blank))


@hostile("link to another file")
def emd_that_links_to_another_file(folder):
    em_files.write_ncem_emd(folder / "secret.emd", particle_image())
    return _emd(folder, lambda group: group.update({"data": h5py.ExternalLink("secret.emd", "/data/made/data")}))


@hostile("in another file")
def emd_with_values_in_another_file(folder):
    (folder / "secret").write_bytes(bytes(range(100)) * 100)
    outside = {"shape": (100, 100), "dtype": "u1", "external": [(str(folder / "secret"), 0, 10_000)]}
    return _emd(folder, lambda group: group.create_dataset("data", **outside))


@hostile("in another file")
def emd_with_a_virtual_array(folder):
    em_files.write_ncem_emd(folder / "secret.emd", particle_image())
    layout = h5py.VirtualLayout(shape=(48, 64), dtype="u2")
    layout[:] = h5py.VirtualSource(str(folder / "secret.emd"), "data/made/data", shape=(48, 64))
    return _emd(folder, lambda group: group.create_virtual_dataset("data", layout))


@hostile("more than 20,000 groups")
def emd_of_many_groups(folder):
    def make(group):
        for number in range(20_001):
            group.create_group(str(number))

    return _emd(folder, make)


# --- others ------------------------------------------------------------------------------------------------------


@hostile("cannot be read")
def npy_with_a_header_of_4_gigabytes(folder):
    (folder / "a.npy").write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xFFFFFFF0) + b"{'descr': '<f8', ")
    return folder / "a.npy"


@hostile("has only")
def npy_of_a_terabyte(folder):
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 10000, 16), }".ljust(117) + "\n"
    (folder / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(64))
    return folder / "a.npy"


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@hostile("cannot be read")
def png_of_a_gigapixel(folder):
    head = _png_chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 8, 0, 0, 0, 0))
    data = _png_chunk(b"IDAT", zlib.compress(bytes(30001 * 1000), 9) * 3)
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + data + _png_chunk(b"IEND", b""))
    return folder / "a.png"


@hostile("cannot be read")
def png_with_texts_of_a_gigabyte(folder):
    head = _png_chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    text = _png_chunk(b"zTXt", b"a\x00\x00" + zlib.compress(bytes(64 << 20), 9))
    data = _png_chunk(b"IDAT", zlib.compress(bytes(72)))
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + text * 16 + data + _png_chunk(b"IEND", b""))
    return folder / "a.png"


@hostile("cannot be read")
def jpeg_of_65500_squared(folder):
    from PIL import Image

    Image.fromarray(particle_image(dtype=np.uint8)).save(folder / "a.jpg")
    content = bytearray((folder / "a.jpg").read_bytes())
    struct.pack_into(">HH", content, content.index(b"\xff\xc0") + 5, 65500, 65500)
    (folder / "a.jpg").write_bytes(bytes(content))
    return folder / "a.jpg"


@hostile("nested deeper")
def dm3_of_10000_levels(folder):
    root = struct.pack(">BBI", 1, 0, 1) + struct.pack(">BHBBI", 20, 0, 1, 0, 1) * 10_000
    (folder / "a.dm3").write_bytes(struct.pack(">III", 3, len(root), 1) + root)
    return folder / "a.dm3"


@hostile("took longer")
def dm3_of_a_million_tags(folder):
    tag = struct.pack(">BH", 21, 0) + b"%%%%" + struct.pack(">II", 1, 8) + b"\x00"
    root = struct.pack(">BBI", 1, 0, 1_000_000) + tag * 1_000_000
    (folder / "a.dm3").write_bytes(struct.pack(">III", 3, len(root), 1) + root)
    return folder / "a.dm3"


@hostile("damaged or truncated|took longer|more memory")
def dm4_with_long_names(folder):
    name = b"n" * 60_000
    group = struct.pack(">BH", 20, len(name)) + name + bytes(8) + struct.pack(">BBQ", 1, 0, 1)
    root = struct.pack(">BBQ", 1, 0, 1) + group * 60
    (folder / "a.dm4").write_bytes(struct.pack(">IQI", 4, len(root), 1) + root)
    return folder / "a.dm4"


@hostile("has only|inside of its tags")
def dm3_array_beyond_the_file(folder):
    path = em_files.write_dm3(folder / "a.dm3", particle_image())
    content = path.read_bytes()
    count = struct.pack(">III", 20, 4, particle_image().size)
    path.write_bytes(content.replace(count, struct.pack(">III", 20, 4, 0xFFFFFFF0)))
    return path


@hostile("has only|more than 1024 MiB")
def ser_of_a_gigapixel(folder):
    return em_files.write_ser(folder / "a.ser", particle_image(), announced=(30000, 30000))


@hostile("has only")
def ser_with_100000_elements_of_one_image(folder):
    path = em_files.write_ser(folder / "a.ser", particle_image(shape=(512, 512)))
    content = bytearray(path.read_bytes())
    (table_at,) = struct.unpack_from("<I", content, 22)
    first = content[table_at : table_at + 4]
    struct.pack_into("<II", content, 14, 100_000, 100_000)
    struct.pack_into("<I", content, 22, len(content))
    path.write_bytes(bytes(content) + bytes(first) * 200_000)
    return path


@hostile("not beside it")
def emi_whose_data_are_a_link_out_of_its_folder(folder):
    (folder / "inside").mkdir()
    (folder / "inside" / "a.emi").write_bytes(b"JK\x00\x02" + bytes(100))
    secret = em_files.write_ser(folder / "secret_1.ser", particle_image())
    (folder / "inside" / "a_1.ser").symlink_to(secret)
    return folder / "inside" / "a.emi"


@hostile("cannot be read")
def mrc_of_a_billion_frames(folder):
    return _patched(em_files.write_mrc(folder / "a.mrc", particle_image(dtype="i2")), 8, "<i", 0x7FFFFFFF)


@hostile("extended header")
def mrc_with_a_negative_extended_header(folder):
    return _patched(em_files.write_mrc(folder / "a.mrc", particle_image(dtype="i2")), 92, "<i", -1024)
