from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from antema.domain import QUANTITIES
from antema.stats import WEIGHTINGS
from antema.web.compare_choice import MOST_SAMPLES, Choice

choices = st.builds(
    Choice.of,
    st.lists(st.integers(1, 10_000), max_size=12),
    st.sampled_from([quantity.column for quantity in QUANTITIES]),
    st.sampled_from(list(WEIGHTINGS)),
    log=st.booleans(),
    border=st.booleans(),
    certainty=st.integers(340, 1000).map(lambda k: k / 1000),
)


@given(choices)
def test_an_address_gives_back_the_choice_it_was_made_of(choice):
    assert Choice.from_query(dict(parse_qsl(choice.query))) == choice


@given(
    st.dictionaries(
        st.sampled_from(["samples", "quantity", "weighting", "border", "log", "certainty", "else"]),
        st.text(max_size=20),
    )
)
def test_any_address_gives_a_choice_that_can_be_shown(query):
    choice = Choice.from_query(query)
    assert choice.quantity.column == choice.column
    assert choice.weighting in WEIGHTINGS
    assert 0 < choice.view.crystallinity_certainty <= 1
    assert len(set(choice.samples)) == len(choice.samples) <= MOST_SAMPLES


def test_what_cannot_be_understood_is_left_out():
    choice = Choice.from_query({"samples": "3,x,1,,3,-2, 7", "quantity": "colour", "weighting": "mass", "log": "yes"})
    assert choice == Choice((3, 1, 7), "equivalent_diameter_nm", "number", log=False)


def test_the_order_chosen_stays_and_no_more_samples_than_colours():
    choice = Choice.of(range(20, 0, -1), "circularity", "area", log=True)
    assert choice.samples == tuple(range(20, 20 - MOST_SAMPLES, -1))
    assert choice.query.startswith("samples=20,19,18")
    assert choice.query.endswith("&quantity=circularity&weighting=area&log=1")


def test_nothing_chosen_needs_no_query():
    assert Choice().query == ""


def test_the_correction_for_border_loss_stands_in_the_address():
    choice = Choice.of([1, 2], "contrast", "volume", log=False, border=True)
    assert choice.query == "samples=1,2&quantity=contrast&weighting=volume&border=1"
    assert choice.view.border_weighted
    assert not Choice.from_query({"samples": "1,2", "border": "yes"}).border
