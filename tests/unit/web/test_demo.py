import numpy as np
import pytest

import antema.simulation.demo
from antema import jobs, nets
from antema.simulation import metal_field
from antema.web import background, demo
from antema.web.demo import is_offered, make_demo
from tests.strategies.drawn_samples import BrightIsParticle


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Simulate small micrographs, and take what is bright for particle."""
    made = []

    def demo_field(seed, batch, **_):
        made.append((seed, batch))
        return metal_field(seed, shape=(96, 96), pixel_size_nm=0.1)

    class Segmenter(BrightIsParticle):
        def probability(self, pixels):
            return (pixels < np.median(pixels) * 0.8).astype(np.float32)

    monkeypatch.setattr(antema.simulation.demo, "demo_field", demo_field)
    monkeypatch.setattr(nets, "load", lambda _: Segmenter())
    monkeypatch.setattr(nets, "device_name", lambda: "test")
    monkeypatch.setattr("antema.analysis.pipeline.load_classifier", lambda _: None)
    monkeypatch.setattr("antema.analysis.load_classifier", lambda _: None)
    # jobs.run closes its own store; a signal handler in a test would be in pytest's way
    return made


def make(store):
    return make_demo(store.data_dir, by="Ann")


def filenames(store, sample_id):
    return sorted(micrograph.filename for micrograph in store.micrographs(sample_id))


def test_an_archived_demo_is_brought_back_without_simulating(web_store, small):
    assert is_offered(web_store)
    first = make(web_store)
    assert len(small) == 8
    assert not is_offered(web_store)
    names = [name for sample_id in first for name in filenames(web_store, sample_id)]
    truths = sorted((web_store.data_dir / "demo").iterdir())
    assert [path.stem for path in truths] == [name.removesuffix(".tif") for name in names], "the truth is kept"
    for sample_id in first:
        web_store.archive_sample(sample_id, by="Ann")
    assert is_offered(web_store)
    small.clear()
    assert make(web_store) == first
    assert small == []
    assert [summary.sample.archived for summary in web_store.samples()] == [False, False]
    assert len(web_store.jobs()) == 2, "nothing is analysed twice"


def test_half_a_demo_is_completed(web_store, small, monkeypatch):
    stored = type(web_store).add_micrograph
    calls = []

    def give_up(*arguments, **options):
        calls.append(1)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return stored(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(type(web_store), "add_micrograph", give_up)
        with pytest.raises(KeyboardInterrupt):
            make(web_store)
    assert is_offered(web_store)
    small.clear()
    samples = make(web_store)
    assert len(small) == 2, "only what is missing is simulated"
    assert [len(filenames(web_store, sample_id)) for sample_id in samples] == [4, 4]
    assert all(web_store.current_analysis(sample_id) is not None for sample_id in samples)
    assert len(web_store.samples()) == 2


def test_a_demo_that_was_interrupted_at_the_analysis_goes_on(web_store, monkeypatch):
    def interrupt(job_id, _):
        web_store.claim_job(job_id)
        web_store.interrupt_job(job_id)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "run", interrupt)
        with pytest.raises(KeyboardInterrupt):
            make(web_store)
    make(web_store)
    assert [job.status for job in web_store.jobs()] == ["done", "done"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (demo.AntemaError("expected a disk, found none"), "expected a disk, found none"),
        (ZeroDivisionError(), "unexpected error, see the server's log"),
    ],
)
def test_a_demo_that_fails_says_so(web_store, monkeypatch, error, words):
    told = []

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(antema.simulation.demo, "demo_field", fail)
    request = {"by": "Ann", "request": "1"}
    assert background.run_demo(told.append, request) == request
    assert told[-1] == f"The demo could not be made: {words}"
    assert is_offered(web_store)


def test_a_demo_is_made_once_at_a_time(web_store):
    told = []
    with demo._sole_maker(web_store):
        assert not is_offered(web_store)
        background.run_demo(told.append, {"by": "Ann", "request": "1"})
    assert "being made already" in told[-1]
    assert web_store.samples() == []


def test_a_dashboard_in_use_offers_no_demo(web_store):
    web_store.create_sample("Au 7", by="Ann")
    assert not is_offered(web_store)
