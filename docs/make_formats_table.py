"""Write the tables of docs/formats.md anew from the readers' own lists: ``python docs/make_formats_table.py``."""

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from antema.imaging.formats.tiff_scale import MAKERS
from antema.imaging.reading import FORMATS

PAGE = Path(__file__).with_name("formats.md")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def tables() -> dict[str, str]:
    """Return the tables by the name of the block that they stand in."""
    formats = table(
        ("format", "suffixes", "read with", "the pixel size comes from", "remarks"),
        [
            (one.what, " ".join(f"`{suffix}`" for suffix in one.suffixes), one.library, one.scale, one.remarks)
            for one in FORMATS
        ],
    )
    makers = table(("program or maker", "tag", "unit"), [(one.name, one.tag, one.unit) for one in MAKERS])
    return {"formats": formats, "makers": makers}


def renewed(page: str) -> str:
    """Return the page with what stands between its marks replaced by the tables."""
    for name, content in tables().items():
        block = f"<!-- {name}: made by docs/make_formats_table.py -->\n{content}\n<!-- end of {name} -->"
        page, count = re.subn(
            rf"<!-- {name}: .*? -->.*?<!-- end of {name} -->", lambda _, block=block: block, page, flags=re.DOTALL
        )
        if count != 1:
            sys.exit(f"{PAGE.name}: expected one block {name}, found {count}")
    return page


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), "utf-8")
