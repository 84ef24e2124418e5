"""The tags of DigitalMicrograph files, DM3 and DM4.

The structure is the one that C. Boothroyd wrote down from the files (https://personal.ntu.edu.sg/cbb/info/dmformat/),
as ncempy and RosettaSciIO read it too. It is read here, because both of them build what a file says before they look
at how much that is, so that a few nested long names take gigabytes. Here names, tags and levels are counted.
"""

import struct
from typing import Any, BinaryIO

from antema.domain import CannotRead

_MOST_TAGS = 500_000
_MOST_LEVELS = 64
_MOST_FIELDS = 100
#: Letters of all full names together; what real files have is below a million.
_MOST_NAME_LETTERS = 1 << 24

#: Arrays of 16-bit numbers up to this many bytes are texts; other arrays are left in the file.
_LONGEST_TEXT_BYTES = 1 << 16

#: Codes of numbers, and as what `struct` reads them.
_NUMBERS = {2: "h", 3: "i", 4: "H", 5: "I", 6: "f", 7: "d", 8: "B", 9: "b", 10: "B", 11: "q", 12: "Q"}
_STRUCT, _STRING, _ARRAY = 15, 18, 20
_GROUP, _DATA = 20, 21
_UTF16_CODE = 4

#: Parts of a file that are kept; what else there is (windows, page layouts) is passed over.
_KEPT = (".ImageList.", ".Thumbnails.")


def read_tags(stream: BinaryIO) -> dict[str, Any]:
    """Return the tags of a DM3 or DM4 file that describe its images.

    Parameters
    ----------
    stream : binary file
        At its start.

    Returns
    -------
    dict
        Numbers, texts and tuples by their full name, for example ``.ImageList.2.ImageData.DataType``; unnamed tags
        are numbered from 1. An array that is no text has ``NAME.arrayOffset`` and ``NAME.arraySize`` (bytes).

    Raises
    ------
    CannotRead
        For a file that ends early, has another structure, or more tags, levels or names than any microscope writes.
    """
    return _Parser(stream).tags


class _Parser:
    """One pass over a file's tags."""

    def __init__(self, stream: BinaryIO) -> None:
        self.tags: dict[str, Any] = {}
        self._stream = stream
        self._n_tags = 0
        self._n_letters = 0
        self._version: int = struct.unpack(">I", self._take(4))[0]
        wide = self._version == 4
        #: Lengths and codes are big-endian, of 4 bytes in DM3 and 8 in DM4.
        self._word = struct.Struct(">Q" if wide else ">I")
        self._take(8 if wide else 4)
        self._order = "<" if struct.unpack(">I", self._take(4))[0] == 1 else ">"
        self._group("", 1)

    def _take(self, count: int) -> bytes:
        piece = self._stream.read(count)
        if len(piece) < count:
            msg = "it ends inside of its tags"
            raise CannotRead(msg)
        return piece

    def _next_word(self) -> int:
        return self._word.unpack(self._take(self._word.size))[0]

    def _count_name(self, name: str) -> None:
        self._n_letters += len(name)
        if self._n_letters > _MOST_NAME_LETTERS:
            msg = "the names of its tags have many times the letters that those of any microscope's file have"
            raise CannotRead(msg)

    def _group(self, name: str, level: int) -> None:
        if level > _MOST_LEVELS:
            msg = f"its tags are nested more than {_MOST_LEVELS} levels deep"
            raise CannotRead(msg)
        self._count_name(name)
        self._take(2)  # sorted, open
        for number in range(1, self._next_word() + 1):
            self._n_tags += 1
            if self._n_tags > _MOST_TAGS:
                msg = f"it has more than {_MOST_TAGS:,} tags"
                raise CannotRead(msg)
            kind, length = struct.unpack(">BH", self._take(3))
            label = self._take(length).decode("latin-1") if length else str(number)
            if self._version == 4:
                self._take(8)  # bytes that follow
            full = f"{name}.{label}"
            if kind == _DATA:
                self._data(full)
            elif kind == _GROUP:
                self._group(full, level + 1)
            else:
                msg = f"it has a tag of kind {kind} where a group ({_GROUP}) or a value ({_DATA}) belongs"
                raise CannotRead(msg)

    def _data(self, name: str) -> None:
        if self._take(4) != b"%%%%":
            msg = "a tag lacks the mark %%%% in front of its value"
            raise CannotRead(msg)
        self._next_word()  # how many words follow; the codes say it too
        code = self._next_word()
        if code in _NUMBERS:
            self._keep(name, self._number(code))
        elif code == _STRING:
            self._pass_over(self._next_word(), name)
        elif code == _STRUCT:
            self._keep(name, tuple(self._number(field) for field in self._fields()))
        elif code == _ARRAY:
            self._array(name)
        else:
            msg = f"a tag is of type {code}, which is not known"
            raise CannotRead(msg)

    def _number(self, code: int) -> float:
        form = _NUMBERS.get(code)
        if form is None:
            msg = f"a field is of type {code}, which is not known"
            raise CannotRead(msg)
        return struct.unpack(self._order + form, self._take(struct.calcsize(form)))[0]

    def _fields(self) -> list[int]:
        """Return the codes of a structure's fields."""
        self._next_word()  # length of its name, which is 0
        count = self._next_word()
        if count > _MOST_FIELDS:
            msg = f"a structure in its tags has {count} fields, more than {_MOST_FIELDS}"
            raise CannotRead(msg)
        fields: list[int] = []
        for _ in range(count):
            self._next_word()  # length of the field's name, which is 0
            fields.append(self._next_word())
        return fields

    def _array(self, name: str) -> None:
        code, factor = self._next_word(), 1
        if code == _ARRAY:
            # an array of arrays: the inner one's code and length stand in front of the outer length
            code, factor = self._next_word(), self._next_word()
        codes = self._fields() if code == _STRUCT else [code]
        if any(one not in _NUMBERS for one in codes):
            msg = f"an array in its tags is of type {code}, which is not known"
            raise CannotRead(msg)
        item_bytes = struct.calcsize("=" + "".join(_NUMBERS[one] for one in codes))
        array_bytes = self._next_word() * factor * item_bytes
        if codes == [_UTF16_CODE] and array_bytes <= _LONGEST_TEXT_BYTES and not name.endswith(".Data"):
            order = "utf-16-le" if self._order == "<" else "utf-16-be"
            self._keep(name, self._take(array_bytes).decode(order, errors="replace"))
        else:
            self._pass_over(array_bytes, name)

    def _pass_over(self, count: int, name: str) -> None:
        at = self._stream.tell()
        self._keep(f"{name}.arrayOffset", at)
        self._keep(f"{name}.arraySize", count)
        if at + count >= 1 << 63:
            msg = f"an array in its tags has {count} bytes"
            raise CannotRead(msg)
        self._stream.seek(at + count)

    def _keep(self, name: str, value: Any) -> None:  # noqa: ANN401 - whatever a tag holds
        if name.startswith(_KEPT):
            self._count_name(name)
            self.tags[name] = value
