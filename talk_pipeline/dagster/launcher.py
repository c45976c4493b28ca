"""Starts runs as Dagster does by default, and tells it which of them have no process any more.

Dagster asks only launchers that can answer; its default one cannot, so that a killed run would hold its slot until
its longest allowed run time is over. Named in `dagster.yaml`.
"""

from pathlib import Path

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus

from talk_pipeline.dagster.presence import is_gone, process_of


class Launcher(dg.DefaultRunLauncher):
    """The default launcher, with a check whether a run's process lives; the command line's runs included."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the process of a started run is there."""
        home = Path(self._instance.root_directory)
        if is_gone(home, run.run_id):
            message = f"process {process_of(home, run.run_id)} ended without a word: killed, or out of memory"
            return CheckRunHealthResult(WorkerStatus.FAILED, message)
        return CheckRunHealthResult(WorkerStatus.RUNNING)
