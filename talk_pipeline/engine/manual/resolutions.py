"""What people decide of changes: which side wins an open conflict, that a refused write is tried again.

The next sync carries them out. A conflict is decided on the values shown: where either side was edited since,
the conflict is open anew.
"""

from collections.abc import Mapping
from typing import Any

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.manual.decisions import Decision, Hand
from talk_pipeline.engine.manual.lookup import Entity, find, labels
from talk_pipeline.engine.match.outdated import FROM_BC
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.plan.compare import MISMATCHES
from talk_pipeline.engine.plan.refusals import OF_RECORD
from talk_pipeline.engine.plan.totals import differences
from talk_pipeline.engine.snapshot.dirty import mark_dirty
from talk_pipeline.engine.state.connection import now, transaction
from talk_pipeline.engine.state.rows import insert, rows_of
from talk_pipeline.engine.state.tables import ResolutionRow
from talk_pipeline.flows.sides import Side
from talk_pipeline.wording import counted

OPEN = f"""
select part, target, shop_id, bc_id, property,
       case target when 'customwebshop' then before else after end as shop_value,
       case target when 'customwebshop' then after else before end as bc_value
from change
where flow = $flow and root_shop_id = $shop_id and hold_kind = '{HoldKind.MANUAL}'
order by part, shop_id, property
"""


_READ_SINCE = """
select 1 from snapshot where flow = $flow and fetched_at > $said_at
  and (side = 'customwebshop' and id = $shop_id or side = 'businesscentral' and id = $bc_id)
"""


def resolve(hand: Hand, text: str, *, take: Side, prop: str | None = None) -> Decision:
    """Decides the open conflicts of an entity, all of them or those of one property.

    Raises:
        ByHandError: there is no such conflict, or a run read something else since the person looked.
    """
    db, flow = hand.db, hand.flow
    entity = find(db, flow, text)
    whose = {"flow": flow.name, "shop_id": entity.shop_id, "bc_id": entity.bc_id, "said_at": hand.said_at}
    if rows_of(db, _READ_SINCE, whose):
        raise ByHandError(
            f"{entity.name} was edited while this waited for a run: look at what both say now, by"
            f" talk-pipeline explain {entity.name}, and decide again"
        )
    rows = rows_of(db, OPEN, {"flow": flow.name, "shop_id": entity.shop_id})
    if not rows:
        raise ByHandError(f"{entity.name} has no open conflict; see talk-pipeline explain {entity.name}")
    named = {
        row_at: labels(flow, row["part"], row["shop_id"], prop=row["property"])
        for row_at, row in enumerate(rows)
    }
    chosen = [at for at, names in named.items() if prop is None or prop in names]
    if not chosen:
        there = ", ".join(names[0] for names in named.values())
        raise ByHandError(f"{entity.name} has no open conflict in {prop!r}; there are: {there}")
    with transaction(db):
        for at in chosen:
            _decide(hand, rows[at], take=take)
        mark_dirty(db, flow.name, Side.SHOP, ids=[entity.shop_id or ""])
        decided = {
            named[at][0]: {"shop_value": rows[at]["shop_value"], "bc_value": rows[at]["bc_value"]}
            for at in chosen
        }
        message = f"{entity.name}: {take} wins {', '.join(decided)}; the next sync carries it out"
        details = {"winner": str(take), "properties": decided}
        return hand.note(Decision(flow.name, "resolved", entity.shop_id, entity.bc_id, message, details))


def _decide(hand: Hand, row: Mapping[str, Any], *, take: Side) -> None:
    key = (row["part"], row["shop_id"], row["property"])
    hand.db.execute("delete from resolution where part = ? and shop_id = ? and property = ?", list(key))
    word = ResolutionRow(
        part=row["part"],
        shop_id=row["shop_id"],
        property=row["property"],
        winner=take,
        shop_value=row["shop_value"],
        bc_value=row["bc_value"],
        decided_by=hand.by,
        decided_at=now(),
    )
    insert(hand.db, [word])


_GIVEN_UP = f"""
select case when not starts_with(root_shop_id, '{FROM_BC}') then root_shop_id end as shop_id,
       case when starts_with(root_shop_id, '{FROM_BC}') then root_shop_id[{len(FROM_BC) + 1}:] else record_id end
         as record_id,
       reason, false as differing
from refusal where flow = $flow
union all
select l.root_shop_id, b.shop_id, 'the two systems keep storing ' || b.property || ' differently', false
from base b join link l on l.part = b.part and l.shop_id = b.shop_id
where b.part in (select unnest($parts::varchar[])) and b.mismatches >= $mismatches
union all
select root_shop_id, shop_id, hold_reason, false from change
where flow = $flow and hold_kind = '{HoldKind.FLAPPING}'
union all
-- a number that differs is let go one by one, and never with a whole flow
select distinct root_shop_id, root_shop_id, hold_reason, true from change
where flow = $flow and part = $flow and hold_kind = '{HoldKind.DIFFERING}' and root_shop_id = $shop_id
order by 1, 2, 3
"""


def retry(hand: Hand, text: str | None = None) -> Decision:
    """Takes back what was given up on, of one entity or of the whole flow: the next sync tries again.

    Raises:
        ByHandError: the entity is not quarantined, or for a value that only an edit can mend.
    """
    db, flow = hand.db, hand.flow
    entity = find(db, flow, text) if text is not None else None
    parameters = {
        "flow": flow.name,
        "parts": [part.name for part in flow.parts],
        "mismatches": MISMATCHES,
        "shop_id": entity.shop_id if entity else None,
    }
    rows = [
        row
        for row in rows_of(db, _GIVEN_UP, parameters)
        if entity is None
        or (entity.shop_id is not None and row["shop_id"] == entity.shop_id)
        or row["record_id"] == entity.bc_id
    ]
    if entity is not None and not rows:
        if _retried(hand, entity):
            message = f"{entity.name}: the next sync tries it again; so it was decided already"
            return Decision(flow.name, "retried", entity.shop_id, entity.bc_id, message)
        raise ByHandError(_not_given_up(hand, entity))
    if not rows:
        return Decision(flow.name, "retried", None, None, f"{flow.name}: nothing is given up on")
    with transaction(db):
        again: dict[Entity, list[str]] = {}
        for row in rows:
            one = _entity_of(hand, row)
            again.setdefault(one, []).append(row["reason"])
        for shop_id in dict.fromkeys(row["shop_id"] for row in rows if row["differing"]):
            _let_go(hand, shop_id)
        for one, reasons in again.items():
            _take_back(hand, one)
            hand.note(Decision(flow.name, "retried", one.shop_id, one.bc_id, "", {"reasons": reasons}))
    named = {one.shop_id or one.bc_id or "": list(dict.fromkeys(reasons)) for one, reasons in again.items()}
    message = f"{flow.name}: the next sync tries {counted(len(named), 'record')} again: {', '.join(named)}"
    whose = (entity.shop_id, entity.bc_id) if entity else (None, None)
    return Decision(flow.name, "retried", *whose, message, {"records": named})


def _entity_of(hand: Hand, row: Mapping[str, Any]) -> Entity:
    shop_id = row["shop_id"]
    if shop_id is None:
        return Entity(hand.flow.name, None, row["record_id"])
    found = hand.db.execute(
        "select bc_id from link where part = ? and shop_id = ?", [hand.flow.name, shop_id]
    ).fetchone()
    return Entity(hand.flow.name, shop_id, found[0] if found else None)


def _take_back(hand: Hand, entity: Entity) -> None:
    db, name = hand.db, hand.flow.name
    whose = {"flow": name, "shop_id": entity.shop_id, "bc_id": entity.bc_id}
    db.execute(f"delete from refusal where flow = $flow and {OF_RECORD}", whose)
    for part in hand.flow.parts:
        db.execute(
            "update base set mismatches = 0 where part = $part and mismatches > 0"
            " and shop_id in (select shop_id from link where part = $part and root_shop_id = $root)",
            {"part": part.name, "root": entity.shop_id},
        )
    for side in Side:
        record_id = entity.id_on(side)
        mark_dirty(db, name, side, ids=[record_id] if record_id else [])


def _let_go(hand: Hand, shop_id: str) -> None:
    """The record is created though it comes to something else; another figure of either side is asked anew."""
    for one in differences(hand.db, hand.flow, [shop_id]):
        row = {"part": hand.flow.name, "shop_id": shop_id, "property": one.prop}
        _decide(hand, row | {"shop_value": one.stated, "bc_value": str(one.made_of.total)}, take=Side.BC)


def _retried(hand: Hand, entity: Entity) -> bool:
    """Whether a person said so already, and no sync has run since."""
    row = hand.db.execute(
        "select 1 from decision where flow = $1 and action = 'retried' and (shop_id = $2 or bc_id = $3)"
        " and done_at > coalesce((select max(started_at) from run where flow = $1), timestamp '1970-01-01')",
        [entity.flow, entity.shop_id, entity.bc_id],
    ).fetchone()
    return row is not None


def _not_given_up(hand: Hand, entity: Entity) -> str:
    row = hand.db.execute(
        "select reason from status where flow = ? and shop_id = ? and state = 'quarantined'",
        [entity.flow, entity.shop_id],
    ).fetchone()
    if row:
        return f"{entity.name} is tried again by itself once the value is mended: {row[0]}"
    return f"{entity.name} is not quarantined; see talk-pipeline explain {entity.name}"
