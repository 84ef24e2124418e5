"""The level of the log reaches every process: the server's, a job's, a reader's of files."""

import subprocess
import sys

import pytest

from tests.strategies.server import ROOT

_READ = """
import sys
from pathlib import Path
from antema.logs import start_logging
start_logging()
from antema.imaging import read_safely as read
path = Path(sys.argv[1])
from PIL import Image
Image.new("L", (64, 64), 7).save(path)
read(path)
"""


def said(tmp_path, level: str, code: str) -> str:
    environment = {
        "PATH": "/usr/bin:/bin",
        "ANTEMA_LOG_LEVEL": level,
        "ANTEMA_DATA": str(tmp_path),
        "HOME": str(tmp_path),
    }
    command = [sys.executable, "-c", code, str(tmp_path / "x.png")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stderr


@pytest.mark.parametrize(("level", "speaks"), [("debug", True), ("info", False)])
def test_a_reader_of_files_logs_from_the_level_on(level, speaks, tmp_path):
    assert ("DEBUG PIL.PngImagePlugin: STREAM" in said(tmp_path, level, _READ)) == speaks


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        ("debug", {"antema debug", "antema info", "antema warning", "other debug", "other info", "other warning"}),
        ("info", {"antema info", "antema warning", "other warning"}),
        ("warning", {"antema warning", "other warning"}),
        ("error", set()),
    ],
)
def test_the_program_speaks_from_the_level_on_and_libraries_from_warning_on(level, heard, tmp_path):
    code = """
import logging
from antema.web.manager import _work
def job():
    for name in ("antema.x", "other"):
        for level in ("debug", "info", "warning"):
            getattr(logging.getLogger(name), level)(f"{name.partition('.')[0]} {level}")
_work(job)
"""
    found = {line.split(": ", 1)[1] for line in said(tmp_path, level, code).splitlines() if ": " in line}
    assert found & {f"{n} {s}" for n in ("antema", "other") for s in ("debug", "info", "warning")} == heard
