"""What a classifier said is kept with the result; a certainty makes no new one."""

import numpy as np
import pytest
import tifffile

import antema.analysis
import antema.imaging
import antema.nets
from antema import jobs
from antema.analysis import analyse, called, result_key
from antema.domain import Micrograph, NotFound, Recipe, View
from tests.strategies.classifying import DrawsClasses
from tests.strategies.stored import ThresholdSegmenter, add_micrograph


@pytest.fixture
def kept(store, sample):
    """An analysis of one classified micrograph, with what was kept and what it was made of."""
    stored = add_micrograph(store, sample.id, 1)
    classifier, segmenter = DrawsClasses(certainties=(0.7, 0.99)), ThresholdSegmenter()
    pixels = tifffile.imread(store.blob_path(stored.sha256))
    found = analyse(
        Micrograph(pixels, stored.pixel_size, "x", stored.sha256), segmenter=segmenter, classifier=classifier
    )
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    key = result_key(stored.sha256, 0.1, Recipe(), segmenter.sha256, crystallinity_sha256=classifier.sha256)
    return analysis, store.save_result(analysis.id, stored.id, key, found), found


def test_probabilities_model_and_evidence_come_back(store, kept):
    analysis, saved, found = kept
    assert saved == store.image_result(analysis.id, saved.micrograph_id)
    assert saved.crystallinity_model == {"name": "drawn-classes", "sha256": "c" * 64}
    table = store.particles(analysis.id)
    columns = [c for c in table if c.startswith(("p_", "crystallinity")) or c == "confidence"]
    assert len(columns) == 7
    for column in columns:
        np.testing.assert_array_equal(table[column], found.table[column])
    for number, evidence in zip(found.table["particle"], found.evidence, strict=True):
        again = store.evidence(analysis.id, saved.micrograph_id, number)
        assert (again is None) == (evidence is None)
        if evidence is not None:
            np.testing.assert_array_equal(again.values, evidence.values)
            assert (again.x, again.y, again.w, again.h) == (evidence.x, evidence.y, evidence.w, evidence.h)
    assert any(evidence is not None for evidence in found.evidence)
    with pytest.raises(NotFound, match="none with the number 99"):
        store.evidence(analysis.id, saved.micrograph_id, 99)


class Classifiers:
    """Installs one classifier after the other, and counts what was asked of each."""

    def __init__(self, monkeypatch):
        self.now = DrawsClasses()
        monkeypatch.setattr(antema.analysis, "load_classifier", self.load)

    def load(self, recipe):
        return self.now if recipe.crystallinity else None


def run(store, sample, recipe):
    return jobs.run(jobs.start(store, sample.id, recipe, "Ann").id, store.data_dir)


@pytest.fixture
def classifiers(monkeypatch):
    monkeypatch.setattr(antema.nets, "load", lambda _: ThresholdSegmenter())
    monkeypatch.setattr(antema.nets, "device_name", lambda: "abacus")
    monkeypatch.setattr(antema.imaging, "read_safely", lambda path, *, name, **_: antema.imaging.read(path, name=name))
    return Classifiers(monkeypatch)


def test_another_certainty_is_another_view_of_the_same_result(store, sample, classifiers):
    for seed in (1, 2):
        add_micrograph(store, sample.id, seed)
    first = run(store, sample, Recipe())
    assert (first.status, first.images_reused, classifiers.now.asked) == ("done", 0, 2)
    at_default = store.particles(first.analysis_id)
    store.set_view(first.analysis_id, View(crystallinity_certainty=0.95), by="Ann")
    again = run(store, sample, Recipe())
    assert (again.status, again.images_reused, classifiers.now.asked) == ("done", 2, 2)
    assert [r.result_key for r in store.image_results(again.analysis_id)] == [
        r.result_key for r in store.image_results(first.analysis_id)
    ]
    strict = called(store.particles(first.analysis_id), store.analysis(first.analysis_id).view.crystallinity_certainty)
    assert (strict["crystallinity"] == "unknown").sum() > (at_default["crystallinity"] == "unknown").sum()


def test_a_job_that_broke_off_classifies_only_what_is_left(store, sample, classifiers):
    stored = [add_micrograph(store, sample.id, seed) for seed in (1, 2, 3)]

    class Fails(DrawsClasses):
        def classify(self, pixels, instances, pixel_size_nm, *, progress=None):
            if self.asked == 2:
                msg = "out of memory"
                raise MemoryError(msg)
            return super().classify(pixels, instances, pixel_size_nm, progress=progress)

    classifiers.now = Fails()
    job = run(store, sample, Recipe())
    assert (job.status, job.images_failed) == ("done", 1)
    classifiers.now = DrawsClasses()
    job = jobs.run(jobs.resume(store, job.id, "Ann").id, store.data_dir)
    assert (job.status, job.images_failed, classifiers.now.asked) == ("done", 0, 1)
    assert len(store.image_results(job.analysis_id)) == len(stored)


def test_another_model_of_crystallinity_is_another_result(store, sample, classifiers):
    add_micrograph(store, sample.id, 1)
    keys = set()
    for digest in "cd":
        classifiers.now = DrawsClasses(sha256=digest * 64)
        job = run(store, sample, Recipe())
        assert (job.images_reused, classifiers.now.asked) == (0, 1)
        keys |= {result.result_key for result in store.image_results(job.analysis_id)}
    job = run(store, sample, Recipe(crystallinity=False))
    assert classifiers.now.asked == 1
    assert len(keys | {result.result_key for result in store.image_results(job.analysis_id)}) == 3
