"""Sensors: one a system. Each asks one cheap question a flow and starts a run for the flows concerned.

They never page and never open the state: what each flow's last run left (`report.progress`) tells what is known.
A run is asked for until one has done what it was asked for: while runs fail, with growing pauses. What a modified
time does not tell is found by a full scan, for which a run is started as often as the flow says. Where change
notices come in, `TALK_POLL_SECONDS` may be long: a notice makes the next tick look.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import msgspec

from talk_pipeline.dagster.asset_keys import selected_keys, sensor_name
from talk_pipeline.dagster.jobs import flows_of
from talk_pipeline.dagster.remembered import Cursor, Reason, Seen, Tried, noted
from talk_pipeline.engine.report.progress import Completed, Progress, Recent, progress
from talk_pipeline.flows.loading import FlowError, Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.installation import Connections
from talk_pipeline.redaction import redacted, scrubbed
from talk_pipeline.run.latest import Look, look
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline.webhooks.wakeups import woken_after
from talk_pipeline.wording import counted

if TYPE_CHECKING:
    from talk_pipeline.dagster.jobs import AssetJob

INTERVAL_SECONDS = 5
"""Dagster's daemon goes round its sensors every so many seconds, whatever they ask for."""
EARLY_SECONDS = INTERVAL_SECONDS / 2
"""A round may begin a hair early: whoever insists on the whole interval sits out every other one."""
TICK_SECONDS = 40.0
"""Dagster gives up on a tick after a minute, and says of it what tells nobody which system is silent."""
Answer = Mapping[str, Look] | str
"""What was shown of each flow, or why that is not known."""
UNDER_WAY = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def watching(
    side: Side, everything: "AssetJob", description: str
) -> Callable[[Callable[[dg.SensorEvaluationContext], Any]], dg.SensorDefinition]:
    """Declares the sensor of a system: it is on from the start, and may ask for a run of any flows."""
    return dg.sensor(
        name=sensor_name(side),
        job=everything,
        minimum_interval_seconds=int(INTERVAL_SECONDS - EARLY_SECONDS),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=description,
    )


def change_sensor(
    flows: Flows, side: Side, *, everything: "AssetJob", checks: Sequence[dg.AssetCheckKey]
) -> dg.SensorDefinition:
    """The sensor that watches one system; its runs make these checks of the assets that they select."""

    @watching(
        side, everything, f"Asks {side} for its latest change and starts a run for the flows concerned."
    )
    def changes(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        now = datetime.now(UTC)
        cursor = _remembered(context.cursor)
        try:
            settings = Settings.load()
        except SettingsError as error:
            return dg.SkipReason(str(error))
        due = is_to_look(settings, side, cursor, now=now)
        with scrubbed():
            found = asyncio.run(asked(settings, side, now=now, seconds=TICK_SECONDS)) if due else None
        if isinstance(found, str):
            return dg.SkipReason(found)
        wanted = wanted_of(
            settings,
            flows,
            side,
            cursor=cursor,
            looks=found,
            under_way=lambda: runs_under_way(context.instance),
            now=now,
        )
        text = msgspec.json.encode(wanted.cursor, order="sorted").decode()
        if not wanted.names:
            return dg.SensorResult(skip_reason=wanted.idle, cursor=text)
        request = request_of(flows, side, wanted, checks=checks)
        return dg.SensorResult(run_requests=[request], cursor=text)

    return changes


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a look at a system came to.

    Attributes:
        names: the flows to start a run for.
        key: of the run, the same for a tick that is repeated.
        idle: why no run is asked for, where none is.
        cursor: what to remember.
    """

    names: tuple[str, ...]
    key: str
    idle: str
    cursor: Cursor


def request_of(
    flows: Flows,
    side: Side,
    wanted: Wanted,
    *,
    checks: Sequence[dg.AssetCheckKey],
    company: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.RunRequest:
    """The run for flows that want one, with these checks of what it selects; where there are companies, of one."""
    whose = f"{side}:{company}" if company else side.value
    selected = selected_keys(flows, wanted.names)
    return dg.RunRequest(
        run_key=f"{whose}:{wanted.key}",
        partition_key=company,
        asset_selection=selected,
        asset_check_keys=[check for check in checks if check.asset_key in selected],
        tags={"flow": "+".join(wanted.names), "trigger": side.value, **(tags or {})},
    )


def wanted_of(
    settings: Settings,
    flows: Flows,
    side: Side,
    *,
    cursor: Cursor,
    looks: Mapping[str, Look] | None,
    under_way: Callable[[], Iterable[dg.DagsterRun]],
    now: datetime,
) -> Wanted:
    """The flows that want a run.

    Args:
        settings: of the installation, or of one of its companies.
        flows: its flows.
        side: the system that was looked at.
        cursor: what is remembered of earlier looks.
        looks: what it showed of each flow; None where it was not asked.
        under_way: the runs that are to come or are at work, asked if anything is wanted.
        now: when it was asked.
    """
    due = looks is not None
    progress_of = {name: progress(settings.talk_data_dir, name) for name in flows}
    seen = cursor.seen
    if looks is not None:
        seen = {
            name: noted(seen.get(name), one, recent=_recent(progress_of[name], side), now=now)
            for name, one in looks.items()
        }
    wanted = {
        name: why
        for name, flow in flows.items()
        if (why := next(_reasons(flow, side, record=progress_of[name], seen=seen.get(name), now=now), None))
    }
    tried = {
        name: one
        for name, one in cursor.tried.items()
        if name in wanted and not _was_done(one, progress_of[name].completed, why=wanted[name])
    }
    busy = {name for run in under_way() for name in flows_of(run, flows)} if wanted else set()
    tried |= {name: msgspec.structs.replace(tried[name], over_at=now) for name in busy & tried.keys()}
    names = tuple(
        name for name in wanted if name not in busy and (name not in tried or not tried[name].pauses(now))
    )
    attempts = {name: tried[name].times + 1 if name in tried else 1 for name in names}
    tried |= {name: Tried(wanted[name], now, now, attempts[name]) for name in names}
    remembered = Cursor(now if due else cursor.looked_at, seen, tried)
    key = msgspec.json.encode(
        {name: _key(name, wanted, progress_of, attempts) for name in names}, order="sorted"
    ).decode()
    idle = "" if names else _idle(side, cursor, wanted=wanted, busy=busy, tried=tried, looked=due, now=now)
    return Wanted(names, key, idle, remembered)


def _remembered(text: str | None) -> Cursor:
    try:
        return msgspec.json.decode(text or "{}", type=Cursor)
    except msgspec.MsgspecError:
        return Cursor()  # of another release: what is known of the flows lies elsewhere


def is_to_look(settings: Settings, side: Side, cursor: Cursor, *, now: datetime) -> bool:
    """Whether to ask the system now: in the round that is the nearest to when it is due."""
    woken = woken_after(settings.talk_data_dir, side, timestamp=cursor.looked_at.timestamp())
    since = (now - cursor.looked_at).total_seconds()
    return woken or since < 0 or since >= settings.talk_poll_seconds - EARLY_SECONDS


async def asked(settings: Settings, side: Side, *, now: datetime, seconds: float) -> Answer:
    """What a system shows of each flow, or why that is not known."""
    try:
        async with asyncio.timeout(seconds):
            return await _looked(settings, side, now=now)
    except (FlowError, SettingsError, SystemFault) as error:
        return redacted(str(error))
    except TimeoutError:
        return f"{side} did not answer in time"


async def _looked(settings: Settings, side: Side, *, now: datetime) -> dict[str, Look]:
    """What a system shows of each flow; more than its latest change as long as one may show late."""
    connections = Connections(settings)
    async with connections.alone(side) as system:
        found = {
            name: await look(system, name, recent=_late(settings, flow, side, now=now))
            for name, flow in connections.flows.items()
        }
    return {name: one for name, one in found.items() if one}


def _late(settings: Settings, flow: Flow, side: Side, *, now: datetime) -> Recent | None:
    """What is known of what a late change would lie among: its run asks again for what lies within the overlap."""
    record = progress(settings.talk_data_dir, flow.name)
    ended_at = record.completed.ended_at if record.completed else None
    over = ended_at is None or now - ended_at > timedelta(minutes=flow.settings.overlap_minutes)
    return None if over else _recent(record, side)


def _recent(record: Progress, side: Side) -> Recent | None:
    return record.completed.recent.get(side) if record.completed else None


def _reasons(
    flow: Flow, side: Side, *, record: Progress, seen: Seen | None, now: datetime
) -> Iterator[Reason]:
    """Why a run is wanted; what has to do with neither side is the shop's sensor's business."""
    done = record.completed
    if seen and not (done and _is_known(seen, done, side)):
        yield Reason("changed", seen.asked_at if seen.unknown else seen.latest)
    read = done.full_at.get(side) if done else None
    every = timedelta(minutes=flow.settings.full_scan_minutes)
    if read is None or not timedelta() <= now - read <= every:
        yield Reason("full scan due", read)
    if side is Side.BC:
        return
    if record.decided_at and (done is None or record.decided_at > done.began_at):
        yield Reason("decided", record.decided_at)
    if record.begun_at and (done is None or record.begun_at > done.began_at):
        yield Reason("not completed", record.begun_at)
    if done and done.rests_until and now > done.rests_until:
        yield Reason("rested", done.rests_until)
    if done and done.undone:
        yield Reason("left undone")


def _is_known(seen: Seen, done: Completed, side: Side) -> bool:
    """Whether a run holds the change, has made it itself, or read the system after it was told of.

    A latest change that is earlier than it was when the run ended is news: a clock was set, a system was restored.
    """
    if side in done.read and done.began_at > seen.asked_at:
        return True
    if seen.unknown:
        return False
    at_end = done.latest.get(side)
    went_back = done.ended_at is not None and seen.asked_at > done.ended_at
    return at_end is not None and (at_end == seen.latest or (at_end > seen.latest and not went_back))


def _was_done(one: Tried, done: Completed | None, *, why: Reason) -> bool:
    """Whether a run has done what it was asked for; where the same is wanted again at once, it has not."""
    return done is not None and done.began_at > one.at and why != one.why


def runs_under_way(instance: dg.DagsterInstance) -> Sequence[dg.DagsterRun]:
    """The runs that are to come, or are at work right now."""
    return instance.get_runs(dg.RunsFilter(statuses=list(UNDER_WAY)))


def _key(
    name: str, wanted: Mapping[str, Reason], progress_of: Mapping[str, Progress], attempts: Mapping[str, int]
) -> tuple[Reason, str, int]:
    """The same for a tick that is repeated, another for every further attempt."""
    done = progress_of[name].completed
    return wanted[name], done.run_id if done else "", attempts[name]


def _idle(
    side: Side,
    cursor: Cursor,
    *,
    wanted: Mapping[str, Reason],
    busy: set[str],
    tried: Mapping[str, Tried],
    looked: bool,
    now: datetime,
) -> str:
    """Why no run is asked for."""
    reasons = []
    if not looked:
        seconds = (now - cursor.looked_at).total_seconds()
        reasons.append(f"{side} was asked {seconds:.0f} s ago, and no notice came since")
    elif not wanted:
        reasons.append(f"nothing changed in {side}")
    for name in wanted:
        if name in busy:
            reasons.append(f"{name} ({wanted[name].kind}): a run is under way")
        else:
            seconds = tried[name].pauses(now).total_seconds()
            reasons.append(
                f"{name}: asked for {counted(tried[name].times, 'time')} without success, again in {seconds:.0f} s"
            )
    return "; ".join(reasons)
