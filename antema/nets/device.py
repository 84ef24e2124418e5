"""What the networks run on."""

import os
import sys

from antema.domain import AntemaError

_PLATFORMS = {"cpu": "cpu", "gpu": "cuda"}


def choose_device(device: str) -> None:
    """Choose what networks run on, before the first one is loaded.

    Parameters
    ----------
    device : str
        ``cpu``, ``gpu``, or ``auto`` for what JAX takes by itself.

    Raises
    ------
    AntemaError
        For ``gpu`` where there is none that JAX can use.
    """
    if device == "auto":
        return
    # Read by JAX when it is first imported, by a process that this one starts, too.
    os.environ["JAX_PLATFORMS"] = _PLATFORMS[device]
    if "jax" in sys.modules:
        import jax

        jax.config.update("jax_platforms", _PLATFORMS[device])
    if device == "gpu":
        device_name()


def device_name() -> str:
    """Return the kind and name of the device that JAX computes on, such as ``CPU`` or ``GPU: NVIDIA RTX 4000``.

    Raises
    ------
    AntemaError
        Where the device that was asked for is not there.
    """
    import jax

    try:
        device = jax.devices()[0]
    except (RuntimeError, AssertionError) as error:
        # without its CUDA wheels JAX fails an assertion of its own
        wanted = os.environ.get("JAX_PLATFORMS", "")
        asked = "a GPU" if wanted == "cuda" else f"a device of JAX's platform {wanted!r}"
        reason = str(error).partition("\n")[0][:200]
        msg = f"device: expected {asked} that JAX can use, found none{f' ({reason})' if reason else ''}"
        raise AntemaError(msg) from error
    if device.platform == "cpu":
        return "CPU"
    return f"{device.platform.upper()}: {device.device_kind}"
