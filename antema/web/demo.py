"""The demo: two simulated batches of gold, shipped with what this version says of them; their truth is kept.

`antema/demo` holds the micrographs, their truth and their results. ``python -m antema.web.make_demo`` makes all of it.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from antema import jobs
from antema.analysis import ALGORITHM_VERSION
from antema.domain import AlreadyThere, Annotations, AntemaError, Micrograph, NotFound, PixelSize, Recipe
from antema.imaging import contents, read
from antema.nets.card import find
from antema.private import FILE_MODE, private_folder
from antema.storage import Examined, Job, Sample, Store, StoredMicrograph, open_store
from antema.storage.result_files import read_result, read_said
from antema.web.models_view import default_recipe

FILES = Path(__file__).parents[1] / "demo"
_NAME = "Demo: "


def load_demo(store: Store, *, by: str) -> list[int]:
    """Take the demo's samples, micrographs and results into a store; what is there of them, or archived, is taken up.

    Returns
    -------
    list of int
        The samples that no shipped results fit, since another network or recipe is the default here: mostly none.

    Raises
    ------
    AntemaError
        When it is being loaded already.
    """
    recipe = default_recipe()
    with _sole_maker(store):
        missing: list[int] = []
        for values in samples_of(FILES):
            sample = _present(store, values, by)
            _add_micrographs(store, sample, values, by)
            if not _needs_result(store, sample.id):
                continue
            if _are_shipped(store, sample.id, recipe):
                _give_results(store, jobs.start(store, sample.id, recipe, by=by))
            else:
                missing.append(sample.id)
        return missing


def finish_demo(data: Path, sample_ids: list[int], *, by: str) -> None:
    """Analyse the samples that `load_demo` left, one after another.

    Raises
    ------
    AntemaError
        When an analysis fails.
    """
    with closing(open_store(data)) as store:
        for sample_id in sample_ids:
            if not _needs_result(store, sample_id):
                continue
            # started one by one: a job that waits without a process would be taken for a dead one
            ended = jobs.run(_job(store, sample_id, by).id, data)
            if ended.status == "failed":
                raise AntemaError(ended.error)


def is_offered(store: Store) -> bool:
    """Return whether the demo may be loaded: there is nothing else, it is not all there, and nobody loads it."""
    present = store.samples()
    if any(not summary.sample.name.startswith(_NAME) for summary in present):
        return False
    n_samples = len(samples_of(FILES))
    if len(present) >= n_samples and all(summary.current_analysis_id is not None for summary in present):
        return False
    lock = _lock(store)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    return True


def is_sample(store: Store, sample_id: object) -> bool:
    """Return whether this is the number of a sample of the demo."""
    if not isinstance(sample_id, int) or isinstance(sample_id, bool):
        return False
    names = {values["name"] for values in samples_of(FILES)}
    return any(row.sample.id == sample_id and row.sample.name in names for row in store.samples())


def version(recipe: Recipe) -> str:
    """Return what names a recipe with its networks and the program's algorithm: other ones give other results."""
    cards: list[Any] = []
    for name, task in ((recipe.model, "segmentation"), (recipe.crystallinity_model, "crystallinity")):
        with suppress(NotFound):
            cards.append(dict(find(name, task=task).content))
    parts = [recipe.to_dict(), ALGORITHM_VERSION, cards]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read_shipped(folder: Path, name: str, pixel_size_nm: float) -> Micrograph:
    """Return a micrograph of the demo; its pixel size is known beside the file, a PNG having no place for it."""
    size = PixelSize(pixel_size_nm, "sidecar: the simulation's truth (.json)")
    return read(folder / name).with_pixel_size(size)


def samples_of(folder: Path) -> list[dict[str, Any]]:
    """Return what the demo in a folder consists of, as `antema.simulation.write_demo` says; nothing where none is."""
    path = folder / "demo.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else []


@contextmanager
def _sole_maker(store: Store) -> Iterator[None]:
    lock = _lock(store)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        msg = "The demo is being loaded already: it is there in a moment."
        raise AntemaError(msg) from None
    try:
        yield
    finally:
        lock.release()


def _lock(store: Store) -> FileLock:
    return FileLock(store.locks_dir / "demo.lock", mode=FILE_MODE)


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
    written = {name: values[name] for name in ("name", "material", "batch", "notes")}
    return store.create_sample(**written, by=by)


def _add_micrographs(store: Store, sample: Sample, values: dict[str, Any], by: str) -> None:
    there = {micrograph.filename for micrograph in store.micrographs(sample.id)}
    for name in values["images"]:
        if name in there:
            continue
        micrograph = read_shipped(FILES, name, values["pixel_size_nm"])
        entries = [replace(entry, pixel_size=micrograph.pixel_size) for entry in contents(FILES / name)]
        _keep_truth(store, name)
        copy = store.incoming_dir / name
        shutil.copyfile(FILES / name, copy)
        # nothing is burned into it
        examined = Examined(entries, annotations=Annotations())
        try:
            store.add_micrograph(sample.id, micrograph, copy, filename=name, examined=examined, by=by)
        except AlreadyThere:
            # somebody has moved it to another sample, where it is to stay
            copy.unlink(missing_ok=True)


def _keep_truth(store: Store, name: str) -> None:
    folder = private_folder(store.data_dir / "demo")
    truth = Path(name).with_suffix(".json")
    shutil.copyfile(FILES / truth, folder / truth)
    (folder / truth).chmod(FILE_MODE)


def _needs_result(store: Store, sample_id: int) -> bool:
    """Return whether a sample shows no result and no job is at one."""
    analyses = store.analyses(sample_id)
    latest = store.jobs(limit=1, analysis_id=analyses[0].id) if analyses else []
    return store.current_analysis(sample_id) is None and not (latest and latest[0].is_active)


def _job(store: Store, sample_id: int, by: str) -> Job:
    """Return a queued job that brings a sample to its result: one that broke off, or a new one."""
    analyses = store.analyses(sample_id)
    latest = store.jobs(limit=1, analysis_id=analyses[0].id) if analyses else []
    if latest and latest[0].status in ("interrupted", "cancelled"):
        return jobs.resume(store, latest[0].id, by)
    return jobs.start(store, sample_id, default_recipe(), by=by)


def _analysable(store: Store, sample_id: int) -> list[StoredMicrograph]:
    return [micrograph for micrograph in store.micrographs(sample_id) if micrograph.is_analysable]


def _are_shipped(store: Store, sample_id: int, recipe: Recipe) -> bool:
    """Return whether the shipped results are what this recipe gives now for the micrographs of a sample."""
    now = version(recipe)
    for micrograph in _analysable(store, sample_id):
        name = Path(micrograph.filename).stem
        said = read_said(FILES, name) if (FILES / f"{name}.parquet").is_file() else {}
        found = (said.get("version"), said.get("image_sha256"), said.get("pixel_size_nm"))
        if found != (now, micrograph.sha256, micrograph.pixel_size.nm):
            return False
    return True


def _give_results(store: Store, job: Job) -> None:
    """Bring a job to its end with the shipped results."""
    analysis = store.analysis(job.analysis_id)
    store.claim_job(job.id)
    store.update_job(job.id, status="running")
    particles = done = 0
    for micrograph in _analysable(store, analysis.sample_id):
        name = Path(micrograph.filename).stem
        key = read_said(FILES, name)["result_key"]
        particles += store.save_result(analysis.id, micrograph.id, key, read_result(FILES, name)).n_measured
        done += 1
    store.update_job(job.id, status="done", images_done=done, images_reused=done, particles=particles)
