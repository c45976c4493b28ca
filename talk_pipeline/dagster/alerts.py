"""Alerts: what a person is told who is not looking.

A check of severity ERROR that failed, a run that broke off, a sensor that does not look any more, and more records
that wait for a person than before. Each is told once, again once a day as long as it lasts, and when it is over.
It is all read from Dagster's own records: the state is a run's alone. What was told lies in a file of the data
folder, and is noted only when everybody has it: what could not be delivered is tried again at the next look, and
goes to those who do not have it. What is no company's own is told to whom the installation names.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import msgspec
from dagster._core.storage.tags import PARTITION_NAME_TAG
from filelock import FileLock

from talk_pipeline.dagster.asset_keys import sensor_name
from talk_pipeline.dagster.company import each_company, judged_companies
from talk_pipeline.dagster.retention import JOB as PRUNE
from talk_pipeline.dagster.troubles import checks_of, of_run, of_sensor, waiting_of
from talk_pipeline.delivery import DeliveryError, deliver
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.pieces import put
from talk_pipeline.redaction import redacted
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline.wording import counted

NAME = "alerts"
EVERY_SECONDS = 60
REMIND = timedelta(days=1)
FIRST_LOOK = timedelta(days=1)
AT_ONCE = 100
LATE = timedelta(minutes=1)
"""The time of a run is that of its last event, which may wait for half as long before it is written."""
FILE_OF_ALL = ""
"""In the place of a company: the file that names them."""
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
        had: who has a message that did not reach everybody, by a digest of it and of the address.
        standing: what is wrong, by what it is about.
        waiting: how many records wait for a person, by flow.
    """

    until: datetime
    seen: tuple[str, ...] = ()
    standing: dict[str, Standing] = {}
    waiting: dict[str, int] = {}
    had: tuple[str, ...] = ()


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
    company = settings.company.name if settings.company else None
    return _tell(settings, partial(look, instance, flows, company=company))


def tell_of_all(settings: Settings, wrong: Mapping[str, str], instance: dg.DagsterInstance) -> Message | None:
    """The same of what is no company's own.

    Args:
        settings: of the installation.
        wrong: the companies that cannot be acted for, and why; `FILE_OF_ALL` if none are known.
        instance: Dagster's.
    """
    return _tell(settings, partial(look_at_all, instance, wrong))


def _tell(settings: Settings, looks: Callable[..., tuple[Message | None, Memory]]) -> Message | None:
    file = settings.talk_data_dir / "alerts.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_suffix(".lock")):
        now = datetime.now(UTC)
        before = _remembered(file, now=now)
        message, memory = looks(before, now=now)
        if message:
            digests = {one: _digest(one, message) for one in settings.alert_addresses}
            try:
                had = [one for one in digests if digests[one] in before.had]
                send(settings.alert_addresses, message, but=had)
            except DeliveryError as error:
                told = tuple(digest for one, digest in digests.items() if one not in error.missed)
                _remember(file, msgspec.structs.replace(before, had=told))
                raise
        _remember(file, memory)
    return message


def send(addresses: Sequence[str], message: Message, *, but: Collection[str] = ()) -> None:
    """Sends one message to all of the addresses but those.

    Raises:
        DeliveryError: it did not reach everybody.
    """
    title, body = redacted(message.title), redacted(message.body)
    try:
        deliver(addresses, title=title, body=body, but=but)
    except DeliveryError as error:
        raise DeliveryError(redacted(f"TALK_ALERTS: {error}"), missed=error.missed) from None


def _digest(address: str, message: Message) -> str:
    return hashlib.sha256("\0".join((address, *message)).encode()).hexdigest()


def _remember(file: Path, memory: Memory) -> None:
    put(file, msgspec.json.encode(memory))


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
        elif known and timedelta() <= self._now - known.told_at < REMIND:
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
    until, seen = _look_at_runs(instance, flows, memory, ledger, now=now, tags=_of_company(company))
    for side in Side:
        name = sensor_name(side)
        ledger.note(f"sensor {name}", of_sensor(instance, name, now=now))
    waiting = {
        name: waiting_of(instance, flows, name, before=memory.waiting.get(name, 0), company=company)
        for name in flows
    }
    ledger.news += _more_waiting(waiting, before=memory.waiting)
    return _message(ledger, company=company), Memory(until, seen, ledger.standing, waiting)


def look_at_all(
    instance: dg.DagsterInstance, wrong: Mapping[str, str], memory: Memory, *, now: datetime
) -> tuple[Message | None, Memory]:
    """What is to be told now of what is no company's own: who cannot be acted for, and the job that prunes all."""
    ledger = _Ledger(dict(memory.standing), now=now)
    about = {f"company {name}": text for name, text in wrong.items()}
    for key in [one for one in memory.standing if one.startswith("company ")]:
        if key not in about and FILE_OF_ALL not in wrong:
            ledger.note(key, None)
    for key, text in about.items():
        ledger.note(key, text)
    until, seen = _look_at_runs(instance, Flows(()), memory, ledger, now=now, job_name=PRUNE)
    return _message(ledger, company=None), Memory(until, seen, ledger.standing)


def _look_at_runs(
    instance: dg.DagsterInstance,
    flows: Flows,
    memory: Memory,
    ledger: _Ledger,
    *,
    now: datetime,
    **which: Any,
) -> tuple[datetime, tuple[str, ...]]:
    """Notes what the runs say that ended since, and returns until when that is, and the last of them."""
    until = min(memory.until, now)  # earlier than it was where the clock was set back
    ended = instance.get_run_records(
        dg.RunsFilter(statuses=list(_ENDED), updated_after=until - LATE, **which),
        limit=AT_ONCE,
        order_by="update_timestamp",
        ascending=True,
    )
    new = [one.dagster_run for one in ended if one.dagster_run.run_id not in memory.seen]
    for run in new:
        for key, text in of_run(instance, flows, run):
            ledger.note(key, text)
    times = [one.update_timestamp.replace(tzinfo=UTC) for one in ended]
    return max([until, *times]), (*memory.seen, *(run.run_id for run in new))[-AT_ONCE:]


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
        return dg.SkipReason(tell_of_each(settings, context.instance))

    return alerts


def tell_of_each(settings: Settings, instance: dg.DagsterInstance) -> str:
    """Tells of every company; what something is wrong with keeps nobody from being told of the others.

    Returns:
        What was told, in a line.

    Raises:
        DeliveryError: it did not reach everybody.
    """
    told, undelivered, wrong = list[str](), list[str](), dict[str, str]()

    def tried(about: str, to: Settings, telling: Callable[[], Message | None]) -> None:
        try:
            if to.alert_addresses and (message := telling()):
                told.append(f"told: {redacted(message.title)}")
        except DeliveryError as error:
            undelivered.append(f"{about}{error}")

    try:
        known, not_known = judged_companies()
    except SettingsError as error:
        wrong[FILE_OF_ALL] = str(error)
    else:
        wrong |= {name: f"{name}: {why}" for name, why in not_known.items()}
        for name, (its, flows) in known.items():
            tried(f"{name}: ", its, partial(tell, its, flows, instance))
    tried("", settings, partial(tell_of_all, settings, wrong, instance))
    told += wrong.values()
    if undelivered:
        raise DeliveryError("; ".join(undelivered))
    return "; ".join(told) or "nothing new to tell"


def those_told(settings: Settings) -> tuple[str, ...]:
    """Whom `TALK_ALERTS` names, each once: for a company, or for the installation and any of its companies."""
    whose = [settings]
    if settings.company is None:
        whose += [one for _, one in each_company() if isinstance(one, Settings)]
    return tuple(dict.fromkeys(address for one in whose for address in one.alert_addresses))


def is_anybody_told(settings: Settings) -> bool:
    """Whether it names somebody at all; a file of companies that is none may be what is to be told."""
    return bool(settings.alert_addresses or those_told(settings))
