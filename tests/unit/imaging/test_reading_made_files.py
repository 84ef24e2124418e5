"""Each format that can be written here is read back with its values, its type and its scale."""

import io
import struct

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from antema.domain import CannotRead, NotAnImage
from antema.imaging import contents, file_sha256, read, read_all, supported_suffixes
from tests.strategies import em_files
from tests.strategies.em_files import particle_image


@pytest.fixture
def pixels():
    return particle_image()


def test_the_name_the_hash_and_the_format_come_with_the_pixels(tmp_path, pixels):
    path = em_files.write_imagej(tmp_path / "a.tif", pixels)

    micrograph = read(path)

    assert micrograph.name == "a.tif"
    assert micrograph.sha256 == file_sha256(path)
    assert micrograph.metadata["format"] == "TIFF"
    assert read(path, name="Gold 7.tif").name == "Gold 7.tif"


class Pipe(io.RawIOBase):
    """Bytes that can be read once, as from a socket."""

    def __init__(self, content: bytes) -> None:
        self._rest = io.BytesIO(content)

    def read(self, size=-1):
        return self._rest.read(size)


def test_a_file_object_is_read_like_the_file(tmp_path, pixels):
    path = em_files.write_imagej(tmp_path / "a.tif", pixels)
    at_its_end = io.BytesIO(path.read_bytes())
    at_its_end.seek(0, io.SEEK_END)

    with path.open("rb") as stream:
        sources = [stream, at_its_end, Pipe(path.read_bytes())]
        for source in sources:
            micrograph = read(source)
            np.testing.assert_array_equal(micrograph.pixels, pixels)
            assert micrograph.pixel_size.nm == pytest.approx(0.0123)
            assert micrograph.sha256 == file_sha256(path)
        assert read(stream).name == "a.tif"
    assert read(io.BytesIO(path.read_bytes())).name == "the file"
    assert [one.name for one in read_all(io.BytesIO(path.read_bytes()), name="b.tif")] == ["b.tif"]
    assert contents(io.BytesIO(path.read_bytes())) == contents(path)
    with path.open(encoding="latin-1") as text, pytest.raises(CannotRead, match="found one opened as text"):
        read(text)
    with pytest.raises(CannotRead, match="the file cannot be read: the file is empty"):
        read(io.BytesIO())


def test_a_file_is_read_by_its_content_whatever_its_name_is(tmp_path, pixels):
    path = em_files.write_imagej(tmp_path / "stored-without-suffix", pixels)
    ser = em_files.write_ser(tmp_path / "another.dm3", pixels)
    emd = em_files.write_ncem_emd(tmp_path / "third.txt", pixels)

    assert read(path).pixel_size.nm == pytest.approx(0.0123)
    assert read(ser).pixel_size.nm == pytest.approx(0.2)
    assert read(emd).pixel_size.nm == pytest.approx(0.5)


# --- formats


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"])
def test_dm3_keeps_type_values_and_scale(tmp_path, dtype):
    image = particle_image(dtype=np.int16).astype(dtype)

    micrograph = read(em_files.write_dm3(tmp_path / "a.dm3", image, 0.02, "nm", [("Voltage", 200e3), ("Name", "T")]))

    np.testing.assert_array_equal(micrograph.pixels, image)
    assert micrograph.pixels.dtype == dtype
    assert micrograph.pixel_size.nm == pytest.approx(0.02)
    assert micrograph.pixel_size.source == "file: DM ImageData.Calibrations"
    assert micrograph.metadata["voltage_kv"] == 200.0
    assert micrograph.metadata["instrument"] == "T"
    assert micrograph.metadata["format"] == "DM3"


def test_a_dm3_series_gives_its_frames(tmp_path):
    series = np.stack([particle_image(seed=seed) for seed in range(3)])
    path = em_files.write_dm3(tmp_path / "a.dm3", series, (1.0, 0.5, 0.5), "nm")

    frames = read_all(path)

    assert len(frames) == 3
    np.testing.assert_array_equal(np.stack([frame.pixels for frame in frames]), series)
    np.testing.assert_array_equal(read(path, data=2).pixels, series[2])
    np.testing.assert_array_equal(read(path).pixels, series[0])
    with pytest.raises(CannotRead, match="from 0 to 2, found 3"):
        read(path, data=3)


@pytest.mark.parametrize(
    ("scale", "unit", "reason"),
    [
        (0.1, "", "gives no pixel size"),
        (float("nan"), "nm", "not a positive number"),
        (0.0, "nm", "not a positive number"),
        (-1.0, "nm", "not a positive number"),
        (0.1, "furlong", "'furlong' .* no length"),
        ((0.1, 0.2), "nm", "not square"),
        ((0.1, 0.1002), "nm", "not square"),
        (2.0, "m", "none of a microscope"),
    ],
)
def test_a_scale_that_is_none_is_named(tmp_path, pixels, scale, unit, reason):
    micrograph = read(em_files.write_dm3(tmp_path / "a.dm3", pixels, scale, unit))

    assert micrograph.pixel_size.nm is None
    assert micrograph.pixel_size.source.startswith("none: ")
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(micrograph.pixel_size.source)


@pytest.mark.parametrize("unit", ["1/nm", "1/Å".replace("Å", "A"), "mrad"])
def test_a_diffraction_pattern_is_refused_by_its_units(tmp_path, pixels, unit):
    with pytest.raises(NotAnImage, match="a.dm3 holds no micrograph: it is a diffraction pattern"):
        read(em_files.write_dm3(tmp_path / "a.dm3", pixels, 0.1, unit))


def test_a_diffraction_pattern_is_refused_by_the_mode_where_it_has_no_units(tmp_path, pixels):
    in_diffraction = em_files.write_dm3(tmp_path / "a.dm3", pixels, 8.0, "", [("Operation Mode", "DIFFRACTION")])
    # STEM is always in diffraction, which only the imaging mode says
    in_stem = em_files.write_dm3(
        tmp_path / "b.dm3", pixels, 0.1, "nm", [("Operation Mode", "SCANNING"), ("Imaging Mode", "DIFFRACTION")]
    )

    with pytest.raises(NotAnImage, match="diffraction mode"):
        read(in_diffraction)
    assert read(in_stem).pixel_size.nm == pytest.approx(0.1)


def test_spectra_are_refused(tmp_path, pixels):
    with pytest.raises(NotAnImage, match="it is a line scan of spectra"):
        read(em_files.write_dm3(tmp_path / "a.dm3", pixels, 0.3, "eV"))
    with pytest.raises(NotAnImage, match="it is a spectrum"):
        read(em_files.write_dm3(tmp_path / "b.dm3", pixels[0], 0.3, "eV"))


def test_dm4_gives_its_images_without_the_thumbnail(tmp_path, pixels):
    thumbnail = np.zeros((6, 8, 4), np.uint8)

    images = read_all(em_files.write_dm(tmp_path / "a.dm4", [pixels, pixels[:10]], thumbnail=thumbnail))

    assert [(image.name, image.shape) for image in images] == [
        ("a.dm4 [made (1)]", (48, 64)),
        ("a.dm4 [made (2)]", (10, 64)),
    ]
    np.testing.assert_array_equal(images[0].pixels, pixels)
    assert images[0].pixel_size.nm == pytest.approx(0.25)
    assert images[0].metadata["format"] == "DM4"


def test_dm4_switches_and_colours_become_grey_values(tmp_path, pixels):
    colours = np.zeros((4, 6, 4), np.uint8)
    colours[0, :, 2], colours[1, :, 1], colours[2, :, 0], colours[3] = 255, 255, 255, (7, 7, 7, 255)

    switches = read(em_files.write_dm(tmp_path / "a.dm4", [pixels > 100]))
    grey = read(em_files.write_dm(tmp_path / "b.dm4", [colours], colours=True))

    np.testing.assert_array_equal(switches.pixels, np.where(pixels > 100, 255, 0))
    assert switches.pixels.dtype == np.uint8
    assert grey.pixels[:, 0].tolist() == [76, 150, 29, 7]


@pytest.mark.parametrize("dtype", ["<i1", "<u1", "<f2", "<i2", "<u2", "<f4", ">i2", ">f4"])
@pytest.mark.parametrize("mark", [b"MAP ", bytes(4)])
def test_mrc_keeps_type_values_and_scale(tmp_path, dtype, mark):
    image = particle_image(dtype=dtype[1:])

    micrograph = read(em_files.write_mrc(tmp_path / "a.mrc", image, 2.5, mark=mark, order=dtype[0]))

    np.testing.assert_array_equal(micrograph.pixels, image)
    assert micrograph.pixels.dtype == np.dtype(dtype[1:])
    assert micrograph.pixels.dtype.isnative
    assert micrograph.pixel_size.nm == pytest.approx(0.25)


def test_half_bytes_of_an_mrc_are_taken_apart(tmp_path, pixels):
    image = pixels[:, :63] % 16

    np.testing.assert_array_equal(read(em_files.write_half_byte_mrc(tmp_path / "a.mrc", image)).pixels, image)


def test_thermos_newer_extended_header_serves_where_the_cell_is_empty(tmp_path):
    micrograph = read(em_files.write_fei1_mrc(tmp_path / "a.mrc", particle_image(dtype="i2"), 1.5e-10))

    assert micrograph.pixel_size.nm == pytest.approx(0.15)
    assert micrograph.pixel_size.source == "file: FEI1 extended header, pixel size"
    assert (micrograph.metadata["voltage_kv"], micrograph.metadata["magnification"]) == (300.0, 96000.0)


def test_an_mrc_that_knows_no_pixel_size_has_none(tmp_path):
    image = particle_image(dtype="i2")

    for name, voxel in (("empty", 0.0), ("one", 1.0), ("negative", -10.0)):
        micrograph = read(em_files.write_mrc(tmp_path / name, image, voxel))
        assert micrograph.pixel_size.nm is None, name
        assert "MRC header" in micrograph.pixel_size.source


def test_a_foreign_extended_header_of_an_mrc_is_skipped(tmp_path):
    image = particle_image(dtype="i2")

    micrograph = read(em_files.write_mrc(tmp_path / "a.mrc", image, 2.5, extended=b"SERI" * 512))

    np.testing.assert_array_equal(micrograph.pixels, image)
    assert micrograph.pixel_size.nm == pytest.approx(0.25)


def test_ser_is_read_upright_in_nanometres(tmp_path, pixels):
    micrograph = read(em_files.write_ser(tmp_path / "a.ser", pixels, 3e-10))

    np.testing.assert_array_equal(micrograph.pixels, pixels)
    assert micrograph.pixel_size.nm == pytest.approx(0.3)


def test_a_ser_in_reciprocal_metres_is_a_diffraction_pattern(tmp_path, pixels):
    with pytest.raises(NotAnImage, match="reciprocal metres"):
        read(em_files.write_ser(tmp_path / "a.ser", pixels, 4e7))


def test_the_emi_beside_a_ser_gives_its_unit_and_what_the_microscope_noted(tmp_path, pixels):
    ser = em_files.write_ser(tmp_path / "a_1.ser", pixels, 3e-10)
    alone = read(ser)
    emi = em_files.write_emi(tmp_path / "a.emi")

    for path in (ser, emi):
        micrograph = read(path)
        np.testing.assert_array_equal(micrograph.pixels, pixels)
        assert micrograph.pixel_size.nm == pytest.approx(0.3)
        assert micrograph.pixel_size.source.startswith("sidecar: TIA CalibrationDelta")
        assert (micrograph.metadata["voltage_kv"], micrograph.metadata["exposure_s"]) == (200.0, 0.5)
    assert alone.pixel_size.source == "file: TIA CalibrationDelta"
    em_files.write_emi(emi, mode="TEM uP SA Diffraction")
    with pytest.raises(NotAnImage, match="diffraction pattern"):
        read(ser)


def test_an_emi_out_of_the_folder_is_not_followed(tmp_path, pixels):
    (tmp_path / "inside").mkdir()
    ser = em_files.write_ser(tmp_path / "inside" / "a_1.ser", pixels)
    em_files.write_emi(tmp_path / "secret.emi", mode="TEM uP SA Diffraction")
    (tmp_path / "inside" / "a.emi").symlink_to(tmp_path / "secret.emi")

    assert read(ser).pixel_size.source == "file: TIA CalibrationDelta"


def test_velox_gives_each_detector_and_each_frame(tmp_path, pixels):
    series = np.stack([pixels, pixels + 1], axis=-1)
    path = em_files.write_velox(tmp_path / "a.emd", {"HAADF": pixels, "BF": series})

    images = {image.name: image for image in read_all(path)}

    assert list(images) == ["a.emd [HAADF]", "a.emd [BF, frame 1 of 2]", "a.emd [BF, frame 2 of 2]"]
    np.testing.assert_array_equal(images["a.emd [BF, frame 2 of 2]"].pixels, pixels + 1)
    haadf = images["a.emd [HAADF]"]
    assert haadf.pixel_size.nm == pytest.approx(0.2)
    assert haadf.pixel_size.source == "file: Velox BinaryResult.PixelSize"
    expected = {"voltage_kv": 300.0, "magnification": 20000.0, "instrument": "Titan", "detector": "HAADF"}
    assert expected.items() <= dict(haadf.metadata).items()
    assert (haadf.metadata["exposure_s"], haadf.metadata["date"]) == (0.5, "2020-07-29 16:48:19")
    with pytest.raises(NotAnImage, match="diffraction pattern"):
        read(em_files.write_velox(tmp_path / "b.emd", {"BM-Ceta": pixels}, 1.1e8, "1/m"))


def test_berkeley_emd_is_read_in_its_odd_unit(tmp_path, pixels):
    micrograph = read(em_files.write_ncem_emd(tmp_path / "a.emd", pixels, 0.0125, "[n_m]"))

    # dim1 of the format runs along the rows
    np.testing.assert_array_equal(micrograph.pixels, pixels.T)
    assert micrograph.pixel_size.nm == pytest.approx(0.0125)
    assert micrograph.metadata["format"] == "EMD (Berkeley)"


def test_hspy_is_read(tmp_path, pixels):
    path = em_files.write_hspy(tmp_path / "a.hspy", pixels, 0.2, "nm")

    micrograph = read(path)

    np.testing.assert_array_equal(micrograph.pixels, pixels)
    assert micrograph.pixel_size.nm == pytest.approx(0.2)
    assert micrograph.metadata["format"] == "HyperSpy"
    with pytest.raises(NotAnImage, match="a spectrum image"):
        read(em_files.write_hspy(tmp_path / "b.hspy", np.zeros((4, 5, 6)), 0.2, "nm", recorded=1))


@pytest.mark.parametrize("compression", ["gzip", "lzf", "Blosc", "Zstd", "Bitshuffle"])
def test_compressions_of_hdf5(tmp_path, pixels, compression):
    hdf5plugin = pytest.importorskip("hdf5plugin")
    how = getattr(hdf5plugin, compression)() if compression[0].isupper() else {"compression": compression}
    path = em_files.write_hspy(tmp_path / "a.hspy", pixels, 0.2, "nm")
    with h5py.File(path, "r+") as file:
        group = file["Experiments/made"]
        del group["data"]
        group.create_dataset("data", data=pixels, chunks=(16, 16), **how)

    np.testing.assert_array_equal(read(path).pixels, pixels)


def test_another_hdf5_file_is_named(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["numbers"] = np.arange(5)

    with pytest.raises(CannotRead, match="it is an HDF5 file, but neither EMD"):
        read(tmp_path / "a.h5")


def test_npy_is_read_and_pickles_are_not(tmp_path, pixels):
    np.save(tmp_path / "a.npy", pixels.astype(np.float64))
    np.save(tmp_path / "b.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)

    assert read(tmp_path / "a.npy").pixels.dtype == np.float64
    assert read(tmp_path / "a.npy").pixel_size.nm is None
    with pytest.raises(CannotRead, match="Python objects"):
        read(tmp_path / "b.npy")


# --- pictures


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_keeps_its_depth_and_has_no_scale(tmp_path, dtype):
    image = particle_image(dtype=dtype) * dtype(3 if dtype is np.uint16 else 1)
    Image.fromarray(image).save(tmp_path / "a.png", dpi=(300, 300))

    micrograph = read(tmp_path / "a.png")

    np.testing.assert_array_equal(micrograph.pixels, image)
    assert micrograph.pixels.dtype == dtype
    assert micrograph.pixel_size.source == "none: a PNG has no pixel size of a specimen, its 300 dpi are a screen's"


def test_the_resolution_of_a_png_is_taken_where_only_a_microscope_can_have_it(tmp_path, pixels):
    per_metre = 1e9 / 0.5
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "a.png", dpi=(per_metre * 0.0254, per_metre * 0.0254))

    micrograph = read(tmp_path / "a.png")

    assert micrograph.pixel_size.nm == pytest.approx(0.5, rel=1e-6)
    assert micrograph.pixel_size.source == "file: PNG pHYs"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_a_grey_picture_saved_in_colours_is_the_same_picture(tmp_path, pixels, mode):
    image = pixels.astype(np.uint8)
    Image.fromarray(image).convert(mode).save(tmp_path / "a.png")

    micrograph = read(tmp_path / "a.png")

    np.testing.assert_array_equal(micrograph.pixels, image)
    assert micrograph.pixels.dtype == np.uint8


def test_colours_become_grey_by_their_luminance(tmp_path):
    colours = np.zeros((4, 4, 3), np.uint8)
    colours[0], colours[1], colours[2] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    Image.fromarray(colours).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", colours, photometric="rgb")
    tifffile.imwrite(tmp_path / "b.tif", np.moveaxis(colours, -1, 0), photometric="rgb", planarconfig="separate")

    for name in ("a.png", "a.tif", "b.tif"):
        assert read(tmp_path / name).pixels[:, 0].tolist() == [76, 150, 29, 0], name


def test_jpeg_is_read(tmp_path, pixels):
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "a.jpg", quality=95)

    micrograph = read(tmp_path / "a.jpg")

    assert np.abs(micrograph.pixels.astype(int) - pixels).max() < 30
    assert micrograph.pixel_size.nm is None


# --- TIFF


@pytest.mark.parametrize("unit", ["nm", "\\u00B5m", "um", "micron", "pm"])
def test_imagej_units(tmp_path, pixels, unit):
    nm = {"nm": 1.0, "pm": 1e-3}.get(unit, 1e3)

    micrograph = read(em_files.write_imagej(tmp_path / "a.tif", pixels, 0.0123 / nm, unit))

    np.testing.assert_array_equal(micrograph.pixels, pixels)
    assert micrograph.pixel_size.nm == pytest.approx(0.0123, rel=1e-5)
    assert micrograph.pixel_size.source == "file: ImageJ unit and XResolution"


@pytest.mark.parametrize("unit", ["pixel", "inch", ""])
def test_imagej_units_of_no_specimen(tmp_path, pixels, unit):
    assert read(em_files.write_imagej(tmp_path / "a.tif", pixels, 0.0123, unit)).pixel_size.nm is None


@pytest.mark.parametrize("dpi", [72, 93, 96, 150, 300, 600, 2400])
@pytest.mark.parametrize("unit", ["INCH", "CENTIMETER"])
def test_a_screens_resolution_is_no_calibration(tmp_path, pixels, dpi, unit):
    per_unit = dpi if unit == "INCH" else dpi / 2.54
    tifffile.imwrite(tmp_path / "a.tif", pixels, resolution=(per_unit, per_unit), resolutionunit=unit)

    micrograph = read(tmp_path / "a.tif")

    assert micrograph.pixel_size.nm is None
    assert f"{dpi} dpi are a screen's or a printer's" in micrograph.pixel_size.source


@pytest.mark.parametrize(("unit", "nm_per_unit"), [("INCH", 2.54e7), ("CENTIMETER", 1e7)])
def test_a_microscopes_resolution_is_one(tmp_path, pixels, unit, nm_per_unit):
    per_unit = nm_per_unit / 0.06398699
    tifffile.imwrite(tmp_path / "a.tif", pixels, resolution=(per_unit, per_unit), resolutionunit=unit)

    assert read(tmp_path / "a.tif").pixel_size.nm == pytest.approx(0.06398699, rel=1e-6)


def test_a_resolution_without_a_unit_is_none(tmp_path, pixels):
    tifffile.imwrite(tmp_path / "a.tif", pixels, resolution=(1e8, 1e8), resolutionunit="NONE")

    assert read(tmp_path / "a.tif").pixel_size.nm is None


def test_every_page_of_an_ome_series_is_read(tmp_path):
    series = np.stack([particle_image(seed=seed) for seed in range(4)]).reshape(2, 2, 48, 64)
    sizes = {"PhysicalSizeX": 0.3, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.3, "PhysicalSizeYUnit": "nm"}
    tifffile.imwrite(tmp_path / "a.ome.tif", series, ome=True, metadata={"axes": "CZYX", **sizes})

    frames = read_all(tmp_path / "a.ome.tif")

    assert [frame.pixel_size.nm for frame in frames] == [0.3] * 4
    np.testing.assert_array_equal(np.stack([frame.pixels for frame in frames]), series.reshape(4, 48, 64))


def test_a_page_that_differs_from_its_series_is_refused(tmp_path):
    series = np.stack([particle_image(seed=seed) for seed in range(2)])
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, series, ome=True, metadata={"axes": "ZYX"})
    with tifffile.TiffFile(path, _useframes=False) as file:
        at = file.pages[1].tags["ImageLength"].valueoffset
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, at, 40000)
    path.write_bytes(data)

    np.testing.assert_array_equal(read(path).pixels, series[0])
    with pytest.raises(CannotRead, match=r"page 2 of its series is \(40000, 64\)"):
        read(path, data=1)


def test_values_of_twelve_bits_packed_in_a_tiff_are_unpacked(tmp_path):
    values = np.random.default_rng(0).integers(0, 4096, (10, 16), dtype=np.uint16)
    digits = "".join(f"{value:03x}" for value in values.ravel())
    packed = bytes.fromhex(digits)
    tags = [(256, 16), (257, 10), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 10), (279, len(packed))]
    directory = b"".join(struct.pack("<HHII", code, 4, 1, value) for code, value in tags)
    head = b"II*\x00" + struct.pack("<I", 8 + len(packed))
    (tmp_path / "a.tif").write_bytes(head + packed + struct.pack("<H", len(tags)) + directory + bytes(4))

    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, values)


def test_ome_sizes(tmp_path, pixels):
    tifffile.imwrite(
        tmp_path / "a.ome.tif", pixels, metadata={"axes": "YX", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}
    )
    tifffile.imwrite(
        tmp_path / "b.ome.tif",
        pixels,
        metadata={
            "axes": "YX",
            "PhysicalSizeX": 0.5,
            "PhysicalSizeXUnit": "Å",
            "PhysicalSizeY": 0.5,
            "PhysicalSizeYUnit": "Å",
        },
    )

    assert read(tmp_path / "a.ome.tif").pixel_size.nm == pytest.approx(250.0)
    assert read(tmp_path / "b.ome.tif").pixel_size.nm == pytest.approx(0.05)


THERMO = """<?xml version="1.0"?><Metadata xmlns="http://www.fei.com/t"><Optics><AccelerationVoltage>300000
</AccelerationVoltage></Optics><BinaryResult><PixelSize><X unit="m" unitPrefixPower="{power}">1.2E-10</X>
<Y unit="m" unitPrefixPower="{power}">1.2E-10</Y></PixelSize></BinaryResult></Metadata>"""


def test_thermo_xml(tmp_path, pixels):
    path = em_files.write_tiff_with_tag(tmp_path / "a.tif", pixels, 34683, THERMO.format(power=1))
    reciprocal = em_files.write_tiff_with_tag(tmp_path / "b.tif", pixels, 34683, THERMO.format(power=-1))

    micrograph = read(path)

    assert micrograph.pixel_size.nm == pytest.approx(0.12)
    assert micrograph.metadata["voltage_kv"] == 300.0
    with pytest.raises(NotAnImage, match="reciprocal"):
        read(reciprocal)


def test_fei_tags_overrule_the_resolution(tmp_path, pixels):
    text = "[Beam]\r\nHV=200000\r\nScan=EScan\r\n[Scan]\r\nPixelWidth=1.5e-10\r\nPixelHeight=1.5e-10\r\n"
    path = em_files.write_tiff_with_tag(tmp_path / "a.tif", pixels, 34682, text, resolution=(96, 96))

    micrograph = read(path)

    assert micrograph.pixel_size.nm == pytest.approx(0.15)
    assert micrograph.metadata["voltage_kv"] == 200.0


def test_a_makers_tag_without_a_size_is_not_replaced_by_the_resolution(tmp_path, pixels):
    path = em_files.write_tiff_with_tag(
        tmp_path / "a.tif",
        pixels,
        34682,
        "[Beam]\r\nHV=200000\r\n",
        resolution=(1e8, 1e8),
        resolutionunit="CENTIMETER",
    )

    assert read(path).pixel_size.source == "none: the FEI tag has no pixel size"


@pytest.mark.parametrize("has_thumbnail", [False, True])
def test_olympus_sis_gives_its_image_without_the_thumbnail(tmp_path, pixels, has_thumbnail):
    thumbnail = np.zeros((12, 16, 3), np.uint8) if has_thumbnail else None

    (micrograph,) = read_all(em_files.write_sis(tmp_path / "a.tif", pixels, 2.5e-10, thumbnail))

    np.testing.assert_array_equal(micrograph.pixels, pixels)
    assert micrograph.pixel_size.nm == pytest.approx(0.25)
    assert micrograph.pixel_size.source == "file: Olympus SIS pixelsizex"
    assert (micrograph.metadata["magnification"], micrograph.metadata["detector"]) == (50000.0, "KeenView")


HITACHI = (
    "[SemImageFile]\r\nInstructName=S-4800\r\nDataSize=64x48\r\nPixelSize=0.99219\r\nAcceleratingVoltage=15000 Volt\r\n"
)
JEOL = (
    "$CM_FORMAT JEOL-SEM\r\n$CM_ACCEL_VOLT 15.0\r\n$CM_FULL_SIZE 64 48\r\n"
    "$$SM_MICRON_BAR 97\r\n$$SM_MICRON_MARKER 1um\r\n"
)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_the_text_beside_a_scanning_microscopes_picture_gives_its_scale(tmp_path, pixels, suffix, encoding):
    for name, text in (("hitachi", HITACHI), ("jeol", JEOL)):
        (tmp_path / f"{name}.txt").write_bytes(text.encode(encoding))
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{name}.{suffix}")

    hitachi, jeol = read(tmp_path / f"hitachi.{suffix}"), read(tmp_path / f"jeol.{suffix}")

    assert (hitachi.pixel_size.nm, hitachi.pixel_size.source) == (0.99219, "sidecar: Hitachi PixelSize (.txt)")
    assert jeol.pixel_size.nm == pytest.approx(1000 / 97)
    assert jeol.pixel_size.source.startswith("sidecar: JEOL SM_MICRON_MARKER")
    assert (hitachi.metadata["instrument"], hitachi.metadata["voltage_kv"]) == ("S-4800", 15.0)
    assert jeol.metadata["voltage_kv"] == 15.0


def test_a_text_of_another_picture_gives_no_scale_and_a_makers_tag_goes_first(tmp_path, pixels):
    (tmp_path / "a.txt").write_text(HITACHI.replace("64x48", "1280x960"))
    (tmp_path / "b.txt").write_text(HITACHI)
    (tmp_path / "c.txt").write_text("shopping list")
    for name in "ac":
        tifffile.imwrite(tmp_path / f"{name}.tif", pixels)

    assert read(tmp_path / "a.tif").pixel_size.source == (
        "none: the text beside it describes 1280 × 960 pixels, and the picture has 64 × 48"
    )
    assert read(em_files.write_imagej(tmp_path / "b.tif", pixels)).pixel_size.nm == pytest.approx(0.0123)
    assert read(tmp_path / "c.tif").pixel_size.nm is None


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "uint32", "float16", "float32", "float64"])
def test_tiff_keeps_type_and_values(tmp_path, dtype):
    image = particle_image(dtype=np.int16).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", image, compression="zlib")

    micrograph = read(tmp_path / "a.tif")

    np.testing.assert_array_equal(micrograph.pixels, image)
    assert micrograph.pixels.dtype == dtype


def test_frames_of_an_imagej_stack_lie_in_one_piece(tmp_path):
    series = np.stack([particle_image(seed=seed) for seed in range(4)])
    tifffile.imwrite(tmp_path / "a.tif", series, imagej=True, metadata={"unit": "um"}, resolution=(1e4, 1e4))

    frames = read_all(tmp_path / "a.tif")

    np.testing.assert_array_equal(np.stack([frame.pixels for frame in frames]), series)
    assert frames[3].pixel_size.nm == pytest.approx(0.1)
    assert frames[3].name == "a.tif [frame 4 of 4]"


def test_pages_in_other_files_are_not_looked_for(tmp_path, pixels):
    tifffile.imwrite(tmp_path / "secret.tif", pixels + 1)
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, ome=True, metadata={"axes": "YX"})
    xml = (
        tifffile.tiffcomment(tmp_path / "a.ome.tif")
        .replace("</TiffData>", "")
        .replace(
            '<TiffData IFD="0" PlaneCount="1"/>',
            '<TiffData IFD="0" PlaneCount="1"><UUID FileName="secret.tif">urn:uuid:x</UUID></TiffData>',
        )
    )
    assert "secret.tif" in xml
    tifffile.imwrite(tmp_path / "b.ome.tif", pixels, description=xml, metadata=None)

    np.testing.assert_array_equal(read(tmp_path / "b.ome.tif").pixels, pixels)


def test_entities_in_xml_are_refused(tmp_path, pixels):
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb">]><Metadata>&b;</Metadata>'

    with pytest.raises(CannotRead, match="declares entities"):
        read(em_files.write_tiff_with_tag(tmp_path / "a.tif", pixels, 34683, bomb))


def test_tiff_series_and_reduced_copies(tmp_path):
    series = np.stack([particle_image(seed=seed) for seed in range(3)])
    tifffile.imwrite(tmp_path / "series.tif", series, photometric="minisblack")
    with tifffile.TiffWriter(tmp_path / "pyramid.tif") as writer:
        writer.write(series[0][::4, ::4], subfiletype=1)
        writer.write(series[0])

    np.testing.assert_array_equal(np.stack([one.pixels for one in read_all(tmp_path / "series.tif")]), series)
    full = read_all(tmp_path / "pyramid.tif")
    assert len(full) == 1
    np.testing.assert_array_equal(full[0].pixels, series[0])


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_tiff_compressions(tmp_path, pixels, compression, bigtiff):
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression=compression, bigtiff=bigtiff)

    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, pixels)


def test_tiff_that_counts_from_white_is_turned_round(tmp_path):
    image = particle_image(dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="miniswhite")

    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, 255 - image)


def test_big_endian_values_come_in_the_machines_order(tmp_path, pixels):
    tifffile.imwrite(tmp_path / "a.tif", pixels.astype(">u2"), byteorder=">")

    micrograph = read(tmp_path / "a.tif")

    assert micrograph.pixels.dtype == np.uint16
    assert micrograph.pixels.dtype.isnative
    np.testing.assert_array_equal(micrograph.pixels, pixels)


def test_every_suffix_is_lower_case_with_a_dot():
    assert {".dm3", ".dm4", ".ser", ".emi", ".emd", ".mrc", ".tif", ".png", ".jpg", ".npy", ".hspy"} <= (
        supported_suffixes
    )
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in supported_suffixes)
