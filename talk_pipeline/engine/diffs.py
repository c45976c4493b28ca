"""What the two sides of linked pairs have to tell each other: the table of changes, before anything is written.

Only touched pairs are looked at. Where both sides say the same, the base moves and nothing else happens, in
SQL for all at once; the few properties that differ go through the three-way rule one by one. What must not be
written yet is kept in the table with the reason (`withholding`); records without a counterpart are the
business of `creates`.
"""

from collections.abc import Mapping
from typing import Any

from talk_pipeline.engine.creates import plan_creates
from talk_pipeline.engine.disappearance import plan_disappearances
from talk_pipeline.engine.projection import Company
from talk_pipeline.engine.rules import MANUAL, Decision, Holding, Pair, decide
from talk_pipeline.engine.standing import rewrite_standing
from talk_pipeline.engine.state import Connection, insert_rows, now, transaction
from talk_pipeline.engine.withholding import Withholding, withhold
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Side
from talk_pipeline.flows.values import UnmappableError
from talk_pipeline.flows.vocabulary import Flow, Part

BOUNCES = 3  # answers in a row that were not what was sent, before a property counts as oscillating


def plan(
    db: Connection, flows: Flows, flow: Flow, *, company: Company, later: frozenset[str] = frozenset()
) -> None:
    """Rewrites the flow's changes and standings from what is held now, in one transaction.

    Args:
        db: the state.
        flows: all flows, for references between them.
        flow: the one to plan.
        company: what the meaning of values depends on.
        later: flows that run after this one in the same run; their new records go before whatever would
            make a record they refer to unusable.
    """
    with transaction(db):
        db.execute("delete from change where flow = ?", [flow.name])
        plan_disappearances(db, flow)
        db.execute(_TOUCHED, {"flow": flow.name})
        for part in flow.parts:
            _plan_part(db, flow, part, company=company)
        plan_creates(db, flows, flow)
        withhold(db, Withholding(flows=flows, flow=flow, later=later))
        rewrite_standing(db, flow)


# linked pairs with a mark on either side; a pair whose story ends in Business Central still has its last word
_TOUCHED = """
create or replace temp table touched as
select l.shop_id as root_shop_id, l.bc_id as root_bc_id, b.gone is not null as ended, r.open as bc_open,
       s.edited_at as shop_edited_at, b.edited_at as bc_edited_at,
       s.version as shop_version, b.version as bc_version
from link l
join snapshot s on s.flow = l.part and s.side = 'customwebshop' and s.id = l.shop_id and s.gone is null
join snapshot b on b.flow = l.part and b.side = 'businesscentral' and b.id = l.bc_id
  and (b.gone is null or b.gone = 'posted')
join record r on r.part = l.part and r.side = 'businesscentral' and r.id = l.bc_id
where l.part = $flow and l.state = 'active'
  and (l.shop_id in (select id from mark where flow = $flow and side = 'customwebshop')
    or l.bc_id in (select id from mark where flow = $flow and side = 'businesscentral'))
"""

# one row a property of every touched pair; a reference compares as the shop id it means
_PAIR = """
create or replace temp table pair as
with prop as (
  select unnest($properties::varchar[]) as property, unnest($dirs::varchar[]) as dir,
         unnest($refers_to::varchar[]) as refers_to
)
select t.root_shop_id, t.root_bc_id, l.shop_id, l.bc_id, p.property, p.dir,
       s.raw[p.property] as shop_raw, b.raw[p.property] as bc_raw,
       s.canon[p.property] as shop_canon,
       case when p.refers_to is null then b.canon[p.property]
            else coalesce(ref.shop_id, '?' || b.raw[p.property]) end as bc_canon,
       s.problems[p.property] as shop_problem, b.problems[p.property] as bc_problem,
       s.raw as shop_record, b.raw as bc_record,
       x.part is not null as has_base, x.shop_value as shop_base, x.bc_value as bc_base, x.bounces, x.resend,
       coalesce(ss.edited_at, t.shop_edited_at) as shop_edited_at,
       coalesce(sb.edited_at, t.bc_edited_at) as bc_edited_at,
       d.winner as taken, t.ended
from touched t
join link l on l.part = $part and l.root_shop_id = t.root_shop_id and l.state = 'active'
join record s on s.part = $part and s.side = 'customwebshop' and s.id = l.shop_id
join record b on b.part = $part and b.side = 'businesscentral' and b.id = l.bc_id
cross join prop p
left join link ref on ref.part = p.refers_to and ref.bc_id = b.raw[p.property] and ref.state = 'active'
left join base x on x.part = $part and x.shop_id = l.shop_id and x.property = p.property
left join sighting ss on ss.part = $part and ss.shop_id = l.shop_id and ss.property = p.property
  and ss.side = 'customwebshop'
left join sighting sb on sb.part = $part and sb.shop_id = l.shop_id and sb.property = p.property
  and sb.side = 'businesscentral'
-- a verdict is on the values it was given on; whatever was edited since is a conflict of its own
left join resolution d on d.part = $part and d.shop_id = l.shop_id and d.property = p.property
  and d.shop_value is not distinct from s.raw[p.property] and d.bc_value is not distinct from b.raw[p.property]
"""

_AGREE = """
create or replace temp table agreeing as
select * from pair
where dir <> '=' and shop_problem is null and bc_problem is null and shop_canon is not distinct from bc_canon
  and (not has_base or shop_raw is distinct from shop_base or bc_raw is distinct from bc_base or bounces > 0
       or resend is not null)
"""

_DIFFERING = """
select * from pair
where dir <> '='
  and (shop_problem is not null or bc_problem is not null or shop_canon is distinct from bc_canon)
  and not (has_base and resend is null and shop_problem is null and bc_problem is null
           and shop_raw is not distinct from shop_base and bc_raw is not distinct from bc_base)
order by shop_id
"""

# what was taken back is no edit any more: whatever comes next is one of its own time
_UNSIGHT = """
delete from sighting g using pair p
where g.part = $part and p.shop_id = g.shop_id and p.property = g.property and p.has_base
  and case g.side when 'customwebshop' then p.shop_raw is not distinct from p.shop_base
      else p.bc_raw is not distinct from p.bc_base end
"""

# the first time a property is seen to differ from its base counts, whatever happens to the record later
_SIGHT = """
insert into sighting
select $part, p.shop_id, p.property, v.side, v.edited_at, v.version
from pair p join touched t on t.root_shop_id = p.root_shop_id
cross join lateral (
  values ('customwebshop', p.shop_raw, p.shop_base, t.shop_edited_at, t.shop_version),
         ('businesscentral', p.bc_raw, p.bc_base, t.bc_edited_at, t.bc_version)
) v(side, raw, base, edited_at, version)
where p.has_base and p.dir <> '=' and v.raw is distinct from v.base
  and not exists (from sighting g where g.part = $part and g.shop_id = p.shop_id
                  and g.property = p.property and g.side = v.side)
"""

# children without a counterpart below touched pairs, and links one end of which is missing
_CHILDREN = """
create or replace temp table lone as
select 'create' as operation, case r.side when 'customwebshop' then 'businesscentral' else 'customwebshop' end
         as target, r.id as source_id, cast(null as varchar) as shop_id, cast(null as varchar) as bc_id,
       t.root_shop_id, t.root_bc_id
from touched t
join record r on r.part = $part
  and r.root_id = case r.side when 'customwebshop' then t.root_shop_id else t.root_bc_id end
left join link l on l.part = r.part
  and case r.side when 'customwebshop' then l.shop_id else l.bc_id end = r.id
where l.part is null and not t.ended
union all
select 'delete', case when s.id is null then 'businesscentral' else 'customwebshop' end,
       coalesce(s.id, b.id), l.shop_id, l.bc_id, t.root_shop_id, t.root_bc_id
from touched t
join link l on l.part = $part and l.root_shop_id = t.root_shop_id
left join record s on s.part = $part and s.side = 'customwebshop' and s.id = l.shop_id
left join record b on b.part = $part and b.side = 'businesscentral' and b.id = l.bc_id
where (s.id is null) <> (b.id is null) and not t.ended
"""

# an edit of a child that was removed on the other side is lost with it, and listed as such
_CHILD_CHANGES = """
insert into change
select $flow, $part, c.target, c.operation,
       case when c.operation = 'delete' then c.shop_id when c.target = 'businesscentral' then c.source_id end,
       case when c.operation = 'delete' then c.bc_id when c.target = 'customwebshop' then c.source_id end,
       c.root_shop_id, c.root_bc_id, p.property,
       case when c.operation = 'delete' then r.raw[p.property] end,
       case when c.operation = 'create' then r.raw[p.property] end,
       null, c.operation,
       c.operation = 'delete' and x.part is not null and r.raw[p.property] is distinct from
         case c.target when 'businesscentral' then x.bc_value else x.shop_value end, null
from lone c
join record r on r.part = $part and r.id = c.source_id
cross join (select unnest($properties::varchar[]) as property) p
left join base x on x.part = $part and x.shop_id = c.shop_id and x.property = p.property
"""

_DROP_LOST_CHILDREN = """
delete from link where part = $part and root_shop_id in (select root_shop_id from touched)
  and shop_id not in (select id from record where part = $part and side = 'customwebshop')
  and bc_id not in (select id from record where part = $part and side = 'businesscentral')
"""


def _plan_part(db: Connection, flow: Flow, part: Part, *, company: Company) -> None:
    db.execute(
        _PAIR,
        {
            "part": part.name,
            "properties": [prop.name for prop in part.properties],
            "dirs": [prop.dir for prop in part.properties],
            "refers_to": [prop.refers_to for prop in part.properties],
        },
    )
    if part.parent:
        _plan_children(db, flow, part)
    db.execute(_AGREE)
    _move_bases(db, part)
    db.execute(_UNSIGHT, {"part": part.name})
    db.execute(_SIGHT, {"part": part.name})
    rows = _dicts(db.execute(_DIFFERING))
    changes = []
    agreed = []
    for row in rows:
        pair = _pair(part, row)
        decision = decide(flow, pair, company=company)
        if decision.agreed:
            agreed.append((row["shop_id"], row["property"]))
        elif (decision.target or decision.open) and not (row["ended"] and decision.target is Side.BC):
            changes.append(_change(flow, part, row, pair=pair, decision=decision, company=company))
    insert_rows(db, "change", changes)
    if agreed:
        db.execute(
            "create or replace temp table agreeing as select p.* from pair p"
            " join (select unnest(?::varchar[]) as shop_id, unnest(?::varchar[]) as property)"
            " using (shop_id, property)",
            [[shop_id for shop_id, _ in agreed], [prop for _, prop in agreed]],
        )
        _move_bases(db, part)


def _plan_children(db: Connection, flow: Flow, part: Part) -> None:
    db.execute(_DROP_LOST_CHILDREN, {"part": part.name})
    db.execute(_CHILDREN, {"part": part.name})
    names = [prop.name for prop in part.properties if prop.two_way]
    db.execute(_CHILD_CHANGES, {"flow": flow.name, "part": part.name, "properties": names})


def _move_bases(db: Connection, part: Part) -> None:
    """Both sides say the same: that is what they last agreed on."""
    keys = "where part = ? and (shop_id, property) in (select (shop_id, property) from agreeing)"
    for table in ("base", "sighting", "resolution"):
        db.execute(f"delete from {table} {keys}", [part.name])
    db.execute(
        "insert into base select ?, shop_id, property, shop_raw, bc_raw, 0, null, ? from agreeing",
        [part.name, now()],
    )


def _pair(part: Part, row: Mapping[str, Any]) -> Pair:
    shop, bc = (
        Holding(
            raw=row[f"{side}_raw"],
            canon=row[f"{side}_canon"],
            problem=row[f"{side}_problem"],
            base=row[f"{side}_base"],
            record=row[f"{side}_record"],
            edited_at=row[f"{side}_edited_at"],
        )
        for side in ("shop", "bc")
    )
    resend = Side(row["resend"]) if row["resend"] else None
    taken = Side(row["taken"]) if row["taken"] else None
    prop = part.by_name[row["property"]]
    return Pair(prop, shop=shop, bc=bc, has_base=row["has_base"], resend=resend, taken=taken)


def _change(
    flow: Flow, part: Part, row: Mapping[str, Any], *, pair: Pair, decision: Decision, company: Company
) -> tuple[object, ...]:
    """A row of the `change` table; an open conflict is listed as a change towards the flow's master."""
    target = decision.target or flow.settings.master
    source, receiver = pair.holding(target.other), pair.holding(target)
    withheld = f"{MANUAL}: both sides changed it; a person decides" if decision.open else None
    if row["bounces"] and row["bounces"] >= BOUNCES:
        withheld = "quarantined: the two systems keep storing it differently; make them equal by hand"
    try:
        if pair.prop.refers_to is None:
            context = company.context(source.record)
            pair.prop.convert(target, value=source.raw, context=context)
    except UnmappableError as error:
        withheld = f"quarantined: {pair.prop.name}: {error}"
    if source.problem:
        withheld = f"quarantined: {pair.prop.name}: {source.problem}"
    ids = (row["shop_id"], row["bc_id"], row["root_shop_id"], row["root_bc_id"])
    values = (receiver.raw, source.raw, source.base if row["has_base"] else None)
    head = (flow.name, part.name, str(target), "update")
    return (*head, *ids, pair.prop.name, *values, decision.rule, decision.conflict, withheld)


def _dicts(result: Connection) -> list[dict[str, Any]]:
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
