"""Crystallinity on its way into the particle table: what is asked, what is kept, what a certainty makes of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antema.analysis import analyse, called, load_classifier, result_key
from antema.analysis.classification import NO_MODEL
from antema.domain import CRYSTALLINITIES, CannotAnalyse, Micrograph, NotFound, PixelSize, Recipe, crystallinities
from tests.strategies.classifying import DrawsClasses
from tests.strategies.drawn_samples import BrightIsParticle

P = ["p_amorphous", "p_monocrystalline", "p_polycrystalline"]


@pytest.fixture
def micrograph():
    """Eight discs, one of them cut by the edge."""
    y, x = np.mgrid[:160, :160]
    pixels = np.full((160, 160), 100, np.uint16)
    for place in range(9):
        cx, cy = 30 + 50 * (place % 3), 30 + 50 * (place // 3)
        pixels[np.hypot(x - cx, y - cy) < 8 + place] = 900
    pixels[np.hypot(x - 159, y - 5) < 9] = 900
    return Micrograph(pixels, PixelSize(0.1, "file: a tag"), "drawn.tif", "a" * 64)


def analysed(micrograph, classifier, **recipe):
    return analyse(micrograph, Recipe(**recipe), segmenter=BrightIsParticle(), classifier=classifier)


def test_measured_rows_are_classified_and_dropped_ones_are_not(micrograph):
    classifier = DrawsClasses(least_area_px=300)
    found = analysed(micrograph, classifier)
    table = found.table
    measured, small = table["status"] == "measured", table["area_nm2"] < 3.0
    assert (measured.sum(), (~measured).sum()) == (9, 1)
    assert table.loc[measured & ~small, P].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert (table.loc[measured & small, "crystallinity_reason"] == "too_small").all()
    assert (table.loc[measured & small, "crystallinity"] == "unknown").all()
    assert table.loc[~measured | small, [*P, "confidence", "p_lattice_visible"]].isna().all(axis=None)
    assert table.loc[~measured, ["crystallinity", "crystallinity_reason"]].eq("").all(axis=None)
    np.testing.assert_array_equal(table["confidence"], table[P].max(axis=1))
    assert found.crystallinity_model == {"name": classifier.name, "sha256": classifier.sha256}
    assert classifier.asked == 1
    assert "crystallinity" in found.seconds
    for row, evidence, instance in zip(table.itertuples(), found.evidence, found.instances, strict=True):
        assert (evidence is None) == (row.status == "dropped" or row.crystallinity_reason == "too_small")
        assert evidence is None or (evidence.x, evidence.y) == (instance.x, instance.y)


def test_measures_do_not_depend_on_the_classification(micrograph):
    with_classes, without = analysed(micrograph, DrawsClasses()), analysed(micrograph, None, crystallinity=False)
    others = [column for column in without.table if column not in (*P, "confidence", "p_lattice_visible")]
    others = [column for column in others if not column.startswith("crystallinity")]
    pd.testing.assert_frame_equal(with_classes.table[others], without.table[others])


def test_who_asks_for_no_crystallinity_gets_none(micrograph):
    classifier = DrawsClasses()
    found = analysed(micrograph, classifier, crystallinity=False)
    assert (classifier.asked, found.crystallinity_model, found.evidence) == (0, {}, [])
    assert (found.table["crystallinity"] == "").all()
    assert NO_MODEL not in found.notes


def test_without_a_model_a_note_says_so(micrograph):
    found = analysed(micrograph, None)
    assert NO_MODEL in found.notes
    assert found.crystallinity_model == {}
    assert found.table[P].isna().all(axis=None)


def test_a_model_asked_for_by_name_must_be_there_and_be_one_of_crystallinity(micrograph, monkeypatch):
    assert load_classifier(Recipe()) is None
    with pytest.raises(NotFound):
        analysed(micrograph, None, crystallinity_model="nowhere")
    from antema.nets.card import find

    monkeypatch.setattr("antema.analysis.classification.find", find)
    with pytest.raises(NotFound, match="expected one of crystallinity, found one of segmentation"):
        load_classifier(Recipe(crystallinity_model="unet-stride2"))
    assert load_classifier(Recipe(crystallinity=False, crystallinity_model="nowhere")) is None


def test_progress_runs_on_through_the_classification(micrograph):
    told = []
    analyse(micrograph, segmenter=BrightIsParticle(), classifier=DrawsClasses(), progress=told.append)
    assert told == [0.75, 1.0]


def test_an_answer_for_another_number_of_particles_is_refused(micrograph):
    class Forgetful(DrawsClasses):
        def classify(self, pixels, instances, pixel_size_nm, *, progress=None):
            return super().classify(pixels, instances[1:], pixel_size_nm, progress=progress)

    with pytest.raises(CannotAnalyse, match="expected an answer for 9 particles, found"):
        analysed(micrograph, Forgetful())


def test_an_image_without_particles_asks_nothing(micrograph):
    classifier = DrawsClasses()
    empty = replace(micrograph, pixels=np.where(micrograph.pixels > 500, 200, micrograph.pixels))
    found = analysed(empty, classifier)
    assert (len(found.table), found.evidence, classifier.asked) == (0, [], 0)


def test_any_certainty_can_be_asked_for_after_any_other(micrograph):
    table = analysed(micrograph, DrawsClasses(least_area_px=300)).table
    strict = called(table, 0.95)
    assert set(strict["crystallinity_reason"]) == {"", "too_small", "uncertain"}
    pd.testing.assert_frame_equal(called(strict, 0.8), table)
    sure = called(table, 0.34)
    assert (sure["crystallinity"] == "unknown").sum() == (table["crystallinity_reason"] == "too_small").sum()
    assert called(table, 0.95).loc[table["confidence"] == 0.9, "crystallinity"].eq("unknown").all()


def test_a_result_of_before_stays_unclassified():
    table = pd.DataFrame({**dict.fromkeys((*P, "p_lattice_visible"), [np.nan] * 2), "crystallinity_reason": [None, ""]})
    found = called(table, 0.8)
    assert found[["crystallinity", "crystallinity_reason"]].eq("").all(axis=None)
    assert len(called(table.iloc[:0], 0.8)) == 0


def slow(probabilities, lattice, hindrances, certainty):
    """Return what `crystallinities` promises, row by row."""
    for row, visible, hindrance in zip(probabilities, lattice, hindrances, strict=True):
        if hindrance:
            yield "unknown", hindrance
        elif any(np.isnan(row)):
            yield "", ""
        elif max(row) >= certainty and not visible < 0.5:
            yield CRYSTALLINITIES[int(np.argmax(row))], ""
        else:
            yield "unknown", "no_lattice_visible" if visible < 0.5 else "uncertain"


share = st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.79, 0.8, 1.0, np.nan])


@given(
    st.lists(st.tuples(share, share, share, share, st.sampled_from(["", "too_small", "sampling_too_coarse"]))), share
)
def test_names_and_reasons_follow_row_by_row(rows, certainty):
    p, lattice, hindrances = [row[:3] for row in rows], [row[3] for row in rows], [row[4] for row in rows]
    names, reasons = crystallinities(p, lattice, hindrances, certainty)
    assert list(zip(names, reasons, strict=True)) == list(slow(p, lattice, hindrances, certainty))


def test_the_key_of_a_result_knows_the_model_of_crystallinity():
    base = ("a" * 64, 0.0639, Recipe(), "b" * 64)
    keys = {result_key(*base), *(result_key(*base, crystallinity_sha256=digest * 64) for digest in "cd")}
    keys |= {result_key(*base, 0), result_key(*base, 0, crystallinity_sha256="c" * 64)}
    assert len(keys) == 5
