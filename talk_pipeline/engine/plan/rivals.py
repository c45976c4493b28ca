"""New records of one side that share a key: one goes first, and the others then hit a pair."""

from itertools import groupby
from operator import itemgetter

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.plan.workspace import OnTheirWay
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.vocabulary import Flow

# the records about to be created on a side that share a key with another one of them, or with one on its way
_RIVALS = """
with creating as (
  select target, coalesce(shop_id, bc_id) as id, false as away from change
  where flow = $flow and part = $flow and operation = 'create' and hold_kind is null
  union
  select target, source_id, true from on_their_way where part = $flow
),
keyed as (
  select c.target, c.id, c.away, p.property, r.canon[p.property] as key, r.raw[p.property] as value
  from creating c
  join record r on r.part = $flow and r.side <> c.target and r.id = c.id
  cross join (select unnest($properties::varchar[]) as property) p
  where r.canon[p.property] is not null
)
select target, id, property, key, value from keyed
qualify count(*) over (partition by target, property, key) > 1
order by target, not away, length(id), id, property
"""

_WAITING = f"""
update change set hold_kind = '{HoldKind.WAITING}', hold_reason = w.reason
from (select unnest($targets::varchar[]) as target, unnest($ids::varchar[]) as id,
             unnest($reasons::varchar[]) as reason) w
where change.flow = $flow and change.part = $flow and change.operation = 'create' and change.hold_kind is null
  and change.target = w.target and coalesce(change.shop_id, change.bc_id) = w.id
"""


def withhold_rivals(db: Connection, flow: Flow, on_their_way: OnTheirWay) -> None:
    """Of new records that share a key one goes first; the others then hit a pair, and a person decides."""
    claimed: dict[tuple[str, str, str], str] = {}
    waiting: list[tuple[str, str, str]] = []
    rows = db.execute(_RIVALS, {"flow": flow.name, "properties": list(flow.match)}).fetchall()
    for (target, record_id), keys in groupby(rows, key=itemgetter(0, 1)):
        mine = [((target, prop, key), prop, value) for _, _, prop, key, value in keys]
        taken = next(((place, prop, value) for place, prop, value in mine if place in claimed), None)
        if taken is None:
            claimed |= {place: record_id for place, _, _ in mine}
        else:
            place, prop, value = taken
            waiting.append(
                (target, record_id, f"{prop} {value} is that of {claimed[place]}, which goes first")
            )
    if waiting:
        targets, ids, reasons = (list(column) for column in zip(*waiting, strict=True))
        db.execute(_WAITING, {"flow": flow.name, "targets": targets, "ids": ids, "reasons": reasons})
