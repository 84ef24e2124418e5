"""Samples analysed in processes of their own: started, resumed, cancelled; the job row tells how it goes."""

from antema.jobs.control import cancel, recover, resume, spawn, start
from antema.jobs.worker import run, run_all
from antema.storage import Job

__all__ = ["Job", "cancel", "recover", "resume", "run", "run_all", "spawn", "start"]
