"""Alerts: what a person is told who is not looking.

A check of severity ERROR that failed, a run that broke off, a sensor that does not look any more, and more records
that wait for a person than before. Each is told once, again once a day as long as it lasts, and when it is over.
It is all read from Dagster's own records: the state is a run's alone. What was told lies in a file of the data
folder, and is noted only when everybody has it: what could not be delivered is tried again at the next look.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import dagster as dg
import msgspec
from dagster._core.storage.tags import PARTITION_NAME_TAG
from filelock import FileLock

from talk_pipeline.dagster.asset_keys import sensor_name, stage_key, sync_key
from talk_pipeline.dagster.assets.sync import WAITING
from talk_pipeline.dagster.company import each_company
from talk_pipeline.dagster.failures import problems_of
from talk_pipeline.dagster.jobs import AUDITED
from talk_pipeline.dagster.jobs import flows_of as flows_in
from talk_pipeline.dagster.launchpad import JOB as BY_HAND
from talk_pipeline.dagster.not_run import DID_NOT_RUN
from talk_pipeline.dagster.resources import DRY_RUN
from talk_pipeline.dagster.retention import JOB as PRUNE
from talk_pipeline.declarations import flows_of
from talk_pipeline.delivery import DeliveryError, deliver
from talk_pipeline.engine.report.checklist import checks
from talk_pipeline.flows.loading import FlowError, Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.redaction import redacted
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline.wording import counted

if TYPE_CHECKING:
    from dagster._core.scheduler.instigation import InstigatorState

NAME = "alerts"
EVERY_SECONDS = 60
SILENT = timedelta(minutes=10)
REMIND = timedelta(days=1)
FIRST_LOOK = timedelta(days=1)
AT_ONCE = 100
FAILED_TICKS = 3
_ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)
_NOTED = {
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}


class Standing(msgspec.Struct, frozen=True):
    """Something that is wrong, since when, and when it was last told."""

    text: str
    since: datetime
    told_at: datetime


class Memory(msgspec.Struct, frozen=True):
    """What was looked at, and what people know by now.

    Attributes:
        until: runs that ended before were looked at.
        seen: the last of them, by id.
        standing: what is wrong, by what it is about.
        waiting: how many records wait for a person, by flow.
    """

    until: datetime
    seen: tuple[str, ...] = ()
    standing: dict[str, Standing] = {}
    waiting: dict[str, int] = {}


class Message(NamedTuple):
    """What a person is told."""

    title: str
    body: str


def tell(settings: Settings, flows: Flows, instance: dg.DagsterInstance) -> Message | None:
    """Looks for what people should know and do not know yet, and sends it.

    Returns:
        What was sent, or None if there was nothing to tell.

    Raises:
        DeliveryError: it did not reach everybody; it is tried again with the next look.
    """
    file = settings.talk_data_dir / "alerts.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_suffix(".lock")):
        now = datetime.now(UTC)
        company = settings.company.name if settings.company else None
        message, memory = look(instance, flows, _remembered(file, now=now), now=now, company=company)
        if message:
            send(settings, message)
        partial = file.with_suffix(".part")
        partial.write_bytes(msgspec.json.encode(memory))
        partial.replace(file)
    return message


def send(settings: Settings, message: Message) -> None:
    """Sends one message.

    Raises:
        DeliveryError: it did not reach everybody.
    """
    try:
        deliver(settings.alert_addresses, title=redacted(message.title), body=redacted(message.body))
    except DeliveryError as error:
        raise DeliveryError(redacted(f"TALK_ALERTS: {error}")) from None


def _remembered(file: Path, *, now: datetime) -> Memory:
    with suppress(FileNotFoundError, msgspec.MsgspecError):
        return msgspec.json.decode(file.read_bytes(), type=Memory)
    return Memory(until=now - FIRST_LOOK)


def look(
    instance: dg.DagsterInstance, flows: Flows, memory: Memory, *, now: datetime, company: str | None = None
) -> tuple[Message | None, Memory]:
    """What is to be told now, of a company where there are several, and what is known once it was."""
    known_checks = {key for flow in flows.values() for key in _checks_of(flow)}
    standing = {
        key: one
        for key, one in memory.standing.items()
        if not key.startswith("check ") or key in known_checks
    }
    news, over = list[str](), list[str]()

    def note(key: str, text: str | None) -> None:
        """That something is wrong, or with None that it is not, any more or at all."""
        known = standing.pop(key, None)
        if text is None:
            if known:
                over.append(known.text)
            return
        if known is None or now - known.told_at >= REMIND:
            again = f" (since {known.since:%Y-%m-%d %H:%M} UTC)" if known else ""
            news.append(text + again)
            standing[key] = Standing(text, known.since if known else now, now)
        else:
            standing[key] = msgspec.structs.replace(known, text=text)

    records = instance.get_run_records(
        dg.RunsFilter(statuses=list(_ENDED), updated_after=memory.until, tags=_of_company(company)),
        limit=AT_ONCE,
        order_by="update_timestamp",
        ascending=True,
    )
    new = [one for one in records if one.dagster_run.run_id not in memory.seen]
    for record in new:
        for key, text in _of_run(instance, flows, record.dagster_run):
            note(key, text)
    for side in Side:
        name = sensor_name(side)
        note(f"sensor {name}", _of_sensor(instance, name, now=now))
    waiting = {
        name: _waiting(instance, flows, name, before=memory.waiting.get(name, 0), company=company)
        for name in flows
    }
    for name, number in waiting.items():
        before = memory.waiting.get(name, 0)
        if number > before:
            more = f", {number - before} more than before" if before else ""
            does = "waits" if number == 1 else "wait"
            news.append(f"{name}: {number} {does} for a person{more}; see talk-pipeline attention")
    seen = (*memory.seen, *(one.dagster_run.run_id for one in new))[-AT_ONCE:]
    until = records[-1].update_timestamp.replace(tzinfo=UTC) if records else memory.until
    return _message(news, over, standing, company=company), Memory(until, seen, standing, waiting)


def _of_company(company: str | None) -> dict[str, str]:
    return {PARTITION_NAME_TAG: company} if company else {}


def _message(
    news: list[str], over: list[str], standing: Mapping[str, Standing], *, company: str | None
) -> Message | None:
    news, over = list(dict.fromkeys(news)), list(dict.fromkeys(over))  # a run of several flows is one thing
    if not news and not over:
        return None
    lines = [f"* {one}" for one in news]
    lines += [f"* over: {one}" for one in over]
    if standing:
        lines += [
            "",
            f"{len(standing)} in all; talk-pipeline checklist and talk-pipeline status have the whole.",
        ]
    several = f"{counted(len(news), 'thing')} to look at"
    who = f"talk_pipeline{f', {company}' if company else ''}"
    title = f"{who}: {news[0] if len(news) == 1 else several}"
    return Message((title if news else f"{who}: over")[:120].rstrip(), "\n".join(lines))


def _of_run(
    instance: dg.DagsterInstance, flows: Flows, run: dg.DagsterRun
) -> Iterator[tuple[str, str | None]]:
    """What a run says of each thing that it looked at; a dry one is somebody's question."""
    named = [name for name in flows if name in flows_in(run, flows)]
    if run.tags.get(DRY_RUN) == "true" or not (named or run.job_name in (BY_HAND, PRUNE)):
        return
    events = [entry.get_dagster_event() for entry in instance.all_logs(run.run_id, of_type=_NOTED)]
    failed_checks = 0
    for event in events:
        if event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            continue
        judged = event.asset_check_evaluation_data
        if DID_NOT_RUN in judged.metadata:
            continue  # what was wrong before is no better for that
        asset = judged.asset_key.to_user_string()
        wrong = not judged.passed and judged.severity is dg.AssetCheckSeverity.ERROR
        failed_checks += wrong
        yield (
            f"check {asset}:{judged.check_name}",
            (f"{asset}: {judged.check_name.replace('_', ' ')}: {judged.description}" if wrong else None),
        )
    about = "+".join(named) or run.job_name
    if run.status is dg.DagsterRunStatus.SUCCESS:
        for name in named or [about]:
            yield f"run {name}", None
        return
    reasons = problems_of(events)
    if not reasons and not failed_checks:
        ends = [one.job_failure_data for one in events if one.is_job_failure]
        reasons = [end.error.message.strip() for end in ends if end.error] or [
            one.message for one in events if one.is_job_failure and one.message
        ]
    why = "; ".join(reasons) or "a check stopped it"
    for name in named or [about]:
        yield f"run {name}", f"run {run.run_id[:8]} of {about} broke off: {why}"


def _checks_of(flow: Flow) -> Iterator[str]:
    """What the checks of a flow are about; one that is no more is wrong no more."""
    for check in checks(flow):
        yield f"check {stage_key(flow, check.stage).to_user_string()}:{check.name}"
    yield f"check {sync_key(flow).to_user_string()}:{AUDITED}"


def _of_sensor(instance: dg.DagsterInstance, name: str, *, now: datetime) -> str | None:
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


def _waiting(
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


def alert_sensor(flows: Flows) -> dg.SensorDefinition:
    """The sensor that tells, where `TALK_ALERTS` names somebody. A tick that could not deliver fails."""

    @dg.sensor(
        name=NAME,
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells the people of TALK_ALERTS what failed, what broke off, and what waits for them.",
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        settings = Settings.load()
        if settings.talk_companies is None:
            message = tell(settings, flows, context.instance)
            return dg.SkipReason(f"told: {redacted(message.title)}" if message else "nothing new to tell")
        return dg.SkipReason(_tell_of_each(context.instance))

    return alerts


def _tell_of_each(instance: dg.DagsterInstance) -> str:
    """Tells of every company; what something is wrong with keeps nobody from being told of the others."""
    told, undelivered = list[str](), list[str]()
    for name, settings in each_company():
        try:
            if isinstance(settings, SettingsError):
                told.append(f"{name}: {settings}")
            elif settings.alert_addresses and (message := tell(settings, flows_of(settings), instance)):
                told.append(f"told: {redacted(message.title)}")
        except FlowError as error:
            told.append(f"{name}: {error}")
        except DeliveryError as error:
            undelivered.append(f"{name}: {error}")
    if undelivered:
        raise DeliveryError("; ".join(undelivered))
    return "; ".join(told) or "nothing new to tell"


def is_anybody_told(settings: Settings) -> bool:
    """Whether `TALK_ALERTS` names somebody, for any company."""
    if settings.talk_companies is None or settings.alert_addresses:
        return bool(settings.alert_addresses)
    return any(isinstance(one, Settings) and one.alert_addresses for _, one in each_company())
