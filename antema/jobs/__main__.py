"""``python -m antema.jobs JOB DATA``: do a queued job in this process."""

import argparse
import sys
from pathlib import Path

from antema.domain import AntemaError
from antema.jobs.worker import run
from antema.logs import start_logging


def main() -> int:
    """Do the job; 0 when it is done, 1 when it is not, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m antema.jobs", description="Do a queued job in this process.")
    parser.add_argument("job", type=int, help="number of the job")
    parser.add_argument("data", type=Path, help="data folder")
    arguments = parser.parse_args()
    start_logging()
    try:
        job = run(arguments.job, arguments.data)
    except AntemaError as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if job.status == "done" else 1


if __name__ == "__main__":
    raise SystemExit(main())
