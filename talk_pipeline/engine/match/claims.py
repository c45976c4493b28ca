"""Keys that belong to a pair already: whoever else carries one is ambiguous, never matched by it and never created.

A newcomer is a record without a link. Its key may hit either half of a pair, since an edit of one may not have
reached the other yet. A pair counts as long as one of its halves is there, posted ones included; a shop record
that is held by hand claims nothing in Business Central, and still is the shop's record of that key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from talk_pipeline.engine.match.scopes import inside
from talk_pipeline.engine.match.workspace import Claimed, Paired, Pool
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import Row, is_any
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow

KEYS = "list_transform($properties::varchar[], lambda name: canon[name])"
"""What a record says that match rules go by, in their order; of `canon`."""
A_ROW_A_RULE = "unnest(keys) as key, generate_subscripts(keys, 1) as rule"
"""The same with a row for each: `rule` is the rule's number in their order, from 1."""

# the keys that newcomers carry, with the pairs they belong to; of what all say only these are kept, before it is
# asked who has a link and is there: no join carries what nobody looks for
_PAIRED = f"""
with carried as (
  select rule, key from (select {A_ROW_A_RULE} from pool where side = 'customwebshop' or $both)
  where key is not null
),
met as materialized (
  from (select side, id, {A_ROW_A_RULE}
        from (select side, id, {KEYS} as keys from record where part = $flow))
  semi join carried using (rule, key)
)
select m.key, m.rule, l.shop_id, l.bc_id
from met m
join link l on l.part = $flow and l.shop_id = m.id
join snapshot s on s.flow = $flow and s.side = m.side and s.id = m.id
where m.side = 'customwebshop' and s.gone is null
union all
select m.key, m.rule, l.shop_id, l.bc_id
from met m
join link l on l.part = $flow and l.bc_id = m.id
join snapshot s on s.flow = $flow and s.side = m.side and s.id = m.id
where m.side = 'businesscentral' and coalesce(s.gone, 'posted') = 'posted'
"""

_TO_LOOK_FOR = "from pool where (side = 'customwebshop' or $both) and exists (from link where part = $flow)"


def number_of_rule(flow: Flow, prop: str) -> int:
    """The number of a rule among those of its flow, from 1: so a record's key by it stands among its keys."""
    return flow.match.index(prop) + 1


def find_paired(db: Connection, flow: Flow, pool: Pool) -> Paired:
    """The keys of newcomers that belong to pairs already: looked for once, since those say a lot."""
    both = flow.settings.creates(Side.SHOP)
    # where there is nothing to look for, the pairs may be many
    if not is_any(db, _TO_LOOK_FOR, {"flow": flow.name, "both": both}):
        return Paired.empty(db)
    told = {"flow": flow.name, "properties": list(flow.match), "both": both}
    return Paired.made(db, _PAIRED, told)


# what is said of records that leave the pool since they belong to a pair now, as far as others in it say it too:
# as a rule next to nothing, while those that leave are nearly all there are
_NOTE = f"""
insert into paired by name
with made as materialized ({{made}}),
carried as materialized (
  select rule, key from (
    select {A_ROW_A_RULE} from pool
    where place not in (select place from made) and (side = 'customwebshop' or $both))
  where key is not null
),
met as materialized (
  from (select place, {A_ROW_A_RULE} from pool where place in (select place from made))
  semi join carried using (rule, key)
)
select key, rule, shop_id, bc_id from met join made using (place)
"""


def note_paired(
    db: Connection, flow: Flow, paired: Paired, made: str, parameters: Mapping[str, object]
) -> None:
    """Keeps the keys of what was just paired, before it leaves the pool.

    Args:
        db: the state.
        flow: theirs.
        paired: where they are kept.
        made: a query of `place, shop_id, bc_id`.
        parameters: of the query.
    """
    db.execute(_NOTE.format(made=made), {"both": flow.settings.creates(Side.SHOP), **parameters})


# newcomers and the pairs they hit by one property, but for those a person keeps apart
_CLAIMED = """
with newcomer as (
  select side, id, keys[$rule] as key from pool where side = 'customwebshop' or $both
),
hit as (
  select n.side, n.id, case n.side when 'customwebshop' then n.id else p.shop_id end as shop_id,
         case n.side when 'customwebshop' then p.bc_id else n.id end as bc_id
  from newcomer n join paired p on p.rule = $rule and p.key = n.key
  where p.bc_id is not null or n.side = 'businesscentral'
)
select distinct * from hit anti join (from apart where flow = $flow) using (shop_id, bc_id)
"""


def find_claimed(db: Connection, flow: Flow, prop: str, pool: Pool, paired: Paired) -> Claimed:
    """The newcomers whose key of a match rule belongs to a pair."""
    both = flow.settings.creates(Side.SHOP)
    return Claimed.made(db, _CLAIMED, {"flow": flow.name, "rule": number_of_rule(flow, prop), "both": both})


def list_claimed(db: Connection, flow: Flow, prop: str, pool: Pool, claimed: Claimed) -> None:
    """Makes candidates of what `find_claimed` found, and takes the newcomers out of the pool."""
    if not claimed:
        return
    db.execute(
        "insert into candidate (flow, shop_id, bc_id, property, linked) select $flow, shop_id, bc_id, $property,"
        " case side when 'customwebshop' then 'businesscentral' else 'customwebshop' end from claimed",
        {"flow": flow.name, "property": prop},
    )
    db.execute("delete from pool where (side, id) in (select (side, id) from claimed)")


def _rivals(own: str, *, of: str) -> str:
    """Who else has a candidate: one by its id, more by their number."""
    same = f"over (partition by {of})"
    return f"""
         case count(*) {same} when 1 then ''
           when 2 then ', claimed by '
             || if({own} = min({own}) {same}, max({own}) {same}, min({own}) {same}) || ' too'
           else ', claimed by ' || (count(*) {same} - 1) || ' others too' end"""


# a sentence for every record that has candidates; `contested`: free ones are among them, so that a link may be made
_CLAIMS = f"""
with keyed as (
  select r.side, r.id, r.raw,
         r.id || coalesce(' (' || nullif(concat_ws(', ', $key || ' ' || r.raw[$key], replace(s.gone, '_', ' ')), '')
         || ')', '') as name
  from record r join snapshot s on s.flow = r.part and s.side = r.side and s.id = r.id
  where r.part = $flow
),
rival as (
  select shop_id, bc_id, {_rivals("shop_id", of="bc_id")} as of_shop, {_rivals("bc_id", of="shop_id")} as of_bc
  from candidate where flow = $flow and linked is null
),
other as (
  select 'customwebshop' as side, c.shop_id as id, c.property, c.linked, b.name || case
           when c.linked is null then f.of_shop
           when l.state = 'active' then ', linked with ' || s.name
           else ', ' || l.state || ' with ' || s.name end as name
  from candidate c
  join keyed b on b.side = 'businesscentral' and b.id = c.bc_id
  left join rival f on f.shop_id = c.shop_id and f.bc_id = c.bc_id
  left join link l on l.part = $flow and l.bc_id = c.bc_id
  left join keyed s on s.side = 'customwebshop' and s.id = l.shop_id
  where c.flow = $flow and c.linked is distinct from 'customwebshop'
  union all
  select 'businesscentral', c.bc_id, c.property, c.linked, s.name || case
           when c.linked is null then f.of_bc
           when l.bc_id is null then ', unlinked by hand'
           when l.state = 'active' then ', linked with ' || b.name
           else ', ' || l.state || ' with ' || b.name end
  from candidate c
  join keyed s on s.side = 'customwebshop' and s.id = c.shop_id
  left join rival f on f.shop_id = c.shop_id and f.bc_id = c.bc_id
  left join link l on l.part = $flow and l.shop_id = c.shop_id
  left join keyed b on b.side = 'businesscentral' and b.id = l.bc_id
  where c.flow = $flow and c.linked is distinct from 'businesscentral'
)
select o.side, o.id, bool_or(o.linked is null) as contested,
       case when bool_or(o.linked is null) then 'more than one candidate by ' || any_value(o.property) || ': '
            else any_value(o.property) || ' ' || any_value(k.raw[o.property]) || ' belongs already to ' end
         || string_agg(distinct o.name, '; ' order by o.name) as reason
from other o join keyed k on k.side = o.side and k.id = o.id
group by o.side, o.id
"""


@dataclass(frozen=True, slots=True)
class Claim(Row):
    """A record that has candidates or hits a pair.

    Attributes:
        contested: free ones are among them, so that a link may be made.
        reason: for a person.
    """

    TABLE: ClassVar[str] = "claims"
    side: Side
    id: str
    contested: bool
    reason: str


def claims(db: Connection, flow: Flow) -> list[Claim]:
    """Every record that has candidates or hits a pair, by side and id."""
    if not is_any(db, "from candidate where flow = $flow", {"flow": flow.name}):
        return []
    found = db.execute(f"{_CLAIMS} order by 1, 2", {"flow": flow.name, "key": flow.create_key}).fetchall()
    return [Claim(Side(side), *row) for side, *row in found]


def newcomers(db: Connection, flow: Flow) -> list[Claim]:
    """Of them those of Business Central that would come to the shop, and carry the key of a pair."""
    if not flow.settings.creates(Side.SHOP):
        return []
    found = [one for one in claims(db, flow) if one.side is Side.BC and not one.contested]
    scope = inside(flow, flow.settings.created_while(Side.BC), "r", side=Side.BC)
    meant = db.execute(
        f"select id from record r where part = ? and side = ? and id in (select unnest(?::varchar[])) and {scope}",
        [flow.name, Side.BC, [one.id for one in found]],
    ).fetchall()
    return [one for one in found if (one.id,) in meant]


TWINS = """
with keyed as (
  select r.side, r.id, r.canon[$key] as key, r.open or l.bc_id is not null or r.side = 'customwebshop' as ours
  from record r
  join snapshot s on s.flow = r.part and s.side = r.side and s.id = r.id and s.gone is null
  left join status st on st.flow = r.part and r.side = 'customwebshop' and st.shop_id = r.id
  left join link l on l.part = r.part and r.side = 'businesscentral' and l.bc_id = r.id
  where r.part = $flow and r.canon[$key] is not null and coalesce(st.state, '') not in ('excluded', 'closed')
)
select side, $key as property, key as value, list_sort(list(id))::varchar as records
from keyed group by all having count(*) > 1
  and (bool_or(ours) or key in (select key from keyed where side = 'customwebshop')) order by all
"""
"""Records of one side that carry one create key, whoever made them: one would be taken for the other.

Not those of Business Central that take no edits, belong to no pair and carry no key of the shop's, such as what
corrects several invoices of one order: nobody can give them another one, and nothing is taken for them.
"""
