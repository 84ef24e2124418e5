"""How long one pass of each network takes, against the default network in the same run.

Run with ``python -m benchmarks.network_speed`` from the checkout. The weights are random: time does not depend on
them. Compilation is left out; of some passes the fastest counts.
"""

import argparse
import time

import jax
import numpy as np
from flax import nnx

from antema.nets import device_name
from antema.nets.architectures import ARCHITECTURES
from antema.nets.unet import FEATURES
from antema.nets.weights import first_weights, set_weights

NETWORKS = {
    "unet-stride2": {"kind": "unet-stride2", "features": FEATURES},
    "groschner-unet": {"kind": "groschner-unet", "features": (4, 8, 16, 32), "n_channels": 1, "n_classes": 2},
    "deeplabv3plus-resnet18, half width": {
        "kind": "deeplabv3plus-resnet18",
        "width": 32,
        "n_channels": 3,
        "n_classes": 2,
    },
    "deeplabv3plus-resnet18": {"kind": "deeplabv3plus-resnet18", "width": 64, "n_channels": 3, "n_classes": 2},
}


def seconds_of_a_pass(entry: dict, side_px: int, repeats: int) -> tuple[float, int]:
    """Return the seconds of the fastest of some passes over a square image, and the network's numbers."""
    architecture = ARCHITECTURES[entry["kind"]]
    network = nnx.eval_shape(lambda: architecture.build(entry))
    weights = first_weights(network, 0)
    set_weights(network, weights)
    graph, state = nnx.split(network)
    # weights as an argument: as constants XLA would fold them for minutes
    compiled = jax.jit(lambda state, x: architecture.logits(nnx.merge(graph, state), x[None], 1))

    def run(x: np.ndarray) -> jax.Array:
        return compiled(state, x)

    x = np.random.default_rng(0).normal(size=(side_px, side_px)).astype(np.float32)
    run(x).block_until_ready()
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        run(x).block_until_ready()
        taken.append(time.perf_counter() - began)
    return min(taken), sum(array.size for array in weights.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="edge of the image in pixels")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{arguments.size} x {arguments.size} px on {device_name()}")
    reference = None
    for name, entry in NETWORKS.items():
        seconds, numbers = seconds_of_a_pass(entry, arguments.size, arguments.repeats)
        reference = reference or seconds
        print(f"{name:36} {numbers / 1e6:6.2f} M  {seconds:6.2f} s  {seconds / reference:5.1f} times")


if __name__ == "__main__":
    main()
