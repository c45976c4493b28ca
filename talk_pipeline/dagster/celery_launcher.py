"""Starts runs as tasks of Celery, and tells Dagster which of them no worker has any more.

Celery notes that a task was begun and asks no more: the task of a machine that is lost stays so for ever. So the
workers are asked what they are at. Named in `deploy/dagster.yaml`; it needs the extra `deploy`.
"""

import time
from typing import Any

import dagster as dg
from celery.exceptions import OperationalError
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from talk_pipeline.wording import counted

ANSWER_SECONDS = 3.0
KNOWN_SECONDS = 5.0
"""All runs are asked about one after the other: the workers are asked once."""
MISSED_SECONDS = 30.0
"""A worker that is restarted, or whose machine is busy, may be silent for a while."""


class CeleryLauncher(CeleryRunLauncher):
    """Dagster's launcher of Celery tasks, with a check that asks the workers."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._tasks: frozenset[str] = frozenset()
        self._asked_at = -KNOWN_SECONDS
        self._missed_since: dict[str, float] = {}

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether a worker has the task of a started run."""
        task = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        if task is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)  # it is just being handed over
        known = super().check_run_worker_health(run)
        if known.status is WorkerStatus.FAILED:
            return known
        # a task that ended and left its run begun could not say so: the storage was away
        if known.status is not WorkerStatus.SUCCESS and self._is_at_work(task):
            self._missed_since.pop(task, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        missed = time.monotonic() - self._missed_since.setdefault(task, time.monotonic())
        if missed < MISSED_SECONDS:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        since = counted(round(missed), "second")
        message = f"no worker has had its task for {since}: killed, lost, or without a way to tell"
        return CheckRunHealthResult(WorkerStatus.FAILED, message)

    def _is_at_work(self, task: str) -> bool:
        now = time.monotonic()
        if now - self._asked_at >= KNOWN_SECONDS:
            try:
                answers = self.celery.control.inspect(timeout=ANSWER_SECONDS).active() or {}
            except (OperationalError, OSError):
                return True  # the broker is away: nobody is known to be gone
            self._tasks = frozenset(one["id"] for tasks in answers.values() for one in tasks)
            self._asked_at = now
        return task in self._tasks
