"""What a reader may not do, each tried in a process of its own."""

import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
import errno, os, socket, sys, subprocess, threading
from pathlib import Path
from antema.imaging import sandbox

allowed, folder, other = (Path(name) for name in sys.argv[1:4])
in_force = sandbox.confine(
    readable=[allowed], writable=folder, cpu_s=20, file_bytes=1 << 20, address_bytes=4 << 30
)
print(" ".join(sorted(in_force)))
def attempt():
{body}
try:
    attempt()
except (OSError, RuntimeError, MemoryError) as error:
    print("refused", type(error).__name__)
else:
    print("done")
"""


def outcome(tmp_path, body: str) -> tuple[list[str], str]:
    """Return what is in force and how an attempt ended, ``done``, ``refused`` or the signal."""
    allowed, other, folder = tmp_path / "allowed.tif", tmp_path / "other.tif", tmp_path / "folder"
    allowed.write_text("allowed")
    other.write_text("other")
    folder.mkdir(exist_ok=True)
    program = PROGRAM.replace("{body}", textwrap.indent(body, "    "))
    command = [sys.executable, "-c", program, str(allowed), str(folder), str(other)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    lines = finished.stdout.splitlines()
    assert lines, finished.stderr
    return lines[0].split(), lines[1].split()[0] if len(lines) > 1 else f"signal {-finished.returncode}"


def test_what_reading_needs_is_allowed(tmp_path):
    body = "assert allowed.read_text() == 'allowed'; (folder / 'a').write_text('x'); (folder / 'b').symlink_to(allowed)"

    assert outcome(tmp_path, body)[1] == "done"
    assert outcome(tmp_path, "import colorsys, encodings.cp1250")[1] == "done"


@pytest.mark.parametrize(
    "body",
    [
        "other.read_text()",
        "Path('/etc/passwd').read_text()",
        "other.write_text('changed')",
        "allowed.write_text('changed')",
        "other.unlink()",
        "(folder / 'link').symlink_to(other); (folder / 'link').read_text()",
        "os.listdir('/')",
    ],
)
def test_no_other_file_is_touched(tmp_path, body):
    in_force, ended = outcome(tmp_path, body)
    if "files" not in in_force:
        pytest.skip("this kernel has no Landlock")

    assert ended == "refused"
    assert (tmp_path / "other.tif").read_text() == "other"
    assert (tmp_path / "allowed.tif").read_text() == "allowed"


@pytest.mark.parametrize(
    "body",
    [
        "socket.socket()",
        "socket.socket(socket.AF_UNIX)",
        "socket.socketpair()",
        "os.fork()",
        "os.execv(sys.executable, [sys.executable])",
        "subprocess.run([sys.executable, '-c', 'pass'], check=True)",
        "threading.Thread(target=print).start()",
        "os.kill(os.getppid(), 0)",
    ],
)
def test_no_network_no_program_and_no_thread(tmp_path, body):
    in_force, ended = outcome(tmp_path, body)
    if "calls" not in in_force:
        pytest.skip("this system has no seccomp filter")

    assert ended == "refused"


def test_files_memory_and_processor_time_are_limited(tmp_path):
    import signal

    large = "with open(folder / 'a', 'wb') as file:\n    [file.write(bytes(1 << 16)) for _ in range(64)]"
    slow = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass"

    # Python takes SIGXFSZ for an error
    assert outcome(tmp_path, large)[1] == "refused"
    assert outcome(tmp_path, "bytearray(5 << 30)")[1] == "refused"
    assert outcome(tmp_path, slow)[1] in (f"signal {signal.SIGXCPU}", f"signal {signal.SIGKILL}")
