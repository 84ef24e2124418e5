"""Jobs of several people take turns from image to image."""

import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from antema.domain import Recipe
from antema.jobs.turn import Turn
from antema.storage import InLine, open_store, schema
from antema.storage.turns import in_order

PEOPLE = ("Ann", "Bob", "Eve")


def make_job(store, sample, by, separation="uecs"):
    analysis = store.create_analysis(sample.id, Recipe(separation=separation), by)
    job = store.create_job(analysis.id, by, images_total=3)
    store.claim_job(job.id)
    return job


def test_who_was_served_longest_ago_goes_first():
    line = [InLine(1, "Ann", waits=True), InLine(2, "Bob", waits=True), InLine(3, "Eve", waits=True)]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    served = {"Ann": start, "Bob": start + timedelta(seconds=1), "Eve": None}
    assert [job.person for job in in_order(line, served)] == ["Eve", "Ann", "Bob"]


@given(
    jobs=st.lists(st.integers(1, 12), min_size=3, max_size=3),
    turns=st.integers(1, 60),
)
def test_nobody_waits_for_more_than_one_image_of_each_other_person(jobs, turns):
    """Simulate: each person has jobs of so many images; every turn goes to the first in line."""
    left = {
        InLine(number, person, waits=True): count
        for number, (person, count) in enumerate(zip(PEOPLE, jobs, strict=True))
    }
    served: dict[str, datetime | None] = {}
    since: dict[str, int] = dict.fromkeys(PEOPLE, 0)
    for turn in range(turns):
        if not left:
            break
        first = in_order(list(left), served)[0]
        served[first.person] = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=turn)
        left[first] -= 1
        waiting = {job.person for job in left}
        for person in waiting:
            since[person] = 0 if person == first.person else since[person] + 1
            assert since[person] < len(PEOPLE)
        left = {job: count for job, count in left.items() if count}


def test_of_one_person_the_oldest_job_goes_first_whoever_asks(store, sample):
    old, young = make_job(store, sample, "Ann"), make_job(store, sample, "Ann", "none")
    for job in (old, young):
        store.wait_for_turn(job.id)
    assert [store.goes_first(job.id) for job in (old, young)] == [True, False]
    store.take_turn(old.id)
    assert store.goes_first(old.id), "the one at work goes before the younger one of the same person"


def test_a_job_that_has_begun_goes_on_before_an_older_one_of_the_same_person(store, sample):
    old, young = make_job(store, sample, "Ann"), make_job(store, sample, "Ann", "none")
    store.take_turn(young.id)
    store.wait_for_turn(old.id)
    assert store.goes_first(young.id)
    store.wait_for_turn(young.id)
    assert not store.goes_first(old.id)
    store.interrupt_job(young.id)
    assert store.goes_first(old.id)
    store.requeue_job(young.id, "Ann")
    store.claim_job(young.id)
    store.wait_for_turn(young.id)
    assert not store.goes_first(young.id), "taken up again, it has not begun"


def test_another_person_goes_between_two_images_of_a_large_job(store, sample):
    large, small = make_job(store, sample, "Ann"), make_job(store, sample, "Bob")
    store.take_turn(large.id)
    assert store.goes_first(large.id), "nobody else waits"
    store.wait_for_turn(small.id)
    assert not store.goes_first(large.id)
    store.take_turn(small.id)
    store.wait_for_turn(large.id)
    assert not store.goes_first(small.id)
    assert [(job.job_id, job.waits) for job in store.line()] == [(small.id, False), (large.id, True)]


def test_a_job_whose_process_is_gone_holds_nobody_up(store, sample):
    dead, alive = make_job(store, sample, "Ann"), make_job(store, sample, "Bob")
    for job in (dead, alive):
        store.wait_for_turn(job.id)
    assert not store.goes_first(alive.id)
    old = datetime.now(UTC) - timedelta(seconds=20)
    with store._database.writing() as session:
        session.execute(update(schema.Job).where(schema.Job.id == dead.id).values(heartbeat_at=old))
    assert store.goes_first(alive.id)


def test_four_images_wait_for_four_of_a_large_job(store, sample):
    """Two jobs with one place between them, in threads: after the small one came, images alternate."""
    large, small = make_job(store, sample, "Ann"), make_job(store, sample, "Bob")
    order: list[str] = []
    small_may_begin, give_up = threading.Event(), threading.Event()

    def work(job, images, name, begin):
        begin.wait(30)
        with closing(open_store(store.data_dir)) as own:
            turn = Turn(own, job.id, 1, lambda: None)
            for _ in range(images):
                if give_up.is_set():
                    break
                turn.take()
                order.append(name)
                own.heartbeat(job.id)
                if len(order) == 3:
                    small_may_begin.set()
                time.sleep(0.3)
            turn.give_up()
            own.update_job(job.id, status="cancelled")
        if name == "small":
            give_up.set()

    at_once = threading.Event()
    at_once.set()
    threads = [
        threading.Thread(target=work, args=(large, 5000, "large", at_once)),
        threading.Thread(target=work, args=(small, 4, "small", small_may_begin)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert order[:3] == ["large"] * 3
    between = order[order.index("small") : len(order) - order[::-1].index("small")]
    assert between == ["small", "large"] * 3 + ["small"]
