from datetime import UTC, date, datetime, timedelta

import pytest

from antema.domain import AntemaError, ChangedMeanwhile, NotFound, Recipe
from tests.strategies.stored import add_micrograph, save_analysis


def test_a_sample_comes_back_as_it_was_made(store):
    made = store.create_sample(
        "  Au   2 nm ",
        material="gold",
        batch="B7",
        synthesis_date=date(2026, 11, 3),
        operator="Kim",
        notes="citrate",
        properties={"ligand": "thiol"},
        by="Ann",
    )
    found = store.sample(made.id)
    assert found == made
    assert (found.name, found.synthesis_date, found.properties) == ("Au 2 nm", date(2026, 11, 3), {"ligand": "thiol"})
    assert found.created_by == "Ann"
    assert abs(found.created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_id_may_come_as_text(store, sample):
    assert store.sample(str(sample.id)) == sample


@pytest.mark.parametrize("identity", [99, "99", "abc", "", "-1", "1; DROP TABLE sample", "9" * 40, None, "²"])
def test_a_sample_that_is_not_there(store, sample, identity):
    with pytest.raises(NotFound, match="expected a sample"):
        store.sample(identity)


@pytest.mark.parametrize("name", ["", "   "])
def test_a_name_is_needed(store, name):
    with pytest.raises(AntemaError, match="Sample name"):
        store.create_sample(name, by="Ann")


def test_names_are_unique_whatever_their_case(store, sample):
    with pytest.raises(AntemaError, match="there is a sample Au 2 nm already"):
        store.create_sample("au 2 NM", by="Ann")
    other = store.create_sample("Au 4 nm", by="Ann")
    with pytest.raises(AntemaError, match="Au 2 nm"):
        store.update_sample(other.id, name="Au 2 nm", by="Ann")
    assert store.update_sample(sample.id, name="AU 2 nm", by="Ann").name == "AU 2 nm"


def test_a_change_keeps_the_rest(store):
    made = store.create_sample("A", material="gold", properties={"a": "1"}, by="Ann")
    changed = store.update_sample(made.id, by="Bob", notes="new", properties={"b": "2"})
    assert (changed.material, changed.notes, changed.properties) == ("gold", "new", {"b": "2"})
    assert store.sample(made.id) == changed


def test_two_who_change_different_things_at_once_both_keep_their_change(store):
    made = store.create_sample("A", material="gold", notes="old", properties={"a": "1", "b": "2"}, by="Ann")
    store.update_sample(made.id, by="Bob", material="silver", properties={"a": "1", "b": "3", "c": "4"})
    seen = {"notes": "old", "properties": {"a": "1", "b": "2"}}
    kept = store.update_sample(made.id, by="Cem", seen=seen, notes="new", properties={"b": "2"})
    assert (kept.material, kept.notes) == ("silver", "new")
    assert kept.properties == {"b": "3", "c": "4"}, "Cem removed a and touched nothing else"


def test_who_would_undo_anothers_change_is_told_of_it(store):
    made = store.create_sample("A", material="gold", synthesis_date=date(2026, 11, 1), properties={"a": "1"}, by="Ann")
    store.update_sample(made.id, by="Bob", material="silver", synthesis_date=date(2026, 11, 2), properties={"a": "2"})
    store.update_sample(made.id, by="Dee", notes="of no matter here")
    seen = {"material": "gold", "synthesis_date": date(2026, 11, 1), "properties": {"a": "1"}, "notes": ""}
    changes = {"material": "platinum", "synthesis_date": None, "properties": {"a": "3"}, "notes": "mine"}
    before = store.sample(made.id)
    with pytest.raises(ChangedMeanwhile) as told:
        store.update_sample(made.id, by="Cem", seen=seen, **changes)
    words = str(told.value)
    assert "Material: Bob has meanwhile made it “silver”, you “platinum”." in words
    assert "Synthesis date: Bob has meanwhile made it “2026-11-02”, you empty." in words
    assert "a: Bob has meanwhile made it “2”, you “3”." in words
    assert "Notes: Dee has meanwhile made it “of no matter here”, you “mine”." in words
    assert store.sample(made.id) == before
    assert set(told.value.present) == set(changes)
    # told of it, the same is meant
    assert store.update_sample(made.id, by="Cem", seen=told.value.present, **changes).material == "platinum"


def test_two_who_want_the_same_agree(store):
    made = store.create_sample("A", material="gold", by="Ann")
    store.update_sample(made.id, by="Bob", material="silver")
    seen = {"material": "gold"}
    assert store.update_sample(made.id, by="Cem", seen=seen, material="silver").material == "silver"


def test_an_unknown_field_is_a_mistake_of_the_caller(store, sample):
    with pytest.raises(TypeError, match="colour"):
        store.update_sample(sample.id, by="Ann", colour="red")


def test_archived_samples_are_out_of_the_list_and_come_back(store, sample):
    store.archive_sample(sample.id, by="Ann")
    assert store.samples() == []
    assert [summary.sample.archived for summary in store.samples(archived=True)] == [True]
    store.archive_sample(sample.id, archived=False, by="Ann")
    assert [summary.sample.id for summary in store.samples()] == [sample.id]


def test_the_list_counts(store, sample):
    empty = store.create_sample("empty", by="Ann")
    first, second, third, _ = (
        add_micrograph(store, sample.id, 1),
        add_micrograph(store, sample.id, 2),
        add_micrograph(store, sample.id, 3),
        add_micrograph(store, sample.id, 4, nm=None),
    )
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    for micrograph in (first, second, third):
        save_analysis(store, analysis.id, micrograph)
    store.set_current_analysis(sample.id, analysis.id, "Ann")
    store.leave_out(third.id, "blurred", "Ann")
    store.exclude_particle(analysis.id, first.id, 2, "two in one", "Ann")
    summaries = {summary.sample.id: summary for summary in store.samples()}
    assert list(summaries) == [empty.id, sample.id], "newest first"
    found = summaries[sample.id]
    assert (found.n_micrographs, found.n_left_out, found.n_without_scale) == (4, 1, 1)
    assert found.n_particles == 5
    assert found.n_particles == (store.particles(analysis.id)["status"] == "measured").sum()
    assert found.current_analysis_id == analysis.id
    assert found.thumbnail_sha256 == first.thumbnail_sha256
    nothing = summaries[empty.id]
    assert (nothing.n_micrographs, nothing.n_particles, nothing.current_analysis_id) == (0, 0, None)
    assert (nothing.last_analysed, nothing.thumbnail_sha256) == (None, None)
