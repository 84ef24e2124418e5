import logging
import os
from contextlib import suppress

import numpy as np
import pytest
import tifffile
from filelock import FileLock, Timeout

import antema.analysis
import antema.imaging
import antema.jobs.worker
import antema.nets
from antema import jobs
from antema.domain import Annotations, AntemaError, Box, CannotRead, Micrograph, NotFound, PixelSize, Recipe
from antema.settings import Settings, get_settings
from antema.storage import Examined
from tests.strategies.judging import Judge
from tests.strategies.stored import NM, ThresholdSegmenter, add_micrograph, discs, save_analysis, write_tiff


@pytest.fixture
def segmenter(monkeypatch):
    made = ThresholdSegmenter()
    monkeypatch.setattr(antema.nets, "load", lambda _: made)
    monkeypatch.setattr(antema.nets, "device_name", lambda: "abacus")
    return made


@pytest.fixture(autouse=True)
def read_here(monkeypatch):
    """Read in this process: the reader process has its own tests, and starts slowly."""

    def read(path, *, data, name, timeout_s, memory_bytes):
        assert timeout_s == get_settings().reader_timeout_s
        assert memory_bytes == get_settings().reader_memory_mb * 2**20
        return antema.imaging.read(path, data=data, name=name)

    monkeypatch.setattr(antema.imaging, "read_safely", read)


@pytest.fixture
def work(store, segmenter):
    """Run the job, return it as it ended."""
    return lambda job, **options: jobs.run(job.id, store.data_dir, **options)


@pytest.fixture
def micrographs(store, sample):
    return [add_micrograph(store, sample.id, seed) for seed in (1, 2, 3)]


def test_a_sample_is_analysed(store, sample, micrographs, segmenter, work):
    job = jobs.start(store, sample.id, Recipe(), "Ann")
    assert (job.status, job.images_total) == ("queued", 3)
    done = work(job)
    assert (done.status, done.images_done, done.images_failed, done.particles) == ("done", 3, 0, 9)
    assert (done.device, done.pid, done.current_image, done.error) == ("abacus", os.getpid(), "", "")
    assert done.seconds_per_image > 0
    assert segmenter.calls == 3
    assert store.current_analysis(sample.id).id == job.analysis_id
    assert len(store.particles(job.analysis_id)) == 9
    assert done == store.job(job.id)


def test_progress_is_told(store, sample, micrographs, work):
    told = []
    work(jobs.start(store, sample.id, Recipe(), "Ann"), on_progress=told.append)
    assert [job.images_done for job in told] == sorted(job.images_done for job in told)
    assert [m.filename for m in micrographs] == [job.current_image for job in told if job.current_image]
    assert told[-1].particles == 9
    assert {job.status for job in told} == {"running"}


def test_progress_within_an_image_is_told(store, sample, micrographs, monkeypatch):
    monkeypatch.setattr(antema.nets, "load", lambda _: Judge(shares=(0.1, 0.6, 1.0)))
    monkeypatch.setattr(antema.nets, "device_name", lambda: "abacus")
    monkeypatch.setattr(antema.jobs.worker, "_SHARE_EVERY_S", 0.0)
    told = []
    done = jobs.run(jobs.start(store, sample.id, Recipe(), "Ann").id, store.data_dir, on_progress=told.append)
    assert [job.current_share for job in told if job.current_share] == [0.1, 0.6, 1.0] * 3
    shares = [job.share_done for job in told]
    assert shares == sorted(shares)
    assert (done.status, done.current_share) == ("done", None)


def test_the_image_that_was_chosen_of_a_file_is_analysed(store, sample, segmenter, work):
    path = store.incoming_dir / "series.tif"
    tifffile.imwrite(path, np.stack([discs(1, n=2), discs(2, n=4)]), photometric="minisblack")
    read, listed = antema.imaging.read, antema.imaging.contents(path)
    stored = store.add_micrograph(sample.id, read(path), path, examined=Examined(listed, 0), by="Ann")
    store.set_pixel_size([stored.id], NM, by="Ann")
    first = work(jobs.start(store, sample.id, Recipe(), "Ann"))
    other = read(store.blob_path(stored.sha256), data=1)
    store.choose_image(stored.id, other, Examined(data_index=1), by="Ann")
    second = work(jobs.start(store, sample.id, Recipe(), "Ann"))
    assert (first.particles, second.particles) == (2, 4)
    assert second.images_reused == 0
    before, after = (store.image_results(job.analysis_id)[0] for job in (first, second))
    assert (before.is_present_image, after.is_present_image) == (False, True)
    assert before.result_key != after.result_key


def test_one_bad_image_fails_alone(store, sample, micrographs, monkeypatch, caplog, work):
    real = antema.analysis.analyse

    def analyse(micrograph, recipe, **options):
        if micrograph.name == micrographs[1].filename:
            raise ZeroDivisionError("on purpose")
        return real(micrograph, recipe, **options)

    monkeypatch.setattr(antema.analysis, "analyse", analyse)
    with caplog.at_level(logging.ERROR, "antema.jobs"):
        done = work(jobs.start(store, sample.id, Recipe(), "Ann"))
    assert (done.status, done.images_done, done.images_failed, done.particles) == ("done", 3, 1, 6)
    results = store.image_results(done.analysis_id)
    assert [result.status for result in results] == ["done", "failed", "done"]
    assert results[1].error == "unexpected error: ZeroDivisionError: on purpose"
    assert "Traceback" in caplog.text
    assert store.current_analysis(sample.id).id == done.analysis_id


def test_a_file_that_cannot_be_read_fails_with_the_readers_sentence(store, sample, micrographs, monkeypatch, work):
    real = antema.imaging.read_safely

    def read(path, *, name, **limits):
        if name == micrographs[0].filename:
            msg = f"{name} cannot be read: truncated"
            raise CannotRead(msg)
        return real(path, name=name, **limits)

    monkeypatch.setattr(antema.imaging, "read_safely", read)
    done = work(jobs.start(store, sample.id, Recipe(), "Ann"))
    assert (done.status, done.images_failed) == ("done", 1)
    assert store.image_results(done.analysis_id)[0].error == "image-1.tif cannot be read: truncated"


def test_a_stored_file_that_changed_is_noticed(store, sample, micrographs, work):
    other, _ = write_tiff(store.incoming_dir, antema.imaging.read(store.blob_path(micrographs[1].sha256)).pixels[:64])
    store.blob_path(micrographs[0].sha256).write_bytes(other.read_bytes())
    done = work(jobs.start(store, sample.id, Recipe(), "Ann"))
    assert (done.status, done.images_failed) == ("done", 1)
    assert "the stored file has changed" in store.image_results(done.analysis_id)[0].error


def test_a_job_fails_when_every_image_does(store, sample, work):
    flat, sha256 = write_tiff(store.incoming_dir, antema.imaging.read(_flat(store)).pixels)
    micrograph = Micrograph(antema.imaging.read(flat).pixels, PixelSize(0.1, "file: a tag"), "flat.tif", sha256, {})
    store.add_micrograph(sample.id, micrograph, flat, by="Ann")
    done = work(jobs.start(store, sample.id, Recipe(), "Ann"))
    assert (done.status, done.images_failed) == ("failed", 1)
    assert done.error.startswith("no image could be analysed; the first: flat.tif: expected an image with contrast")
    assert store.current_analysis(sample.id) is None


def _flat(store):
    import numpy as np

    return write_tiff(store.incoming_dir, np.full((64, 64), 7, np.uint8), "flat.tif")[0]


def test_a_model_that_is_not_there_fails_the_job(store, sample, micrographs, monkeypatch):
    def load(name):
        msg = f"expected a model, found none named {name}"
        raise NotFound(msg)

    monkeypatch.setattr(antema.nets, "load", load)
    done = jobs.run(jobs.start(store, sample.id, Recipe(), "Ann").id, store.data_dir)
    assert (done.status, done.error) == ("failed", "expected a model, found none named default")
    assert store.image_results(done.analysis_id) == []


def test_a_job_that_breaks_is_failed_and_logged(store, sample, micrographs, monkeypatch, caplog):
    monkeypatch.setattr(antema.nets, "load", lambda _: 1 / 0)
    with caplog.at_level(logging.ERROR, "antema.jobs"):
        done = jobs.run(jobs.start(store, sample.id, Recipe(), "Ann").id, store.data_dir)
    assert (done.status, done.error) == ("failed", "unexpected error: ZeroDivisionError: division by zero")
    assert "Traceback" in caplog.text


def test_what_has_a_result_is_not_computed_again(store, sample, micrographs, segmenter, work):
    first = work(jobs.start(store, sample.id, Recipe(), "Ann"))
    more = add_micrograph(store, sample.id, 4)
    second = work(jobs.start(store, sample.id, Recipe(), "Ann"))
    assert (second.status, second.images_done, second.images_reused, second.particles) == ("done", 4, 3, 12)
    assert segmenter.calls == 4
    results = store.image_results(second.analysis_id)
    assert [result.reused for result in results] == [True, True, True, False]
    assert results[-1].micrograph_id == more.id
    assert len(store.particles(first.analysis_id)) == 9, "the old analysis stays as it was"
    assert store.current_analysis(sample.id).id == second.analysis_id


def test_a_job_that_computes_nothing_keeps_no_place(store, sample, micrographs, work):
    work(jobs.start(store, sample.id, Recipe(), "Ann"))
    add_micrograph(store, sample.id, 4)
    free = {}

    def look(job):
        place = FileLock(store.locks_dir / "slot-0.lock")
        with suppress(Timeout), place.acquire(timeout=0):
            free[job.images_done] = True

    done = work(jobs.start(store, sample.id, Recipe(), "Ann"), slots=1, on_progress=look)
    assert (done.images_reused, sorted(free)) == (3, [1, 2, 3])


def test_another_recipe_or_pixel_size_is_other_work(store, sample, micrographs, segmenter, work):
    work(jobs.start(store, sample.id, Recipe(), "Ann"))
    work(jobs.start(store, sample.id, Recipe(min_diameter_nm=0.6), "Ann"))
    assert segmenter.calls == 6
    store.set_pixel_size([micrographs[0].id], 0.2, by="Ann")
    done = work(jobs.start(store, sample.id, Recipe(), "Ann"))
    assert segmenter.calls == 7
    assert [result.stale for result in store.image_results(done.analysis_id)] == [False] * 3
    assert store.image_results(done.analysis_id)[0].pixel_size == PixelSize(0.2, "user: Ann")


def test_micrographs_without_scale_are_skipped_and_left_out_ones_ignored(store, sample, micrographs, work):
    bare = add_micrograph(store, sample.id, 4, nm=None)
    store.leave_out(micrographs[0].id, "blurred", "Ann")
    job = jobs.start(store, sample.id, Recipe(), "Ann")
    assert (job.images_total, job.images_skipped) == (2, 1)
    done = work(job)
    assert (done.images_total, done.images_done, done.images_skipped) == (2, 2, 1)
    skipped = [r for r in store.image_results(done.analysis_id, with_skipped=True) if r.status == "skipped"]
    assert [(result.micrograph_id, result.error) for result in skipped] == [
        (bare.id, "image-4.tif: expected a pixel size, found none (no tag)")
    ]


def test_what_a_person_changes_meanwhile_counts(store, sample, micrographs, work):
    other = store.create_sample("other", by="Ann")

    def meddle(job):
        if job.current_image == micrographs[0].filename:
            store.leave_out(micrographs[1].id, "blurred", "Bob")
            store.move_micrograph(micrographs[2].id, other.id, "Bob")

    done = work(jobs.start(store, sample.id, Recipe(), "Ann"), on_progress=meddle)
    assert (done.status, done.images_total, done.images_done) == ("done", 1, 1)
    assert len(store.image_results(done.analysis_id)) == 1


def test_nothing_left_to_do_is_a_failure(store, sample, micrographs, work):
    job = jobs.start(store, sample.id, Recipe(), "Ann")
    for micrograph in micrographs:
        store.leave_out(micrograph.id, "blurred", "Bob")
    done = work(job)
    assert (done.status, done.error) == (
        "failed",
        "expected micrographs with a pixel size, found none in the sample any more",
    )


def test_cancelled_between_images_and_resumed(store, sample, micrographs, segmenter, work):
    def cancel(job):
        if job.images_done == 1:
            jobs.cancel(store, job.id, "Bob")

    job = jobs.start(store, sample.id, Recipe(), "Ann")
    stopped = work(job, on_progress=lambda told: told.cancel_requested or cancel(told))
    assert (stopped.status, stopped.images_done, stopped.can_resume) == ("cancelled", 1, True)
    assert store.current_analysis(sample.id) is None
    assert len(store.particles(job.analysis_id)) == 3, "what is done is kept"
    jobs.resume(store, job.id, "Bob")
    done = work(job)
    assert (done.status, done.images_done, done.images_reused, done.particles) == ("done", 3, 0, 9)
    assert segmenter.calls == 3


def test_what_is_done_stays_when_a_job_is_taken_up_again(store, sample, micrographs, segmenter, monkeypatch, work):
    """Neither another pixel size nor another sample nor a further micrograph gets into what was computed."""
    real, seen = segmenter.probability, []

    def second_fails(pixels):
        seen.append(1)
        return 1 / 0 if len(seen) == 2 else real(pixels)

    monkeypatch.setattr(segmenter, "probability", second_fails)
    job = jobs.start(store, sample.id, Recipe(), "Ann")
    assert work(job).images_failed == 1
    before = store.particles(job.analysis_id)
    store.set_pixel_size([micrographs[0].id], 0.2, by="Bob")
    store.move_micrograph(micrographs[2].id, store.create_sample("other", by="Bob").id, "Bob")
    add_micrograph(store, sample.id, 9)
    jobs.resume(store, job.id, "Ann")
    done = work(job)
    assert (done.images_total, done.images_done, done.images_failed) == (3, 3, 0)
    after = store.particles(job.analysis_id)
    kept = after[after["micrograph_id"].isin(before["micrograph_id"])].reset_index(drop=True)
    assert kept.equals(before)
    assert sorted(set(after["micrograph_id"])) == [one.id for one in micrographs]
    assert store.image_results(job.analysis_id)[0].pixel_size.nm == micrographs[0].pixel_size.nm


def test_a_lost_file_is_computed_again_as_it_was(store, sample, micrographs, segmenter, monkeypatch, work):
    monkeypatch.setattr(segmenter, "probability", lambda _, real=segmenter.probability: real(_))
    job = jobs.start(store, sample.id, Recipe(), "Ann")
    work(job)
    before, lost = store.particles(job.analysis_id), store.image_results(job.analysis_id)[0]
    lost.parquet.unlink()
    store.update_job(job.id, images_failed=1)
    store.set_pixel_size([micrographs[0].id], 0.2, by="Bob")
    jobs.resume(store, job.id, "Ann")
    assert work(job).status == "done"
    assert store.image_results(job.analysis_id)[0].result_key == lost.result_key
    assert store.particles(job.analysis_id).equals(before)


def test_where_the_model_changed_a_result_without_its_picture_stays(store, sample, micrographs, segmenter, work):
    job = jobs.start(store, sample.id, Recipe(), "Ann")
    work(job)
    before, (pictureless, lost, _) = store.particles(job.analysis_id), store.image_results(job.analysis_id)
    store.blob_path(pictureless.segmentation_sha256).unlink()
    kept = lost.parquet.read_bytes()
    lost.parquet.unlink()
    segmenter.sha256 = "6" * 64
    store.update_job(job.id, images_failed=1)
    jobs.resume(store, job.id, "Ann")
    done = work(job)
    assert (done.status, done.images_failed, done.particles, segmenter.calls) == ("done", 1, 6, 3)
    lost.parquet.write_bytes(kept)
    assert store.particles(job.analysis_id).equals(before)


def test_failed_images_are_tried_again_when_resumed(store, sample, micrographs, segmenter, monkeypatch, work):
    real = segmenter.probability
    monkeypatch.setattr(segmenter, "probability", lambda _: 1 / 0)
    job = jobs.start(store, sample.id, Recipe(), "Ann")
    assert work(job).status == "failed"
    monkeypatch.setattr(segmenter, "probability", real)
    jobs.resume(store, job.id, "Ann")
    assert work(job).images_failed == 0
    assert [result.error for result in store.image_results(job.analysis_id)] == ["", "", ""]


def test_an_image_that_kills_its_process_again_and_again_is_given_up(store, sample, micrographs, segmenter, work):
    job = jobs.start(store, sample.id, Recipe(), "Ann")
    for _ in range(3):
        store.begin_image(job.analysis_id, micrographs[0].id)
    done = work(job)
    assert (done.status, done.images_failed, segmenter.calls) == ("done", 1, 2)
    assert "its process ended 3 times" in store.image_results(job.analysis_id)[0].error


def test_only_a_queued_job_is_run(store, sample, micrographs, work):
    job = jobs.start(store, sample.id, Recipe(), "Ann")
    work(job)
    with pytest.raises(AntemaError, match="expected a queued job, found one that is done"):
        work(job)


def test_a_result_made_elsewhere_meanwhile_is_taken(store, sample, micrographs, segmenter, work):
    job = jobs.start(store, sample.id, Recipe(), "Ann")
    other = store.create_analysis(sample.id, Recipe(), "Bob")
    save_analysis(store, other.id, micrographs[2])
    done = work(job)
    assert (done.images_done, done.images_reused, segmenter.calls) == (3, 1, 2)


@pytest.mark.parametrize(("device", "platforms"), [("auto", None), ("cpu", "cpu"), ("gpu", "cuda")])
def test_the_device_of_the_settings_is_what_jax_will_find(
    store, sample, micrographs, work, monkeypatch, device, platforms
):
    monkeypatch.setenv("JAX_PLATFORMS", "")
    monkeypatch.delenv("JAX_PLATFORMS")
    monkeypatch.setattr("antema.jobs.worker.get_settings", lambda: Settings(device=device))
    work(jobs.start(store, sample.id, Recipe(), "Ann"))
    assert os.environ.get("JAX_PLATFORMS") == platforms


def test_what_the_process_was_started_with_goes_before_the_settings(store, sample, micrographs, work, monkeypatch):
    monkeypatch.setenv("JAX_PLATFORMS", "tpu")
    monkeypatch.setattr("antema.jobs.worker.get_settings", lambda: Settings(device="cpu"))
    work(jobs.start(store, sample.id, Recipe(), "Ann"))
    assert os.environ["JAX_PLATFORMS"] == "tpu"


def test_what_the_upload_found_burned_in_is_not_looked_for_again(store, sample, work, monkeypatch):
    path, sha256 = write_tiff(store.incoming_dir, discs(1))
    found = Examined(annotations=Annotations(boxes=(Box(0, 0, 96, 8),)))
    micrograph = Micrograph(discs(1), PixelSize(NM, "file: a tag"), path.name, sha256, {})
    store.add_micrograph(sample.id, micrograph, path, examined=found, by="Ann")
    monkeypatch.setattr("antema.analysis.segmentation.find_annotations", lambda _: pytest.fail("looked once more"))
    done = work(jobs.start(store, sample.id, Recipe(), "Ann"))
    assert (done.status, done.images_failed, done.particles) == ("done", 0, 3)
    (result,) = store.image_results(done.analysis_id)
    assert "Burned-in text and bars, 8.3 % of the image, were left out." in result.notes


def test_a_damaged_particle_file_is_computed_again_and_nothing_else(store, sample, micrographs, segmenter, work):
    first = work(jobs.start(store, sample.id, Recipe(), "Ann"))
    damaged = store.image_results(first.analysis_id)[1]
    damaged.parquet.write_bytes(damaged.parquet.read_bytes()[:-20])
    assert [result.status for result in store.image_results(first.analysis_id)] == ["done", "failed", "done"]
    again = work(jobs.start(store, sample.id, Recipe(), "Ann"))
    assert (again.status, again.images_reused, again.particles, segmenter.calls) == ("done", 2, 9, 4)
    assert [result.status for result in store.image_results(first.analysis_id)] == ["done"] * 3
    assert "was damaged; it was computed anew" in store.image_results(again.analysis_id)[1].notes[-1]
