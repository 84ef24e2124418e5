"""Who is too slow is cut off, each at its own time, by one thread for all."""

import socket
import threading
import time

from antema.web.pace import paced


def watchers():
    return [thread for thread in threading.enumerate() if thread.name == "pace of requests"]


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_each_is_cut_off_at_its_own_time():
    here, there = socket.socketpair()
    with here, there:
        # the later one comes first: the thread has to be woken for the other
        with paced({}, timeout_s=60) as patient, paced({"gunicorn.socket": here}, timeout_s=0.2) as late:
            assert here.recv(1) == b"", "the reader finds the end of the body"
            assert late.broken_off == "it took longer than 0.2 s"
        with paced({}, timeout_s=60, least_bytes_s=1000, window_s=0.1) as slow:
            wait_until(lambda: slow.broken_off)
            assert slow.broken_off == "less than 1 kB/s came in 0.1 s"
        with paced({}, timeout_s=0.5, least_bytes_s=1000, window_s=0.1) as fast:
            while not fast.broken_off:
                fast.received += 1000
                time.sleep(0.01)
            assert fast.broken_off == "it took longer than 0.5 s"
    assert patient.broken_off == ""


def test_what_has_ended_is_left_alone_and_one_thread_watches_all():
    for _ in range(50):
        with paced({}, timeout_s=0.05) as quick:
            pass
    with paced({}, timeout_s=0.05) as late:
        wait_until(lambda: late.broken_off)
    assert quick.broken_off == ""
    assert len(watchers()) == 1
