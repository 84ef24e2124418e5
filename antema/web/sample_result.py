"""One result as a page looks at it: its tables, read when they are needed, and its numbers, made once."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd
from plotly.utils import PlotlyJSONEncoder

from antema.analysis import called
from antema.domain import View
from antema.reports import ReportImage, SampleReport
from antema.reports.numbers import border_correction
from antema.results.clumps import clump_share
from antema.results.columns import narrow_table, packed, unpacked
from antema.results.memory import key_of
from antema.stats import Summary, summary_of
from antema.storage import AnalysisRow, ImageResult, Kept, state_of
from antema.web.crystallinity_view import is_classified
from antema.web.results import Series, series
from antema.web.state import memory, store

_COLUMNS_KEPT: Kept[pd.DataFrame] = Kept(6)


@dataclass(frozen=True, eq=False)
class Result:
    """One analysis, looked at with or without what people excluded, all of it as of one moment.

    Its tables are read when they are needed, of the images as they were.

    Parameters
    ----------
    analysis : AnalysisRow
        The analysis.
    images : list of ImageResult
        How each micrograph went.
    certainty : float
        What the classes of the particles are asked for.
    exclusions : bool
        Whether what people excluded stays out.
    """

    analysis: AnalysisRow
    images: list[ImageResult]
    certainty: float
    exclusions: bool = True

    @cached_property
    def table(self) -> pd.DataFrame:
        """Every detected object, with all of its columns."""
        return called(store().particles(self.analysis.id, images=self.images), self.certainty)

    @cached_property
    def state(self) -> list[Any]:
        """What the numbers are made of, as a key to what is remembered."""
        return state_of(self.images)

    @cached_property
    def measured(self) -> pd.DataFrame:
        """The measured particles with the columns that numbers are made of, and their classes."""
        return called(self._unnamed, self.certainty)

    @cached_property
    def _unnamed(self) -> pd.DataFrame:
        """The same without classes, which depend on the certainty."""

        def read() -> bytes:
            return packed(*store().columns(self.analysis.id, self.images))

        def table() -> pd.DataFrame:
            columns, dropped, dropped_nm2 = unpacked(memory().content(["columns", self.state], read))
            found = narrow_table(columns)
            found.attrs |= {"dropped": dropped, "dropped_nm2": dropped_nm2}
            return found

        return _COLUMNS_KEPT.get((store().data_dir, key_of(self.state)), table)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What is asked of the result again and again.

        ``dropped``: how many objects do not count, by reason; ``clumps``: the share of the particle area in clumps that
        could not be taken apart; ``measured``; ``classified``: whether any particle was;
        ``hindrance``: why there is no correction for border loss, empty where there is one.
        """
        return memory().value(["facts", self.state, self.analysis.recipe.fingerprint()], self._facts)

    def _facts(self) -> dict[str, Any]:
        return {
            "dropped": self._unnamed.attrs["dropped"],
            "clumps": clump_share(float(self._unnamed["area_nm2"].sum()), self._unnamed.attrs["dropped_nm2"]),
            "measured": len(self._unnamed),
            "classified": is_classified(self.measured),
            "hindrance": border_correction(self._unnamed, self.analysis.recipe).reason,
        }

    @property
    def n_images(self) -> int:
        """Micrographs that were analysed without an error and still count."""
        return sum(1 for image in self.images if image.status == "done" and image.counts)

    def report(self, view: View) -> SampleReport:
        """Return the result as the reports' numbers take it; without what only their pages print."""
        images = [ReportImage(i.filename, status=i.status) for i in self.images if i.counts]
        return SampleReport({}, self.measured, images, self.analysis.recipe, view, {}, {})

    def applied(self, view: View) -> View:
        """Return the view as it can be applied to this result."""
        return replace(view, border_weighted=view.border_weighted and not self.facts["hindrance"])

    def series(self, column: str, view: View) -> Series:
        """Return the values of a quantity, weighted as can be applied."""
        return series(self._unnamed, column, self.applied(view), self.analysis.recipe, self.n_images)

    def summary(self, column: str, view: View) -> Summary:
        """Return the statistics of a quantity with their intervals, remembered."""
        applied = self.applied(view)
        key = ["summary", self.state, column, applied.weighting, applied.border_weighted]
        return summary_of(memory().value(key, lambda: self.series(column, view).summary().to_dict()))

    def rendered(self, name: str, what: Sequence[Any], make: Callable[[], Any]) -> Any:  # noqa: ANN401 - as Dash takes it
        """Return what a callback answers as plain JSON values, remembered under what it is made of."""
        key = [name, self.state, self.analysis.recipe.fingerprint(), *what]
        return memory().value(key, lambda: json.loads(json.dumps(make(), cls=PlotlyJSONEncoder)))


def load(analysis_id: int, certainty: float | None = None, *, exclusions: bool = True) -> Result:
    """Return an analysis, exclusions applied if asked, with its particles' classes at a certainty (the view's kept)."""
    analysis = store().analysis(analysis_id)
    at = analysis.view.crystallinity_certainty if certainty is None else certainty
    return Result(analysis, store().image_results(analysis_id, exclusions=exclusions), at, exclusions)
