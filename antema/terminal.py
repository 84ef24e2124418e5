"""What all commands share: their exit codes, and how they show on a terminal how far they are."""

import sys
from collections.abc import Callable

OK, SOME_FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def progress_bar(unit: str) -> Callable[[str, float, float], None]:
    """Return a bar on a terminal's standard error, and nothing elsewhere."""
    from tqdm import tqdm

    # what is refused at once is told on a line of its own
    bar = tqdm(unit=unit, delay=0.5, disable=not sys.stderr.isatty())

    def step(name: str, done: float, total: float) -> None:
        bar.total = total
        bar.set_description(name)
        bar.update(done - bar.n)
        if done >= total:
            bar.close()

    return step
