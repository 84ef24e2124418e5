"""Images that the network does not know well are told before the numbers, and can be left out at once."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from antema.storage import open_store
from tests.browser.conftest import Dashboard
from tests.strategies.drawn_samples import sample_maker
from tests.strategies.judging import DOUBTFUL, KNOWN, STRANGE

pytestmark = pytest.mark.browser


def test_strange_images_are_told_before_the_numbers_and_left_out(page: Page, dashboard: Dashboard, tmp_path: Path):
    store = open_store(dashboard.data)
    sample = sample_maker(store, tmp_path)("judged", 4.0, 3, trusts=(STRANGE, KNOWN, DOUBTFUL))
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    alert = page.locator("#sample-trust")
    expect(alert).to_contain_text("2 of 3 micrographs are not of the kind that the network knows well")
    expect(alert).to_contain_text(STRANGE.reasons[0])
    expect(page.locator("#sample-headline")).to_contain_text("Median diameter")
    above, below = alert.bounding_box(), page.locator("#sample-headline").bounding_box()
    assert above["y"] + above["height"] <= below["y"]
    badges = page.locator(".card-micrograph .trust-badge")
    expect(badges).to_have_text([" unknown kind", " doubtful"])
    assert badges.first.get_attribute("title") == STRANGE.warning

    alert.get_by_role("link", name="judged-0.tif").click()
    said = page.locator("#image-trust")
    expect(said).to_contain_text(STRANGE.reasons[1])
    picture = page.locator("#image-viewer").bounding_box()
    assert said.bounding_box()["y"] < picture["y"]

    page.go_back()
    page.click("#sample-trust-leave-out")
    expect(alert).to_be_hidden()
    expect(page.locator(".tile", has_text="Images").locator(".tile-value")).to_have_text("1")
    assert [one.is_left_out for one in store.micrographs(sample.id)] == [True, False, True]
    store.close()
