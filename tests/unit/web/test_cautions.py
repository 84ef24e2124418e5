"""What is said before the numbers is of the same micrographs as the numbers, whatever became of the job."""

import pytest

from antema.domain import Recipe
from antema.web import sample_page, sample_result
from tests.strategies.judging import KNOWN, STRANGE
from tests.unit.web.component_text import text_of


def test_what_the_switch_brings_back_is_warned_of_again(web_store, make_sample):
    sample = make_sample("judged", 4.0, 2, trusts=(STRANGE, KNOWN))
    web_store.leave_out(web_store.micrographs(sample.id)[0].id, "blurred", "Ann")
    assert sample_page.cautions(sample.current_analysis_id, exclusions=True) == []
    said = text_of(sample_page.cautions(sample.current_analysis_id, exclusions=False))
    assert said.startswith("1 of 2 micrographs is not of the kind that the network knows well")


@pytest.mark.parametrize("status", ["done", "interrupted", "cancelled", "failed"])
def test_clumps_are_told_of_every_result_that_has_numbers(status, web_store, make_sample, monkeypatch):
    monkeypatch.setattr(sample_result, "clump_share", lambda *_: 0.31)
    analysis_id = make_sample("clumped", 4.0, 2).current_analysis_id
    web_store.update_job(web_store.jobs(analysis_id=analysis_id)[0].id, status=status)
    assert web_store.analysis(analysis_id).status == status
    said = text_of(sample_page.cautions(analysis_id, exclusions=True))
    assert said.startswith("31 % of the particle area lies in clumps")


def test_a_result_without_an_image_warns_of_nothing(web_store):
    sample = web_store.create_sample("Au", by="Ann")
    analysis = web_store.create_analysis(sample.id, Recipe(), "Ann")
    assert sample_page.cautions(analysis.id, exclusions=True) == []
