import json
import pickle

import h5py
import numpy as np
import pytest
from scipy.special import expit

import antema.nets.card
from antema.domain import CannotImport
from antema.nets import broken_models, load, models, verify
from antema.nets.hdf5_layers import read_layers
from antema.nets.imports import import_model
from antema.nets.network import network_of
from antema.nets.published import read_published
from tests.strategies.published_files import antema_layers, groschner_layers, write_keras, write_matlab


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where imported models go; no other is installed."""
    monkeypatch.setattr(antema.nets.card, "_SHIPPED", tmp_path / "shipped")
    monkeypatch.setenv("ANTEMA_DATA", str(tmp_path / "data"))
    load.cache_clear()
    yield tmp_path / "data" / "models"
    load.cache_clear()


def micrograph(h, w):
    return np.random.default_rng(3).integers(100, 4000, (h, w)).astype(np.uint16)


@pytest.mark.parametrize(
    ("layers", "write", "name"),
    [
        (antema_layers(), write_matlab, "antema-deeplabv3plus"),
        (antema_layers(), write_keras, "antema-deeplabv3plus"),
        (groschner_layers(), write_keras, "groschner-unet"),
    ],
)
def test_an_imported_network_is_a_model_like_others(tmp_path, folder, layers, write, name):
    card = import_model(write(tmp_path / "weights.bin", layers))
    assert card == verify(name)
    assert [card.name for card in models()] == [name]
    assert sorted(path.name for path in folder.iterdir()) == [name]
    assert card.content["classes"] == ["background", "particle"]
    assert card.content["origin"]["file"] == "weights.bin"
    for part in (card.sha256, card.licence, card.content["origin"]["sha256"]):
        assert part in (card.folder / "README.md").read_text()

    segmenter = load(name)
    for shape in ((64, 80), (300, 33)):
        result = segmenter.segment(micrograph(*shape))
        assert result.probability.shape == shape
        assert result.scales == (1.0,)
        assert result.probability.std() > 0


def test_the_particle_is_the_class_that_the_card_calls_so(tmp_path):
    card = import_model(write_keras(tmp_path / "w.h5", groschner_layers()))
    x = np.random.default_rng(0).uniform(0, 1, (64, 64)).astype(np.float32)
    particle = network_of(card).logits(x)[0]
    path = card.folder / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"classes": ["particle", "background"]}))
    background = network_of(verify(card.name)).logits(x)[0]
    np.testing.assert_allclose(expit(particle) + expit(background), 1, atol=1e-6)
    assert np.abs(particle - background).max() > 0.1


def test_windows_lie_on_the_grid_of_every_network():
    from antema.nets.architectures import ARCHITECTURES

    for architecture in ARCHITECTURES.values():
        assert architecture.window_px % 32 == architecture.margin_px % 32 == 0
        assert architecture.window_px > 2 * architecture.margin_px


def test_a_whole_keras_model_and_other_layer_numbers_are_read(tmp_path):
    layers = groschner_layers()
    plain = read_published(write_keras(tmp_path / "plain", layers))
    # Keras goes on counting where one session makes a second network
    renamed = {
        f"{name.rpartition('_')[0]}_{int(number) + 14}" if (number := name.rpartition("_")[2]).isdecimal() else name: v
        for name, v in layers.items()
    }
    whole = read_published(write_keras(tmp_path / "whole", renamed, whole_model=True))
    assert whole.architecture == plain.architecture
    for name, array in plain.weights.items():
        np.testing.assert_array_equal(whole.weights[name], array)


def test_the_published_files_are_known(shared_data):
    cards = [import_model(path) for path in sorted((shared_data / "groschner-unet").glob("*.h5"))]
    assert [card.name for card in cards] == ["groschner-unet-au-cdse", "groschner-unet-au", "groschner-unet-cdse"]
    assert all(card.content["origin"]["published"] for card in cards)


def test_the_same_file_is_imported_once_and_another_needs_a_name(tmp_path, folder):
    first = write_keras(tmp_path / "first.h5", groschner_layers(1))
    other = write_keras(tmp_path / "other.h5", groschner_layers(2))
    card = import_model(first)
    assert import_model(first) == card
    with pytest.raises(CannotImport, match=r"found groschner-unet installed; choose another with --name"):
        import_model(other)
    assert import_model(other, name="second").name == "second"
    assert sorted(path.name for path in folder.iterdir()) == ["groschner-unet", "second"]
    for bad in ("../up", "", ".hidden", "A B", "x" * 65):
        with pytest.raises(CannotImport, match="name of a model"):
            import_model(first, name=bad)


class _Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def _npz(path):
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(3))


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (lambda path: path.write_bytes(b""), "another kind of file"),
        (lambda path: path.write_bytes(b"\x08\x07\x12\x07pytorch"), "another kind of file"),
        (lambda path: path.write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200)), "exportNetworkToTensorFlow"),
        (lambda path: path.write_bytes(pickle.dumps(_Bomb())), "a Python pickle, which is never opened"),
        (_npz, "a ZIP archive"),
        (lambda path: path.mkdir(), "cannot be read"),
        (lambda path: None, "cannot be read"),
    ],
)
def test_files_of_other_kinds_are_refused(tmp_path, folder, write, found):
    write(tmp_path / "file.h5")
    with pytest.raises(CannotImport, match=rf"file\.h5: expected an HDF5 file with the weights of .*{found}"):
        import_model(tmp_path / "file.h5")
    assert not folder.exists()


def test_a_mat_file_that_is_hdf5_inside_is_told_from_an_export(tmp_path):
    with h5py.File(tmp_path / "net.mat", "w", userblock_size=512) as file:
        file["net"] = np.zeros(3)
    with (tmp_path / "net.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    with pytest.raises(CannotImport, match="a MATLAB file, whose network only MATLAB can read"):
        read_published(tmp_path / "net.mat")


def without(layers, name):
    return {key: value for key, value in layers.items() if key != name}


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ({}, r"found other layers \(0 with weights: none"),
        (without(antema_layers(), "scorer_"), "found other layers"),
        (antema_layers() | {"extra": [np.zeros((1, 1, 2, 2)), np.zeros(2)]}, "found other layers"),
        (antema_layers() | {"dec_c1_": [np.zeros((1, 1, 8, 16)), np.zeros(16)]}, "weights do not fit the network"),
        (antema_layers() | {"dec_c1_": [np.zeros(())] * 3}, "expected layers of the shapes that were published"),
        (antema_layers() | {"conv1_": [np.zeros(()), np.zeros(())]}, "expected layers of the shapes"),
        (antema_layers(n_classes=3), "expected two classes, background and particle, found 3"),
        (groschner_layers(n_classes=1), "expected two classes, background and particle, found 1"),
        (groschner_layers(features=(4, 8, 16)), "found other layers"),
        (without(groschner_layers(), "conv2d_3"), "found other layers"),
    ],
)
def test_other_networks_are_refused(tmp_path, folder, layers, reason):
    with pytest.raises(CannotImport, match=reason):
        import_model(write_keras(tmp_path / "w.h5", layers))
    assert not folder.exists()


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    layers = dict(groschner_layers())
    gamma, beta, mean, variance = layers["batch_normalization_4"]
    layers["batch_normalization_4"] = [gamma, beta, mean, variance - 5]
    with pytest.raises(CannotImport, match="expected finite weights and variances of 0 or more"):
        read_published(write_keras(tmp_path / "w.h5", layers))


def test_a_file_that_only_claims_to_be_large_is_refused(tmp_path):
    path = write_keras(tmp_path / "w.h5", groschner_layers())
    with h5py.File(path, "r+") as file:
        del file["conv2d_1/conv2d_1/kernel:0"]
        file["conv2d_1"].create_dataset("conv2d_1/kernel:0", (1 << 20, 1 << 20), np.float32, chunks=(1024, 1024))
    assert path.stat().st_size < 1e6
    with pytest.raises(CannotImport, match="expected at most 67,108,864 numbers"):
        read_published(path)


def test_links_out_of_the_file_are_not_followed(tmp_path):
    other = write_keras(tmp_path / "other.h5", groschner_layers())
    path = write_keras(tmp_path / "w.h5", groschner_layers())
    with h5py.File(path, "r+") as file:
        del file["conv2d_1/conv2d_1/kernel:0"]
        file["conv2d_1/conv2d_1/kernel:0"] = h5py.ExternalLink(str(other), "conv2d_1/conv2d_1/kernel:0")
    with pytest.raises(CannotImport, match="lies in another file"):
        read_published(path)


def test_damaged_files_crash_their_reader_at_most(tmp_path):
    whole = write_keras(tmp_path / "whole.h5", groschner_layers()).read_bytes()
    rng = np.random.default_rng(0)
    damaged = [whole[: len(whole) // 2]]
    for _ in range(4):
        content = np.frombuffer(whole, np.uint8).copy()
        at = rng.integers(8, 20_000, 40)
        content[at] = rng.integers(0, 256, len(at))
        damaged.append(content.tobytes())
    reasons = []
    for content in damaged:
        (tmp_path / "w.h5").write_bytes(content)
        try:
            read_published(tmp_path / "w.h5")
        except CannotImport as error:
            reasons.append(str(error))
    assert len(reasons) >= 2
    assert all(reason.startswith("w.h5: expected ") for reason in reasons)


def test_a_reader_that_takes_too_long_is_ended(tmp_path):
    with pytest.raises(CannotImport, match=r"expected HDF5 that is read within 0\.01 s"):
        read_layers(write_keras(tmp_path / "w.h5", groschner_layers()), timeout_s=0.01)


def test_a_failed_import_leaves_nothing(tmp_path, folder, monkeypatch):
    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr("antema.nets.imports.save", fail)
    with pytest.raises(OSError, match="disk full"):
        import_model(write_keras(tmp_path / "w.h5", groschner_layers()))
    assert list(folder.iterdir()) == []
    assert models() == []
    assert broken_models() == []
