"""What stands against a decision of a person: each with what to do about it."""

from collections.abc import Mapping
from typing import Any

from talk_pipeline.engine.kinds import Gone, LinkState, Status
from talk_pipeline.engine.manual.lookup import Entity, key_of
from talk_pipeline.engine.match.scopes import outside
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.plan import disappearance
from talk_pipeline.engine.plan.creates import SYNCHRONIZED
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.wording import counted

_UNDER_ITS_KEY = """
select s.gone, coalesce(a.never, false),
       (select min(l.shop_id) from link l where l.part = r.part and l.bc_id = b.id and l.shop_id <> r.id)
from record r
join record b on b.part = r.part and b.side = 'businesscentral' and b.canon[$key] = r.canon[$key]
join snapshot s on s.flow = b.part and s.side = b.side and s.id = b.id
left join apart a on a.flow = r.part and a.shop_id = r.id and a.bc_id = b.id
where r.part = $flow and r.side = 'customwebshop' and r.id = $shop_id and b.id = $bc_id
"""


def still_holds_key(db: Connection, flow: Flow, entity: Entity, bc_id: str | None) -> bool:
    """Whether a former counterpart holds the key under which the shop record would be created.

    Raises:
        ByHandError: it does, and no rule may match the two: what is asked for could not be carried out.
    """
    key = flow.create_key
    if flow.settings.number == "series":
        return False  # Business Central numbers what is created
    row = db.execute(
        _UNDER_ITS_KEY, {"flow": flow.name, "key": key, "shop_id": entity.shop_id, "bc_id": bc_id}
    ).fetchone()
    if row is None or row[0] not in (None, Gone.OUT_OF_SCOPE):
        return False
    why, or_else = None, f", or link them: talk-pipeline link {entity.name} {bc_id}"
    if row[0] == Gone.OUT_OF_SCOPE:
        why, or_else = f"is outside the flow, which is for {flow.businesscentral.scope_told}", ""
    elif row[2]:
        other = f"{flow.name} {row[2]}"
        why, or_else = f"is linked with {other}", f", or part those two: talk-pipeline unlink {other}"
    elif row[1]:
        why = "is never to be matched with it, by a person's word"
    elif key not in flow.match:
        why = f"is not matched by {key}, only by {', '.join(flow.match)}"
    if why is None:
        return True
    named = f"{bc_id}{key_of(db, flow, Side.BC, bc_id)}"
    raise ByHandError(
        f"{entity.name} can neither be matched nor created anew: {named} is still in Business Central under the "
        f"same {key}, and {why}; give one of the two another {key} and sync first{or_else}"
    )


def taken(db: Connection, flow: Flow, entity: Entity) -> bool:
    """Whether the two are linked with each other.

    Raises:
        ByHandError: one of them is linked with another, or their story ended.
    """
    rows = db.execute(
        "select shop_id, bc_id, state from link where part = $1 and bc_id is not null"
        " and (shop_id = $2 or bc_id = $3) order by shop_id = $2 desc",
        [entity.flow, entity.shop_id, entity.bc_id],
    ).fetchall()
    for shop_id, bc_id, state in rows:
        if state == "held" and shop_id == entity.shop_id:
            continue  # its counterpart left: whoever links it by hand has found another
        if state == "active" and (shop_id, bc_id) == (entity.shop_id, entity.bc_id):
            return True
        pair = f"{entity.flow} {shop_id} = {bc_id}{key_of(db, flow, Side.BC, bc_id)}"
        if state == "closed":
            raise ByHandError(f"the link {pair} is closed: its story ended in Business Central")
        own, other = (entity.shop_id, bc_id) if shop_id == entity.shop_id else (entity.bc_id, shop_id)
        raise ByHandError(
            f"{own} is linked with {other} ({pair}); first: talk-pipeline unlink {entity.flow} {shop_id}"
        )
    return False


def refuse_gone(db: Connection, flow: Flow, side: Side, record_id: str) -> None:
    """Objects to a record that has left, or is none of the flow's.

    Raises:
        ByHandError: it has left, or is outside.
    """
    row = db.execute(
        "select gone from snapshot where flow = ? and side = ? and id = ?", [flow.name, side, record_id]
    ).fetchone()
    if row is None or row[0] is None:
        _refuse_outside(db, flow, side, record_id)
        return
    scope = flow.businesscentral.scope_told
    why = (
        f"is outside the flow, which is for {scope}" if row[0] == Gone.OUT_OF_SCOPE else f"is gone ({row[0]})"
    )
    raise ByHandError(f"the {flow.name} {record_id} of {side} {why}")


def _refuse_outside(db: Connection, flow: Flow, side: Side, record_id: str) -> None:
    reason = outside(flow, flow.settings.scope, "r", meaning=SYNCHRONIZED)
    row = db.execute(
        f"select {reason} from record r where part = ? and side = ? and id = ?",
        [flow.name, Side.SHOP, record_id],
    ).fetchone()
    if side is Side.SHOP and row and row[0]:
        raise ByHandError(f"the {flow.name} {record_id} of {side} is outside the flow: {row[0]}")


def refuse_closed(db: Connection, entity: Entity, found: Mapping[str, Any]) -> None:
    """Objects to undoing a link whose story ended, unless it goes on: then the pair is listed as broken.

    What was deleted on both sides may be parted: so it is, whatever of it comes back.

    Raises:
        ByHandError: it ended.
    """
    if found["state"] != LinkState.CLOSED or found["rule"] == disappearance.RULE:
        return
    row = db.execute(
        "select state from status where flow = ? and shop_id = ?", [entity.flow, entity.shop_id]
    ).fetchone()
    if not (row and row[0] == Status.BROKEN):
        raise ByHandError(f"{entity.name} is closed: its story ended in Business Central, nothing to unlink")


def refuse_open_writes(db: Connection, entity: Entity) -> None:
    """Objects while the outcome of a write is not known: its answer would speak of the pair as it was.

    Raises:
        ByHandError: there is such a write.
    """
    row = db.execute(
        "select count(*), max(open_until) from journal where flow = ? and is_open(outcome)"
        " and (root_shop_id = ? or bc_id = ?)",
        [entity.flow, entity.shop_id, entity.bc_id],
    ).fetchone()
    if row and row[0]:
        when = f" after {row[1]:%Y-%m-%d %H:%M:%S} UTC" if row[1] and row[1] > now() else ""
        raise ByHandError(
            f"it is not known yet what became of {counted(row[0], 'write')} of {entity.name}; "
            f"first{when}: talk-pipeline sync --flow {entity.flow}"
        )
