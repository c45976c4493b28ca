"""Children that one side removed while the other side changed them: which of the two statements stands.

A removal is an edit like any other: the policy of the property that was changed meanwhile decides. Where the
removal stands, the values that go with it are recorded; where the edit stands, the child is made anew on the
side that had removed it. What Business Central may have worked out by itself outranks no removal, and is recorded
as well: it may be what a user said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from talk_pipeline.engine.plan.edits import sight
from talk_pipeline.engine.plan.merge import RECALCULATED, Holding, Merged, Pair, changed, dispute
from talk_pipeline.engine.plan.workspace import DisputedRemovals, LoneChildren, Touched
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import Row, insert, rows_of
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part

# one row a property of every child that is linked and there on one side only: the target, which was edited. A child
# that is new is none of them: nothing was agreed of it
_REMOVED = """
select n.source_id, n.target, n.shop_id, n.bc_id, p.property,
       r.raw[p.property] as raw, r.canon[p.property] as canon, r.problems[p.property] as problem, r.raw as record,
       x.shop_value, x.bc_value, x.resend, t.shop_edited_at, t.bc_edited_at, t.shop_version, t.bc_version,
       d.winner as taken
from lone n
join touched t on t.root_shop_id = n.root_shop_id
join record r on r.part = $part and r.side = n.target and r.id = n.source_id
cross join (select unnest($properties::varchar[]) as property) p
join base x on x.part = $part and x.shop_id = n.shop_id and x.property = p.property
left join resolution d on d.part = $part and d.shop_id = n.shop_id and d.property = p.property
  and r.raw[p.property] is not distinct from
      case n.target when 'customwebshop' then d.shop_value else d.bc_value end
where r.raw[p.property] is distinct from case n.target when 'customwebshop' then x.shop_value else x.bc_value end
order by n.source_id
"""

_RECREATE = """
update lone set operation = 'create',
       target = case target when 'customwebshop' then 'businesscentral' else 'customwebshop' end
where (source_side, source_id) in (select (unnest($sides::varchar[]), unnest($ids::varchar[])))
"""


@dataclass(frozen=True, slots=True)
class _Disputed(Row):
    """A property of a removed child that the other side had edited."""

    TABLE: ClassVar[str] = DisputedRemovals.NAME
    source_side: Side
    source_id: str
    property: str
    rule: str
    open: bool


def dispute_removals(
    db: Connection, flow: Flow, part: Part, *, lone: LoneChildren, touched: Touched, company: Company
) -> DisputedRemovals:
    """What is lost either way; removals that lose become creates."""
    disputed = DisputedRemovals.empty(db)
    names = [prop.name for prop in part.properties if prop.two_way]
    children: dict[tuple[Side, str], list[tuple[Mapping[str, Any], Merged]]] = {}
    for row in rows_of(db, _REMOVED, {"part": part.name, "properties": names}):
        pair = _pair(part, row)
        target = Side(row["target"])
        if changed(pair, target, company=company):
            by_itself = Merged(target, rule=RECALCULATED, conflict=True)
            merged = by_itself if row["resend"] == target else dispute(flow, pair)
            children.setdefault((target, row["source_id"]), []).append((row, merged))
    rows = [
        _Disputed(*source, row["property"], merged.rule, any(one.open for _, one in disputes))
        for source, disputes in children.items()
        for row, merged in disputes
    ]
    insert(db, rows)
    recreated = [
        source
        for source, disputes in children.items()
        if not any(one.open for _, one in disputes)
        and any(one.target is not source[0] for _, one in disputes)
    ]
    db.execute(
        _RECREATE,
        {"sides": [side for side, _ in recreated], "ids": [source_id for _, source_id in recreated]},
    )
    seen = [
        (row["shop_id"], row["property"], side, row[f"{side.short}_edited_at"], row[f"{side.short}_version"])
        for disputes in children.values()
        for row, _ in disputes
        for side in Side
    ]
    sight(db, part, seen)
    return disputed


def _pair(part: Part, row: Mapping[str, Any]) -> Pair:
    edited = Side(row["target"])
    holdings = {
        side: Holding(
            raw=row["raw"] if side is edited else None,
            canon=row["canon"] if side is edited else None,
            problem=row["problem"] if side is edited else None,
            base=row[f"{side.short}_value"],
            beside=row["record"] if side is edited else {},
            edited_at=row[f"{side.short}_edited_at"],
        )
        for side in Side
    }
    taken = Side(row["taken"]) if row["taken"] else None
    prop = part.by_name[row["property"]]
    return Pair(prop, shop=holdings[Side.SHOP], bc=holdings[Side.BC], has_base=True, taken=taken)


OPEN = "one side removed it, the other changed it; a person decides"
