"""Pairs that are none any more, since one of the two is another record under the id that it had.

A shop that was set up anew gives its ids out again: what is shown under one is then somebody else. By its values
that cannot be told from an edit, by its key it can: it is not the one by which the two agreed, and one of the two
keys is now that of another record. Such a pair is held, so that nothing of one is written over the other, until a
person lets it go or the keys agree again. A key that nobody else has was renamed.
"""

from talk_pipeline.engine.kinds import BY_HAND, LinkState
from talk_pipeline.engine.plan.workspace import Concerned, Pairs, Touched
from talk_pipeline.engine.snapshot.dirty import touch, touch_if_changed
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import is_any
from talk_pipeline.flows.vocabulary import Flow

RULE = "crossed"

_HELD = f"part = $flow and state = '{LinkState.HELD}' and rule = '{RULE}'"

# touched pairs whose keys agreed once, and do not now
_DISAGREEING = f"""
select shop_id, bc_id, shop_canon, bc_canon from pair
where property = $key and shop_canon <> bc_canon and upper(trim(shop_base)) = upper(trim(bc_base))
  and shop_id not in (select shop_id from concerned where rule = '{BY_HAND}')
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

_HOLD = f"""
set state = '{LinkState.HELD}', rule = '{RULE}' where shop_id in (select unnest($ids::varchar[]))
"""


def take_up_agreeing(db: Connection, flow: Flow) -> None:
    """Makes pairs again of those that were held and whose keys agree again, in the caller's transaction."""
    if is_any(db, f"from link where {_HELD}", {"flow": flow.name}):
        told = {"flow": flow.name, "key": flow.create_key}
        touch_if_changed(db, flow.name, db.execute(_AGREE_AGAIN, told))


def hold_crossed(db: Connection, flow: Flow, *, concerned: Concerned, touched: Touched, pairs: Pairs) -> None:
    """Holds pairs whose keys crossed, in the caller's transaction; nothing more of them is planned.

    Args:
        db: the state.
        flow: whose pairs they are.
        concerned: in which they are held from here on.
        touched: which they leave.
        pairs: the properties of the flow's own records, which theirs leave.
    """
    rows = db.execute(_DISAGREEING, {"key": flow.create_key}).fetchall() if pairs else []
    if not rows:
        return
    told = {"flow": flow.name, "key": flow.create_key}
    columns = (list(column) for column in zip(*rows, strict=True))
    disagreeing = dict(zip(("shop_ids", "bc_ids", "shop_keys", "bc_keys"), columns, strict=True))
    crossed = [row[0] for row in db.execute(_CROSSED, {**told, **disagreeing}).fetchall()]
    if not crossed:
        return
    ids = {"ids": crossed}
    db.execute(f"update link {_HOLD} and part = $flow", {**ids, "flow": flow.name})
    db.execute(f"update concerned {_HOLD}", ids)
    db.execute("delete from touched where root_shop_id in (select unnest($ids::varchar[]))", ids)
    db.execute("delete from pair where shop_id in (select unnest($ids::varchar[]))", ids)
    touch(db, flow.name)
