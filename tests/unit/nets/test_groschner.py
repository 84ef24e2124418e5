import h5py
import jax
import numpy as np
import pytest
from flax import nnx
from scipy.ndimage import correlate

from antema.nets.architectures import ARCHITECTURES
from antema.nets.groschner import KIND, REACH_PX, GroschnerUNet
from antema.nets.published import read_published
from antema.nets.weights import first_weights, set_weights
from tests.strategies.published_files import groschner_layers, write_keras

PUBLISHED = ("unet481632_AuDots_07b_final.h5", "unet481632_CdSeDots_08b_final.h5", "unet32_AuCdSeDots_09_final.h5")


class Reference:
    """The network layer by layer in SciPy, straight from a file: as published, nothing folded."""

    def __init__(self, path):
        self.file = h5py.File(path, "r")
        self.number = 0

    def layer(self, name, *variables):
        return [self.file[f"{name}/{name}/{variable}:0"][()].astype(np.float64) for variable in variables]

    def conv_norm(self, x):
        self.number += 1
        x = self.conv(x, f"conv2d_{self.number}")
        name = f"batch_normalization_{self.number}"
        gamma, beta, mean, variance = self.layer(name, "gamma", "beta", "moving_mean", "moving_variance")
        return gamma * (x - mean) / np.sqrt(variance + 1e-4) + beta

    def conv(self, x, name):
        kernel, bias = self.layer(name, "kernel", "bias")
        return np.stack(
            [
                sum(correlate(x[..., i], kernel[:, :, i, o], mode="constant") for i in range(x.shape[-1])) + bias[o]
                for o in range(kernel.shape[-1])
            ],
            axis=-1,
        )

    def __call__(self, x):
        x = x[..., None].astype(np.float64)
        skips = []
        for _ in range(4):
            x = self.conv_norm(x)
            skips.append(np.maximum(x, 0))
            x = np.maximum(np.maximum(x[::2, ::2], x[1::2, ::2]), np.maximum(x[::2, 1::2], x[1::2, 1::2]))
        for _ in range(2):
            x = np.maximum(self.conv_norm(x), 0)
        for skip in reversed(skips):
            x = np.concatenate([skip, np.kron(x, np.ones((2, 2, 1)))], axis=-1)
            for _ in range(2):
                x = np.maximum(self.conv_norm(x), 0)
        scores = np.exp(self.conv(x, "final_layer"))
        return scores[..., 1] / scores.sum(axis=-1)


def probability(path, x):
    published = read_published(path)
    architecture = ARCHITECTURES[KIND]
    network = nnx.eval_shape(lambda: architecture.build(published.architecture))
    set_weights(network, published.weights)
    return jax.nn.sigmoid(jax.jit(lambda x: architecture.logits(network, x[None], 1)[0, ..., 0])(x))


def image(h, w):
    return np.random.default_rng(5).uniform(0.2, 0.8, (h, w)).astype(np.float32)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_networks_give_what_their_layers_give_one_by_one(shared_data, name):
    path = shared_data / "groschner-unet" / name
    x = image(48, 64)
    expected = Reference(path)(x)
    assert expected.std() > 0.01
    np.testing.assert_allclose(probability(path, x), expected, rtol=0, atol=1e-5)


def test_made_up_weights_do_so_too(tmp_path):
    path = write_keras(tmp_path / "weights", groschner_layers())
    x = image(32, 48)
    np.testing.assert_allclose(probability(path, x), Reference(path)(x), rtol=0, atol=1e-5)


def test_the_network_reaches_no_further_than_the_windows_overlap():
    network = nnx.eval_shape(lambda: GroschnerUNet(rngs=nnx.Rngs(0)))
    set_weights(
        network,
        {
            name: np.full_like(array, 0 if name.endswith("bias") else 1 / array[..., 0].size)
            for name, array in first_weights(network, 0).items()
        },
    )
    point = np.zeros((1, 256, 256, 1), np.float32)
    point[0, 142, 142] = 1e30
    changed = np.argwhere(np.asarray(jax.jit(lambda x: network(x))(point))[0, ..., 0] > 0)
    assert 80 < np.abs(changed - 142).max() <= REACH_PX
