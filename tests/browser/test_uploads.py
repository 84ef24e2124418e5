"""Dropped files in a browser: what became of them is told until it is dismissed; folders; a file that is elsewhere."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from antema.storage import open_store
from tests.browser.conftest import Dashboard
from tests.browser.test_way import new_sample, upload
from tests.strategies.drawn_samples import draw

pytestmark = pytest.mark.browser


def _drawn(path: Path, nm: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draw(path, np.full(9, nm), 0.2)
    return path


def _drop(page: Page, *paths: Path) -> None:
    """Drop files and folders on the drop zone, as from the file manager."""
    box = page.locator(".drop-zone").bounding_box()
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})
    session.detach()


@pytest.mark.expects_errors("422 PUT", "409 PUT")
def test_what_was_refused_is_told_until_it_is_dismissed(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    first = new_sample(page, dashboard, "First home")
    twin = _drawn(tmp_path / "twin.tif", 3.1)
    upload(page, [twin])
    store = open_store(dashboard.data)
    (there,) = store.micrographs(first)
    second = new_sample(page, dashboard, "Second home")
    good = [_drawn(tmp_path / f"good-{n}.tif", 3.5 + 0.1 * n) for n in range(2)]
    empty, text = tmp_path / "empty.dm3", tmp_path / "notes.txt"
    empty.write_bytes(b"")
    text.write_text("no micrograph")
    upload(page, [*good, empty, text, twin])
    outcome = page.locator("#upload-outcome")
    expect(outcome.locator(".upload-summary")).to_have_text("2 of 5 taken, 3 refused")
    expect(outcome.locator("li")).to_have_count(3)
    expect(outcome.locator("li", has_text="empty.dm3")).to_contain_text("empty")
    expect(outcome.locator("li", has_text="twin.tif")).to_contain_text(
        "the same file is in the sample First home already"
    )
    expect(outcome.get_by_role("link", name="See it")).to_have_attribute("href", f"/images/{there.id}")

    page.reload()
    expect(outcome.locator(".upload-summary")).to_have_text("2 of 5 taken, 3 refused")
    expect(page.locator("#sample-cards .card-micrograph")).to_have_count(2)
    outcome.get_by_role("button", name="Move it here").click()
    expect(page.locator("#sample-cards .card-micrograph")).to_have_count(3)
    expect(outcome.locator(".upload-summary")).to_have_text("3 of 5 taken, 2 refused")
    assert "twin.tif" in {micrograph.filename for micrograph in store.micrographs(second)}
    store.close()
    page.click("#upload-dismiss")
    expect(outcome.locator("li")).to_have_count(0)
    page.reload()
    expect(page.locator("#sample-cards .card-micrograph")).to_have_count(3)
    expect(outcome).to_have_text("")


def test_folders_are_dropped_with_what_lies_in_them(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    new_sample(page, dashboard, "Folders")
    top = tmp_path / "session"
    _drawn(top / "a.tif", 4.1)
    _drawn(top / "deeper" / "still" / "b.tif", 4.2)
    (top / ".DS_Store").write_bytes(b"of no one")
    loose = _drawn(tmp_path / "loose.tif", 4.3)
    _drop(page, top, loose)
    expect(page.locator("#sample-cards .card-name")).to_have_count(3)
    assert set(page.locator("#sample-cards .card-name").all_inner_texts()) == {"a.tif", "b.tif", "loose.tif"}
    expect(page.locator("#upload-outcome")).to_have_text("")


def test_what_cannot_be_read_in_a_drop_is_refused_by_its_name(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    new_sample(page, dashboard, "Unreadable")
    _drawn(tmp_path / "session" / "fine.tif", 4.6)
    locked = _drawn(tmp_path / "locked.tif", 4.7)
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    page.evaluate(
        """() => {
          const entryOf = DataTransferItem.prototype.webkitGetAsEntry;
          DataTransferItem.prototype.webkitGetAsEntry = function () {
            const entry = entryOf.call(this);
            if (entry.name === "locked.tif") entry.file = (_, fail) => fail(new DOMException("no", "NotReadableError"));
            return entry;
          };
        }"""
    )
    _drop(page, tmp_path / "session", locked, nothing)
    outcome = page.locator("#upload-outcome")
    expect(outcome.locator(".upload-summary")).to_have_text("1 of 3 taken, 2 refused")
    expect(outcome.locator("li", has_text="locked.tif")).to_contain_text("could not read it")
    expect(outcome.locator("li", has_text="nothing")).to_contain_text("expected files in this folder, found none")
    expect(page.locator("#sample-cards .card-name")).to_have_text(["fine.tif"])
