"""Children of linked pairs that are there on one side only: new ones go to the other, removed ones go there too.

What is lost with a removal, and which removal stands, is `removed_lines`' business.
"""

from talk_pipeline.engine.match.workspace import HeldBelow, LinksBelow
from talk_pipeline.engine.plan.removed_lines import OPEN, dispute_removals
from talk_pipeline.engine.plan.workspace import DisputedRemovals, LoneChildren, Touched
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.snapshot.dirty import touch_if_changed
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part

# children without a counterpart below touched pairs, and links one end of which is missing. Of a pair
# that is over only what the shop added and removed: it has been told all that Business Central had to say
_CHILDREN = """
with root as (
  select 'customwebshop' as side, root_shop_id as id, root_shop_id, root_bc_id from touched
  union all
  select 'businesscentral', root_bc_id, root_shop_id, root_bc_id from touched where not over
),
linked as materialized (
  from link_below where part = $part
),
child as materialized (
  select r.side, r.id, t.root_shop_id, t.root_bc_id
  from root t
  join (from held_below where part = $part) r on r.side = t.side and r.root_id = t.id
  anti join (
    select 'customwebshop' as side, shop_id as id from linked union all select 'businesscentral', bc_id from linked
  ) l on l.side = r.side and l.id = r.id
)
select 'create' as operation, case r.side when 'customwebshop' then 'businesscentral' else 'customwebshop' end
         as target, r.side as source_side, r.id as source_id, cast(null as varchar) as shop_id,
       cast(null as varchar) as bc_id, r.root_shop_id, r.root_bc_id
from child r
anti join link_end l on l.part = $part and l.side = r.side and l.id = r.id
union all
select 'delete', case when s.id is null then 'businesscentral' else 'customwebshop' end as there, there,
       coalesce(s.id, b.id), l.shop_id, l.bc_id, t.root_shop_id, t.root_bc_id
from touched t
join linked l on l.root_shop_id = t.root_shop_id
left join (from held_below where part = $part and side = 'customwebshop') s on s.id = l.shop_id
left join (from held_below where part = $part and side = 'businesscentral') b on b.id = l.bc_id
where s.id is null and b.id is not null or s.id is not null and b.id is null and not t.over
"""

# what somebody had edited of a child that goes is marked: it is lost with it
_CHILD_CHANGES = """
insert into change (flow, part, target, operation, shop_id, bc_id, root_shop_id, root_bc_id, property,
  before, after, base, rule, conflict, hold_kind, hold_reason)
select $flow, $part, c.target, c.operation,
       case when c.operation = 'delete' then c.shop_id when c.target = 'businesscentral' then c.source_id end,
       case when c.operation = 'delete' then c.bc_id when c.target = 'customwebshop' then c.source_id end,
       c.root_shop_id, c.root_bc_id, p.property,
       case when c.operation = 'delete' then r.raw[p.property] end,
       case when c.operation = 'create' then r.raw[p.property] end,
       null, coalesce(d.rule, c.operation), d.rule is not null,
       case when o.open then 'manual' end, case when o.open then $open end
from lone c
left join (select source_side, source_id, bool_or(open) as open from disputed group by all) o
  on o.source_side = c.source_side and o.source_id = c.source_id
join (
  from record where rowid in (select rowid from record where part = $part and id in (select source_id from lone))
) r on r.side = c.source_side and r.id = c.source_id
join (select unnest($targets::varchar[]) as target, unnest($properties::varchar[]) as property) p
  on p.target = c.target
left join disputed d on d.source_side = c.source_side and d.source_id = c.source_id and d.property = p.property
"""

_DROP_LOST_CHILDREN = """
delete from link where rowid in (
  select place from link_below
  where part = $part and shop_id not in (select id from held_below where part = $part and side = 'customwebshop')
    and bc_id not in (select id from held_below where part = $part and side = 'businesscentral'))
"""


def plan_lone_children(
    db: Connection,
    flow: Flow,
    part: Part,
    *,
    touched: Touched,
    links: LinksBelow,
    held: HeldBelow,
    company: Company,
) -> None:
    """Plans what follows from them, and lets go of links both ends of which are missing."""
    if links:
        touch_if_changed(db, flow.name, db.execute(_DROP_LOST_CHILDREN, {"part": part.name}))
    if lone := LoneChildren.made(db, _CHILDREN, {"part": part.name}):
        disputed = dispute_removals(db, flow, part, lone=lone, touched=touched, company=company)
        _child_changes(db, flow, part, lone, disputed)


def _child_changes(
    db: Connection, flow: Flow, part: Part, lone: LoneChildren, disputed: DisputedRemovals
) -> None:
    # a side that takes none of their properties takes no new ones and loses none
    ways = [(side.value, prop.name) for side in Side for prop in part.properties if prop.goes_to(side)]
    db.execute(
        _CHILD_CHANGES,
        {
            "flow": flow.name,
            "part": part.name,
            "targets": [target for target, _ in ways],
            "properties": [name for _, name in ways],
            "open": OPEN,
        },
    )
