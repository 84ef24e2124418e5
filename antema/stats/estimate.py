"""A number with its interval, and how both are written."""

import math
from dataclasses import dataclass

_MOST_DECIMALS = 4


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Parameters
    ----------
    value : float
        The estimate; NaN where the data give none (no particle, the spread of one particle).
    low, high : float or None
        Ends of the interval; None where the data give no honest one.
    """

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def has_value(self) -> bool:
        """Whether there is a number."""
        return math.isfinite(self.value)

    @property
    def has_interval(self) -> bool:
        """Whether both ends of the interval are known."""
        return self.low is not None and self.high is not None

    @property
    def in_percent(self) -> "Estimate":
        """A share as points of per cent."""
        low, high = (None if end is None else 100 * end for end in (self.low, self.high))
        return Estimate(100 * self.value, low, high)

    @property
    def decimals(self) -> int:
        """Decimals that the half-width of the interval warrants; three significant digits without one.

        Two digits of a half-width that begins with 10 to 35 (or rounds up to 10), one of any other, as the Particle
        Data Group rounds (Review of Particle Physics, introduction). A second one where the number itself would be
        left with a single digit.
        """
        if self.low is not None and self.high is not None and self.high > self.low:
            half_width = 0.5 * (self.high - self.low)
            leading = float(f"{half_width:.2e}".split("e")[0])
            two = _decimals(half_width, 2)
            warranted = two if leading < 3.55 or leading >= 9.5 else _decimals(half_width, 1)
            # a convexity next to 1 has an interval of millionths, which no outline warrants
            return min(two, max(warranted, _decimals(self.value, 2)), _MOST_DECIMALS)
        return _decimals(self.value, 3)

    def value_text(self, unit: str = "") -> str:
        """Return the number alone with its unit, as ``2.04 nm``."""
        if not self.has_value:
            return "–"
        return _with_unit(_fixed(self.value, self.decimals), unit)

    def interval_text(self) -> str:
        """Return the interval alone, as ``1.98 to 2.11``; a dash without one."""
        if self.low is None or self.high is None:
            return "–"
        return f"{_fixed(self.low, self.decimals)} to {_fixed(self.high, self.decimals)}"

    def text(self, unit: str = "", level: float = 0.95) -> str:
        """Return number, unit and interval, as ``2.04 nm (95 % interval 1.98 to 2.11 nm)``."""
        if not self.has_interval:
            return self.value_text(unit) + (" (no interval)" if self.has_value else "")
        interval = _with_unit(self.interval_text(), unit)
        return f"{self.value_text(unit)} ({level * 100:g} % interval {interval})"

    def to_dict(self) -> dict[str, float | None]:
        """Return plain JSON values; a number that does not exist is None."""
        return {"value": self.value if self.has_value else None, "low": self.low, "high": self.high}


def estimate_of(values: dict[str, float | None]) -> Estimate:
    """Return the estimate that `Estimate.to_dict` gave these values of."""
    value = values["value"]
    return Estimate(math.nan if value is None else value, values["low"], values["high"])


def format_number(value: float, significant: int = 3) -> str:
    """Return a number with so many significant digits, without exponent where it is readable.

    Examples
    --------
    >>> format_number(2.0439), format_number(1234.6), format_number(0.012345)
    ('2.04', '1235', '0.0123')
    """
    if not math.isfinite(value):
        return "–"
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{significant - 1}e}"
    return f"{value:.{_decimals(value, significant)}f}"


def count_text(n: int, singular: str, plural: str | None = None) -> str:
    """Return a count with its noun, as ``1 image`` or ``12,345 particles``."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def _fixed(value: float, decimals: int) -> str:
    return f"{value:z.{decimals}f}"  # z: never minus zero


def _with_unit(text: str, unit: str) -> str:
    return f"{text} {unit}" if unit else text


def _decimals(value: float, significant: int) -> int:
    if not math.isfinite(value) or value == 0:
        return significant - 1
    # rounding first: 0.0996 with two digits is 0.10, not 0.100
    exponent = int(f"{abs(value):.{significant - 1}e}".split("e")[1])
    return min(max(significant - 1 - exponent, 0), 9)
