"""Lengths in the labels of scale bars: `200 nm`, `0,5 µm`, and what a character reader makes of them."""

import re
from dataclasses import dataclass
from decimal import Decimal

_NM, _MICRO = Decimal(1), Decimal(1000)

#: Lengths of the units in nm, as they look in print and as character readers render them without a doubt.
_UNITS = {"nm": _NM, "µm": _MICRO, "um": _MICRO, "Å": Decimal("0.1")}

#: What character readers make of the units, and what the shapes of the letters leave it to be. No electron micrograph
#: has a bar of millimetres, nor one of metres.
_MISREAD = {
    **dict.fromkeys(("rm", "nrn", "nn", "hm", "mn", "rim", "nim", "nnm", "rnm", "nmn", "nmm"), (_NM,)),
    **dict.fromkeys(("pm", "ym", "jm", "µn", "µrn", "urn", "gm", "lm", "Hm", "µmm", "umm"), (_MICRO,)),
    **dict.fromkeys(("mm", "m", "rnrn", "mrn", "mmm"), (_NM, _MICRO)),
}

#: A bar of fewer pm would lie inside an atom: what looks like 2 pm is 2 µm, whose µ was taken for a p.
_LEAST_PM = 20

#: First digits of the lengths that programs and people choose for bars.
_USUAL = {1, 12, 15, 2, 25, 3, 35, 4, 45, 5, 6, 7, 75, 8, 9}

_UNIT = "|".join(sorted((*_UNITS, *_MISREAD), key=len, reverse=True))
_LENGTH = re.compile(rf"(?<![\d.,])(\d[\d ]*(?:[.,] ?\d+)?) ?({_UNIT})(?![a-zA-Zµ²³/])")


@dataclass(frozen=True)
class Reading:
    """A length that a text names.

    Parameters
    ----------
    lengths_nm : tuple of float
        What it may be; several where the unit may be one or another.
    is_sure : bool
        Whether the unit was read as one that there is.
    """

    lengths_nm: tuple[float, ...]
    is_sure: bool


def readings_in(text: str) -> tuple[Reading, ...]:
    """Return the lengths that a label names, those too whose unit is a misreading.

    Parameters
    ----------
    text : str
        One line as a character reader gave it.

    Returns
    -------
    tuple of Reading
        Each length that is of a usual kind for a scale bar (1, 2, 2.5, 5, ... times a power of ten).

    Examples
    --------
    >>> readings_in("100.0mm")
    (Reading(lengths_nm=(100.0, 100000.0), is_sure=False),)
    """
    found = (_reading(number, unit) for number, unit in _LENGTH.findall(_usual_characters(text)))
    return tuple(reading for reading in found if reading is not None)


def lengths_in(text: str) -> tuple[float, ...]:
    """Return the lengths in nm that a label names without a doubt of their unit.

    Parameters
    ----------
    text : str
        One line as a character reader gave it.

    Returns
    -------
    tuple of float
        Empty where there is none. What may be two things, such as 100 pm, which is 100 µm more often than not, gives
        none; 2 pm is 2 µm.
    """
    return tuple(length for reading in readings_in(text) if reading.is_sure for length in reading.lengths_nm)


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
        rf"(?<![A-Za-z])(?=[OoIl|]*\d)[\dOoIl|]+(?:[ .,][\dOoIl|]+)*(?= ?(?:{_UNIT}))",
        lambda match: match[0].translate(str.maketrans("OoIl|", "00111")),
        text,
    )


def _reading(number: str, unit: str) -> Reading | None:
    value = Decimal(number.replace(" ", "").replace(",", "."))
    digits = "".join(map(str, value.normalize().as_tuple().digits))
    if value == 0 or (value >= 1 and number.startswith("0")) or int(digits) not in _USUAL:
        return None
    if unit in _UNITS:
        return Reading((float(value * _UNITS[unit]),), is_sure=True)
    if unit == "pm":
        return None if value >= _LEAST_PM else Reading((float(value * _MICRO),), is_sure=True)
    return Reading(tuple(float(value * factor) for factor in _MISREAD[unit]), is_sure=False)
