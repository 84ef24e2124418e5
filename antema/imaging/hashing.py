"""The name of a file's content."""

import hashlib
from pathlib import Path


def file_sha256(path: str | Path) -> str:
    """Return the sha256 of a file's bytes, as hex.

    Raises
    ------
    OSError
        Where the file cannot be opened.
    """
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
