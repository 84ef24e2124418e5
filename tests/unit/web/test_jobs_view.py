from antema.domain import Recipe
from antema.web.jobs_view import eta_sentence


def test_a_job_that_was_asked_to_stop_says_so(web_store):
    sample = web_store.create_sample("Au", by="Ann")
    job = web_store.create_job(web_store.create_analysis(sample.id, Recipe(), "Ann").id, "Ann", images_total=3)
    assert eta_sentence(job) == "waiting for its turn"
    web_store.claim_job(job.id)
    web_store.update_job(job.id, status="running", images_done=1)
    assert eta_sentence(web_store.job(job.id)).startswith("1 of 3 images")
    web_store.update_job(job.id, current_share=0.426)
    assert eta_sentence(web_store.job(job.id)).startswith("1 of 3 images and 43 % of the next, 0 particles")
    web_store.request_cancel(job.id, "Ann")
    assert eta_sentence(web_store.job(job.id)) == "stopping after this image"
    assert eta_sentence(web_store.update_job(job.id, status="cancelled")).startswith("1 of 3 images")
