"""Crystallinity in what leaves the program: shares, reasons, sizes and differences, at the certainty of the view."""

import csv
import dataclasses
import io
import json

import numpy as np
import openpyxl
import pytest
from pypdf import PdfReader

from antema import stats
from antema.domain import UNKNOWN_REASONS, View
from antema.reports import (
    CLASSES,
    ComparisonReport,
    columns_csv,
    comparison_report_pdf,
    crystallinity_shares,
    images_csv,
    numbers,
    particles_csv,
    sample_report_pdf,
    share_pairs_of,
    size_by_class,
    summary_json,
    unknown_reasons,
    workbook_xlsx,
)


def text_of(pdf):
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.fixture(scope="module")
def report(make_report):
    """Eight images; some particles could not be asked about."""
    made = make_report(8, crystallinity=True, per_image=15)
    table = made.table.copy()
    table.loc[table["particle"] == 1, "crystallinity_reason"] = "sampling_too_coarse"
    table["p_lattice_visible"] = np.where(table["particle"] % 2 == 0, 0.3, 0.9)
    model = {"name": "resnet18-crystallinity", "title": "Crystals by ResNet-18", "sha256": "cd" * 32}
    view = View(crystallinity_certainty=0.7)
    return dataclasses.replace(made, table=table, view=view, crystallinity_model=model)


def measured(report):
    table = report.called_table
    return table[table["status"] == "measured"]


def test_shares_reasons_and_sizes_are_those_of_the_table(report):
    rows = measured(report)
    shares = crystallinity_shares(report)
    assert shares.counts == tuple((rows["crystallinity"] == name).sum() for name in CLASSES)
    reasons = unknown_reasons(report)
    assert set(reasons) == {"sampling_too_coarse", "no_lattice_visible", "uncertain"}
    assert list(reasons) == [reason for reason in UNKNOWN_REASONS if reason in reasons]
    assert sum(reasons.values()) == shares.counts[-1]
    assert reasons["sampling_too_coarse"] == (rows["particle"] == 1).sum()
    for name, summary in size_by_class(report).items():
        part = rows[rows["crystallinity"] == name]
        assert summary.n == len(part)
        assert summary.mean.value == pytest.approx(part["equivalent_diameter_nm"].mean())


def test_a_lower_certainty_leaves_fewer_unknown_and_the_rest_as_it_was(report):
    loose = dataclasses.replace(report, view=View(crystallinity_certainty=0.5))
    assert crystallinity_shares(loose).counts[-1] < crystallinity_shares(report).counts[-1]
    assert unknown_reasons(loose)["sampling_too_coarse"] == unknown_reasons(report)["sampling_too_coarse"]
    before, after = json.loads(summary_json(report)), json.loads(summary_json(loose))
    assert before["quantities"] == after["quantities"]


def test_tables_say_class_reason_and_certainty(report):
    rows = list(csv.DictReader(io.StringIO(particles_csv(report.called_table).decode())))
    assert {row["crystallinity_certainty"] for row in rows} == {"0.7"}
    counts = [sum(row["crystallinity"] == name and row["status"] == "measured" for row in rows) for name in CLASSES]
    images = list(csv.DictReader(io.StringIO(images_csv(report).decode())))
    assert [sum(int(image[f"n_{name}"]) for image in images) for name in CLASSES] == counts
    assert {image["crystallinity_certainty"] for image in images} == {"0.7"}
    assert tuple(counts) == crystallinity_shares(report).counts
    described = {row["column"] for row in csv.DictReader(io.StringIO(columns_csv().decode()))}
    assert set(rows[0]) <= described


def test_images_of_one_name_are_counted_apart(report):
    table = report.table.assign(micrograph_id=report.table["image"].str[4:7].astype(int), image="same.tif")
    images = [dataclasses.replace(one, name="same.tif", micrograph_id=k) for k, one in enumerate(report.images)]
    apart = dataclasses.replace(report, table=table, images=images)
    counts = [row["n_unknown"] for row in csv.DictReader(io.StringIO(images_csv(apart).decode()))]
    wanted = [row["n_unknown"] for row in csv.DictReader(io.StringIO(images_csv(report).decode()))]
    assert counts == wanted


def test_the_workbook_and_the_summary_hold_the_same_numbers(report):
    told = json.loads(summary_json(report))["crystallinity"]
    book = openpyxl.load_workbook(io.BytesIO(workbook_xlsx(report)))
    rows = [[cell.value for cell in row] for row in book["summary"].iter_rows()]
    (head,) = [k for k, row in enumerate(rows) if row[0] == "Crystallinity at a certainty of 0.70"]
    for name, row in zip(CLASSES, rows[head + 1 :], strict=False):
        assert row[:1] == [name]
        assert row[2:6] == pytest.approx([told["classes"][name][key] for key in ("n", "value", "low", "high")])
    firsts = {row[0]: row for row in rows if row[0]}
    for reason, entry in told["unknown"].items():
        assert firsts[UNKNOWN_REASONS[reason]][2] == entry["n"]
    (head,) = [k for k, row in enumerate(rows) if row[0] == "Equivalent diameter by class"]
    size = told["classes"]["polycrystalline"]["equivalent_diameter_nm"]
    (row,) = [row for row in rows[head:] if row[0] == "polycrystalline"]
    assert row[2:4] == [size["n"], size["n_images"]]
    assert row[4:10] == pytest.approx([size[s][e] for s in ("mean", "median") for e in ("value", "low", "high")])
    recipe = {row[0].value: row[1].value for row in book["recipe"].iter_rows()}
    assert "cd" * 32 in [cell.value for cell in book["recipe"]["B"]]
    assert recipe["crystallinity certainty"] == 0.7


def test_the_report_states_all_of_it(report):
    text = text_of(sample_report_pdf(report))
    for words in ("Below a certainty of 0.70", "Unknown, because", UNKNOWN_REASONS["sampling_too_coarse"]):
        assert words in text
    assert "Equivalent diameter by class" in text
    assert "Crystals by ResNet-18" in text
    coloured = [dataclasses.replace(one, png=b"", is_coloured_by_class=True) for one in report.images]
    assert "colour of their class" not in text_of(sample_report_pdf(dataclasses.replace(report, images=coloured)))


def comparison(*samples):
    return ComparisonReport(samples, View(crystallinity_certainty=0.7), {"date": "2026-11-21"})


def test_pairs_of_shares_are_compared_by_whole_images(report, make_report):
    other, bare = make_report(7, seed=5, crystallinity=True, per_image=15, name="Au-2"), make_report(3, name="Au-3")
    (pair,) = share_pairs_of(comparison(report, bare, other))
    assert (pair.a, pair.b) == (0, 2)
    same_view = dataclasses.replace(other, view=report.view)
    assert pair.comparison.shares_a.counts == crystallinity_shares(report).counts
    assert pair.comparison.shares_b.counts == crystallinity_shares(same_view).counts
    assert pair.corrected_p == tuple(stats.holm([one.p_value for one in pair.comparison.classes]))
    text = text_of(comparison_report_pdf(comparison(report, bare, other)))
    assert "below a certainty of 0.70" in text
    assert "Not classified: B." in text
    assert "Cohen's h" in text.replace("’", "'")
    assert "distinct assignments of whole images" in text


def test_classes_of_other_materials_than_were_learned_from_are_called_a_guess(report, make_report):
    def made_of(material, sample):
        return dataclasses.replace(sample, sample=sample.sample | {"material": material})

    bare = make_report(3, name="bare")
    materials = ("CdSe", "Au", "CdSe")
    text = text_of(comparison_report_pdf(comparison(*(made_of(name, report) for name in materials))))
    assert text.count("is a guess") == 1
    assert "A, C: The classifier learned" in text
    assert "is a guess" not in text_of(comparison_report_pdf(comparison(report, made_of("CdSe", bare))))


def test_corrected_for_all_pairs(report, make_report):
    others = [make_report(6, seed=seed, crystallinity=True, per_image=15) for seed in (5, 6)]
    pairs = share_pairs_of(comparison(report, *others))
    assert len(pairs) == 3
    p_values = [one.p_value for pair in pairs for one in pair.comparison.classes]
    assert [p for pair in pairs for p in pair.corrected_p] == stats.holm(p_values)


def test_the_classes_of_each_sample_are_counted_once(report, make_report, monkeypatch):
    counted, real = [], numbers._class_counts
    monkeypatch.setattr(numbers, "_class_counts", lambda one, view: counted.append(one) or real(one, view))
    other = make_report(6, seed=5, crystallinity=True, per_image=15)
    assert len(share_pairs_of(comparison(report, other))) == 1
    assert counted == [report, other]


def test_nothing_classified_is_said(make_report):
    bare = make_report(2, per_image=4)
    assert share_pairs_of(comparison(bare, bare)) == []
    assert "No particle of these samples was classified." in text_of(comparison_report_pdf(comparison(bare, bare)))
    assert unknown_reasons(bare) == size_by_class(bare) == {}
    assert np.isnan(bare.called_table["crystallinity_certainty"]).all()
