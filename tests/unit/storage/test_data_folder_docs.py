import re
from pathlib import Path

import pytest
from sqlalchemy import inspect

from antema.domain import Recipe
from tests.strategies.stored import add_micrograph, save_analysis

DOCS = (Path(__file__).parents[3] / "docs" / "data-folder.md").read_text()


def section(title: str) -> set[str]:
    """Return the names in the first column of the table under a heading."""
    text = DOCS.split(f"## {title}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.+?`) \|", text, flags=re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_table_is_described(store):
    assert section("Tables") == set(inspect(store._database.engine).get_table_names())


def test_every_column_of_a_mask_is_described(store, sample):
    import pyarrow.parquet as pq

    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    result = save_analysis(store, analysis.id, add_micrograph(store, sample.id, 1))
    assert section("Particle files") == {
        name for name in pq.read_schema(result.parquet).names if name.startswith(("mask", "evidence", "level"))
    }


@pytest.mark.parametrize("name", ["antema.sqlite", "blobs", "particles", "incoming", "locks"])
def test_what_is_described_is_there(store, name):
    assert f"`{name}" in DOCS
    assert (store.data_dir / name).exists()
