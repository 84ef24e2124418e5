"""What the networks run on."""


def device_name() -> str:
    """Return the kind and name of the device that JAX computes on, such as ``CPU`` or ``GPU: NVIDIA RTX 4000``."""
    import jax

    device = jax.devices()[0]
    if device.platform == "cpu":
        return "CPU"
    return f"{device.platform.upper()}: {device.device_kind}"
