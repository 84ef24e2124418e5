"""Particle tables with their masks as Parquet files: one per result, queried many at a time with DuckDB.

Columns are those of `antema.domain.PARTICLE_COLUMNS` without ``sample`` and ``image`` (those may be renamed; rows have
them), what else the analysis added, and the instance: ``mask_x_px``, ``mask_y_px``, ``mask_w_px``, ``mask_h_px`` and
``mask``, its pixels row by row, eight to a byte, most significant first, zeros at the end. Of a classified particle
also what the classifier saw where: the frame ``evidence_x_px``, ``evidence_y_px``, ``evidence_w_px``,
``evidence_h_px``, and ``evidence``, an array of 16-bit floats (rows, columns, classes) as NumPy's own file.
``level_diameters_nm`` are five diameters, see `antema.analysis.level_diameters`; null for what is not measured. What
was computed is in the file's metadata under ``antema``, as JSON.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from antema.domain import (
    CRYSTALLINITIES,
    DROP_REASONS,
    PARTICLE_COLUMNS,
    QUANTITIES,
    UNKNOWN_REASONS,
    Instance,
    NotFound,
)
from antema.nets.classified import EvidenceMap

_ROW_COLUMNS = ("sample", "image")
_TEXT = ("status", "drop_reason", "crystallinity", "convention", "crystallinity_reason", "outline")
_WHOLE = ("particle", "bbox_x_px", "bbox_y_px", "bbox_w_px", "bbox_h_px")
_MASK_PLACE = ("mask_x_px", "mask_y_px", "mask_w_px", "mask_h_px")
_EVIDENCE_PLACE = ("evidence_x_px", "evidence_y_px", "evidence_w_px", "evidence_h_px")
_LEVELS = "level_diameters_nm"
INSTANCE_COLUMNS = (*_MASK_PLACE, "mask", *_EVIDENCE_PLACE, "evidence", _LEVELS)
"""Columns that hold a particle's mask, what the classifier saw and what the map would say at other levels, and not what
was measured of it."""

TEXT_COLUMNS = _TEXT

_STORED = tuple(column for column in PARTICLE_COLUMNS if column not in _ROW_COLUMNS)

NUMBER_COLUMNS = (
    *(quantity.column for quantity in QUANTITIES),
    "border_weight",
    "confidence",
    *(f"p_{name}" for name in CRYSTALLINITIES),
    "p_lattice_visible",
)
"""What the numbers of a result are made of, beside what hinders a class."""

_IDENTITIES = ("micrograph_id", "particle")

HINDRANCES = ("", *UNKNOWN_REASONS)
"""What keeps a particle from being given a class, nothing first."""

TABLE_COLUMNS = (*PARTICLE_COLUMNS, "micrograph_id", "exclusion_reason")


def pack_mask(mask: NDArray[np.bool_]) -> bytes:
    """Return the pixels of `mask` as bits, row by row."""
    return np.packbits(mask, axis=None).tobytes()


def unpack_mask(packed: bytes, height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask of this shape that `pack_mask` packed."""
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=height * width)
    return bits.astype(bool).reshape(height, width)


def write_particles(
    path: Path,
    table: pd.DataFrame,
    instances: Sequence[Instance],
    provenance: Mapping[str, Any],
    evidence: Sequence[EvidenceMap | None] = (),
    level_diameters_nm: NDArray[np.floating] | None = None,
) -> None:
    """Write one result.

    Parameters
    ----------
    path : Path
        The file.
    table : DataFrame
        The particle table of one micrograph.
    instances : sequence of Instance
        One per row, in order.
    provenance : mapping
        What was computed, as JSON values.
    evidence : sequence of EvidenceMap or None
        One per row, in order; empty where nothing was classified.
    level_diameters_nm : ndarray, shape (n, 5), or None
        See `antema.analysis.level_diameters`; None without a map.

    Raises
    ------
    ValueError
        When table, instances and evidence do not fit together.
    """
    evidence = evidence or [None] * len(table)
    if len(evidence) != len(table):
        msg = f"expected evidence for every row or none, found {len(evidence)} for {len(table)} rows"
        raise ValueError(msg)
    if len(table) != len(instances):
        msg = f"expected one mask per row, found {len(instances)} for {len(table)} rows"
        raise ValueError(msg)
    missing = [column for column in _STORED if column not in table.columns]
    if missing:
        msg = f"expected every column of the particle table, found none named {', '.join(missing)}"
        raise ValueError(msg)
    if not table["particle"].is_unique:
        msg = "expected a number of its own for each particle"
        raise ValueError(msg)
    arrays: dict[str, pa.Array] = {
        column: pa.array(table[column], type=_arrow_type(column), from_pandas=True) for column in _STORED
    }
    for column in table.columns:
        if column not in arrays and column not in _ROW_COLUMNS:
            arrays[str(column)] = pa.array(table[column], from_pandas=True)
    places = np.array([(i.x, i.y, i.w, i.h) for i in instances], np.int32).reshape(-1, 4)
    for column, values in zip(_MASK_PLACE, places.T, strict=True):
        arrays[column] = pa.array(values, type=pa.int32())
    arrays["mask"] = pa.array([pack_mask(instance.mask) for instance in instances], type=pa.binary())
    for place, column in enumerate(_EVIDENCE_PLACE):
        frames = [None if one is None else (one.x, one.y, one.w, one.h)[place] for one in evidence]
        arrays[column] = pa.array(frames, type=pa.float64())
    maps = [None if one is None else _array_bytes(one.values) for one in evidence]
    arrays["evidence"] = pa.array(maps, type=pa.binary())
    levels = [None] * len(table) if level_diameters_nm is None else [_known(each) for each in level_diameters_nm]
    arrays[_LEVELS] = pa.array(levels, type=pa.list_(pa.float32()))
    file = pa.table(arrays).replace_schema_metadata({"antema": json.dumps(dict(provenance), sort_keys=True)})
    pq.write_table(file, path, compression="zstd")


def _known(values: NDArray[np.floating]) -> list[float] | None:
    return [float(value) for value in values] if np.isfinite(values).all() else None


def read_level_diameters(path: Path) -> NDArray[np.float32] | None:
    """Return the diameters at other levels of one result, (n, 5) in the order of its rows; None where it has none.

    Rows of what was not measured are NaN.
    """
    file = pq.ParquetFile(path)
    if _LEVELS not in file.schema_arrow.names:
        return None
    rows = file.read(columns=[_LEVELS]).column(_LEVELS).to_pylist()
    if not any(rows):
        return None
    width = max(len(row) for row in rows if row)
    return np.array([row or [np.nan] * width for row in rows], np.float32)


def read_instances(path: Path) -> list[Instance]:
    """Return the masks of one result, in the order of its rows."""
    columns = [*_MASK_PLACE, "mask", "status", "drop_reason", "separated"]
    rows = pq.ParquetFile(path).read(columns=columns).to_pylist()
    return [
        Instance(
            x=row["mask_x_px"],
            y=row["mask_y_px"],
            mask=unpack_mask(row["mask"], row["mask_h_px"], row["mask_w_px"]),
            status=row["status"],
            drop_reason=row["drop_reason"] or "",
            separated=bool(row["separated"]),
        )
        for row in rows
    ]


def read_evidence(path: Path, particle: int) -> EvidenceMap | None:
    """Return where in a particle of one result the classifier saw what; None where it was not asked.

    Raises
    ------
    NotFound
        When there is no particle of that number.
    """
    rows = _evidence_columns(path).filter(pc.field("particle") == particle).to_pylist()
    if not rows:
        msg = f"expected a particle of this image, found none with the number {particle}"
        raise NotFound(msg)
    return _evidence_of(rows[0])


def read_all_evidence(path: Path) -> list[EvidenceMap | None]:
    """Return where in each particle of one result the classifier saw what, in the order of the rows."""
    return [_evidence_of(row) for row in _evidence_columns(path).to_pylist()]


def _evidence_columns(path: Path) -> pa.Table:
    file = pq.ParquetFile(path)
    return file.read(
        columns=[name for name in ("particle", *_EVIDENCE_PLACE, "evidence") if name in file.schema_arrow.names]
    )


def _evidence_of(row: Mapping[str, Any]) -> EvidenceMap | None:
    # a result of an earlier version has no such columns
    packed = row.get("evidence")
    if packed is None:
        return None
    x, y, w, h = (row[column] for column in _EVIDENCE_PLACE)
    return EvidenceMap(x, y, w, h, np.load(io.BytesIO(packed), allow_pickle=False))


def _array_bytes(values: NDArray[np.float16]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values.astype(np.float16), allow_pickle=False)
    return buffer.getvalue()


def read_provenance(path: Path) -> dict[str, Any]:
    """Return what `write_particles` was told of the computation."""
    metadata = pq.read_schema(path).metadata
    return json.loads(metadata[b"antema"])


@dataclass(frozen=True)
class ParticleFile:
    """One result in a table of many.

    Parameters
    ----------
    path : Path
        The file.
    sample, image : str
        Names as they are now.
    micrograph_id : int
        Whose particles they are.
    exclusions : tuple of (int, str)
        Particles that a person excluded, with the reason.
    """

    path: Path
    sample: str
    image: str
    micrograph_id: int
    exclusions: tuple[tuple[int, str], ...] = ()


def read_particles(files: Sequence[ParticleFile]) -> pd.DataFrame:
    """Return the particles of many results as one table, in the order of `files`.

    Parameters
    ----------
    files : sequence of ParticleFile
        The results.

    Returns
    -------
    DataFrame
        `PARTICLE_COLUMNS`, ``micrograph_id``, ``exclusion_reason``, then columns that the analysis added. Text columns
        hold the empty string where a value does not apply, numbers NaN. An excluded particle is ``dropped`` with the
        reason ``excluded_by_user``.
    """
    if not files:
        return _empty()
    with duckdb.connect(":memory:") as connection:
        _register(connection, files)
        table = connection.execute(_QUERY, [[str(file.path) for file in files]]).df()
    for column in ("sample", "image", "exclusion_reason", *_TEXT):
        table[column] = table[column].astype("str")
    for column in _WHOLE:
        table[column] = table[column].astype("int64")
    others = [column for column in table.columns if column not in TABLE_COLUMNS]
    # numbers that an earlier version did not measure are NaN
    return table.reindex(columns=[*TABLE_COLUMNS, *others])


def _register(connection: duckdb.DuckDBPyConnection, files: Sequence[ParticleFile]) -> None:
    """Let queries know the files' places and exclusions, and the columns that earlier versions did not write."""
    places = pd.DataFrame(
        {
            "file": [str(file.path) for file in files],
            "place": range(len(files)),
            "sample": [file.sample for file in files],
            "image": [file.image for file in files],
            "micrograph_id": [file.micrograph_id for file in files],
        }
    )
    excluded = pd.DataFrame(
        [(place, particle, reason) for place, file in enumerate(files) for particle, reason in file.exclusions],
        columns=["place", "particle", "reason"],
    ).astype({"place": "int64", "particle": "int64", "reason": "object"})
    connection.register("nothing", _NOTHING)
    connection.register("places", places)
    connection.register("excluded", excluded)


_NOTHING = pa.schema(
    [
        pa.field("crystallinity_reason", pa.string()),
        pa.field("outline", pa.string()),
        pa.field("evidence", pa.binary()),
        pa.field(_LEVELS, pa.list_(pa.float32())),
        *(pa.field(column, pa.float64()) for column in (*_EVIDENCE_PLACE, *NUMBER_COLUMNS)),
    ]
).empty_table()
"""No row, of the columns that earlier versions did not write."""

_QUERY = f"""
SELECT
    places.sample,
    places.image,
    particles.* EXCLUDE (filename, mask, {", ".join(_MASK_PLACE)}, evidence, {", ".join(_EVIDENCE_PLACE)},
        {_LEVELS})
        REPLACE (
            CASE WHEN excluded.reason IS NULL THEN particles.status ELSE 'dropped' END AS status,
            CASE WHEN excluded.reason IS NULL THEN coalesce(particles.drop_reason, '') ELSE 'excluded_by_user' END
                AS drop_reason,
            coalesce(particles.crystallinity, '') AS crystallinity,
            coalesce(particles.convention, '') AS convention,
            coalesce(particles.crystallinity_reason, '') AS crystallinity_reason,
            -- before there were two definitions all networks drew outlines by atoms
            coalesce(particles.outline, 'atoms') AS outline
        ),
    places.micrograph_id,
    coalesce(excluded.reason, '') AS exclusion_reason
-- what earlier versions did not write is null
FROM (
    FROM read_parquet(?, filename = true, union_by_name = true) UNION ALL BY NAME FROM nothing
) AS particles
JOIN places ON places.file = particles.filename
LEFT JOIN excluded ON excluded.place = places.place AND excluded.particle = particles.particle
ORDER BY places.place, particles.particle
"""


def read_columns(
    files: Sequence[ParticleFile],
) -> tuple[dict[str, NDArray[Any]], dict[str, int], dict[str, float]]:
    """Return what the numbers of many results are made of: columns of what counts, counts and areas of what does not.

    Parameters
    ----------
    files : sequence of ParticleFile
        The results.

    Returns
    -------
    columns : dict of ndarray, shape (n,)
        Of the measured particles that nobody excluded, in the order of `read_particles`: ``micrograph_id`` and
        ``particle`` (int64),
        `NUMBER_COLUMNS` (float64, NaN where a value does not apply or an earlier version did not measure it) and
        ``crystallinity_reason``, a place in `HINDRANCES`.
    dropped : dict of str to int
        How many of the other objects there are for each reason, most frequent first.
    dropped_nm2 : dict of str to float
        Their areas together, in the same order.
    """
    if not files:
        nothing: dict[str, NDArray[Any]] = dict.fromkeys(NUMBER_COLUMNS, np.zeros(0))
        nothing |= dict.fromkeys(_IDENTITIES, np.zeros(0, np.int64))
        return nothing | {"crystallinity_reason": np.zeros(0, np.int8)}, {}, {}
    with duckdb.connect(":memory:") as connection:
        _register(connection, files)
        parameters = [list(HINDRANCES), list(DROP_REASONS), [str(file.path) for file in files]]
        answer = connection.execute(_COLUMNS_QUERY, parameters).fetchnumpy()
    counts = np.ma.filled(answer["counts"], fill_value=False)
    columns: dict[str, NDArray[Any]] = {
        column: np.ma.masked_array(answer[column], dtype=np.float64).filled(np.nan)[counts] for column in NUMBER_COLUMNS
    }
    columns |= {name: np.ma.filled(answer[name], 0)[counts].astype(np.int64) for name in _IDENTITIES}
    columns["crystallinity_reason"] = np.ma.filled(answer["hindrance"], 0)[counts].astype(np.int8)
    why = np.ma.filled(answer["dropped_for"], 0)[~counts]
    areas = np.ma.masked_array(answer["area_nm2"], dtype=np.float64).filled(0)[~counts]
    n = np.bincount(why, minlength=len(DROP_REASONS) + 1)
    nm2 = np.bincount(why, areas, minlength=len(DROP_REASONS) + 1)
    reasons = (*DROP_REASONS, "")
    order = [int(place) for place in np.argsort(-n, kind="stable") if n[place]]
    dropped = {reasons[place]: int(n[place]) for place in order}
    return columns, dropped, {reasons[place]: float(nm2[place]) for place in order}


_COLUMNS_QUERY = f"""
SELECT
    places.micrograph_id,
    particles.particle,
    {", ".join(f'particles."{column}"' for column in NUMBER_COLUMNS)},
    particles.status = 'measured' AND excluded.reason IS NULL AS counts,
    coalesce(list_position(?, coalesce(particles.crystallinity_reason, '')), 1) - 1 AS hindrance,
    coalesce(
        list_position(?, CASE WHEN excluded.reason IS NULL THEN particles.drop_reason ELSE 'excluded_by_user' END),
        {len(DROP_REASONS) + 1}
    ) - 1 AS dropped_for
FROM (FROM read_parquet(?, filename = true, union_by_name = true) UNION ALL BY NAME FROM nothing) AS particles
JOIN places ON places.file = particles.filename
LEFT JOIN excluded ON excluded.place = places.place AND excluded.particle = particles.particle
ORDER BY places.place, particles.particle
"""


def apply_exclusions(
    instances: Sequence[Instance], numbers: Sequence[int], exclusions: Mapping[int, str]
) -> list[Instance]:
    """Return the instances with those dropped whose particle number is excluded."""
    return [
        replace(instance, status="dropped", drop_reason="excluded_by_user") if number in exclusions else instance
        for instance, number in zip(instances, numbers, strict=True)
    ]


def read_statuses(path: Path) -> dict[int, tuple[str, str]]:
    """Return status and drop reason by particle number, in the order of the rows, as they were computed."""
    columns = ["particle", "status", "drop_reason"]
    rows = pq.ParquetFile(path).read(columns=columns).to_pylist()
    return {row["particle"]: (row["status"], row["drop_reason"] or "") for row in rows}


def _arrow_type(column: str) -> pa.DataType:
    if column in _TEXT:
        return pa.string()
    if column in _WHOLE:
        return pa.int32()
    return pa.bool_() if column == "separated" else pa.float64()


def _empty() -> pd.DataFrame:
    types = {"separated": "bool", "micrograph_id": "int64"}
    types |= dict.fromkeys(("sample", "image", "exclusion_reason", *_TEXT), "str")
    types |= dict.fromkeys(_WHOLE, "int64")
    return pd.DataFrame({column: pd.Series([], dtype=types.get(column, "float64")) for column in TABLE_COLUMNS})
