"""What is deleted lies in the bin, comes back, and ends; a damaged file is said and computed anew; whose turn it is."""

import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from antema.domain import Recipe
from antema.storage import Sample, Store, open_store
from tests.browser.conftest import Dashboard
from tests.browser.test_way import analyse, gold_field, new_sample, tile, upload
from tests.strategies.stored import add_micrograph, save_analysis
from tests.strategies.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def store(dashboard: Dashboard) -> Iterator[Store]:
    with closing(open_store(dashboard.data)) as opened:
        yield opened


def analysed(store: Store, name: str, seeds: range, results: int = 1) -> Sample:
    """Make a sample of small micrographs with so many results; the last one is shown."""
    sample = store.create_sample(name, by="Ann")
    micrographs = [add_micrograph(store, sample.id, seed) for seed in seeds]
    for _ in range(results):
        analysis = store.create_analysis(sample.id, Recipe(), "Ann")
        for micrograph in micrographs:
            save_analysis(store, analysis.id, micrograph)
        store.update_job(store.create_job(analysis.id, "Ann", images_total=len(micrographs)).id, status="done")
    return sample


def be(page: Page, dashboard: Dashboard, name: str) -> None:
    page.goto(dashboard.url)
    page.fill("#user-name", name)
    page.keyboard.press("Enter")
    # a page that is left at once keeps no name
    wait_until(page, "(name) => document.cookie.includes(encodeURIComponent(name))", name)


def test_micrographs_are_deleted_and_taken_back(page: Page, dashboard: Dashboard, store: Store) -> None:
    sample = analysed(store, "Two images", range(10, 12))
    be(page, dashboard, "Ada")
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    expect(tile(page, "Images")).to_have_text("2")
    expect(page.locator(".card-micrograph")).to_have_count(2)
    page.locator(".card-micrograph", has_text="image-10.tif").locator("input[type=checkbox]").check()
    page.locator("""[id='{"action":"delete","type":"micrograph-action"}']""").click()
    dialog = page.locator(".modal-dialog", has_text="Out of the sample and its results.")
    expect(dialog).to_contain_text("in the bin for 30 days")
    dialog.get_by_placeholder("Why").fill("blurred")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".card-micrograph")).to_have_count(1)
    expect(tile(page, "Images")).to_have_text("1")
    page.click("#nav-bin")
    row = page.locator("#bin-list tbody tr")
    expect(row).to_have_count(1)
    for text in ("micrograph image-10.tif", "Two images", "Ada", "blurred", re.compile(r"(29|30) days"), "kB"):
        expect(row).to_contain_text(text)
    expect(page.locator("#bin-words")).to_contain_text("1 thing, ")
    row.get_by_role("button", name="Take back").click()
    expect(page.locator("#bin-words")).to_have_text("Nothing lies in the bin.")
    expect(page.locator("#bin-empty")).to_be_disabled()
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    expect(page.locator(".card-micrograph")).to_have_count(2)
    expect(tile(page, "Images")).to_have_text("2")


def test_a_result_is_deleted_and_another_one_is_shown(page: Page, dashboard: Dashboard, store: Store) -> None:
    sample = analysed(store, "Two results", range(20, 22), results=2)
    last = store.current_analysis(sample.id)
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    expect(tile(page, "Images")).to_have_text("2")
    page.click("#result-delete")
    expect(page.locator("#result-delete-words")).to_contain_text("by Ann, the one that the sample shows?")
    page.click("#result-delete-cancel")
    expect(page.locator(".modal-dialog")).to_have_count(0)
    page.click("#result-delete")
    page.fill("#result-delete-why", "wrong recipe")
    page.click("#result-delete-do")
    expect(page.locator("#toast")).to_contain_text("is in the bin now")
    expect(page.locator(".modal-dialog")).to_have_count(0)
    expect(tile(page, "Images")).to_have_text("2")
    shown = store.current_analysis(sample.id)
    assert shown.id != last.id
    (entry,) = store.bin()
    assert (entry.target_id, entry.why) == (last.id, "wrong recipe")
    page.goto(f"{dashboard.url}/bin")
    page.locator("#bin-list").get_by_role("button", name="Delete for good").click()
    expect(page.locator("#bin-question")).to_contain_text("Nobody can take that back.")
    page.click("#bin-cancel")
    expect(page.locator(".modal-dialog")).to_have_count(0)
    assert len(store.bin()) == 1
    page.locator("#bin-list").get_by_role("button", name="Delete for good").click()
    page.click("#bin-do")
    expect(page.locator("#toast")).to_contain_text("Deleted for good")
    expect(page.locator("#bin-list tbody tr")).to_have_count(0)
    assert store.bin() == []


def test_a_sample_is_deleted_and_the_bin_emptied(page: Page, dashboard: Dashboard, store: Store) -> None:
    sample, other = analysed(store, "Goes", range(30, 32)), analysed(store, "Goes too", range(40, 41))
    blob = store.blob_path(store.micrographs(sample.id)[0].sha256)
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    page.click("#sample-delete")
    expect(page.locator("#sample-delete-words")).to_have_text("Goes with its 2 micrographs and 1 result?")
    page.click("#sample-delete-cancel")
    expect(page.locator(".modal-dialog")).to_have_count(0)
    page.click("#sample-delete")
    page.fill("#sample-delete-why", "a trial")
    page.click("#sample-delete-do")
    page.wait_for_url("**/samples")
    expect(page.locator("#toast")).to_contain_text("Goes is in the bin now.")
    expect(page.locator(".ag-row", has_text="Goes too")).to_have_count(1)
    expect(page.locator(".ag-cell[col-id=name]", has_text=re.compile("^Goes$"))).to_have_count(0)
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    expect(page.locator("main")).to_contain_text("There is no sample")
    store.delete("sample", other.id, by="Bob")
    page.goto(f"{dashboard.url}/bin")
    expect(page.locator("#bin-list tbody tr")).to_have_count(2)
    assert blob.is_file()
    page.click("#bin-empty")
    expect(page.locator("#bin-question")).to_contain_text("All 2 things in the bin")
    page.click("#bin-do")
    expect(page.locator("#bin-words")).to_have_text("Nothing lies in the bin.")
    assert not blob.exists()


@contextmanager
def beating(store: Store, jobs: list[int]) -> Iterator[None]:
    """Let jobs give signs of life while the block runs."""
    over = threading.Event()

    def beat() -> None:
        with closing(open_store(store.data_dir)) as own:
            while not over.wait(1.0):
                for job in jobs:
                    own.heartbeat(job)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for job in jobs:
            store.update_job(job, status="cancelled")


def test_a_waiting_job_says_which_in_line_it_is(page: Page, dashboard: Dashboard, store: Store) -> None:
    made: list[int] = []
    for number, person in enumerate(("Ann", "Bob", "Ada")):
        sample = store.create_sample(f"Of {person}", by=person)
        add_micrograph(store, sample.id, 50 + number)
        job = store.create_job(store.create_analysis(sample.id, Recipe(), person).id, person, images_total=9)
        store.claim_job(job.id)
        store.wait_for_turn(job.id)
        made.append(job.id)
    store.take_turn(made[0])
    store.update_job(made[0], status="running", images_done=2)
    with beating(store, made):
        be(page, dashboard, "Ada")
        own = page.locator("#shell-jobs .job-line").first
        expect(own).to_contain_text("Of Ada")
        expect(own).to_contain_text("yours is third in line")
        expect(page.locator("#shell-jobs .job-line", has_text="Of Bob")).to_contain_text("waiting: second in line")
        expect(page.locator("#shell-jobs .job-line", has_text="Of Ann")).to_contain_text("2 of 9 images")
        page.click("#nav-jobs")
        expect(page.locator("#jobs-list tbody tr", has_text="Of Ada")).to_contain_text("yours is third in line")
    expect(page.locator("#shell-jobs .job-line")).to_have_count(0)


def test_a_job_whose_process_is_gone_before_it_begins_is_interrupted_soon(
    page: Page, dashboard: Dashboard, store: Store
) -> None:
    sample = store.create_sample("Died early", by="Ann")
    add_micrograph(store, sample.id, 60)
    job = store.create_job(store.create_analysis(sample.id, Recipe(), "Ann").id, "Ann", images_total=1)
    store.note_process(job.id, 2**22 + 1)  # no process has such a number
    page.goto(f"{dashboard.url}/jobs")
    expect(page.locator("#jobs-list tbody tr", has_text="Died early")).to_contain_text("interrupted", timeout=15_000)


def test_a_truncated_particle_file_is_said_and_computed_anew(
    page: Page, dashboard: Dashboard, store: Store, tmp_path: Path
) -> None:
    sample = new_sample(page, dashboard, "Damaged")
    upload(page, [gold_field(seed, tmp_path, size=256) for seed in (71, 72)])
    analyse(page, images=2)
    particles = tile(page, "Particles").inner_text()
    first = store.image_results(store.current_analysis(sample).id)[0]
    first.parquet.write_bytes(first.parquet.read_bytes()[:-100])
    page.reload()
    said = page.locator("#sample-failures")
    expect(said).to_contain_text(f"{first.filename}: its particle file is damaged; analyse the sample again")
    expect(tile(page, "Particles")).not_to_have_text(particles)
    analyse(page, images=2)
    expect(tile(page, "Particles")).to_have_text(particles)
    expect(said).to_have_text("")
    again = store.image_results(store.current_analysis(sample).id)[0]
    assert again.result_key == first.result_key
    assert any("was damaged; it was computed anew" in note for note in again.notes)
