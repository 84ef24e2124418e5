"""The demo: two simulated batches of gold, stored and analysed the way a user's upload is."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from antema import jobs
from antema.storage import open_store
from antema.web.models_view import default_recipe
from antema.web.state import read_upload

DEMO_SEED = 2023


def make_demo(data: Path, *, by: str, progress: Callable[[str], None] = lambda _: None) -> list[int]:
    """Make the demo samples and analyse them.

    Parameters
    ----------
    data : Path
        The data folder.
    by : str
        Who asked for it.
    progress : callable
        Told in words what is being done until the jobs' own progress takes over.

    Returns
    -------
    list of int
        The ids of the samples.
    """
    from antema.simulation import write_demo

    store = open_store(data)
    samples: list[int] = []
    with tempfile.TemporaryDirectory(dir=store.incoming_dir) as folder:
        progress("Demo: simulating the micrographs of two gold batches …")

        def tell(done: int, total: int) -> None:
            progress(f"Demo: {done} of {total} micrographs of two gold batches simulated …")

        for sample, paths in write_demo(Path(folder), seed=DEMO_SEED, progress=tell):
            progress(f"Demo: storing {sample['name'].removeprefix('Demo: ')} …")
            row = store.create_sample(**sample, by=by)
            for path in paths:
                micrograph = read_upload(path, path.name)
                store.add_micrograph(row.id, micrograph, path, filename=path.name, by=by)
            samples.append(row.id)
    progress("")
    for sample_id in samples:
        # started one by one: a job that waits without a process would be taken for a dead one
        jobs.run(jobs.start(store, sample_id, default_recipe(), by=by).id, data)
    return samples
