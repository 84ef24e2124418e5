import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from antema.settings import Settings, get_settings

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def documented() -> dict[str, str]:
    rows = re.findall(r"^\| `ANTEMA_([A-Z_]+)` \| (.+?) \| (.+?) \|$", DOCS.read_text(), flags=re.MULTILINE)
    return {name.lower(): default.strip("`") for name, default, _ in rows}


def test_every_setting_is_documented_and_every_documented_one_exists():
    assert set(documented()) == set(Settings.model_fields)


def test_every_setting_has_a_description():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_documented_defaults_are_the_defaults(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ANTEMA_{name.upper()}", raising=False)
    defaults = Settings()
    assert defaults.data == tmp_path / "data"
    expected = {name: value for name, value in documented().items() if name != "data"}
    found = {}
    for name in expected:
        value = getattr(defaults, name)
        if value == "":
            found[name] = "empty"
        else:
            found[name] = f"{value:g}" if isinstance(value, float) else str(value).lower()
    assert found == expected


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("ANTEMA_DATA", str(tmp_path / "here"))
    monkeypatch.setenv("ANTEMA_JOB_SLOTS", "3")
    monkeypatch.setenv("ANTEMA_DEMO", "false")
    settings = Settings()
    assert (settings.data, settings.job_slots, settings.demo) == (tmp_path / "here", 3, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEVICE", "tpu"),
        ("JOB_SLOTS", "0"),
        ("PORT", "70000"),
        ("FORWARDED_USER_HEADER", "X-User: root"),
        ("MAX_UPLOAD_MB", "much"),
    ],
)
def test_nonsense_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"ANTEMA_{name}", value)
    with pytest.raises(ValidationError):
        Settings()


def test_settings_are_read_once():
    assert get_settings() is get_settings()
