"""Requests that no page makes start nothing, keep nothing and get no more than a page."""

import flask
import pytest

from antema import jobs
from antema.domain import AntemaError, NotFound, Recipe
from antema.storage import Store
from antema.web import room, sample_page
from antema.web.background import check_demo, check_jobs
from antema.web.demo import FILES, samples_of
from antema.web.recipe_panel import recipe_from_controls
from tests.strategies.stored import add_micrograph


@pytest.fixture
def job(web_store: Store):
    sample = web_store.create_sample("Au", by="Ann")
    add_micrograph(web_store, sample.id, 1)
    return jobs.start(web_store, sample.id, Recipe(), "Ann")


def test_a_job_that_waits_may_start(job):
    assert check_jobs({"jobs": [job.id], "request": "x"}) == ("jobs", job.id)
    assert check_jobs(None) is None


@pytest.mark.parametrize(
    "request_", [{}, {"request": "x"}, {"jobs": "1"}, {"jobs": [True]}, {"jobs": []}, {"jobs": [1, 1]}, "1", [1], 7]
)
def test_what_names_no_job_starts_none(web_store, request_):
    if not request_:
        assert check_jobs(request_) is None
        return
    with pytest.raises(AntemaError, match="Press Analyse"):
        check_jobs(request_)


def test_a_job_that_is_not_there_not_waiting_or_taken_up_starts_none(web_store, job):
    with pytest.raises(NotFound):
        check_jobs({"jobs": [job.id + 1]})
    web_store.claim_job(job.id)
    with pytest.raises(AntemaError, match="a process waits with it already"):
        check_jobs({"jobs": [job.id]})
    web_store.update_job(job.id, status="done")
    with pytest.raises(AntemaError, match="found one that is done"):
        check_jobs({"jobs": [job.id]})


@pytest.fixture
def asked_by_ann():
    with flask.Flask("test").test_request_context("/", headers={"Cookie": "antema_user=Ann"}):
        yield


@pytest.fixture
def demo_sample(web_store: Store):
    return web_store.create_sample(samples_of(FILES)[0]["name"], by="Ann")


def test_the_demo_is_made_where_it_is_offered(web_store, asked_by_ann, demo_sample):
    asked = {"samples": [demo_sample.id], "by": "Ann", "request": "x"}
    assert check_demo(asked) == "demo"
    web_store.create_sample("of somebody", by="Ann")
    with pytest.raises(AntemaError, match="not on offer"):
        check_demo(asked)


@pytest.mark.parametrize("by", [1, None, "Bob"])
def test_the_demo_is_made_in_no_other_name(asked_by_ann, demo_sample, by):
    with pytest.raises(AntemaError, match="Expected a request of Ann"):
        check_demo({"samples": [demo_sample.id], "by": by})


@pytest.mark.parametrize("samples", [None, [], 1, "1", [True], ["1"], [[1]], [10**9]])
def test_of_no_other_samples_than_the_demos_is_the_demo_made(asked_by_ann, web_store, samples):
    other = web_store.create_sample("Demo: of somebody", by="Ann")
    for asked in (samples, [other.id]):
        with pytest.raises(AntemaError, match="Expected the numbers of samples of the demo"):
            check_demo({"samples": asked, "by": "Ann"})


@pytest.mark.parametrize(
    "chosen", [{"model": "nobody's"}, {"crystallinity_model": "nobody's"}, {"model": "resnet18-crystallinity"}]
)
def test_a_model_that_is_not_installed_starts_no_job(web_store, chosen):
    sample = web_store.create_sample("Au", by="Ann")
    add_micrograph(web_store, sample.id, 1)
    with pytest.raises(AntemaError, match=r"model: expected one that is installed \(.+\), found"):
        jobs.start(web_store, sample.id, Recipe(**chosen), "Ann")
    assert web_store.jobs() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold", "much"),
        ("threshold", True),
        ("threshold", float("nan")),
        ("min_area_px", float("inf")),
        ("min_area_px", 1.5),
        ("min_diameter_nm", -1),
        ("max_holes", {"a": 1}),
        ("separation", ["uecs"]),
        ("convention", "metric"),
        ("nothing of the kind", 1),
        ("to_dict", 1),
    ],
)
def test_an_impossible_value_of_the_recipe_is_a_sentence(field, value):
    with pytest.raises(AntemaError, match=r"^[^\n]+expected[^\n]+found[^\n]+$|unknown parameter"):
        recipe_from_controls([{"field": field}], [value])


@pytest.mark.parametrize(
    "changes",
    [
        {"notes": "x" * 10_001},
        {"name": "x" * 201},
        {"operator": "x" * 201},
        {"properties": {"a": "x" * 501}},
        {"properties": {str(n): "" for n in range(51)}},
    ],
)
def test_texts_have_an_end(web_store, changes):
    sample = web_store.create_sample("Au", by="Ann")
    with pytest.raises(AntemaError, match="expected at most"):
        web_store.update_sample(sample.id, by="Ann", **changes)
    with pytest.raises(AntemaError, match="expected at most"):
        web_store.create_sample(**{"name": "other", **changes}, by="Ann")
    assert web_store.sample(sample.id) == sample
    assert len(web_store.samples()) == 1


def test_reasons_have_an_end(web_store):
    sample = web_store.create_sample("Au", by="Ann")
    micrograph = add_micrograph(web_store, sample.id, 1)
    with pytest.raises(AntemaError, match="Reason: expected at most 500 characters, found 501"):
        web_store.leave_out(micrograph.id, "x" * 501, by="Ann")
    assert not web_store.micrograph(micrograph.id).is_left_out


@pytest.mark.parametrize(("start", "end"), [(0, 10**9), (-(10**9), 10**9), (None, 10**9)])
def test_a_request_of_the_grid_gets_at_most_a_page(make_sample, monkeypatch, start, end):
    monkeypatch.setattr(sample_page, "MOST_GRID_ROWS", 5)
    result = sample_page.load(make_sample("Au", 4.0, 2).current_analysis_id)
    answer = sample_page.grid_rows(result, {"startRow": start, "endRow": end}, None)
    assert len(answer["rowData"]) == 5
    assert answer["rowCount"] == len(result.table) > 5


def test_a_full_installation_is_said_before_the_upload(web_store, monkeypatch):
    (web_store.data_dir / "blobs" / "large").write_bytes(b"x" * 3_000_000)
    room.require_room("x.tif", 10**6)
    monkeypatch.setenv("ANTEMA_MAX_DATA_GB", "0.005")
    from antema.settings import get_settings

    get_settings.cache_clear()
    monkeypatch.setattr(room, "_folder", room._Folder())
    room.require_room("x.tif", 10**6)
    with pytest.raises(room.NoRoomError, match=r"may hold 5 MB and holds 3\.\d+ MB; this file needs 2 MB"):
        room.require_room("x.tif", 2 * 10**6)


def test_a_full_disk_is_said_before_the_upload(web_store, monkeypatch):
    free = type("Usage", (), {"free": 201_000_000})
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: free)
    room.require_room("x.tif", 10**6)
    with pytest.raises(room.NoRoomError, match=r"x\.tif: there is no space left .* it needs 2 MB, the disk has 1 MB"):
        room.require_room("x.tif", 2 * 10**6)
