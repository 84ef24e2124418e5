"""A server that is gone while somebody looks at numbers: the page says so, and catches up by itself."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

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


@pytest.mark.expects_errors("502", "console: .message: Callback error updating ..sample-headline")
def test_what_fails_while_the_server_is_there_is_asked_once_more_after_a_pause(
    page: Page, dashboard: Dashboard, tmp_path: Path
):
    store = open_store(dashboard.data)
    sample = sample_maker(store, tmp_path)("failing", 4.5, 3)
    store.close()
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    headline = page.locator("#sample-headline")
    expect(headline).to_contain_text("number-weighted")
    failed: list[float] = []

    def answer(route: Route) -> None:
        if '"output":"..sample-headline.' in (route.request.post_data or ""):
            failed.append(time.monotonic())
            route.fulfill(status=502)
        else:
            route.continue_()

    page.route("**/_dash-update-component**", answer)
    page.get_by_role("radio", name="Volume").click()
    page.wait_for_timeout(8000)
    first, second = failed
    assert second - first > 1.5
    expect(page.locator(".gone-bar")).to_be_hidden()
    page.unroute("**/_dash-update-component**")
    page.get_by_role("radio", name="Area").click()
    expect(headline).to_contain_text("area-weighted")
