"""The samples of a comparison with their current results, and the numbers that come of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from antema.domain import AntemaError, NotFound, View
from antema.imaging.palette import sample_colour
from antema.reports import (
    ComparisonReport,
    Pair,
    ReportImage,
    SampleReport,
    crystallinity_shares,
    pairs_of,
    share_pairs_of,
    unknown_note,
)
from antema.reports.numbers import SharePair, border_note, view_of
from antema.stats import Shares, Summary
from antema.storage import AnalysisRow, ImageResult, Sample
from antema.web.compare_choice import Choice
from antema.web.results import Series, series
from antema.web.state import store


@dataclass(frozen=True, eq=False)
class Member:
    """One sample of a comparison with its current result.

    Parameters
    ----------
    sample : Sample
        The sample.
    colour : str
        Its colour, in the order of the choice.
    analysis : AnalysisRow
        The result that the sample shows.
    table : DataFrame
        Its particles, exclusions applied.
    images : sequence of ImageResult
        How each micrograph went.
    """

    sample: Sample
    colour: str
    analysis: AnalysisRow
    table: pd.DataFrame
    images: Sequence[ImageResult]

    @property
    def name(self) -> str:
        """The sample's name."""
        return self.sample.name

    @cached_property
    def done(self) -> list[ImageResult]:
        """Micrographs that were analysed and count."""
        return [image for image in self.images if image.status == "done" and image.counts]

    @cached_property
    def contributing(self) -> list[ImageResult]:
        """Those of them that particles come from: what is said of the others concerns no number."""
        return [image for image in self.done if image.contributes]

    def series(self, column: str, view: View) -> Series:
        """Return the values of a quantity."""
        return series(self.table, column, view, self.analysis.recipe, len(self.done))

    def report(self, view: View) -> SampleReport:
        """Return the sample as the reports' numbers take it; without what only their pages print."""
        images = [ReportImage(image.filename, status=image.status) for image in self.done]
        return SampleReport({"name": self.name}, self.table, images, self.analysis.recipe, view, {}, {})


@dataclass(frozen=True, eq=False)
class Comparable:
    """What a choice leads to.

    Parameters
    ----------
    choice : Choice
        The choice.
    members : sequence of Member
        Samples with a result, in the order chosen.
    missing : sequence of str
        Sentences on those that were chosen and have none.
    """

    choice: Choice
    members: Sequence[Member]
    missing: Sequence[str] = ()

    @property
    def is_enough(self) -> bool:
        """Whether there are two samples to compare."""
        return len(self.members) > 1

    @cached_property
    def view(self) -> View:
        """The view that was chosen, as it can be applied to all of the samples."""
        return view_of([member.report(self.choice.view) for member in self.members], self.choice.view)

    @cached_property
    def series(self) -> list[Series]:
        """The values of the chosen quantity, sample by sample."""
        return [member.series(self.choice.column, self.view) for member in self.members]

    def border_note(self, member: Member) -> str:
        """Return what a reader has to know of a sample's border particles; empty where there is nothing."""
        asked, applied = self.choice.border, self.view.border_weighted
        return border_note(member.report(self.choice.view), asked=asked, applied=applied)

    @cached_property
    def summaries(self) -> list[Summary]:
        """The statistics of the chosen quantity, sample by sample."""
        return [data.summary() for data in self.series]

    @cached_property
    def pairs(self) -> list[Pair]:
        """The comparison of every pair of samples, p-values corrected for their number."""
        reports = [member.report(self.view) for member in self.members]
        return pairs_of(ComparisonReport(reports, self.view, {}), self.choice.quantity)

    @cached_property
    def share_pairs(self) -> list[SharePair]:
        """The comparison of the shares of every two samples whose particles were classified."""
        reports = [member.report(self.view) for member in self.members]
        return share_pairs_of(ComparisonReport(reports, self.view, {}))

    @cached_property
    def unknown_notes(self) -> dict[str, str]:
        """Why the shares of samples are not compared, by name, where all of their particles are unknown."""
        notes = {member.name: unknown_note(member.report(self.view)) for member in self.members}
        return {name: note for name, note in notes.items() if note}

    @cached_property
    def shares(self) -> list[tuple[Member, Shares]]:
        """The shares of the classes of those samples whose particles were classified."""
        found = [(member, crystallinity_shares(member.report(self.view))) for member in self.members]
        return [(member, shares) for member, shares in found if shares is not None]


def load(choice: Choice) -> Comparable:
    """Return the chosen samples with their current results."""
    members: list[Member] = []
    missing: list[str] = []
    for sample_id in choice.samples:
        try:
            sample = store().sample(sample_id)
        except NotFound:
            missing.append(f"There is no sample {sample_id}.")
            continue
        analysis = store().current_analysis(sample_id)
        if analysis is None:
            missing.append(f"{sample.name} has no result yet: analyse it first.")
            continue
        try:
            table = store().particles(analysis.id)
        except AntemaError as error:
            missing.append(f"{sample.name}: {error}.")
            continue
        members.append(Member(sample, sample_colour(len(members)), analysis, table, store().image_results(analysis.id)))
    return Comparable(choice, members, missing)
