import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from antema.domain import Annotations, AntemaError, Box, Micrograph, PixelSize, ScaleBar
from antema.imaging import contents, read
from antema.storage import Examined
from antema.web import image_page, intake, sample_page
from antema.web.cards import micrograph_card
from antema.web.media import preview_png
from antema.web.micrograph_actions import apply_action
from antema.web.scale_question import doubts
from antema.web.scale_view import banner, bars_words, drawn_bar, use_words
from tests.strategies.stored import discs
from tests.unit.web.component_text import text_of

BOXES = (Box(20, 78, 54, 10), Box(5, 5, 20, 8))


@pytest.fixture
def sample(web_store):
    return web_store.create_sample("Au", by="Ann")


@pytest.fixture
def add(web_store, sample):
    """Store an image with what its file says, and a scale bar of 50 px that says so many nm."""

    def add(seed, *, nm=None, bar_nm=None):
        path = web_store.incoming_dir / f"{seed}.tif"
        tifffile.imwrite(path, discs(seed))
        size = PixelSize.none("no tag") if nm is None else PixelSize(nm, "file: a tag")
        metadata = {"instrument": "Titan", "voltage_kv": 300.0, "dwell_time_s": 1e-5, "format": "TIFF"}
        micrograph = Micrograph(discs(seed), size, path.name, read(path).sha256, metadata)
        bar = None if bar_nm is None else ScaleBar(50.0, Box(22, 80, 50, 4), f"{bar_nm:g} nm", float(bar_nm))
        examined = Examined(contents(path), None, Annotations(bar, BOXES if bar else ()))
        return web_store.add_micrograph(sample.id, micrograph, path, examined=examined, by="Ann")

    return add


def words_of(component):
    return text_of(component).replace("|", " ").replace("  ", " ")


def card(micrograph):
    return words_of(micrograph_card(micrograph, None, checked=False, analysis_id=None, version=0))


def test_a_card_offers_what_the_bar_says_where_that_tells_something(add):
    assert "Use bar: 0.2 nm/px" in card(add(1, bar_nm=10))
    unlike = card(add(2, nm=0.18, bar_nm=10))
    assert "0.18 nm/px · file: a tag" in unlike
    assert "scale bar: 0.2 nm/px, 11.1 % more" in unlike
    assert "Use bar: 0.2 nm/px" in unlike
    alike = card(add(3, nm=0.201, bar_nm=10))
    assert "Use bar" not in alike
    assert "scale bar" not in alike
    assert "needs a pixel size" in card(add(4))


def test_the_banner_counts_what_lacks_a_scale_and_names_what_disagrees(add, web_store, sample):
    assert banner([]) == ("", "")
    fine = add(1, nm=0.2)
    assert banner([fine]) == ("", "")
    micrographs = [fine, add(2, bar_nm=10), add(3), add(4, nm=0.18, bar_nm=10)]
    words, use = banner(micrographs)
    assert words.startswith("2 of 4 micrographs have no pixel size; the scale bars of 1 offer one.")
    assert words.endswith("Scales disagree by more than 1 %: 4.tif.")
    assert use == "Use the scale bar"
    assert banner([micrographs[2]])[0] == "This micrograph has no pixel size; no scale bar could be read in it."
    web_store.leave_out(micrographs[3].id, "blurred", "Ann")
    assert "disagree" not in banner(web_store.micrographs(sample.id))[0]


def test_the_dialog_tells_what_the_ticked_bars_say(add):
    one, other, none = add(1, bar_nm=10), add(2, bar_nm=20), add(3)
    assert bars_words([one]) == "1 micrograph ticked; scale bars were read in 1: 0.2 nm/px."
    assert bars_words([one, other, none]).endswith("read in 2: 0.2 to 0.4 nm/px.")
    assert bars_words([none]) == "1 micrograph ticked; no scale bar could be read in it."


def test_actions_on_scales(add, web_store):
    one, none = add(1, nm=0.18, bar_nm=10), add(2)
    apply_action(web_store, "scale-bars", [one.id, none.id], by="Bob")
    assert web_store.micrograph(one.id).pixel_size == PixelSize(0.2, "user: Bob (scale bar)")
    assert use_words(web_store.micrograph(one.id)) == "", "it is in use"
    with pytest.raises(AntemaError, match="Scale bars: expected one that was read"):
        apply_action(web_store, "scale-bars", [one.id, none.id], by="Bob")
    apply_action(web_store, "scale", [one.id, none.id], value=0.3, by="Bob")
    apply_action(web_store, "file-scale", [one.id, none.id], by="Bob")
    assert [web_store.micrograph(m.id).pixel_size.nm for m in (one, none)] == [0.18, None]
    for value, found in ((None, "none"), (-3.0, "-3"), (0.0, "0"), (float("nan"), "nan")):
        with pytest.raises(AntemaError, match=f"one pixel is long, found {found}"):
            apply_action(web_store, "scale", [one.id], value=value, by="Bob")


@pytest.mark.parametrize(("width", "height", "nm"), [(1000, 500, 0.1), (512, 512, 2.75), (300, 4096, 0.0123)])
def test_a_drawn_bar_is_as_long_as_it_says(width, height, nm):
    (bar,) = drawn_bar(width, height, nm)
    length, unit = words_of(bar).split()
    length_nm = float(length) * {"pm": 1e-3, "nm": 1.0, "µm": 1e3}[unit]
    assert length.rstrip("0")[:1] in ("1", "2", "5")
    assert float(bar.style["width"].rstrip("%")) / 100 == pytest.approx(length_nm / nm / min(width, height), rel=1e-3)
    assert drawn_bar(width, height, None) == []


def test_the_image_page_tells_everything_known(add, web_store):
    stored = add(1, nm=0.18, bar_nm=10)
    text = words_of(image_page.scale_facts(stored))
    assert "0.18 nm/px · file: a tag" in text
    assert "50 px, labelled “10 nm”: 0.2 nm/px" in text
    assert "11.1 % more than the file's 0.18 nm/px" in text
    web_store.set_pixel_size([stored.id], 0.2, by="Bob")
    text = words_of(image_page.scale_facts(web_store.micrograph(stored.id)))
    assert "UTC by Bob" in text
    assert "The file says" in text
    facts = words_of(image_page.facts(stored, web_store.file_images(stored.id)))
    for words in ("Titan", "300 kV", "1e-05 s", "8 bits, whole numbers without sign (uint8)", stored.sha256):
        assert words in facts


def test_what_is_burned_in_is_framed_on_demand(add):
    stored = add(1, nm=0.2, bar_nm=10)
    assert len(sample_page.viewer(stored, None).layout.shapes) == 0
    shapes = sample_page.viewer(stored, None, annotations_on=True).layout.shapes
    assert len(shapes) == len(BOXES) + 1
    ends = [(s.x0, s.x1, s.y0, s.y1) for s in shapes]
    assert ends[0] == pytest.approx((4.0, 14.8, 15.6, 17.6)), "in nm, as the axes are"


def test_a_preview_without_a_bar_is_for_pages_that_draw_their_own(make_sample, web_store):
    made = make_sample("drawn", 4.0, 1)
    analysis = web_store.current_analysis(made.id)
    (micrograph,) = web_store.micrographs(made.id)
    with_bar, without = (
        np.asarray(Image.open(io.BytesIO(preview_png(analysis.id, micrograph.id, max_px=200, scale_bar=bar))))
        for bar in (True, False)
    )
    assert with_bar.shape == without.shape
    assert (with_bar != without).any()


def test_a_file_of_an_earlier_version_is_looked_into_once(web_store, sample, monkeypatch):
    found = Annotations(None, BOXES)
    monkeypatch.setattr(intake, "find_annotations", lambda _: found)
    path = web_store.incoming_dir / "stack.tif"
    tifffile.imwrite(path, np.stack([discs(1), discs(2)]), photometric="minisblack")
    stored = web_store.add_micrograph(sample.id, read(path), path, by="Ann")
    assert intake.examine_if_needed(web_store, stored.id)
    assert not intake.examine_if_needed(web_store, stored.id)
    again = web_store.micrograph(stored.id)
    assert (again.annotations, again.data_index) == (found, None)
    assert not intake.choose_image(web_store, stored.id, 0, by="Bob"), "it is that one"
    assert intake.choose_image(web_store, stored.id, 1, by="Bob")
    other = web_store.micrograph(stored.id)
    images = web_store.file_images(stored.id)
    assert (other.data_index, image_page.chosen_image(other, images)) == (1, 1)
    assert [option["label"] for option in image_page.image_options(images)][1] == "frame 2 of 2 · 96 × 96"
    with pytest.raises(AntemaError, match="has 2 images"):
        intake.choose_image(web_store, stored.id, 7, by="Bob")


@pytest.mark.parametrize(
    ("nm", "asked"),
    [
        (0.5, []),
        (1.9, []),
        (2.1, ["2.1 nm/px beside 0.2 nm/px of the sample's other micrographs: really?"]),
        (0.019, ["0.019 nm/px beside 0.2 nm/px of the sample's other micrographs: really?"]),
        (640, ["640 nm/px beside 0.2 nm/px of the sample's other micrographs: really?"]),
    ],
)
def test_a_typed_size_far_from_its_neighbours_is_asked_about(web_store, add, nm, asked):
    bare = add(1)
    for seed in (2, 3):
        add(seed, nm=0.2)
    assert doubts(web_store, "scale", [bare.id], nm) == asked


def test_sizes_without_neighbours_are_held_against_what_microscopes_give(web_store, add):
    bare, bar, other = add(1), add(2, bar_nm=2000), add(3, bar_nm=10)
    assert doubts(web_store, "scale", [bare.id], 20.0) == []
    (question,) = doubts(web_store, "scale", [bare.id], 21.0)
    assert question == "21 nm/px, where electron micrographs have 0.001 to 20 nm/px: really?"
    assert len(doubts(web_store, "scale", [bare.id], 0.0009)) == 1
    assert len(doubts(web_store, "scale-bars", [bar.id], None)) == 1
    # bars are held against each other, one size for many is not
    assert len(doubts(web_store, "scale-bars", [bar.id, other.id], None)) == 2
    assert doubts(web_store, "scale", [bar.id, other.id], 5.0) == []
    assert doubts(web_store, "scale", [bar.id], -1.0) == []


def test_a_micrograph_left_out_is_no_neighbour(web_store, add):
    bare, out = add(1), add(2, nm=0.2)
    web_store.leave_out(out.id, "blurred", by="Ann")
    assert doubts(web_store, "scale", [bare.id], 15.0) == []


def test_scales_far_from_all_others_are_told_above_the_cards(web_store, sample, add):
    for seed, nm in ((1, 0.2), (2, 0.25)):
        add(seed, nm=nm)
    assert banner(web_store.micrographs(sample.id))[0] == ""
    add(3, nm=640.0)
    assert "other scale here: 3.tif (640 nm/px). Really?" in banner(web_store.micrographs(sample.id))[0]
