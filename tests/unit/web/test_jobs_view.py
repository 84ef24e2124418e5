from antema.domain import Recipe
from antema.storage import InLine
from antema.web.jobs_view import eta_sentence, is_own, places, to_show
from antema.web.user import ANONYMOUS


def test_a_job_that_was_asked_to_stop_says_so(web_store):
    sample = web_store.create_sample("Au", by="Ann")
    job = web_store.create_job(web_store.create_analysis(sample.id, Recipe(), "Ann").id, "Ann", images_total=3)
    assert eta_sentence(job) == "starting", "no process has taken it up yet"
    web_store.claim_job(job.id)
    web_store.update_job(job.id, status="running", images_done=1)
    assert eta_sentence(web_store.job(job.id)).startswith("1 of 3 images")
    web_store.update_job(job.id, current_share=0.426)
    assert eta_sentence(web_store.job(job.id)).startswith("1 of 3 images and 43 % of the next, 0 particles")
    web_store.request_cancel(job.id, "Ann")
    assert eta_sentence(web_store.job(job.id)) == "stopping after this image"
    assert eta_sentence(web_store.update_job(job.id, status="cancelled")).startswith("1 of 3 images")


def test_a_waiting_job_says_which_in_line_it_is(web_store):
    sample = web_store.create_sample("Au", by="Ann")
    job = web_store.create_job(web_store.create_analysis(sample.id, Recipe(), "Ann").id, "Ann", images_total=3)
    line = [InLine(90, "Bob", waits=False), InLine(91, "Eve", waits=True), InLine(job.id, "Ann", waits=True)]
    assert places(line) == {90: 1, 91: 2, job.id: 3}
    assert eta_sentence(job, places(line), is_own=True) == "yours is third in line"
    assert eta_sentence(job, places(line)) == "waiting: third in line"
    assert eta_sentence(job, {job.id: 22}) == "waiting: 22nd in line"
    assert eta_sentence(job, {job.id: 112}) == "waiting: 112th in line"


def test_jobs_at_work_are_shown_however_many_came_after_them(web_store):
    samples = [web_store.create_sample(name, by="Ann") for name in ("Au", "Ag")]

    def queue(sample_id):
        analysis = web_store.create_analysis(sample_id, Recipe(), "Ann")
        return web_store.create_job(analysis.id, "Ann", images_total=1)

    made = [queue(s.id) for s in samples * 2]
    first, second, third, fourth = (job.id for job in made)
    web_store.claim_job(first)
    for job in (second, fourth):
        web_store.update_job(job, status="cancelled")
    assert [job.id for job in to_show(web_store, 1)] == [fourth, third, first], "ended long ago: second"
    assert [job.id for job in web_store.jobs(sample_id=samples[0].id)] == [third, first]


def test_nobody_is_told_that_a_job_without_a_name_is_theirs(web_store):
    sample = web_store.create_sample("Au", by="Ann")
    analysis = web_store.create_analysis(sample.id, Recipe(), "Ann")
    nameless = web_store.create_job(analysis.id, ANONYMOUS, images_total=1)
    anns = web_store.create_job(analysis.id, "Ann", images_total=1)
    assert not is_own(nameless, ANONYMOUS)
    assert is_own(anns, "Ann")
    assert not is_own(anns, "Bob")


def test_a_job_between_its_turns_says_that_it_waits(web_store):
    sample = web_store.create_sample("Au", by="Ann")
    job = web_store.create_job(web_store.create_analysis(sample.id, Recipe(), "Ann").id, "Ann", images_total=9)
    web_store.claim_job(job.id)
    web_store.update_job(job.id, status="running", images_done=2, seconds_per_image=60.0)
    assert eta_sentence(web_store.job(job.id), {job.id: 1}).endswith(", about 7 min 0 s left")
    web_store.wait_for_turn(job.id)
    assert eta_sentence(web_store.job(job.id), {7: 1, job.id: 2}).endswith(
        ", about 7 min 0 s of work left, waits while another job has its turn"
    )
