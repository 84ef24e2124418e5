import io
import zipfile
from dataclasses import replace

import flask
import numpy as np
import pandas as pd
import pypdf
import pytest

from antema.domain import PARTICLE_COLUMNS
from antema.web.compare_choice import Choice
from antema.web.compare_downloads import compare_downloads
from antema.web.compare_page import download_address, downloads_menu
from antema.web.compare_samples import load


@pytest.fixture(scope="module")
def client(shelf):
    server = flask.Flask("test")
    server.register_blueprint(compare_downloads)
    return server.test_client()


@pytest.fixture(scope="module")
def choice(shelf):
    return Choice.of([shelf["small"].id, shelf["large"].id, shelf["few"].id], "feret_max_nm", "volume", log=False)


def table(client, name, choice):
    answer = client.get(download_address(name, choice))
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == f"attachment; filename=comparison_{name}"
    return pd.read_csv(io.BytesIO(answer.data))


def test_statistics_are_those_of_the_page(client, choice):
    rows = table(client, "statistics.csv", choice)
    summaries = load(choice).summaries
    assert list(rows["sample"]) == ["small", "large <b>one</b>", "few"]
    for (_, row), summary in zip(rows.iterrows(), summaries, strict=True):
        assert row["particles"] == summary.n
        assert row["median"] == pytest.approx(summary.median.value)
        assert row["mean_low"] == pytest.approx(summary.mean.low)
        assert row["d90_high"] == pytest.approx(summary.d90.high)
        assert (row["quantity"], row["weighting"], row["convention"]) == ("feret_max_nm", "volume", "contour")


def test_differences_are_those_of_the_page(client, choice):
    rows = table(client, "differences.csv", choice)
    pairs = load(choice).pairs
    assert len(rows) == len(pairs) == 3
    assert list(rows["difference"]) == pytest.approx([pair.comparison.difference.value for pair in pairs])
    assert list(rows["cliffs_delta_high"]) == pytest.approx([pair.comparison.cliffs_delta.high for pair in pairs])
    assert list(rows["p_holm"]) == pytest.approx([pair.corrected_p for pair in pairs])


def test_the_histogram_adds_up(client, choice):
    rows = table(client, "histogram.csv", choice)
    for name, group in rows.groupby("sample"):
        assert group["share"].sum() == pytest.approx(1), name
        assert (group["density_per_nm"] * (group["to"] - group["from"])).sum() == pytest.approx(1)
    assert rows.groupby("sample")["particles"].sum().to_dict() == {
        member.name: summary.n for member, summary in zip(load(choice).members, load(choice).summaries, strict=True)
    }


def test_on_a_logarithmic_axis_densities_are_per_decade(client, choice):
    rows = table(client, "histogram.csv", replace(choice, log=True))
    for _, group in rows.groupby("sample"):
        assert (group["density_per_decade"] * np.log10(group["to"] / group["from"])).sum() == pytest.approx(1)


def test_values_and_cumulative_shares_agree(client, choice):
    values, cumulative = table(client, "values.csv", choice), table(client, "cumulative.csv", choice)
    assert set(values.columns) == {
        "sample",
        "image",
        "particle",
        "feret_max_nm",
        "weight",
        "weighting",
        "border_weighted",
    }
    for name, group in values.groupby("sample"):
        assert group["weight"].mean() == pytest.approx(1)
        curve = cumulative[cumulative["sample"] == name]
        half = float(curve.loc[curve["cumulative_share"] >= 0.5, "feret_max_nm"].iloc[0])
        below = group.loc[group["feret_max_nm"] <= half, "weight"].sum() / group["weight"].sum()
        assert below >= 0.5
        assert curve["cumulative_share"].iloc[-1] == pytest.approx(1)


def test_particles_keep_every_row_and_name_their_sample(client, choice):
    rows = table(client, "particles.csv", choice)
    assert list(rows.columns[: len(PARTICLE_COLUMNS)]) == list(PARTICLE_COLUMNS)
    assert len(rows) == sum(len(member.table) for member in load(choice).members)
    assert set(rows["sample"]) == {"small", "large <b>one</b>", "few"}


def test_crystallinity_without_classes_is_a_header(client, choice, shelf):
    assert len(table(client, "crystallinity.csv", choice)) == 0
    classed = Choice.of([shelf["classed"].id, shelf["small"].id], None, None, log=False)
    rows = table(client, "crystallinity.csv", classed)
    assert rows["share"].sum() == pytest.approx(1)
    assert rows["particles"].sum() == rows["of"].iloc[0]


def test_the_report_names_the_samples_as_text(client, choice):
    answer = client.get(download_address("report.pdf", choice))
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    words = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.data)).pages)
    assert "large <b>one</b>" in words
    assert "volume-weighted" in words


def test_the_workbook_holds_the_tables_and_text_as_text(client, choice):
    answer = client.get(download_address("workbook.xlsx", choice))
    assert answer.status_code == 200
    book = pd.read_excel(io.BytesIO(answer.data), sheet_name=None)
    classes = ["crystallinity", "crystallinity_differences"]
    assert list(book) == ["statistics", "differences", "histogram", *classes, "particles", "columns"]
    assert list(book["statistics"]["sample"]) == ["small", "large <b>one</b>", "few"]
    assert list(book["statistics"]["median"]) == pytest.approx([s.median.value for s in load(choice).summaries])
    assert len(book["particles"]) == sum(len(member.table) for member in load(choice).members)


def test_everything_is_in_the_archive(client, choice):
    answer = client.get(download_address("everything.zip", choice))
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        names = set(archive.namelist())
        assert {"report.pdf", "workbook.xlsx", "particles.csv", "values.csv", "differences.csv"} <= names
        rows = pd.read_csv(io.BytesIO(archive.read("statistics.csv")))
    pd.testing.assert_frame_equal(rows, table(client, "statistics.csv", choice))


def test_every_link_of_the_menu_answers(client, choice):
    for link in downloads_menu(choice):
        assert client.get(link.href).status_code == 200


@pytest.mark.parametrize("file", ["report.pdf", "statistics.csv", "particles.csv"])
def test_fewer_than_two_samples_are_refused_with_the_reason(client, shelf, file):
    answer = client.get(f"/download/compare/{file}?samples={shelf['small'].id},{shelf['bare'].id}")
    assert answer.status_code == 404
    assert "bare has no result yet" in answer.text
    assert client.get(f"/download/compare/{file}").status_code == 404


def test_an_unknown_table_is_refused_by_name(client, choice):
    answer = client.get(download_address("secrets.csv", choice))
    assert answer.status_code == 404
    assert "histogram" in answer.text
