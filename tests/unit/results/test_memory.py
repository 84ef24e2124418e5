"""What was made of a result once is remembered, and never in the way of a true number."""

import json
import math
import multiprocessing
import sqlite3
import stat
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from antema.results import memory as module
from antema.results.columns import narrow_table, packed, unpacked
from antema.results.memory import Memory, key_of


@pytest.fixture
def memory(tmp_path):
    kept = Memory(tmp_path / "data" / "memory", 2**24)
    yield kept
    kept.close()


def fail():
    msg = "expected that nothing is made again"
    raise AssertionError(msg)


def test_a_value_is_made_once(memory):
    made = {"mean": 1.0 / 3, "none": None, "nan": math.nan, "list": [1, "ä"]}
    first, again = memory.value(["a", 1], lambda: made), memory.value(["a", 1], fail)
    assert json.dumps(first) == json.dumps(again) == json.dumps(made)
    assert memory.content("b", lambda: b"\x00picture") == memory.content("b", fail) == b"\x00picture"


def test_another_key_is_another_value(memory):
    assert [memory.value(["a", k], lambda k=k: k) for k in (1, 2, True)] == [1, 2, True]


def test_what_changes_while_a_value_is_made_is_not_taken_for_what_was(memory):
    excluded = []

    def made():
        excluded.append(1)
        return 5

    assert memory.value(lambda: ["n", excluded], made) == 5
    excluded.clear()
    assert memory.value(lambda: ["n", excluded], lambda: 6) == memory.value(["n", []], fail) == 6


def test_another_state_of_the_program_makes_its_own(memory, monkeypatch):
    memory.value("a", lambda: 1)
    monkeypatch.setattr(module, "_program", lambda: "another")
    assert memory.value("a", lambda: 2) == 2


def test_without_room_nothing_is_remembered(tmp_path):
    kept = Memory(tmp_path / "memory", 0)
    assert [kept.value("a", lambda k=k: k) for k in (1, 2)] == [1, 2]
    assert not kept.remembers
    assert not (tmp_path / "memory").exists()


def test_the_folder_is_for_the_owner_alone(memory, tmp_path):
    memory.value("a", lambda: 1)
    assert stat.S_IMODE((tmp_path / "data" / "memory").stat().st_mode) == stat.S_IRWXU


def test_a_system_without_locks_of_processes_will_do(memory, monkeypatch):
    monkeypatch.setattr(module, "fcntl", None)
    assert memory.value("a", lambda: 1) == memory.value("a", fail) == 1


def test_it_stays_within_its_bound(tmp_path):
    kept = Memory(tmp_path, 2**20)
    for k in range(40):
        kept.content(["large", k], lambda: bytes(2**17))
    used = sum(path.stat().st_size for path in tmp_path.rglob("*.val"))
    assert used <= 2 * 2**20
    kept.close()


def test_a_flipped_bit_counts_as_absent(tmp_path):
    kept = Memory(tmp_path, 2**24)
    kept.content("large", lambda: bytes(range(256)) * 1000)
    (file,) = tmp_path.rglob("*.val")
    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    file.write_bytes(content)
    assert kept.content("large", lambda: b"made again") == b"made again"
    kept.close()


def test_a_damaged_memory_is_made_anew(tmp_path):
    (tmp_path / "cache.db").write_bytes(b"no database" * 1000)
    kept = Memory(tmp_path, 2**24)
    assert kept.value("a", lambda: 1) == kept.value("a", fail) == 1
    kept.close()


def test_nothing_that_somebody_pickled_is_opened(tmp_path):
    kept = Memory(tmp_path, 2**24)
    kept.value("a", lambda: 1)
    with sqlite3.connect(tmp_path / "cache.db") as connection:
        connection.execute("UPDATE Cache SET mode = 4, value = ?", (b"cos\nsystem\n(S'touch /tmp/pickled'\ntR.",))
    connection.close()
    assert kept.value("a", lambda: 2) == 2
    assert not Path("/tmp/pickled").exists()
    kept.close()


def test_many_who_ask_at_once_wait_for_one(memory):
    made = []

    def make():
        made.append(1)
        time.sleep(0.2)
        return 7

    found = []
    threads = [threading.Thread(target=lambda: found.append(memory.value("slow", make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [7] * 8
    assert len(made) == 1


def _ask(folder, log):
    kept = Memory(folder, 2**24)

    def make():
        with log.open("a") as file:
            file.write("made\n")
        time.sleep(0.5)
        return 7

    assert kept.value("slow", make) == 7
    kept.close()


def test_processes_wait_for_each_other_too(tmp_path):
    Memory(tmp_path / "memory", 2**24).close()
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_ask, args=(tmp_path / "memory", tmp_path / "log")) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert (tmp_path / "log").read_text() == "made\n"


def test_a_failure_is_not_remembered(memory):
    with pytest.raises(ZeroDivisionError):
        memory.value("a", lambda: 1 / 0)
    assert memory.value("a", lambda: 2) == 2


def test_keys_are_digests_of_all_that_is_given():
    assert key_of(["a", 1]) == key_of(["a", 1]) != key_of(["a", "1"])


def test_columns_come_back_as_they_were():
    n = 5
    columns = {
        "micrograph_id": np.arange(n),
        "particle": np.arange(n),
        "area_nm2": np.array([1.5, np.nan, 3, 1 / 3, 0]),
        "crystallinity_reason": np.array([0, 1, 2, 0, 0], np.int8),
    }
    found, dropped, dropped_nm2 = unpacked(packed(columns, {"touches_border": 3}, {"touches_border": 2.5}))
    assert (dropped, dropped_nm2) == ({"touches_border": 3}, {"touches_border": 2.5})
    for name, values in columns.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == values.dtype
    table = narrow_table(found)
    assert table["status"].tolist() == ["measured"] * n
    assert table["crystallinity_reason"].tolist()[:3] == ["", "sampling_too_coarse", "too_small"]
