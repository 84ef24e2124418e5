"""No particle is found in a caption, and none that a caption cuts is measured."""

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from antema.analysis import Segmentation, analyse, analyse_segmentation
from antema.domain import Micrograph, PixelSize, Recipe
from tests.strategies.shapes import coverage, disc

GROUND, PARTICLE = 170.0, 60.0
CENTRES = ((60, 60), (160, 80), (300, 60), (90, 200), (420, 330), (160, 352))


@dataclass(frozen=True)
class Dark:
    """Takes what is darker than the middle between ground and particles for particle."""

    name: str = "dark"
    sha256: str = "0" * 64
    threshold: float = 0.5

    def probability(self, pixels):
        return np.clip((GROUND - pixels.astype(np.float32)) / (GROUND - PARTICLE), 0, 1)


@pytest.fixture(scope="module")
def captioned() -> Micrograph:
    """Six discs of 40 px; a black bar with its label, and the letters of a panel, over the last of them."""
    share = np.zeros((384, 512))
    for centre in CENTRES:
        share = np.maximum(share, coverage(disc(40)[0], share.shape, centre))
    noise = np.random.default_rng(5).normal(0, 6, share.shape)
    grey = GROUND + (PARTICLE - GROUND) * share + noise
    picture = Image.fromarray(np.clip(grey, 1, 254).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(28)
    draw.rectangle((40, 355, 183, 362), fill=0)
    draw.text((80, 320), "20 nm", fill=0, font=font)
    draw.text((470, 8), "a", fill=0, font=font)
    return Micrograph(np.asarray(picture), PixelSize(20 / 144, "user: A"), "captioned.png", "f" * 64)


def test_captions_hold_no_particles(captioned):
    analysis = analyse(captioned, Recipe(min_diameter_nm=0.5), segmenter=Dark())
    table = analysis.table
    measured = table[table["status"] == "measured"]
    assert len(measured) == 5
    assert measured["equivalent_diameter_nm"].to_numpy() == pytest.approx(40 * 20 / 144, rel=0.03)
    assert any("Burned-in" in note for note in analysis.notes)
    assert not analysis.segmentation[356:361, 45:180].any()


def test_a_particle_that_a_caption_cuts_is_dropped_with_that_reason(captioned):
    table = analyse(captioned, segmenter=Dark()).table
    cut = table[table["drop_reason"] == "in_annotation"]
    assert len(cut) >= 1
    assert (cut["bbox_y_px"] > 300).all()


def test_the_recipe_can_keep_them(captioned):
    kept = analyse(captioned, Recipe(leave_out_annotations=False), segmenter=Dark())
    assert "in_annotation" not in set(kept.table["drop_reason"])
    assert kept.segmentation[356:361, 45:180].all()


def test_a_failing_search_is_said_and_does_not_stop_the_analysis(captioned, monkeypatch):
    def fail(_):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr("antema.analysis.segmentation.find_annotations", fail)
    analysis = analyse(captioned, segmenter=Dark())
    assert (analysis.table["status"] == "measured").sum() >= 5
    assert any("no such kernel" in note for note in analysis.notes)


@pytest.mark.parametrize(
    ("intrusion_px", "status"), [(0, "measured"), (2, "measured"), (8, "dropped"), (20, "dropped")]
)
def test_a_particle_that_a_box_only_grazes_is_measured(intrusion_px, status):
    radius = 40
    rows, columns = np.indices((200, 200))
    mask = (rows - 100) ** 2 + (columns - 100) ** 2 <= radius**2
    covered = np.zeros(mask.shape, bool)
    covered[100 + radius + 1 - intrusion_px :] = True
    probability = np.where(mask & ~covered, 1, 0).astype(np.float32)
    micrograph = Micrograph(np.where(mask, 60, 170).astype(np.uint8), PixelSize(0.1, "user: A"), "m.png", "f" * 64)
    segmentation = Segmentation(micrograph.pixels, probability, covered)
    table = analyse_segmentation(
        micrograph, segmentation, {"name": "m", "sha256": "", "threshold": 0.5}, Recipe()
    ).table
    assert table["status"].tolist() == [status]
    true_nm = 2 * radius * 0.1
    if status == "measured":
        assert table["equivalent_diameter_nm"].iloc[0] == pytest.approx(true_nm, rel=0.006)
    else:
        assert table["drop_reason"].tolist() == ["in_annotation"]


def test_letters_inside_a_particle_hide_nothing_of_its_outline():
    rows, columns = np.indices((200, 200))
    mask = (rows - 100) ** 2 + (columns - 100) ** 2 <= 80**2
    covered = np.zeros(mask.shape, bool)
    covered[90:110, 70:130] = True
    probability = np.where(mask & ~covered, 1, 0).astype(np.float32)
    micrograph = Micrograph(np.where(mask, 60, 170).astype(np.uint8), PixelSize(0.1, "user: A"), "m.png", "f" * 64)
    segmentation = Segmentation(micrograph.pixels, probability, covered)
    table = analyse_segmentation(
        micrograph, segmentation, {"name": "m", "sha256": "", "threshold": 0.5}, Recipe(hole_diameter_nm=10)
    ).table
    assert table["status"].tolist() == ["measured"]
    assert table["equivalent_diameter_nm"].iloc[0] == pytest.approx(16, rel=0.005)
