"""Make the README's screenshots: start a dashboard on a fresh data folder, load the demo, look at each page.

Run with ``make screenshots``.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "screenshots"
PORT = 8173
URL = f"http://127.0.0.1:{PORT}"
_WAIT_MS = 600_000


def _wait_for_server() -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{URL}/healthz", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    sys.exit("the dashboard did not start")


def _walk(page: Page) -> None:
    page.goto(URL)
    page.fill("#user-name", "Ada")
    page.keyboard.press("Enter")
    page.click("#demo-start")
    page.wait_for_selector("#home-samples .card-micrograph >> nth=1", timeout=_WAIT_MS)
    page.goto(f"{URL}/jobs")
    expect(page.locator(".jobs .bg-success")).to_have_count(2, timeout=_WAIT_MS)
    page.goto(f"{URL}/samples/1")
    page.wait_for_selector(".tile-value")
    page.wait_for_selector("#sample-viewer .imagelayer image")
    page.wait_for_timeout(2500)
    page.screenshot(path=OUT / "sample.png")
    page.goto(f"{URL}/images/1")
    page.wait_for_selector("#image-viewer .imagelayer image")
    page.wait_for_timeout(2500)
    page.screenshot(path=OUT / "image.png")
    page.goto(f"{URL}/compare?samples=1,2")
    page.wait_for_timeout(4000)
    page.screenshot(path=OUT / "compare.png")


def main() -> None:
    """Make the pictures."""
    OUT.mkdir(parents=True, exist_ok=True)
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        environment = os.environ | {"ANTEMA_DATA": data, "ANTEMA_PORT": str(PORT)}
        server = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment)
        try:
            _wait_for_server()
            browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            _walk(browser.new_page(viewport={"width": 1500, "height": 950}))
            browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
