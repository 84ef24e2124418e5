"""The demo: two simulated batches of gold, stored and analysed the way a user's upload is; their truth is kept."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from antema import jobs
from antema.domain import AlreadyThere, AntemaError
from antema.private import FILE_MODE, private_folder
from antema.storage import Job, Sample, Store, open_store
from antema.web.intake import take_in
from antema.web.models_view import default_recipe

DEMO_SEED = 2023
_NAME = "Demo: "
_N_SAMPLES = 2


def make_demo(data: Path, *, by: str, progress: Callable[[str], None] = lambda _: None) -> list[int]:
    """Make the demo samples and analyse them; what is there of them, archived or half done, is taken up again.

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

    Raises
    ------
    AntemaError
        When it is being made already, or an analysis fails.
    """
    store = open_store(data)
    with _sole_maker(store):
        samples = [_present(store, values, by) for values in _demo_values()]
        missing = _missing_files(store, samples)
        if missing:
            _add_micrographs(store, samples, missing, by, progress)
        progress("")
        for sample in samples:
            # started one by one: a job that waits without a process would be taken for a dead one
            job = _job_to_do(store, sample.id, by)
            if job is not None and (ended := jobs.run(job.id, data)).status == "failed":
                raise AntemaError(ended.error)
    return [sample.id for sample in samples]


def is_offered(store: Store) -> bool:
    """Return whether the demo may be made: there is nothing else, it is not all there, and nobody makes it."""
    present = store.samples()
    if any(not summary.sample.name.startswith(_NAME) for summary in present):
        return False
    if len(present) >= _N_SAMPLES and all(summary.current_analysis_id is not None for summary in present):
        return False
    lock = _lock(store)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    return True


@contextmanager
def _sole_maker(store: Store) -> Iterator[None]:
    lock = _lock(store)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        msg = "expected that nobody makes the demo, found that it is being made already"
        raise AntemaError(msg) from None
    try:
        yield
    finally:
        lock.release()


def _lock(store: Store) -> FileLock:
    return FileLock(store.locks_dir / "demo.lock", mode=FILE_MODE)


def _demo_values() -> list[dict[str, Any]]:
    from antema.simulation import demo_files

    return [values for values, _ in demo_files()]


def _present(store: Store, values: dict[str, Any], by: str) -> Sample:
    """Return the sample of these values: found, brought back, or made."""
    for entry in store.bin():
        if entry.target == "sample" and entry.name == values["name"]:
            return store.sample(store.take_out_of_bin(entry.id, by=by).target_id)
    for summary in store.samples(archived=True):
        if summary.sample.name == values["name"]:
            if summary.sample.archived:
                return store.archive_sample(summary.sample.id, by=by, archived=False)
            return summary.sample
    return store.create_sample(**values, by=by)


def _missing_files(store: Store, samples: list[Sample]) -> set[str]:
    from antema.simulation import demo_files

    there = {micrograph.filename for sample in samples for micrograph in store.micrographs(sample.id)}
    return {name for _, names in demo_files() for name in names} - there


def _add_micrographs(
    store: Store, samples: list[Sample], missing: set[str], by: str, progress: Callable[[str], None]
) -> None:
    from antema.simulation import demo_files, write_demo

    def tell(done: int, total: int) -> None:
        progress(f"Demo: {done} of {total} micrographs of gold simulated …")

    there = {name for _, names in demo_files() for name in names} - missing
    with tempfile.TemporaryDirectory(dir=store.incoming_dir) as folder:
        progress("Demo: simulating the micrographs of two gold batches …")
        written = write_demo(Path(folder), seed=DEMO_SEED, but=there, progress=tell)
        for sample, (_, paths) in zip(samples, written, strict=True):
            progress(f"Demo: storing {sample.name.removeprefix(_NAME)} …")
            for path in paths:
                _keep_truth(store, path)
                try:
                    take_in(store, sample.id, path, path.name, by=by)
                except AlreadyThere:
                    # somebody has moved it to another sample, where it is to stay
                    continue


def _keep_truth(store: Store, image: Path) -> None:
    """Keep the truth of a micrograph, which lies beside the folder of its images, in the data folder."""
    kept = private_folder(store.data_dir / "demo") / f"{image.stem}.json"
    shutil.move(image.parents[1] / f"{image.stem}.json", kept)
    kept.chmod(FILE_MODE)


def _job_to_do(store: Store, sample_id: int, by: str) -> Job | None:
    """Return the job that brings a sample to its result, queued; None when it has one or a job is at it."""
    analyses = store.analyses(sample_id)
    latest = store.jobs(limit=1, analysis_id=analyses[0].id) if analyses else []
    if latest and latest[0].is_active:
        return None
    if latest and latest[0].status in ("interrupted", "cancelled"):
        return jobs.resume(store, latest[0].id, by)
    if store.current_analysis(sample_id) is not None:
        return None
    return jobs.start(store, sample_id, default_recipe(), by=by)
