"""The sensors where there are several companies: still one a system, which asks for each company that is due.

What a company wants is what its own sensor would want (`sensors`). They are asked side by side, in a bounded time,
so that a tick ends before Dagster gives up on it; who did not answer is asked again a minute later. A company
that something is wrong with is named in what the tick says, and the others get their runs.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import dagster as dg
import msgspec
from dagster._core.storage.tags import PARTITION_NAME_TAG

from talk_pipeline.dagster.company import Partitions, judged_companies
from talk_pipeline.dagster.remembered import Cursor
from talk_pipeline.dagster.sensors import (
    TICK_SECONDS,
    Answer,
    asked,
    is_to_look,
    request_of,
    runs_under_way,
    wanted_of,
    watching,
)
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.redaction import scrubbed
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline.wording import counted

if TYPE_CHECKING:
    from talk_pipeline.dagster.jobs import AssetJob

AT_ONCE = 16
ANSWER_SECONDS = 10.0
SILENT = timedelta(minutes=1)
"""Who did not answer is left alone for so long: every tick would wait for it, and with it all others."""

TOLD = 5


class Cursors(msgspec.Struct, frozen=True):
    """What the sensor remembers of each company, and which of them did not answer, when, and why."""

    of: dict[str, Cursor] = {}
    silent: dict[str, tuple[datetime, str]] = {}


def company_sensor(
    flows: Flows,
    side: Side,
    *,
    everything: "AssetJob",
    checks: Sequence[dg.AssetCheckKey],
    companies: Partitions,
) -> dg.SensorDefinition:
    """The sensor that watches one system of every company."""

    @watching(
        side,
        everything,
        f"Asks {side} of each company for its latest change and starts runs for the flows concerned.",
    )
    def changes(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        now, before = datetime.now(UTC), _remembered(context.cursor)
        try:
            known, wrong = _acted_for(companies)
        except SettingsError as error:
            return dg.SkipReason(str(error))
        silent = {
            name: (since, why)
            for name, (since, why) in before.silent.items()
            if name in known and _is_silent(since, now=now)
        }
        due = [
            name
            for name, (settings, _) in known.items()
            if name not in silent and is_to_look(settings, side, before.of.get(name, Cursor()), now=now)
        ]
        due.sort(key=lambda name: before.of.get(name, Cursor()).looked_at)
        with scrubbed():
            answers = asyncio.run(_ask({name: known[name][0] for name in due}, side, now=now))
        silent |= {name: (now, answer) for name, answer in answers.items() if isinstance(answer, str)}
        wrong |= {name: why for name, (_, why) in silent.items()}
        under_way = defaultdict[str, list[dg.DagsterRun]](list)
        for run in runs_under_way(context.instance):
            under_way[run.tags.get(PARTITION_NAME_TAG, "")].append(run)
        requests, after = [], {}
        for name, (settings, its) in known.items():
            answer = answers.get(name)
            cursor = before.of.get(name, Cursor())
            if name in silent or isinstance(answer, str):
                after[name] = cursor
                continue
            found = wanted_of(
                settings,
                its,
                side,
                cursor=cursor,
                looks=answer,
                under_way=partial(under_way.__getitem__, name),
                now=now,
            )
            after[name] = found.cursor
            if found.names:
                tags = companies.tags(name)
                requests.append(request_of(its, side, found, checks=checks, company=name, tags=tags))
        text = msgspec.json.encode(Cursors(after, silent), order="sorted").decode()
        if requests:
            for line in _told(wrong):  # a tick that asks for runs has no other place to say it
                context.log.warning(line)
            return dg.SensorResult(run_requests=requests, cursor=text)
        told = (
            f"nothing to do in {side} of {counted(len(known), 'company')}, of which {len(answers)} were asked"
        )
        return dg.SensorResult(skip_reason="; ".join([told, *_told(wrong)]), cursor=text)

    return changes


def _remembered(text: str | None) -> Cursors:
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(text or "{}", type=Cursors)
    return Cursors()


def _is_silent(since: datetime, *, now: datetime) -> bool:
    """Whether who did not answer then is still left alone; a later time is one of a clock that was set back."""
    return timedelta() <= now - since < SILENT


def _acted_for(companies: Partitions) -> tuple[dict[str, tuple[Settings, Flows]], dict[str, str]]:
    """The companies with their settings and flows, and what is wrong with the others."""
    known, wrong = judged_companies()
    new = {
        name: "is new in the file: reload the code location"
        for name in (*known, *wrong)
        if name not in companies.names
    }
    return {name: one for name, one in known.items() if name not in new}, wrong | new


async def _ask(settings: Mapping[str, Settings], side: Side, *, now: datetime) -> dict[str, Answer]:
    """Some at a time, until the tick has to end."""
    room, ends_at = asyncio.Semaphore(AT_ONCE), asyncio.get_running_loop().time() + TICK_SECONDS

    async def ask(one: Settings) -> Answer:
        async with room:
            left = ends_at - asyncio.get_running_loop().time()
            return await asked(one, side, now=now, seconds=min(ANSWER_SECONDS, left))

    answers = await asyncio.gather(*map(ask, settings.values()))
    return dict(zip(settings, answers, strict=True))


def _told(wrong: Mapping[str, str]) -> list[str]:
    """The first ones by name with all that is wrong with them, and how many more there are."""
    lines = [" ".join(f"{name}: {text}".split()) for name, text in wrong.items()]
    more = [f"and {len(lines) - TOLD} more companies"] if len(lines) > TOLD else []
    return [*lines[:TOLD], *more]
