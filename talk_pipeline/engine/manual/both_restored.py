"""Both systems were restored from backups: which of them brings what to the other, and what neither has any more.

A person says so of one after the other, and nothing is written before both are decided. The first is told all that
the other holds, whichever way it has it; what it lost is kept as a conflict that the shop lost, in case the other
lost it too. By the second, what both agreed on last tells which of the two still has it: that is no such conflict
any more, and what neither has stays in sight until a person has taken note.
"""

from collections.abc import Sequence
from typing import Any

from talk_pipeline.engine.snapshot.suspicion import is_suspect, look_again
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import used_in
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part

RESTORED = "restored"
"""The rule of a conflict over what a restore lost and nothing brings back."""

_KEEP = """
insert into conflict (flow, part, shop_id, bc_id, property, rule, winner, shop_value, bc_value, shop_edited_at,
  bc_edited_at, shop_version, bc_version, run_id, recorded_at)
select $flow, $part, l.shop_id, l.bc_id, x.property, $rule, 'businesscentral', x.shop_value, {left}, null,
  null, s.version, b.version, $run_id, $at
from link l
join base x on x.part = l.part and x.shop_id = l.shop_id
left join record s on s.part = l.part and s.side = 'customwebshop' and s.id = l.shop_id
left join record b on b.part = l.part and b.side = 'businesscentral' and b.id = l.bc_id
where l.part = $part and l.root_shop_id in (select unnest($roots::varchar[]))
"""

_VALUES = f"""{_KEEP.format(left="b.raw[x.property]")}
  and x.property in (select unnest($compared::varchar[])) and x.shop_value is not null
  and {{own}}.raw[x.property] is distinct from case $side when 'customwebshop' then x.shop_value else x.bc_value end
"""

# what only the shop tells: it tells again what it said before, whatever the other one still has
_TOLD_BY_IT = f"""{_KEEP.format(left="s.raw[x.property]")}
  and x.property in (select unnest($sole::varchar[])) and x.shop_value is not null
  and s.raw[x.property] is distinct from x.shop_value
  and (x.part, x.shop_id, x.property, x.shop_value) not in (
    select (part, shop_id, property, shop_value) from conflict where rule = $rule and acknowledged_at is null
      and shop_id is not null and shop_value is not null)
"""

_CHILDREN = f"""{_KEEP.format(left="null")} and x.shop_value is not null and {{own}}.id is null
"""

# nothing is written before both are decided: what was kept of the first is still what both agreed on last
_KEPT = """
from base x
join conflict c on c.part = x.part and c.shop_id = x.shop_id and c.property = x.property
  and c.shop_value = x.shop_value
join link l on l.part = x.part and l.shop_id = x.shop_id
join record own on own.part = l.part and own.side = $side and own.id = l.{own}_id
join record b on b.part = l.part and b.side = 'businesscentral' and b.id = l.bc_id
where c.flow = $flow and c.rule = $rule and c.acknowledged_at is null
"""

_IS_SOLE = "(c.part, c.property) in (select (unnest($parts::varchar[]), unnest($sole::varchar[])))"

# still there, or of a record that did not go back here, so that people have said something else since
_HAS = f"""
delete from conflict where rowid in (select c.rowid {_KEPT} and not ($side = 'businesscentral' and {_IS_SOLE}) and (
  own.raw[x.property] is not distinct from x.{{own}}_value
  or not coalesce(list_contains($roots::varchar[], l.root_shop_id), true)))
"""

_WON = f"""
update conflict set bc_value = kept.now, bc_version = kept.version
from (select c.rowid as place, b.raw[x.property] as now, b.version {_KEPT} and not {_IS_SOLE}) kept
where conflict.rowid = kept.place
"""

# linked anew, or free to be: the other one still has it
_THERE = """
delete from conflict where flow = $flow and part <> $flow and rule = $rule and acknowledged_at is null
  and (part, {own}_id) in (select (part, id) from record where side = $side)
  and (part, shop_id) not in (select (part, shop_id) from link)
"""

# what is mapped no more, or not yet again, is brought back to neither side: mapped again, the two meet anew
_UNMAPPED = """
delete from base where part = $part and property not in (select unnest($mapped::varchar[])) and shop_id in (
  select shop_id from link where part = $part and root_shop_id in (select unnest($roots::varchar[])))
"""

# the other side says what holds, whatever the restored one shows; unless that one lost it too
_RESEND = """
update base set resend = case
  when base.resend is distinct from $other then $side
  when own.raw[base.property] is not distinct from base.{own}_value then $other
  when left_there.raw[base.property] is not distinct from base.{left}_value then $side end
from link l
join record own on own.part = l.part and own.side = $side and own.id = l.{own}_id
left join record left_there on left_there.part = l.part and left_there.side = $other
  and left_there.id = l.{left}_id
where l.part = $part and l.root_shop_id in (select unnest($roots::varchar[]))
  and base.part = l.part and base.shop_id = l.shop_id and base.property in (select unnest($properties::varchar[]))
"""


def tell_again(db: Connection, part: Part, side: Side, *, roots: list[str]) -> None:
    """Has a restored side told all that the other holds of these records, as if that had just been edited.

    What they once agreed on of other properties holds no more.
    """
    mapped = [prop.name for prop in part.properties if prop.mapped]
    db.execute(_UNMAPPED, {"part": part.name, "roots": roots, "mapped": mapped})
    told = {
        "side": str(side),
        "other": str(side.other),
        "part": part.name,
        "roots": roots,
        "properties": [prop.name for prop in part.properties if prop.goes_to(side)],
    }
    db.execute(_RESEND.format(own=side.short, left=side.other.short), told)


def keep_lost_values(
    db: Connection, flow: Flow, part: Part, side: Side, *, roots: list[str], run_id: str
) -> None:
    """Keeps the values that these records of a side lost and the other side may have lost too, or will lose by it.

    Where that other one has them, `strike_found` forgets them once it is decided.
    """
    sole = _sole(part) if side is Side.SHOP else []
    _keep(db, _TOLD_BY_IT, flow, part, side, roots=roots, run_id=run_id, sole=sole)
    if is_suspect(db, flow.name, side.other):
        look_again(db, flow.name, side.other)
        compared = [prop.name for prop in part.properties if prop.goes_to(Side.BC) and prop.name not in sole]
        query = _VALUES.format(own="s" if side is Side.SHOP else "b")
        _keep(db, query, flow, part, side, roots=roots, run_id=run_id, compared=compared)


def keep_lost_children(
    db: Connection, flow: Flow, part: Part, side: Side, *, roots: list[str], run_id: str
) -> None:
    """Keeps the children that a side lost and the other may have lost too, before their links go.

    Where that other one has them, `strike_found` forgets them once it is decided.
    """
    if is_suspect(db, flow.name, side.other):
        query = _CHILDREN.format(own="s" if side is Side.SHOP else "b")
        _keep(db, query, flow, part, side, roots=roots, run_id=run_id)


def strike_found(db: Connection, flow: Flow, side: Side, *, roots: Sequence[str] | None = None) -> None:
    """Forgets what was lost by the other side alone, once it is known what this one has.

    Args:
        db: the state.
        flow: the flow.
        side: what it shows has landed.
        roots: the shop records that went back there, where it was restored.
    """
    told = [(part.name, name) for part in flow.parts for name in _sole(part)]
    columns = {"parts": [part for part, _ in told], "sole": [name for _, name in told]}
    asked = {"flow": flow.name, "rule": RESTORED, "side": str(side), **columns}
    for statement in (_THERE, _HAS, _WON):
        query = statement.format(own=side.short)
        db.execute(query, used_in(query, {**asked, "roots": roots}))


def _sole(part: Part) -> list[str]:
    """The properties that are told to Business Central and never by it."""
    return [prop.name for prop in part.properties if prop.goes_to(Side.BC) and not prop.goes_to(Side.SHOP)]


def _keep(db: Connection, query: str, flow: Flow, part: Part, side: Side, **more: Any) -> None:
    about = {"flow": flow.name, "part": part.name, "rule": RESTORED, "side": str(side), "at": now()}
    db.execute(query, used_in(query, about | more))
