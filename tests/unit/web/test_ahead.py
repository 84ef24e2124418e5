"""What a page opens with is remembered before anybody opens it."""

import logging

import pytest

from antema.domain import QUANTITIES, NotFound
from antema.results.memory import Memory
from antema.storage import Store
from antema.web import sample_classes, sample_page
from antema.web.ahead import remember_page
from tests.strategies.drawn_samples import MakeSample

DIAMETER = QUANTITIES[0].column


def opened(analysis_id):
    """Return what the page shows at first, as its callbacks ask for it."""
    result = sample_page.load(analysis_id)
    view = result.analysis.view
    return (
        sample_page.border_hindrance(result),
        sample_page.headline(result, view),
        sample_page.statistics_table(result, view),
        sample_page.plain_distribution(result, DIAMETER, view, log=False),
        sample_classes.remembered_shares(result, view),
        sample_classes.remembered_sizes(result, DIAMETER, view, log=False),
    )


def test_the_first_reader_finds_all_of_it(make_sample: MakeSample, monkeypatch: pytest.MonkeyPatch):
    sample = make_sample("classed", 4.1, 6, classes=("amorphous", "monocrystalline"))
    remember_page(sample.current_analysis_id)

    def computed(key, make):
        pytest.fail(f"{key[0]} was not remembered")

    real = Memory.content
    with monkeypatch.context() as patch:
        patch.setattr(Memory, "content", lambda memory, key, make: real(memory, key, lambda: computed(key, make)))
        shown = opened(sample.current_analysis_id)
    assert str(shown) == str(opened(sample.current_analysis_id))
    assert shown[3]["data"]


def test_a_page_that_cannot_be_computed_ahead_stops_nobody(web_store: Store, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR):
        remember_page(7)
    assert "the page of result 7 could not be computed ahead" in caplog.text
    with pytest.raises(NotFound):
        sample_page.load(7)
