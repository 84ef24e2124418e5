"""What the comparison page shows, as its address says it.

`/compare?samples=1,2&quantity=…&weighting=…&certainty=…&border=1&log=1`
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from antema.domain import QUANTITIES, Quantity, View
from antema.imaging.palette import SAMPLE_COLOURS
from antema.stats import WEIGHTINGS
from antema.web.results import quantity_of
from antema.web.sample_choice import asked_certainty

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
    certainty : float
        Below this confidence, a fraction, a particle's crystallinity is unknown.
    """

    samples: tuple[int, ...] = ()
    column: str = _COLUMNS[0]
    weighting: str = "number"
    log: bool = False
    border: bool = False
    certainty: float = View().crystallinity_certainty

    @property
    def quantity(self) -> Quantity:
        """The quantity compared."""
        return quantity_of(self.column)

    @property
    def view(self) -> View:
        """How the samples are to be looked at."""
        return View(weighting=self.weighting, crystallinity_certainty=self.certainty, border_weighted=self.border)

    @property
    def query(self) -> str:
        """The address's query without its question mark; empty where nothing was chosen."""
        if self == Choice():
            return ""
        parts = {"samples": ",".join(map(str, self.samples)), "quantity": self.column, "weighting": self.weighting}
        switches = {name: "1" for name, on in (("border", self.border), ("log", self.log)) if on}
        if self.certainty != Choice().certainty:
            parts["certainty"] = f"{100 * self.certainty:.10g}"
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
        certainty: float | None = None,
    ) -> "Choice":
        """Return the choice of these controls; what is unknown is taken for its default, a sample counts once."""
        return cls(
            tuple(dict.fromkeys(samples or ()))[:MOST_SAMPLES],
            column if column in _COLUMNS else _COLUMNS[0],
            weighting if weighting in WEIGHTINGS else "number",
            bool(log),
            bool(border),
            Choice.certainty if certainty is None else certainty,
        )

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Choice":
        """Return the choice that an address's query makes; what cannot be understood there is left out."""
        ids = [int(part) for part in query.get("samples", "").split(",") if part.strip().isdecimal()]
        log, border = (query.get(name) == "1" for name in ("log", "border"))
        certainty = asked_certainty(query.get("certainty", ""))
        return cls.of(ids, query.get("quantity"), query.get("weighting"), log=log, border=border, certainty=certainty)
