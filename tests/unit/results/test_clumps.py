"""What is said of clumps before the numbers."""

import pandas as pd

from antema.results.clumps import clump_note, clump_share, clump_share_of


def test_only_clumps_count_as_clumps():
    assert clump_share(60.0, {"unresolved": 30.0, "not_separable": 10.0, "touches_border": 500.0}) == 0.4
    assert clump_share(0.0, {}) == 0.0


def test_a_table_tells_the_same():
    table = pd.DataFrame(
        {
            "status": ["measured", "dropped", "dropped"],
            "drop_reason": ["", "unresolved", "too_small"],
            "area_nm2": [30.0, 10.0, 5.0],
        }
    )
    assert clump_share_of(table) == 0.25


def test_a_reader_is_told_the_share_and_that_the_sizes_are_of_the_rest():
    note = clump_note(0.312)
    assert note.startswith(
        "31 % of the particle area lies in clumps that could not be taken apart. The sizes are of the"
    )
    assert clump_note(0.004) == ""
