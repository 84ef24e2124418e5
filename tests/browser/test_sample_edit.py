"""What is known of a sample is edited in a browser: by one, by two at once, and put away and brought back."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from antema.storage import Sample, Store, open_store
from tests.browser.conftest import Dashboard

pytestmark = pytest.mark.browser


@pytest.fixture
def store(dashboard: Dashboard):
    opened = open_store(dashboard.data)
    yield opened
    opened.close()


@pytest.fixture
def sample(store: Store, request: pytest.FixtureRequest) -> Sample:
    return store.create_sample(
        request.node.name, material="gold", notes="first", properties={"ligand": "thiol"}, by="Ann"
    )


def _open(page: Page, dashboard: Dashboard, sample: Sample, who: str) -> None:
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    page.fill("#user-name", who)
    page.keyboard.press("Enter")
    page.click("#sample-edit-open")
    expect(page.locator("#sample-edit-material")).to_have_value("gold")


def test_a_sample_is_edited_and_saved(page: Page, dashboard: Dashboard, store: Store, sample: Sample):
    _open(page, dashboard, sample, "Ada")
    page.fill("#sample-edit-material", "silver")
    page.click("#sample-edit-cancel")
    expect(page.locator("#sample-edit-modal")).to_be_hidden()
    page.click("#sample-edit-open")
    expect(page.locator("#sample-edit-material")).to_have_value("gold")
    page.fill("#sample-edit-name", "")
    page.click("#sample-edit-save")
    expect(page.locator("#sample-edit-error")).to_contain_text("expected a name for the sample")
    page.fill("#sample-edit-name", "Renamed")
    page.fill("#sample-edit-material", "platinum")
    page.fill("#sample-edit-synthesis_date", "2026-11-21")
    page.fill("#sample-edit-properties", "ligand: thiol\nsolvent: toluene")
    page.click("#sample-edit-save")
    expect(page.locator("#sample-edit-modal")).to_be_hidden()
    expect(page.locator("#sample-name")).to_have_text("Renamed")
    expect(page.locator("#sample-details")).to_contain_text("platinum")
    expect(page.locator("#sample-details")).to_contain_text("synthesised 2026-11-21")
    kept = store.sample(sample.id)
    assert (kept.material, kept.notes) == ("platinum", "first")
    assert kept.properties == {"ligand": "thiol", "solvent": "toluene"}
    last = store.edits(target="sample", target_id=sample.id)
    assert any(edit.who == "Ada" and edit.after.get("material") == "platinum" for edit in last)


def test_two_people_edit_one_sample_at_once(
    page: Page, second_person: BrowserContext, dashboard: Dashboard, store: Store, sample: Sample
):
    other = second_person.new_page()
    _open(page, dashboard, sample, "Ada")
    _open(other, dashboard, sample, "Bob")
    other.fill("#sample-edit-material", "silver")
    other.fill("#sample-edit-batch", "B-2")
    other.click("#sample-edit-save")
    expect(other.locator("#sample-details")).to_contain_text("silver")

    page.fill("#sample-edit-material", "platinum")
    page.fill("#sample-edit-notes", "second")
    page.click("#sample-edit-save")
    told = page.locator("#sample-edit-error")
    expect(told).to_contain_text("Material: Bob has meanwhile made it “silver”, you “platinum”.")
    expect(told).not_to_contain_text("B-2")
    assert store.sample(sample.id).material == "silver"
    page.click("#sample-edit-save")
    expect(page.locator("#sample-details")).to_contain_text("platinum")
    kept = store.sample(sample.id)
    assert (kept.material, kept.batch, kept.notes) == ("platinum", "B-2", "second"), "Bob's batch stays"


def test_a_sample_is_put_away_found_and_brought_back(page: Page, dashboard: Dashboard, store: Store, sample: Sample):
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    page.click("#sample-archive")
    expect(page.locator("#sample-archive")).to_have_text("Bring back")
    page.click("#nav-samples")
    expect(page.locator("#samples-grid .ag-root")).to_be_visible()
    expect(page.locator("a", has_text=sample.name)).to_have_count(0)
    page.get_by_label("Show archived").click()
    page.fill("#samples-search", "no such sample")
    expect(page.locator("a", has_text=sample.name)).to_have_count(0)
    page.fill("#samples-search", sample.name)
    page.locator("a", has_text=sample.name).click()
    page.click("#sample-archive")
    expect(page.locator("#sample-archive")).to_have_text("Archive")
    assert not store.sample(sample.id).archived
    # two press the same at once: both want it put away
    store.archive_sample(sample.id, by="Bob")
    page.click("#sample-archive")
    expect(page.locator("#sample-archive")).to_have_text("Bring back")
    assert store.sample(sample.id).archived


def test_making_a_sample_is_taken_back_and_refused(page: Page, dashboard: Dashboard, store: Store, sample: Sample):
    page.goto(f"{dashboard.url}/samples")
    page.click("#sample-new")
    page.click("#sample-create-save")
    expect(page.locator("#sample-create-error")).to_contain_text("expected a name for the sample")
    page.fill("#sample-create-name", sample.name)
    page.click("#sample-create-save")
    expect(page.locator("#sample-create-error")).to_contain_text("already")
    page.click("#sample-create-cancel")
    expect(page.locator("#sample-create-modal")).to_be_hidden()
    page.click("#sample-new")
    expect(page.locator("#sample-create-error")).to_have_text("")
    assert len([one for one in store.samples() if one.sample.name == sample.name]) == 1
