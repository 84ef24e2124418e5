import math

import pytest

from antema.stats import Estimate, count_text, format_number


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(2.0412, 1.9812, 2.1102), "2.04 nm (95 % interval 1.98 to 2.11 nm)"),
        (Estimate(2.0412, 1.8912, 2.1902), "2.04 nm (95 % interval 1.89 to 2.19 nm)"),
        (Estimate(40.2, 33.1, 47.9), "40 nm (95 % interval 33 to 48 nm)"),
        (Estimate(0.001, -0.0004, 0.0021), "0.0010 nm (95 % interval -0.0004 to 0.0021 nm)"),
        (Estimate(1.0, -0.02, 2.0), "1.0 nm (95 % interval 0.0 to 2.0 nm)"),
        (Estimate(2.0412), "2.04 nm (no interval)"),
        (Estimate(math.nan), "–"),
    ],
)
def test_numbers_show_what_their_interval_warrants(estimate, text):
    assert estimate.text("nm") == text


def test_format_number():
    assert [format_number(v) for v in (0.0, 12.345, 123456.0, 1.2e-7, 3.4e8, math.nan)] == [
        "0.00",
        "12.3",
        "123456",
        "1.20e-07",
        "3.40e+08",
        "–",
    ]


def test_count_text():
    assert count_text(1, "image") == "1 image"
    assert count_text(12345, "particle") == "12,345 particles"
    assert count_text(0, "class", "classes") == "0 classes"
