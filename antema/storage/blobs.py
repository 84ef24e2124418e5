"""Files named by their content."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from antema.private import FILE_MODE, private_folder
from antema.storage.verification import Verification, digest_of

_HEX = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """A folder of files, each under the sha256 of its bytes; a name once there never changes its content.

    Parameters
    ----------
    folder : Path
        Where the files lie, in subfolders of two hex digits.
    incoming : Path
        Folder on the same file system where files are written before they get their name.
    verification : Verification, optional
        What is known of the files already.
    """

    def __init__(self, folder: Path, incoming: Path, verification: Verification | None = None) -> None:
        self.folder = folder
        self.incoming = incoming
        self._verification = verification or Verification()

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
        """Keep `content` and return its sha256. A damaged file of that name is replaced."""
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.path(sha256)
        if self.fault(sha256):
            with replacing(target, self.incoming) as temporary:
                temporary.write_bytes(content)
            self._verification.note(target, sha256)
        return sha256

    def fault(self, sha256: str) -> str:
        """Return what is wrong with a blob, as `Verification.fault` does: missing, damaged, or nothing."""
        return self._verification.fault(self.path(sha256), sha256)

    def adopt(self, file: Path, sha256: str, *, is_hashed: bool = False) -> Path:
        """Move `file` to its place and return that. A damaged file of that name is replaced.

        Parameters
        ----------
        file : Path
            On the same file system it moves, from another one its content is copied.
        sha256 : str
            Its digest.
        is_hashed : bool
            Whether the digest was made of this very file just now, so that it need not be hashed again.

        Raises
        ------
        ValueError
            When the file's content has another digest.
        """
        target = self.path(sha256)
        if not is_hashed and (found := digest_of(file)) != sha256:
            msg = f"expected a file of sha256 {sha256}, found {found}"
            raise ValueError(msg)
        if not self.fault(sha256):
            file.unlink()
            return target
        if file.parent.stat().st_dev == self.folder.stat().st_dev:
            move(file, target)
        else:
            with replacing(target, self.incoming) as temporary:
                shutil.copyfile(file, temporary)
            file.unlink()
        self._verification.note(target, sha256)
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
    file.chmod(FILE_MODE)  # it may come from elsewhere
    private_folder(target.parent)
    file.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
