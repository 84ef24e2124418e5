from dataclasses import replace

import pytest

from antema.domain import Trust
from antema.storage import ImageResult
from antema.web.micrograph_actions import leave_strange_out
from antema.web.trust_view import leave_out_words, seen_words, strange, trust_alert, trust_badge, trust_statement
from tests.strategies.judging import DOUBTFUL, KNOWN, STRANGE
from tests.unit.web.component_text import text_of


def result(number: int, trust: Trust | None, **more) -> ImageResult:
    return ImageResult(
        analysis_id=7,
        micrograph_id=number,
        filename=f"image-{number}.tif",
        status="done",
        trust=trust,
        polarity="dark",
        scales=(0.5,),
        **more,
    )


@pytest.fixture
def four():
    return [result(1, DOUBTFUL), result(2, KNOWN), result(3, STRANGE), result(4, None)]


def test_the_strangest_comes_first(four):
    assert [one.micrograph_id for one in strange(four)] == [3, 1]


def test_an_image_that_does_not_count_is_not_warned_of(four):
    four[2] = replace(four[2], counts=False)
    assert [one.micrograph_id for one in strange(four)] == [1]


def test_a_badge_says_why():
    (badge,) = trust_badge(STRANGE)
    assert badge.title == STRANGE.warning
    assert trust_badge(KNOWN) == trust_badge(None) == []


def test_the_alert_of_a_sample_names_images_and_reasons(four):
    words = text_of(trust_alert(four))
    assert words.startswith("2 of 4 micrographs are not of the kind that the network knows well (1 doubtful, 1 of an ")
    for part in ("image-1.tif", "image-3.tif", *STRANGE.reasons, *DOUBTFUL.reasons):
        assert part in words
    assert "image-2.tif" not in words
    assert trust_alert([result(1, KNOWN), result(2, None)]) == []


def test_leaving_out_is_offered_where_something_is_left(four):
    assert leave_out_words(four) == "Leave these 2 out"
    assert leave_out_words([result(1, STRANGE), result(2, KNOWN)]) == "Leave it out"
    assert leave_out_words([result(1, STRANGE)]) == leave_out_words([result(1, KNOWN)]) == ""


def test_an_image_page_says_it_before_the_numbers():
    assert DOUBTFUL.reasons[0] in text_of(trust_statement(result(1, DOUBTFUL)))
    assert trust_statement(result(1, KNOWN)) == trust_statement(None) == []


def test_how_an_image_was_seen():
    assert seen_words(result(1, KNOWN)) == (
        "The network took the particles for dark and saw the image at 1/2 of its width. It is at home with such images "
        "(score 0.93)."
    )
    twice = replace(result(1, None), scales=(1.0, 0.25))
    assert seen_words(twice).endswith("saw the image at its own pixels and 1/4 of its width.")
    assert seen_words(replace(twice, scales=())) == seen_words(None) == ""


def test_strange_images_are_left_out_each_for_its_reason(web_store, make_sample):
    sample = make_sample("strange", 4.0, 3, trusts=(STRANGE, KNOWN, DOUBTFUL))
    images = web_store.image_results(sample.current_analysis_id)
    assert (
        leave_strange_out(web_store, images, by="Bob") == "2 micrographs left out. Tick and take back to count again."
    )
    reasons = [one.left_out_reason for one in web_store.micrographs(sample.id)]
    assert reasons == [STRANGE.reasons[0].rstrip("."), None, DOUBTFUL.reasons[0].rstrip(".")]
    assert trust_alert(web_store.image_results(sample.current_analysis_id)) == []
