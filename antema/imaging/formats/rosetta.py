"""Signals as RosettaSciIO returns them, made into data sets."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.imaging.dataset import Axis, DataSet
from antema.imaging.formats.metadata import number, put, text


def from_signal(
    signal: Mapping[str, Any], scale_tag: str, *, metadata: Mapping[str, str | float] | None = None
) -> DataSet:
    """Return the data set of one of RosettaSciIO's dictionaries.

    Parameters
    ----------
    signal : mapping
        ``data`` (a NumPy or dask array), ``axes`` and ``metadata``.
    scale_tag : str
        Where the format keeps its calibration.
    metadata : mapping, optional
        What is known beyond the signal's own metadata.
    """
    data = signal["data"]
    axes: list[Mapping[str, Any]] = list(signal["axes"])
    known = _metadata(signal.get("metadata", {}))
    known.update(metadata or {})
    return DataSet(
        shape=tuple(int(length) for length in data.shape),
        dtype=_channel_dtype(data.dtype),
        frame=partial(_frame, data),
        axes=tuple(Axis(float(axis.get("scale", 1.0)), text(axis.get("units"))) for axis in axes),
        scale_tag=scale_tag,
        title=text(signal.get("metadata", {}).get("General", {}).get("title")),
        no_image=_no_image(axes, len(data.shape)),
        metadata=known,
        channels=len(data.dtype.names) if data.dtype.names else 1,
    )


def _channel_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype[0] if dtype.names and set(dtype.names) >= {"R", "G", "B"} else dtype


def _frame(data: Any, number: int) -> NDArray[np.generic]:  # noqa: ANN401 - a NumPy or a dask array
    frame = data[number] if data.ndim == 3 else data
    if hasattr(frame, "compute"):
        # one frame of one file: threads would only cost memory
        frame = frame.compute(scheduler="synchronous")
    array = np.asarray(frame)
    if array.dtype.names:
        return np.stack([array[name] for name in array.dtype.names], axis=-1)
    return array


def _no_image(axes: Iterable[Mapping[str, Any]], n_axes: int) -> str:
    """Return what the signal is where RosettaSciIO says that it is recorded by spectrum."""
    recorded = [axis for axis in axes if not axis.get("navigate", False)]
    if len(recorded) == 1:
        return "a spectrum" if n_axes == 1 else "a line scan of spectra" if n_axes == 2 else "a spectrum image"
    return ""


def _metadata(source: Mapping[str, Any]) -> dict[str, str | float]:
    general: Mapping[str, Any] = source.get("General", {})
    instrument: Mapping[str, Any] = source.get("Acquisition_instrument", {})
    microscope: Mapping[str, Any] = instrument.get("TEM") or instrument.get("SEM") or {}
    metadata: dict[str, str | float] = {}
    put(metadata, "voltage_kv", number(microscope.get("beam_energy")))
    put(metadata, "magnification", number(microscope.get("magnification")))
    put(metadata, "instrument", text(microscope.get("microscope")))
    put(metadata, "date", " ".join(filter(None, (text(general.get("date")), text(general.get("time"))))))
    return metadata
