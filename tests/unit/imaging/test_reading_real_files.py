"""Every real file of the manifest gives what RosettaSciIO gives, or is refused where it is no micrograph."""

import json
import math
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from antema.domain import CannotRead, NotAnImage, length_in_nm
from antema.imaging import read, read_all
from antema.imaging.dataset import is_reciprocal
from antema.imaging.formats import dm, mrc

IMAGE, REFUSED, UNREADABLE = "image", "refused", "unreadable"

#: Files where the expectation derived from RosettaSciIO's result is not what is wanted, and why.
EXCEPTIONS = {
    "dm/bismuth.dm4": (REFUSED, "uncalibrated, but the microscope was in diffraction mode"),
    "dm/2D_test-MonarcCL_spectrum-SI.dm4": (REFUSED, "its nm are wavelengths: a spectrum image by its own tags"),
    "dm/2D_test-MonoCL_spectrum-SI.dm4": (REFUSED, "its nm are wavelengths: a line scan by its own tags"),
    "dm/ref_F_2_1.dm3": (REFUSED, "a spectrum image by its own tags"),
    "tiff/JEOL-SightX-Ronchigram-dummy.tif": (REFUSED, "a ronchigram"),
    "tia/new/128x128x5-diffraction_preview_1.ser": (REFUSED, "reciprocal metres written as metres"),
    "tia/new/16x16-line_profile_horizontal_5x128x128_EDS_2.ser": (REFUSED, "reciprocal metres written as metres"),
    "tia/new/128x128-TEM_search.emi": (UNREADABLE, "its .ser file is not among the data"),
    "tia/old/16x16-2_point-spectra-2x1024.emi": (UNREADABLE, "its .ser file is not among the data"),
    "emd/example_object_dtype_data.emd": (UNREADABLE, "text where numbers belong: no reader has a use for it"),
    "mrc/20241021_00405_movie.mrc": (IMAGE, "4-D by its side file alone; without a scale, as a series"),
}

#: What the manifest has no expectation for, by suffix.
WITHOUT_EXPECTATION = {".txt": UNREADABLE, ".csv": UNREADABLE, ".gz": UNREADABLE, ".png": IMAGE, ".jpg": IMAGE}


def manifest(folder: Path):
    path = folder / "formats" / "manifest.json"
    if not path.is_file():
        pytest.skip(f"no manifest at {path}")
    return json.loads(path.read_text())


def is_expected_image(signal) -> bool:
    axes = signal["axes"]
    units = [axis[2] or "" for axis in axes]
    recorded = [axis for axis in axes if not axis[3]]
    return (
        2 <= len(axes) <= 3
        and min(signal["shape"][-2:]) >= 2
        and len(recorded) >= 2
        and not signal["dtype"].startswith(("complex", "object"))
        and not any(unit in ("eV", "keV") for unit in units)
        and not any(is_reciprocal(unit) for unit in units[-2:])
    )


def expected_nm(signal) -> float | None:
    sizes = [length_in_nm(axis[1], axis[2] or "") for axis in signal["axes"][-2:]]
    if None in sizes or abs(sizes[0] - sizes[1]) > 1e-3 * max(sizes):
        return None
    return sizes[1]


def expectation(entry):
    if entry["file"] in EXCEPTIONS:
        return EXCEPTIONS[entry["file"]][0]
    result = entry["rsciio"]
    if not result:
        return WITHOUT_EXPECTATION[Path(entry["file"]).suffix]
    if not result["ok"]:
        return UNREADABLE
    return IMAGE if any(is_expected_image(signal) for signal in result["sig"]) else REFUSED


def mismatch(folder: Path, entry) -> str:
    """Say how a file's result differs from what is expected; empty where it does not."""
    wanted = expectation(entry)
    try:
        micrograph = read(folder / "formats" / entry["file"])
    except NotAnImage as error:
        return "" if wanted == REFUSED else f"expected {wanted}, found: {error}"
    except CannotRead as error:
        return "" if wanted == UNREADABLE else f"expected {wanted}, found: {error}"
    if wanted != IMAGE:
        return f"expected {wanted}, found an image of {micrograph.shape}"
    if entry["file"] in EXCEPTIONS or not entry["rsciio"]:
        return "" if micrograph.pixel_size.nm is None else f"expected no scale, found {micrograph.pixel_size}"
    signals = [signal for signal in entry["rsciio"]["sig"] if is_expected_image(signal)]
    found = (micrograph.shape, micrograph.pixels.dtype.name, micrograph.pixel_size.nm)
    for signal in signals:
        nm, dtype = expected_nm(signal), signal["dtype"]
        dtype = "uint8" if dtype.startswith("[") else dtype
        same_scale = nm is found[2] if None in (nm, found[2]) else math.isclose(nm, found[2], rel_tol=1e-5)
        if (tuple(signal["shape"][-2:]), dtype) == found[:2] and same_scale:
            return ""
    return f"expected one of {signals}, found {found} ({micrograph.pixel_size.source})"


def test_every_real_file_gives_what_is_expected(shared_data):
    entries = manifest(shared_data)

    mismatches = {entry["file"]: text for entry in entries if (text := mismatch(shared_data, entry))}

    assert mismatches == {}
    assert len(entries) == 155


def test_every_exception_is_a_file_of_the_manifest(shared_data):
    assert set(EXCEPTIONS) <= {entry["file"] for entry in manifest(shared_data)}


def test_read_all_gives_every_detector_and_every_frame(shared_data):
    four = read_all(shared_data / "formats/emd/STEM HAADF-DF4-DF2-BF Diffraction Micro.emd")
    series = read_all(shared_data / "formats/tia/old/16x16x5_STEM_BF_DF_preview_1.ser")

    assert {one.name.split("[")[1] for one in four} == {"HAADF]", "DF2]", "BF]", "DF4]"}
    assert [one.name.split("[")[1] for one in series] == [f"frame {number} of 5]" for number in range(1, 6)]
    theirs = pytest.importorskip("rsciio.tia").file_reader(
        str(shared_data / "formats/tia/old/16x16x5_STEM_BF_DF_preview_1.ser")
    )
    np.testing.assert_array_equal(np.stack([one.pixels for one in series]), theirs[0]["data"])


def test_the_fft_of_a_velox_file_is_passed_over(shared_data):
    micrograph = read(shared_data / "formats/emd/FFTComplexEven.emd")

    assert micrograph.metadata["data_set"] == "HAADF"
    assert micrograph.pixel_size.nm == pytest.approx(27.1153, rel=1e-5)


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("dm/2D_test_STEM_image.dm3", "digitalmicrograph"),
        ("dm/2D_test-23.dm3", "digitalmicrograph"),
        ("dm/dmTest_float32_nonSquare_diffPixelSize.dm4", "digitalmicrograph"),
        ("tiff/JEOL-SightX-TEM-mag-dummy.tif", "tiff"),
        ("emd/Camera Ceta Imaging Micro.emd", "emd"),
    ],
)
def test_pixels_are_those_that_rosettasciio_reads(shared_data, file, module):
    reader = pytest.importorskip(f"rsciio.{module}")
    path = shared_data / "formats" / file
    if not path.is_file():
        pytest.skip(f"no file at {path}")

    theirs = np.asarray(reader.file_reader(str(path))[0]["data"])
    if theirs.dtype.names:
        luminance = 0.299 * theirs["R"] + 0.587 * theirs["G"] + 0.114 * theirs["B"]
        theirs = np.rint(luminance).astype(np.uint8)

    np.testing.assert_array_equal(read(path).pixels, theirs)


#: What ncempy cannot read among the real files of its formats, and RosettaSciIO does: colours, switches, a packed
#: Fourier transform, spectra.
NOT_BY_NCEMPY = {
    "2D_test-23.dm3",
    "2D_test-8.dm4",
    "2D_test_fft_packed_complex8.dm4",
    "3D_test-23.dm4",
}


def test_ncempy_reads_what_it_reads_soundly(shared_data, monkeypatch):
    """No file of its formats comes to RosettaSciIO but those that are known to have to."""
    passed_on = set()
    for module, passing_on in ((dm, "_by_rosettasciio"), (mrc, "_by_rosettasciio")):
        original = getattr(module, passing_on)

        def note(path, *rest, original=original):
            passed_on.add(path.name)
            return original(path, *rest)

        monkeypatch.setattr(module, passing_on, note)
    n_files = 0
    for path in sorted([*(shared_data / "formats/dm").glob("*.dm?"), *(shared_data / "formats/mrc").glob("*.mrc")]):
        with suppress(NotAnImage):
            read(path)
        n_files += 1

    assert passed_on == NOT_BY_NCEMPY
    assert n_files == 61


def test_images_of_ser_files_are_read_by_ncempy(shared_data, monkeypatch):
    monkeypatch.setattr("rsciio.tia.file_reader", lambda _: pytest.fail("an image was left to RosettaSciIO"))
    images = [path for path in sorted((shared_data / "formats/tia").rglob("*TEM*_?.ser")) if "profile" not in path.name]

    for path in images:
        assert read(path).pixel_size.is_known, path.name
    assert len(images) == 8


def test_metadata_worth_keeping_is_kept(shared_data):
    formats = shared_data / "formats"

    dm = read(formats / "dm/2D_test_STEM_image.dm3").metadata
    velox = read(formats / "emd/Camera Ceta Imaging Micro.emd").metadata
    zeiss = read(formats / "tiff/ZEISS_SEM_multipage.tif").metadata
    fei = read(formats / "tiff/fei-sem-rbc.tif").metadata
    tvips = read(formats / "tiff/TVIPS_bin4.tif").metadata
    ncem = read(formats / "emd/Acquisition_18.emd").metadata
    tia = read(formats / "tia/old/64x64_TEM_images_acquire_1.ser").metadata

    assert (dm["voltage_kv"], dm["magnification"], dm["detector"]) == (200.0, 225000.0, "DigiScan")
    assert (velox["voltage_kv"], velox["instrument"], velox["exposure_s"]) == (300.0, "Titan", 0.4)
    assert (fei["detector"], fei["exposure_s"], fei["dwell_time_s"]) == ("ETD", 15.831, 1e-5)
    assert (tvips["instrument"], tvips["date"], tvips["exposure_s"]) == ("MCL_04", "2017-04-12 09:01:17", 0.4)
    assert (ncem["voltage_kv"], ncem["magnification"], ncem["instrument"]) == (200.0, 5.1e6, "TEAM 0.5")
    assert (tia["voltage_kv"], tia["magnification"], tia["detector"]) == (200.0, 19500.0, "WA-Orius")
    assert (zeiss["voltage_kv"], zeiss["magnification"], zeiss["detector"]) == (1.8, 4530.0, "InLens")
