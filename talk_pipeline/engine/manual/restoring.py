"""A system that was restored from a backup: what follows once a person said so.

What the other side holds is newer: it goes back to the restored system, property by property, as if that side had
just been edited. Records that left with the restore lose their link, so that they are matched by their keys or
created anew, once. What only the restored system says, such as a status or a number it gave, follows from there.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from talk_pipeline.engine.kinds import GIVEN_OUT_ANEW, LinkState
from talk_pipeline.engine.manual import both_restored, links
from talk_pipeline.engine.manual.decisions import Decision, Hand
from talk_pipeline.engine.manual.lookup import Entity
from talk_pipeline.engine.plan import losses
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.snapshot.dirty import mark_dirty
from talk_pipeline.engine.snapshot.holding import holds
from talk_pipeline.engine.snapshot.landing import Landed
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import rows_of, select
from talk_pipeline.engine.state.tables import WrittenRow
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Flow, Part
from talk_pipeline.wording import counted


def bring_forward(hand: Hand, side: Side, landed: Landed, *, company: Company) -> None:
    """Prepares that the restored side gets what the other holds, in the transaction in which its records landed.

    Args:
        hand: who said so, and of which flow.
        side: the one that was restored.
        landed: what went back, vanished or is open again, and what was edited since.
        company: what the meaning of values depends on.
    """
    db, flow, found = hand.db, hand.flow, landed.reversals
    kinds = ("went back", "open again", "unposted", "another")
    back, open_again, unposted, others = ([one.id for one in found if one.kind == kind] for kind in kinds)
    back += _taken_for_edits(db, flow, side, landed, but=back)
    lost = _lost(db, flow, side, landed)
    anew = [*_given_out_anew(db, flow, side, landed, others=others), *unposted]
    losses.note(db, flow, side, [*lost, *anew], others=others)
    ended = _linked(db, flow, side, anew, states=list(LinkState))
    for entity in dict.fromkeys([*_linked(db, flow, side, lost), *ended]):
        links.lose(hand, entity)
    _hold_others(db, flow, others)
    reopened = _reopened(db, flow, side, open_again)
    pairs = [*_linked(db, flow, side, back), *reopened]
    shop_ids = [entity.shop_id for entity in pairs if entity.shop_id]
    for part in flow.parts:
        both_restored.keep_lost_values(db, flow, part, side, roots=shop_ids, run_id=hand.by)
        if part.parent:
            both_restored.keep_lost_children(db, flow, part, side, roots=shop_ids, run_id=hand.by)
            _children(db, part, side, roots=shop_ids)
        both_restored.tell_again(db, part, side, roots=shop_ids)
    both_restored.strike_found(db, flow, side, roots=shop_ids)
    mark_dirty(db, flow.name, Side.SHOP, ids=shop_ids)
    _edited_since(hand, side, landed, company=company)
    lost = list(dict.fromkeys([*lost, *anew]))
    if found or lost:
        number = len(shop_ids)
        going = "goes back to it as it is" if number == 1 else "go back to it as they are"
        message = f"{side} was restored: {counted(number, 'record')} {going} on the other side"
        details = {
            "side": str(side),
            "went back": len(back),
            "vanished": len(lost),
            "open again": len(open_again),
        }
        hand.note(Decision(flow.name, "restored", None, None, message, details))


def reopen(db: Connection, flow: Flow, side: Side, landed: Landed) -> None:
    """What a side shows now was approved: a story whose end it does not know any more goes on, or is a broken one.

    In the transaction in which its records landed.
    """
    both_restored.strike_found(db, flow, side)
    ids = [one.id for one in landed.reversals if one.kind in ("open again", "unposted")]
    reopened = _reopened(db, flow, side, ids)
    mark_dirty(db, flow.name, Side.SHOP, ids=[entity.shop_id for entity in reopened if entity.shop_id])


def _reopened(db: Connection, flow: Flow, side: Side, ids: Sequence[str]) -> list[Entity]:
    """The closed pairs of these records, which are open from now on."""
    reopened = _linked(db, flow, side, ids, states=[LinkState.CLOSED])
    db.execute(
        "update link set state = 'active' where part = ? and shop_id in (select unnest(?::varchar[]))",
        [flow.name, [entity.shop_id for entity in reopened]],
    )
    return reopened


_LINKED = """
select shop_id, bc_id from link where part = $flow and list_contains($states::varchar[], state)
  and case $side when 'customwebshop' then shop_id else bc_id end in (select unnest($ids::varchar[]))
order by shop_id
"""


def _linked(
    db: Connection,
    flow: Flow,
    side: Side,
    ids: Sequence[str],
    *,
    states: Sequence[LinkState] = (LinkState.ACTIVE,),
) -> list[Entity]:
    told = {"flow": flow.name, "side": str(side), "ids": list(ids), "states": list(map(str, states))}
    rows = db.execute(_LINKED, told)
    return [Entity(flow.name, shop_id, bc_id) for shop_id, bc_id in rows.fetchall()]


_EARLIER = """
select id from snapshot where flow = $flow and side = $side and gone is null
  and id not in (select unnest($but::varchar[]))
  and list_bool_or(list_transform(earlier, lambda sign:
    try_cast(split_part(sign, ' ', 1) as timestamp) > greatest($backup, modified_at)))
order by id
"""


def _taken_for_edits(
    db: Connection, flow: Flow, side: Side, landed: Landed, *, but: Sequence[str]
) -> list[str]:
    """Records that an earlier fetch showed as of an earlier time than they were seen at before, after the backup.

    One alone is no proof of a restore, so that it was taken for an edit until others told of one.
    """
    if landed.backup is None:
        return []
    told = {"flow": flow.name, "side": str(side), "backup": landed.backup, "but": list(but)}
    return [row[0] for row in db.execute(_EARLIER, told).fetchall()]


_LOST = """
select id from snapshot where flow = $flow and side = $side and gone = 'vanished'
  and case when modified_at is null or $backup::timestamp is null then id in (select unnest($now::varchar[]))
           else modified_at > $backup end
"""


def _lost(db: Connection, flow: Flow, side: Side, landed: Landed) -> list[str]:
    """Records that are gone and cannot be in the backup, be it that an earlier fetch took that for a deletion.

    One that was not modified since would be in it: somebody had deleted it before.
    """
    now = [one.id for one in landed.reversals if one.kind == "vanished"]
    told = {"flow": flow.name, "side": str(side), "backup": landed.backup, "now": now}
    return [row[0] for row in db.execute(_LOST, told).fetchall()]


_OTHER_KEY = """
select l.shop_id from link l
join record r on r.part = l.part and r.side = $side and r.id = l.shop_id
join base b on b.part = l.part and b.shop_id = l.shop_id and b.property = $key
where l.part = $flow and r.raw[$key] is distinct from b.shop_value
  and (l.shop_id in (select unnest($others::varchar[]))
    or l.state = 'active' and l.linked_at > $since and l.shop_id in (select unnest($ids::varchar[])))
"""


def _given_out_anew(
    db: Connection, flow: Flow, side: Side, landed: Landed, *, others: Sequence[str]
) -> list[str]:
    """Ids of records that are lost, under which somebody else is shown: a shop counts on from where the backup was.

    What was made after the backup is not in it. When that was is known from below only, so that it takes another
    key as well to tell whoever was made under the id since from what was in the backup and was edited; unless the
    shop tells when each was made. Business Central gives no id out twice.
    """
    if side is Side.BC:
        return []
    since = landed.backup - timedelta(seconds=landed.skew_seconds) if landed.backup else None
    told = {"flow": flow.name, "side": str(side), "key": flow.create_key, "since": since}
    ids = {"ids": list(landed.moved_on), "others": others}
    return [shop_id for (shop_id,) in db.execute(_OTHER_KEY, {**told, **ids}).fetchall()]


def _hold_others(db: Connection, flow: Flow, others: Sequence[str]) -> None:
    """Holds the pairs of records under whose id and key another one is shown: that is no edit, nor a match."""
    db.execute(
        f"update link set state = '{LinkState.HELD}', rule = '{GIVEN_OUT_ANEW}'"
        " where part = ? and shop_id in (select unnest(?::varchar[]))",
        [flow.name, list(others)],
    )


_LOST_CHILDREN = """
delete from link where part = $part and root_shop_id in (select unnest($roots::varchar[]))
  and case $side when 'customwebshop' then shop_id else bc_id end
      not in (select id from record where part = $part and side = $side)
returning shop_id
"""

# one that was removed since the backup: linked with what is not there any more, it is removed again; one that the
# other side lost just before was not removed
_CHILDREN_BACK = """
insert into link (part, shop_id, bc_id, root_shop_id, rule, state, linked_at)
select r.part, case $side when 'customwebshop' then r.id else l.shop_id || '/removed-' || r.id end,
       case $side when 'customwebshop' then l.bc_id || '/removed-' || r.id else r.id end,
       l.shop_id, 'restored', 'active', now() at time zone 'UTC'
from record r
join link l on l.part = $root and case $side when 'customwebshop' then l.shop_id else l.bc_id end = r.root_id
left join link own on own.part = r.part
  and case $side when 'customwebshop' then own.shop_id else own.bc_id end = r.id
where r.part = $part and r.side = $side and own.part is null
  and l.shop_id in (select unnest($roots::varchar[]))
  and r.id not in (select case $side when 'customwebshop' then shop_id else bc_id end from conflict
                   where part = $part and rule = $lost and acknowledged_at is null)
"""


def _children(db: Connection, part: Part, side: Side, *, roots: Sequence[str]) -> None:
    """Children that the restored side lost are made anew, those that it has again are removed again."""
    about = {"part": part.name, "side": str(side), "roots": list(roots)}
    lost = db.execute(_LOST_CHILDREN, about).fetchall()
    for table in ("base", "edit", "resolution"):
        db.execute(
            f"delete from {table} where part = ? and shop_id in (select unnest(?::varchar[]))",
            [part.name, [row[0] for row in lost]],
        )
    db.execute(_CHILDREN_BACK, {**about, "root": part.parent, "lost": both_restored.RESTORED})


# what was updated in these records since the backup, at either side
_UPDATED = """
where flow = $flow and outcome = 'done' and intent_at > $since and operation = 'update' and property is not null
  and root_shop_id in (select unnest($roots::varchar[])) order by intent_at, place, nth
"""

_CURRENT = """
select l.part, l.shop_id, r.raw, r.canon from link l
join record r on r.part = l.part and r.side = $side
  and r.id = case $side when 'customwebshop' then l.shop_id else l.bc_id end
where l.root_shop_id in (select unnest($roots::varchar[]))
"""


def _edited_since(hand: Hand, side: Side, landed: Landed, *, company: Company) -> None:
    """Of records that people edited after the restore: what is back at a value that was replaced since the backup.

    The journal knows those values. All else that such a record says is an edit.
    """
    db, flow = hand.db, hand.flow
    backup = landed.backup
    if backup is None:
        return
    ids = [record_id for record_id, known_at in landed.moved_on.items() if known_at > backup]
    roots = [entity.shop_id for entity in _linked(db, flow, side, ids)]
    current = {
        (row["part"], row["shop_id"]): row
        for row in rows_of(db, _CURRENT, {"side": str(side), "roots": roots})
    }
    again: set[tuple[str, str, str]] = set()
    for one in select(db, WrittenRow, _UPDATED, {"flow": flow.name, "since": backup, "roots": roots}):
        row = current.get((one.part, one.shop_id))
        prop = flow.part(one.part).by_name.get(one.property or "")
        if row and prop and _is_back(prop, one.target, one.before, side, row, company=company):
            again.add((one.part, one.shop_id or "", prop.name))
    db.execute(
        "update base set resend = ? where (part, shop_id, property) in"
        " (select (unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::varchar[])))",
        [str(side), *([key[at] for key in sorted(again)] for at in range(3))],
    )


def _is_back(
    prop: Property,
    written: Side,
    before: Value,
    restored: Side,
    row: Mapping[str, Any],
    *,
    company: Company,
) -> bool:
    """Whether the restored side shows what a write to either side replaced."""
    if not prop.goes_to(restored):
        return False
    raw, canon = row["raw"], row["canon"].get(prop.name)
    if written is restored:
        return bool(raw.get(prop.name) == before)
    return holds(prop, before, written, raw=raw, canon=canon, company=company)
