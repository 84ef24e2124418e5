"""Waiting for a page whose security policy forbids what `wait_for_function` of Playwright does: to evaluate text."""

import os
import time
from typing import Any

from playwright.sync_api import Error, Page

_PATIENCE_S = float(os.environ.get("ANTEMA_TEST_PATIENCE_S", "60"))


def wait_until(page: Page, expression: str, arg: Any = None) -> None:
    """Return when a JavaScript expression, or function of `arg`, is true on the page; it may fail until then."""
    until = time.monotonic() + _PATIENCE_S
    said = "nothing"
    while time.monotonic() < until:
        try:
            if page.evaluate(expression, arg):
                return
        except Error as error:
            said = str(error)
        page.wait_for_timeout(100)
    msg = f"expected {expression} to become true within {_PATIENCE_S:g} s, found it false (last error: {said})"
    raise AssertionError(msg)
