import csv
import dataclasses
import io
import json

import numpy as np
import openpyxl
import pandas as pd
import pytest

from antema.domain import PARTICLE_COLUMNS, View
from antema.reports import frame_csv, images_csv, particles_csv, summary_json, workbook_xlsx
from antema.reports.tables import image_rows


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def test_columns_are_the_documented_ones_in_their_order(sample_report):
    header = particles_csv(sample_report.table[sample_report.table.columns[::-1]]).split(b"\n", 1)[0].decode()
    assert tuple(header.split(",")) == PARTICLE_COLUMNS


def test_numbers_read_back_as_the_same_numbers(sample_report):
    table = sample_report.table
    rows = rows_of(particles_csv(table))
    assert len(rows) == len(table)
    for column in ("equivalent_diameter_nm", "area_nm2", "p_amorphous"):
        assert [float(row[column]) for row in rows] == table[column].tolist()
    assert [int(row["bbox_x_px"]) for row in rows] == table["bbox_x_px"].tolist()


def test_booleans_are_lower_case_and_what_does_not_apply_is_empty(make_report):
    rows = rows_of(particles_csv(make_report(2).table))
    assert {row["separated"] for row in rows} == {"true", "false"}
    assert {row["confidence"] for row in rows} == {""}
    assert {row["crystallinity"] for row in rows} == {""}
    assert {row["drop_reason"] for row in rows if row["status"] == "measured"} == {""}


def test_order_of_rows_and_types_of_columns_do_not_change_the_bytes(sample_report):
    table = sample_report.table
    other = table.sample(frac=1, random_state=3).convert_dtypes()
    other["particle"] = other["particle"].astype(np.uint16)
    other["bbox_w_px"] = other["bbox_w_px"].astype(np.float64)
    other["micrograph_id"] = 7
    other["exclusion_reason"] = ""
    assert particles_csv(other) == particles_csv(table)


def test_further_columns_that_hold_something_follow(sample_report):
    table = sample_report.table.assign(exclusion_reason=["dirt", *[None] * (len(sample_report.table) - 1)])
    rows = rows_of(particles_csv(table))
    assert list(rows[0]) == [*PARTICLE_COLUMNS, "exclusion_reason"]
    assert rows[0]["exclusion_reason"] == "dirt"


@pytest.mark.parametrize("name", ["2 nm", 'say "a", b', "line\nbreak", "Übergröße µ", "a=1", "'quoted'"])
def test_text_comes_back_unchanged(make_report, name):
    rows = rows_of(particles_csv(make_report(1, name=name).table))
    assert {row["sample"] for row in rows} == {name}


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "-2", "+3", "\t=1", "\n=1", '=cmd|" /C calc"!A0', "＝1"])
def test_what_a_spreadsheet_would_run_stands_behind_an_apostrophe(make_report, name):
    table = make_report(1, name=name).table
    assert {row["sample"] for row in rows_of(particles_csv(table))} == {f"'{name}"}
    frame = pd.DataFrame({"sample": [name, "Au"], "difference_nm": [-1.5, 2.0], "n": [-1, 2]})
    rows = rows_of(frame_csv(frame))
    assert [row["sample"] for row in rows] == [f"'{name}", "Au"]
    hidden = rows_of(frame_csv(pd.DataFrame({"sample": ["\r=1", "Au\r=1"]})))
    assert [row["sample"] for row in hidden] == ["'\n=1", "Au\n=1"], "no cell of its own"
    assert [(row["difference_nm"], row["n"]) for row in rows] == [("-1.5", "-1"), ("2.0", "2")], "numbers run nothing"


def test_no_rows_and_missing_columns():
    nothing = pd.DataFrame(columns=list(PARTICLE_COLUMNS))
    assert particles_csv(nothing).decode() == ",".join(PARTICLE_COLUMNS) + "\n"
    with pytest.raises(ValueError, match="drop_reason, separated not found"):
        particles_csv(nothing.drop(columns=["drop_reason", "separated"]))


def test_images_with_scale_counts_and_reasons(sample_report):
    rows = rows_of(images_csv(sample_report))
    assert len(rows) == 9
    assert rows[0]["pixel_size_nm"] == "0.06398699"
    assert rows[0]["pixel_size_source"] == "user: Jörg"
    assert rows[-1]["status"] == "failed"
    assert "found a spectrum" in rows[-1]["error"]
    assert sum(int(row["n_measured"]) + int(row["n_dropped"]) for row in rows) == len(sample_report.table)


def test_summary_holds_numbers_units_and_reasons(sample_report):
    found = json.loads(summary_json(sample_report))
    measured = sample_report.table[sample_report.table["status"] == "measured"]
    diameter = found["quantities"]["equivalent_diameter_nm"]
    assert diameter["unit"] == "nm"
    assert diameter["n"] == found["n_measured"] == len(measured)
    assert diameter["mean"]["value"] == pytest.approx(measured["equivalent_diameter_nm"].mean())
    assert diameter["mean"]["low"] < diameter["mean"]["value"] < diameter["mean"]["high"]
    assert diameter["interval_method"] == "bootstrap of whole images"
    assert sum(reason["n"] for reason in found["dropped"].values()) == found["n_dropped"]
    assert found["n_images"] == 9
    assert found["n_images_analysed"] == 8
    assert found["recipe_fingerprint"] == sample_report.recipe.fingerprint()


def test_crystallinity_below_the_certainty_is_unknown(sample_report):
    found = json.loads(summary_json(sample_report))["crystallinity"]
    measured = sample_report.table[sample_report.table["status"] == "measured"]
    sure = measured["confidence"] >= 0.8
    assert found["classes"]["unknown"]["n"] == int((~sure).sum())
    assert found["classes"]["polycrystalline"]["n"] == int((measured["crystallinity"][sure] == "polycrystalline").sum())
    assert sum(entry["value"] for entry in found["classes"].values()) == pytest.approx(1)


def test_summary_of_nothing_has_no_number_and_no_nan(make_report):
    found = json.loads(summary_json(make_report(2, per_image=0)))
    assert found["n_measured"] == 0
    assert found["crystallinity"] is None
    assert found["quantities"]["circularity"]["mean"] == {"value": None, "low": None, "high": None}


def test_what_has_changed_since_is_in_the_tables(make_report):
    report = make_report(2)
    images = [dataclasses.replace(report.images[0], changes="pixel size changed since"), report.images[1]]
    remark = "1 of 2 micrographs has another pixel size since: img_000.dm4; analyse again."
    report = dataclasses.replace(report, images=images, remarks=[remark], view=View(exclusions=False))
    header, rows = image_rows(report)
    assert [row[header.index("changed_since")] for row in rows] == ["pixel size changed since", None]
    found = json.loads(summary_json(report))
    assert (found["remarks"], found["exclusions"]) == ([remark], False)
    book = openpyxl.load_workbook(io.BytesIO(workbook_xlsx(report)))
    assert remark in [cell.value for cell in book["summary"]["A"]]
