"""Where the particles of results end: numbers of different definitions are not comparable."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_WORDS = {
    "visible": "at their visible edge",
    "atoms": "as far as their atoms reach",
}


def outline_warnings(tables: "Mapping[str, pd.DataFrame]") -> dict[str, str]:
    """Return what to say of each result whose particles end elsewhere than another's; empty where all end alike.

    Parameters
    ----------
    tables : mapping
        Particle tables by the name of their sample. Masks of one's own, which name no definition, do not count.
    """
    found = {name: _definitions(table) for name, table in tables.items()}
    if len(set().union(*found.values())) < 2:
        return {}
    return {
        name: f"its particles end {' and '.join(_WORDS[each] for each in sorted(own))}. That is not so of all that are "
        "compared: their sizes are not comparable. Analyse all with one network and one recipe."
        for name, own in found.items()
        if own
    }


def _definitions(table: "pd.DataFrame") -> set[str]:
    measured = table.loc[table["status"] == "measured", "outline"]
    return {str(each) for each in measured.unique() if each in _WORDS}
