-- either end of every link, so that a record of any side finds its link by plain equality: no hash join can serve
-- a condition that picks the column by the side
create or replace view link_end as
select part, 'customwebshop' as side, shop_id as id, bc_id as other_id, root_shop_id, state from link
union all
select part, 'businesscentral', bc_id, shop_id, root_shop_id, state from link;

-- records of another flow that stand in where a reference is blank, such as the guest who placed an order: the flow
-- that is referred to, how the reference calls it, and what it is linked with (`engine/match/standing_in.py`)
create or replace view stand_in as
select split_part(m.key, ':', 2) as part, l.part || ':' || l.shop_id as id, coalesce(l.bc_id, l.shared_id) as bc_id
from meta m join link l on l.part = split_part(m.key, ':', 3)
where starts_with(m.key, 'stand_in:') and l.state in ('active', 'attached');

-- records to which Business Central refers by another property than the id, and says which (`erp_number:SO-1`); what
-- was posted before anybody read it is called what it became says
create or replace view told_otherwise as
select k.part, k.property || ':' || coalesce(r.raw[k.property], l.called[k.property]) as id, l.shop_id,
       l.state = 'closed' and l.rule is distinct from 'disappearance' as ended
from (select split_part(key, ':', 2) as part, split_part(key, ':', 3) as property
      from meta where starts_with(key, 'told_by:')) k
join link l on l.part = k.part and l.state in ('active', 'closed')
left join record r on r.part = k.part and r.side = 'businesscentral' and r.id = l.bc_id
where coalesce(r.raw[k.property], l.called[k.property]) is not null;

-- what a reference to a record is told as on the other side; what ended is still what it is, but for what was deleted
-- on both sides
create or replace view counterpart as
select part, 'customwebshop' as side, shop_id as id, bc_id as other_id,
       state = 'closed' and rule is distinct from 'disappearance' as ended from link
where state in ('active', 'closed')
union all
select part, 'businesscentral', bc_id, shop_id, state = 'closed' and rule is distinct from 'disappearance'
from link where state in ('active', 'closed')
union all
select part, 'customwebshop', shop_id, shared_id, false from link where state = 'attached'
union all
select part, 'customwebshop', id, bc_id, false from stand_in
union all
select part, 'businesscentral', id, shop_id, ended from told_otherwise;

-- how a reference is said to the other side: by the id of what it is to, or to Business Central by another property
create or replace view said as
select part, side, id, '' as told_by, other_id from counterpart
union all
select c.part, c.side, c.id, k.property, k.property || ':' || r.raw[k.property]
from (select split_part(key, ':', 2) as part, split_part(key, ':', 3) as property
      from meta where starts_with(key, 'told_by:')) k
join counterpart c on c.part = k.part and c.side = 'customwebshop'
join record r on r.part = k.part and r.side = 'businesscentral' and r.id = c.other_id
where r.raw[k.property] is not null;

-- shop records that share one of Business Central are one where somebody refers to them: the one that leads; so is one
-- that stands in and what its counterpart is linked with besides
create or replace view led as
with a as (
  select part, shop_id, shared_id from link where state = 'attached' union all select part, id, bc_id from stand_in
)
select a.part, a.shop_id, a.shared_id, coalesce(l.shop_id, '?' || a.shared_id) as leader
from a left join (
  from link where state = 'active' and bc_id in (select shared_id from a)  -- there are few of them
) l on l.part = a.part and l.bc_id = a.shared_id;

-- every record and child of every request with each of its values; one without values has one row
create or replace view written as
with one as (
  select intent_id, 0 as place, part, operation, shop_id, bc_id from journal
  union all
  select intent_id, place, part, operation, shop_id, bc_id from journal_child
)
select j.intent_id, j.run_id, j.flow, j.target, j.root_shop_id, j.root_bc_id, j.intent_at, j.outcome,
       one.place, one.part, one.operation, one.shop_id, one.bc_id,
       v.property, v.source, v.sent, v.before, v.rule, v.conflict, v.rowid as nth
from journal j
join one on one.intent_id = j.intent_id
left join journal_value v on v.intent_id = one.intent_id and v.place = one.place;
