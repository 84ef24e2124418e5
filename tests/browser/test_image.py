"""The page of one micrograph in a browser: the view stays where it is put, particles are excluded and come back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from antema.domain import CRYSTALLINITIES
from antema.storage import Sample, Store, open_store
from tests.browser.conftest import Dashboard
from tests.strategies.fringed import NM, fringed_sample
from tests.strategies.waiting import wait_until

pytestmark = pytest.mark.browser

_SIDE_NM = 320 * NM
_VIEW = """() => {
    const layout = document.querySelector("#image-viewer .js-plotly-plot")._fullLayout;
    return [...layout.xaxis.range, ...layout.yaxis.range];
}"""


@pytest.fixture(scope="module")
def store(dashboard: Dashboard) -> Iterator[Store]:
    opened = open_store(dashboard.data)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def sample(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return fringed_sample(store, tmp_path_factory.mktemp("fringed"), "viewed", 2, classes=CRYSTALLINITIES)


def _open(page: Page, dashboard: Dashboard, store: Store, sample: Sample) -> None:
    page.goto(f"{dashboard.url}/images/{store.micrographs(sample.id)[0].id}")
    page.wait_for_selector("#image-viewer .imagelayer image")
    expect(page.locator("#image-counts")).to_contain_text("particles measured")
    page.wait_for_load_state("networkidle")


def _zoomed_in(page: Page, x: float, y: float, steps: int) -> list[float]:
    """Turn the wheel over a place of the viewer, in shares of its edges, and return the view that this gives."""
    box = page.locator("#image-viewer .nsewdrag").bounding_box()
    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    for _ in range(steps):
        page.mouse.wheel(0, -200)
        page.wait_for_timeout(100)
    wait_until(page, f"() => ({_VIEW})()[1] - ({_VIEW})()[0] < {0.9 * _SIDE_NM}")
    page.wait_for_timeout(500)
    return page.evaluate(_VIEW)


def test_zoom_and_place_outlast_every_new_drawing(page: Page, dashboard: Dashboard, store: Store, sample: Sample):
    _open(page, dashboard, store, sample)
    view = _zoomed_in(page, 0.5, 0.5, 2)
    drawings = "document.querySelector('#image-viewer .js-plotly-plot').drawings"
    page.evaluate(f"""() => {{ {drawings} = 0;
        document.querySelector("#image-viewer .js-plotly-plot").on("plotly_afterplot", () => {drawings}++); }}""")
    box = page.locator("#image-viewer .nsewdrag").bounding_box()
    number = page.locator("#image-particle-numbers h4")
    seen = 0
    for act in ("click", "o", "c", "b", "o"):
        if act == "click":
            page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.25 * box["height"])
            expect(number).to_have_text("No. 1")
        else:
            page.keyboard.press(act)
        wait_until(page, f"() => {drawings} > {seen}")
        page.wait_for_load_state("networkidle")
        seen = page.evaluate(drawings)
        assert page.evaluate(_VIEW) == pytest.approx(view), act
    expect(page.locator("#image-outline-keys")).to_contain_text("polycrystalline")

    # from a corner, each particle stepped to comes into view
    view = _zoomed_in(page, 0.05, 0.05, 9)
    assert view[1] - view[0] < _SIDE_NM / 2
    table = store.particles(sample.current_analysis_id)
    rows = table[table["micrograph_id"] == store.micrographs(sample.id)[0].id].set_index("particle")
    for key, particle in (("n", 2), ("n", 3), ("n", 4), ("p", 3), ("p", 2), ("p", 1)):
        page.keyboard.press(key)
        expect(number).to_have_text(f"No. {particle}")
        row = rows.loc[particle]
        x, y = (NM * (row[f"bbox_{axis}_px"] + row[f"bbox_{side}_px"] / 2) for axis, side in ("xw", "yh"))
        wait_until(
            page,
            f"([x, y]) => {{ const [a, b, c, d] = ({_VIEW})(); return a < x && x < b && d < y && y < c; }}",
            arg=[x, y],
        )
    assert (lambda v: v[1] - v[0])(page.evaluate(_VIEW)) == pytest.approx(view[1] - view[0]), "the zoom stays"
    page.mouse.dblclick(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    wait_until(page, f"() => ({_VIEW})()[0] === 0 && Math.abs(({_VIEW})()[1] - {_SIDE_NM}) < 1e-6")


def test_a_particle_is_excluded_and_taken_back_from_its_page(
    page: Page, dashboard: Dashboard, store: Store, sample: Sample, tmp_path: Path
):
    _open(page, dashboard, store, sample)
    expect(page.locator("#image-counts")).to_contain_text("4 particles measured, 0 left out")
    page.click("#image-preceding")
    expect(page.locator("#image-particle-numbers h4")).to_have_text("No. 4")
    page.click("#image-reason-choice")
    page.locator(".dash-dropdown-option", has_text="wrong outline").click()
    page.keyboard.press("x")
    expect(page.locator("#image-counts")).to_contain_text("3 particles measured, 1 left out")
    expect(page.locator("#image-trail")).to_contain_text("wrong outline")
    page.click("#image-restore")
    expect(page.locator("#image-counts")).to_contain_text("4 particles measured, 0 left out")
    page.locator("#image-look figcaption button").first.click()
    page.get_by_label("mono", exact=True).click()
    expect(page.locator("#image-crop .heatmaplayer image")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#image-look figcaption button").last.click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")

    page.fill("#image-nm", "0.031")
    page.press("#image-nm", "Enter")
    expect(page.locator("#image-scale")).to_contain_text("0.031 nm/px")
    page.click("#image-file-nm")
    expect(page.locator("#image-scale")).to_contain_text("0.03 nm/px · file")
    page.locator("h1").click()
    page.keyboard.press("ArrowRight")
    expect(page.locator("h1")).to_have_text("viewed-1.tif")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("h1")).to_have_text("viewed-0.tif")
    expect(page).to_have_url(re.compile(r"/images/\d+"))
