"""What people delete lies in the bin, can be taken back, and ends for good with those files that nothing else names."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from filelock import FileLock
from sqlalchemy import update

from antema import jobs
from antema.domain import AlreadyThere, AntemaError, NotFound, Recipe
from antema.storage import Store, open_store, schema
from antema.storage.check import check
from tests.strategies.stored import add_micrograph, save_analysis


@pytest.fixture
def full(store, sample):
    """A sample of two micrographs with a result that it shows, and another result over the first one alone."""
    micrographs = [add_micrograph(store, sample.id, seed) for seed in (1, 2)]
    first, second = (store.create_analysis(sample.id, Recipe(), "Ann") for _ in range(2))
    for micrograph in micrographs:
        save_analysis(store, first.id, micrograph)
    shared = store.image_results(first.id)[0]
    store.link_result(second.id, micrographs[0].id, shared.result_key)
    store.update_job(store.create_job(second.id, "Ann").id, status="done")
    store.update_job(store.create_job(first.id, "Ann").id, status="done")
    return sample, micrographs, (first, second)


def files(store):
    folders = (store.data_dir / "blobs", store.particles_dir)
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


def size(paths):
    return sum(path.stat().st_size for path in paths)


def whats(store, **which):
    return [edit.what for edit in store.edits(**which)]


def test_a_deleted_micrograph_is_out_of_lists_and_counts_and_comes_back(store, full):
    sample, (first, second), (analysis, _) = full
    store.leave_out(second.id, "out of focus", "Ann")
    entry = store.delete("micrograph", first.id, by="Bob", why="twice the same")
    assert [m.id for m in store.micrographs(sample.id)] == [second.id]
    assert store.count_micrographs(sample.id) == 1
    assert store.samples()[0].n_micrographs == 1
    assert len(store.particles(analysis.id)) == 0
    assert store.image_results(analysis.id)[0].not_counted_reason == "left out: deleted by Bob"
    with pytest.raises(AntemaError, match="in the bin"):
        store.take_back(first.id, "Bob")
    with pytest.raises(NotFound, match="in the bin already"):
        store.delete("micrograph", first.id, by="Bob")
    (listed,) = store.bin()
    assert listed == entry
    assert (listed.name, listed.sample_name, listed.by, listed.why) == (
        "image-1.tif",
        "Au 2 nm",
        "Bob",
        "twice the same",
    )
    assert listed.ends_at - listed.at == timedelta(days=30)
    store.take_out_of_bin(entry.id, by="Eve")
    assert [m.left_out_reason for m in store.micrographs(sample.id)] == [None, "out of focus"]
    assert len(store.particles(analysis.id)) == 3
    assert store.bin() == []
    history = store.edits(sample_id=sample.id, target="micrograph", target_id=first.id)
    assert [(edit.what, edit.who) for edit in history[:2]] == [
        ("take micrograph out of bin", "Eve"),
        ("delete micrograph", "Bob"),
    ]
    with pytest.raises(NotFound):
        store.take_out_of_bin(entry.id, by="Eve")


def test_the_same_bytes_are_refused_while_they_lie_in_the_bin(store, full):
    sample, (first, _), _ = full
    store.delete("micrograph", first.id, by="Bob")
    with pytest.raises(AlreadyThere, match="is in the bin already, as image-1.tif: take it back from there, or empty"):
        add_micrograph(store, sample.id, 1, name="again.tif")
    store.empty_bin(by="Bob")
    again = add_micrograph(store, sample.id, 1, name="again.tif")
    assert again.id > first.id, "the id of one that is gone is given to no other"
    assert store.blob_fault(again.sha256) == store.blob_fault(again.display_sha256) == ""


def test_emptying_frees_what_was_promised_and_nothing_else(store, full):
    sample, (first, second), (analysis, other) = full
    before = files(store)
    entry = store.delete("micrograph", first.id, by="Bob")
    assert files(store) == before, "nothing goes before the bin is emptied"
    freed = store.empty_bin([entry.id], by="Bob")
    gone = set(before) - set(files(store))
    assert freed == entry.n_bytes > 0
    assert store.blob_path(first.sha256) in gone
    assert size(files(store)) > 0
    assert len(store.particles(analysis.id)) == 3
    assert store.image_results(other.id) == []
    assert check(store) == []
    assert whats(store, target="micrograph", target_id=first.id)[0] == "delete micrograph for good"


def test_a_result_goes_without_what_another_one_shares(store, full):
    sample, _, (analysis, other) = full
    shared, own = store.image_results(analysis.id)
    entry = store.delete("analysis", analysis.id, by="Bob")
    assert [row.id for row in store.analyses(sample.id)] == [other.id]
    assert store.current_analysis(sample.id).id == other.id, "the sample shows another one"
    store.empty_bin(by="Bob")
    assert shared.parquet.is_file()
    assert not own.parquet.exists()
    assert entry.n_bytes >= 0
    assert len(store.particles(other.id)) == 3
    assert check(store) == []
    with pytest.raises(NotFound):
        store.analysis(analysis.id)
    assert store.create_analysis(sample.id, Recipe(), "Ann").id > analysis.id


def test_a_result_taken_back_is_shown_again_where_none_is(store, sample):
    micrograph = add_micrograph(store, sample.id, 1)
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    save_analysis(store, analysis.id, micrograph)
    store.update_job(store.create_job(analysis.id, "Ann").id, status="done")
    entry = store.delete("analysis", analysis.id, by="Bob")
    assert store.current_analysis(sample.id) is None
    store.take_out_of_bin(entry.id, by="Bob")
    assert store.current_analysis(sample.id).id == analysis.id


def test_a_sample_goes_with_all_that_is_in_it(store, full):
    sample, (first, second), _ = full
    inner = store.delete("micrograph", second.id, by="Ann")
    entry = store.delete("sample", sample.id, by="Bob")
    assert store.samples(archived=True) == []
    with pytest.raises(NotFound, match="was deleted"):
        store.sample(sample.id)
    with pytest.raises(AntemaError, match="take the sample back"):
        store.take_out_of_bin(inner.id, by="Ann")
    same = store.create_sample("Au 2 nm", by="Ann")
    assert store.empty_bin([entry.id], by="Bob") == entry.n_bytes
    assert store.bin() == [], "what lay in the bin of it went with it"
    assert files(store) == []
    assert [summary.sample.id for summary in store.samples()] == [same.id]
    assert check(store) == []
    assert whats(store, sample_id=sample.id)[0] == "delete sample for good"


def test_a_sample_taken_back_has_its_name_again_unless_it_is_taken(store, full):
    sample, *_ = full
    entry = store.delete("sample", sample.id, by="Bob")
    store.take_out_of_bin(entry.id, by="Bob")
    assert store.sample(sample.id).name == "Au 2 nm"
    assert len(store.micrographs(sample.id)) == 2
    entry = store.delete("sample", sample.id, by="Bob")
    store.create_sample("au 2 NM", by="Eve")
    store.take_out_of_bin(entry.id, by="Bob")
    assert store.sample(sample.id).name == f"Au 2 nm (taken back {sample.id})"


def test_a_deleted_result_is_not_offered_shown_or_gone_on_with(store, full):
    sample, (first, second), (analysis, other) = full
    job = store.create_job(analysis.id, "Ann")
    store.interrupt_job(job.id)
    entry = store.delete("analysis", analysis.id, by="Bob")
    assert [row.id for row in store.analyses_of(first.id)] == [other.id]
    with pytest.raises(AntemaError, match="take it back first"):
        store.set_current_analysis(sample.id, analysis.id, "Eve")
    with pytest.raises(AntemaError, match="take it back first"):
        store.requeue_job(job.id, "Eve")
    store.take_out_of_bin(entry.id, by="Bob")
    assert store.requeue_job(job.id, "Eve").status == "queued"
    store.interrupt_job(job.id)
    store.move_micrograph(first.id, store.create_sample("other", by="Ann").id, "Ann")
    store.delete("sample", sample.id, by="Bob")
    assert store.analyses_of(first.id) == []
    with pytest.raises(NotFound, match="was deleted"):
        store.requeue_job(job.id, "Eve")


def test_what_a_job_works_on_is_not_deleted(store, full):
    sample, (first, _), (analysis, _) = full
    job = jobs.start(store, sample.id, Recipe(separation="none"), "Ann")
    with pytest.raises(AntemaError, match=f"found job {job.id}: cancel it first"):
        store.delete("sample", sample.id, by="Bob")
    with pytest.raises(AntemaError, match="cancel it first"):
        store.delete("analysis", job.analysis_id, by="Bob")
    with pytest.raises(AntemaError, match="image-1.tif: expected that no job is at work on it"):
        store.delete("micrograph", first.id, by="Bob")
    assert store.bin() == []
    jobs.cancel(store, job.id, "Ann")
    store.delete("micrograph", first.id, by="Bob")


def test_the_bin_is_emptied_of_what_lay_in_it_for_its_time(store, full):
    sample, (first, second), _ = full
    old, young = (store.delete("micrograph", m.id, by="Bob") for m in (first, second))
    with store._database.writing() as session:
        long_ago = datetime.now(UTC) - timedelta(days=31)
        session.execute(update(schema.Binned).where(schema.Binned.id == old.id).values(binned_at=long_ago))
    with closing(open_store(store.data_dir)) as other:
        assert [entry.id for entry in other.bin()] == [young.id]
    assert store.edits(target="micrograph", target_id=first.id)[0].who == "antema"


def test_no_name_that_people_give_is_in_the_way_of_deleting(store, full):
    sample, *_ = full
    store.create_sample(f"deleted sample {sample.id}", by="Eve")
    store.delete("sample", sample.id, by="Bob")
    assert store.empty_bin(by="Bob") > 0


def test_a_store_opens_where_the_bin_cannot_be_emptied(store, full, monkeypatch, caplog):
    monkeypatch.setattr(Store, "empty_expired", lambda _: 1 / 0)
    with closing(open_store(store.data_dir)) as other:
        assert len(other.samples()) == 1
    assert "could not be tidied up" in caplog.text


def test_the_bin_is_not_emptied_while_a_backup_is_made(store, full):
    sample, (first, _), _ = full
    store.delete("micrograph", first.id, by="Bob")
    with FileLock(store.locks_dir / "backup.lock"), pytest.raises(AntemaError, match="nobody else makes a backup"):
        store.empty_bin(by="Bob")
    assert len(store.bin()) == 1
    assert store.empty_bin(by="Bob") > 0


def test_what_cannot_be_deleted(store, sample):
    with pytest.raises(NotFound):
        store.delete("micrograph", 77, by="Bob")
    with pytest.raises(ValueError, match="planet"):
        store.delete("planet", 1, by="Bob")
