"""Lengths in the labels of scale bars: `200 nm`, `0,5 µm`, and what a character reader makes of them."""

import re
from decimal import Decimal

#: Lengths of the units in nm, as they look in print and as character readers render them.
_UNITS = {
    "nm": Decimal(1),
    "rm": Decimal(1),
    "nrn": Decimal(1),
    "µm": Decimal(1000),
    "um": Decimal(1000),
    "Å": Decimal("0.1"),
    "pm": Decimal("0.001"),
    "mm": Decimal(1_000_000),
}

#: A bar of fewer pm would lie inside an atom: what looks like 2 pm is 2 µm, whose µ was taken for a p.
_LEAST_PM = 20

#: First digits of the lengths that programs and people choose for bars.
_USUAL = {1, 12, 15, 2, 25, 3, 35, 4, 45, 5, 6, 7, 75, 8, 9}

_LENGTH = re.compile(r"(?<![\d.,])(\d[\d ]*(?:[.,] ?\d+)?) ?(nm|rm|nrn|µm|um|Å|pm|mm)(?![a-zA-Zµ²³/])")


def lengths_in(text: str) -> tuple[float, ...]:
    """Return the lengths in nm that a label names.

    Parameters
    ----------
    text : str
        One line as a character reader gave it.

    Returns
    -------
    tuple of float
        Each length that is of a usual kind for a scale bar (1, 2, 2.5, 5, ... times a power of ten); empty where none
        is. What may be two things, such as 100 pm, which is 100 µm more often than not, gives none.
    """
    return tuple(
        nm for number, unit in _LENGTH.findall(_usual_characters(text)) if (nm := _length(number, unit)) is not None
    )


def is_length_alone(text: str) -> bool:
    """Return whether a text is lengths and nothing else but marks that a bar's ends are taken for."""
    return re.fullmatch(r"[\W_lI]*", _LENGTH.sub("", _usual_characters(text))) is not None


def _usual_characters(text: str) -> str:
    text = text.replace("\u03bc", "µ").replace("\u212b", "Å").replace("A\u030a", "Å").replace("\u00b5", "µ")
    text = re.sub(r"\s+", " ", text.strip())
    text = re.sub(r"(?i)(?<=[a-zµ ])(nm|um|µm)\b", lambda match: match[0].lower(), text)
    text = re.sub(r"(?<=\d)(NM|Nm|nM)\b", "nm", text)
    # letters among the digits of a number that has at least one true digit: 2OO, 1O, l0
    return re.sub(
        r"(?<![A-Za-z])(?=[OoIl|]*\d)[\dOoIl|]+(?:[ .,][\dOoIl|]+)*(?= ?(?:nm|rm|nrn|µm|um|Å|pm|mm))",
        lambda match: match[0].translate(str.maketrans("OoIl|", "00111")),
        text,
    )


def _length(number: str, unit: str) -> float | None:
    value = Decimal(number.replace(" ", "").replace(",", "."))
    if value == 0 or (value >= 1 and number.startswith("0")):
        return None
    if unit == "pm":
        if value >= _LEAST_PM:
            return None
        unit = "µm"
    digits = "".join(map(str, value.normalize().as_tuple().digits))
    return float(value * _UNITS[unit]) if int(digits) in _USUAL else None
