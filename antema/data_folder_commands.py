"""Commands over a whole data folder: check, backup, restore."""

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antema.domain import AntemaError
from antema.settings import get_settings
from antema.terminal import OK, SOME_FAILED, progress_bar

if TYPE_CHECKING:
    from antema.storage.backup import Copied


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands to those of the command line."""
    check = commands.add_parser("check", help="look over the data folder: files missing, damaged, without rows")
    check.add_argument("--repair", action="store_true", help="mend what can be; docs/backup.md says what that is")
    check.set_defaults(run=_check)
    backup = commands.add_parser("backup", help="copy the data folder while the server works")
    backup.add_argument("folder", type=Path, metavar="DIR", help="an empty folder, or an earlier backup to renew")
    backup.set_defaults(run=_backup)
    restore = commands.add_parser("restore", help="put a backup back as the data folder, which must be empty")
    restore.add_argument("folder", type=Path, metavar="DIR", help="a folder that antema backup made")
    restore.set_defaults(run=_restore)


def _check(options: argparse.Namespace) -> int:
    from antema.storage import open_store
    from antema.storage.check import check

    folder = _present_folder()
    with closing(open_store(folder)) as store:
        findings = check(store, repair=options.repair, progress=_files())
    for finding in findings:
        print(f"{finding.what}: {finding.done}" if finding.done else finding.what)
    left = sum(not finding.is_mended for finding in findings)
    if not findings:
        print(f"{folder}: every row has its files, every file is whole and has its row")
    elif not options.repair:
        print(f"{folder}: {left} findings; --repair mends what can be mended")
    else:
        print(f"{folder}: {len(findings) - left} of {len(findings)} findings mended")
    return SOME_FAILED if left else OK


def _backup(options: argparse.Namespace) -> int:
    from antema.storage import open_store
    from antema.storage.backup import back_up

    with closing(open_store(_present_folder())) as store:
        copied = back_up(store, options.folder, progress=_files())
    return _tell(copied, f"{options.folder}: backup of {store.data_dir}")


def _restore(options: argparse.Namespace) -> int:
    from antema.storage.backup import restore

    folder = get_settings().data
    copied = restore(options.folder, folder, progress=_files())
    return _tell(copied, f"{folder}: put back from {options.folder}")


def _tell(copied: "Copied", done: str) -> int:
    for problem in copied.problems:
        print(problem, file=sys.stderr)
    print(f"{done}, {copied.files} files, {copied.n_bytes / 1e6:.1f} MB")
    return SOME_FAILED if copied.problems else OK


def _present_folder() -> Path:
    folder = get_settings().data
    if not (folder / "antema.sqlite").is_file():
        msg = f"{folder}: expected a data folder, found no database in it"
        raise AntemaError(msg)
    return folder


def _files() -> Callable[[int, int], None]:
    """Return what shows how many files are done, of how many."""
    step = progress_bar("file")
    return lambda done, total: step("", done, total)
