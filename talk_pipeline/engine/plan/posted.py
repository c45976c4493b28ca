"""Records about to be created whose key an ended record already carries: their story ended there.

Which records have ended only the system can say; it is asked by the keys found here.
"""

from collections.abc import Mapping, Sequence

from talk_pipeline.engine.kinds import HoldKind, LinkState
from talk_pipeline.engine.model import Ended
from talk_pipeline.engine.plan.endings import CameTo, keep_differing
from talk_pipeline.engine.plan.refusals import hold_back
from talk_pipeline.engine.snapshot.dirty import touch
from talk_pipeline.engine.state.connection import Connection, now, transaction
from talk_pipeline.engine.state.rows import insert
from talk_pipeline.engine.state.tables import LinkRow
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow

RULE = "posted"

# one that is held for what it would come to may have been entered there by a person, and posted
_KEYS = f"""
select distinct r.canon[$key], r.id
from change c join record r on r.part = c.part and r.side = $shop and r.id = c.shop_id
where c.flow = $flow and c.part = $flow and c.target = $bc and c.operation = 'create'
  and coalesce(c.hold_kind, '{HoldKind.DIFFERING}') = '{HoldKind.DIFFERING}' and r.canon[$key] is not null
order by all
"""


def keys_to_create(db: Connection, flow: Flow) -> dict[str, list[str]]:
    """The shop records that are to be created in Business Central: create key -> ids of those that carry it."""
    parameters = {"flow": flow.name, "key": flow.create_key, "shop": Side.SHOP, "bc": Side.BC}
    found: dict[str, list[str]] = {}
    for key, shop_id in db.execute(_KEYS, parameters).fetchall():
        found.setdefault(key, []).append(shop_id)
    return found


def close(
    db: Connection,
    flow: Flow,
    *,
    ended: Mapping[str, Ended],
    by_key: Mapping[str, Sequence[str]],
    run_id: str | None = None,
) -> None:
    """One record and one ended record belong together; where either is contested a person decides.

    Args:
        db: the state.
        flow: theirs.
        ended: by key, what became of the records that carry it.
        by_key: what `keys_to_create` found.
        run_id: the run at work.
    """
    with transaction(db):
        touch(db, flow.name)
        closed = [_close(db, flow, key=key, shop_ids=by_key[key], ended=one) for key, one in ended.items()]
        keep_differing(db, flow, filter(None, closed), run_id=run_id)


def _close(db: Connection, flow: Flow, *, key: str, shop_ids: Sequence[str], ended: Ended) -> CameTo | None:
    closed_ids = [*ended.was, *ended.ids]  # what refers to the record names it, not what it became
    taken = db.execute(
        "select bc_id, shop_id from link where part = ? and bc_id in (select unnest(?::varchar[]))",
        [flow.name, closed_ids],
    ).fetchall()
    if len(shop_ids) == 1 and not taken:
        link = LinkRow(
            part=flow.name,
            shop_id=shop_ids[0],
            bc_id=closed_ids[0],
            root_shop_id=shop_ids[0],
            rule=RULE,
            state=LinkState.CLOSED,
            linked_at=now(),
        )
        insert(db, [link])
        return CameTo(shop_ids[0], closed_ids[0], ended.comes_to)
    claims = [f"{other} ({closed_id})" for closed_id, other in taken] or list(shop_ids)
    reason = f"{key} was posted before, and is claimed by {', '.join(claims)}: give it a number of its own"
    hold_back(db, flow, shop_ids=shop_ids, reason=reason)
    return None
