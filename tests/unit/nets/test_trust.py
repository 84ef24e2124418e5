from dataclasses import replace

import numpy as np
import pytest

from antema.nets.trust import INDICATORS, TrustModel, indicators, proposal_indicators


def discs(contrast, *, width=20, blur=0.0, noise=1.0, seed=0):
    """A field of discs with the map of a network that sees them well."""
    from scipy import ndimage

    y, x = np.mgrid[:256, :256]
    disc = (y % 64 - 32) ** 2 + (x % 64 - 32) ** 2 < (width / 2) ** 2
    grey = ndimage.gaussian_filter(-contrast * disc.astype(float), blur)
    grey = (grey + noise * np.random.default_rng(seed).normal(size=disc.shape)).astype(np.float32)
    return grey, np.where(disc, 0.97, 0.02).astype(np.float32)


def measured(contrast, *, width=20, **options):
    grey, probability = discs(contrast, width=width, **options)
    found = indicators(grey, probability, grey, probability, threshold=0.5, width_px=width)
    return dict(zip(INDICATORS, found, strict=False))


def test_indicators_are_what_they_are_called():
    usual = measured(3.0)
    assert np.exp(usual["contrast"]) == pytest.approx(3.0, rel=0.05)
    assert np.exp(usual["sampling"]) == pytest.approx(20)
    assert np.exp(usual["density"]) == pytest.approx(np.pi * 10**2 / 64**2, rel=0.03)
    assert measured(0.3)["contrast"] < usual["contrast"]
    assert measured(3.0, blur=5.0)["blur"] > usual["blur"] + 0.5
    # the estimate of the edge's width does not grow with noise
    assert measured(3.0, noise=0.1)["blur"] == pytest.approx(usual["blur"], abs=0.2)


@pytest.mark.parametrize(("gain", "offset"), [(50, 3000), (1e-12, 0), (1e30, 0)])
def test_gain_and_offset_do_not_matter(gain, offset):
    grey, probability = discs(2.0)
    once = indicators(grey, probability, grey, probability, threshold=0.5, width_px=20)
    other = np.float32(gain) * grey + np.float32(offset)
    np.testing.assert_allclose(
        indicators(other, probability, other, probability, threshold=0.5, width_px=20), once, rtol=1e-3
    )


def test_without_particles_there_is_nothing_to_measure():
    grey, probability = discs(2.0)
    assert indicators(grey, 0 * probability, grey, 0 * probability, threshold=0.5, width_px=0) is None


@pytest.fixture
def model():
    n, f = len(INDICATORS), 4
    weights = np.zeros(n + 1)
    weights[0], weights[-1] = 2.0, 1.0
    return TrustModel(
        mean=np.zeros(f),
        deviation=np.ones(f),
        whitening=np.eye(f),
        held_out=np.linspace(0.5, 1.5, 100),
        known=np.append(np.zeros(n - 1 + f), 3.0),
        centre=np.zeros(n),
        spread=np.ones(n),
        low=np.full(n, -1.0),
        high=np.ones(n),
        weights=weights,
    )


def test_an_image_like_those_known_is_within(model):
    trust = model.of(np.array([1.0, 0, 0, 0, 0]), np.ones(4))
    assert trust.verdict == "within"
    assert not trust.reasons
    assert 0.9 < trust.score <= 1


def test_what_is_wrong_is_said_the_weightiest_first(model):
    trust = model.of(np.array([-3.0, 1.5, 0, 0, 0]), np.ones(4))
    assert trust.verdict == "outside"
    assert trust.reasons[0].startswith("The particles hardly stand out of the ground: contrast-to-noise 0.05")
    assert trust.reasons[1].startswith("The particles are large: 4 px wide")


def test_features_far_from_all_that_is_known_are_outside(model):
    trust = model.of(np.array([1.0, 0, 0, 0, 0]), np.full(4, 5.0))
    assert (trust.score, trust.verdict) == (0, "outside")
    assert "3.4 times as far" in trust.reasons[0]


def test_pictures_that_look_like_none_of_the_known_are_outside(model):
    strange = replace(model, known=-model.known)
    assert strange.of(np.array([1.0, 0, 0, 0, 0]), np.ones(4)).verdict == "outside"


def test_an_image_without_outlines_is_never_quite_within(model):
    trust = model.of(None, np.ones(4))
    assert trust.verdict == "doubtful"
    assert trust.reasons == ("There is no outline in the middle of the image to judge it by.",)


def test_what_no_proposal_claims_and_how_well_they_fit_is_told():
    fit, left = proposal_indicators(np.array([0.9, 0.7]), np.array([300.0, 300.0]), 1000)
    assert fit == pytest.approx(0.8)
    assert np.exp(-left) - 0.01 == pytest.approx(0.4)
    assert proposal_indicators(np.zeros(0), np.zeros(0), 0).tolist() == [0.0, pytest.approx(-np.log(0.01))]
    # rays may reach a little too far: no more than all is claimed
    assert proposal_indicators(np.array([0.9]), np.array([1100.0]), 1000)[1] == pytest.approx(-np.log(0.01))


def test_proposals_that_fit_badly_or_leave_much_are_a_reason(model):
    five, n = np.zeros(5), len(INDICATORS) + 2
    weights = np.zeros(n + 1)
    weights[5], weights[-1] = 3.0, 1.5
    ours = replace(
        model,
        known=np.append(np.zeros(n - 1 + len(model.mean)), 1.0) * 4,
        centre=np.array([*five, 0.9, 3.0, 0.0]),
        spread=np.array([*(five + 1), 0.1, 1.0, 1.0]),
        low=np.array([*(five - 2), 0.8, 2.0, -2.0]),
        high=np.array([*(five + 2), 1.0, 5.0, 2.0]),
        weights=weights,
    )
    usual = ours.of(np.array([*five, 0.9, 3.0]), np.ones(4))
    assert usual.verdict == "within"
    bad = ours.of(np.array([*five, 0.5, -np.log(0.31)]), np.ones(4))
    assert bad.verdict == "outside"
    assert bad.reasons[0].startswith("The network expects its outlines to fit badly: to overlap")
    assert bad.reasons[1].startswith("30 % of the particle area is of no particle")
