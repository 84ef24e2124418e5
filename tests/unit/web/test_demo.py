import json
import re

import numpy as np
import pytest
from PIL import Image

from antema import jobs, nets
from antema.domain import AntemaError, Micrograph, PixelSize
from antema.imaging import file_sha256
from antema.simulation import DEMO_SEED, demo_samples
from antema.web import background, demo
from antema.web.demo import FILES, finish_demo, is_offered, load_demo, read_shipped, samples_of, version
from antema.web.make_demo import write_results
from antema.web.models_view import default_recipe
from tests.strategies.drawn_samples import BrightIsParticle

MOST_BYTES = 6_000_000


def write_small_demo(folder):
    """Two samples of two micrographs with dark discs, in the layout of the shipped demo."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:96, :96]
    samples = []
    for number, values in enumerate(demo_samples()):
        samples.append(values | {"images": values["images"][:2], "pixel_size_nm": 0.1 + 0.1 * number})
        for name in samples[-1]["images"]:
            grey = rng.normal(130, 3, (96, 96))
            for cy, cx in ((30, 30), (60, 66), (24, 70)):
                grey -= 80 * (np.hypot(y - cy, x - cx) < 9 + rng.uniform(0, 3))
            Image.fromarray(grey.astype(np.uint8)).save(folder / name)
            (folder / name).with_suffix(".json").write_text(json.dumps({"particles": []}))
    (folder / "demo.json").write_text(json.dumps(samples))


@pytest.fixture(autouse=True)
def networks(monkeypatch):
    """Take what is dark for particle, classified by nobody."""

    class Segmenter(BrightIsParticle):
        def probability(self, pixels):
            return (pixels < np.median(pixels) * 0.8).astype(np.float32)

    monkeypatch.setattr(nets, "load", lambda _: Segmenter())
    monkeypatch.setattr(nets, "device_name", lambda: "test")
    for module in ("antema.analysis.pipeline", "antema.analysis", "antema.web.make_demo"):
        monkeypatch.setattr(f"{module}.load_classifier", lambda _: None)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The files of a small demo in place of the shipped ones, with results."""
    folder = tmp_path / "small demo"
    folder.mkdir()
    write_small_demo(folder)
    monkeypatch.setattr(demo, "FILES", folder)
    write_results(folder)
    return folder


def load(store):
    return load_demo(store, by="Ann")


def counts(store):
    return [(summary.n_micrographs, summary.n_particles) for summary in store.samples()]


def test_the_demo_stands_with_its_results_and_no_job_is_left(web_store, small, monkeypatch):
    monkeypatch.setattr("antema.analysis.analyse", lambda *_, **__: pytest.fail("something was computed"))
    assert is_offered(web_store)

    assert load(web_store) == []

    assert not is_offered(web_store)
    assert counts(web_store) == [(2, 6), (2, 6)]
    assert [(job.status, job.images_done, job.particles) for job in web_store.jobs()] == [("done", 2, 6)] * 2
    for summary in web_store.samples():
        assert summary.sample.material == "Au"
        analysis = web_store.current_analysis(summary.sample.id)
        table = web_store.particles(analysis.id)
        assert table["equivalent_diameter_nm"].between(1.5, 6).all()
        assert {one.pixel_size.source for one in web_store.micrographs(summary.sample.id)} == {
            "sidecar: the simulation's truth (.json)"
        }
    truths = sorted(path.name for path in (web_store.data_dir / "demo").iterdir())
    assert truths == sorted(name.replace(".png", ".json") for one in samples_of(small) for name in one["images"])


def test_what_was_shipped_is_what_an_analysis_gives(web_store, small):
    load(web_store)
    for summary in web_store.samples():
        shipped = web_store.particles(web_store.current_analysis(summary.sample.id).id)
        job = jobs.start(web_store, summary.sample.id, default_recipe(), by="Ann")
        assert jobs.run(job.id, web_store.data_dir).images_reused == 2, "the results are named as a job names them"
        assert len(shipped) == 6


def test_an_archived_demo_is_brought_back_and_nothing_is_analysed_twice(web_store, small):
    load(web_store)
    for summary in web_store.samples():
        web_store.archive_sample(summary.sample.id, by="Ann")
    assert is_offered(web_store)

    assert load(web_store) == []

    assert [summary.sample.archived for summary in web_store.samples()] == [False, False]
    assert len(web_store.jobs()) == 2


def test_half_a_demo_is_completed(web_store, small, monkeypatch):
    stored = type(web_store).add_micrograph
    calls = []

    def give_up(*arguments, **options):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return stored(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(type(web_store), "add_micrograph", give_up)
        with pytest.raises(KeyboardInterrupt):
            load(web_store)
    assert is_offered(web_store)

    load(web_store)

    assert counts(web_store) == [(2, 6), (2, 6)]


def test_results_of_another_version_are_not_given_but_computed(web_store, small, monkeypatch):
    monkeypatch.setattr("antema.web.demo.ALGORITHM_VERSION", "another")

    missing = load(web_store)

    assert sorted(missing) == sorted(summary.sample.id for summary in web_store.samples())
    assert web_store.jobs() == [], "a job that waits without a process would be taken for a dead one"
    finish_demo(web_store.data_dir, missing, by="Ann")
    assert counts(web_store) == [(2, 6), (2, 6)]


def test_an_analysis_that_broke_off_goes_on(web_store, small, monkeypatch):
    monkeypatch.setattr("antema.web.demo.ALGORITHM_VERSION", "another")
    missing = load(web_store)

    def interrupt(job_id, _):
        web_store.claim_job(job_id)
        web_store.interrupt_job(job_id)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "run", interrupt)
        with pytest.raises(KeyboardInterrupt):
            finish_demo(web_store.data_dir, missing, by="Ann")
    assert load(web_store) == missing
    finish_demo(web_store.data_dir, missing, by="Ann")
    assert [job.status for job in web_store.jobs()] == ["done", "done"]


def test_a_micrograph_with_another_scale_is_computed(web_store, small):
    load(web_store)
    one = web_store.samples()[0].sample.id
    assert demo._are_shipped(web_store, one, default_recipe())
    web_store.set_pixel_size([micrograph.id for micrograph in web_store.micrographs(one)], 0.5, by="Ann")
    assert not demo._are_shipped(web_store, one, default_recipe())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AntemaError("expected a disk, found none"), "expected a disk, found none"),
        (ZeroDivisionError(), "unexpected error, see the server's log"),
    ],
)
def test_a_demo_whose_analysis_fails_says_so(web_store, monkeypatch, error, words):
    told = []

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(demo, "finish_demo", fail)
    request = {"samples": [1], "by": "Ann", "request": "1"}
    assert background.run_demo(told.append, request) == request
    assert told == [f"The demo could not be analysed: {words}"]


def test_a_demo_is_loaded_once_at_a_time(web_store, small):
    with demo._sole_maker(web_store):
        assert not is_offered(web_store)
        with pytest.raises(AntemaError, match="being loaded already"):
            load(web_store)
    assert web_store.samples() == []


def test_a_dashboard_in_use_offers_no_demo(web_store):
    web_store.create_sample("Au 7", by="Ann")
    assert not is_offered(web_store)


# --- what is shipped


def shipped():
    return [(one["pixel_size_nm"], name) for one in samples_of(FILES) for name in one["images"]]


def test_the_shipped_micrographs_are_small_calibrated_and_come_with_their_truth():
    assert samples_of(FILES) == demo_samples(), "python -m antema.web.make_demo makes them anew"
    assert sum((FILES / name).stat().st_size for _, name in shipped()) < MOST_BYTES
    for size, name in shipped():
        micrograph = read_shipped(FILES, name, size)
        assert isinstance(micrograph, Micrograph)
        assert (micrograph.shape, micrograph.pixels.dtype) == ((1024, 1024), np.uint8)
        assert micrograph.pixel_size == PixelSize(size, "sidecar: the simulation's truth (.json)")
        truth = json.loads((FILES / name).with_suffix(".json").read_text("utf-8"))
        assert truth["pixel_size_nm"] == size
        assert len(truth["particles"]) > 10
        assert str(truth["conditions"]["seed"]).startswith(str(DEMO_SEED))


def test_the_shipped_results_are_those_of_this_version():
    recipe = default_recipe()
    for size, name in shipped():
        assert (FILES / name).with_suffix(".parquet").is_file(), "python -m antema.web.make_demo --results-only"
        said = demo.read_said(FILES, name.removesuffix(".png"))
        assert (said["image_sha256"], said["pixel_size_nm"]) == (file_sha256(FILES / name), size)
        assert said["version"] == version(recipe), "python -m antema.web.make_demo --results-only makes them anew"


def test_the_notes_say_how_large_the_particles_are_in_truth():
    for sample in samples_of(FILES):
        truths = [json.loads((FILES / name).with_suffix(".json").read_text("utf-8")) for name in sample["images"]]
        particles = [one for truth in truths for one in truth["particles"]]
        by_atoms, seen = (
            np.mean([one[f"{kind}_diameter_nm"] for one in particles]) for kind in ("equivalent", "visible")
        )
        said = re.search(r"In truth ([\d.]+) nm .* and ([\d.]+) nm at half", sample["notes"])
        assert said is not None
        assert by_atoms == pytest.approx(float(said[1]), rel=0.03)
        assert seen == pytest.approx(float(said[2]), rel=0.03)
