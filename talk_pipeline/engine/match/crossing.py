"""Pairs that are none any more, since one of the two is another record under the id that it had.

A shop that was set up anew gives its ids out again: what is shown under one is then somebody else. By its values
that cannot be told from an edit, by its key it can: it is not the one by which the two agreed, and one of the two
keys is now that of another record. Such a pair is held, so that nothing of one is written over the other, until a
person lets it go or the keys agree again. A key that nobody else has was renamed.
"""

from talk_pipeline.engine.kinds import LinkState
from talk_pipeline.engine.snapshot.dirty import touch, touch_if_changed
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.vocabulary import Flow

RULE = "crossed"

_HELD = f"part = $flow and state = '{LinkState.HELD}' and rule = '{RULE}'"

# touched pairs whose keys agreed once, and do not now
_DISAGREEING = f"""
with looked_at as (
  select shop_id, bc_id from link
  where part = $flow and state = '{LinkState.ACTIVE}' and rule <> 'by hand'
    and (shop_id in (select id from dirty where flow = $flow and side = 'customwebshop')
      or bc_id in (select id from dirty where flow = $flow and side = 'businesscentral'))
)
select t.shop_id, t.bc_id, s.canon[$key] as shop_key, b.canon[$key] as bc_key
from looked_at t
join record s on s.part = $flow and s.side = 'customwebshop' and s.id = t.shop_id
join record b on b.part = $flow and b.side = 'businesscentral' and b.id = t.bc_id
semi join (
  from base where part = $flow and property = $key and upper(trim(shop_value)) = upper(trim(bc_value))
) agreed on agreed.shop_id = t.shop_id
where s.canon[$key] <> b.canon[$key]
"""

# of them those one of whose keys another record has, unless a person keeps it apart
_CROSSED = """
with pairs as (
  select unnest($shop_ids::varchar[]) as shop_id, unnest($bc_ids::varchar[]) as bc_id,
         unnest($shop_keys::varchar[]) as shop_key, unnest($bc_keys::varchar[]) as bc_key
),
there as (
  select r.side, r.id, r.canon[$key] as key from record r
  join snapshot s on s.flow = r.part and s.side = r.side and s.id = r.id and s.gone is null
  where r.part = $flow and list_contains(list_concat($shop_keys::varchar[], $bc_keys::varchar[]), r.canon[$key])
)
select p.shop_id from pairs p
join there t on t.side = 'businesscentral' and t.key = p.shop_key and t.id <> p.bc_id
where (p.shop_id, t.id) not in (select (shop_id, bc_id) from apart where flow = $flow)
union
select p.shop_id from pairs p
join there t on t.side = 'customwebshop' and t.key = p.bc_key and t.id <> p.shop_id
where (t.id, p.bc_id) not in (select (shop_id, bc_id) from apart where flow = $flow)
"""

_AGREE_AGAIN = f"""
update link set state = '{LinkState.ACTIVE}', rule = 'returned'
where {_HELD} and shop_id in (
  select l.shop_id from (from link where {_HELD}) l
  join record s on s.part = l.part and s.side = 'customwebshop' and s.id = l.shop_id
  join record b on b.part = l.part and b.side = 'businesscentral' and b.id = l.bc_id
  where s.canon[$key] = b.canon[$key])
"""


def hold_crossed(db: Connection, flow: Flow) -> None:
    """Holds pairs whose keys crossed, and takes up those whose keys agree again, in the caller's transaction."""
    told = {"flow": flow.name, "key": flow.create_key}
    if db.execute(f"select 1 from link where {_HELD} limit 1", {"flow": flow.name}).fetchone():
        touch_if_changed(db, flow.name, db.execute(_AGREE_AGAIN, told))
    rows = db.execute(_DISAGREEING, told).fetchall()
    if not rows:
        return
    columns = (list(column) for column in zip(*rows, strict=True))
    pairs = dict(zip(("shop_ids", "bc_ids", "shop_keys", "bc_keys"), columns, strict=True))
    crossed = [row[0] for row in db.execute(_CROSSED, {**told, **pairs}).fetchall()]
    if crossed:
        db.execute(
            f"update link set state = '{LinkState.HELD}', rule = '{RULE}'"
            " where part = ? and shop_id in (select unnest(?::varchar[]))",
            [flow.name, crossed],
        )
        touch(db, flow.name)
