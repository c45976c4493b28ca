"""What became of requests whose answer never came: looked up at the target before anything is repeated.

A create is looked for by its natural key, on the primary, then among the records whose story ended; where the
receiver numbers its records itself, among all that came or changed since. One unlinked hit that holds what was
sent is adopted. Where a new record takes several requests, so is one that was only begun: blank in what was sent
and is not there, which the next run tells it. Updates and deletions are settled by reading the record again.

Slow is not lost: a request may be at work for as long as the receiver documents. Until then only a hit proves
anything; what is not there, or not yet as it was sent, waits, and every run looks again. What a run has read shows
whether looking at a record that was to be changed can prove anything yet. It need not wait where

* the request never left: the journal knows, since leaving is put on disk just before;
* the receiver itself said that it is over, be it in a place of its own;
* the receiver knows a repeated request by its key: then the very same request goes again.

After that, none means that it was not created, and anything but one hit as it was sent is left to a person.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from talk_pipeline import stopping
from talk_pipeline.engine.apply import outcomes
from talk_pipeline.engine.apply.changesets import new_values, placed
from talk_pipeline.engine.kinds import RefusalKind
from talk_pipeline.engine.match.counterparts import counterparts, linked_ids
from talk_pipeline.engine.model import (
    BEGUN,
    ChildEdit,
    Intended,
    Intent,
    Outcome,
    Record,
    Result,
    Write,
)
from talk_pipeline.engine.plan.unanswered import looked_up, may_be_at_work
from talk_pipeline.engine.snapshot import held
from talk_pipeline.engine.snapshot.projection import Projected, in_scope
from talk_pipeline.engine.state import journal
from talk_pipeline.engine.state.connection import now
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.run.alone import NotToldError, alone
from talk_pipeline.run.fetch import land_records
from talk_pipeline.run.missing import asked_for
from talk_pipeline.run.sender import departures, matters_twice
from talk_pipeline.run.session import Session
from talk_pipeline.run.shown import (
    as_far_as_made,
    child_of,
    deletes_record,
    found_of,
    holds_all,
    is_held_done,
    linked_in,
    makes_in_steps,
    rows_of,
    still_to_tell,
    unlike,
)
from talk_pipeline.systems.errors import AccessFault, SystemFault
from talk_pipeline.systems.protocol import AnswersLater
from talk_pipeline.wording import counted

log = logging.getLogger(__name__)

NOT_DONE = Outcome(Result.FAILED, reason="looked up: it was not carried out")
NEVER_LEFT = Outcome(Result.FAILED, reason="looked up: it never left")
WAITS = Outcome(Result.UNKNOWN, reason="it may still be at work")

Found = tuple[Intent, Outcome]
"""What is known of a request, as far as it was carried out."""


async def recover(session: Session, flow: Flow, target: Side) -> None:
    """Settles the open intents towards a side, but for those that may still be at work there."""
    with session.state.open() as db:
        intents = journal.open_intents(db, flow.name, target)
    intents = await _bounded(session, target, intents)
    hits = await _hits(session, flow, target, creates=[one for one in intents if one.creates_record])
    heard = await _heard(session, flow, target, intents)
    for intent in intents:
        stopping.go_on()
        try:
            if may_be_at_work(intent) and not is_held_done(session, flow, intent):
                made, outcome = intent, WAITS
            else:
                found = _outcome(session, flow, intent, hits=hits)
                made, outcome = await alone(session.systems[target], found)
        except NotToldError as fault:
            log.warning("%s: what became of a request to %s stays open: %s", flow.name, target, fault)
            continue
        outcome = looked_up(intent, outcome)
        if outcome.result is not Result.DONE:
            outcome = heard.get(intent.intent_id, outcome)
            if may_be_at_work(intent) and not outcome.ended:
                continue
        with session.state.open() as db:
            outcomes.conclude(
                db,
                session.projector(flow, target),
                session.decode(flow, target),
                run_id=session.run_id,
                outcomes=[(made, outcome)],
            )


async def _heard(
    session: Session, flow: Flow, target: Side, intents: Sequence[Intent]
) -> Mapping[str, Outcome]:
    """What a system says of writes that it answers later by what it shows."""
    system = session.systems[target]
    if not intents or not isinstance(system, AnswersLater):
        return {}
    return await system.heard(flow.name, [intent.intent_id for intent in intents])


async def _bounded(session: Session, target: Side, intents: Sequence[Intent]) -> list[Intent]:
    """Until when they may be at work, by our clock as it goes now.

    All of them left before now, and are at work for the longest time from now on, at most: that is all we know
    of what a killed run left, since the journal only says when it was about to leave. Of others it is less, unless
    our clock was set forward since: then the receiver's is ahead by less than it was. A clock that was set back
    costs them no more than that longest time.
    """
    doubtful = [one for one in intents if one.open_until or _was_under_way(one)]
    if not doubtful:
        return list(intents)
    system = session.systems[target]
    await system.identify()  # any answer says what its clock is
    skew, latest = system.skew_seconds, now() + timedelta(seconds=system.longest_seconds)
    moved: dict[str, datetime] = {}
    for one in doubtful:
        known = None if _was_under_way(one) else one.open_until
        until = min(latest, known + timedelta(seconds=max(0.0, one.skew_seconds - skew))) if known else latest
        if until != known:
            moved[one.intent_id] = until
    with session.state.open() as db:
        journal.bound(db, moved, skew_seconds=skew)
    return [replace(one, open_until=moved.get(one.intent_id, one.open_until)) for one in intents]


def _was_under_way(intent: Intent) -> bool:
    """Whether its run was killed while it may have been at work: that it leaves is noted where that matters."""
    return bool(intent.interrupted and intent.left_at)


async def _outcome(
    session: Session, flow: Flow, intent: Intent, *, hits: Mapping[str, Sequence[str]]
) -> Found:
    if intent.interrupted and not intent.left_at and matters_twice(session, intent):
        return intent, NEVER_LEFT
    if not intent.creates_record:
        made, outcome = await _recover_change(session, flow, intent)
    else:
        if intent.natural_key is None:
            ids = await _equal_since(session, flow, intent)
        else:
            ids = hits.get(intent.natural_key, ())
        made, outcome = await _recover_create(session, flow, intent, ids=ids)
    if outcome is NOT_DONE and intent.open_until and _knows_it_again(session, flow, intent):
        return intent, await _repeated(session, flow, intent)
    return made, outcome


def _knows_it_again(session: Session, flow: Flow, intent: Intent) -> bool:
    """Whether the receiver answers one key once, and what the record is made from is still there."""
    system, source = session.systems[intent.target], intent.main.shop_id or intent.main.bc_id
    once = system.answers_once(flow.name, intent.main.operation, makes_children=bool(intent.children))
    if not (intent.creates_record and once) or session.options.dry_run:
        return False
    with session.state.open() as db:
        return held.is_there(db, flow.name, intent.target.other, source or "")


async def _repeated(session: Session, flow: Flow, intent: Intent) -> Outcome:
    """The very same request once more, whatever was edited since: answered as the first one was, if it was done."""
    system, target = session.systems[intent.target], intent.target
    children: dict[str, list[ChildEdit]] = {}
    for one in intent.children:
        values = new_values(flow.part(one.part), target, _values(flow, target, one))
        edit = ChildEdit("create", None, values)
        children.setdefault(flow.part(one.part).paths[target], []).append(edit)
    write = Write(
        entity=flow.entity(target).entity,
        operation="create",
        id=None,
        version=None,
        values=_values(flow, target, intent.main),
        idempotency_key=intent.intent_id,
        children={path: tuple(edits) for path, edits in children.items()},
    )
    leaving = departures(session, flow, target, [intent], then=session.state.release)
    try:
        (outcome,) = await system.write(flow.name, [write], leaving=leaving)
    except AccessFault:
        raise
    except SystemFault:
        return WAITS
    return outcome


def _values(flow: Flow, target: Side, one: Intended) -> dict[str, Value]:
    """What was sent, by path."""
    part = flow.part(one.part)
    props = [prop for prop in part.properties if prop.name in one.sent]
    return placed(part, target, [(prop, prop.paths(target)[0], one.sent[prop.name].sent) for prop in props])


async def _hits(
    session: Session, flow: Flow, target: Side, *, creates: Sequence[Intent]
) -> Mapping[str, Sequence[str]]:
    keys = [intent.natural_key for intent in creates if intent.natural_key]
    prop = flow.root.by_name[flow.create_key]
    return await session.systems[target].find(flow.name, prop.paths(target)[0], values=keys) if keys else {}


async def _equal_since(session: Session, flow: Flow, intent: Intent) -> Sequence[str]:
    """Unlinked records that hold what was sent, among those that came or changed since."""
    system, target = session.systems[intent.target], intent.target
    with session.state.open() as db:
        linked = linked_ids(db, flow, target)
    margin = timedelta(minutes=flow.settings.overlap_minutes, seconds=abs(system.skew_seconds))
    since = (intent.at - margin).replace(tzinfo=UTC) if intent.at else None
    found: dict[str, None] = {}
    async for page in system.scan(flow.name, since=since):
        for record in page:
            if record.deleted or record.id in linked:
                continue
            row = rows_of(session, flow, target, record)[flow.name, record.id]
            if holds_all(session, flow, row, intent.main):
                found[record.id] = None
    return tuple(found)


async def _recover_create(session: Session, flow: Flow, intent: Intent, *, ids: Sequence[str]) -> Found:
    with session.state.open() as db:
        source = intent.main.source_id(intent.target)
        known = counterparts(db, flow, intent.target, ids, of=source)
    ids = [record_id for record_id in ids if record_id not in known.parted]
    if known.linked:
        return intent, Outcome(Result.FAILED, reason="looked up: the record has a counterpart by now")
    taken = [record_id for record_id in ids if record_id in known.taken]
    found = await asked_for(session.systems[intent.target], flow, [one for one in ids if one not in taken])
    free = [one for one in found.values() if one and not _is_anothers(session, flow, intent, one)]
    ids = [*taken, *(record.id for record in free)]
    if not ids:
        return intent, NOT_DONE
    if taken or len(free) > 1:
        what = intent.natural_key or "what was sent"
        carry = "carries" if len(ids) == 1 else "carry"
        return intent, _unknown(f"{counted(len(ids), 'record')} {carry} {what}: {', '.join(ids)}")
    return _as_created(session, flow, intent, free[0])


def _is_anothers(session: Session, flow: Flow, intent: Intent, record: Record) -> bool:
    """Whether it lies outside the flow's scope, as another shop's of the same key, and holds not what was sent."""
    values = session.decode(flow, intent.target)(record.payload).values
    if in_scope(flow.root, intent.target, values):
        return False
    row = rows_of(session, flow, intent.target, record)[flow.name, record.id]
    return not holds_all(session, flow, row, intent.main)


def _as_created(session: Session, flow: Flow, intent: Intent, record: Record) -> Found:
    """What is known of a create by the only record that may be what it made."""
    rows = rows_of(session, flow, intent.target, record)
    row = rows[flow.name, record.id]
    lacks = unlike(session, flow, row, intent.main)
    begun = makes_in_steps(session, flow, intent.target)
    if lacks and not (begun and all(row.raw.get(name) is None for name in lacks)):
        return intent, _unknown(f"{record.id} carries {intent.natural_key}, but other values than were sent")
    made = replace(intent, main=still_to_tell(intent.main, lacks))
    in_part = as_far_as_made(session, flow, made, rows=rows, linked={})
    if (lacks or in_part or len(rows) <= len(intent.children)) and may_be_at_work(intent):
        return intent, WAITS  # what is not there yet follows in requests of their own
    made = in_part or made
    return made, Outcome(Result.DONE, record=record, reason=_found(intent, made))


async def _recover_change(session: Session, flow: Flow, intent: Intent) -> Found:
    target = intent.target
    root_id = intent.target_root_id or ""
    record = await session.systems[target].get(flow.name, root_id)
    if deletes_record(flow, intent) and (not record or record.deleted):
        return intent, Outcome(Result.DONE, reason="looked up: it is gone, as it was to be")
    if record is None:
        return intent, Outcome(Result.GONE, reason="looked up: the record is gone")
    rows = rows_of(session, flow, target, record)
    linked = linked_in(session, flow, intent, rows)
    if intent.main.part != flow.name and intent.main.operation == "create":
        source = intent.main.source_id(target)
        if source in linked.values():
            return intent, Outcome(Result.FAILED, reason="looked up: it has a counterpart by now")
    found = found_of(session, flow, intent, rows=rows, linked=linked)
    made = intent
    if not all(found):
        in_part = as_far_as_made(session, flow, intent, rows=rows, linked=linked)
        if in_part and may_be_at_work(intent):
            return intent, WAITS
        land_records(session, flow, target, records=[record], own=in_part is not None)
        if in_part is None:
            return intent, NOT_DONE
        made = in_part
    else:
        land_records(session, flow, target, records=[record], own=True)
    if intent.main.part == flow.name:
        return made, Outcome(Result.DONE, record=record, reason=_found(intent, made))
    row = found[0]
    child = child_of(session, flow, record, row=row) if isinstance(row, Projected) else None
    return made, Outcome(Result.DONE, child=child, reason=_found(intent, made))


def _found(intent: Intent, made: Intent) -> str:
    """That a request was carried out, but for what is still to be told, and why that was not."""
    lacks = [
        f"{name} of a new entry" if at else name
        for at, one in enumerate((made.main, *made.children))
        for name, sent in one.sent.items()
        if sent.rule == BEGUN
    ]
    if not lacks:
        return "looked up: found as it was sent"
    why = f"; {intent.reason}" if intent.reason else ""
    return f"looked up: but for {', '.join(lacks)}, found as it was sent{why}"


def _unknown(why: str) -> Outcome:
    reason = f"outcome unknown: {why}; link the right one by hand"
    return Outcome(Result.REFUSED, reason=reason, refusal=RefusalKind.OUTCOME_UNKNOWN)
