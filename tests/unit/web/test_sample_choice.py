"""What the sample page shows stands in its address, and looking at it changes nothing."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antema.domain import QUANTITIES, Recipe, View
from antema.stats import WEIGHTINGS
from antema.web.sample_choice import (
    SampleChoice,
    asked_choice,
    usual_choice,
    view_from_query,
    view_of,
    view_parts,
)

views = st.builds(
    View,
    weighting=st.sampled_from(list(WEIGHTINGS)),
    crystallinity_certainty=st.integers(1, 1000).map(lambda k: k / 1000),
    border_weighted=st.booleans(),
    exclusions=st.booleans(),
)


@given(views, views)
def test_a_view_comes_back_from_its_query_whatever_is_usual(view, usual):
    assert view_from_query(view_parts(view), usual) == view
    shown = round(100 * view.crystallinity_certainty, 7)  # as the control holds it
    assert view_of(view.weighting, shown, border=view.border_weighted, exclusions=view.exclusions) == view


@given(
    views,
    st.dictionaries(st.sampled_from(["weighting", "border", "exclusions", "certainty", "else"]), st.text(max_size=8)),
)
def test_any_query_gives_a_view_that_can_be_shown(usual, query):
    view = view_from_query(query, usual)
    assert view.weighting in WEIGHTINGS
    assert 0 < view.crystallinity_certainty <= 1


def test_an_address_without_a_query_is_the_current_result_as_it_was_kept(make_sample, web_store):
    sample = make_sample("kept", 4.0, 1)
    web_store.set_view(sample.current_analysis_id, View(weighting="area", crystallinity_certainty=0.57), by="Ann")
    usual = usual_choice(sample.id)
    assert usual == asked_choice(sample.id, {})
    assert usual.analysis == sample.current_analysis_id
    assert usual.view == View(weighting="area", crystallinity_certainty=0.57)
    assert usual.query_beside(usual) == ""


@pytest.mark.parametrize("log", [False, True])
def test_an_address_gives_back_the_choice_it_was_made_of(make_sample, web_store, log):
    sample = make_sample("linked", 4.0, 1)
    other = web_store.create_analysis(sample.id, Recipe(min_diameter_nm=1.0), by="Ann")
    job = web_store.create_job(other.id, by="Ann", images_total=1)
    web_store.claim_job(job.id)
    web_store.update_job(job.id, status="done")
    web_store.set_current_analysis(sample.id, sample.current_analysis_id, by="Ann")
    view = View(weighting="volume", crystallinity_certainty=0.9, border_weighted=True)
    choice = SampleChoice(other.id, QUANTITIES[3].column, view, log, by_class=not log)
    edits = len(web_store.edits())
    query = choice.query_beside(usual_choice(sample.id))
    assert asked_choice(sample.id, dict(parse_qsl(query))) == choice
    assert len(web_store.edits()) == edits


def test_a_result_of_another_sample_is_not_shown(make_sample):
    mine, theirs = make_sample("mine", 4.0, 1), make_sample("theirs", 4.2, 1)
    asked = asked_choice(mine.id, {"result": str(theirs.current_analysis_id), "quantity": "colour"})
    assert asked == usual_choice(mine.id)


def test_a_sample_without_a_result_has_a_choice_too(web_store):
    bare = web_store.create_sample("bare", by="Ann")
    assert asked_choice(bare.id, {"result": "7", "weighting": "volume"}) == SampleChoice(view=View(weighting="volume"))
