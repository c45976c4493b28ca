"""What Dagster's own records say is wrong: of checks, of runs, of sensors, and of records that wait for a person.

Each thing is known by what it is about, so that it can be told when it is over.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from talk_pipeline.dagster.asset_keys import stage_key, sync_key
from talk_pipeline.dagster.assets.sync import WAITING
from talk_pipeline.dagster.failures import problems_of
from talk_pipeline.dagster.jobs import AUDITED, flows_of
from talk_pipeline.dagster.launchpad import JOB as BY_HAND
from talk_pipeline.dagster.not_run import DID_NOT_RUN
from talk_pipeline.dagster.resources import DRY_RUN
from talk_pipeline.dagster.retention import JOB as PRUNE
from talk_pipeline.engine.report.checklist import checks
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.vocabulary import Flow

if TYPE_CHECKING:
    from dagster._core.scheduler.instigation import InstigatorState

SILENT = timedelta(minutes=10)
FAILED_TICKS = 3
_NOTED = {
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}


def of_run(
    instance: dg.DagsterInstance, flows: Flows, run: dg.DagsterRun
) -> Iterator[tuple[str, str | None]]:
    """What a run says of each thing that it looked at, None where nothing is wrong; a dry one is a question."""
    named = [name for name in flows if name in flows_of(run, flows)]
    if run.tags.get(DRY_RUN) == "true" or not (named or run.job_name in (BY_HAND, PRUNE)):
        return
    noted = [entry.get_dagster_event() for entry in instance.all_logs(run.run_id, of_type=_NOTED)]
    events = [event for event in noted if event]
    judged = dict(_judged(events))
    yield from judged.items()
    about = "+".join(named) or run.job_name
    why = None
    if run.status is not dg.DagsterRunStatus.SUCCESS:
        stopped = problems_of(events) or ([] if any(judged.values()) else _said_at_the_end(events))
        why = f"run {run.run_id[:8]} of {about} broke off: {'; '.join(stopped) or 'a check stopped it'}"
    for name in named or [about]:
        yield f"run {name}", why


def _judged(events: Sequence[dg.DagsterEvent]) -> Iterator[tuple[str, str | None]]:
    """What each check found that looked; of one that did not, what was wrong before is no better for that."""
    for event in events:
        if event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            continue
        judged = event.asset_check_evaluation_data
        if DID_NOT_RUN in judged.metadata:
            continue
        asset = judged.asset_key.to_user_string()
        wrong = not judged.passed and judged.severity is dg.AssetCheckSeverity.ERROR
        text = f"{asset}: {judged.check_name.replace('_', ' ')}: {judged.description}"
        yield f"check {asset}:{judged.check_name}", text if wrong else None


def _said_at_the_end(events: Sequence[dg.DagsterEvent]) -> list[str]:
    """The reasons Dagster gives where no step of the run gave one."""
    failed = [event for event in events if event.is_job_failure]
    # nothing more is with it where the daemon says so of a run that cannot say it itself
    errors = [event.job_failure_data.error for event in failed if event.event_specific_data]
    said = [error.message.strip() for error in errors if error]
    return said or [event.message for event in failed if event.message]


def checks_of(flow: Flow) -> Iterator[str]:
    """What the checks of a flow are about; one that is no more is wrong no more."""
    for check in checks(flow):
        yield f"check {stage_key(flow, check.stage).to_user_string()}:{check.name}"
    yield f"check {sync_key(flow).to_user_string()}:{AUDITED}"


def of_sensor(instance: dg.DagsterInstance, name: str, *, now: datetime) -> str | None:
    """What is wrong with a sensor; nothing where none was ever at work, since a timer may do its work."""
    from dagster._core.definitions.run_request import InstigatorType
    from dagster._core.scheduler.instigation import InstigatorStatus, SensorInstigatorData, TickStatus

    states = [
        state
        for state in instance.all_instigator_state(instigator_type=InstigatorType.SENSOR)
        if state.instigator_name == name and isinstance(state.instigator_data, SensorInstigatorData)
    ]
    if not states:
        return None
    state = max(states, key=_last_tick)  # of a code location that has another name now, one is left over
    if state.status is InstigatorStatus.STOPPED:
        return f"sensor {name} is switched off"
    last = datetime.fromtimestamp(_last_tick(state), UTC)
    if _last_tick(state) and now - last > SILENT:
        return f"sensor {name} has not looked since {last:%Y-%m-%d %H:%M} UTC: is the daemon running?"
    ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=FAILED_TICKS)
    if len(ticks) == FAILED_TICKS and all(tick.status is TickStatus.FAILURE for tick in ticks):
        error = ticks[0].error
        return f"sensor {name} fails: {error.message.strip() if error else 'no more is known'}"
    return None


def _last_tick(state: "InstigatorState") -> float:
    from dagster._core.scheduler.instigation import SensorInstigatorData

    data = state.instigator_data
    if not isinstance(data, SensorInstigatorData):
        return 0.0
    return max(data.last_tick_timestamp or 0.0, data.last_tick_start_timestamp or 0.0)


def waiting_of(
    instance: dg.DagsterInstance, flows: Flows, name: str, *, before: int, company: str | None
) -> int:
    """How many of a flow waited for a person when it was last synchronized; what a dry run finds is no news."""
    wanted = dg.AssetRecordsFilter(
        asset_key=sync_key(flows[name]), asset_partitions=[company] if company else None
    )
    (event,) = instance.fetch_materializations(wanted, limit=1).records or (None,)
    told = event.asset_materialization.metadata if event and event.asset_materialization else {}
    number = told.get(WAITING)
    if event is None or not isinstance(number, dg.IntMetadataValue):
        return before
    run = instance.get_run_by_id(event.run_id)
    return before if run and run.tags.get(DRY_RUN) == "true" else number.value or 0
