"""The rows of jobs: the truth about an analysis at work."""

import os
import socket
from datetime import timedelta
from typing import Any

import psutil
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from antema.domain import AntemaError, Recipe
from antema.storage import schema
from antema.storage.analyses import add_analysis, get_analysis, make_current, refuse_deleted, to_analysis
from antema.storage.base import StoreBase, found, now, number, record, who
from antema.storage.hidden import unused_id
from antema.storage.records import Job
from antema.storage.samples import get_sample

ACTIVE = ("queued", "running")
FINAL = ("done", "failed", "cancelled", "interrupted")
STATUSES = (*ACTIVE, *FINAL)
# A busy machine may need long until a process that it started has imported everything and takes its job up.
_LONGEST_START_S = 120.0
_CHANGEABLE = frozenset(
    {
        "status",
        "device",
        "images_total",
        "images_done",
        "images_failed",
        "images_reused",
        "images_skipped",
        "particles",
        "current_image",
        "current_share",
        "seconds_per_image",
        "error",
    }
)


class JobRows(StoreBase):
    """The store's part for jobs."""

    def create_job(self, analysis_id: int, by: str, *, images_total: int = 0, images_skipped: int = 0) -> Job:
        """Make the job of an analysis, queued."""
        with self._database.writing() as session:
            analysis = get_analysis(session, analysis_id)
            return _add_job(session, analysis, by, images_total=images_total, images_skipped=images_skipped)

    def start_job(self, sample_id: int, recipe: Recipe, by: str, *, images_total: int, images_skipped: int) -> Job:
        """Make an analysis and its job, queued: both or neither, and never the same twice at a time.

        Raises
        ------
        AntemaError
            When a job that waits or works does this very analysis.
        """
        with self._database.writing() as session:
            sample = get_sample(session, sample_id)
            active = select(schema.Job).join(schema.Analysis).where(schema.Job.status.in_(ACTIVE))
            for row in session.scalars(active.where(schema.Analysis.sample_id == sample.id)):
                if to_analysis(row.analysis).recipe == recipe:
                    msg = f"{sample.name}: expected a new analysis, found that job {row.id} is at this very one already"
                    raise AntemaError(msg)
            analysis = add_analysis(session, sample.id, recipe, by)
            return _add_job(session, analysis, by, images_total=images_total, images_skipped=images_skipped)

    def job(self, job_id: int) -> Job:
        """Return one job. NotFound when there is none."""
        with self._database.reading() as session:
            return to_job(get_job(session, job_id))

    def jobs(
        self,
        limit: int | None = None,
        *,
        analysis_id: int | None = None,
        sample_id: int | None = None,
        active: bool = False,
    ) -> list[Job]:
        """Return jobs, newest first.

        Parameters
        ----------
        limit : int, optional
            At most so many.
        analysis_id : int, optional
            Only those of this analysis.
        sample_id : int, optional
            Only those of this sample.
        active : bool
            Only those that wait or work.
        """
        query = select(schema.Job).order_by(schema.Job.id.desc())
        if analysis_id is not None:
            query = query.where(schema.Job.analysis_id == analysis_id)
        if sample_id is not None:
            query = query.where(schema.Job.analysis.has(sample_id=sample_id))
        if active:
            query = query.where(schema.Job.status.in_(ACTIVE))
        if limit is not None:
            query = query.limit(limit)
        with self._database.reading() as session:
            return [to_job(row) for row in session.scalars(query)]

    def update_job(self, job_id: int, **changes: Any) -> Job:  # noqa: ANN401 - columns of several types
        """Change the progress or the status of a job, its heartbeat with it.

        The status of the analysis follows. A job that ends done makes its analysis the one its sample shows.
        """
        unknown = sorted(set(changes) - _CHANGEABLE)
        if unknown:
            msg = f"update_job cannot change {', '.join(unknown)}"
            raise TypeError(msg)
        with self._database.writing() as session:
            row = get_job(session, job_id)
            row.heartbeat_at = now()
            for name, value in changes.items():
                setattr(row, name, value)
            if "status" in changes:
                _follow_status(session, row)
            return to_job(row)

    def note_process(self, job_id: int, pid: int) -> None:
        """Write down which process of this machine was started for a queued job, before it can do so itself.

        Nothing is changed where it already did, or where there is no such job.
        """
        with self._database.writing() as session:
            row = session.get(schema.Job, number(job_id, "job"))
            if row is not None and row.status == "queued" and row.heartbeat_at is None:
                row.pid, row.host = pid, socket.gethostname()

    def claim_job(self, job_id: int) -> Job:
        """Let the calling process be the one that does a queued job.

        Raises
        ------
        AntemaError
            When the job is not queued.
        """
        with self._database.writing() as session:
            row = get_job(session, job_id)
            if row.status != "queued":
                msg = f"Job {row.id}: expected a queued job, found one that is {row.status}"
                raise AntemaError(msg)
            row.pid = os.getpid()
            row.host = socket.gethostname()
            row.heartbeat_at = now()
            return to_job(row)

    def requeue_job(self, job_id: int, by: str) -> Job:
        """Queue a job again that was interrupted or cancelled or that failed, in part or whole; its results are kept.

        Raises
        ------
        AntemaError
            For a job that waits, works, or is done without a failure, and one whose result is in the bin.
        """
        with self._database.writing() as session:
            row = get_job(session, job_id)
            refuse_deleted(session, row.analysis)
            if not to_job(row).can_resume:
                state = "done without a failure" if row.status == "done" else row.status
                msg = f"Job {row.id}: expected one that broke off or had failures, found one that is {state}"
                raise AntemaError(msg)
            before = {"status": row.status}
            row.status = "queued"
            row.queued_at = now()
            # The time it lay there broken off is no working time.
            row.started_at = None
            row.finished_at = None
            row.heartbeat_at = None
            row.waits_for_turn = False
            row.turn_at = None
            row.pid = None
            row.host = None
            row.cancel_requested = False
            row.current_image = ""
            row.current_share = None
            row.error = ""
            _follow_status(session, row)
            user = who(session, by)
            sample_id = row.analysis.sample_id
            record(
                session,
                user,
                "resume job",
                "job",
                row.id,
                sample_id=sample_id,
                before=before,
                after={"status": "queued"},
            )
            return to_job(row)

    def heartbeat(self, job_id: int) -> Job:
        """Write down that the job's process lives, and return the job."""
        with self._database.writing() as session:
            row = get_job(session, job_id)
            row.heartbeat_at = now()
            return to_job(row)

    def request_cancel(self, job_id: int, by: str) -> Job:
        """Ask a job to stop after the image it is working on.

        Raises
        ------
        AntemaError
            For a job that neither waits nor works.
        """
        with self._database.writing() as session:
            row = get_job(session, job_id)
            if row.status not in ACTIVE:
                msg = f"Job {row.id}: expected one that waits or works, found one that is {row.status}"
                raise AntemaError(msg)
            if not row.cancel_requested:
                row.cancel_requested = True
                before, after = {"cancel_requested": False}, {"cancel_requested": True}
                sample_id = row.analysis.sample_id
                user = who(session, by)
                record(session, user, "cancel job", "job", row.id, sample_id=sample_id, before=before, after=after)
            return to_job(row)

    def stale_jobs(self, older_than_s: float = 15.0) -> list[Job]:
        """Return the jobs that should be at work and give no sign of life.

        Those are jobs whose process on this machine is gone, those whose last heartbeat, or queueing where no process
        was started for them, is longer ago than `older_than_s`, and those that their process has not taken up in two
        minutes.
        """
        with self._database.reading() as session:
            rows = session.scalars(select(schema.Job).where(schema.Job.status.in_(ACTIVE)).order_by(schema.Job.id))
            return [to_job(row) for row in rows if _is_stale(row, older_than_s)]

    def interrupt_job(
        self, job_id: int, reason: str = "its process ended before it did", *, was_told: bool = False
    ) -> Job | None:
        """Mark a job that waits or works as interrupted.

        Parameters
        ----------
        job_id : int
            Which.
        reason : str
            What to show.
        was_told : bool
            Whether the process was told to stop: the image it worked on is not to blame then.

        Returns
        -------
        Job or None
            None when it had come to an end by then.
        """
        with self._database.writing() as session:
            row = get_job(session, job_id)
            if row.status not in ACTIVE:
                return None
            row.status = "interrupted"
            row.error = reason
            if was_told:
                _forget_attempts(session, row.analysis_id)
            _follow_status(session, row)
            return to_job(row)


def _add_job(session: Session, analysis: schema.Analysis, by: str, *, images_total: int, images_skipped: int) -> Job:
    user = who(session, by)
    row = schema.Job(
        id=unused_id(session, schema.Job, "job"),
        analysis=analysis,
        status="queued",
        created_by=user,
        created_at=now(),
        queued_at=now(),
        started_at=None,
        finished_at=None,
        heartbeat_at=None,
        waits_for_turn=False,
        turn_at=None,
        pid=None,
        host=None,
        device="",
        cancel_requested=False,
        images_total=images_total,
        images_done=0,
        images_failed=0,
        images_reused=0,
        images_skipped=images_skipped,
        particles=0,
        current_image="",
        current_share=None,
        seconds_per_image=None,
        error="",
    )
    session.add(row)
    _name_micrographs(session, analysis)
    session.flush()
    after = {"analysis_id": analysis.id, "recipe": analysis.recipe.parameters}
    record(session, user, "start job", "job", row.id, sample_id=analysis.sample_id, after=after)
    return to_job(row)


def _name_micrographs(session: Session, analysis: schema.Analysis) -> None:
    """Write down which micrographs an analysis is of; what comes into the sample later belongs to the next one."""
    link, micrograph = schema.AnalysisImage, schema.Micrograph
    known = set(session.scalars(select(link.micrograph_id).where(link.analysis_id == analysis.id)))
    in_use = (micrograph.sample_id == analysis.sample_id) & micrograph.left_out_reason.is_(None)
    for row in session.scalars(select(micrograph).where(in_use)):
        if row.id not in known:
            session.add(
                link(
                    analysis_id=analysis.id,
                    micrograph=row,
                    result_key=None,
                    status="queued",
                    error="",
                    attempts=0,
                    reused=False,
                    updated_at=now(),
                )
            )


def get_job(session: Session, job_id: int) -> schema.Job:
    """Return the row of a job. NotFound when there is none."""
    return found(session.get(schema.Job, number(job_id, "job")), "job", job_id)


def to_job(row: schema.Job) -> Job:
    """Return a row as it is handed out."""
    return Job(
        id=row.id,
        analysis_id=row.analysis_id,
        sample_id=row.analysis.sample_id,
        sample_name=row.analysis.sample.name,
        status=row.status,
        created_by=row.created_by,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        heartbeat_at=row.heartbeat_at,
        waits_for_turn=row.waits_for_turn,
        pid=row.pid,
        host=row.host,
        device=row.device,
        cancel_requested=row.cancel_requested,
        images_total=row.images_total,
        images_done=row.images_done,
        images_failed=row.images_failed,
        images_reused=row.images_reused,
        images_skipped=row.images_skipped,
        particles=row.particles,
        current_image=row.current_image,
        current_share=row.current_share,
        seconds_per_image=row.seconds_per_image,
        error=row.error,
    )


def _follow_status(session: Session, row: schema.Job) -> None:
    if row.status not in STATUSES:
        msg = f"a job cannot be {row.status!r}"
        raise ValueError(msg)
    row.analysis.status = row.status
    if row.status == "running" and row.started_at is None:
        row.started_at = now()
    if row.status in FINAL:
        row.finished_at = now()
        row.current_image = ""
        row.current_share = None
        row.waits_for_turn = False
        row.analysis.finished_at = row.finished_at
    if row.status == "done":
        why = f"job {row.id} is done"
        make_current(session, row.analysis, row.analysis.sample_id, row.created_by, why)


def _forget_attempts(session: Session, analysis_id: int) -> None:
    link = schema.AnalysisImage
    begun = (link.analysis_id == analysis_id) & (link.attempts > 0)
    session.execute(update(link).where(begun).values(attempts=0))


def _is_stale(row: schema.Job, older_than_s: float) -> bool:
    if row.pid is not None and row.host == socket.gethostname() and not _is_alive(row.pid):
        return True
    if row.heartbeat_at is None:
        patience_s = older_than_s if row.pid is None else max(older_than_s, _LONGEST_START_S)
        return now() - row.queued_at > timedelta(seconds=patience_s)
    return now() - row.heartbeat_at > timedelta(seconds=older_than_s)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
