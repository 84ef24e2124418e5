"""The architectures that a model's card may name, each with how it is built and used.

A new one is a module beside this one and an entry in `ARCHITECTURES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from antema.nets import deeplab, groschner, proposals, unet
from antema.nets.deeplab import DeepLab
from antema.nets.groschner import GroschnerUNet
from antema.nets.outlines import OutlineUNet
from antema.nets.unet import UNet

_PRECISE = jax.lax.Precision.HIGHEST  # published numbers hold on a GPU, too


@dataclass(frozen=True)
class Architecture:
    """How networks of one architecture are built and used.

    Parameters
    ----------
    build : callable
        From the ``architecture`` entry of a card, and keyword ``trainable``, to the network, to be called in
        `nnx.eval_shape`: running the initialisers one by one takes many seconds.
    logits : callable
        From network, normalised images (n, h, w) and the place of "particle" among the classes to the logits
        (n, h, w, n_outputs): of "particle" first, then of the card's other ``outputs``.
    window_px, margin_px : int
        Largest side of a part of an image seen at once, and what is thrown away on each of its inner sides: no less
        than the network's reach. Multiples of 32.
    encoded : callable or None
        From network and normalised images (n, h, w) to its features (n, fewer, fewer, c) from shallow to deep, by
        which images are compared; None where nobody has asked an architecture for them.
    answers : callable or None
        From network and normalised images (n, h, w) to logits (n, h, w, n_outputs), offsets and objects as
        `antema.nets.outlines.Answers` has them; None for an architecture that does not find particles one by one.
    """

    build: Callable[..., nnx.Module]
    logits: Callable[[Any, jax.Array, int], jax.Array]
    window_px: int
    margin_px: int
    encoded: Callable[[Any, jax.Array], list[jax.Array]] | None = None
    answers: Callable[[Any, jax.Array], tuple[jax.Array, jax.Array, jax.Array]] | None = None


def outputs(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the network of a card's ``architecture`` entry says of a pixel: "particle", perhaps "contact"."""
    return tuple(entry.get("outputs", ("particle",)))


def _own_logits(network: UNet, x: jax.Array, _: int) -> jax.Array:
    return network(x)


def _logit_of_scores(network: DeepLab | GroschnerUNet, x: jax.Array, particle: int) -> jax.Array:
    scores = network(_channels(network, x))
    if isinstance(network, DeepLab) and network.answers:
        return scores
    others = jax.nn.logsumexp(jnp.delete(scores, particle, axis=-1), axis=-1)
    return (scores[..., particle] - others)[..., None]


def _channels(network: DeepLab | GroschnerUNet, x: jax.Array) -> jax.Array:
    return jnp.broadcast_to(x[..., None], (*x.shape, network.n_channels))


def _deeplab_encoded(network: DeepLab, x: jax.Array) -> list[jax.Array]:
    return network.encoded(_channels(network, x))


def _unet(entry: Mapping[str, Any], *, trainable: bool = False) -> UNet:
    return UNet(features=tuple(entry["features"]), n_outputs=len(outputs(entry)), trainable=trainable, rngs=nnx.Rngs(0))


def _outline_answers(network: OutlineUNet, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    answers = network.answers(x)
    return answers.maps, answers.offsets, answers.objects


def _outline_unet(entry: Mapping[str, Any], *, trainable: bool = False) -> OutlineUNet:
    return OutlineUNet(features=tuple(entry["features"]), trainable=trainable, rngs=nnx.Rngs(0))


def _deeplab(entry: Mapping[str, Any], *, trainable: bool = False) -> DeepLab:
    return DeepLab(
        width=entry["width"],
        n_channels=entry["n_channels"],
        n_classes=len(entry["outputs"]) if "outputs" in entry else entry["n_classes"],
        answers="outputs" in entry,
        trainable=trainable,
        precision=_PRECISE,
        rngs=nnx.Rngs(0),
    )


def _groschner(entry: Mapping[str, Any], *, trainable: bool = False) -> GroschnerUNet:
    if trainable:
        msg = f"networks of kind {groschner.KIND} are imported, not taught"
        raise ValueError(msg)
    return GroschnerUNet(
        features=tuple(entry["features"]),
        n_channels=entry["n_channels"],
        n_classes=entry["n_classes"],
        precision=_PRECISE,
        rngs=nnx.Rngs(0),
    )


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "unet-stride2": Architecture(_unet, _own_logits, window_px=2560, margin_px=unet.REACH_PX, encoded=UNet.encoded),
        proposals.KIND: Architecture(
            _outline_unet,
            _own_logits,
            window_px=2560,
            margin_px=unet.REACH_PX,
            encoded=UNet.encoded,
            answers=_outline_answers,
        ),
        deeplab.KIND: Architecture(
            _deeplab, _logit_of_scores, window_px=3072, margin_px=deeplab.REACH_PX, encoded=_deeplab_encoded
        ),
        groschner.KIND: Architecture(_groschner, _logit_of_scores, window_px=2048, margin_px=groschner.REACH_PX),
    }
)
