"""The correction for border loss in every form that numbers leave in."""

import csv
import dataclasses
import io
import json
import re
import zipfile

import numpy as np
import openpyxl
import pypdf
import pytest

from antema import stats
from antema.domain import COLUMN_MEANINGS, PARTICLE_COLUMNS, QUANTITIES, Recipe, View
from antema.reports import (
    ComparisonReport,
    archive_zip,
    comparison_report_pdf,
    crystallinity_shares,
    pairs_of,
    sample_report_pdf,
    summaries,
    summary_json,
    workbook_xlsx,
)

DIAMETER = QUANTITIES[0].column
WORDS = "number-weighted, corrected for border loss"


def text_of(pdf):
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def measured(report):
    return report.table[report.table["status"] == "measured"]


@pytest.fixture(scope="module")
def corrected(make_report):
    return make_report(6, border=True, weighting="volume", crystallinity=True, per_image=20)


def test_every_quantity_is_summarised_with_size_weight_times_factor(corrected):
    rows = measured(corrected)
    weights = rows[DIAMETER] ** 3 * rows["border_weight"]
    for column, summary in summaries(corrected).items():
        assert summary.mean.value == pytest.approx(np.average(rows[column], weights=weights))


def test_classes_count_by_their_factor_alone(corrected):
    rows = measured(corrected)
    unsure = rows["confidence"] < corrected.view.crystallinity_certainty
    wanted = rows["border_weight"][~unsure & (rows["crystallinity"] == "monocrystalline")].sum()
    shares = crystallinity_shares(corrected)
    assert shares.shares[1].value == pytest.approx(wanted / rows["border_weight"].sum())
    assert shares.n == len(rows)


def test_every_file_says_that_it_is_corrected(make_report):
    report = make_report(6, border=True, per_image=20)
    summary = json.loads(summary_json(report))
    assert summary["border_weighted"] is True
    assert "Corrected for border loss" in summary["border_note"]
    assert WORDS in summary["quantities"][DIAMETER]["statement"]
    text = text_of(sample_report_pdf(report))
    assert WORDS in text
    assert "counts by the inverse of the chance" in text
    book = openpyxl.load_workbook(io.BytesIO(workbook_xlsx(report)), read_only=True)
    cells = [str(cell) for row in book["summary"].iter_rows(values_only=True) for cell in row if cell]
    assert any(WORDS in cell for cell in cells)
    assert any("Corrected for border loss" in cell for cell in cells)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"factors": False}, "analyse again"), ({"recipe": Recipe(drop_border=False)}, "measured too small")],
)
def test_a_result_that_cannot_be_corrected_is_not_and_says_why(make_report, changes, reason):
    report = make_report(3, border=True, per_image=20, **changes)
    plain = dataclasses.replace(report, view=View())
    assert summaries(report) == summaries(plain)
    summary = json.loads(summary_json(report))
    assert summary["border_weighted"] is False
    assert reason in summary["border_note"]
    text = text_of(sample_report_pdf(report))
    assert reason in text
    assert WORDS not in text


def test_kept_border_particles_are_warned_of_without_being_asked(make_report):
    kept = make_report(3, per_image=20, recipe=Recipe(drop_border=False))
    assert stats.CUT_KEPT in json.loads(summary_json(kept))["border_note"]
    assert json.loads(summary_json(make_report(3, per_image=20)))["border_note"] == ""


def test_samples_are_compared_corrected_or_none_of_them(make_report):
    a, b = make_report(6, seed=1, per_image=15), make_report(6, seed=2, mean_nm=5.0, per_image=15)
    asked = View(border_weighted=True)
    found = pairs_of(ComparisonReport([a, b], asked, {}), QUANTITIES[0])[0].comparison
    columns = [(r[DIAMETER], r["image"], r["border_weight"]) for r in map(measured, (a, b))]
    (x, images_x, w_x), (y, images_y, w_y) = columns
    assert found == stats.compare(x, images_x, y, images_y, weights_a=w_x, weights_b=w_y, border_weighted=True)
    old = make_report(6, seed=2, mean_nm=5.0, factors=False, per_image=15)
    mixed = pairs_of(ComparisonReport([a, old], asked, {}), QUANTITIES[0])[0].comparison
    assert mixed == pairs_of(ComparisonReport([a, old], View(), {}), QUANTITIES[0])[0].comparison


def test_the_comparison_is_about_the_quantity_that_was_chosen(make_report):
    a, b = make_report(6, seed=1, per_image=15, name="A1"), make_report(6, seed=2, per_image=15, name="B1")
    contrast = next(quantity for quantity in QUANTITIES if quantity.column == "contrast")
    text = text_of(comparison_report_pdf(ComparisonReport([a, b], View(border_weighted=True), {}, contrast)))
    assert f"Contrast to noise ({WORDS})" in text
    assert "Distribution of the contrast to noise" in text
    assert summaries(a, View(border_weighted=True))["contrast"].median.value_text() in text
    assert "Equivalent diameter" in text  # among the others


def test_every_column_has_a_meaning_that_goes_with_the_table(make_report):
    assert set(COLUMN_MEANINGS) == set(PARTICLE_COLUMNS)
    with zipfile.ZipFile(io.BytesIO(archive_zip(make_report(1, per_image=5)))) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("columns.csv").decode())))
    assert [row["column"] for row in rows] == [*PARTICLE_COLUMNS, "crystallinity_certainty"]
    assert {row["column"]: row["unit"] for row in rows}["area_nm2"] == "nm²"


def test_quantities_without_values_are_left_out_of_the_report(make_report):
    report = make_report(2, per_image=10)
    old = dataclasses.replace(report, table=report.table.assign(edge_width_nm=np.nan))
    assert "Edge width" in text_of(sample_report_pdf(report))
    assert "Edge width" not in text_of(sample_report_pdf(old))
