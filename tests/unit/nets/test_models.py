import json
import shutil

import pytest

from antema.domain import AntemaError, NotFound
from antema.nets import load, models, verify


def test_a_shipped_default_is_found_and_verified(model_folder):
    assert [card.name for card in models()] == ["tiny"]
    assert verify("default").name == "tiny"
    segmenter = load()
    assert segmenter.name == "tiny"
    assert segmenter.threshold == 0.4
    assert segmenter.card["licence"] == "MIT"
    assert load() is segmenter


def test_a_tampered_weight_file_is_refused(model_folder):
    path = model_folder / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(AntemaError, match="not the one of the card"):
        load("tiny")


def test_absent_weights_are_named(model_folder):
    (model_folder / "weights.safetensors").unlink()
    with pytest.raises(AntemaError, match="found no such file"):
        verify("tiny")


def test_an_unknown_model_names_the_known_ones(model_folder):
    with pytest.raises(NotFound, match="tiny"):
        load("other")


def test_a_users_model_is_found_but_is_no_default(model_folder, tmp_path, monkeypatch):
    own = tmp_path / "data" / "models" / "mine"
    shutil.copytree(model_folder, own)
    monkeypatch.setenv("ANTEMA_DATA", str(tmp_path / "data"))
    assert [card.name for card in models()] == ["tiny", "mine"]
    assert load("mine").name == "mine"
    assert load("default").name == "tiny"


def test_a_card_that_is_none_is_named(model_folder):
    (model_folder / "card.json").write_text(json.dumps({"title": "half a card"}))
    with pytest.raises(AntemaError, match=r"model tiny: expected a card .*task"):
        models()


def test_weights_of_another_architecture_are_refused(model_folder):
    card = json.loads((model_folder / "card.json").read_text())
    card["architecture"]["features"] = [4, 6, 10]
    (model_folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(AntemaError, match="do not fit the network"):
        load("tiny")
