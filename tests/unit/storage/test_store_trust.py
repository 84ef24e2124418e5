"""What a network said beside its map is kept with the result."""

import pytest
import tifffile

from antema.analysis import analyse, result_key
from antema.domain import Micrograph, Recipe
from tests.strategies.judging import STRANGE, Judge
from tests.strategies.stored import add_micrograph


@pytest.mark.parametrize("trust", [STRANGE, None])
def test_it_comes_back_as_it_was(store, sample, trust):
    stored = add_micrograph(store, sample.id, 1)
    pixels = tifffile.imread(store.blob_path(stored.sha256))
    found = analyse(Micrograph(pixels, stored.pixel_size, "x", stored.sha256), segmenter=Judge(trusts=[trust]))
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    key = result_key(stored.sha256, 0.1, Recipe(), Judge.sha256)
    saved = store.save_result(analysis.id, stored.id, key, found)
    assert saved == store.image_result(analysis.id, stored.id)
    assert (saved.trust, saved.polarity, saved.scales) == (trust, "bright", (1.0, 0.5))


def test_how_much_of_a_job_is_done(store, sample):
    job = store.create_job(store.create_analysis(sample.id, Recipe(), "Ann").id, "Ann", images_total=4)
    store.claim_job(job.id)
    job = store.update_job(job.id, status="running", images_done=1, current_share=0.5)
    assert job.share_done == pytest.approx(1.5 / 4)
    assert store.update_job(job.id, status="done", images_done=4).current_share is None
    assert store.create_job(job.analysis_id, "Ann").share_done == 0
