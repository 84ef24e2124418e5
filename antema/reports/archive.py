"""Everything of a sample in one ZIP file."""

import io
import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import PurePosixPath

from antema.reports.contents import SampleReport
from antema.reports.documents import sample_report_pdf
from antema.reports.tables import as_json, columns_csv, images_csv, particles_csv, summary_json
from antema.reports.workbook import workbook_xlsx

_FORBIDDEN = '\\/:*?"<>|'


def unique_stems(names: Iterable[str]) -> list[str]:
    """Return a file stem for each image name, no two alike: ``a.tif`` and ``a.dm3`` give ``a`` and ``a-2``.

    Characters that a file system may refuse become ``_``.

    Examples
    --------
    >>> unique_stems(["a.tif", "a.dm3", "../b.tif"])
    ['a', 'a-2', 'b']
    """
    taken: set[str] = set()
    stems: list[str] = []
    for name in names:
        stem = PurePosixPath(name.replace("\\", "/")).stem
        stem = "".join("_" if c in _FORBIDDEN or ord(c) < 32 else c for c in stem).strip(". ") or "image"
        number, chosen = 1, stem
        while chosen.casefold() in taken:
            number += 1
            chosen = f"{stem}-{number}"
        taken.add(chosen.casefold())
        stems.append(chosen)
    return stems


def archive_zip(report: SampleReport, *, pdf: bytes | None = None, further: Mapping[str, bytes] | None = None) -> bytes:
    """Return a ZIP of all that is known of a sample.

    It holds report.pdf, results.xlsx, particles.csv, columns.csv (what its columns hold), images.csv, summary.json,
    recipe.json and overlays/.

    Parameters
    ----------
    report : SampleReport
        The sample.
    pdf : bytes, optional
        The report where it was made already.
    further : mapping, optional
        More files: path in the archive to bytes.
    """
    files: dict[str, bytes] = {
        "report.pdf": sample_report_pdf(report) if pdf is None else pdf,
        "results.xlsx": workbook_xlsx(report),
        "particles.csv": particles_csv(report.called_table),
        "columns.csv": columns_csv(),
        "images.csv": images_csv(report),
        "summary.json": summary_json(report),
        "recipe.json": as_json(report.recipe.to_dict()),
    }
    for stem, image in zip(unique_stems(image.name for image in report.images), report.images, strict=True):
        if image.png:
            files[f"overlays/{stem}.png"] = image.png
    return zip_files(files | dict(further or {}), report.date)


def zip_files(files: Mapping[str, bytes], date: datetime) -> bytes:
    """Return a ZIP of these files (path in the archive to bytes), all of one date: the same files, the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in files.items():
            info = zipfile.ZipInfo(path, date.timetuple()[:6])
            # pictures, PDF and workbook are compressed already
            is_text = path.endswith((".csv", ".json"))
            info.compress_type = zipfile.ZIP_DEFLATED if is_text else zipfile.ZIP_STORED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()
