"""How much of the particle area lies in clumps that nothing could take apart: said before any number."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

CLUMP_REASONS = ("unresolved", "not_separable")
"""Why an object was dropped that is several particles."""
LEAST_SAID = 0.01
"""Share of the particle area in clumps from which on it is worth a sentence."""


def clump_share(measured_nm2: float, dropped_nm2: Mapping[str, float]) -> float:
    """Return the share of the particle area that lies in clumps, 0 to 1.

    Parameters
    ----------
    measured_nm2 : float
        Area of the measured particles.
    dropped_nm2 : mapping
        Area of the dropped objects, by their reason. Other reasons than `CLUMP_REASONS` are left out of account.
    """
    clumps = sum(dropped_nm2.get(reason, 0.0) for reason in CLUMP_REASONS)
    return clumps / (measured_nm2 + clumps) if clumps > 0 else 0.0


def clump_share_of(table: "pd.DataFrame") -> float:
    """Return `clump_share` of a particle table."""
    is_measured = table["status"] == "measured"
    areas = table.loc[~is_measured].groupby("drop_reason", observed=True)["area_nm2"].sum()
    dropped = {str(reason): float(area) for reason, area in areas.items()}
    measured = float(table.loc[is_measured, "area_nm2"].sum())
    return clump_share(measured, dropped)


def clump_note(share: float) -> str:
    """Return what a reader has to know of clumps before the numbers; empty where there are hardly any."""
    if share < LEAST_SAID:
        return ""
    return (
        f"{100 * share:.0f} % of the particle area lies in clumps that could not be taken apart. The sizes are of the "
        "rest: if particles in clumps differ from free ones, these numbers do not show it."
    )
