import dataclasses
import io
import json
import zipfile

import openpyxl
import pytest

from antema.domain import PARTICLE_COLUMNS, RECIPE_FIELDS
from antema.reports import archive_zip, particles_csv, unique_stems, workbook_xlsx


def sheets(content):
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}


def test_sheets_hold_every_particle_with_units(sample_report):
    found = sheets(workbook_xlsx(sample_report))
    assert list(found) == ["summary", "particles", "images", "recipe", "columns"]
    header = found["particles"][0]
    assert len(header) == len(PARTICLE_COLUMNS) + 1
    assert header[-1] == "crystallinity certainty"
    assert "equivalent diameter (nm)" in header
    assert "area (nm²)" in header
    assert len(found["particles"]) == len(sample_report.table) + 1
    place = header.index("equivalent diameter (nm)")
    written = [row[place] for row in found["particles"][1:]]
    assert written == pytest.approx(sample_report.table["equivalent_diameter_nm"].tolist(), rel=1e-14)
    assert {row[header.index("separated")] for row in found["particles"][1:]} == {True, False}


def test_every_parameter_of_the_recipe_is_there_with_its_unit(sample_report):
    rows = {row[0]: row for row in sheets(workbook_xlsx(sample_report))["recipe"] if row[0]}
    assert all(field.label in rows for field in RECIPE_FIELDS)
    assert rows["Smallest particle"][1:3] == [0.5, "nm"]
    assert rows["Particle threshold"][1] == "the model's own"
    assert rows["recipe fingerprint"][1] == sample_report.recipe.fingerprint()


def test_summary_states_weighting_and_intervals(make_report):
    rows = sheets(workbook_xlsx(make_report(3, weighting="volume")))["summary"]
    text = " ".join(str(cell) for row in rows for cell in row if cell is not None)
    assert "95 % intervals, volume-weighted" in text
    assert "The images are few (3)" in text


def test_the_workbook_says_which_share_of_the_area_lies_in_clumps(make_report):
    report = make_report(3)
    table = report.table.assign(
        area_nm2=1.0, drop_reason=report.table["status"].map({"dropped": "unresolved"}).fillna("")
    )
    rows = sheets(workbook_xlsx(dataclasses.replace(report, table=table)))["summary"]
    share = (table["status"] == "dropped").mean()
    assert any(str(row[0]).startswith(f"{100 * share:.0f} % of the particle area lies in clumps") for row in rows)


@pytest.mark.parametrize("name", ["=1+1", '=HYPERLINK("http://x")', "+2", "@A1", "http://example.org", "12"])
def test_text_is_never_a_formula_a_link_or_a_number(make_report, name):
    book = openpyxl.load_workbook(io.BytesIO(workbook_xlsx(make_report(1, per_image=3, name=name))))
    cell = book["particles"]["A2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (name, "s", None)
    assert book["summary"]["A1"].data_type == "s"


def test_a_workbook_of_nothing(make_report):
    assert len(sheets(workbook_xlsx(make_report(1, per_image=0)))["particles"]) == 1


def test_archive_holds_everything_and_the_same_bytes_again(sample_report):
    content = archive_zip(sample_report)
    assert content == archive_zip(sample_report)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        assert archive.read("particles.csv") == particles_csv(sample_report.called_table)
        assert archive.read("report.pdf").startswith(b"%PDF")
        assert archive.read("overlays/img_001.png") == sample_report.images[1].png
        assert json.loads(archive.read("recipe.json")) == sample_report.recipe.to_dict()
        assert archive.infolist()[0].date_time == (2026, 11, 21, 9, 30, 0)
    assert names >= {"results.xlsx", "images.csv", "summary.json"}
    assert len([name for name in names if name.startswith("overlays/")]) == 3


def test_archive_takes_further_files_and_a_report_made_before(make_report):
    content = archive_zip(make_report(1, per_image=3), pdf=b"%PDF made", further={"masks/a.png": b"mask"})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("report.pdf") == b"%PDF made"
        assert archive.read("masks/a.png") == b"mask"


def test_names_from_outside_stay_inside_the_archive(make_report):
    report = make_report(2, per_image=3, pictures=2)
    images = [
        dataclasses.replace(image, name=name)
        for image, name in zip(report.images, ["../../x.tif", "X.dm3"], strict=True)
    ]
    with zipfile.ZipFile(io.BytesIO(archive_zip(dataclasses.replace(report, images=images), pdf=b""))) as archive:
        assert [name for name in archive.namelist() if "overlays" in name] == ["overlays/x.png", "overlays/X-2.png"]


def test_stems_are_unique_and_plain():
    assert unique_stems(["a.tif", "a.dm3", "a-2.tif", "C:\\b?.tif", "..", "\x01.png"]) == [
        "a",
        "a-2",
        "a-2-2",
        "b_",
        "image",
        "_",
    ]
