"""Uploads that find no place wait and try again by themselves; what is refused is said before it is sent."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Dashboard
from tests.browser.test_way import new_sample, upload
from tests.strategies.micrograph_files import write_micrograph

pytestmark = pytest.mark.browser

_NO_PLACE = {"status": 503, "headers": {"Retry-After": "1"}, "json": {"ok": False, "error": "wait a moment"}}


@pytest.mark.expects_errors("503")
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_upload_waits_for_a_place(method: str, page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    left = 2
    asked: list[str] = []

    def answer(route: Route) -> None:
        nonlocal left
        asked.append(route.request.method)
        if route.request.method == method and left:
            left -= 1
            route.fulfill(**_NO_PLACE)
        else:
            route.continue_()

    new_sample(page, dashboard, f"Waiting {method}")
    page.route("**/upload/**", answer)
    upload(page, [write_micrograph(tmp_path / "x.tif", 91 if method == "GET" else 92)])
    expect(page.locator(".upload-done")).to_have_count(1)
    assert left == 0
    assert asked == (["GET", "GET", "GET", "PUT"] if method == "GET" else ["GET", "PUT"] * 3)


@pytest.mark.expects_errors("409")
def test_what_is_not_taken_is_not_sent(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    methods: list[str] = []
    full = {"ok": False, "error": "x.tif: there is no space left for it on this server"}

    def answer(route: Route) -> None:
        methods.append(route.request.method)
        route.fulfill(status=409, json=full)

    new_sample(page, dashboard, "Full")
    page.route("**/upload/**", answer)
    upload(page, [write_micrograph(tmp_path / "x.tif", 93)])
    assert methods == ["GET"]
    assert "no space left" in page.locator(".upload-failed").inner_text()


@pytest.mark.expects_errors("net::ERR_")
@pytest.mark.parametrize(("breaks", "taken"), [(2, True), (3, False)])
def test_an_upload_that_breaks_off_is_sent_again_twice(
    breaks: int, taken: bool, page: Page, dashboard: Dashboard, tmp_path: Path
) -> None:
    sent = 0

    def answer(route: Route) -> None:
        nonlocal sent
        if route.request.method == "PUT":
            sent += 1
        if route.request.method == "PUT" and sent <= breaks:
            route.abort("connectionreset")
        else:
            route.continue_()

    new_sample(page, dashboard, f"Breaking {breaks}")
    page.route("**/upload/**", answer)
    upload(page, [write_micrograph(tmp_path / "x.tif", 93 + breaks)])
    assert sent == 3
    expect(page.locator(".upload-done")).to_have_count(int(taken))
    expect(page.locator(".upload-failed")).to_have_count(int(not taken))
    if not taken:
        expect(page.locator(".upload-failed")).to_contain_text("the connection broke off; nothing was kept")
