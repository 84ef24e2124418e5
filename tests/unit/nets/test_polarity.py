import numpy as np
import pytest

from antema.nets.polarity import EVIDENCE, STRONG, chosen_polarity, evidence, expected_polarity


@pytest.mark.parametrize(
    ("detector", "expected"),
    [("HAADF", "bright"), ("DF4", "bright"), ("ADF", "bright"), ("SE2", "bright"), ("InLens-SE", "bright")]
    + [("BF", "dark"), ("BM-Ceta", "dark"), ("Orius SC200", "dark"), ("BF-S", "dark"), ("", "dark")],
)
def test_the_detector_says_what_to_expect(detector, expected):
    assert expected_polarity({"detector": detector} if detector else {}) == expected


def test_it_takes_strong_evidence_to_believe_in_other_than_what_is_expected():
    assert chosen_polarity(-STRONG + 0.1) == "dark"
    assert chosen_polarity(-STRONG - 0.1) == "bright"
    assert chosen_polarity(STRONG - 0.1, "bright") == "bright"
    assert chosen_polarity(STRONG + 0.1, "bright") == "dark"


def test_sure_compact_particles_are_better_evidence_than_the_ragged_gaps_between_them():
    y, x = np.mgrid[:200, :200]
    disc = (y % 50 - 25) ** 2 + (x % 50 - 25) ** 2 < 15**2
    grey = np.where(disc, 0.0, 1.0) + 0.1 * np.random.default_rng(0).normal(size=disc.shape)
    particles = evidence(grey.astype(np.float32), np.where(disc, 0.98, 0.01).astype(np.float32), 0.5)
    gaps = evidence(-grey.astype(np.float32), np.where(disc, 0.1, 0.7).astype(np.float32), 0.5)
    assert len(particles) == len(EVIDENCE)
    kinds = dict(zip(EVIDENCE, particles - gaps, strict=True))
    assert all(kinds[name] > 0 for name in ("decided", "firm", "compact", "inside"))


def test_maps_of_nothing_and_of_everything_are_no_evidence_of_anything_odd():
    grey = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    for value in (0.0, 1.0):
        assert np.isfinite(evidence(grey, np.full(grey.shape, value, np.float32), 0.5)).all()
