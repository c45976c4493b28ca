"""Children the other side has no place for, or still has as something else: withheld by name, never lost.

A property of the shop's record is room for one child only. And where settings say which children of Business
Central belong to a collection, such as an account's number, one that no longer does was not removed: somebody posts
it elsewhere, or set another number.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.model import Child, Decode
from talk_pipeline.engine.snapshot.projection import in_scope, own_id
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import rows_of
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part

# those beyond the room that is left by what the shop has and keeps
_BEYOND = f"""
with added as (
  select c.bc_id, r.raw[$there_by] as value, row_number() over (
           partition by c.root_bc_id order by r.position, r.id)
         + (select count(*) from record s where s.part = $part and s.side = 'customwebshop'
              and s.root_id = c.root_shop_id and s.id not in (
                select shop_id from change where flow = $flow and part = $part and target = 'customwebshop'
                  and operation = 'delete')) as place
  from (select distinct bc_id, root_bc_id, root_shop_id from change
        where flow = $flow and part = $part and target = 'customwebshop' and operation = 'create') c
  join record r on r.part = $part and r.side = 'businesscentral' and r.id = c.bc_id
)
update change set hold_kind = '{HoldKind.QUARANTINED}',
       hold_reason = $key || ': the shop has room for ' || $room || ', and Business Central has '
                     || coalesce(added.value, 'another') || ' besides; leave ' || $room || ' there'
from added
where change.flow = $flow and change.part = $part and change.target = 'customwebshop'
  and change.operation = 'create' and change.bc_id = added.bc_id and added.place > $room
"""

# what looks removed in Business Central, and what is to be made there anew
_LOST = """
select distinct c.shop_id, l.bc_id, l.root_shop_id, s.id as root_bc_id, s.payload
from change c join link l on l.part = c.part and l.shop_id = c.shop_id
join link root on root.part = $flow and root.shop_id = l.root_shop_id
join snapshot s on s.flow = $flow and s.side = 'businesscentral' and s.id = root.bc_id
where c.flow = $flow and c.part = $part
  and (c.target = 'customwebshop' and c.operation = 'delete'
       or c.target = 'businesscentral' and c.operation = 'create')
"""

_WITHHELD = f"""
update change set hold_kind = '{HoldKind.QUARANTINED}', hold_reason = $reason
where flow = $flow and part = $part and shop_id = $shop_id and operation in ('create', 'delete')
"""


def withhold_misfits(db: Connection, flow: Flow, read: Decode | None, *, children: Sequence[Part]) -> None:
    """Puts a reason on the changes of children that do not fit; `read` reads payloads of Business Central."""
    for part in children:
        key = part.key
        if part.room is not None:
            told = {"flow": flow.name, "part": part.name, "key": key, "there_by": part.there_by or ""}
            db.execute(_BEYOND, {**told, "room": part.room})
        if part.set_by and read:
            _still_there(db, flow, part, key=key, read=read)


def _still_there(db: Connection, flow: Flow, part: Part, *, key: str, read: Decode) -> None:
    for row in rows_of(db, _LOST, {"flow": flow.name, "part": part.name}):
        child = _found(part, row, read)
        if child is None or in_scope(part, Side.BC, child.values):
            continue
        now = ", ".join(f"{path} {child.values.get(path) or 'blank'}" for path in part.set_by)
        names = " and ".join(f"settings.constants.{name}" for name in part.set_by.values())
        reason = (
            f"{key}: Business Central still has its line, now with {now}; delete it there, or let {names} name"
            " both, as in `new | old`"
        )
        db.execute(
            _WITHHELD,
            {"flow": flow.name, "part": part.name, "shop_id": row["shop_id"], "reason": reason},
        )


def _found(part: Part, row: Mapping[str, Any], read: Decode) -> Child | None:
    """The child a link knows, as whatever it is now."""
    key = own_id(row["root_bc_id"], row["bc_id"])
    children = read(row["payload"]).children.get(part.paths[Side.BC], ())
    return next((child for child in children if child.id == key), None)
