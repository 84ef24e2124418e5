"""Each format that can be written here is read back with its values, its type and its scale."""

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from antema.domain import CannotRead, NotAnImage
from antema.imaging import file_sha256, read, read_all, supported_suffixes
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


@pytest.mark.parametrize("dtype", ["<i2", "<u2", "<f4", ">i2", ">f4"])
@pytest.mark.parametrize("mark", [b"MAP ", bytes(4)])
def test_mrc_keeps_type_values_and_scale(tmp_path, dtype, mark):
    image = particle_image(dtype=dtype[1:])

    micrograph = read(em_files.write_mrc(tmp_path / "a.mrc", image, 2.5, mark=mark, order=dtype[0]))

    np.testing.assert_array_equal(micrograph.pixels, image)
    assert micrograph.pixels.dtype == np.dtype(dtype[1:])
    assert micrograph.pixels.dtype.isnative
    assert micrograph.pixel_size.nm == pytest.approx(0.25)


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
