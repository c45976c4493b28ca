"""What a record that was looked up shows of a request: all that it was to do, or a part of that.

A new entry that takes several requests may be there though only the first was carried out. It is told from
others by what matches entries of the two sides. What it does not hold yet as it was sent is still to be told:
what stands there is what the receiver fills in, and nobody's word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from talk_pipeline.engine.match.counterparts import linked_children
from talk_pipeline.engine.model import BEGUN, SEND_WITH, Child, Intended, Intent, Record
from talk_pipeline.engine.snapshot import held
from talk_pipeline.engine.snapshot.holding import holds
from talk_pipeline.engine.snapshot.projection import Projected, child_key
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.run.session import Session
from talk_pipeline.systems.protocol import MakesInSteps

Rows = Mapping[tuple[str, str], Projected]
"""A record and its entries, by part and id."""


def rows_of(session: Session, flow: Flow, side: Side, record: Record) -> dict[tuple[str, str], Projected]:
    """A record and its entries as a side tells them, by part and id."""
    contents = session.decode(flow, side)(record.payload)
    rows = session.projector(flow, side).project(
        record.id, version=record.version, contents=contents, gone=None
    )
    return {(row.part, row.id): row for row in rows}


def made_of(
    one: Intended,
    target: Side,
    *,
    rows: Rows,
    linked: Mapping[tuple[str, str], str],
) -> Rows:
    """Where a create may be seen: children without a counterpart, or matched since with what it was made from."""
    if one.operation != "create":
        return rows
    source = one.source_id(target)
    return {place: row for place, row in rows.items() if linked.get(place, source) == source}


def find(session: Session, flow: Flow, one: Intended, *, rows: Rows) -> Projected | bool:
    """The row that proves the write was carried out; for a deletion, whether the row is gone."""
    if one.operation == "create":
        return next(
            (r for (part, _), r in rows.items() if part == one.part and holds_all(session, flow, r, one)),
            False,
        )
    row = rows.get((one.part, one.shop_id or "")) or rows.get((one.part, one.bc_id or ""))
    if one.operation == "delete":
        return row is None
    return row if row is not None and holds_all(session, flow, row, one) else False


def found_of(
    session: Session, flow: Flow, intent: Intent, *, rows: Rows, linked: Mapping[tuple[str, str], str]
) -> list[Projected | bool]:
    """What `find` says of all that a request was to do, its record first; `linked` as of `as_far_as_made`."""
    return [
        find(session, flow, one, rows=made_of(one, intent.target, rows=rows, linked=linked))
        for one in (intent.main, *intent.children)
    ]


def deletes_record(flow: Flow, intent: Intent) -> bool:
    """Whether a request was to remove the record itself."""
    return intent.main.part == flow.name and intent.main.operation == "delete"


def linked_in(session: Session, flow: Flow, intent: Intent, rows: Rows) -> dict[tuple[str, str], str]:
    """The entries that a record shows and that have a counterpart, with its id; others were removed there."""
    with session.state.open() as db:
        known = linked_children(db, flow, intent.target, root_id=intent.target_root_id or "")
    return {place: source for place, source in known.items() if place in rows}


def is_held_done(session: Session, flow: Flow, intent: Intent) -> bool:
    """Whether a request seems to be carried out by what was just read of all records; of a create nobody knows.

    Where it does not, looking at the record itself proves nothing as long as the request may be at work: each
    record that waits so would cost every run a request, for as long as the longest time.
    """
    if intent.creates_record:
        return True
    with session.state.open() as db:
        record = held.record(db, flow.name, intent.target, intent.target_root_id)
    if record is None or deletes_record(flow, intent):
        return record is None and deletes_record(flow, intent)
    rows = rows_of(session, flow, intent.target, record)
    return all(found_of(session, flow, intent, rows=rows, linked=linked_in(session, flow, intent, rows)))


def holds_all(session: Session, flow: Flow, row: Projected, one: Intended) -> bool:
    """Whether a record holds what it was sent, in canonical form."""
    return not unlike(session, flow, row, one)


def unlike(session: Session, flow: Flow, row: Projected, one: Intended) -> tuple[str, ...]:
    """The properties of which it holds something else, or nothing."""
    part = flow.part(one.part)
    return tuple(
        name
        for name, sent in one.sent.items()
        # what goes along may be worked out anew there, and proves nothing
        if part.by_name[name].written != "last"
        and sent.rule not in (SEND_WITH, BEGUN)
        and not holds(
            part.by_name[name],
            sent.sent,
            row.side,
            raw=row.raw,
            canon=row.canon.get(name),
            company=session.company,
        )
    )


def child_of(session: Session, flow: Flow, record: Record, *, row: Projected) -> Child | None:
    """An entry of a record, as the record says it."""
    contents = session.decode(flow, row.side)(record.payload)
    path = flow.part(row.part).paths[row.side]
    return next((c for c in contents.children[path] if child_key(record.id, c.id) == row.id), None)


def makes_in_steps(session: Session, flow: Flow, target: Side, part: str | None = None) -> bool:
    """Whether a new record, or a new entry of one of its lists, takes several requests there."""
    system = session.systems[target]
    path = flow.part(part).paths[target] if part else None
    return isinstance(system, MakesInSteps) and system.makes_in_steps(flow.name, path)


def as_far_as_made(
    session: Session, flow: Flow, intent: Intent, *, rows: Rows, linked: Mapping[tuple[str, str], str]
) -> Intent | None:
    """What of a request was carried out, where an entry that it was to make was only begun; None where none was.

    Args:
        session: the run.
        flow: whose request it is.
        intent: the request.
        rows: what the record shows.
        linked: of the entries shown those with a counterpart, with its id.
    """
    begun = _begun(session, flow, intent, rows=rows, linked=linked)
    if not any(begun.values()):
        return None
    made: list[Intended] = []
    for at, one in enumerate(intent.children):
        if one.operation == "create" and at in begun:
            made.append(still_to_tell(one, begun[at]))
        elif find(session, flow, one, rows=made_of(one, intent.target, rows=rows, linked=linked)):
            made.append(one)
    main = intent.main if find(session, flow, intent.main, rows=rows) else replace(intent.main, sent={})
    return replace(intent, main=main, children=tuple(made))


def _begun(
    session: Session, flow: Flow, intent: Intent, *, rows: Rows, linked: Mapping[tuple[str, str], str]
) -> dict[int, tuple[str, ...]]:
    """The new entries that are there, by their place in the request, with what they do not hold yet."""
    free = [row for place, row in rows.items() if place not in linked]
    counterparts = {(part, source): rows[part, key] for (part, key), source in linked.items()}
    found: dict[int, tuple[str, ...]] = {}
    for at, one in enumerate(intent.children):
        if one.operation != "create" or not makes_in_steps(session, flow, intent.target, one.part):
            continue
        row = counterparts.get((one.part, one.source_id(intent.target) or ""))
        row = row or next((row for row in free if row.part == one.part and _may_be(flow, row, one)), None)
        if row is not None:
            free = [other for other in free if other is not row]
            found[at] = unlike(session, flow, row, one)
    return found


def _may_be(flow: Flow, row: Projected, one: Intended) -> bool:
    """Whether an entry says what tells it from others as it was sent, or nothing where nothing was."""
    sent = {name: one.sent[name].sent if name in one.sent else None for name in flow.part(one.part).match}
    return all(row.raw.get(name) == value for name, value in sent.items())


def still_to_tell(one: Intended, names: Sequence[str]) -> Intended:
    """A record or entry that was made, but for some of what it was to be told."""
    sent = {name: replace(it, rule=BEGUN) if name in names else it for name, it in one.sent.items()}
    return replace(one, sent=sent)
