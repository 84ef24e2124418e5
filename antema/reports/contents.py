"""What a report is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from antema.analysis import called
from antema.domain import QUANTITIES, Quantity, Recipe, Trust, View

if TYPE_CHECKING:
    import pandas as pd

_WITHOUT_DATE = datetime(1980, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ReportImage:
    """One micrograph as it stands in a report.

    Parameters
    ----------
    name : str
        The file's name, as in the table's ``image`` column.
    sha256 : str
        Hex digest of the file.
    pixel_size_nm : float or None
        Edge of a pixel in nanometres.
    pixel_size_source : str
        Where that came from, see `antema.domain.PixelSize`.
    png : bytes
        The micrograph with outlines and scale bar (`antema.imaging.annotated_png`); empty where there is none.
    n_measured, n_dropped : int
        Objects of either status.
    status : str
        ``done`` or ``failed``.
    error : str
        The reason of a failure.
    notes : tuple of str
        What the analysis had to say of it.
    bar_pixel_size_nm : float or None
        What the scale bar burned into it says.
    scale_warnings : tuple of str
        Where file, person and scale bar disagree on its pixel size, one sentence each.
    trust : Trust or None
        Whether it is of the kind that the model knows; None where that is not told.
    polarity : str
        ``dark`` or ``bright``: what its particles were taken to be; empty where that is not told.
    scales : tuple of float
        Scales at which the model saw it, finest first; empty where they are not told.
    micrograph_id : int or None
        Its id in the table's column ``micrograph_id``, where there is one.
    is_coloured_by_class : bool
        Whether the outlines of its picture have the colours of crystallinity.
    changes : str
        What of it has changed since the result was computed; empty where nothing did.
    """

    name: str
    sha256: str = ""
    pixel_size_nm: float | None = None
    pixel_size_source: str = ""
    png: bytes = field(default=b"", repr=False)
    n_measured: int = 0
    n_dropped: int = 0
    status: str = "done"
    error: str = ""
    notes: tuple[str, ...] = ()
    bar_pixel_size_nm: float | None = None
    scale_warnings: tuple[str, ...] = ()
    trust: Trust | None = None
    polarity: str = ""
    scales: tuple[float, ...] = ()
    micrograph_id: int | None = None
    is_coloured_by_class: bool = False
    changes: str = ""


@dataclass(frozen=True, eq=False)
class SampleReport:
    """One sample's analysis.

    Parameters
    ----------
    sample : mapping
        ``name``, ``material``, ``batch``, ``synthesis_date``, ``operator``, ``notes`` (texts, absent or empty where not
        known) and ``properties`` (a mapping of texts).
    table : DataFrame
        Every row of every image, `antema.domain.PARTICLE_COLUMNS`; a column ``micrograph_id``, where there is one,
        tells apart images of one name.
    images : sequence of ReportImage
        All images, failed ones too.
    recipe : Recipe
        What was done.
    view : View
        How it is looked at.
    model : mapping
        The segmentation model's card.
    provenance : mapping
        ``date`` (ISO 8601), when the report was made; ``analysed`` (a text), when the result was computed, where that
        is another time; ``who`` analysed it, ``software_version``, ``algorithm_version`` and anything else to be
        recorded.
    crystallinity_model : mapping
        The card of the model that classified the particles; empty where none did.
    remarks : sequence of str
        What people took out of the result and what of its micrographs has changed since, one sentence each.
    """

    sample: Mapping[str, Any]
    table: "pd.DataFrame"
    images: Sequence[ReportImage]
    recipe: Recipe
    view: View
    model: Mapping[str, Any]
    provenance: Mapping[str, Any]
    crystallinity_model: Mapping[str, Any] = field(default_factory=dict[str, Any])
    remarks: Sequence[str] = ()

    @cached_property
    def called_table(self) -> "pd.DataFrame":
        """The table with class and reason at the view's certainty, as it leaves the program.

        The certainty stands in a further column, ``crystallinity_certainty``; NaN where no class depends on it.
        """
        certainty = self.view.crystallinity_certainty
        table = called(self.table, certainty)
        return table.assign(crystallinity_certainty=np.where(table["crystallinity"] != "", certainty, np.nan))

    @property
    def name(self) -> str:
        """The sample's name."""
        return str(self.sample.get("name", "")) or "unnamed sample"

    @property
    def n_images_done(self) -> int:
        """Images that were analysed."""
        return sum(image.status == "done" for image in self.images)

    @property
    def scale_warnings(self) -> list[str]:
        """Every image whose scale is doubtful, one sentence each."""
        return [f"{image.name}: {sentence}" for image in self.images for sentence in image.scale_warnings]

    @property
    def strange_images(self) -> list[ReportImage]:
        """The analysed images that are not well within what the model knows, the strangest first."""
        strange = [one for one in self.images if one.status == "done" and one.trust is not None and one.trust.warning]
        return sorted(strange, key=lambda image: image.trust.score if image.trust else 0.0)

    @property
    def date(self) -> datetime:
        """The provenance's date; the start of 1980 where it has none, so that no clock enters a report."""
        return as_date(self.provenance.get("date"))


@dataclass(frozen=True, eq=False)
class ComparisonReport:
    """Several samples side by side.

    Parameters
    ----------
    samples : sequence of SampleReport
        Two or more; their pictures are not used.
    view : View
        The weighting of all of them.
    provenance : mapping
        As in `SampleReport`.
    quantity : Quantity
        What the comparison is about; the others follow.
    """

    samples: Sequence[SampleReport]
    view: View
    provenance: Mapping[str, Any]
    quantity: Quantity = QUANTITIES[0]

    @property
    def date(self) -> datetime:
        """The provenance's date, as in `SampleReport`."""
        return as_date(self.provenance.get("date"))


def as_date(value: object) -> datetime:
    """Return an ISO 8601 text or a datetime as a datetime with a zone (UTC where it has none)."""
    if not value:
        return _WITHOUT_DATE
    date = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return date if date.tzinfo else date.replace(tzinfo=UTC)
