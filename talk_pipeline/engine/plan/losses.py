"""Records that a system lost when it was restored, whose pairs are none any more: what people have to be told of.

A pair of which one side is lost is taken apart, so that the other is matched or created anew (`manual.restoring`).
Where nothing comes of that, it is told: both systems lost it, what Business Central still has does not come to the
shop, or what the shop still has is over there. It is told until a person has acknowledged it, or the two are a
pair again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from talk_pipeline.engine.kinds import GIVEN_OUT_ANEW, Gone, LinkState, Status
from talk_pipeline.engine.plan import disappearance
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import is_any, rows_of, used_in
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Flow

# known already since the other side lost it too; that is more than what was acknowledged
_TOO = """
update loss set {own}_lost = true, acknowledged_by = null, acknowledged_at = null
where flow = $flow and not {own}_lost and {own}_id in (select unnest($ids::varchar[]))
"""

# somebody else is shown under the id of what was lost in Business Central before; that gives no id out twice
_ANOTHER = f"""
select l.shop_id from loss l
join snapshot s on s.flow = l.flow and s.side = '{Side.SHOP}' and s.id = l.shop_id and s.gone is null
join record own on own.part = l.flow and own.side = s.side and own.id = l.shop_id
join record b on b.part = l.flow and b.side = '{Side.BC}' and b.id = l.bc_id
where l.flow = $flow and own.canon[$key] <> b.canon[$key]
"""

# of what has ended, only what was posted is missed, and what had left both before anybody knew; of a pair that is
# held since the shop shows another record, the shop's own was lost before
_NEW = f"""
insert into loss (flow, shop_id, bc_id, shop_lost, bc_lost, lost_at)
select l.part, l.shop_id, l.bc_id, $side = '{Side.SHOP}' or l.state = '{LinkState.HELD}', $side = '{Side.BC}', $at
from link l
left join snapshot b on b.flow = l.part and b.side = '{Side.BC}' and b.id = l.bc_id
where l.part = $flow and l.{{own}}_id in (select unnest($ids::varchar[])) and l.bc_id is not null
  and (l.state = '{LinkState.ACTIVE}' or l.state = '{LinkState.HELD}' and l.rule = '{GIVEN_OUT_ANEW}'
    or l.state = '{LinkState.CLOSED}'
      and ($side = '{Side.BC}' or b.gone = '{Gone.POSTED}' or l.rule = '{disappearance.RULE}'))
  and (l.shop_id, l.bc_id) not in (select (shop_id, bc_id) from loss where flow = $flow)
"""


def note(db: Connection, flow: Flow, side: Side, ids: Sequence[str], *, others: Sequence[str] = ()) -> None:
    """Keeps which records a side lost, before their links go, inside the caller's transaction.

    Args:
        db: the state.
        flow: whose records they are.
        side: the one that was restored.
        ids: what it lost, by its own ids.
        others: ids under which it shows another record.
    """
    asked: dict[str, Any] = {"flow": flow.name, "side": str(side), "at": now(), "key": flow.create_key}
    shown = list(others)
    if side is Side.SHOP:
        shown += [shop_id for (shop_id,) in db.execute(_ANOTHER, used_in(_ANOTHER, asked)).fetchall()]
    for statement, lost in ((_TOO, [*ids, *shown]), (_NEW, list(ids))):
        query = statement.format(own=side.short)
        db.execute(query, used_in(query, {**asked, "ids": lost}))


# what a side did not lose is linked again
_REGAINED = f"""
from loss where flow = $flow and (
  not shop_lost and shop_id in (select shop_id from link where part = $flow and state = '{LinkState.ACTIVE}')
  or not bc_lost and bc_id in (select bc_id from link where part = $flow and state = '{LinkState.ACTIVE}'))
"""


def strike_regained(db: Connection, flow: Flow) -> None:
    """Forgets the losses that are none, since what was left is one of a pair again."""
    if is_any(db, _REGAINED, {"flow": flow.name}):
        db.execute(f"delete {_REGAINED}", {"flow": flow.name})


@dataclass(frozen=True, slots=True)
class Loss:
    """A record that was lost, and that nobody has acknowledged.

    Attributes:
        number: its key, and `name` what people call it, as far as Business Central's record still tells.
        held: what is held of it, as Business Central said it last, by property; blanks are left out.
        lost_at: when a person said that a system was restored, UTC without an offset.
        is_others: under its shop id another record is shown by now.
    """

    shop_id: str
    bc_id: str
    number: str | None
    name: str | None
    reason: str
    held: dict[str, Value]
    lost_at: datetime
    is_others: bool


# a deletion that the shop itself tells of was meant. Of what the shop still has its state tells, but where it is
# left alone, such as what is over there
_TOLD = f"""
select l.*, s.gone as shop_gone, st.reason as excluded, b.gone as bc_gone, r.raw, r.raw[$key] as number,
       r.raw[$label] as name
from loss l
left join snapshot s on s.flow = l.flow and s.side = '{Side.SHOP}' and s.id = l.shop_id
left join snapshot b on b.flow = l.flow and b.side = '{Side.BC}' and b.id = l.bc_id
left join record r on r.part = l.flow and r.side = '{Side.BC}' and r.id = l.bc_id
left join status st on st.flow = l.flow and st.shop_id = l.shop_id and st.state = '{Status.EXCLUDED}'
where l.flow = $flow and l.acknowledged_at is null
  and (l.shop_lost or s.gone = '{Gone.VANISHED}' or s.gone is null and st.state is not null)
"""


def losses(db: Connection, flow: Flow) -> list[Loss]:
    """What was lost and is to be told, the oldest first."""
    asked = {"flow": flow.name, "key": flow.create_key, "label": flow.shown_by}
    rows = rows_of(db, f"{_TOLD} order by l.lost_at, l.shop_id", asked)
    return [
        Loss(
            shop_id=row["shop_id"],
            bc_id=row["bc_id"],
            number=row["number"],
            name=row["name"],
            reason=_reason(row),
            held={name: value for name, value in (row["raw"] or {}).items() if value is not None},
            lost_at=row["lost_at"],
            is_others=row["shop_lost"] and row["shop_gone"] is None,
        )
        for row in rows
    ]


def loss_of(db: Connection, flow: Flow, *, shop_id: str | None, bc_id: str | None) -> Loss | None:
    """The loss of a record that is asked about; under a shop id that is another record's by now, none."""
    if not is_any(db, "from loss where flow = $flow", {"flow": flow.name}):  # as a rule
        return None
    found = losses(db, flow)
    own = (one for one in found if one.bc_id == bc_id or (one.shop_id == shop_id and not one.is_others))
    return next(own, None)


def _reason(row: dict[str, Any]) -> str:
    """What became of either side's record, in words."""
    if row["shop_lost"] and row["bc_lost"]:
        return "gone from both systems: each lost it when it was restored"
    restored = Side.SHOP if row["shop_lost"] else Side.BC
    lost, gone = f"{restored} lost it when it was restored", row[f"{restored.other.short}_gone"]
    if gone is None:
        why = f", and it is left alone: {row['excluded']}" if restored is Side.BC and row["excluded"] else ""
        return f"{lost}; {restored.other} still has it{why}"
    if gone == Gone.POSTED:
        return f"{lost}; in {restored.other} it is posted"
    return f"gone from both systems: {lost}, and in {restored.other} it is {gone.replace('_', ' ')}"
