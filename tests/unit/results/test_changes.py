"""What has become of a result's micrographs is said beside it, in sentences."""

from antema.results.changes import changes_since, exclusion_note
from antema.storage import ImageResult


def image(identity, **values):
    given = {"status": "done", "n_measured": 3} | values
    return ImageResult(analysis_id=1, micrograph_id=identity, filename=f"{identity}.tif", **given)


def test_nothing_has_changed():
    images = [image(1), image(2)]
    assert changes_since(images, []) == []
    assert exclusion_note(images, applied=True) == exclusion_note(images, applied=False) == ""


def test_what_changed_is_counted_and_named():
    moved = {"changes": ("moved",), "moved_to": "other"}
    images = [image(1, **moved), image(2, **moved), image(3, changes=("scale",)), image(4, changes=("image",))]
    assert changes_since([*images, image(5, status="failed")], []) == [
        "2 of 4 micrographs have since been moved to other: 1.tif, 2.tif; analyse again.",
        "1 of 4 micrographs has another pixel size since: 3.tif; analyse again.",
        "1 of 4 micrographs has since become another image of the file: 4.tif; analyse again.",
    ]


def test_one_that_was_moved_and_scaled_is_told_of_twice():
    both = image(1, changes=("moved", "scale"), moved_to="other")
    assert len(changes_since([both], [])) == 2
    assert both.stale_reason == "moved to the sample other since; pixel size changed since"


def test_what_people_took_out_is_told_with_its_effect():
    images = [
        image(1, counts=False, left_out_reason="blurred", n_excluded=2),
        image(2, n_excluded=2, excluded=(1, 2)),
        image(3),
    ]
    what = "1 of 3 micrographs (1.tif: blurred) and 2 particles were taken out by people"
    assert exclusion_note(images, applied=True) == f"{what}; the numbers are without that."
    off = exclusion_note(images, applied=False)
    assert off == f"{what}; exclusions are switched off: the numbers are with all of it."
