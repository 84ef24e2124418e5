import hashlib
import json
import shutil

import pytest

from antema.domain import AntemaError, NotFound
from antema.nets import broken_models, load, models, verify


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


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (json.dumps({"title": "half a card"}), "found no task, description"),
        ("{", "JSONDecodeError"),
        ("[1]", "expected an object, found list"),
        ("[" * 100_000, "RecursionError"),
        (b"\xff\xfe", "UnicodeDecodeError"),
        ({"threshold": 1.5}, "the threshold is 1.5"),
        ({"threshold": "high"}, "the threshold is 'high'"),
        ({"metrics": [1]}, "metrics is list, not dict"),
        ({"architecture": "unet"}, "architecture is str, not dict"),
        ({"title": None}, "title is NoneType, not str"),
    ],
)
def test_a_broken_card_is_named_and_the_others_work(model_folder, content, reason):
    broken = model_folder.parent / "broken"
    shutil.copytree(model_folder, broken)
    if isinstance(content, dict):
        content = json.dumps(json.loads((broken / "card.json").read_text()) | content)
    (broken / "card.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert [card.name for card in models()] == ["tiny"]
    assert [model.name for model in broken_models()] == ["broken"]
    assert reason in broken_models()[0].reason
    assert load("default").name == "tiny"
    with pytest.raises(NotFound, match=r"model broken: expected a card with task"):
        load("broken")


def test_a_model_that_is_being_written_is_none(model_folder):
    shutil.copytree(model_folder, model_folder.parent / ".import-1")
    assert [card.name for card in models()] == ["tiny"]
    assert broken_models() == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"architecture": {"kind": "transformer"}}, r"expected an architecture of kind unet-stride2, .*'transformer'"),
        ({"architecture": {"kind": "unet-stride2"}}, "features"),
        (
            {"architecture": {"kind": "unet-stride2", "features": ["a"]}},
            "expected an architecture and weights that fit",
        ),
        ({"classes": ["dark", "bright"]}, "an architecture and weights that fit"),
        ({"normalisation": "histogram"}, "expected a normalisation of percentiles, .*'histogram'"),
        ({"scale": "huge"}, "a scale of by particle width, native, found 'percentiles' and 'huge'"),
    ],
)
def test_a_card_that_cannot_be_used_says_why(model_folder, changes, reason):
    card = json.loads((model_folder / "card.json").read_text())
    (model_folder / "card.json").write_text(json.dumps(card | changes))
    with pytest.raises(AntemaError, match=reason):
        load("tiny")


def test_a_weight_file_of_another_format_is_refused(model_folder):
    (model_folder / "weights.safetensors").write_bytes(b"PK weights")
    card = json.loads((model_folder / "card.json").read_text())
    card["sha256"] = hashlib.sha256(b"PK weights").hexdigest()
    (model_folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(AntemaError, match="expected a safetensors file"):
        load("tiny")


def test_weights_of_another_architecture_are_refused(model_folder):
    card = json.loads((model_folder / "card.json").read_text())
    card["architecture"]["features"] = [4, 6, 10]
    (model_folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(AntemaError, match="do not fit the network"):
        load("tiny")
