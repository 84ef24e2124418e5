"""A job done: every image of a sample, one transaction each, in this process."""

import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from antema.domain import AntemaError, CannotRead, Micrograph
from antema.jobs.locks import sole_worker
from antema.jobs.pulse import Interrupted, Stop, pulse, pulse_of_waiting
from antema.jobs.turn import Turn
from antema.settings import Settings, get_settings
from antema.storage import AnalysisRow, ImageResult, Job, Store, StoredMicrograph, open_store

if TYPE_CHECKING:
    from antema.analysis import Classifier
    from antema.nets import Segmenter

_log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
_SHARE_EVERY_S = 0.5


class _Cancelled(Exception):  # noqa: N818 - no error
    """A person asked the job to stop."""


def run(
    job_id: int, data_dir: Path, *, slots: int | None = None, on_progress: Callable[[Job], None] | None = None
) -> Job:
    """Do a queued job in this process: image after image, each when it is the job's turn.

    What is done is kept whatever happens: a result that is there, of this or of another analysis, is not computed
    again. An image that fails is kept with its reason, and the job goes on.

    Parameters
    ----------
    job_id : int
        A queued job.
    data_dir : Path
        Data folder of the store.
    slots : int, optional
        How many jobs may work at the same time; by default what the settings say.
    on_progress : callable, optional
        Called with the job after each change of its progress.

    Returns
    -------
    Job
        As it ended: ``done`` (some images may have failed), ``failed`` (all did, or the job itself), ``cancelled``.

    Raises
    ------
    AntemaError
        When the job is not queued, or another process works on it.
    SystemExit
        After SIGTERM, SIGINT or the end of the parent process; the job is interrupted then.
    """
    settings = get_settings()
    _choose_device(settings)
    tell = on_progress or (lambda _: None)
    with closing(open_store(data_dir)) as store, sole_worker(store.locks_dir, job_id):
        job = store.job(job_id)
        if job.status == "cancelled":
            return job
        store.claim_job(job_id)
        stop = Stop()
        try:
            with stop.on_signals(), pulse(store, job_id, stop):
                return _run(store, job_id, stop, settings, slots or settings.job_slots, tell)
        except Interrupted:
            store.interrupt_job(job_id, stop.reason, was_told=True)
            raise SystemExit(stop.exit_code) from None


def run_all(job_ids: Sequence[int], data_dir: Path, *, after: Callable[[Job], None] = lambda _: None) -> None:
    """Do queued jobs in this process, one after another.

    One that was cancelled meanwhile, or that another process took up, is passed over; one that fails keeps none of the
    others from being done. What still waits when the process is told to stop is interrupted and can go on later.

    Parameters
    ----------
    job_ids : sequence of int
        In the order in which they are to be done.
    data_dir : Path
        Data folder of the store.
    after : callable
        Called with each job as it ended.

    Raises
    ------
    SystemExit
        After SIGTERM, SIGINT or the end of the parent process.
    """
    begun: set[int] = set()
    parent = os.getppid()
    with closing(open_store(data_dir)) as store, pulse_of_waiting(store, job_ids, begun):
        try:
            for job_id in job_ids:
                if os.getppid() != parent:  # between two jobs nothing else looks after it
                    raise SystemExit(1)
                begun.add(job_id)
                try:
                    after(run(job_id, data_dir))
                except AntemaError as error:
                    _log.warning("job %s was passed over: %s", job_id, error)
        finally:
            for job_id in job_ids:
                if job_id not in begun:
                    store.interrupt_job(job_id, "the process that it waited for ended", was_told=True)


def _run(store: Store, job_id: int, stop: Stop, settings: Settings, slots: int, tell: Callable[[Job], None]) -> Job:
    def check() -> None:
        stop.check()
        _check_cancel(store, job_id)

    turn = Turn(store, job_id, slots, check)
    try:
        turn.take()
        work = _Work(store, store.update_job(job_id, status="running"), stop, settings, tell, turn)
        return work.do()
    except _Cancelled:
        return store.update_job(job_id, status="cancelled")
    except AntemaError as error:
        return store.update_job(job_id, status="failed", error=str(error))
    except Exception as error:
        _log.exception("job %s failed", job_id)
        return store.update_job(job_id, status="failed", error=_unexpected(error))
    finally:
        turn.give_up()


def _choose_device(settings: Settings) -> None:
    # JAX reads it at its first import; what the process was started with goes first.
    if settings.jax_platforms is not None:
        os.environ.setdefault("JAX_PLATFORMS", settings.jax_platforms)


def _check_cancel(store: Store, job_id: int) -> None:
    if store.job(job_id).cancel_requested:
        raise _Cancelled


@dataclass
class _Progress:
    """Counts of a job, as its row has them."""

    images_total: int
    images_skipped: int
    images_done: int = 0
    images_failed: int = 0
    images_reused: int = 0
    particles: int = 0
    seconds: list[float] = field(default_factory=list[float])

    @property
    def seconds_per_image(self) -> float | None:
        """Median over the images computed in this run: the first one compiles the network and is no measure."""
        return median(self.seconds) if self.seconds else None


class _Work:
    """One job at work."""

    def __init__(  # noqa: PLR0913 - what one job has
        self, store: Store, job: Job, stop: Stop, settings: Settings, tell: Callable[[Job], None], turn: Turn
    ) -> None:
        self.store = store
        self.job = job
        self.stop = stop
        self.settings = settings
        self.tell = tell
        self.turn = turn
        self.analysis: AnalysisRow = store.analysis(job.analysis_id)
        self.first_error = ""
        self._share_told = time.monotonic()

    def do(self) -> Job:
        """Analyse every image that is not done, and return the job as it ended."""
        from antema import nets
        from antema.analysis import load_classifier

        # also of one whose file was lost, which has its key still
        have = {one.micrograph_id: one for one in self.store.image_results(self.analysis.id) if one.result_key}
        named = self.store.micrographs_to_analyse(self.analysis.id)
        # what is done stays in the result, whatever became of the micrograph since
        micrographs = [m for m in named if m.id in have or self._is_in_use(m)]
        analysable = [m for m in micrographs if m.id in have or m.is_analysable]
        skipped = [m for m in micrographs if m.id not in have and not m.is_analysable]
        for micrograph in skipped:
            self.store.save_skipped(self.analysis.id, micrograph.id, _why_skipped(micrograph))
        progress = _Progress(images_total=len(analysable), images_skipped=len(skipped))
        self._tell(progress)
        with self.stop.interruptible():
            # first, since it says in a plain sentence that the device asked for is not there
            device = nets.device_name()
            segmenter = nets.load(self.analysis.recipe.model)
            classifier = load_classifier(self.analysis.recipe)
        self.tell(self.store.update_job(self.job.id, device=device))
        for listed in analysable:
            self.stop.check()
            _check_cancel(self.store, self.job.id)
            # A person may have moved it, left it out or typed another pixel size since.
            micrograph, known = self.store.micrograph(listed.id), have.get(listed.id)
            if known is not None:
                # computed before the job broke off: it stays so, and is made again only where its file is lost
                micrograph = replace(micrograph, pixel_size=known.pixel_size, data_index=known.data_index)
            elif not (self._is_in_use(micrograph) and micrograph.is_analysable):
                progress.images_total -= 1
                self._tell(progress)
                continue
            self._tell(progress, micrograph.filename)
            self._image(micrograph, segmenter, classifier, known, progress)
            self._tell(progress)
        return self._end(progress)

    def _is_in_use(self, micrograph: StoredMicrograph) -> bool:
        return micrograph.sample_id == self.analysis.sample_id and not micrograph.is_left_out

    def _image(
        self,
        micrograph: StoredMicrograph,
        segmenter: "Segmenter",
        classifier: "Classifier | None",
        known: ImageResult | None,
        progress: _Progress,
    ) -> None:
        """Bring one image to its end: result there, result of another analysis, computed, or failed."""
        from antema.analysis import result_key

        store, analysis_id = self.store, self.analysis.id
        size = micrograph.pixel_size.nm
        assert size is not None
        key = result_key(
            micrograph.sha256,
            size,
            self.analysis.recipe,
            segmenter.sha256,
            micrograph.data_index,
            crystallinity_sha256=None if classifier is None else classifier.sha256,
        )
        wanted = key if known is None else known.result_key or key
        result = store.find_result(wanted)
        if result is None and known is not None and known.status == "done" and wanted != key:
            # only its picture is damaged, and what would be computed now is another result
            result = known
        if result is None:
            self.turn.take()
            # another job may have made it meanwhile
            result = store.find_result(wanted)
        else:
            # what is there already costs nothing and waits for nobody
            self.turn.give_up()
        started = time.monotonic()
        try:
            with self.stop.interruptible():
                if result is None:
                    self._refuse_other_work(wanted, key)
                    result = self._compute(micrograph, segmenter, classifier, key)
                    progress.seconds.append(time.monotonic() - started)
                elif known is None:
                    store.link_result(analysis_id, micrograph.id, key)
                    progress.images_reused += 1
            progress.particles += result.n_measured
        except AntemaError as error:
            self._failed(micrograph, str(error), progress)
        except Exception as error:
            _log.exception("%s could not be analysed", micrograph.filename)
            self._failed(micrograph, _unexpected(error), progress)
        progress.images_done += 1

    @staticmethod
    def _refuse_other_work(wanted: str, key: str) -> None:
        """Raise where what was lost of a result can no longer be computed as it was: it would become another one."""
        if wanted != key:
            msg = (
                "expected the particle file of this result, found none, and the program or a model has changed since: "
                "start a new analysis"
            )
            raise AntemaError(msg)

    def _compute(
        self, micrograph: StoredMicrograph, segmenter: "Segmenter", classifier: "Classifier | None", key: str
    ) -> ImageResult:
        from antema.analysis import analyse

        attempts = self.store.begin_image(self.analysis.id, micrograph.id)
        if attempts > MOST_ATTEMPTS:
            msg = (
                f"expected the analysis to come to an end, found that its process ended {MOST_ATTEMPTS} times while it "
                "worked on this image (it may need more memory than there is)"
            )
            raise AntemaError(msg)
        result = analyse(
            self._read(micrograph),
            self.analysis.recipe,
            segmenter=segmenter,
            classifier=classifier,
            # what was found at the upload; looked for here where nobody looked, or looking failed
            annotations=micrograph.annotations,
            progress=self._tell_share,
        )
        return self.store.save_result(self.analysis.id, micrograph.id, key, result, data_index=micrograph.data_index)

    def _read(self, micrograph: StoredMicrograph) -> Micrograph:
        from antema.imaging import read_safely

        read = read_safely(
            self.store.blob_path(micrograph.sha256),
            data=micrograph.data_index,
            name=micrograph.filename,
            timeout_s=self.settings.reader_timeout_s,
            memory_bytes=self.settings.reader_memory_mb * 2**20,
        )
        if read.sha256 != micrograph.sha256:
            msg = (
                f"{micrograph.filename}: expected the bytes that were uploaded, found that the stored file has changed"
            )
            raise CannotRead(msg)
        return read.with_pixel_size(micrograph.pixel_size)

    def _failed(self, micrograph: StoredMicrograph, reason: str, progress: _Progress) -> None:
        self.store.save_failure(self.analysis.id, micrograph.id, reason)
        progress.images_failed += 1
        self.first_error = self.first_error or reason

    def _tell(self, progress: _Progress, current_image: str = "") -> None:
        job = self.store.update_job(
            self.job.id,
            images_total=progress.images_total,
            images_done=progress.images_done,
            images_failed=progress.images_failed,
            images_reused=progress.images_reused,
            images_skipped=progress.images_skipped,
            particles=progress.particles,
            seconds_per_image=progress.seconds_per_image,
            current_image=current_image,
            current_share=None,
        )
        self.tell(job)

    def _tell_share(self, share: float) -> None:
        """Write down how much of the current image is done, at most every `_SHARE_EVERY_S`."""
        now = time.monotonic()
        if now - self._share_told >= _SHARE_EVERY_S:
            self._share_told = now
            self.tell(self.store.update_job(self.job.id, current_share=share))

    def _end(self, progress: _Progress) -> Job:
        if progress.images_total == 0:
            error = "expected micrographs with a pixel size, found none in the sample any more"
            return self.store.update_job(self.job.id, status="failed", error=error)
        if progress.images_failed == progress.images_total:
            error = f"no image could be analysed; the first: {self.first_error}"
            return self.store.update_job(self.job.id, status="failed", error=error)
        return self.store.update_job(self.job.id, status="done")


def _why_skipped(micrograph: StoredMicrograph) -> str:
    reason = micrograph.pixel_size.source.removeprefix("none: ")
    return f"{micrograph.filename}: expected a pixel size, found none ({reason})"


def _unexpected(error: Exception) -> str:
    return f"unexpected error: {type(error).__name__}: {error}" if str(error) else f"unexpected error: {error!r}"
