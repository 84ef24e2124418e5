"""The network that finds particles one by one: the U-Net's maps, and from its features what each particle is.

Beside the maps at full resolution it says, for every fourth pixel, whether it lies near the middle of a particle and
how far the particle reaches from there in 32 directions, also under what covers it (star-convex polygons: Schmidt,
Weigert, Broaddus and Myers, "Cell detection with star-convex polygons", MICCAI 2018), and for every second pixel where
the middle of its particle lies (Neven et al., "Instance segmentation by jointly optimizing spatial embeddings and
clustering bandwidth", CVPR 2019). Rays find particles and tell their hidden parts; offsets share the visible pixels out
among them, which rods, plates and branched shapes need.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx

from antema.nets.layers import ConvUnit
from antema.nets.proposals import N_RAYS, OUTPUTS
from antema.nets.unet import FEATURES, UNet, channels_to_pixels, twice

_FEATURES_OF_OBJECTS = 48


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Answers:
    """What the network says of images (n, h, w).

    Parameters
    ----------
    maps : Array, shape (n, h, w, 3)
        Logits of `OUTPUTS`.
    offsets : Array, shape (n, h / 2, w / 2, 2)
        Columns and rows to the middle of the particle, in units of `OFFSET_UNIT_PX`.
    objects : Array, shape (n, h / 4, w / 4, 2 + 32)
        Logit of being near a particle's middle (0 at its outline, 1 in the middle), logit of the overlap that the
        polygon will have with the particle, natural logarithms of the rays' lengths in pixels.
    """

    maps: jax.Array
    offsets: jax.Array
    objects: jax.Array


class OutlineUNet(UNet):
    """The U-Net with heads for particles.

    Parameters
    ----------
    features : sequence of int
        As of `UNet`.
    trainable : bool
        As of `UNet`; the heads have no batch normalisation.
    """

    def __init__(self, *, features: Sequence[int] = FEATURES, trainable: bool = False, rngs: nnx.Rngs) -> None:
        super().__init__(features=features, n_outputs=len(OUTPUTS), trainable=trainable, rngs=rngs)
        n = _FEATURES_OF_OBJECTS
        self.of_objects = nnx.List(
            [
                ConvUnit(features[1] + features[2], n, kernel_px=1, trainable=False, rngs=rngs),
                ConvUnit(n, n, trainable=False, rngs=rngs),
                ConvUnit(n, n, trainable=False, rngs=rngs),
            ]
        )
        self.objects = nnx.Conv(n, 2 + N_RAYS, (1, 1), rngs=rngs)
        self.of_offsets = ConvUnit(features[0], 2 * features[0], trainable=False, rngs=rngs)
        self.offsets = nnx.Conv(2 * features[0], 2, (1, 1), rngs=rngs)

    def answers(self, x: jax.Array) -> Answers:
        """Return what the network says of normalised grey values (n, h, w), sides multiples of its stride."""
        *_, eighth, quarter, half = self.decoded(x)
        found = jnp.concatenate([quarter, twice(eighth)], axis=-1)
        for unit in self.of_objects:
            found = unit(found)
        return Answers(channels_to_pixels(self.head(half)), self.offsets(self.of_offsets(half)), self.objects(found))
