"""What the pages say: one of a thing and many, words for keys, names for numbers."""

from antema import jobs
from antema.domain import DROP_REASONS, Recipe
from antema.web import compare_page, sample_page
from antema.web.compare_choice import Choice
from antema.web.compare_samples import load
from antema.web.edit_words import edit_words
from tests.strategies.stored import add_micrograph
from tests.unit.web.component_text import text_of


def test_the_table_says_in_words_why_a_particle_does_not_count_and_is_filtered_by_them(make_sample):
    sample = make_sample("cut", 4.0, 1, recipe=Recipe(min_diameter_nm=4.0))
    result = sample_page.load(sample.current_analysis_id)
    assert set(result.table["drop_reason"]) - {""} == {"too_small"}, "files keep the key"

    def rows(filters):
        asked = {"startRow": 0, "endRow": 100, "filterModel": filters}
        return sample_page.grid_rows(result, asked, None)["rowData"]

    everything = rows({})
    assert {row["drop_reason"] for row in everything} == {"", DROP_REASONS["too_small"]}
    assert {row["status"] for row in everything} == {"measured", "left out"}
    sought = {"filterType": "text", "type": "contains", "filter": "smallest particle"}
    found = rows({"drop_reason": sought})
    assert 0 < len(found) == sum(row["status"] == "left out" for row in everything)
    assert rows({"drop_reason": sought | {"filter": "too_small"}}) == []


def test_changes_are_told_with_names(web_store, tmp_path):
    one, other = (web_store.create_sample(name, by="Ann") for name in ("One", "Other"))
    stored = add_micrograph(web_store, one.id, 1)
    web_store.set_pixel_size([stored.id], 0.2, by="Bob", why="by the grid")
    web_store.move_micrograph(stored.id, other.id, by="Bob")
    web_store.leave_out(stored.id, "blurred", by="Cem")
    web_store.take_back(stored.id, by="Cem")
    web_store.delete("micrograph", stored.id, by="Dan")
    web_store.take_out_of_bin(web_store.bin()[0].id, by="Dan")
    said = [text_of(edit_words(edit)) for edit in web_store.edits(target="micrograph", target_id=stored.id)]
    told = " ".join(said)
    assert "moved it from the sample One to Other" in told
    assert "changed the scale from " in told
    assert " to 0.2 nm/px (user: Bob)" in told
    assert "“by the grid”" in told
    assert "Cem| left it out:| “blurred”" in told
    assert told.count("blurred") == 1
    assert "Dan| put it into the bin" in told
    assert "Dan| took it out of the bin" in told
    assert "took it back" in told
    for raw in ("sample id", "sample_id", "→", "left_out_reason", "pixel_size_nm"):
        assert raw not in told


def test_samples_at_work_are_waited_for_not_analysed_again(web_store, monkeypatch):
    def said():
        return text_of(compare_page.empty_state(load(Choice.of([], None, None, log=False, border=False))))

    assert "Analyse the micrographs of a sample first." in said()
    sample = web_store.create_sample("Au", by="Ann")
    assert "Analyse one of these:" in said()
    add_micrograph(web_store, sample.id, 1)
    jobs.start(web_store, sample.id, Recipe(), by="Ann")
    words = said()
    assert "Au is being analysed or waiting for that, and can be chosen above once it is done." in words
    assert "Analyse one of these" not in words
