import numpy as np
import pytest
from scipy import stats as reference

from antema.stats import enough, share_interval


def test_one_image_has_the_exact_binomial_interval_and_says_so():
    found = share_interval([[10, 2]])
    exact = reference.binomtest(10, 12).proportion_ci(method="exact")
    assert found.interval_method == "within this image only"
    assert found.shares[0].value == pytest.approx(10 / 12)
    assert found.shares[0].low == pytest.approx(exact.low)
    assert found.shares[0].high == pytest.approx(exact.high)


def test_shares_cover_the_truth_where_images_differ():
    rng = np.random.default_rng(3)
    trials, hits, naive = 300, 0, 0
    for _ in range(trials):
        p = rng.beta(6, 4, 8)
        hit = rng.binomial(30, p)
        share = share_interval(np.column_stack([hit, 30 - hit])).shares[0]
        hits += share.low <= 0.6 <= share.high
        error = np.sqrt(share.value * (1 - share.value) / 240)
        naive += abs(share.value - 0.6) <= 1.96 * error
    assert 0.91 <= hits / trials <= 0.995
    assert naive / trials < 0.75


def test_a_class_that_never_or_always_occurs():
    found = share_interval([[5, 0]] * 8)
    assert (found.shares[0].value, found.shares[0].high) == (1.0, 1.0)
    assert (found.shares[1].value, found.shares[1].low) == (0.0, 0.0)
    # each image counts once: 1 - 0.025^(1/8)
    assert found.shares[1].high == pytest.approx(1 - 0.025 ** (1 / 8))


def test_images_without_classified_particles_do_not_count():
    found = share_interval([[5, 1], [0, 0], [3, 3]])
    assert (found.n, found.n_images, found.counts) == (12, 2, (8, 4))
    assert "few" in found.note
    nothing = share_interval(np.zeros((3, 2)))
    assert nothing.n == 0
    assert not nothing.shares[0].has_value


def test_images_more_alike_than_chance_do_not_narrow_the_interval():
    found = share_interval([[15, 15]] * 10).shares[0]
    exact = reference.binomtest(150, 300).proportion_ci(method="exact")
    assert found.low <= exact.low
    assert found.high >= exact.high


@pytest.mark.parametrize("counts", [[1, 2], [[1, -2]]])
def test_counts_that_are_no_table_are_refused(counts):
    with pytest.raises(ValueError, match="images x classes"):
        share_interval(counts)


def clustered(rng, n_images, per_image=30, between=0.4):
    images = np.repeat(np.arange(n_images), per_image)
    return 4 + between * rng.normal(size=n_images)[images] + 0.5 * rng.normal(size=images.size), images


def test_the_number_asked_for_is_enough():
    rng = np.random.default_rng(5)
    asked = enough(*clustered(rng, 10), 0.02)
    assert asked.reached is False
    assert asked.design_effect > 5  # 1 + 29 x 0.39: the particles of an image are alike
    assert asked.needed_images > 10
    assert asked.needed_particles == 30 * asked.needed_images
    widths = [enough(*clustered(rng, asked.needed_images), 0.02).relative_half_width for _ in range(20)]
    assert np.median(widths) == pytest.approx(0.02, rel=0.35)


def test_what_is_reached_is_said_to_be():
    found = enough(*clustered(np.random.default_rng(5), 40), 0.1)
    assert found.reached is True
    assert "±10 % is reached" in found.statement
    assert found.needed_images <= 40


def test_independent_particles_need_what_the_formula_says():
    rng = np.random.default_rng(5)
    x = rng.normal(1.0, 0.36, 400)
    found = enough(x, np.zeros(400), 0.05)
    cv = x.std(ddof=1) / x.mean()
    assert found.needed_particles == int(np.ceil((1.959964 * cv / 0.05) ** 2))
    assert found.needed_images is None
    assert found.reached is None
    assert "at least" in found.statement


@pytest.mark.parametrize(
    ("values", "sentence"), [([], "no particle"), ([2.0], "one particle"), ([-1.0, -2.0], "mean is")]
)
def test_too_little_to_say(values, sentence):
    found = enough(values, np.zeros(len(values)))
    assert found.reached is None
    assert sentence in found.statement


def test_a_precision_is_a_fraction():
    with pytest.raises(ValueError, match="found 5"):
        enough([1.0, 2.0], [0, 1], 5)


@pytest.mark.parametrize("n_images", [1, 3, 12])
def test_no_statement_claims_a_standard(n_images):
    assert "ISO" not in enough(*clustered(np.random.default_rng(5), n_images)).statement
