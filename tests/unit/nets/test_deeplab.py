import ast
import csv

import jax
import numpy as np
import pytest
from flax import nnx

from antema.nets.architectures import ARCHITECTURES
from antema.nets.deeplab import KIND, REACH_PX, DeepLab, _Enlargement, _max_pool
from antema.nets.published import read_published
from antema.nets.weights import first_weights, flat_weights, folded, set_weights
from tests.strategies.published_files import antema_layers, write_matlab


def built(*, width=4, seed=0, **options):
    network = nnx.eval_shape(lambda: DeepLab(width=width, rngs=nnx.Rngs(0), **options))
    set_weights(network, first_weights(network, seed))
    return network


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def golden_layers(path):
    """The made-up weights that the golden output was made with."""
    with path.open() as file:
        rows = [row for row in csv.DictReader(file) if row["variables"] != "[]"]
    layers = {}
    for k, row in enumerate(rows):
        layers[row["layer"]] = variables = []
        for j, shape in enumerate(ast.literal_eval(row["variables"])):
            z = np.random.default_rng([2023, k, j]).standard_normal(shape).astype(np.float32)
            if row["type"] == "BatchNormalization":
                values = (1 + 0.1 * z, 0.1 * z, 0.1 * z, 1 + 0.1 * np.abs(z))[j]
            elif len(shape) == 4:
                n_in = shape[3] if row["type"] == "Conv2DTranspose" else shape[2]
                values = z * np.sqrt(2 / (shape[0] * shape[1] * n_in))
            else:
                values = 0.1 * z
            variables.append(values.astype(np.float32))
    return layers


def test_antemas_export_gives_what_tensorflow_gives(shared_data, tmp_path):
    layers = golden_layers(shared_data / "antema-net" / "layers.csv")
    assert sum(values.size for variables in layers.values() for values in variables) == 20_620_916
    published = read_published(write_matlab(tmp_path / "weights.h5", layers))
    assert published.architecture == {"kind": KIND, "width": 64, "n_channels": 3, "n_classes": 2}
    network = nnx.eval_shape(lambda: ARCHITECTURES[KIND].build(published.architecture))
    set_weights(network, published.weights)
    golden = np.load(shared_data / "antema-net" / "golden.npz")
    found = jax.jit(lambda x: jax.nn.softmax(network(x)))(golden["input"])
    np.testing.assert_allclose(found, golden["softmax"], rtol=0, atol=1e-4)


def test_sizes_are_parameters():
    network = built(width=8, n_channels=1, n_classes=4)
    assert jax.eval_shape(network, noise(2, 48, 32, 1)).shape == (2, 48, 32, 4)
    half = nnx.eval_shape(lambda: DeepLab(width=32, rngs=nnx.Rngs(0)))
    numbers = sum(leaf.size for leaf in jax.tree.leaves(nnx.state(half)))
    assert numbers == pytest.approx(20_620_916 / 4, rel=0.01)


def test_batch_normalisation_folds_into_the_convolutions():
    network = built(trainable=True)
    rng = np.random.default_rng(1)
    weights = {
        name: rng.uniform(0.5, 1.5, array.shape).astype(np.float32) if ".norm." in name else array
        for name, array in flat_weights(network).items()
    }
    set_weights(network, weights)
    network.eval()
    inference = built()
    set_weights(inference, folded(weights))
    x = noise(1, 32, 48, 3)
    np.testing.assert_allclose(inference(x), network(x), rtol=1e-3, atol=1e-3)


def test_the_maximum_is_that_of_three_by_three_pixels():
    x = np.abs(noise(2, 12, 16, 3))
    expected = nnx.max_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)))
    np.testing.assert_array_equal(_max_pool(x), expected)


def test_the_enlargement_is_a_transposed_convolution():
    network = nnx.eval_shape(lambda: _Enlargement(3, precision=None, rngs=nnx.Rngs(0)))
    kernel, bias, x = noise(8, 8, 3, 3), noise(3, seed=1), noise(2, 5, 7, 3, seed=2)
    set_weights(network, {"kernel": kernel, "bias": bias})
    expected = jax.lax.conv_transpose(x, kernel, (4, 4), "VALID", transpose_kernel=True)[:, 2:-2, 2:-2] + bias
    assert network(x).shape == (2, 20, 28, 3)
    np.testing.assert_allclose(network(x), expected, atol=1e-4)


def test_the_network_reaches_no_further_than_the_windows_overlap():
    # every kernel made positive: what an input pixel can reach, it changes
    network = built(n_channels=1)
    set_weights(
        network,
        {
            name: np.full_like(array, 0 if name.endswith("bias") else 1 / array[..., 0].size)
            for name, array in flat_weights(network).items()
        },
    )
    point = np.zeros((1, 1280, 1280, 1), np.float32)
    point[0, 641, 641] = 1e30
    changed = np.argwhere(np.asarray(jax.jit(lambda x: network(x))(point))[0, ..., 0] > 0)
    assert 512 < np.abs(changed - 641).max() <= REACH_PX


def test_the_layers_of_the_export_fill_every_width(tmp_path):
    published = read_published(write_matlab(tmp_path / "any.name", antema_layers(width=8)))
    assert published.architecture["width"] == 8
