import csv
import io
import json
import zipfile
from urllib.parse import unquote

import flask
import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from antema.domain import View
from antema.imaging.palette import CRYSTALLINITY_COLOURS, rgb
from antema.web.downloads import downloads
from antema.web.media import media


@pytest.fixture
def client(web_store):
    server = flask.Flask("test")
    server.register_blueprint(downloads)
    server.register_blueprint(media)
    return server.test_client()


@pytest.mark.parametrize("name", ["金", "α-Fe₂O₃", "Größe", 'a"; filename=b\r\nX: y', "é" * 80])
def test_a_file_is_named_after_its_sample_whatever_its_letters(client, make_sample, web_store, name):
    sample = make_sample("plain", 4.0, 1)
    web_store.update_sample(sample.id, name=name, by="Ann")
    answer = client.get(f"/download/analysis/{sample.current_analysis_id}/particles.csv")
    assert answer.status_code == 200
    header = answer.headers["Content-Disposition"]
    header.encode("latin-1")  # what a server on the wire takes
    assert header.startswith("attachment; ")
    assert not {"\r", "\n"} & set(header)
    assert "particles.csv" in header


def test_names_come_back_from_the_header(client, make_sample):
    sample = make_sample("α-Fe₂O₃", 4.0, 1)
    header = client.get(f"/download/analysis/{sample.current_analysis_id}/particles.csv").headers["Content-Disposition"]
    assert unquote(header.split("filename*=UTF-8''")[1]) == "α-Fe₂O₃_particles.csv"


def test_a_file_name_in_an_error_is_plain_text(client, make_sample, web_store):
    sample = make_sample("<img src=x>", 4.0, 1)
    other = web_store.create_analysis(sample.id, web_store.analysis(sample.current_analysis_id).recipe, by="Ann")
    (micrograph,) = web_store.micrographs(sample.id)
    for path in (f"/media/overlay/{other.id}/{micrograph.id}.png", f"/media/preview/{other.id}/{micrograph.id}.png"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "<img" in answer.text
        assert answer.mimetype == "text/plain"
    answer = client.get(f"/download/analysis/{other.id}/report.pdf")
    assert (answer.status_code, answer.mimetype) == (404, "text/plain")


def test_a_lost_particle_file_is_a_plain_sentence(client, make_sample, web_store):
    sample = make_sample("lost", 4.0, 1)
    (result,) = web_store.image_results(sample.current_analysis_id)
    result.parquet.unlink()
    answer = client.get(f"/download/analysis/{sample.current_analysis_id}/particles.csv")
    assert (answer.status_code, answer.mimetype) == (409, "text/plain")
    assert "analyse the sample again" in answer.text
    path = f"/media/overlay/{sample.current_analysis_id}/{result.micrograph_id}.png"
    assert "analyse the sample again" in client.get(path).text


def test_the_scale_bar_is_that_of_the_result(client, make_sample, web_store):
    sample = make_sample("scaled", 4.0, 1)
    (micrograph,) = web_store.micrographs(sample.id)
    path = f"/media/preview/{sample.current_analysis_id}/{micrograph.id}.png"
    before = client.get(path).data
    web_store.set_pixel_size([micrograph.id], 3.3, by="Ann")
    assert client.get(path).data == before


def test_downloads_have_the_classes_at_the_certainty_of_the_view(client, make_sample, web_store):
    sample = make_sample("classed", 4.0, 1, classes=("amorphous", "monocrystalline"))
    web_store.set_view(sample.current_analysis_id, View(crystallinity_certainty=0.95), by="Ann")
    answer = client.get(f"/download/analysis/{sample.current_analysis_id}/everything.zip")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("particles.csv").decode())))
        told = json.loads(archive.read("summary.json"))
        (overlay,) = [name for name in archive.namelist() if name.startswith("overlays/")]
        pixels = np.asarray(Image.open(io.BytesIO(archive.read(overlay)))).reshape(-1, 3)
        text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(archive.read("report.pdf"))).pages)
    assert {row["crystallinity_certainty"] for row in rows} == {"0.95"}
    assert told["crystallinity_model"]["name"] == "drawn-classes"
    found = {row["crystallinity"] for row in rows}
    assert found == {row["crystallinity"] if float(row["confidence"]) >= 0.95 else "unknown" for row in rows}
    for name in found:
        assert (pixels == rgb(CRYSTALLINITY_COLOURS[name])).all(axis=1).any()
    assert "colour of their class" in " ".join(text.split())


def test_a_report_names_who_asked_for_it(client, make_sample):
    path = f"/download/analysis/{make_sample('asked', 4.0, 1).current_analysis_id}/report.pdf"
    for who in ("Ann", "Bob"):
        client.set_cookie("antema_user", who)
        text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(client.get(path).data)).pages)
        assert f"by {who}" in text
