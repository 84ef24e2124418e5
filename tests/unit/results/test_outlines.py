"""Results whose particles end elsewhere are not compared without a word."""

import pandas as pd
import pytest

from antema.results.outlines import outline_warnings


def table(*outlines):
    return pd.DataFrame({"status": ["measured"] * len(outlines) + ["dropped"], "outline": [*outlines, "atoms"]})


@pytest.mark.parametrize(
    "tables", [{}, {"a": table("visible"), "b": table("visible", "visible")}, {"a": table("atoms")}]
)
def test_nothing_is_said_where_all_end_alike(tables):
    assert outline_warnings(tables) == {}


def test_a_mask_of_ones_own_is_comparable_with_either():
    assert outline_warnings({"mask": table(""), "a": table("visible")}) == {}


def test_each_result_is_told_where_its_particles_end():
    said = outline_warnings({"new": table("visible"), "old": table("atoms"), "mask": table(""), "none": table()})
    assert list(said) == ["new", "old"]
    assert said["new"].startswith("its particles end at their visible edge. That is not so of all that are compared")
    assert said["old"].startswith("its particles end as far as their atoms reach.")


def test_a_result_of_two_networks_is_told_by_itself():
    assert (
        "as far as their atoms reach and at their visible edge"
        in outline_warnings({"a": table("visible", "atoms")})["a"]
    )
