import dataclasses
import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pypdf
import pytest
from PIL import Image

from antema.domain import QUANTITIES, RECIPE_FIELDS, Recipe, View
from antema.reports import ComparisonReport, ReportImage, comparison_report_pdf, sample_report_pdf
from tests.strategies.judging import STRANGE


def pages(content):
    return pypdf.PdfReader(io.BytesIO(content)).pages


def text_of(content):
    # a long word is broken by a mark of no width
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages(content)).replace("\u200b", ""))


def compact(text):
    return re.sub(r"\s+", "", text)


@pytest.fixture(scope="module")
def document(sample_report):
    return sample_report_pdf(sample_report)


def test_cover_has_the_sample_and_its_numbers(document, sample_report):
    cover = re.sub(r"\s+", " ", pages(document)[0].extract_text())
    measured = sample_report.table[sample_report.table["status"] == "measured"]
    for expected in ("Au-1", "Au on carbon", "B-17", "2024-03-07", "J. Müller", "dodecanethiol"):
        assert expected in cover
    assert f"{len(measured)}" in cover
    assert f"{measured['equivalent_diameter_nm'].mean():.2f} ± " in cover
    assert "number-weighted" in cover
    assert "95 % intervals from a bootstrap of whole images" in cover
    assert "1 of 8 typed by Jörg" in cover
    assert "7 of 8 from the file" in cover
    assert "page 1 of" in cover


def test_everything_that_was_done_is_recorded(document, sample_report):
    text = text_of(document)
    for field in RECIPE_FIELDS:
        assert field.label in text
    for quantity in QUANTITIES:
        assert quantity.label in text
    assert "0.5 nm" in text
    assert "cut by the image" in text
    assert sample_report.recipe.fingerprint() in compact(text)
    assert sample_report.images[0].sha256 in compact(text)
    assert "bad_0.ser: expected a micrograph, found a spectrum." in text
    assert "antema 0.1.0" in text
    assert "U-Net" in text


def test_the_same_report_gives_the_same_bytes(document, sample_report):
    assert sample_report_pdf(sample_report) == document


def test_its_date_is_that_of_the_analysis(document, sample_report):
    information = pypdf.PdfReader(io.BytesIO(document)).metadata
    assert information.creation_date == datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    assert "Au-1" in information.title
    undated = dataclasses.replace(sample_report, provenance={}, images=[])
    assert pypdf.PdfReader(io.BytesIO(sample_report_pdf(undated))).metadata.creation_date.year == 1980


def test_words_of_a_user_are_never_markup(make_report, nasty_name):
    report = make_report(1, per_image=5, name=nasty_name, pictures=1)
    sample = {
        **report.sample,
        "material": nasty_name,
        "notes": '#include "data.json" #panic()',
        "properties": {"#a": "$b"},
    }
    image = dataclasses.replace(report.images[0], name="#x *y* $z$.tif", notes=("@note <a>",))
    content = sample_report_pdf(dataclasses.replace(report, sample=sample, images=[image]))
    text = compact(text_of(content))
    assert text.count(compact(nasty_name)) >= 3
    assert compact('#include "data.json" #panic()') in text
    assert compact("#x *y* $z$.tif") in text
    assert "@note<a>" in text


def test_figures_are_drawn_as_vectors_and_pictures_no_larger_than_printed(make_report):
    report = make_report(6, per_image=10)
    assert all(len(page.images) == 0 for page in pages(sample_report_pdf(report)))
    buffer = io.BytesIO()
    Image.new("RGB", (3000, 1500)).save(buffer, "PNG")
    large = dataclasses.replace(report.images[0], png=buffer.getvalue())
    found = [
        image.image.size
        for page in pages(sample_report_pdf(dataclasses.replace(report, images=[large])))
        for image in page.images
    ]
    assert found
    assert set(found) == {(1000, 500)}


@pytest.mark.parametrize(
    ("n_images", "sentence"),
    [
        (1, "All particles are from one image"),
        (2, "The images are few (2)"),
        (5, "The images are few (5)"),
    ],
)
def test_few_images_are_said_to_be_few(make_report, n_images, sentence):
    assert sentence in text_of(sample_report_pdf(make_report(n_images)))


def test_many_images_need_no_caution(document):
    assert "images are few" not in text_of(document)
    assert "ISO" not in text_of(document)


def test_weighting_is_stated(make_report):
    text = text_of(sample_report_pdf(make_report(6, weighting="volume")))
    assert "volume-weighted" in text
    assert "number-weighted" not in text
    assert "90 % of the volume lie" in text


def test_crystallinity_is_shown_or_its_absence_explained(document, make_report):
    assert "Below a certainty of 0.80" in text_of(document)
    assert "no crystallinity model was installed" in text_of(sample_report_pdf(make_report(1)))
    off = make_report(1, recipe=Recipe(crystallinity=False))
    assert "the recipe did not ask for crystallinity" in text_of(sample_report_pdf(off))


def test_reports_of_nothing(make_report):
    assert "No particle was measured." in text_of(sample_report_pdf(make_report(2, per_image=0)))
    failed = dataclasses.replace(
        make_report(1, per_image=0), images=[ReportImage("a.tif", status="failed", error="a.tif: expected a scale.")]
    )
    text = text_of(sample_report_pdf(failed))
    assert "no micrograph was analysed" in text
    assert "a.tif: expected a scale." in text
    assert "one particle" in text_of(sample_report_pdf(make_report(1, per_image=1, seed=1)))


def test_equal_particles_can_be_drawn(make_report):
    report = make_report(2, per_image=4)
    same = report.table.assign(status="measured", circularity=1.0, convexity=1.0, aspect_ratio=1.0)
    same = same.assign(**{column: 4.0 for column in ("equivalent_diameter_nm", "feret_min_nm", "feret_max_nm")})
    assert "4.00" in text_of(sample_report_pdf(dataclasses.replace(report, table=same)))


def test_threads_draw_what_one_draws_alone(make_report):
    reports = [make_report(6, per_image=10, seed=seed) for seed in range(3)]
    alone = [sample_report_pdf(report) for report in reports]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(sample_report_pdf, reports)) == alone


def test_of_a_calibration_a_report_has_what_changes_numbers_and_how_good_it_is(make_report):
    rows = {"sets of images": {"images": 40, "spearman": 0.7}}
    entry = {"sha256": "0" * 64, "temperature": 1.31, "ece_after": 0.004, "trust": rows, "polarity": rows}
    report = make_report(3, per_image=5)
    text = text_of(sample_report_pdf(dataclasses.replace(report, model={**report.model, "calibration": entry})))
    assert "Calibration: temperature 1.31 Calibration: ece after 0.004" in text
    assert "sets of images" not in text


def test_a_picture_says_how_its_image_was_seen(make_report):
    report = make_report(3, per_image=5, pictures=2)
    usual, other, _ = (dataclasses.replace(image, polarity="dark", scales=(1.0, 0.5)) for image in report.images)
    other = dataclasses.replace(other, polarity="bright", scales=(0.25, 0.125), notes=("a note",))
    text = text_of(sample_report_pdf(dataclasses.replace(report, images=[usual, other])))
    assert "seen at 1/4 of its width; particles taken for bright; a note" in text
    assert text.count("of its width") == text.count("taken for bright") == 1


def comparison(*reports, weighting="number"):
    return ComparisonReport(reports, View(weighting=weighting), reports[0].provenance)


def test_a_comparison_says_in_which_samples_particles_lie_in_clumps(make_report):
    free, clumped = make_report(3, name="Free", per_image=10), make_report(3, name="Clumped", per_image=10)
    free = dataclasses.replace(free, table=free.table.assign(drop_reason=""))
    reasons = clumped.table["status"].map({"dropped": "unresolved"}).fillna("")
    clumped = dataclasses.replace(clumped, table=clumped.table.assign(drop_reason=reasons))
    assert text_of(comparison_report_pdf(comparison(free, clumped))).count("of the particle area lies in clumps") == 1


def test_a_comparison_says_which_samples_the_network_does_not_know_well(make_report):
    known, strange = make_report(6), make_report(7, name="Au-2", seed=1)
    first, *others = strange.images
    strange = dataclasses.replace(strange, images=[dataclasses.replace(first, trust=STRANGE), *others])
    text = text_of(comparison_report_pdf(comparison(known, strange)))
    assert "B 1 of 7 micrographs is not of the kind that the network knows well" in text
    assert text.count("the network knows well") == 1
    assert text.index("the network knows well") < text.index("Difference of medians")


def test_comparison_has_differences_with_effect_and_test(make_report, nasty_name):
    report = comparison(make_report(6, mean_nm=2.0), make_report(7, name=nasty_name, mean_nm=4.0, seed=1))
    content = comparison_report_pdf(report)
    text = text_of(content)
    assert compact(nasty_name) in compact(text)
    for expected in ("Difference of medians", "Cliff's delta", "large", "whole images", "All samples were analysed"):
        assert expected.replace("'", "’") in text.replace("'", "’")
    assert "1,716 distinct assignments" in text
    assert "p corrected" not in text
    assert comparison_report_pdf(report) == content


def test_comparison_of_several_samples_is_honest(make_report):
    watershed = make_report(2, name="two", recipe=Recipe(separation="watershed"), seed=1)
    report = comparison(
        make_report(8, name="many"),
        watershed,
        make_report(1, name="one", seed=2),
        make_report(3, name="three", seed=3),
        weighting="area",
    )
    text = text_of(comparison_report_pdf(report))
    assert "p corrected" in text
    assert "No test, which needs at least 3 images of each sample: A–B, A–C, B–C, B–D, C–D." in text
    assert "least 0.0061" in text
    assert "The images are few (2)" in text
    assert "were not analysed with the same recipe" in text
    assert "watershed" in text
    assert "area-weighted" in text


def test_comparison_takes_a_sample_without_particles(make_report):
    text = text_of(comparison_report_pdf(comparison(make_report(6), make_report(1, per_image=0, name="empty"))))
    assert "A sample has no measured particle." in text


def test_comparison_of_one_sample_is_refused(make_report):
    with pytest.raises(ValueError, match="expected at least two samples, found 1"):
        comparison_report_pdf(comparison(make_report(1)))


def test_the_report_and_the_analysis_have_a_date_each(make_report):
    report = make_report(2)
    said = {"analysed": "2026-11-01 08:00 UTC", "who": "Ann", "requested_by": "Bob", "software_version": "0.1.0"}
    text = text_of(
        sample_report_pdf(dataclasses.replace(report, provenance={"date": report.provenance["date"], **said}))
    )
    assert "Analysed 2026-11-01 08:00 UTC by Ann" in text
    assert "Report made 2026-11-21 09:30 UTC by Bob, ANTEMA 0.1.0" in text
    assert "Date of analysis" not in text
    assert "Analysed 2026-11-21" not in text
    pair = ComparisonReport(
        [dataclasses.replace(report, provenance=said)] * 2, View(), {"date": "2026-11-21T09:30:00+00:00"}
    )
    text = text_of(comparison_report_pdf(pair))
    assert "A analysed 2026-11-01 08:00 UTC by Ann" in text
    assert "Date of analysis" not in text


def test_what_has_changed_since_stands_beside_the_numbers(make_report):
    remark = "2 of 4 micrographs have since been moved to other: a.tif, b.tif; analyse again."
    report = dataclasses.replace(make_report(2), remarks=[remark])
    assert remark in text_of(sample_report_pdf(report))
    assert remark in text_of(comparison_report_pdf(ComparisonReport([report] * 2, View(), {})))
