import pytest

from antema.analysis import naming, result_key
from antema.domain import Recipe

BASE = ("a" * 64, 0.0639, Recipe(), "b" * 64)


def test_the_same_work_has_the_same_name():
    assert result_key(*BASE) == result_key("a" * 64, 0.0639, Recipe.from_dict({}), "b" * 64)
    assert len(result_key(*BASE)) == 64


@pytest.mark.parametrize(
    "changed",
    [
        ("c" * 64, *BASE[1:]),
        (BASE[0], 0.0639000000001, *BASE[2:]),
        (*BASE[:2], Recipe(convexity_threshold=0.94), BASE[3]),
        (*BASE[:3], "c" * 64),
        (*BASE, 0),
    ],
)
def test_other_work_has_another_name(changed):
    assert result_key(*changed) != result_key(*BASE)


def test_another_image_of_the_same_file_is_other_work():
    assert result_key(*BASE, 0) != result_key(*BASE, 1)


def test_a_new_algorithm_gives_a_new_name(monkeypatch):
    before = result_key(*BASE)
    monkeypatch.setattr(naming, "ALGORITHM_VERSION", "another")
    assert result_key(*BASE) != before


def test_a_whole_recipe_of_before_means_what_was_done_then():
    now = Recipe().to_dict()
    before = {name: value for name, value in now.items() if name not in ("outline", "least_seen")}
    assert Recipe.from_dict(before) == Recipe(outline="atoms", least_seen=0.0)
    assert Recipe.from_dict(before | {"outline": "visible"}) == Recipe(least_seen=0.0)
    assert Recipe.from_dict({"separation": "uecs"}) == Recipe(separation="uecs"), "part of a recipe is one of today"
