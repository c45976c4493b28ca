"""What both sides held when they last agreed, moved forward only by an outcome, and only for what was sent.

The source's base becomes the value it was sent from, the target's the value sent. Where the target stored
something else, that is an edit of the target and flows back; how often in a row is counted. Where it kept what it
held, nothing moves, and whoever asked for it is told (`apply.unheeded`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from talk_pipeline.engine.apply.confirmed import Confirmed, shop_values, stored_records
from talk_pipeline.engine.apply.unheeded import Answer
from talk_pipeline.engine.model import BEGUN, SEND_WITH, UNDO, Intent, Sent, UnheededValue
from talk_pipeline.engine.recalculation import affected, worked_out
from talk_pipeline.engine.snapshot.projection import Projected, Projector
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import insert, is_any
from talk_pipeline.engine.state.tables import BaseRow, RecalculationRow
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Flow, Part

# what is in step before a write by which the target recalculates it
_IN_STEP = """
select affected.intent_id, base.part, base.shop_id, base.property
from base
join (select unnest($intents::varchar[]) as intent_id, unnest($parts::varchar[]) as part,
             unnest($roots::varchar[]) as root_shop_id, unnest($ids::varchar[]) as shop_id,
             unnest($properties::varchar[]) as property) affected
  on affected.part = base.part and affected.property = base.property
  and base.shop_id = coalesce(affected.shop_id, base.shop_id)
join link l on l.part = base.part and l.shop_id = base.shop_id and l.root_shop_id = affected.root_shop_id
join record r on r.part = l.part and r.side = 'businesscentral' and r.id = l.bc_id
where r.raw[base.property] is not distinct from base.bc_value
order by all
"""


def recalculations(db: Connection, flow: Flow, intents: Sequence[Intent]) -> list[RecalculationRow]:
    """What Business Central changes by itself when it carries out requests.

    Kept with the intent before it leaves: once it was carried out, nothing tells its work from a user's edit.
    """
    places = [
        (intent.intent_id, part, intent.root_shop_id, shop_id, name)
        for intent in intents
        if intent.root_shop_id
        for part, shop_id, name in affected(flow, intent)
    ]
    if not places:
        return []
    columns = (list(column) for column in zip(*places, strict=True))
    names = ("intents", "parts", "roots", "ids", "properties")
    rows = db.execute(_IN_STEP, dict(zip(names, columns, strict=True))).fetchall()
    return [
        RecalculationRow(intent_id=intent_id, part=part, shop_id=shop_id, property=name)
        for intent_id, part, shop_id, name in rows
    ]


_EXPECTED = """
update base set resend = 'businesscentral'
from (select distinct part, shop_id, property from recalculation
      where intent_id in (select unnest($intents::varchar[]))) expected
where expected.part = base.part and expected.shop_id = base.shop_id and expected.property = base.property
"""


def expect_recalculation(db: Connection, done: Sequence[Intent]) -> None:
    """Notes what Business Central changed by itself in carrying these out.

    That is no user's edit: what the shop says of it goes again. A new record has nothing to be changed yet.
    """
    written = [intent.intent_id for intent in done if intent.target is Side.BC and not intent.creates_record]
    if written:
        db.execute(_EXPECTED, {"intents": written})


def confirm(
    db: Connection,
    projector: Projector,
    *,
    run_id: str,
    confirmed: Sequence[Confirmed],
    landed: Sequence[Projected],
    at: datetime,
) -> list[UnheededValue]:
    """Moves the bases of everything sent and records the conflicts it settled; in the caller's transaction.

    What was sent is agreed on at the very moment of its outcome: what followed from an earlier one is told from it.

    Returns:
        What the target did not take: it stays the source's edit, and its base where it was.
    """
    bases: list[BaseRow] = []
    undone: list[tuple[str, str, str]] = []
    conflicts: list[dict[str, Any]] = []
    unheeded_values: list[UnheededValue] = []
    kept: list[int] = []
    stored = stored_records(db, projector, confirmed, landed=landed)
    shop, earlier = shop_values(db, projector, confirmed), _earlier(db, confirmed)
    for one in confirmed:
        part = projector.flow.part(one.part)
        raw, canon = stored.get((one.part, one.target_id), ({}, {}))
        answer = Answer(one.target, raw, canon, projector.company)
        unheeded = answer.unheeded(part, one.operation, one.sent)
        heeded = {name: sent for name, sent in one.sent.items() if name not in unheeded}
        kept += _unchanged(part, one, raw=raw, earlier=earlier)
        unheeded_values += _refused(part, one, unheeded)
        undone += [(one.part, one.shop_id, name) for name, sent in one.sent.items() if sent.rule == UNDO]
        conflicts += [
            _conflict(projector.flow.name, one, name, sent=sent, run_id=run_id)
            for name, sent in heeded.items()
            if sent.conflict
        ]
        bases += _agreed(part, one, heeded, answer=answer, at=at)
        if one.operation == "create" and one.target is Side.BC:
            bases += [
                base
                for base in _initial_bases(part, one, shop=shop.get((one.part, one.shop_id), {}), raw=raw)
                if (base.part, base.shop_id, base.property) not in earlier
            ]
    _record_conflicts(db, conflicts)
    _expect_no_more(db, kept)
    _replace(db, bases, earlier=earlier)
    _stand_as_edits(db, undone)
    _forget(db, [one for one in confirmed if one.operation == "delete"])
    return unheeded_values


def _refused(part: Part, one: Confirmed, unheeded: Mapping[str, Value]) -> Iterator[UnheededValue]:
    """What the target did not take, and did not work out by itself either."""
    recalculated = worked_out(part, one.sent, unheeded=unheeded, side=one.target)
    for name, current in unheeded.items():
        if one.operation == "create" or name not in recalculated:
            yield UnheededValue(one.intent_id, one.part, one.shop_id, one.target, name, current)


def _agreed(
    part: Part, one: Confirmed, heeded: Mapping[str, Sent], *, answer: Answer, at: datetime
) -> Iterator[BaseRow]:
    """The bases of what was taken; what was sent along or put back is not agreed on by that."""
    if one.operation == "delete":
        return
    for name, sent in heeded.items():
        if sent.rule in (SEND_WITH, UNDO):
            continue
        # what was begun holds what nobody said, and is told whatever it was to be, a blank too
        told = sent.rule != BEGUN
        source, target = sent.source, sent.sent if told else answer.raw.get(name)
        shop, bc = (source, target) if one.target is Side.BC else (target, source)
        unlike = told and name in answer.canon and answer.differs(part.by_name[name], sent.sent)
        yield BaseRow(
            part=one.part,
            shop_id=one.shop_id,
            property=name,
            shop_value=shop,
            bc_value=bc,
            mismatches=int(unlike),
            resend=None if told else one.target,
            agreed_at=at if told else None,
        )


def _expect_no_more(db: Connection, rows: list[int]) -> None:
    if rows:
        db.execute(
            "update base set resend = null where rowid in (select unnest(?::bigint[])) and resend = ?",
            [rows, Side.BC],
        )


def _forget(db: Connection, removed: Sequence[Confirmed]) -> None:
    """What was removed has nothing more to say."""
    if not removed:
        return
    keys = [[one.part for one in removed], [one.shop_id for one in removed]]
    for table in ("edit", "resolution"):
        db.execute(
            f"delete from {table} where (part, shop_id) in (select (unnest(?::varchar[]), unnest(?::varchar[])))",
            keys,
        )


@dataclass(frozen=True, slots=True)
class _Earlier:
    """A base that there is already: its row, how often in a row the value was stored differently, what BC held."""

    row: int
    mismatches: int
    bc_value: Value


def _unchanged(
    part: Part, one: Confirmed, *, raw: Mapping[str, Any], earlier: Mapping[tuple[str, str, str], _Earlier]
) -> Iterator[int]:
    """The bases, by row, of what might have been worked out anew, and which the answer shows as it was before.

    Whatever the record says of it later, somebody said since.
    """
    if one.operation == "delete":
        return
    for name in worked_out(part, one.sent, unheeded=(), side=one.target):
        base = earlier.get((one.part, one.shop_id, name))
        if base is not None and raw.get(name) == base.bc_value:
            yield base.row


def _earlier(db: Connection, confirmed: Sequence[Confirmed]) -> dict[tuple[str, str, str], _Earlier]:
    """What there is a base of already, by part, shop id and property; it may be of others besides."""
    # column by column: to put the two together for each of all the bases there are costs twice as much
    rows = db.execute(
        "select part, shop_id, property, rowid, mismatches, bc_value from base"
        " where list_contains(?::varchar[], part) and shop_id in (select unnest(?::varchar[]))",
        [list({one.part for one in confirmed}), [one.shop_id for one in confirmed]],
    ).fetchall()
    return {(part, shop_id, name): _Earlier(*known) for part, shop_id, name, *known in rows}


def _initial_bases(
    part: Part, one: Confirmed, *, shop: Mapping[str, Any], raw: Mapping[str, Any]
) -> list[BaseRow]:
    """What a record we created says of itself is where its one-way properties start from.

    A default of the new record is no statement: only later changes of it are written to a filled property. The two
    have not agreed on anything by that, and the base says so.
    """
    return [
        BaseRow(
            part=one.part,
            shop_id=one.shop_id,
            property=prop.name,
            shop_value=shop[prop.name],
            bc_value=raw.get(prop.name),
            mismatches=0,
            resend=None,
            agreed_at=None,
        )
        for prop in part.properties
        if prop.dir == "<-" and shop.get(prop.name) is not None
    ]


def _conflict(flow: str, one: Confirmed, name: str, *, sent: Sent, run_id: str) -> dict[str, Any]:
    """What `_CONFLICT` asks for, but for the time."""
    shop, bc = (sent.source, sent.before) if one.target is Side.BC else (sent.before, sent.source)
    return {
        "flow": flow,
        "part": one.part,
        "shop_id": one.shop_id,
        "bc_id": one.bc_id,
        "name": name,
        "rule": sent.rule,
        "winner": str(one.target.other),
        "shop": shop,
        "bc": bc,
        "run_id": run_id,
    }


# both values with their times and versions: the loser is never lost
_CONFLICT = """
insert into conflict (flow, part, shop_id, bc_id, property, rule, winner, shop_value, bc_value,
  shop_edited_at, bc_edited_at, shop_version, bc_version, run_id, recorded_at, decided_by, decided_at,
  acknowledged_by, acknowledged_at)
with decided as (
  select decided_by, decided_at from resolution
  where part = $part and shop_id = $shop_id and property = $name and $rule = 'manual'
)
select $flow, $part, $shop_id, $bc_id, $name, $rule, $winner, $shop, $bc,
       any_value(edited_at) filter (side = 'customwebshop'),
       any_value(edited_at) filter (side = 'businesscentral'),
       any_value(version) filter (side = 'customwebshop'),
       any_value(version) filter (side = 'businesscentral'), $run_id, $at,
       (select decided_by from decided), (select decided_at from decided),
       (select decided_by from decided), (select decided_at from decided)
from edit where part = $part and shop_id = $shop_id and property = $name
"""


def _record_conflicts(db: Connection, conflicts: Sequence[dict[str, Any]]) -> None:
    for conflict in conflicts:
        db.execute(_CONFLICT, conflict | {"at": now()})


def _stand_as_edits(db: Connection, undone: list[tuple[str, str, str]]) -> None:
    """What was put back differs from the base now, and travels on like any edit: it is not told away again."""
    if undone:
        columns = [list(column) for column in zip(*undone, strict=True)]
        db.execute(
            "update base set resend = null where (part, shop_id, property) in"
            " (select (unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::varchar[])))",
            columns,
        )


def _replace(
    db: Connection, bases: list[BaseRow], *, earlier: Mapping[tuple[str, str, str], _Earlier]
) -> None:
    chosen = "(select (unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::varchar[])))"
    places = [(row.part, row.shop_id, row.property) for row in bases]
    # bases are many: those that go are known by their rows
    known = [earlier[place].row for place in places if place in earlier]
    if known:
        db.execute("delete from base where rowid in (select unnest(?::bigint[]))", [known])
    for table in ("edit", "resolution") if places else ():
        if not is_any(db, f"from {table}"):
            continue  # as in a first synchronization
        keys = [list(column) for column in zip(*places, strict=True)]
        db.execute(f"delete from {table} where (part, shop_id, property) in {chosen}", keys)
    insert(
        db,
        [
            replace(row, mismatches=1 + (earlier[place].mismatches if place in earlier else 0))
            if row.mismatches
            else row
            for row, place in zip(bases, places, strict=True)
        ],
    )
