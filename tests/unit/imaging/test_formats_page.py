"""The page about formats says what the readers do."""

import importlib.util
import re
from pathlib import Path

from antema.domain import length_in_nm
from tests.unit.imaging.test_reading_real_files import EXCEPTIONS

DOCS = Path(__file__).parents[3] / "docs"


def test_its_tables_are_those_of_the_readers():
    spec = importlib.util.spec_from_file_location("make_formats_table", DOCS / "make_formats_table.py")
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    page = (DOCS / "formats.md").read_text("utf-8")

    assert program.renewed(page) == page, "run python docs/make_formats_table.py"


def test_it_names_every_exception_and_no_other():
    page = (DOCS / "formats.md").read_text("utf-8")
    section = page.partition("## Checked against other readers")[2].partition("\n## ")[0]

    assert set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)) == set(EXCEPTIONS)


def test_the_units_it_names_are_lengths():
    page = (DOCS / "formats.md").read_text("utf-8")
    named = re.search(r"Lengths are read in (.*?)\n\n", page, re.DOTALL)

    assert named is not None
    units = re.findall(r"`(\w+)`|\b(m|cm|mm|µm|nm|Å|pm)\b", named[1])
    assert len(units) >= 12
    assert all(length_in_nm(1.0, quoted or bare) for quoted, bare in units)
