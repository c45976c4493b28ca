"""Starts runs in forks of a warm process, ends them, and tells Dagster which of them have no process any more.

What cannot be started so is started as Dagster does by default, by the code server: the first run, and runs of code
for another Python or another machine. Dagster asks only launchers that can answer whether a run has a process; its
default one cannot, so that a killed run would hold its slot until its longest allowed run time is over. Named in
`dagster.yaml`.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin

from talk_pipeline.dagster.fork import Forks
from talk_pipeline.dagster.presence import is_gone, process_of

MACHINE_TAG = ".dagster/begun_on"
"""Of runs whose process may be one that no code server knows: the machine that it is on."""


class Launcher(dg.DefaultRunLauncher):
    """The default launcher, faster, and with a check whether a run's process lives; the command line's included."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._forks = Forks()

    def launch_run(self, context: LaunchRunContext) -> None:
        """Begins a run, which from then on tells itself what comes of it."""
        run = context.dagster_run
        if _is_for_this_python(run):
            # before: what the run says of itself from then on is written over the same row
            self._instance.add_run_tags(run.run_id, {MACHINE_TAG: os.uname().nodename})
            if self._has_forked(run):
                return
        super().launch_run(context)

    def _has_forked(self, run: dg.DagsterRun) -> bool:
        from dagster._grpc.types import ExecuteRunArgs  # whoever opens the home is spared it
        from dagster._serdes import serialize_value

        assert run.job_code_origin
        arguments = serialize_value(ExecuteRunArgs(run.job_code_origin, run.run_id, self._instance.get_ref()))
        return self._forks.begin(self._home, run.run_id, arguments)

    def terminate(self, run_id: str) -> bool:
        """Asks the process of a run to end; whether it could be asked."""
        run = self._instance.get_run_by_id(run_id)
        is_here = run and not run.is_finished and run.tags.get(MACHINE_TAG) == os.uname().nodename
        process = process_of(self._home, run_id) if is_here else None
        if run is None or process is None or is_gone(self._home, run_id):
            return bool(super().terminate(run_id))  # type: ignore[no-untyped-call]
        self._instance.report_run_canceling(run)
        os.kill(process, signal.SIGINT)
        return True

    def dispose(self) -> None:
        """Ends the warm process."""
        self._forks.close()

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the process of a started run is there."""
        if not is_gone(self._home, run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        process = process_of(self._home, run.run_id)
        message = (
            "its process ended and could not say what came of it: no room in Dagster's home, or killed at its end"
            if process is None
            else f"process {process} ended without a word: killed, or out of memory"
        )
        return CheckRunHealthResult(WorkerStatus.FAILED, message)

    @property
    def _home(self) -> Path:
        return Path(self._instance.root_directory)


def _is_for_this_python(run: dg.DagsterRun) -> bool:
    """Whether the daemon loads the code itself, and not from another machine or with another interpreter."""
    at = run.remote_job_origin.repository_origin.code_location_origin if run.remote_job_origin else None
    return (
        isinstance(at, ManagedGrpcPythonEnvCodeLocationOrigin)
        and (at.loadable_target_origin.executable_path or sys.executable) == sys.executable
    )
