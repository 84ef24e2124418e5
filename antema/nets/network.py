"""The network of a model's card, compiled: what takes images of any size."""

import hashlib
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from antema.domain import AntemaError
from antema.nets.card import ModelCard
from antema.nets.tiling import Windows, answers_anywhere, logits_anywhere

Array = NDArray[np.float32]
Progress = Callable[[float], None]
"""Called with the share that is done, from 0 to 1."""

_SAMPLE_PX = 512
_WINDOWS_ON_GPU = 4


class Logits(Protocol):
    """What gives logits."""

    def __call__(self, values: Array, progress: Progress | None = None, /) -> list[Array]:
        """Return the logits of normalised grey values (h, w): an array (h, w) for each output, "particle" first."""
        ...


class Answering(Protocol):
    """What finds particles one by one."""

    def __call__(self, values: Array, progress: Progress | None = None, /) -> list[Array]:
        """Return logits (h, w, n_outputs), offsets and objects of grey values (h, w): `outlines.Answers`."""
        ...


@dataclass(frozen=True, eq=False)
class Network:
    """A network ready for use.

    Parameters
    ----------
    logits : callable
        See `Logits`.
    features : callable or None
        From normalised grey values (h, w) to a description of them by the network, shape (n,): mean and standard
        deviation of its features from shallow to deep;
        None where the architecture gives none.
    answers : callable or None
        See `Answering`; None where the network does not find particles one by one.
    """

    logits: Logits
    features: Callable[[Array], Array] | None = None
    answers: "Answering | None" = None


def network_of(card: ModelCard) -> Network:
    """Return the compiled network of `card`.

    Raises
    ------
    AntemaError
        Where architecture and weights do not fit, or the architecture is none that is known.
    """
    import jax
    import jax.numpy as jnp
    from flax import nnx

    from antema.nets.architectures import ARCHITECTURES
    from antema.nets.weights import read, set_weights

    keep_compiled()
    entry = card.content.get("architecture", {})
    kind = entry.get("kind")
    classes = card.content.get("classes", ("background", "particle"))
    if kind not in ARCHITECTURES:
        msg = f"model {card.name}: expected an architecture of kind {', '.join(ARCHITECTURES)}, found {kind!r}"
        raise AntemaError(msg)
    architecture = ARCHITECTURES[kind]
    try:
        particle = classes.index("particle")
        network = nnx.eval_shape(lambda: architecture.build(entry))
        set_weights(network, read(card.weights_path))
    except (KeyError, TypeError, ValueError) as error:
        msg = f"model {card.name}: expected an architecture and weights that fit, found others ({error})"
        raise AntemaError(msg) from error
    graph, state = nnx.split(network)
    on_gpu = jax.default_backend() != "cpu"
    windows = Windows(architecture.window_px, architecture.margin_px, _WINDOWS_ON_GPU if on_gpu else 1)

    @jax.jit
    def run(state: nnx.State, x: jax.Array) -> jax.Array:
        return architecture.logits(nnx.merge(graph, state), x, particle)

    def logits(values: Array, progress: Progress | None = None, /) -> list[Array]:
        return logits_anywhere(values, lambda x: np.asarray(run(state, x)), windows, progress)

    answers: Answering | None = None
    if architecture.answers is not None:
        asked = architecture.answers

        @jax.jit
        def ask(state: nnx.State, x: jax.Array) -> tuple[jax.Array, ...]:
            return asked(nnx.merge(graph, state), x)

        def answered(values: Array, progress: Progress | None = None, /) -> list[Array]:
            return answers_anywhere(values, lambda x: [np.asarray(a) for a in ask(state, x)], windows, progress)

        answers = answered

    if architecture.encoded is None:
        return Network(logits, answers=answers)
    encoded = architecture.encoded

    @jax.jit
    def describe(state: nnx.State, x: jax.Array) -> jax.Array:
        levels = encoded(nnx.merge(graph, state), x)
        return jnp.concatenate([f(level, axis=(0, 1, 2)) for level in levels for f in (jnp.mean, jnp.std)])

    def features(values: Array) -> Array:
        return np.mean([np.asarray(describe(state, part[None])) for part in _samples(values)], axis=0)

    return Network(logits, features, answers)


def _samples(values: Array) -> list[Array]:
    """Return the windows by which an image is described: all of one shape, from the middle of its quarters."""
    h, w = values.shape
    tall, wide = (np.pad(np.arange(n), (0, max(_SAMPLE_PX - n, 0)), mode="symmetric") for n in (h, w))
    tops, lefts = _sample_starts(len(tall)), _sample_starts(len(wide))
    return [
        values[np.ix_(tall[top : top + _SAMPLE_PX], wide[left : left + _SAMPLE_PX])] for top in tops for left in lefts
    ]


def _sample_starts(side: int) -> list[int]:
    half = _SAMPLE_PX // 2
    return [side // 2 - half] if side < 2 * _SAMPLE_PX else [side // 4 - half, 3 * side // 4 - half]


@lru_cache(maxsize=1)
def keep_compiled() -> None:
    """Let JAX keep what it compiles in the data folder where there is one, unless somebody told it another place."""
    import jax

    data = Path(os.environ.get("ANTEMA_DATA", "data"))
    processor = _processor()
    if "JAX_COMPILATION_CACHE_DIR" in os.environ or not processor or not data.is_dir():
        return
    folder = data / "compiled" / processor
    jax.config.update("jax_compilation_cache_dir", str(folder.absolute()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def _processor() -> str:
    """Return what tells this machine's instruction set from others': code for another one may not run here."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        told = next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        told = platform.processor()
    return hashlib.sha256(f"{platform.machine()} {told}".encode()).hexdigest()[:16] if told else ""
