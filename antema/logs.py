"""The log of a process: messages of the program from the level of the settings on, warnings of everything else."""

import logging

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def start_logging() -> None:
    """Write messages to standard error from the level of the settings on.

    Libraries speak from ``warning`` on, and at the level ``debug`` about everything.
    """
    from antema.settings import get_settings  # which a reader of files, that needs the format alone, does without

    level = getattr(logging, get_settings().log_level.upper())
    logging.basicConfig(level=level if level == logging.DEBUG else max(level, logging.WARNING), format=LOG_FORMAT)
    logging.getLogger("antema").setLevel(level)
