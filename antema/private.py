"""Folders and files that only their owner may read, whatever the umask of who makes them first."""

import os
import stat
from pathlib import Path

FILE_MODE = stat.S_IRUSR | stat.S_IWUSR


def private_folder(folder: Path) -> Path:
    """Make a folder with mode 0700, and its parents as usual, where it is not there; return it.

    One that is there stays as it is: who made it may have had reasons.
    """
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=stat.S_IRWXU, exist_ok=True)
    return folder


def private_folder_in(root: Path, folder: Path) -> Path:
    """Make a folder somewhere within another, and all between the two, with mode 0700; return it."""
    for part in reversed(folder.relative_to(root).parents):
        private_folder(root / part)
    return private_folder(folder)


def private_file(path: Path) -> Path:
    """Make an empty file with mode 0600 where there is none, and return its path."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), FILE_MODE))
    return path


def is_open_to_others(folder: Path) -> bool:
    """Return whether people outside the folder's group may look into it."""
    return os.name == "posix" and bool(folder.stat().st_mode & stat.S_IRWXO)
