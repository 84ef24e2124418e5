"""What the numbers of a result are made of, as a narrow table, kept as bytes that are read without copying."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

_ALIGNED = 64


def packed(columns: dict[str, NDArray[Any]], dropped: dict[str, int], dropped_nm2: dict[str, float]) -> bytes:
    """Return columns, counts and areas (`antema.storage.Store.columns`) as bytes: a JSON head, then the arrays."""
    head: dict[str, Any] = {"dropped": dropped, "dropped_nm2": dropped_nm2, "columns": []}
    parts: list[bytes] = []
    offset = 0
    for name, values in columns.items():
        content = values.tobytes()
        head["columns"].append([name, values.dtype.str, values.size, offset])
        padding = -len(content) % _ALIGNED
        parts += [content, bytes(padding)]
        offset += len(content) + padding
    text = json.dumps(head).encode()
    return b"".join([len(text).to_bytes(8), text, bytes(-(8 + len(text)) % _ALIGNED), *parts])


def unpacked(content: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, int], dict[str, float]]:
    """Return the columns, counts and areas that `packed` packed; the arrays lie in `content`, not to be written to."""
    length = int.from_bytes(content[:8])
    head = json.loads(content[8 : 8 + length])
    start = 8 + length + -(8 + length) % _ALIGNED
    columns = {
        name: np.frombuffer(content, np.dtype(dtype), count, start + offset)
        for name, dtype, count, offset in head["columns"]
    }
    return columns, head["dropped"], head["dropped_nm2"]


def narrow_table(columns: dict[str, NDArray[Any]]) -> "pd.DataFrame":
    """Return the columns of measured particles as a particle table: status and classes as categories, no text."""
    import pandas as pd

    from antema.storage.particle_files import HINDRANCES

    n = columns["micrograph_id"].size
    reasons = pd.Categorical.from_codes(columns["crystallinity_reason"], dtype=pd.CategoricalDtype(list(HINDRANCES)))
    status = pd.Categorical.from_codes(np.zeros(n, np.int8), dtype=pd.CategoricalDtype(["measured"]))
    return pd.DataFrame({**columns, "crystallinity_reason": reasons, "status": status}, copy=False)
