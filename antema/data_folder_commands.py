"""Commands over a whole data folder: check, backup, restore."""

import argparse
import sys
from contextlib import closing
from typing import Any

from antema.settings import get_settings


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands to those of the command line."""
    check = commands.add_parser("check", help="look over the data folder: files missing, damaged, without rows")
    check.add_argument("--repair", action="store_true", help="mend what can be; docs/backup.md says what that is")
    check.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from antema.storage import open_store
    from antema.storage.check import check

    folder = get_settings().data
    if not (folder / "antema.sqlite").is_file():
        print(f"{folder}: expected a data folder, found no database in it", file=sys.stderr)
        return 1
    with closing(open_store(folder)) as store, tqdm(unit="file", disable=None, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        findings = check(store, repair=options.repair, progress=progress)
    for finding in findings:
        print(f"{finding.what}: {finding.done}" if finding.done else finding.what)
    left = sum(not finding.is_mended for finding in findings)
    if not findings:
        print(f"{folder}: every row has its files, every file is whole and has its row")
    elif not options.repair:
        print(f"{folder}: {left} findings; --repair mends what can be mended")
    else:
        print(f"{folder}: {len(findings) - left} of {len(findings)} findings mended")
    return 1 if left else 0
