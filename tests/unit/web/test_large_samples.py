"""The largest sample that a server takes stays within what a request may carry."""

import json
from typing import Any

import pytest

from antema.settings import Settings
from antema.web.guard import MOST_BODY_BYTES


@pytest.fixture(scope="module")
def callbacks(tmp_path_factory) -> list[dict[str, Any]]:
    from antema.settings import get_settings
    from antema.web.app import create_app

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTEMA_DATA", str(tmp_path_factory.mktemp("data")))
        get_settings.cache_clear()
        app = create_app()
        answer = app.server.test_client().get("/_dash-dependencies")
    get_settings.cache_clear()
    return answer.get_json()


def test_a_callback_on_every_micrograph_of_the_largest_sample_is_small_enough(callbacks):
    most = Settings.model_fields["max_sample_micrographs"].default
    for callback in callbacks:
        size = 0
        for part in callback["inputs"] + callback["state"]:
            identity = json.loads(part["id"]) if part["id"].startswith("{") else part["id"]
            if isinstance(identity, dict) and "micrograph" in identity:
                sent = {"id": {**identity, "micrograph": 99_999}, "property": part["property"], "value": ["on"]}
                if part["property"] == "id":
                    sent["value"] = sent["id"]
                size += most * len(json.dumps(sent, separators=(",", ":")) + ",")
        assert size < 0.9 * MOST_BODY_BYTES, callback["output"]
