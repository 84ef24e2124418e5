"""What the shipped classifier of crystallinity must be able to do."""

from dataclasses import replace

import numpy as np
import pytest

from antema.domain import CRYSTALLINITIES, Instance
from antema.nets import load_classifier
from antema.simulation.crop_sets import poly_crop
from antema.training.crop_sets import box_of


@pytest.fixture(scope="module")
def classifier():
    return load_classifier()


@pytest.fixture(scope="module")
def answers(classifier):
    crops = [poly_crop(77_000_000 + k) for k in range(30)]
    found = [classifier.classify(crop.pixels, [_instance(crop.mask)], crop.pixel_size_nm) for crop in crops]
    return crops, np.concatenate([each.probabilities for each in found])


def _instance(mask):
    x, y, part = box_of(mask)
    return Instance(x, y, part)


def test_crystals_are_told_from_glasses_and_mostly_twins_from_single_ones(answers):
    crops, p = answers
    true = np.array([CRYSTALLINITIES.index(crop.label["class"]) for crop in crops])
    assert ((p[:, 0] > 0.5) == (true == 0)).mean() >= 0.9
    assert (p.argmax(axis=1) == true).mean() >= 0.75
    certain = p.max(axis=1) >= 0.8
    assert certain.mean() > 0.4
    assert (p.argmax(axis=1) == true)[certain].mean() >= 0.85


def test_a_picture_turned_and_scaled_in_grey_has_the_same_answer(classifier):
    crop = poly_crop(77_000_100)
    mask = crop.mask
    before = classifier.classify(crop.pixels, [_instance(mask)], crop.pixel_size_nm).probabilities
    turned = replace(crop, pixels=np.rot90(crop.pixels).astype(np.float64) * 3 + 7, mask=np.rot90(mask))
    after = classifier.classify(turned.pixels, [_instance(turned.mask)], crop.pixel_size_nm).probabilities
    np.testing.assert_allclose(before, after, atol=0.05)
