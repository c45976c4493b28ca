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
from typing import NamedTuple

import dagster as dg
import msgspec
from dagster._core.storage.tags import PARTITION_NAME_TAG
from filelock import FileLock

from talk_pipeline.dagster.asset_keys import sensor_name
from talk_pipeline.dagster.company import each_company
from talk_pipeline.dagster.troubles import checks_of, of_run, of_sensor, waiting_of
from talk_pipeline.declarations import flows_of
from talk_pipeline.delivery import DeliveryError, deliver
from talk_pipeline.flows.loading import FlowError, Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.redaction import redacted
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline.wording import counted

NAME = "alerts"
EVERY_SECONDS = 60
REMIND = timedelta(days=1)
FIRST_LOOK = timedelta(days=1)
AT_ONCE = 100
_ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)


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


class _Ledger:
    """What is wrong, held against what people were told of it.

    Attributes:
        standing: what is wrong, by what it is about.
        news: what people do not know yet, or were told a day ago.
        over: what they were told and is so no more.
    """

    def __init__(self, standing: dict[str, Standing], *, now: datetime) -> None:
        self.standing, self._now = standing, now
        self.news, self.over = list[str](), list[str]()

    def note(self, key: str, text: str | None) -> None:
        """That something is wrong, or with None that it is not, any more or at all."""
        known = self.standing.pop(key, None)
        if text is None:
            self.over += [known.text] if known else []
        elif known and self._now - known.told_at < REMIND:
            self.standing[key] = msgspec.structs.replace(known, text=text)
        else:
            again = f" (since {known.since:%Y-%m-%d %H:%M} UTC)" if known else ""
            self.news.append(text + again)
            self.standing[key] = Standing(text, known.since if known else self._now, self._now)


def look(
    instance: dg.DagsterInstance, flows: Flows, memory: Memory, *, now: datetime, company: str | None = None
) -> tuple[Message | None, Memory]:
    """What is to be told now, of a company where there are several, and what is known once it was."""
    ledger = _Ledger(_still_looked_at(memory.standing, flows), now=now)
    ended = instance.get_run_records(
        dg.RunsFilter(statuses=list(_ENDED), updated_after=memory.until, tags=_of_company(company)),
        limit=AT_ONCE,
        order_by="update_timestamp",
        ascending=True,
    )
    new = [one.dagster_run for one in ended if one.dagster_run.run_id not in memory.seen]
    for run in new:
        for key, text in of_run(instance, flows, run):
            ledger.note(key, text)
    for side in Side:
        name = sensor_name(side)
        ledger.note(f"sensor {name}", of_sensor(instance, name, now=now))
    waiting = {
        name: waiting_of(instance, flows, name, before=memory.waiting.get(name, 0), company=company)
        for name in flows
    }
    ledger.news += _more_waiting(waiting, before=memory.waiting)
    seen = (*memory.seen, *(run.run_id for run in new))[-AT_ONCE:]
    until = ended[-1].update_timestamp.replace(tzinfo=UTC) if ended else memory.until
    return _message(ledger, company=company), Memory(until, seen, ledger.standing, waiting)


def _still_looked_at(standing: Mapping[str, Standing], flows: Flows) -> dict[str, Standing]:
    """Without checks that there are no more: nothing would ever say that they are over."""
    checked = {key for flow in flows.values() for key in checks_of(flow)}
    return {key: one for key, one in standing.items() if not key.startswith("check ") or key in checked}


def _more_waiting(waiting: Mapping[str, int], *, before: Mapping[str, int]) -> Iterator[str]:
    for name, number in waiting.items():
        known = before.get(name, 0)
        if number > known:
            more = f", {number - known} more than before" if known else ""
            does = "waits" if number == 1 else "wait"
            yield f"{name}: {number} {does} for a person{more}; see talk-pipeline attention"


def _of_company(company: str | None) -> dict[str, str]:
    return {PARTITION_NAME_TAG: company} if company else {}


def _message(ledger: _Ledger, *, company: str | None) -> Message | None:
    # a run of several flows is one thing
    news, over = list(dict.fromkeys(ledger.news)), list(dict.fromkeys(ledger.over))
    if not news and not over:
        return None
    lines = [f"* {one}" for one in news]
    lines += [f"* over: {one}" for one in over]
    if ledger.standing:
        lines += [
            "",
            f"{len(ledger.standing)} in all; talk-pipeline checklist and talk-pipeline status have the whole.",
        ]
    several = f"{counted(len(news), 'thing')} to look at"
    who = f"talk_pipeline{f', {company}' if company else ''}"
    title = f"{who}: {news[0] if len(news) == 1 else several}"
    return Message((title if news else f"{who}: over")[:120].rstrip(), "\n".join(lines))


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
