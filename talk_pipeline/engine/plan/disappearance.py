"""What follows when one side of a link has left: by the flow's policy, for each side it may leave from.

`flag` (the default) lists it and does nothing. `unlink` parts the two: the shop record is held, a Business Central
record is free again. `block` takes the other out of use by the property the flow names, `delete` deletes it. What
left because its story ended, or left the flow's scope, has not disappeared; nor is anything left to do where the
shop's record says that it is over, or people deleted both. A record that comes back finds its link as it was,
unless that was undone, and a pair of which both come back is one again.
"""

from typing import Any

from talk_pipeline.engine.kinds import DISAPPEARED
from talk_pipeline.engine.match.scopes import ended
from talk_pipeline.engine.model import Operation
from talk_pipeline.engine.snapshot.dirty import touch, touch_if_changed
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import insert, is_any
from talk_pipeline.engine.state.tables import ChangeRow
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow

RULE = "disappearance"

# dirty pairs one side of which has disappeared, the other still there
_LEFT = f"""
select l.shop_id, l.bc_id, r.canon, r.raw from link l
join snapshot s on s.flow = l.part and s.side = 'customwebshop' and s.id = l.shop_id
join snapshot b on b.flow = l.part and b.side = 'businesscentral' and b.id = l.bc_id
join record r on r.part = l.part and r.side = $other
  and r.id = case $other when 'customwebshop' then l.shop_id else l.bc_id end
where l.part = $flow and l.state = 'active'
  and case $side when 'customwebshop' then s.gone else b.gone end in ({DISAPPEARED})
  and case $side when 'customwebshop' then b.gone else s.gone end is null
  -- what others share as well is not taken from them: it waits for whoever is to lead
  and ($side = 'businesscentral' or l.bc_id not in (
    select shared_id from link where part = $flow and state = 'attached'))
  and (l.shop_id in (select id from dirty where flow = $flow and side = 'customwebshop')
    or l.bc_id in (select id from dirty where flow = $flow and side = 'businesscentral'))
order by l.shop_id
"""


def plan_disappearances(db: Connection, flow: Flow) -> None:
    """Undoes links and plans blocks and deletions, inside the caller's transaction."""
    _return(db, flow)
    _end(db, flow)
    for side in Side:
        policy = flow.settings.disappearance_from(side)
        if policy == "flag":
            continue
        rows = db.execute(_LEFT, {"flow": flow.name, "side": side, "other": side.other}).fetchall()
        if policy == "unlink":
            _unlink(db, flow, side, shop_ids=[row[0] for row in rows])
        elif policy == "block":
            _block(db, flow, side.other, rows=rows)
        else:
            insert(db, [_change(flow, side.other, row, operation="delete") for row in rows])


def _return(db: Connection, flow: Flow) -> None:
    """A pair that was parted or closed because they had left is one again when both are there."""
    parted = f"part = $flow and state in ('held', 'closed') and rule = '{RULE}'"
    if not is_any(db, f"from link where {parted}", {"flow": flow.name}):
        return
    returned = db.execute(
        f"""
        update link set state = 'active', rule = 'returned'
        where {parted}
          and shop_id in (select id from snapshot where flow = $flow and side = 'customwebshop' and gone is null)
          and bc_id in (select id from snapshot where flow = $flow and side = 'businesscentral' and gone is null)
        """,
        {"flow": flow.name},
    )
    touch_if_changed(db, flow.name, returned)


# shop records of pairs whose Business Central record was deleted, and whether theirs was too; what others share
# goes on for them when it comes back
_BEREFT = f"""
select shop_id, shop_id in (
    select id from snapshot where flow = $flow and side = 'customwebshop' and gone in ({DISAPPEARED}))
  and bc_id not in (select shared_id from link where part = $flow and state = 'attached') as both
from link where part = $flow and state = 'active' and bc_id in (
  select id from snapshot where flow = $flow and side = 'businesscentral' and gone in ({DISAPPEARED}))
"""

_CLOSED_SINCE_GONE = f"state = 'closed', rule = '{RULE}'"

# those of them that are there and show that it is over
_OVER = """
with shop as (
  select id, raw from record where rowid in (select rowid from record
    where part = $flow and side = 'customwebshop' and id in (select unnest($ids::varchar[])))
)
select r.id from shop r
where {ended} and r.id in (
  select id from snapshot where flow = $flow and side = 'customwebshop' and gone is null)
"""


def _end(db: Connection, flow: Flow) -> None:
    """Closes the pairs whose Business Central record was deleted, where the shop's is over or was deleted too."""
    bereft = db.execute(_BEREFT, {"flow": flow.name}).fetchall()
    if not bereft:  # as a rule; whoever is not looked for costs nothing
        return
    asked = {"flow": flow.name, "ids": [shop_id for shop_id, _ in bereft]}
    over = db.execute(_OVER.format(ended=ended(flow, "r")), asked).fetchall()
    gone_both = [shop_id for shop_id, both in bereft if both]
    for values, ids in (("state = 'closed'", [one for (one,) in over]), (_CLOSED_SINCE_GONE, gone_both)):
        if ids:
            db.execute(
                f"update link set {values}"
                " where part = ? and state = 'active' and shop_id in (select unnest(?::varchar[]))",
                [flow.name, ids],
            )
            touch(db, flow.name)


def _unlink(db: Connection, flow: Flow, side: Side, *, shop_ids: list[str]) -> None:
    if shop_ids:
        touch(db, flow.name)
    if side is Side.BC:
        db.execute(
            f"update link set state = 'held', rule = '{RULE}'"
            " where part = ? and shop_id in (select unnest(?::varchar[]))",
            [flow.name, shop_ids],
        )
        return
    for part in flow.parts:
        for table in ("base", "edit", "resolution"):
            db.execute(
                f"delete from {table} where part = ? and shop_id in (select shop_id from link"
                " where part = ? and root_shop_id in (select unnest(?::varchar[])))",
                [part.name, part.name, shop_ids],
            )
        db.execute(
            "delete from link where part = ? and root_shop_id in (select unnest(?::varchar[]))",
            [part.name, shop_ids],
        )


def _block(db: Connection, flow: Flow, target: Side, *, rows: list[tuple[Any, ...]]) -> None:
    """Plans the values that take a record out of use, where it does not have them yet."""
    changes = [
        _change(flow, target, row, operation="update", name=name, word=word)
        for name, word in flow.settings.blocked_by.items()
        for row in rows
        if row[2].get(name) != word
    ]
    insert(db, changes)


def _change(
    flow: Flow,
    target: Side,
    row: tuple[Any, ...],
    *,
    operation: Operation,
    name: str = "",
    word: str | None = None,
) -> ChangeRow:
    shop_id, bc_id, _, raw = row
    name = name or flow.create_key
    # the value as the side that left would have said it
    after = flow.root.by_name[name].values.get(word or "", word) if target is Side.SHOP else word
    return ChangeRow(
        flow=flow.name,
        part=flow.name,
        target=target,
        operation=operation,
        shop_id=shop_id,
        bc_id=bc_id,
        root_shop_id=shop_id,
        root_bc_id=bc_id,
        property=name,
        before=raw.get(name),
        after=after,
        base=None,
        rule=RULE,
        conflict=False,
    )
