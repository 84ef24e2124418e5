"""A particle looked at: its pixels, the spots of its lattice, the evidence, and the words on them."""

import numpy as np
import pandas as pd
import pytest
from component_text import text_of

from antema.domain import CRYSTALLINITIES, NotFound
from antema.imaging import read
from antema.web import image_page, sample_page
from antema.web.particle_figures import crop_figure, transform_figure
from antema.web.particle_look import look
from antema.web.particle_view import differences, spots_statement
from tests.strategies.fringed import NM, SPACING_NM, fringed_sample


@pytest.fixture
def fringed(web_store, tmp_path):
    def make(name, **kwargs):
        sample = fringed_sample(web_store, tmp_path, name, 1, **kwargs)
        return sample.current_analysis_id, web_store.micrographs(sample.id)[0]

    return make


def test_the_particle_and_its_lattice_are_those_of_the_file(fringed, web_store):
    analysis_id, micrograph = fringed("gold", classes=CRYSTALLINITIES)
    pixels = read(web_store.blob_path(micrograph.sha256)).pixels
    rows = sample_page.of_micrograph(analysis_id, micrograph.id)[0]
    row = rows.iloc[2]
    seen = look(analysis_id, micrograph.id, int(row["particle"]))
    height, width = seen.pixels.shape
    assert np.array_equal(seen.pixels, pixels[seen.y : seen.y + height, seen.x : seen.x + width])
    assert seen.mask.sum() * NM**2 == pytest.approx(row["area_nm2"], rel=0.02)
    assert seen.pixels[seen.mask].mean() > 2 * seen.pixels[~seen.mask].mean()
    assert [spot.reflection for spot in seen.spots.spots] == ["{111}"]
    assert seen.spots.spots[0].spacing_nm == pytest.approx(SPACING_NM, rel=0.01)
    shown = text_of(spots_statement(seen))
    assert "{111}" in shown
    assert "0.2355 ± " in shown
    assert "gold, face-centred cubic" in shown

    ring = transform_figure(seen).data[0]
    assert np.hypot(ring.x[0], ring.y[0]) == pytest.approx(1 / SPACING_NM, rel=0.01)
    plain, evidence = crop_figure(seen, None), crop_figure(seen, "polycrystalline")
    assert [trace.type for trace in plain.data] == ["contour"]
    heat = evidence.data[0]
    values = seen.evidence.values.astype(float)
    expected = values[1, 1, 2] - values[1, 1].mean()
    assert heat.z[1][1] == pytest.approx(expected, abs=1e-3)
    assert heat.z[0][0] is None
    assert heat.zmax == -heat.zmin > 0


def test_without_material_or_classes_the_rest_is_shown(fringed):
    analysis_id, micrograph = fringed("bare", material="")
    seen = look(analysis_id, micrograph.id, 1)
    assert seen.evidence is None
    assert [trace.type for trace in crop_figure(seen, "amorphous").data] == ["contour"]
    shown = text_of(spots_statement(seen))
    assert "unnamed" in shown
    assert "the sample has no material. Enter it with Edit on the |sample's page" in shown
    other, micrograph = fringed("strange", material="unobtainium oxide")
    shown = text_of(spots_statement(look(other, micrograph.id, 1)))
    assert "no known lattice is meant by the sample's material “unobtainium oxide”" in shown
    with pytest.raises(NotFound, match="none numbered 99"):
        look(other, micrograph.id, 99)


@pytest.mark.parametrize(
    ("verdict", "reason", "spots", "said"),
    [
        ("monocrystalline", "", "monocrystalline", []),
        ("monocrystalline", "", "unknown", []),
        ("monocrystalline", "", "polycrystalline", ["spots say polycrystalline; the verdict is the network's"]),
        ("unknown", "uncertain", "unknown", ["monocrystalline likeliest, but its 71 % are less than the 80 % asked"]),
        ("unknown", "uncertain", "monocrystalline", ["71 %", "say monocrystalline as well, but they do not decide"]),
        ("unknown", "uncertain", "amorphous", ["71 %", "The spots say amorphous, but they do not decide"]),
        ("unknown", "no_lattice_visible", "unknown", ["where no lattice shows that rests on shape and shade alone"]),
        ("unknown", "too_small", "polycrystalline", ["The spots say polycrystalline, but they do not decide"]),
        ("", "", "polycrystalline", []),
    ],
)
def test_evidence_that_differs_from_the_verdict_says_why(verdict, reason, spots, said):
    shares = {"p_amorphous": 0.2, "p_monocrystalline": 0.71, "p_polycrystalline": 0.09}
    row = pd.Series({"crystallinity": verdict, "crystallinity_reason": reason, **shares})
    sentences = differences(row, spots, 0.8)
    assert len(sentences) == len(said)
    assert all(part in sentence for part, sentence in zip(said, sentences, strict=True))


def test_a_class_is_said_with_its_certainty_or_its_reason(fringed):
    analysis_id, micrograph = fringed("said", classes=CRYSTALLINITIES)
    rows, _ = sample_page.of_micrograph(analysis_id, micrograph.id, 0.34)
    for certainty in (0.34, 0.999):
        rows, _ = sample_page.of_micrograph(analysis_id, micrograph.id, certainty)
        row = rows.iloc[0]
        shown = text_of(image_page.particle_class(analysis_id, row, certainty))
        assert shown.startswith(str(row["crystallinity"]))
        assert f"at a certainty of {100 * certainty:g} %" in shown
        assert f"{100 * row['p_amorphous']:.0f} %" in shown
        assert ("less certain than asked for" in shown) == (certainty > 0.99)
    dropped = rows.iloc[0].copy()
    dropped["status"], dropped["crystallinity"] = "dropped", ""
    assert "left out" in text_of(image_page.particle_class(analysis_id, dropped, 0.8))
