"""A server that is gone while somebody looks at numbers: the page says so, and catches up by itself."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from antema.storage import open_store
from tests.browser.conftest import Dashboard
from tests.strategies.drawn_samples import sample_maker
from tests.strategies.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.mark.expects_errors("net::ERR_")
def test_numbers_of_a_server_that_is_gone_are_greyed_and_caught_up(page: Page, dashboard: Dashboard, tmp_path: Path):
    store = open_store(dashboard.data)
    sample = sample_maker(store, tmp_path)("lost", 4.0, 3)
    store.close()
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    headline, bar = page.locator("#sample-headline"), page.locator(".gone-bar")
    expect(headline).to_contain_text("number-weighted")
    expect(bar).to_be_hidden()
    opacity = "getComputedStyle(document.querySelector('#sample-headline .tiles')).opacity"
    assert page.evaluate(opacity) == "1"

    dashboard.kill()
    page.get_by_role("radio", name="Volume").click()
    expect(bar).to_contain_text("the numbers below are not updated")
    expect(headline).to_contain_text("number-weighted")
    wait_until(page, f"{opacity} < 0.5")
    page.get_by_role("radio", name="Area").click()

    dashboard.start()
    expect(bar).to_be_hidden()
    expect(headline).to_contain_text("area-weighted")
    expect(page.get_by_role("radio", name="Area")).to_be_checked()
    wait_until(page, f"{opacity} === '1'")
    # and goes on as if nothing had been
    page.get_by_role("radio", name="Volume").click()
    expect(headline).to_contain_text("volume-weighted")
