"""What the sample page shows, as its address says it.

`/samples/7?result=3&quantity=…&weighting=…&border=1&exclusions=1`
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from antema.domain import QUANTITIES, View
from antema.stats import WEIGHTINGS
from antema.web.state import store

_COLUMNS = tuple(quantity.column for quantity in QUANTITIES)


@dataclass(frozen=True)
class SampleChoice:
    """One result of a sample and how it is looked at.

    Parameters
    ----------
    analysis : int or None
        Id of the result; None where there is none.
    column : str
        Column of the quantity that is plotted.
    view : View
        Weighting, border correction and certainty of crystallinity.
    log : bool
        Logarithmic axis.
    by_class : bool
        Bars and outlines coloured by crystallinity.
    """

    analysis: int | None = None
    column: str = _COLUMNS[0]
    view: View = View()
    log: bool = False
    by_class: bool = False

    @property
    def query(self) -> str:
        """The address's query without its question mark."""
        parts = {"result": self.analysis, "quantity": self.column, **view_parts(self.view)}
        switches = {name: "1" for name, on in (("log", self.log), ("classes", self.by_class)) if on}
        return urlencode(parts | switches)

    def query_beside(self, usual: "SampleChoice") -> str:
        """Return the query; empty where the page shows this without being asked."""
        return "" if self == usual else self.query


def view_parts(view: View) -> dict[str, str]:
    """Return a view as parts of a query, every one of them."""
    return {
        "weighting": view.weighting,
        "border": "1" if view.border_weighted else "0",
        "exclusions": "1" if view.exclusions else "0",
        "certainty": f"{100 * view.crystallinity_certainty:.10g}",
    }


def view_of(
    weighting: str | None,
    certainty_percent: float | None,
    *,
    border: bool | None,
    exclusions: bool | None = None,
    usual: View | None = None,
) -> View:
    """Return the view of these controls; an empty or impossible one is taken for the usual one's."""
    view = usual or View()
    if weighting in WEIGHTINGS:
        view = replace(view, weighting=str(weighting))
    if border is not None:
        view = replace(view, border_weighted=bool(border))
    if exclusions is not None:
        view = replace(view, exclusions=bool(exclusions))
    if certainty_percent is not None and 0 < certainty_percent <= 100:
        # 57 / 100 is to be what was kept as 0.57, whatever it went through on its way
        view = replace(view, crystallinity_certainty=round(certainty_percent / 100, 9))
    return view


def view_from_query(query: Mapping[str, str], usual: View) -> View:
    """Return the view that a query asks for, and of what it leaves open the usual one's."""
    border, exclusions = ({"0": False, "1": True}.get(query.get(name, "")) for name in ("border", "exclusions"))
    certainty = _number(query.get("certainty", ""))
    return view_of(query.get("weighting"), certainty, border=border, exclusions=exclusions, usual=usual)


def asked_certainty(text: str) -> float | None:
    """Return the certainty, a fraction, that a query asks for in percent; None where it asks for none that can be."""
    percent = _number(text)
    if percent is None or not 0 < percent <= 100:
        return None
    return view_of(None, percent, border=None).crystallinity_certainty


def usual_choice(sample_id: int, wanted: int | None = None) -> SampleChoice:
    """Return what the page of a sample shows without being asked: its current result, viewed as was kept with it.

    Parameters
    ----------
    sample_id : int
        The sample.
    wanted : int, optional
        Another of its results in place of the current one.
    """
    shown = [analysis for analysis in store().analyses(sample_id) if analysis.status != "queued"]
    current = store().current_analysis(sample_id)
    by_id = {analysis.id: analysis for analysis in [*shown, *([current] if current else [])]}
    analysis = by_id.get(wanted or 0) or current or next(iter(shown), None)
    return SampleChoice() if analysis is None else SampleChoice(analysis.id, view=analysis.view)


def asked_choice(sample_id: int, query: Mapping[str, str]) -> SampleChoice:
    """Return the choice that an address's query makes; what cannot be understood there is left out."""
    result = query.get("result", "")
    usual = usual_choice(sample_id, int(result) if result.isdecimal() else None)
    column = query.get("quantity")
    return SampleChoice(
        usual.analysis,
        column if column in _COLUMNS else _COLUMNS[0],
        view_from_query(query, usual.view),
        query.get("log") == "1",
        query.get("classes") == "1",
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
