"""What the networks are built of."""

import jax
from flax import nnx

Padding = str | tuple[tuple[int, int], tuple[int, int]]


class ConvUnit(nnx.Module):
    """A convolution, batch normalisation while training, and a rectifier.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    trainable : bool
        With batch normalisation; without it the convolution has a bias (see `antema.nets.weights.folded`).
    kernel_px, stride, dilation : int
        Of the convolution, the same along both axes.
    padding : str or pair of pairs of int
        ``SAME`` puts an odd pixel at the end, as TensorFlow does.
    rectified : bool
        Whether negative values become 0.
    precision : lax.Precision, optional
        Of the products; a GPU takes fewer bits of them unless told ``HIGHEST``.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        trainable: bool,
        kernel_px: int = 3,
        stride: int = 1,
        dilation: int = 1,
        padding: Padding = "SAME",
        rectified: bool = True,
        precision: jax.lax.Precision | None = None,
        rngs: nnx.Rngs,
    ) -> None:
        self.conv = nnx.Conv(
            n_in,
            n_out,
            (kernel_px, kernel_px),
            strides=stride,
            kernel_dilation=dilation,
            padding=padding,
            use_bias=not trainable,
            precision=precision,
            rngs=rngs,
        )
        self.norm = nnx.BatchNorm(n_out, momentum=0.98, rngs=rngs) if trainable else None
        self.rectified = rectified

    def __call__(self, x: jax.Array) -> jax.Array:
        """Return the features of `x` (n, h, w, n_in) as (n, h / stride, w / stride, n_out)."""
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        return jax.nn.relu(x) if self.rectified else x
