"""What it takes to do a run again: versions of everything, and where it ran."""

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from antema.analysis import ALGORITHM_VERSION

_LIBRARIES = (
    "jax",
    "jaxlib",
    "flax",
    "numpy",
    "scipy",
    "scikit-image",
    "pandas",
    "pillow",
    "tifffile",
    "imagecodecs",
    "h5py",
    "rosettasciio",
)


def provenance(command: str = "") -> dict[str, Any]:
    """Return what a report says of the program that made it, as plain JSON values.

    Parameters
    ----------
    command : str
        The command line, where there was one.
    """
    said: dict[str, Any] = {
        "software_version": version("antema"),
        "algorithm_version": ALGORITHM_VERSION,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return said | ({"command": command} if command else {})


def surroundings(device: str) -> Mapping[str, Any]:
    """Return Python, system, device and versions of the libraries that numbers pass through, as plain JSON values.

    Parameters
    ----------
    device : str
        What networks ran on; empty where none was used.
    """
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "device": device,
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
