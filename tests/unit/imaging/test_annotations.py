"""Scale bars and labels drawn into images of known noise, in the ways programs draw them."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from antema.domain import Annotations
from antema.imaging import find_annotations
from antema.imaging.annotations.labels import lengths_in


def micrograph(seed: int, *, size: int = 512, grey: float = 150.0, noise: float = 12.0) -> np.ndarray:
    """Return a background with dark discs of uneven grey, without anything burned in."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    image = np.full((size, size), grey)
    for _ in range(12):
        cy, cx, radius = rng.uniform(0, size), rng.uniform(0, size), rng.uniform(8, 30)
        image -= 60 * np.clip(radius + 0.5 - np.hypot(y - cy, x - cx), 0, 1)
    return np.clip(image + rng.normal(0, noise, image.shape), 0, 255).astype(np.uint8)


def burn(image: np.ndarray, length: int, label: str, *, grey: int, thickness: int = 6, left: int = 300) -> np.ndarray:
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    top = image.shape[0] - 30
    draw.rectangle((left, top, left + length - 1, top + thickness - 1), fill=grey)
    draw.text((left + length / 2, top - 6), label, fill=grey, font=ImageFont.load_default(26), anchor="ms")
    return np.asarray(picture)


def test_the_export_of_another_program_is_read_as_its_bar_says() -> None:
    image = burn(micrograph(0), 172, "10 nm", grey=255)
    bar = find_annotations(image).scale_bar
    assert bar is not None
    assert bar.length_px == pytest.approx(172, abs=0.6)
    assert bar.length_nm == 10
    assert bar.pixel_size_nm == pytest.approx(10 / 172, rel=0.005)


def test_an_image_without_annotations_has_none() -> None:
    assert find_annotations(micrograph(1)) == Annotations()


@pytest.mark.parametrize(
    ("text", "nm"),
    [("200 nm", 200), ("0.2 \u03bcm", 200), ("1 um", 1000), ("0,5 µm", 500), ("2OO nm", 200), ("1 0 0 nm", 100)],
)
def test_labels_are_read_as_lengths(text: str, nm: float) -> None:
    assert lengths_in(text) == (nm,)
