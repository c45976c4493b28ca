"""What became of requests whose answer never came: looked up at the target before anything is repeated.

A create is looked for by its natural key, on the primary, then among the records whose story ended; where the
receiver numbers its records itself, among all that came or changed since. One unlinked hit that holds what was
sent is adopted; none means that it was not created; anything else is left to a person. Updates and deletions are
settled by reading the record again.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta

from talk_pipeline import stopping
from talk_pipeline.engine import journal
from talk_pipeline.engine.intents import Intended, Intent
from talk_pipeline.engine.projection import Projected, child_key
from talk_pipeline.engine.records import Child, Outcome, Record, Result
from talk_pipeline.engine.units import COMPANION
from talk_pipeline.flows.properties import Property, Side
from talk_pipeline.flows.values import UnmappableError, Value
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.sinks.fetching import land_records
from talk_pipeline.sinks.session import Session

NOT_DONE = Outcome(Result.FAILED, reason="settled: it was not carried out")


async def settle_unknown(session: Session, flow: Flow, target: Side) -> int:
    """Settles every open intent towards a side; returns how many there were."""
    with session.state.open() as db:
        intents = journal.open_intents(db, flow.name, target)
    creates = [intent for intent in intents if _creates_record(intent)]
    hits = await _hits(session, flow, target, creates=creates)
    for intent in intents:
        stopping.go_on()
        if intent in creates:
            if intent.natural_key is None:
                ids = await _equal_since(session, flow, intent)
            else:
                ids = hits.get(intent.natural_key, ())
            outcome = await _settle_create(session, flow, intent, ids=ids)
        else:
            outcome = await _settle_change(session, flow, intent)
        with session.state.open() as db:
            journal.settle(
                db,
                session.projector(flow, target),
                session.decode(flow, target),
                run_id=session.run_id,
                outcomes=[(intent, outcome)],
            )
    return len(intents)


def _creates_record(intent: Intent) -> bool:
    return intent.main.part == intent.flow and intent.main.operation == "create"


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
        own = "bc_id" if target is Side.BC else "shop_id"
        linked = {
            row[0] for row in db.execute(f"select {own} from link where part = ?", [flow.name]).fetchall()
        }
    margin = timedelta(minutes=flow.settings.overlap_minutes, seconds=abs(system.skew_seconds))
    since = (intent.at - margin).replace(tzinfo=UTC) if intent.at else None
    found: dict[str, None] = {}
    async for page in system.scan(flow.name, since=since):
        for record in page:
            if record.deleted or record.id in linked:
                continue
            row = _rows(session, flow, target, record)[flow.name, record.id]
            if _holds(session, flow, row, intent.main):
                found[record.id] = None
    return tuple(found)


async def _settle_create(session: Session, flow: Flow, intent: Intent, *, ids: Sequence[str]) -> Outcome:
    with session.state.open() as db:
        own, other = ("bc_id", "shop_id") if intent.target is Side.BC else ("shop_id", "bc_id")
        source = intent.main.shop_id if intent.target is Side.BC else intent.main.bc_id
        known = db.execute(
            f"select {own}, {other} from link where part = ? and ({other} = ? or {own} in (select unnest(?)))",
            [flow.name, source, list(ids)],
        ).fetchall()
        parted = db.execute(
            f"select {own} from apart where flow = ? and {other} = ?", [flow.name, source]
        ).fetchall()
    ids = [record_id for record_id in ids if (record_id,) not in parted]
    if any(linked_source == source for _, linked_source in known):
        return Outcome(Result.FAILED, reason="settled: the record has a counterpart by now")
    free = [record_id for record_id in ids if record_id not in {taken for taken, _ in known}]
    if not ids:
        return NOT_DONE
    if len(ids) > 1 or not free:
        what = intent.natural_key or "what was sent"
        return _unknown(f"{len(ids)} records carry {what}: {', '.join(ids)}")
    record = await session.systems[intent.target].get(flow.name, free[0])
    if record is None:
        return NOT_DONE
    if not _holds(
        session, flow, _rows(session, flow, intent.target, record)[flow.name, record.id], intent.main
    ):
        return _unknown(f"{record.id} carries {intent.natural_key}, but other values than were sent")
    return Outcome(Result.DONE, record=record, reason="settled: found as it was sent")


async def _settle_change(session: Session, flow: Flow, intent: Intent) -> Outcome:
    target = intent.target
    root_id = (intent.root_shop_id if target is Side.SHOP else intent.root_bc_id) or ""
    record = await session.systems[target].get(flow.name, root_id)
    if record is None:
        return Outcome(Result.GONE, reason="settled: the record is gone")
    rows = _rows(session, flow, target, record)
    known = _linked_children(session, flow, target, root_id=root_id)
    linked = {place: source for place, source in known.items() if place in rows}  # others were removed there
    if intent.main.part != flow.name and intent.main.operation == "create":
        source = intent.main.shop_id if target is Side.BC else intent.main.bc_id
        if source in linked.values():
            return Outcome(Result.FAILED, reason="settled: it has a counterpart by now")
    free = {place: row for place, row in rows.items() if place not in linked}
    found = [
        _find(session, flow, one, rows=free if one.operation == "create" else rows)
        for one in (intent.main, *intent.children)
    ]
    if not all(found):
        land_records(session, flow, target, records=[record])
        return NOT_DONE
    land_records(session, flow, target, records=[record], own=True)
    if intent.main.part == flow.name:
        return Outcome(Result.DONE, record=record, reason="settled: found as it was sent")
    row = found[0]
    child = _child(session, flow, record, row=row) if isinstance(row, Projected) else None
    return Outcome(Result.DONE, child=child, reason="settled: found as it was sent")


def _linked_children(
    session: Session, flow: Flow, target: Side, *, root_id: str
) -> dict[tuple[str, str], str]:
    """The children of a record that have a counterpart, by part and id there, with the counterpart's id."""
    own, other = ("bc_id", "shop_id") if target is Side.BC else ("shop_id", "bc_id")
    with session.state.open() as db:
        rows = db.execute(
            f"select part, {own}, {other} from link where part in (select unnest(?::varchar[]))"
            f" and root_shop_id in (select shop_id from link where part = ? and {own} = ?)",
            [[part.name for part in flow.parts[1:]], flow.name, root_id],
        ).fetchall()
    return {(part, own_id): other_id for part, own_id, other_id in rows}


def _rows(session: Session, flow: Flow, side: Side, record: Record) -> dict[tuple[str, str], Projected]:
    contents = session.decode(flow, side)(record.payload)
    rows = session.projector(flow, side).project(
        record.id, version=record.version, contents=contents, gone=None
    )
    return {(row.part, row.id): row for row in rows}


def _find(
    session: Session, flow: Flow, one: Intended, *, rows: Mapping[tuple[str, str], Projected]
) -> Projected | bool:
    """The row that proves the write was carried out; for a deletion, whether the row is gone."""
    if one.operation == "create":
        return next(
            (r for (part, _), r in rows.items() if part == one.part and _holds(session, flow, r, one)), False
        )
    row = rows.get((one.part, one.shop_id or "")) or rows.get((one.part, one.bc_id or ""))
    if one.operation == "delete":
        return row is None
    return row if row is not None and _holds(session, flow, row, one) else False


def _holds(session: Session, flow: Flow, row: Projected, one: Intended) -> bool:
    """Whether a record holds what it was sent, in canonical form."""
    part = flow.part(one.part)
    for name, sent in one.sent.items():
        prop = part.by_name[name]
        if prop.written == "last" or prop.derived or sent.rule == COMPANION:
            continue  # what goes along may be worked out anew there, and proves nothing
        if prop.refers_to:
            if row.raw[name] != sent.sent:
                return False
            continue
        if not _same(session, prop, row, sent.sent):
            return False
    return True


def _same(session: Session, prop: Property, row: Projected, sent: Value) -> bool:
    try:
        expected = prop.canonical(row.side, value=sent, context=session.company.context(row.raw))
    except UnmappableError:
        return False
    return expected == row.canon[prop.name]


def _child(session: Session, flow: Flow, record: Record, *, row: Projected) -> Child | None:
    contents = session.decode(flow, row.side)(record.payload)
    path = flow.part(row.part).paths[row.side]
    return next((c for c in contents.children[path] if child_key(record.id, c.id) == row.id), None)


def _unknown(why: str) -> Outcome:
    return Outcome(Result.REFUSED, reason=f"outcome unknown: {why}; link the right one by hand")
