"""Shares of classes in two samples: the interval covers, the test keeps its level, and whole images are what counts."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antema.stats import compare_shares, share_interval

small_tables = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 6), min_size=3, max_size=3), min_size=n, max_size=n)
)


def pooled(table):
    table = np.asarray(table, float)
    return table.sum(axis=0) / table.sum()


def test_the_p_value_is_that_of_every_assignment_of_images():
    a, b = [[8, 2], [9, 3], [7, 3]], [[3, 7], [9, 6], [2, 8], [5, 5]]
    found = compare_shares(a, b)
    rows, gaps = np.array(a + b), []
    for chosen in itertools.combinations(range(7), 3):
        rest = [k for k in range(7) if k not in chosen]
        gaps.append(abs(pooled(rows[list(chosen)])[0] - pooled(rows[rest])[0]))
    expected = np.mean([gap >= gaps[0] - 1e-12 for gap in gaps])
    assert (found.permutations, found.exact, found.least_p) == (35, True, pytest.approx(1 / 35))
    # with two classes both tell the same
    assert [one.p_value for one in found.classes] == pytest.approx([expected, expected])
    assert found.classes[0].corrected_p == pytest.approx(min(1, 2 * expected))


@given(small_tables, small_tables)
def test_differences_are_those_of_the_shares_and_turn_round_with_the_samples(a, b):
    found, turned = compare_shares(a, b), compare_shares(b, a)
    # as text: what does not exist is no number equal to itself
    assert repr((found.shares_a, found.shares_b)) == repr((share_interval(a), share_interval(b)))
    for place, (one, other) in enumerate(zip(found.classes, turned.classes, strict=True)):
        if not found.shares_a.n or not found.shares_b.n:
            assert not one.difference.has_value
            assert "no classified particle" in found.note
            continue
        assert one.difference.value == pytest.approx(pooled(a)[place] - pooled(b)[place])
        assert one.difference.low <= one.difference.value <= one.difference.high
        assert one.difference.low >= -1
        assert one.difference.high <= 1
        assert other.difference.low == pytest.approx(-one.difference.high)
        assert other.cohens_h.value == pytest.approx(-one.cohens_h.value)
        assert other.p_value == one.p_value
        assert (one.p_value is None) == (min(found.shares_a.n_images, found.shares_b.n_images) < 3)


def test_the_order_of_images_and_empty_ones_do_not_matter():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, (9, 3)), rng.integers(0, 9, (9, 3))
    turned = np.concatenate([a[::-1], np.zeros((2, 3), int)])
    assert compare_shares(turned, b) == compare_shares(a, b)
    assert not compare_shares(a, b).exact


def test_weights_are_what_counts_where_they_are_given():
    a, b = [[4, 2], [5, 3], [6, 2]], [[2, 4], [3, 3], [2, 5]]
    heavy = np.array(b) * [2.0, 1.0]
    found = compare_shares(a, b, weight_sums_b=heavy)
    assert found.classes[0].share_b.value == pytest.approx(14 / 26)
    assert found.classes[0].difference.value == pytest.approx(15 / 22 - 14 / 26)


def test_particles_of_one_image_are_not_taken_for_independent():
    """The same shares, once in like images and once in unlike ones: only the first difference is there."""
    like, unlike = [[16, 4]] * 8, [[20, 0]] * 6 + [[8, 12], [0, 20]]
    other = [[10, 10]] * 8
    sure, unsure = compare_shares(like, other).classes[0], compare_shares(unlike, [[20, 0], [0, 20]] * 4).classes[0]
    assert sure.difference.value == pytest.approx(0.3)
    assert sure.p_value < 0.001
    assert sure.difference.low > 0
    assert unsure.p_value > 0.05
    assert unsure.difference.low < 0


def test_intervals_cover_and_the_test_keeps_its_level_where_images_differ():
    rng = np.random.default_rng(5)
    trials, covered, rejected = 120, 0, 0
    for _ in range(trials):
        tables = []
        for mean in (0.6, 0.6):
            p = rng.beta(12 * mean, 12 * (1 - mean), 7)
            hit = rng.binomial(25, p)
            tables.append(np.column_stack([hit, 25 - hit]))
        one = compare_shares(*tables).classes[0]
        covered += one.difference.low <= 0 <= one.difference.high
        rejected += one.p_value <= 0.05
    assert covered / trials >= 0.91
    assert rejected / trials <= 0.10


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (1, "How much images differ is not known for a sample of one image"),
        (2, "needs at least 3 images of each sample, found 2 images and 2"),
        (3, "the smallest p-value possible is 0.10: the test cannot reach 0.05"),
        (5, "The images are few (5 and 5)"),
    ],
)
def test_few_images_are_said(images, words):
    found = compare_shares([[5, 3]] * images, [[3, 5]] * images)
    assert words in found.note
    assert compare_shares([[5, 3]] * 8, [[3, 5]] * 8).note == ""


def test_cohens_h_counts_most_at_the_ends():
    rare = compare_shares([[1, 99]] * 6, [[3, 97]] * 6).classes[0]
    usual = compare_shares([[50, 50]] * 6, [[52, 48]] * 6).classes[0]
    assert rare.cohens_h.value == pytest.approx(2 * math.asin(0.1) - 2 * math.asin(math.sqrt(0.03)))
    assert abs(rare.cohens_h.value) > 3 * abs(usual.cohens_h.value)
    assert usual.effect_text == "a negligible effect"
    assert compare_shares([[9, 1]] * 6, [[2, 8]] * 6).classes[0].effect_text == "a large effect"


def test_it_is_told_as_json():
    told = compare_shares([[5, 3]] * 3, [[3, 5]] * 3).to_dict()
    assert told["n_a"] == 24
    assert told["classes"][0]["difference"]["value"] == pytest.approx(0.25)
    assert told["classes"][0]["effect"] == "a medium effect"


def test_tables_of_other_classes_are_refused():
    with pytest.raises(ValueError, match="two tables of the same classes"):
        compare_shares([[1, 2]], [[1, 2, 3]])
    with pytest.raises(ValueError, match="images x classes"):
        compare_shares([1, 2], [3, 4])
