"""500 mutations of small files of every format: none crashes the reader, hangs it, or comes with an absurd scale."""

import math
import random
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from antema.domain import CannotRead
from antema.imaging import read, read_safely, safe
from antema.imaging.dataset import PLAUSIBLE_NM
from tests.strategies import em_files
from tests.strategies.em_files import particle_image

N_MUTATIONS = 500

GREY = particle_image(shape=(20, 24))
BYTES = GREY.astype(np.uint8)
FEI = "[Beam]\r\nHV=200000\r\nScan=EScan\r\n[Scan]\r\nPixelWidth=1.5e-10\r\nPixelHeight=1.5e-10\r\n"
THERMO = '<Metadata><PixelSize><X unit="m">1.2E-10</X><Y unit="m">1.2E-10</Y></PixelSize></Metadata>'
OME = {"axes": "YX", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}


def write_ser_with_emi(path: Path) -> Path:
    ser = em_files.write_ser(path.with_name(f"{path.name}_1.ser"), GREY)
    em_files.write_emi(path.with_name(f"{path.name}.emi"))
    return ser


WRITERS = {
    "dm3": lambda path: em_files.write_dm3(path, GREY, 0.02, "nm", [("Voltage", 200e3)]),
    "dm4": lambda path: em_files.write_dm(path, [GREY, GREY[:9]], thumbnail=np.zeros((4, 5, 4), np.uint8)),
    "dm4 series": lambda path: em_files.write_dm(path, [np.stack([GREY, GREY])], (1.0, 0.2, 0.2)),
    "ser": lambda path: em_files.write_ser(path, GREY, elements=2),
    "ser with emi": write_ser_with_emi,
    "velox": lambda path: em_files.write_velox(path, {"HAADF": GREY}),
    "ncem": lambda path: em_files.write_ncem_emd(path, GREY),
    "hspy": lambda path: em_files.write_hspy(path, GREY),
    "mrc": lambda path: em_files.write_mrc(path, GREY.astype(np.int16)),
    "mrc of half bytes": lambda path: em_files.write_half_byte_mrc(path, GREY % 16),
    "mrc of FEI": lambda path: em_files.write_fei1_mrc(path, GREY.astype(np.int16)),
    "imagej": lambda path: em_files.write_imagej(path, GREY),
    "fei": lambda path: em_files.write_tiff_with_tag(path, GREY, 34682, FEI),
    "thermo": lambda path: em_files.write_tiff_with_tag(path, GREY, 34683, THERMO),
    "sis": lambda path: em_files.write_sis(path, GREY, thumbnail=np.zeros((4, 5, 3), np.uint8)),
    "ome": lambda path: tifffile.imwrite(path, GREY, ome=True, metadata=OME),
    "zlib": lambda path: tifffile.imwrite(path, GREY, compression="zlib", predictor=True),
    "lzw tiles": lambda path: tifffile.imwrite(path, np.stack([GREY] * 2), compression="lzw", tile=(16, 16)),
    "bigtiff": lambda path: tifffile.imwrite(path, GREY, bigtiff=True, resolution=(1e8, 1e8), resolutionunit=3),
    "png": lambda path: Image.fromarray(GREY).save(path, format="PNG"),
    "jpeg": lambda path: Image.fromarray(BYTES).save(path, format="JPEG"),
    "npy": lambda path: np.save(path, GREY),
}
#: Numbers that break what counts with them.
ODD = [
    bytes(4),
    b"\xff" * 4,
    b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x80",
    b"\x7f\xff\xff\xff",
    b"\x00\x00\xc0\x7f",
    b"\x01" * 4,
]


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Return a file with something changed, mostly in its first part, where the structure is."""
    changed = bytearray(content)
    place = rng.randrange(min(len(changed), 600) if rng.random() < 0.6 else len(changed))
    length = rng.randint(1, 64)
    match rng.randrange(7):
        case 0:
            del changed[place:]
        case 1:
            del changed[place : place + length]
        case 2:
            changed[place:place] = rng.randbytes(length)
        case 3:
            changed[place : place + 4] = rng.choice(ODD)
        case 4:
            changed[place : place + length] = bytes(length)
        case 5:
            source = rng.randrange(len(changed))
            changed[place : place + length] = changed[source : source + length]
        case _:
            for _ in range(rng.randint(1, 8)):
                changed[rng.randrange(min(len(changed), place + 1))] = rng.randrange(256)
    return bytes(changed)


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    files = {}
    for kind, write in WRITERS.items():
        path = folder / kind
        files[kind] = Path(write(path) or (path if path.exists() else path.with_name(f"{kind}.npy")))
    return files


@pytest.fixture
def reader(monkeypatch):
    own = safe._Pool(1)
    monkeypatch.setattr(safe, "_pool", own)
    yield own.readers[0]
    own.stop()


def test_whole_files_are_read(whole_files, reader):
    for kind, path in whole_files.items():
        # the format of Berkeley runs along the columns
        assert read_safely(path).shape == ((24, 20) if kind == "ncem" else (20, 24)), kind


def test_damage_of_the_grey_values_leaves_the_scale_alone(whole_files, tmp_path):
    rng = random.Random(2)
    n_kinds = 0
    for kind, path in whole_files.items():
        content, whole = bytearray(path.read_bytes()), read(path)
        stored = whole.pixels.astype(np.int16 if kind.startswith("mrc") else whole.pixels.dtype).tobytes()[:400]
        at = content.find(stored)
        if at < 0:
            continue
        for _ in range(5):
            content[at + rng.randrange(len(stored))] ^= 1 << rng.randrange(8)
        changed = path.with_name(f"changed {kind}_1.ser" if kind == "ser with emi" else f"changed {kind}")
        changed.write_bytes(bytes(content))
        micrograph = read(changed)
        assert not np.array_equal(micrograph.pixels, whole.pixels), kind
        assert micrograph.pixel_size.nm == whole.pixel_size.nm, kind
        n_kinds += 1
    assert n_kinds > 8


def test_no_mutation_crashes_hangs_or_gives_an_absurd_scale(whole_files, reader, tmp_path):
    rng = random.Random(1)
    n_read = 0
    read_safely(whole_files["png"])  # the start of the reader is not counted
    for number in range(N_MUTATIONS):
        kind = list(WRITERS)[number % len(WRITERS)]
        # in its own folder, so that a .ser finds its .emi
        path = whole_files[kind].with_name(f"m{number}_1.ser" if kind == "ser with emi" else f"m{number}")
        path.write_bytes(mutated(whole_files[kind].read_bytes(), rng))
        if kind == "ser with emi":
            emi = whole_files[kind].with_name("ser with emi.emi").read_bytes()
            path.with_name(f"m{number}.emi").write_bytes(mutated(emi, rng))
        started = time.perf_counter()
        try:
            micrograph = read_safely(path, name=f"{kind} {number}")
        except CannotRead as error:
            sentence = str(error)
            assert sentence.startswith(f"{kind} {number} ")
            assert sentence.endswith(".")
            assert "\n" not in sentence
            assert "crashed" not in sentence, sentence
        else:
            n_read += 1
            assert micrograph.pixels.ndim == 2
            nm, source = micrograph.pixel_size.nm, micrograph.pixel_size.source
            assert (nm is None) == source.startswith("none: "), (kind, number, source)
            assert nm is None or (math.isfinite(nm) and PLAUSIBLE_NM[0] <= nm <= PLAUSIBLE_NM[1]), (kind, number, nm)
        assert time.perf_counter() - started < 12, (kind, number)
        assert reader.peak_bytes < 600e6, (kind, number)
    # mutations that leave nothing readable, or change nothing, would test nothing
    assert 0.1 * N_MUTATIONS < n_read < 0.9 * N_MUTATIONS
