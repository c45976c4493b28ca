-- either end of every link, so that a record of any side finds its link by plain equality: no hash join can serve
-- a condition that picks the column by the side
create view if not exists link_end as
select part, 'customwebshop' as side, shop_id as id, bc_id as other_id, root_shop_id, state from link
union all
select part, 'businesscentral', bc_id, shop_id, root_shop_id, state from link;

-- what a reference to a record is told as on the other side
create view if not exists counterpart as
select part, 'customwebshop' as side, shop_id as id, bc_id as other_id from link where state = 'active'
union all
select part, 'businesscentral', bc_id, shop_id from link where state = 'active'
union all
select part, 'customwebshop', shop_id, shared_id from link where state = 'attached';

-- shop records that share one of Business Central are one where somebody refers to them: the one that leads
create view if not exists led as
select a.part, a.shop_id, a.shared_id, coalesce(l.shop_id, '?' || a.shared_id) as leader
from link a left join link l on l.part = a.part and l.bc_id = a.shared_id and l.state = 'active'
where a.state = 'attached';

-- every record and child of every request with each of its values; one without values has one row
create view if not exists written as
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
