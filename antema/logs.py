"""The log of a process: messages of the program from the level of the settings on, warnings of everything else."""

import logging

from antema.settings import get_settings

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def start_logging() -> None:
    """Write messages to standard error from the level of the settings on.

    Libraries speak from ``warning`` on, and at the level ``debug`` about everything.
    """
    level = getattr(logging, get_settings().log_level.upper())
    logging.basicConfig(level=level if level == logging.DEBUG else max(level, logging.WARNING), format=FORMAT)
    logging.getLogger("antema").setLevel(level)
