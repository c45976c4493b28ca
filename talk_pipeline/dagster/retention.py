"""What is kept of Dagster's runs and events, and for how long; every night, and by `talk-pipeline prune`.

What the pipeline itself keeps of the past is `engine.state.retention`'s business. Both are pruned by the same job.
"""

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from talk_pipeline.dagster.company import each_company
from talk_pipeline.dagster.jobs import RESOURCE
from talk_pipeline.dagster.presence import forget
from talk_pipeline.engine.state.connection import StateBrokenError, StateBusyError, StateMismatchError
from talk_pipeline.engine.state.lease import LeaseHeldError
from talk_pipeline.flows.loading import FlowError
from talk_pipeline.installation import prune as prune_state
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline.stopping import StoppedError
from talk_pipeline.wording import counted

log = logging.getLogger(__name__)

JOB = "prune"
NIGHTLY = "30 2 * * *"
ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
AT_ONCE = 100
WAIT_SECONDS = 60.0
_OF_A_COMPANY = (
    FlowError,
    LeaseHeldError,
    StateBrokenError,
    StateBusyError,
    StateMismatchError,
    SettingsError,
    OSError,
)
"""What keeps one company from being pruned, and nobody else."""


def prune(settings: Settings, instance: dg.DagsterInstance | None) -> str:
    """Removes what is too old from the state, and from Dagster's home where that is ours; tells what it was.

    Raises:
        LeaseHeldError: a run is at work.
    """
    rows, people = prune_state(settings)
    told = (
        f"older than {counted(settings.talk_keep_days, 'day')}: {counted(rows, 'row')} of the past, and the values"
        f" of {counted(people, 'record')} that both systems have lost"
    )
    if instance is None:
        return told
    runs = prune_runs(instance, before=datetime.now(UTC) - timedelta(days=settings.talk_keep_runs_days))
    if runs:
        vacuum(Path(instance.root_directory))
    kept = counted(settings.talk_keep_runs_days, "day")
    return f"{told}; older than {kept}: {counted(runs, 'run')} of Dagster"


def prune_runs(instance: dg.DagsterInstance, *, before: datetime) -> int:
    """Removes the runs that ended and were created before, with their events, logs and files; returns how many."""
    removed = 0
    filters = dg.RunsFilter(created_before=before, statuses=list(ENDED))
    while found := instance.get_runs(filters, limit=AT_ONCE):
        for run in found:
            _remove(instance, run.run_id)
        removed += len(found)
    return removed


def _remove(instance: dg.DagsterInstance, run_id: str) -> None:
    # brings SQLAlchemy with it, which a code location need not wait for
    from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable

    storage = instance.event_log_storage
    instance.delete_run(run_id)
    of_checks = AssetCheckExecutionsTable.delete().where(AssetCheckExecutionsTable.c.run_id == run_id)
    if hasattr(storage, "index_connection"):
        with storage.index_connection() as connection:
            connection.execute(of_checks)
    if hasattr(storage, "path_for_shard"):
        for file in Path(storage.path_for_shard(run_id)).parent.glob(f"{run_id}.db*"):
            file.unlink(missing_ok=True)
    home = Path(instance.root_directory)
    shutil.rmtree(home / "storage" / run_id, ignore_errors=True)
    forget(home, run_id)


def vacuum(home: Path) -> None:
    """Gives back the room of what was removed; where that cannot be now, the next night does it."""
    for file in sorted(home.rglob("*.db")):
        try:
            with closing(sqlite3.connect(file, timeout=WAIT_SECONDS, isolation_level=None)) as opened:
                opened.execute("vacuum")
                opened.execute("pragma wal_checkpoint(truncate)")
        except sqlite3.Error as error:
            log.warning("%s keeps the room of what was removed until the next time: %s", file, error)


def _all_settings() -> Iterator[tuple[str, Settings | SettingsError]]:
    """Of each company, or of the only one."""
    settings = Settings.load()
    if settings.talk_companies is None:
        yield "", settings
    else:
        yield from each_company()


def prune_job(*, runs_too: bool) -> dg.JobDefinition:
    """The job that prunes, of one op; with the runs of an instance on which nothing else runs."""
    named = "TALK_KEEP_DAYS and TALK_KEEP_RUNS_DAYS say" if runs_too else "TALK_KEEP_DAYS says"
    description = f"Removes what is older than {named}."

    # the resource shows that the run has a process
    @dg.op(out=dg.Out(dg.Nothing), description=description, required_resource_keys={RESOURCE})
    def prune_all(context: dg.OpExecutionContext) -> None:
        problems = []
        for name, settings in _all_settings():
            about = f"{name}: " if name else ""
            if isinstance(settings, SettingsError):
                problems.append(about + str(settings))
                continue
            try:
                context.log.info(about + prune(settings, context.instance if runs_too else None))
            except _OF_A_COMPANY as error:
                problems.append(about + str(error))
            except StoppedError:
                raise
            except Exception as error:  # a mistake of ours is no reason either to leave the others out
                problems.append(f"{about}{type(error).__name__}: {error}")
                context.log.exception(problems[-1])
        if problems:
            raise dg.Failure("; ".join(problems), allow_retries=False)

    @dg.job(name=JOB, description=description, executor_def=dg.in_process_executor)
    def pruned() -> None:
        prune_all()

    return pruned


def prune_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Every night, before everything is read in full."""
    return dg.ScheduleDefinition(
        name="nightly_prune",
        job=job,
        cron_schedule=NIGHTLY,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Keeps what is kept of the past bounded.",
    )
