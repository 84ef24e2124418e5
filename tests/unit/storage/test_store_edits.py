from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from antema.domain import Recipe, View
from tests.strategies.stored import add_micrograph, save_analysis


def test_every_change_of_a_person_is_written_down(store):
    one = store.create_sample("one", synthesis_date=date(2026, 11, 1), by="Ann")
    two = store.create_sample("two", by="Ann")
    store.update_sample(one.id, name="first", by="Bob", why="a typo")
    store.update_sample(one.id, notes="n", batch="7", by="Bob")
    store.archive_sample(two.id, by="Bob")
    store.archive_sample(two.id, archived=False, by="Bob")
    micrograph = add_micrograph(store, one.id, 1, by="Ann")
    store.set_pixel_size([micrograph.id], 0.2, by="Cleo", why="scale bar")
    store.leave_out(micrograph.id, "blurred", "Cleo")
    store.take_back(micrograph.id, "Cleo")
    analysis = store.create_analysis(one.id, Recipe(), "Ann")
    save_analysis(store, analysis.id, store.micrograph(micrograph.id))
    store.exclude_particle(analysis.id, micrograph.id, 1, "dirt", "Cleo")
    store.restore_particle(analysis.id, micrograph.id, 1, "Cleo", why="no dirt")
    store.set_view(analysis.id, View(weighting="area"), by="Cleo")
    store.set_current_analysis(one.id, analysis.id, "Cleo")
    job = store.create_job(analysis.id, "Ann")
    store.request_cancel(job.id, "Bob")
    store.update_job(job.id, status="cancelled")
    store.requeue_job(job.id, "Bob")
    store.move_micrograph(micrograph.id, two.id, "Cleo", why="wrong drop")

    found = [(edit.who, edit.what, edit.target, edit.target_id, edit.why) for edit in reversed(store.edits())]
    assert found == [
        ("Ann", "create sample", "sample", one.id, ""),
        ("Ann", "create sample", "sample", two.id, ""),
        ("Bob", "rename sample", "sample", one.id, "a typo"),
        ("Bob", "update sample", "sample", one.id, ""),
        ("Bob", "archive sample", "sample", two.id, ""),
        ("Bob", "bring sample back", "sample", two.id, ""),
        ("Ann", "add micrograph", "micrograph", micrograph.id, ""),
        ("Cleo", "set pixel size", "micrograph", micrograph.id, "scale bar"),
        ("Cleo", "leave micrograph out", "micrograph", micrograph.id, "blurred"),
        ("Cleo", "take micrograph back", "micrograph", micrograph.id, ""),
        ("Cleo", "exclude particle", "particle", micrograph.id, "dirt"),
        ("Cleo", "restore particle", "particle", micrograph.id, "no dirt"),
        ("Cleo", "change view", "analysis", analysis.id, ""),
        ("Cleo", "show analysis", "analysis", analysis.id, ""),
        ("Ann", "start job", "job", job.id, ""),
        ("Bob", "cancel job", "job", job.id, ""),
        ("Bob", "resume job", "job", job.id, ""),
        ("Cleo", "move micrograph", "micrograph", micrograph.id, "wrong drop"),
        ("Cleo", "move micrograph", "micrograph", micrograph.id, "wrong drop"),
    ]


def test_before_and_after(store, sample):
    micrograph = add_micrograph(store, sample.id, 1)
    store.update_sample(sample.id, synthesis_date=date(2026, 11, 1), notes="", by="Bob")
    store.set_pixel_size([micrograph.id], 0.2, by="Cleo")
    pixel_size, described = store.edits(limit=2)
    assert (described.before, described.after) == ({"synthesis_date": None}, {"synthesis_date": "2026-11-01"})
    assert pixel_size.before == {"pixel_size_nm": 0.1, "source": "file: a tag"}
    assert pixel_size.after == {"pixel_size_nm": 0.2, "source": "user: Cleo"}
    assert abs(pixel_size.at - datetime.now(UTC)) < timedelta(minutes=1)


def test_what_changes_nothing_is_no_edit(store, sample):
    micrograph = add_micrograph(store, sample.id, 1)
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    n = len(store.edits())
    store.update_sample(sample.id, name=sample.name, notes="", by="Bob")
    store.archive_sample(sample.id, archived=False, by="Bob")
    store.take_back(micrograph.id, "Bob")
    store.move_micrograph(micrograph.id, sample.id, "Bob")
    store.set_pixel_size([micrograph.id], None, by="Bob")
    store.set_view(analysis.id, View(), by="Bob")
    assert len(store.edits()) == n


def test_edits_of_one_sample_or_thing(store, sample):
    other = store.create_sample("other", by="Ann")
    micrograph = add_micrograph(store, sample.id, 1)
    store.move_micrograph(micrograph.id, other.id, "Ann")
    assert [edit.what for edit in store.edits(sample_id=other.id)] == ["move micrograph", "create sample"]
    assert {edit.target for edit in store.edits(target="micrograph")} == {"micrograph"}
    assert [edit.what for edit in store.edits(target="sample", target_id=sample.id)] == ["create sample"]
    assert len(store.edits(limit=1)) == 1


@pytest.mark.parametrize("statement", ["UPDATE edit SET who = 'Bob'", "DELETE FROM edit"])
def test_edits_are_never_changed(store, sample, statement):
    before = store.edits()
    assert before

    def change() -> None:
        with store._database.writing() as session:
            session.execute(text(statement))

    with pytest.raises(IntegrityError, match="an edit is kept as it was written"):
        change()
    assert store.edits() == before


@pytest.mark.parametrize(("given", "kept"), [("", "anonymous"), ("  ", "anonymous"), (" Ann \n B ", "Ann B")])
def test_names_are_tidied(store, given, kept):
    assert store.create_sample("A", by=given).created_by == kept
    assert [edit.who for edit in store.edits()] == [kept]
