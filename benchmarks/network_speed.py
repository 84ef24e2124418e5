"""How long networks take over whole images, against the default network in the same run.

Run with ``python -m benchmarks.network_speed [--sizes 1024 2048 4096]`` from the checkout. The weights are random:
time does not depend on them. Images are seen as `antema.nets.tiling` shows them, in windows where they are large;
compilation is left out, of some passes the fastest counts.

``--memory SIDE`` measures instead what a whole segmentation of an image of that side takes with an installed model: its
seconds and the peak memory of a process of its own, for each polarity asked for.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

NETWORKS = {
    "unet-stride2": {"kind": "unet-stride2", "features": (16, 32, 64, 96, 128)},
    "groschner-unet": {"kind": "groschner-unet", "features": (4, 8, 16, 32), "n_channels": 1, "n_classes": 2},
    "deeplabv3plus-resnet18, width 24": {
        "kind": "deeplabv3plus-resnet18",
        "width": 24,
        "n_channels": 1,
        "outputs": ("particle", "contact"),
    },
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
    import jax
    from flax import nnx

    from antema.nets.architectures import ARCHITECTURES
    from antema.nets.tiling import Windows, logits_anywhere
    from antema.nets.weights import first_weights, set_weights

    architecture = ARCHITECTURES[entry["kind"]]
    network = nnx.eval_shape(lambda: architecture.build(entry))
    weights = first_weights(network, 0)
    set_weights(network, weights)
    graph, state = nnx.split(network)
    # weights as an argument: as constants XLA would fold them for minutes
    run = jax.jit(lambda state, x: architecture.logits(nnx.merge(graph, state), x, 1))
    windows = Windows(architecture.window_px, architecture.margin_px)
    x = np.random.default_rng(0).normal(size=(side_px, side_px)).astype(np.float32)
    taken = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        logits_anywhere(x, lambda window: np.asarray(run(state, window)), windows)
        taken.append(time.perf_counter() - began)
    return min(taken[1:]), sum(array.size for array in weights.values())


def seconds_and_memory(model: str, side_px: int, polarity: str) -> dict[str, float]:
    """Return seconds and peak memory (MiB), of this process so far and after, of segmenting a 16-bit image of discs."""
    from antema.nets import load

    rng = np.random.default_rng(0)
    pixels = rng.integers(20_000, 30_000, (side_px, side_px), np.uint16)
    y, x = np.ogrid[:64, :64]
    disc = (y - 32) ** 2 + (x - 32) ** 2 < 15**2
    for top in range(0, side_px - 63, 96):
        for left in range(0, side_px - 63, 96):
            pixels[top : top + 64, left : left + 64][disc] -= 9_000
    segmenter = load(model)
    segmenter.segment(pixels[:512, :512])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    segmenter.segment(pixels, polarity=polarity)
    seconds = time.perf_counter() - began
    return {
        "image_mib": pixels.nbytes / 2**20,
        "before_mib": before,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "seconds": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[1024, 2048, 4096], help="edges of the images in pixels"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS), metavar="NETWORK")
    parser.add_argument("--memory", type=int, metavar="SIDE", help="seconds and peak memory of a whole segmentation")
    parser.add_argument("--model", default="default", help="with --memory")
    parser.add_argument("--polarity", default="auto", help="with --memory")
    parser.add_argument("--within", action="store_true", help=argparse.SUPPRESS)  # already in a process of its own
    arguments = parser.parse_args()
    if arguments.within:
        print(json.dumps(seconds_and_memory(arguments.model, arguments.memory, arguments.polarity)))
        return
    if arguments.memory:
        command = [sys.executable, "-m", "benchmarks.network_speed", "--within", *sys.argv[1:]]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        side = arguments.memory
        print(
            f"{side} x {side} px, {found['image_mib']:.0f} MiB: {found['seconds']:.1f} s with compilation, peak memory "
            f"{found['peak_mib']:.0f} MiB, of which {found['before_mib']:.0f} MiB were taken before"
        )
        return
    from antema.nets import device_name

    for side in arguments.sizes:
        print(f"{side} x {side} px on {device_name()}")
        reference = None
        for name in arguments.networks:
            seconds, numbers = seconds_of_a_pass(NETWORKS[name], side, arguments.repeats)
            reference = reference or seconds
            print(f"{name:36} {numbers / 1e6:6.2f} M  {seconds:6.2f} s  {seconds / reference:5.1f} times", flush=True)


if __name__ == "__main__":
    main()
