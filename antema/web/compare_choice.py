"""What the comparison page shows, as its address says it.

`/compare?samples=1,2&quantity=…&weighting=…&border=1&log=1`
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from antema.domain import QUANTITIES, Quantity, View
from antema.imaging.palette import SAMPLE_COLOURS
from antema.stats import WEIGHTINGS
from antema.web.results import quantity_of

MOST_SAMPLES = len(SAMPLE_COLOURS)
"""As many samples as there are colours that stay apart."""

_COLUMNS = tuple(quantity.column for quantity in QUANTITIES)


@dataclass(frozen=True)
class Choice:
    """Samples, quantity, weighting and axis of a comparison.

    Parameters
    ----------
    samples : tuple of int
        Ids in the order chosen, which is the order of the colours.
    column : str
        Column of the quantity in the particle table.
    weighting : str
        ``number``, ``area`` or ``volume``.
    log : bool
        Logarithmic axis.
    border : bool
        Corrected for border loss, see `antema.domain.View`.
    """

    samples: tuple[int, ...] = ()
    column: str = _COLUMNS[0]
    weighting: str = "number"
    log: bool = False
    border: bool = False

    @property
    def quantity(self) -> Quantity:
        """The quantity compared."""
        return quantity_of(self.column)

    @property
    def view(self) -> View:
        """How the samples are to be looked at."""
        return View(weighting=self.weighting, border_weighted=self.border)

    @property
    def query(self) -> str:
        """The address's query without its question mark; empty where nothing was chosen."""
        if self == Choice():
            return ""
        parts = {"samples": ",".join(map(str, self.samples)), "quantity": self.column, "weighting": self.weighting}
        switches = {name: "1" for name, on in (("border", self.border), ("log", self.log)) if on}
        return urlencode(parts | switches, safe=",")

    @classmethod
    def of(
        cls,
        samples: Iterable[int] | None,
        column: str | None,
        weighting: str | None,
        *,
        log: bool,
        border: bool = False,
    ) -> "Choice":
        """Return the choice of these controls; what is unknown is taken for its default, a sample counts once."""
        return cls(
            tuple(dict.fromkeys(samples or ()))[:MOST_SAMPLES],
            column if column in _COLUMNS else _COLUMNS[0],
            weighting if weighting in WEIGHTINGS else "number",
            bool(log),
            bool(border),
        )

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Choice":
        """Return the choice that an address's query makes; what cannot be understood there is left out."""
        ids = [int(part) for part in query.get("samples", "").split(",") if part.strip().isdecimal()]
        log, border = (query.get(name) == "1" for name in ("log", "border"))
        return cls.of(ids, query.get("quantity"), query.get("weighting"), log=log, border=border)
