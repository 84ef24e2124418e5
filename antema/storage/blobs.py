"""Files named by their content."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from antema.private import private_folder

_HEX = re.compile(r"[0-9a-f]{64}")
_PIECE_BYTES = 1 << 20


class Blobs:
    """A folder of files, each under the sha256 of its bytes; a name once there never changes its content.

    Parameters
    ----------
    folder : Path
        Where the files lie, in subfolders of two hex digits.
    incoming : Path
        Folder on the same file system where files are written before they get their name.
    """

    def __init__(self, folder: Path, incoming: Path) -> None:
        self.folder = folder
        self.incoming = incoming

    def path(self, sha256: str) -> Path:
        """Return where the blob of this digest lies, or would lie.

        Raises
        ------
        ValueError
            When `sha256` is no lower-case hex digest: it could name any file otherwise.
        """
        if not _HEX.fullmatch(sha256):
            msg = f"expected 64 hex digits, found {sha256!r}"
            raise ValueError(msg)
        return self.folder / sha256[:2] / sha256[2:]

    def put(self, content: bytes) -> str:
        """Keep `content` and return its sha256."""
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.path(sha256)
        if not target.exists():
            with replacing(target, self.incoming) as temporary:
                temporary.write_bytes(content)
        return sha256

    def adopt(self, file: Path, sha256: str) -> Path:
        """Move `file` to its place and return that.

        Raises
        ------
        ValueError
            When the file's content has another digest.
        """
        target = self.path(sha256)
        found = _digest(file)
        if found != sha256:
            msg = f"expected a file of sha256 {sha256}, found {found}"
            raise ValueError(msg)
        if target.exists():
            file.unlink()
            return target
        if file.parent.stat().st_dev == self.folder.stat().st_dev:
            move(file, target)
        else:
            with replacing(target, self.incoming) as temporary:
                shutil.copyfile(file, temporary)
            file.unlink()
        return target


@contextmanager
def replacing(target: Path, incoming: Path) -> Iterator[Path]:
    """Give a temporary path whose file takes the place of `target` when the block ends without an exception."""
    handle, name = tempfile.mkstemp(dir=incoming, prefix="write-")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        move(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def move(file: Path, target: Path) -> None:
    """Give `file`, on the same file system, the name `target`, on disk before its name is."""
    _sync(file)
    private_folder(target.parent)
    file.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()
