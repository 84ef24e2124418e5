"""DeepLabv3+ on ResNet-18, the segmentation network of ANTEMA.

The encoder (Chen et al. 2018, arXiv:1802.02611) works at 1/16 of the image's width: ResNet-18 whose
last stage is dilated by 2 instead of strided, then four parallel convolutions of different reach. The decoder
joins their enlarged features to those at 1/4 of the width.
"""

from functools import reduce

import jax
import jax.numpy as jnp
from flax import nnx

from antema.nets.layers import ConvUnit, Padding

KIND = "deeplabv3plus-resnet18"
FULL_WIDTH = 64
"""Features of the first convolution in the published network; 32 makes one of a quarter of the weights."""
STRIDE = 16
"""Sides of an input must be multiples of this many pixels."""
REACH_PX = 544
"""A pixel of the output depends on no input pixel further away than this."""
DILATIONS = (1, 6, 12, 18)
"""Of the four parallel convolutions, in pixels at 1/16 of the width; the first is 1 x 1."""

_ONE_ROUND: Padding = ((1, 1), (1, 1))


class _Block(nnx.Module):
    """Two convolutions beside a shortcut, which has a convolution of its own where the shape changes."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        stride: int = 1,
        dilations: tuple[int, int] = (1, 1),
        padding: Padding = "SAME",
        trainable: bool,
        precision: jax.lax.Precision | None,
        rngs: nnx.Rngs,
    ) -> None:
        def unit(n_in: int, *, dilation: int, rectified: bool, stride: int = 1, padding: Padding = "SAME") -> ConvUnit:
            return ConvUnit(
                n_in,
                n_out,
                stride=stride,
                dilation=dilation,
                padding=padding,
                rectified=rectified,
                trainable=trainable,
                precision=precision,
                rngs=rngs,
            )

        self.first = unit(n_in, dilation=dilations[0], stride=stride, padding=padding, rectified=True)
        self.second = unit(n_out, dilation=dilations[1], rectified=False)
        projection = ConvUnit(
            n_in,
            n_out,
            kernel_px=1,
            stride=stride,
            rectified=False,
            trainable=trainable,
            precision=precision,
            rngs=rngs,
        )
        self.shortcut = projection if n_in != n_out else None

    def __call__(self, x: jax.Array) -> jax.Array:
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return jax.nn.relu(self.second(self.first(x)) + shortcut)


# Of a kernel of 8 pixels set down at every fourth one, each pixel of the enlarged image meets two: its own pixel and
# the one before it (its first two quarters), or the one after it and its own (the last two).
_TAPS = ((6, 7, 4, 5), (2, 3, 0, 1))


class _Enlargement(nnx.Module):
    """A learned enlargement by 4: transposed convolution of 8 x 8 pixels, the outermost 2 of the result cut off.

    It is computed as one product of matrices that gives 4 x 4 values for each 2 x 2 pixels: on a CPU the whole
    network takes twice as long with a transposed convolution, and five times as long to learn with a plain one.

    Parameters
    ----------
    n : int
        Channels.
    precision : lax.Precision, optional
        Of the products.
    """

    def __init__(self, n: int, *, precision: jax.lax.Precision | None, rngs: nnx.Rngs) -> None:
        self.kernel = nnx.Param(nnx.initializers.lecun_normal()(rngs.params(), (8, 8, n, n)))
        self.bias = nnx.Param(jnp.zeros(n))
        self.precision = precision

    def __call__(self, x: jax.Array) -> jax.Array:
        """Return `x` (n, h, w, c) as (n, 4 h, 4 w, c); the kernel's axes are height, width, out, in."""
        n, h, w, c = x.shape
        taps = jnp.array(_TAPS)
        kernel = self.kernel[...][taps][:, :, taps]  # (pixel, quarter) along y, the same along x, out, in
        kernel = kernel.transpose(0, 2, 5, 1, 3, 4).reshape(2, 2, c, 16 * c)
        around = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        four = [around[:, i : i + h + 1, j : j + w + 1] for i in range(2) for j in range(2)]
        y = jnp.matmul(jnp.concatenate(four, axis=-1), kernel.reshape(4 * c, 16 * c), precision=self.precision)
        y = y.reshape(n, h + 1, w + 1, 4, 4, c)
        y = jnp.concatenate([y[:, :h, :, :2], y[:, 1:, :, 2:]], axis=3)
        y = jnp.concatenate([y[:, :, :w, :, :2], y[:, :, 1:, :, 2:]], axis=4)
        return y.transpose(0, 1, 3, 2, 4, 5).reshape(n, 4 * h, 4 * w, c) + self.bias[...]


class DeepLab(nnx.Module):
    """DeepLabv3+ on ResNet-18.

    Parameters
    ----------
    width : int
        Features of the first convolution, a multiple of 4; those of all others grow with it.
    n_channels : int
        Channels of the input.
    n_classes : int
        Classes of the output.
    answers : bool
        Whether the output is one logit for each of several questions instead of the scores of classes.
    trainable : bool
        Whether the convolutions carry batch normalisation.
    precision : lax.Precision, optional
        Of the products; ``HIGHEST`` gives the published network's numbers on a GPU, too.
    """

    def __init__(
        self,
        *,
        width: int = FULL_WIDTH,
        n_channels: int = 3,
        n_classes: int = 2,
        answers: bool = False,
        trainable: bool = False,
        precision: jax.lax.Precision | None = None,
        rngs: nnx.Rngs,
    ) -> None:
        self.n_channels, self.answers = n_channels, answers
        common = {"trainable": trainable, "precision": precision, "rngs": rngs}
        w = width
        self.stem = ConvUnit(n_channels, w, kernel_px=7, stride=2, padding=((3, 3), (3, 3)), **common)
        self.shallow = nnx.List([_Block(w, w, **common), _Block(w, w, **common)])
        self.deep = nnx.List(
            [
                # the published network strides once with a row of zeros all round and once as TensorFlow pads
                _Block(w, 2 * w, stride=2, padding=_ONE_ROUND, **common),
                _Block(2 * w, 2 * w, **common),
                _Block(2 * w, 4 * w, stride=2, **common),
                _Block(4 * w, 4 * w, **common),
                _Block(4 * w, 8 * w, dilations=(1, 2), **common),
                _Block(8 * w, 8 * w, dilations=(2, 2), **common),
            ]
        )
        self.context = nnx.List(
            [ConvUnit(8 * w, 4 * w, kernel_px=1 if d == 1 else 3, dilation=d, **common) for d in DILATIONS]
        )
        self.joined = ConvUnit(len(DILATIONS) * 4 * w, 4 * w, kernel_px=1, **common)
        self.enlarged = _Enlargement(4 * w, precision=precision, rngs=rngs)
        self.detail = ConvUnit(w, 3 * w // 4, kernel_px=1, **common)
        self.refined = nnx.List([ConvUnit(4 * w + 3 * w // 4, 4 * w, **common), ConvUnit(4 * w, 4 * w, **common)])
        self.scores = nnx.Conv(4 * w, n_classes, (1, 1), precision=precision, rngs=rngs)
        self.full_size = _Enlargement(n_classes, precision=precision, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Return the scores of the classes.

        Parameters
        ----------
        x : Array, shape (n, h, w, n_channels)
            Normalised image; h and w multiples of 16.

        Returns
        -------
        Array, shape (n, h, w, n_classes)
            Logarithms of the classes' probabilities up to a constant of each pixel: a softmax gives these.
        """
        shallow, x = self._encoded(x)
        x = self.joined(jnp.concatenate([unit(x) for unit in self.context], axis=-1))
        x = jnp.concatenate([self.detail(shallow), self.enlarged(x)], axis=-1)
        for unit in self.refined:
            x = unit(x)
        return self.full_size(self.scores(x))

    def encoded(self, x: jax.Array) -> list[jax.Array]:
        """Return the features of `x` (n, h, w, n_channels) at 1/4 and at 1/16 of its width."""
        return list(self._encoded(x))

    def _encoded(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        x = _max_pool(self.stem(x))
        for block in self.shallow:
            x = block(x)
        shallow = x
        for block in self.deep:
            x = block(x)
        return shallow, x


def _max_pool(x: jax.Array) -> jax.Array:
    """Return the maximum over 3 x 3 pixels at every second pixel of `x` >= 0, with zeros around it."""
    # maxima of slices: the gradient of max_pool is several times slower on a CPU
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    h, w = x.shape[1] - 2, x.shape[2] - 2
    x = reduce(jnp.maximum, [x[:, i : i + h : 2] for i in range(3)])
    return reduce(jnp.maximum, [x[:, :, i : i + w : 2] for i in range(3)])
