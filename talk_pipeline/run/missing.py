"""What became of records that a system does not show any more: posted, archived, vanished, or still there."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from talk_pipeline.engine.kinds import Gone
from talk_pipeline.engine.model import Ended, Record
from talk_pipeline.engine.plan.circuit_breaker import beyond
from talk_pipeline.engine.snapshot import held, spooling
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.run.alone import NotToldError, alone
from talk_pipeline.run.session import Session
from talk_pipeline.systems.protocol import System
from talk_pipeline.wording import counted

log = logging.getLogger(__name__)

T = TypeVar("T")

ASKED_AT_ONCE = 4
LATELY = 50  # records whose story ended, asked for with each reading of everything: two requests


@dataclass(frozen=True, slots=True)
class Left:
    """What became of records that are not there any more.

    Attributes:
        gone: why each is not, by id.
        comes_to: of those whose story ended, what they came to, by id and path.
    """

    gone: Mapping[str, Gone] = field(default_factory=dict)
    comes_to: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)


async def became_of(session: Session, flow: Flow, side: Side, ids: Sequence[str]) -> Left:
    """What became of single records that are not there."""
    posted = _counting(await _posted(session.systems[side], flow, ids))
    return await _left(session, flow, side, posted, [one for one in ids if one not in posted])


async def explained(
    session: Session, flow: Flow, side: Side, *, missing: list[str]
) -> tuple[Left, str | None]:
    """What became of the records a full scan did not show.

    Each is asked for by itself before it counts as gone, since pages shift; a mass of them is not believed at
    all until a person approves.
    """
    system = session.systems[side]
    posted = _counting(await _posted(system, flow, missing))
    doubtful = [record_id for record_id in missing if record_id not in posted]
    breaker = flow.settings.breaker
    with session.state.open() as db:
        known = held.present(db, flow.name, side)
    allowed = next(beyond(breaker.disappeared, len(doubtful), of=known, minimum=breaker.minimum), None)
    if allowed and not session.options.approve:
        return (
            await _left(session, flow, side, posted, []),
            f"{len(doubtful)} of {counted(known, 'record')} disappeared at once, more than the {allowed} allowed"
            " (breaker.disappeared): not believed unapproved",
        )
    found = await as_far_as_told(system, flow, doubtful)
    spooling.spool(session.state.beside, [record for record in found.values() if record])
    lost = [record_id for record_id, record in found.items() if record is None]
    return await _left(session, flow, side, posted, lost), None


async def no_longer_posted(session: Session, flow: Flow, side: Side, *, most: int | None) -> Left:
    """What became of records whose story had ended, and whose end a restored system does not know any more.

    One that was posted before it was ever read is known by its id, or by that of what it became; that this was
    cancelled since takes nothing back.

    Args:
        session: the run at work.
        flow: theirs.
        side: the system that is asked.
        most: of how many that is asked, the last that ended, since those are what a restore loses; None: of all.
    """
    if flow.businesscentral.closed_by is None or side is not Side.BC:
        return Left()
    with session.state.open() as db:
        known = spooling.absent(db, flow.name, side, gone=Gone.POSTED, most=most)
        unread = spooling.unread(db, flow.name, most=most)
    system = session.systems[side]
    posted = await _posted(system, flow, [*known, *unread])
    also = await system.ended(flow.name, None, values=[one for one in unread if one not in posted])
    lost = [one for one in [*known, *unread] if one not in posted and one not in also]
    return await _left(session, flow, side, {}, lost)


async def posted_since(session: Session, flow: Flow, side: Side) -> Left:
    """What ended in Business Central after it was told as gone: by an invoice in the place of cancelled ones.

    Such a one may name the order by its key alone. That is believed where it is nobody else's, as of a record that
    is about to be created (`plan.ended_before`).
    """
    ending = flow.businesscentral.closed_by
    if ending is None or side is not Side.BC:
        return Left()
    with session.state.open() as db:
        gone = spooling.bereft(db, flow.name)
    by_key = not ending.leaves_open(flow.businesscentral.scope)
    system = session.systems[side]
    posted = _counting(await _posted(system, flow, list(gone)))
    keys: dict[str, list[str]] = {}
    for record_id, said in gone.items():
        key = said.get(flow.create_key)
        if by_key and key and record_id not in posted:
            keys.setdefault(key, []).append(record_id)
    found = _counting(await system.ended(flow.name, ending.key, values=list(keys)))
    for key, one in found.items():
        record_id, *others = keys[key]
        if not others and _names(flow, one, record_id=record_id, said=gone[record_id]):
            posted[record_id] = one
    return await _left(session, flow, side, posted, [])


def _names(flow: Flow, ended: Ended, *, record_id: str, said: Mapping[str, Value]) -> bool:
    """Whether what carries a record's key names that record or none, and refers to whom it referred to."""
    whose = {prop.name: ended.refers.get(prop.bc or "", ()) for prop in flow.root.references}
    others = [one for name, ids in whose.items() for one in ids if one != said.get(name)]
    return not others and set(ended.was) <= {record_id}


async def asked_for(system: System, flow: Flow, ids: Sequence[str]) -> dict[str, Record | None]:
    """Records as the system shows each by itself, by id; None where there is none."""
    return await _few_at_once(ids, partial(system.get, flow.name))


async def as_far_as_told(system: System, flow: Flow, ids: Sequence[str]) -> dict[str, Record | None]:
    """The same without those that the system fails on: nothing is known of them, and they are asked for again."""

    async def ask(record_id: str) -> Record | NotToldError | None:
        try:
            return await alone(system, system.get(flow.name, record_id))
        except NotToldError as fault:
            log.warning("%s %s: what became of it stays open: %s", flow.name, record_id, fault)
            return fault

    found = await _few_at_once(ids, ask)
    return {record_id: one for record_id, one in found.items() if not isinstance(one, NotToldError)}


async def _few_at_once(ids: Sequence[str], ask: Callable[[str], Awaitable[T]]) -> dict[str, T]:
    slots = asyncio.Semaphore(ASKED_AT_ONCE)

    async def answered(record_id: str) -> tuple[str, T]:
        async with slots:
            return record_id, await ask(record_id)

    return dict(await asyncio.gather(*map(answered, ids)))


async def _posted(system: System, flow: Flow, ids: Sequence[str]) -> Mapping[str, Ended]:
    """Those of the missing records that live on as something else, such as an invoice."""
    ended = flow.businesscentral.closed_by
    return await system.ended(flow.name, ended.record, values=ids) if ended else {}


def _counting(posted: Mapping[str, Ended]) -> dict[str, Ended]:
    """Without those of which nothing counts: what was cancelled proves no end."""
    return {record_id: one for record_id, one in posted.items() if one.counts}


async def _left(
    session: Session, flow: Flow, side: Side, posted: Mapping[str, Ended], lost: Sequence[str]
) -> Left:
    """What is known of records that are not there any more."""
    comes_to = {record_id: one.comes_to for record_id, one in posted.items()}
    return Left(dict.fromkeys(posted, Gone.POSTED) | await _lost(session, flow, side, lost), comes_to)


async def _lost(session: Session, flow: Flow, side: Side, ids: Sequence[str]) -> dict[str, Gone]:
    """Whether a version of each is kept among what is archived."""
    gone = dict.fromkeys(ids, Gone.VANISHED)
    archive = flow.businesscentral.archived_in
    if archive is None or side is not Side.BC or not ids:
        return gone
    with session.state.open() as db:
        keys = held.keys_of(db, flow, side, ids)
    system = session.systems[side]
    found = await system.find(flow.name, archive.key, values=sorted(set(keys.values())), among=archive.entity)
    return gone | {record_id: Gone.ARCHIVED for record_id, key in keys.items() if key in found}
