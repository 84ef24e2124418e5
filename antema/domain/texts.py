"""How long what people write may be: a note is no place for a file."""

from collections.abc import Mapping

from antema.domain.errors import AntemaError

LONGEST_NAME = 200
LONGEST_NOTES = 10_000
LONGEST_REASON = 500
MOST_PROPERTIES = 50
LONGEST_PROPERTY = 500


def limited(text: str, what: str, most: int) -> str:
    """Return `text` as it is.

    Raises
    ------
    AntemaError
        When it has more than `most` characters; `what` it is stands in the sentence.
    """
    if len(text) > most:
        msg = f"{what}: expected at most {most:,} characters, found {len(text):,}"
        raise AntemaError(msg)
    return text


def limited_properties(properties: Mapping[str, str], what: str) -> dict[str, str]:
    """Return further properties of a sample as they are.

    Raises
    ------
    AntemaError
        When there are too many, or one is too long.
    """
    if len(properties) > MOST_PROPERTIES:
        msg = f"{what}: expected at most {MOST_PROPERTIES} lines, found {len(properties):,}"
        raise AntemaError(msg)
    for name, value in properties.items():
        limited(name, f"{what}, name of a line", LONGEST_NAME)
        limited(value, f"{what}, {name}", LONGEST_PROPERTY)
    return dict(properties)
