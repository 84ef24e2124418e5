"""Polarity, trust, scales and progress on their way between recipe, network and result."""

from dataclasses import replace

import pytest

from antema.analysis import analyse
from antema.domain import AntemaError, CannotAnalyse, Micrograph, PixelSize, Recipe
from tests.strategies.judging import DOUBTFUL, Judge
from tests.strategies.stored import ThresholdSegmenter, discs


@pytest.fixture
def micrograph():
    return Micrograph(discs(1), PixelSize(0.1, "made"), "made.tif", "f" * 64)


def test_a_result_holds_what_the_network_says(micrograph):
    analysis = analyse(micrograph, segmenter=Judge(trusts=[DOUBTFUL]))
    assert (analysis.trust, analysis.polarity, analysis.scales) == (DOUBTFUL, "bright", (1.0, 0.5))
    assert "Seen at half its width." in analysis.notes


def test_the_network_is_told_the_polarity_of_the_recipe(micrograph):
    judge = Judge()
    for polarity in ("auto", "dark", "bright"):
        analyse(micrograph, Recipe(polarity=polarity), segmenter=judge)
    assert judge.asked == ["auto", "dark", "bright"]


@pytest.mark.parametrize(
    ("detectors", "expected"),
    [
        (("HAADF", "DF-S", "DF4", "ETD", "InLens", "HE-SE2"), "bright"),
        (("", "DigiScan", "BM-Ceta", "WA-Orius", "F416", "BF-S"), "dark"),
    ],
)
def test_the_network_is_told_what_the_detector_makes_of_particles(micrograph, detectors, expected):
    judge = Judge()
    for detector in detectors:
        analyse(replace(micrograph, metadata={"detector": detector} if detector else {}), segmenter=judge)
    assert judge.expected == [expected] * len(detectors)


def test_a_segmenter_that_cannot_be_told_the_polarity_is_refused(micrograph):
    with pytest.raises(CannotAnalyse, match="can be told that particles are bright, found threshold"):
        analyse(micrograph, Recipe(polarity="bright"), segmenter=ThresholdSegmenter())


def test_a_polarity_that_is_none_is_refused():
    with pytest.raises(AntemaError, match="expected one of auto, dark, bright, found 'grey'"):
        Recipe(polarity="grey")


def test_progress_is_told(micrograph):
    told = []
    analyse(micrograph, segmenter=Judge(), progress=told.append)
    assert told == [0.25, 1.0]


def test_a_recipe_of_before_still_reads_and_is_other_work_only_by_its_polarity():
    old = {name: value for name, value in Recipe().to_dict().items() if name != "polarity"}
    assert Recipe.from_dict(old) == Recipe()
    assert len({Recipe(polarity=polarity).fingerprint() for polarity in ("auto", "dark", "bright")}) == 3
