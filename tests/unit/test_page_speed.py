"""The measured page is the whole page: no callback is left out because its inputs are not known."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.page_speed import requests_of_a_page


def server_with(*inputs: tuple[str, str]) -> Any:
    wanted = [{"id": name, "property": of} for name, of in inputs]
    dependencies = [{"output": "sample-words.children", "inputs": wanted, "state": []}]
    return SimpleNamespace(get=lambda _: (200, json.dumps(dependencies).encode()))


def test_known_inputs_are_sent_with_their_values():
    ((name, body),) = requests_of_a_page(server_with(("sample-analysis", "value")), 1, 2, 3)
    assert name == "sample-words.children"
    assert json.loads(body)["inputs"] == [{"id": "sample-analysis", "property": "value", "value": 2}]


def test_an_input_that_is_not_known_is_said():
    with pytest.raises(KeyError, match="found sample-new.value: add it"):
        requests_of_a_page(server_with(("sample-analysis", "value"), ("sample-new", "value")), 1, 2, 3)
