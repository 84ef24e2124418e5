"""Values as microscope files hold them, made plain."""

import math
from typing import Any


def text(value: Any) -> str:  # noqa: ANN401 - whatever a file's tag holds
    """Return a tag's value as text without padding; bytes are taken for UTF-8, else for Latin-1."""
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    return "" if value is None else str(value).strip(" \t\r\n\x00")


def number(value: Any) -> float | None:  # noqa: ANN401 - whatever a file's tag holds
    """Return a tag's value as a finite number, or None where it is none."""
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def put(metadata: dict[str, str | float], key: str, value: str | float | None) -> None:
    """Note a value unless it is empty or not positive: what is not known is absent."""
    if isinstance(value, str):
        if value:
            metadata[key] = value[:200]
    elif value is not None and value > 0:
        metadata[key] = float(value)
