import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import distance_transform_edt
from scipy.special import expit

from antema.domain import Annotations, AntemaError, Instance, Micrograph, NotFound, PixelSize, Recipe, Trust
from antema.training import classical_baseline, evaluate_segmentation
from antema.training.bragg import bragg_filter
from antema.training.cases import DEFAULT_RULES, Case, Found, Rules, truth_of
from antema.training.diameter_bias import diameter_bias
from antema.training.evaluate import evaluations, plain
from antema.training.instance_quality import confidence_calibration, trust_report
from antema.training.matching import average_precision, f1, iou_matrix, matched
from antema.training.models import add_metrics, replace_metrics, write_model
from antema.training.outline_distance import outline_distances
from antema.training.pixel_counts import class_metrics, confusion, confusion_by_label, pixel_metrics
from antema.training.reliability import calibration, reliability_counts
from antema.training.scoring import scores_of, summary
from antema.training.sources import true_instances
from antema.training.tables import as_markdown, as_text, by_bin, put
from tests.strategies import stored
from tests.strategies.judging import Judge


def square(x, y, side):
    return Instance(x, y, np.ones((side, side), bool))


def disc(x, y, radius):
    reach = int(np.ceil(radius))
    rows, columns = np.indices((2 * reach + 1, 2 * reach + 1)) - reach
    return Instance(x - reach, y - reach, rows**2 + columns**2 <= radius**2)


def match(iou, scores):
    return matched(np.asarray(iou, float), np.asarray(scores, float))


# --- overlaps and matches -----------------------------------------------------------------------------------------


def test_overlaps_are_intersections_over_unions():
    found = [square(0, 0, 10), square(50, 50, 10)]
    true = [square(0, 0, 10), square(5, 0, 10), square(100, 100, 3)]
    assert iou_matrix(found, true) == pytest.approx(np.array([[1, 50 / 150, 0], [0, 0, 0]]))
    assert iou_matrix([], true).shape == (0, 3)
    assert iou_matrix(found, []).shape == (2, 0)


instances = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 9)).map(lambda at: square(*at)), max_size=6
)


@given(instances, instances)
def test_overlaps_are_those_of_the_masks_two_by_two(found, true):
    def drawn(instance):
        mask = np.zeros((32, 32), bool)
        mask[instance.y : instance.y + instance.h, instance.x : instance.x + instance.w] = instance.mask
        return mask

    expected = [[(drawn(f) & drawn(t)).sum() / (drawn(f) | drawn(t)).sum() for t in true] for f in found]
    assert iou_matrix(found, true) == pytest.approx(np.array(expected).reshape(len(found), len(true)))


def test_average_precision_of_a_worked_example():
    # ranked: right, wrong, right; of 2 true ones. Precision 1 up to recall 1/2, 2/3 beyond.
    example = match([[0.9, 0], [0.2, 0.1], [0, 0.6]], [0.9, 0.8, 0.7])
    assert average_precision([example], 0.5) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert average_precision([example], 0.75) == pytest.approx(0.5)
    assert f1([example], 0.5) == pytest.approx(4 / 5)


def test_one_true_particle_is_found_once():
    example = match([[0.9], [0.6]], [0.5, 0.9])
    assert example.pairs[0.5].tolist() == [[0, 0]]
    assert average_precision([example], 0.5) == pytest.approx(0.5)


def test_nothing_found_is_no_precision():
    assert average_precision([match(np.zeros((0, 3)), [])], 0.5) == 0
    assert f1([match(np.zeros((0, 3)), [])], 0.5) == 0
    assert np.isnan(average_precision([], 0.5))


def test_a_part_of_a_match_keeps_the_pairs_with_both_ends_in_it():
    example = match([[0.9, 0, 0], [0, 0.8, 0], [0, 0, 0.6]], [0.3, 0.2, 0.1])
    part = example.restricted(np.array([False, True, True]), np.array([True, True, False]))
    assert part.scores.tolist() == [0.2, 0.1]
    assert part.n_true == 2
    assert part.pairs[0.5].tolist() == [[0, 1]]


# --- pixels -------------------------------------------------------------------------------------------------------


def test_pixel_metrics_of_a_worked_example():
    found = np.array([[1, 1, 0, 0, 0]], bool)
    true = np.array([[1, 0, 1, 0, 0]], bool)
    metrics, classes = pixel_metrics(confusion(found, true)), class_metrics(confusion(found, true))
    assert metrics["accuracy"] == pytest.approx(3 / 5)
    assert metrics["iou_particle"] == pytest.approx(1 / 3)
    assert metrics["dice_background"] == pytest.approx(4 / 6)
    assert classes["accuracy_particle"] == pytest.approx(1 / 2)
    assert classes["accuracy_background"] == pytest.approx(2 / 3)
    assert classes["confusion"] == [[2, 1], [1, 1]]


def test_counts_by_label_add_up_to_those_of_the_image():
    rng = np.random.default_rng(0)
    found, true = rng.random((2, 40, 50)) < 0.3
    labels = rng.integers(0, 4, found.shape)
    counts = confusion_by_label(found, true, labels, 4)
    assert counts.sum(axis=0).tolist() == confusion(found, true).tolist()
    assert counts[2].tolist() == confusion(found[labels == 2], true[labels == 2]).tolist()


# --- outlines -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wider", range(-3, 4))
def test_an_outline_drawn_too_wide_is_so_many_pixels_too_wide(wider):
    for radius in range(6, 26):
        found, true = disc(40, 40, radius + wider), disc(40, 40, radius)
        signed, absolute = outline_distances(found, true, (81, 81))
        # radii of the pixels' areas; edges are nearer to each other, for they run in steps
        apart = np.sqrt(found.area_px / np.pi) - np.sqrt(true.area_px / np.pi)
        assert 0.88 * abs(apart) <= absolute <= 0.96 * abs(apart)
        assert signed == pytest.approx(np.sign(wider) * absolute, abs=1e-9)


def test_a_shifted_outline_is_neither_wide_nor_narrow():
    signed, absolute = outline_distances(disc(40, 40, 15), disc(43, 40, 15), (81, 81))
    assert signed == pytest.approx(0, abs=0.1)
    assert absolute == pytest.approx(3 * 2 / np.pi, abs=0.3)


def test_the_images_border_is_no_outline():
    # both are cut by the left border in the same place, and 2 px apart on the right
    true, wide = Instance(0, 10, np.ones((20, 20), bool)), Instance(0, 10, np.ones((20, 22), bool))
    signed, _ = outline_distances(wide, true, (40, 60))
    assert 0 < signed < 2
    everything = Instance(0, 0, np.ones((40, 60), bool))
    assert np.isnan(outline_distances(everything, true, (40, 60))[0])


# --- calibration --------------------------------------------------------------------------------------------------


def test_probabilities_that_come_true_are_calibrated_and_others_by_how_much_they_are_not():
    rng = np.random.default_rng(0)
    probability = rng.random((400, 400))
    honest = calibration(reliability_counts(probability, rng.random((400, 400)) < probability))
    assert honest["ece"] < 0.01
    # truth at probability p is p²: the mean of |p - p²| over uniform p is 1/6
    bold = calibration(reliability_counts(probability, rng.random((400, 400)) < probability**2))
    assert bold["ece"] == pytest.approx(1 / 6, abs=0.01)
    assert sum(each["pixels"] for each in bold["bins"]) == 400 * 400
    none = calibration(reliability_counts(probability, probability > 2, np.zeros((400, 400), bool)))
    assert np.isnan(none["ece"])


# --- diameters ----------------------------------------------------------------------------------------------------


def test_the_bias_of_diameters_and_its_interval_over_images():
    rng = np.random.default_rng(0)
    true = [rng.normal(20, 3, 40) for _ in range(12)]
    found = [each * 1.1 + rng.normal(0, 1, 40) for each in true]
    bias = diameter_bias(found, true)
    for each in bias.values():
        assert each.value == pytest.approx(0.1, abs=0.02)
        assert each.low < 0.1 < each.high
        # found and true are drawn together: what images have in common cancels out
        assert each.high - each.low < 0.06
    assert not diameter_bias(found[:5], true[:5])["mean"].has_interval
    assert not diameter_bias([np.empty(0)], [np.array([3.0])])["mean"].has_value


# --- baselines ----------------------------------------------------------------------------------------------------


def test_the_classical_filter_finds_dark_discs_in_noise():
    rows, columns = np.indices((200, 200))
    particle = ((rows % 67 - 33) ** 2 + (columns % 67 - 33) ** 2) < 15**2
    noisy = 100 - 20 * particle + np.random.default_rng(0).normal(0, 15, particle.shape)
    metrics = pixel_metrics(confusion(classical_baseline(noisy), particle))
    assert metrics["dice_particle"] > 0.85
    assert not classical_baseline(np.full((50, 50), 3)).any()


def test_bragg_filtering_finds_fringes_and_not_mass():
    rows, columns = np.indices((256, 256))
    lattice, blob = np.hypot(rows - 80, columns - 90) < 40, np.hypot(rows - 190, columns - 190) < 40
    noise = np.random.default_rng(0).normal(0, 8, lattice.shape)
    fringes = 12 * np.sin(2 * np.pi * (0.16 * columns + 0.11 * rows))
    found = bragg_filter(100 + noise - 30 * blob + fringes * lattice)
    assert pixel_metrics(confusion(found, lattice))["dice_particle"] > 0.8
    assert found[blob].mean() < 0.05
    assert not bragg_filter(100 + noise).any()
    assert not bragg_filter(np.full((64, 80), 7, np.uint8)).any()


# --- the whole ----------------------------------------------------------------------------------------------------


def test_instances_of_all_pages_are_found():
    pages = np.zeros((2, 10, 10), np.uint16)
    pages[0, 1:4, 2:5], pages[1, 3:6, 2:9] = 1, 7
    assert [(i.x, i.y, i.w, i.h) for i in true_instances(pages)] == [(2, 1, 3, 3), (2, 3, 7, 3)]
    # numbers may be large, and nothing need be background
    assert len(true_instances(np.full((1, 4, 4), 2**31, np.uint32))) == 1


class Wide:
    """Says particle up to two pixels beyond the truth."""

    name, sha256, threshold = "wide", "0" * 64, 0.5

    def __init__(self, true):
        self._distance = distance_transform_edt(~true) - distance_transform_edt(true)

    def probability(self, pixels):
        return expit(2.5 - self._distance).astype(np.float32)


@pytest.mark.parametrize("polarity", ["auto", "dark"])
def test_a_network_is_told_the_polarity_as_in_an_analysis(polarity):
    micrograph = Micrograph(stored.discs(1), PixelSize(0.1, "made"), "a", "", {"detector": "HAADF"})
    judge = Judge()
    evaluations([Case(micrograph, [disc(40, 40, 10)])], [judge], recipe=Recipe(polarity=polarity))
    assert (judge.asked, judge.expected) == ([polarity], ["bright"])


@pytest.fixture(scope="module")
def contrasts_and_widths():
    """Discs of 10 and 24 px radius, each once at a contrast-to-noise of 1.5 and once of 6."""
    shape = (200, 400)
    instances = [disc(60, 60, 10), disc(150, 60, 10), disc(240, 70, 24), disc(340, 70, 24)]
    grey = 1000 + np.random.default_rng(0).normal(0, 10, shape)
    mask = np.zeros(shape, bool)
    for instance, contrast in zip(instances, (1.5, 6, 1.5, 6), strict=True):
        window = slice(instance.y, instance.y + instance.h), slice(instance.x, instance.x + instance.w)
        grey[window][instance.mask] -= 10 * contrast
        mask[window] |= instance.mask
    case = Case(Micrograph(grey, PixelSize(1.0, "given"), "a", ""), instances)
    return evaluations([case], [Wide(mask)])[0]


def test_outlines_too_wide_are_seen_and_measured(contrasts_and_widths):
    result = contrasts_and_widths
    assert (result["n_found"], result["n_true"], result["instance"]["f1_50"]) == (4, 4, 1)
    assert result["outline_bias_px"] == pytest.approx(2, abs=0.3)
    assert result["classes"]["accuracy_particle"] == 1
    assert result["diameter_bias_matched"] == pytest.approx(np.mean([4 / 20, 4 / 48]), rel=0.15)
    assert result["calibration"]["ece"] > 0.01


def test_particles_are_grouped_by_their_contrast_and_by_their_size(contrasts_and_widths):
    by_contrast = {group["low"]: group for group in contrasts_and_widths["by_contrast_to_noise"]}
    by_size = {group["low"]: group for group in contrasts_and_widths["by_diameter_px"]}
    assert {low: group["n_true"] for low, group in by_contrast.items()} == {0: 0, 0.5: 0, 1: 2, 2: 0, 4: 2}
    assert {low: group["n_true"] for low, group in by_size.items()} == {0: 0, 10: 0, 20: 2, 40: 2, 80: 0, 160: 0}
    assert by_size[20]["diameter_bias_matched"] == pytest.approx(4 / 20, rel=0.15)
    assert by_size[40]["diameter_bias_matched"] == pytest.approx(4 / 48, rel=0.15)
    assert by_size[20]["pixel"]["iou_particle"] < by_size[40]["pixel"]["iou_particle"] < 1
    assert by_size[20]["n_found"] == by_size[20]["n_true"]
    assert np.isnan(by_size[160]["instance"]["f1_50"])


@pytest.fixture
def discs(tmp_path):
    rows, columns = np.indices((220, 240))
    for folder in ("images", "instances"):
        (tmp_path / folder).mkdir()
    for name, shift in (("a", 0), ("b", 20)):
        instances = np.zeros((220, 240), np.uint16)
        for number, (y, x) in enumerate([(60, 60 + shift), (60, 160), (150, 100)], start=1):
            instances[(rows - y) ** 2 + (columns - x) ** 2 < 16**2] = number
        grey = 180 - 90 * (instances > 0) + np.random.default_rng(shift).normal(0, 4, instances.shape)
        Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "images" / f"{name}.png")
        Image.fromarray(instances).save(tmp_path / "instances" / f"{name}.png")
    return tmp_path


def test_an_evaluation_has_the_promised_fields(discs, tmp_path):
    out = tmp_path / "out" / "e.json"
    result = evaluate_segmentation(discs / "images", discs / "instances", out, model="classical", pixel_size_nm=0.5)
    assert json.loads(out.read_text()) == result
    assert set(result["pixel"]) == {"accuracy", "iou_particle", "iou_background", "dice_particle", "dice_background"}
    assert set(result["instance"]) == {"ap50", "ap75", "ap90", "f1_50"}
    assert result["images"] == 2
    assert [entry["image"] for entry in result["per_image"]] == ["a.png", "b.png"]
    assert result["pixel"]["dice_particle"] > 0.85
    assert result["instance"]["ap50"] > 0.8
    assert result["count_error"] < 0.2
    assert abs(result["diameter_bias_mean"]) < 0.2
    assert result["classes"]["confusion"][1][1] > 0
    assert result["outline_distance_px"] > 0
    assert result["calibration"] is None
    assert result["failed"] == []
    assert result["dice_outside_band"] > result["pixel"]["dice_particle"]
    assert result["n_true_uncut"] == 6
    assert result["f1_uncut"] > 0.8
    assert abs(result["diameter_median_error"]) < 0.2
    assert result["clumps"] == {"n_unresolved": 0, "unresolved_share": 0, "n_lumps": 0, "lump_share": 0}
    assert result["outline_confidence"] is None
    assert result["trust"]["verdicts"] == {"within": 0, "doubtful": 0, "outside": 0}
    assert "half_contrast" not in result


def test_labels_are_compared_at_half_contrast_beside_as_they_were_drawn(discs, tmp_path):
    # labels drawn 3 px too narrow
    for path in (discs / "instances").iterdir():
        with Image.open(path) as picture:
            wide = np.asarray(picture)
        Image.fromarray(np.where(distance_transform_edt(wide) > 3, wide, 0).astype(np.uint16)).save(path)
    folders = discs / "images", discs / "instances"
    result = evaluate_segmentation(
        *folders, tmp_path / "e.json", model="classical", half_contrast=True, rules=Rules(band_px=2)
    )
    moved = result["half_contrast"]
    assert result["n_true_uncut"] == moved["n_true_uncut"] == 6
    assert result["diameter_median_error"] - moved["diameter_median_error"] == pytest.approx(3 / 13, abs=0.05)


# --- what counts --------------------------------------------------------------------------------------------------


def found(instances, mask, **changed):
    n = len(instances)
    told = {
        "instances": instances,
        "mask": mask,
        "covered": np.zeros(mask.shape, bool),
        "probability": mask.astype(float),
        "contrast": np.full(n, 5.0),
        "confidence": np.full(n, np.nan),
        "unresolved": [],
        "has_probabilities": False,
        "trust": None,
        "seconds": 0.0,
    }
    return Found(**{**told, **changed})


def drawn(*instances, shape=(100, 100)):
    mask = np.zeros(shape, bool)
    for i in instances:
        mask[i.y : i.y + i.h, i.x : i.x + i.w] |= i.mask
    return mask


def case(*instances, shape=(100, 100)):
    pixels = np.random.default_rng(0).normal(100, 5, shape) - 50 * drawn(*instances, shape=shape)
    return Case(Micrograph(pixels, PixelSize(1.0, "test"), "a", ""), list(instances), Annotations())


def judged(true, what, rules=DEFAULT_RULES):
    return summary([scores_of(truth_of(true), what, rules)])


@given(st.integers(0, 4), st.integers(1, 5))
def test_an_outline_within_the_band_costs_no_dice(wider, band):
    true = square(30, 30, 20)
    beyond = np.maximum(np.abs(np.arange(100) - 39.5) - 10, 0)  # of the square's side
    wide = np.hypot(*np.meshgrid(beyond, beyond)) < max(wider, 1e-9)
    result = judged(case(true), found([], wide), Rules(band_px=band))
    if wider <= band:
        assert result["dice_outside_band"] == 1
    else:
        assert result["dice_outside_band"] < 1
    assert (result["pixel"]["dice_particle"] == 1) == (wider == 0)


def test_a_band_runs_along_the_outlines_between_touching_particles():
    left, right = square(30, 30, 20), square(50, 30, 20)
    seen = drawn(left, right)
    seen[30:50, 49:51] = False
    assert judged(case(left, right), found([], seen))["dice_outside_band"] == 1
    seen[30:50, 48:52] = False
    assert judged(case(left, right), found([], seen))["dice_outside_band"] < 1


def test_what_the_border_cuts_is_left_out_on_both_sides():
    whole, cut, missed_cut = square(40, 40, 20), square(0, 10, 20), square(80, 80, 20)
    inside_of_cut = square(1, 10, 19)  # its match does not touch the border, and is left out as well
    at_border = square(90, 0, 10)  # nothing is there, but what the border cuts says nothing
    invented = square(20, 80, 10)
    several = [whole, inside_of_cut, at_border, invented]
    result = judged(case(whole, cut, missed_cut), found(several, drawn(*several)))
    assert (result["n_found_uncut"], result["n_true_uncut"]) == (2, 1)
    assert result["f1_uncut"] == pytest.approx(2 / 3)
    assert result["diameter_median_error"] == 0
    assert result["instance"]["f1_50"] == pytest.approx(4 / 7)


def test_the_median_error_is_of_matched_diameters_that_nothing_cuts():
    true = [square(10, 10, 20), square(50, 10, 20), square(10, 50, 20), square(80, 80, 20)]
    several = [square(10, 10, 22), square(50, 10, 22), square(10, 50, 26), square(78, 78, 22)]
    result = judged(case(*true), found(several, drawn(*several)))
    assert result["diameter_median_error"] == pytest.approx(0.1)


def test_what_is_unknown_counts_for_nothing():
    labelled, unlabelled = square(10, 10, 20), square(60, 60, 20)
    spill = square(10, 10, 22)
    what = found([spill, unlabelled], drawn(spill, unlabelled))
    strict, lenient = (
        judged(case(labelled), what, Rules(unlabelled_is_ground=is_ground)) for is_ground in (True, False)
    )
    assert (strict["n_found"], lenient["n_found"]) == (2, 1)
    assert lenient["f1_uncut"] == 1
    # what spills over a label is wrong still
    assert lenient["pixel"]["dice_particle"] == pytest.approx(2 * 400 / (400 + 484))
    # of a piece of foreground mostly in the unknown, that part alone counts which labels cover
    both = found([], drawn(square(20, 10, 60)))
    assert judged(case(labelled), both, Rules(unlabelled_is_ground=False))["classes"]["confusion"][0][1] == 0
    assert judged(case(labelled), both, Rules(unlabelled_is_ground=False))["classes"]["confusion"][1] == [200, 200]


def test_several_particles_taken_for_one_are_a_lump_and_what_was_given_up_has_its_share():
    true = [square(10, 10, 10), square(20, 10, 10), square(60, 60, 20)]
    lump, single, clump = Instance(10, 10, np.ones((10, 20), bool)), square(60, 60, 20), square(80, 10, 10)
    what = found([lump, single], drawn(lump, single), unresolved=[clump])
    result = judged(case(*true), what)["clumps"]
    assert (result["n_lumps"], result["n_unresolved"]) == (1, 1)
    assert result["lump_share"] == pytest.approx(200 / 600)
    assert result["unresolved_share"] == pytest.approx(100 / 700)
    # one and a half are none
    half = Instance(10, 10, np.ones((10, 15), bool))
    assert judged(case(*true), found([half], drawn(half)))["clumps"]["n_lumps"] == 0


def test_confidence_is_measured_against_what_came_true():
    true = [square(x, 10, 10) for x in range(5, 90, 15)]
    wrong = [square(x, 60, 10) for x in (10, 40)]
    sure = np.array([0.95] * 6 + [0.95, 0.35])
    result = judged(case(*true), found([*true, *wrong], drawn(*true, *wrong), confidence=sure))["outline_confidence"]
    assert [(b["low"], b["particles"], b["share_right"]) for b in result["bins"]] == [(0.3, 1, 0.0), (0.9, 7, 6 / 7)]
    assert result["ece"] == pytest.approx((0.35 + abs(7 * 0.95 - 6)) / 8)


@given(st.integers(0, 2**32 - 1))
def test_confidence_that_comes_true_is_calibrated(seed):
    rng = np.random.default_rng(seed)
    said = rng.random(4000)
    result = confidence_calibration(said, rng.random(4000) < said)
    assert result["ece"] < 0.04
    assert sum(b["particles"] for b in result["bins"]) == 4000
    assert confidence_calibration(np.full(3, np.nan), np.ones(3, bool)) is None


def test_trust_that_ranks_images_as_they_turn_out_is_worth_it():
    trust = [Trust(0.9, "within"), Trust(0.8, "within"), Trust(0.3, "doubtful"), None, Trust(0.1, "outside")]
    result = trust_report(trust, [0.95, 0.5, 0.4, 0.1, float("nan")])
    assert result["rank_correlation"] == pytest.approx(1)
    assert result["images"] == 3
    assert result["poor_but_within"] == 1
    assert result["verdicts"] == {"within": 2, "doubtful": 1, "outside": 1}
    assert np.isnan(trust_report(trust[:2], [1.0, 0.5])["rank_correlation"])


def test_a_kind_of_particle_has_what_was_found_of_it_alone():
    rod, compact = Instance(10, 10, np.ones((8, 60), bool)), square(60, 60, 20)
    pearls = [square(x, 10, 8) for x in (10, 25, 40)]
    invented = square(10, 80, 10)
    several = [*pearls, compact, invented]
    scores = scores_of(truth_of(case(rod, compact)), found(several, drawn(*several)), DEFAULT_RULES)
    rods = summary([scores.of_true(np.array([True, False]))])
    assert (rods["n_found"], rods["n_true"], rods["f1_uncut"]) == (3, 1, 0)
    others = summary([scores.of_true(np.array([False, True]))])
    assert (others["n_found"], others["n_true"], others["f1_uncut"]) == (1, 1, 1)
    # what is of one kind is of it again
    again = scores.of_true(np.array([False, True])).of_true(np.array([True]))
    assert summary([again])["f1_uncut"] == 1


def test_several_models_are_compared_on_the_same_images(discs, tmp_path):
    out = tmp_path / "e.json"
    (tmp_path / "overlays" / "classical").mkdir(parents=True)
    (tmp_path / "overlays" / "classical" / "03_earlier.png").touch()
    results = evaluate_segmentation(
        discs / "images", discs / "instances", out, model=["classical", "bragg"], overlays_dir=tmp_path / "overlays"
    )
    assert [each["model"] for each in json.loads(out.read_text())] == ["classical", "bragg"]
    assert results[0]["n_true"] == results[1]["n_true"] == 6
    assert results[0]["instance"]["f1_50"] > results[1]["instance"]["f1_50"]
    pictures = sorted((tmp_path / "overlays" / "classical").iterdir())
    assert [path.name for path in pictures] in (["01_a.png", "02_b.png"], ["01_b.png", "02_a.png"])
    with Image.open(pictures[0]) as picture:
        assert picture.width > 2 * 640
        colours = {tuple(colour) for colour in np.asarray(picture).reshape(-1, 3)}
    assert {(0x56, 0xB4, 0xE9), (0xE6, 0x9F, 0x00)} <= colours


def test_an_image_that_cannot_be_compared_fails_alone(discs, tmp_path):
    Image.fromarray(np.zeros((50, 60), np.uint8)).save(discs / "images" / "c.png")
    Image.fromarray(np.zeros((50, 61), np.uint16)).save(discs / "instances" / "c.png")
    result = evaluate_segmentation(discs / "images", discs / "instances", tmp_path / "e.json", model="classical")
    assert result["images"] == 2
    (sentence,) = result["failed"]
    assert "60 x 50" in sentence
    assert "61 x 50" in sentence
    for name in "ab":
        (discs / "images" / f"{name}.png").write_bytes(b"no image")
    with pytest.raises(AntemaError, match="found none"):
        evaluate_segmentation(discs / "images", discs / "instances", tmp_path / "e.json", model="classical")


def test_a_model_that_is_not_there_is_told_before_any_work(discs, tmp_path):
    with pytest.raises(NotFound, match="no model 'nothing'"):
        evaluate_segmentation(discs / "images", discs / "instances", tmp_path / "e.json", model=["nothing"])


# --- tables -------------------------------------------------------------------------------------------------------


def test_tables_are_written_between_their_markers_alone(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("above\n<!-- table: bars -->\nold\n<!-- end: bars -->\nbelow\n")
    table = [["what", "n"], ["a \\ b", "1"]]
    put(page, "bars", as_markdown(table))
    put(page, "bars", as_markdown(table))
    text = page.read_text()
    assert text.startswith("above\n<!-- table: bars -->\n\n| what | n |\n| --- | --- |\n| a \\ b | 1 |\n\n<!-- end")
    assert text.endswith("below\n")
    assert "old" not in text
    assert as_text(table) == "what   n\na \\ b  1"
    with pytest.raises(AntemaError, match="expected the markers"):
        put(page, "other", "")


def test_the_tables_of_bins_leave_empty_ones_out_and_name_the_rest(contrasts_and_widths):
    head, *rows = by_bin([plain(contrasts_and_widths)], "by_contrast_to_noise", "contrast-to-noise")
    assert head[:4] == ["contrast-to-noise", "model", "true", "found"]
    assert [row[:4] for row in rows] == [["1 to 2", "wide", "2", "2"], ["over 4", "wide", "2", "2"]]


def test_a_card_keeps_what_other_commands_printed(tmp_path):
    model = tmp_path / "mine"
    architecture = {"kind": "unet-stride2", "features": [4, 8]}
    training = {
        "images": {"a": 2},
        "held_out": {"a": 1},
        "steps": 3,
        "batch": 2,
        "minutes": 1.0,
        "device": "CPU",
        "seed": 0,
    }
    write_model(model, {"x": np.zeros(3, np.float32)}, architecture=architecture, training=training)
    add_metrics(model, "tiles", {"dice": 0.5}, command="antema train segmentation (end of the run)")
    replace_metrics(model, {"old": {"dice": 0.1}}, command="python -m benchmarks.segmentation_quality --quick")
    numbers = {"dice": 0.9, "f1_50": 0.8, "diameter_bias_mean": -0.0123}
    replace_metrics(model, {"new": numbers}, command="python -m benchmarks.segmentation_quality --real DIR")
    metrics = json.loads((model / "card.json").read_text())["metrics"]
    assert list(metrics) == ["tiles", "new"]
    assert metrics["new"]["command"] == "python -m benchmarks.segmentation_quality --real DIR"
    readme = (model / "README.md").read_text()
    assert "| what | Dice | instance F1 | mean diameter |" in readme
    assert "| tiles | 0.500 |  |  |\n| new | 0.900 | 0.800 | -1.2% |" in readme
