"""Which shop record and which Business Central record are the same thing.

Links are durable and strictly one to one. New ones come from the flow's match rules, in order, on the
canonical values computed when the records landed: by grouping keys on each side, never by comparing pairs,
and never on a blank key. More than one candidate on either side is ambiguous and left to a person, whose word
(`manual.links`) outranks every rule. So is a key that belongs to a pair already (`match.claims`). What a linked
pair has to tell each other is the business of `plan.compare`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from talk_pipeline.engine.kinds import LinkState, RefusalKind
from talk_pipeline.engine.match.becoming import may_be_made
from talk_pipeline.engine.match.below import find_below
from talk_pipeline.engine.match.claims import (
    KEYS,
    find_claimed,
    find_paired,
    list_claimed,
    note_paired,
    number_of_rule,
)
from talk_pipeline.engine.match.outdated import end_doubts
from talk_pipeline.engine.match.parts import parts_at_hand
from talk_pipeline.engine.match.scopes import inside
from talk_pipeline.engine.match.sharing import attach_beside, attach_newcomers, choose_leaders, hand_over
from talk_pipeline.engine.match.workspace import (
    Claimed,
    DirtyPairs,
    FreeChildren,
    HeldBelow,
    LinksBelow,
    MayBeMade,
    Paired,
    Pool,
    Shared,
)
from talk_pipeline.engine.snapshot.dirty import any_dirty, is_matched, mark_found, note_matched
from talk_pipeline.engine.state.connection import Connection, now, transaction
from talk_pipeline.engine.state.rows import insert, is_any, select
from talk_pipeline.engine.state.tables import CandidateRow, LinkRow
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part


@dataclass(frozen=True, slots=True)
class Matched:
    """What a matching did: new links, and shop records that a person must decide on."""

    linked: int
    ambiguous: int


def match(db: Connection, flow: Flow) -> Matched:
    """Links what the rules can link, and lists what they cannot decide, in one transaction."""
    with transaction(db):
        linked = 0
        end_doubts(db, flow)
        if any_dirty(db, flow.name) and not is_matched(db, flow):
            hand_over(db, flow)
            linked = _match_records(db, flow)
            _match_all_children(db, flow, parts_at_hand(db, flow))
            note_matched(db, flow)
    row = db.execute(
        "select count(distinct shop_id) from candidate where flow = ? and linked is distinct from ?",
        [flow.name, str(Side.SHOP)],
    ).fetchone()
    return Matched(linked=linked, ambiguous=int(row[0]) if row else 0)


# what is being created, as far as anybody knows: settled by looking at the target before it may be matched, since
# a match knows nothing of what was sent; so is what was found to be something else than was sent
_UNSETTLED = f"""
select case target when 'businesscentral' then shop_id else bc_id end as id from journal
where part = $part and operation = 'create' and is_open(outcome)
union
select record_id from refusal where part = $part and refusal_kind = '{RefusalKind.OUTCOME_UNKNOWN}'
"""

# records of the flow that are there and have no link of any state, nor are what a request may have made: found by
# what is narrow, so that what linked ones say is left unread, and what the others say goes through no join. What
# the shop has outside the scope is nobody's counterpart, unless that would come to the shop a second time
_POOL = f"""
with unpaired as (
  select r.rowid as place, r.side, r.id from record r
  anti join (from link where part = $part) l on l.shop_id = r.id
  where r.part = $part and r.side = 'customwebshop'
  union all
  select r.rowid, r.side, r.id from record r
  anti join (from link where part = $part) l on l.bc_id = r.id
  where r.part = $part and r.side = 'businesscentral'
),
unsent as (
  select u.place from unpaired u
  semi join (from snapshot where flow = $part and gone is null) s on s.side = u.side and s.id = u.id
  where u.id not in ({_UNSETTLED})
    and u.place not in (select place from {{made}})  -- nor is what it may have become anybody else's counterpart
)
select place, side, id, keys from (
  select rowid as place, side, id, {KEYS} as keys from record r
  where rowid in (select place from unsent) and (side = 'businesscentral' or $both or {{inside}})
)
where list_count(keys) > 0
"""

# pairs that share a key, but for those that a person keeps apart; certain where neither has another candidate,
# linked ones included. That is counted for those alone whose key more of them share
_SHARED_KEYS = """
with keyed as (select place, side, id, keys[$rule] as key from pool where keys[$rule] is not null),
together as materialized (
  select s.id as shop_id, b.id as bc_id, s.place as shop_place, b.place as bc_place, key
  from (from keyed where side = 'customwebshop') s join (from keyed where side = 'businesscentral') b using (key)
  where not exists (from apart a where a.flow = $flow and a.shop_id = s.id and a.bc_id = b.id)
),
crowd as (select key from together group by key having count(*) > 1),
counted as (
  select *, true as alone from together anti join crowd using (key)
  union all
  select *, count(*) over (partition by shop_place) = 1 and count(*) over (partition by bc_place) = 1
  from together semi join crowd using (key)
)
select shop_id, bc_id, shop_place, bc_place,
       alone and bc_id not in (select bc_id from candidate where flow = $flow)
         and shop_id not in (select id from claimed where side = 'customwebshop')
         and bc_id not in (select id from claimed where side = 'businesscentral') as certain
from counted
"""


def _pair_up(db: Connection, flow: Flow, prop: str, pool: Pool, claimed: Claimed) -> Shared:
    """The pairs that share a key and are not hit by what belongs to another one."""
    return Shared.made(db, _SHARED_KEYS, {"flow": flow.name, "rule": number_of_rule(flow, prop)})


# shop records without a link, as far as there is anything to do for them: all others have one, or a state that says
# why they have none (`plan.status`)
_NEWCOMERS = """
from (
  select id from dirty where flow = $flow and side = 'customwebshop'
  union
  select shop_id from status where flow = $flow
) known
anti join (from link where part = $flow) l on l.shop_id = known.id
"""


def _match_records(db: Connection, flow: Flow) -> int:
    name = flow.name
    db.execute("delete from candidate where flow = ?", [name])
    # a pair has a newcomer of the shop, and so has a claim; those of Business Central alone are many, and count
    # where they would come to the shop
    if not flow.settings.creates(Side.SHOP) and not is_any(db, _NEWCOMERS, {"flow": name}):
        return 0
    both = flow.settings.creates(Side.SHOP)
    made: MayBeMade = may_be_made(db, flow)
    told = {"part": name, "properties": list(flow.match), "both": both}
    pool = Pool.made(db, _POOL.format(made=made.NAME, inside=inside(flow, flow.settings.scope, "r")), told)
    if not pool:
        return 0
    linked = 0
    paired = find_paired(db, flow, pool)
    for prop in flow.match:
        claimed = find_claimed(db, flow, prop, pool, paired)
        shared = _pair_up(db, flow, prop, pool, claimed)
        if prop in flow.settings.shared_by:
            attach_newcomers(db, flow, prop, pool, paired, claimed, shared)
        if shared:
            linked += _link(db, flow, prop, pool, paired, claimed, shared)
        list_claimed(db, flow, prop, pool, claimed)
    # a later rule may have linked what an earlier one's key would hit
    for prop in flow.match if linked else ():
        list_claimed(db, flow, prop, pool, find_claimed(db, flow, prop, pool, paired))
    return linked


_JUST_LINKED = """
select shop_place as place, shop_id, bc_id from shared where certain
union all
select bc_place, shop_id, bc_id from shared where certain
"""


def _link(
    db: Connection, flow: Flow, prop: str, pool: Pool, paired: Paired, claimed: Claimed, shared: Shared
) -> int:
    """Links the pairs that are certain, and lists the others; returns how many were linked."""
    name = flow.name
    if prop in flow.settings.shared_by:
        choose_leaders(db, flow, claimed, shared)
    db.execute(
        "insert into link (part, shop_id, bc_id, root_shop_id, rule, state, linked_at)"
        " select $flow, shop_id, bc_id, shop_id, $property, 'active', $at"
        " from shared where certain",
        {"flow": name, "property": prop, "at": now()},
    )
    if prop in flow.settings.shared_by:
        attach_beside(db, flow, prop, pool, paired, shared)
    note_paired(db, flow, paired, _JUST_LINKED, {})
    db.execute(
        "insert into candidate (flow, shop_id, bc_id, property)"
        " select $flow, shop_id, bc_id, $property from shared where not certain",
        {"flow": name, "property": prop},
    )
    certain = db.execute("select count(*) from shared where certain").fetchone()
    linked = int(certain[0]) if certain else 0
    if linked:
        mark_found(db, name, Side.SHOP, "select shop_id as id from shared where certain")
    # an ambiguous shop record is not offered to the next rule; its candidates are, so that
    # whoever else claims one of them is seen to be contested
    db.execute(
        "delete from pool where place in (select shop_place from shared)"
        " or place in (select bc_place from shared where certain)"
    )
    return linked


# children there of which it is not known yet whether a write to them was carried out: what the two agreed on is
# put down when that is settled, under the child of the shop that it was written from
_ANSWER_DUE = """
select bc_id from journal
where part = $part and target = 'businesscentral' and operation <> 'create' and is_open(outcome)
union
select c.bc_id from journal_child c join journal j on j.intent_id = c.intent_id
where c.part = $part and j.target = 'businesscentral' and c.operation <> 'create' and is_open(j.outcome)
"""

BY_POSITION = "position"
"""The rule of children that nothing but their place in the list tells apart."""

# by their order alone, where nothing else tells them apart
_VALUE = "if($property is null, '', raw[$property])"

_DIRTY = """
select shop_id, bc_id from link
where part = $flow and state = 'active'
  and (shop_id in (select id from dirty where flow = $flow and side = 'customwebshop')
    or bc_id in (select id from dirty where flow = $flow and side = 'businesscentral'))
"""

# children of touched pairs that have no counterpart, ranked among those with the same match value; a child
# whose counterpart is missing looks for a new one, since Business Central makes lines anew with new ids; then all
# of them: where a sibling still has its counterpart, the missing one was removed. Only what they say is read, and
# both sides meet in one join by all there is: by what they say alone, lines of all orders would meet each other
_FREE_CHILDREN = f"""
with linked as materialized (
  select l.*, s.id is not null as shop_there, b.id is not null as bc_there
  from (from link_below where part = $part) l
  left join (from held_below where part = $part and side = 'customwebshop') s on s.id = l.shop_id
  left join (from held_below where part = $part and side = 'businesscentral') b on b.id = l.bc_id
),
loose as materialized (
  select h.*, l.bc_id as old
  from (from held_below where part = $part and side = 'customwebshop') h left join linked l on l.shop_id = h.id
  where h.id not in ({_UNSETTLED})
    and (l.bc_id is null or h.root_id not in (select root_shop_id from linked where bc_there))
  union all
  select h.*, l.shop_id
  from (from held_below where part = $part and side = 'businesscentral') h left join linked l on l.bc_id = h.id
  where not coalesce(l.shop_there, false) and h.id not in ({_UNSETTLED}) and h.id not in ({_ANSWER_DUE})
),
words as materialized (
  select rowid as place, position, {_VALUE} as value, raw[$property] as told
  from record where rowid in (select place from loose)
),
shop as (
  select l.*, s.position, coalesce(led.leader, s.value) as value
  from loose l join words s on s.place = l.place
  left join led on led.part = $refers_to and led.shop_id = s.told
  where l.side = 'customwebshop'
),
bc as (
  select l.id, l.old, p.shop_id as root_id, s.position, coalesce(t.shop_id, s.value) as value
  from loose l join words s on s.place = l.place
  join dirty_pair p on p.bc_id = l.root_id
  left join link t on t.part = $refers_to and t.bc_id = s.told
  where l.side = 'businesscentral'
)
select s.id as shop_id, b.id as bc_id, s.root_id as root_shop_id, s.old as old_bc_id, b.old as old_shop_id
from (select *, row_number() over (partition by root_id, value order by position, id) as rank from shop) s
join (select *, row_number() over (partition by root_id, value order by position, id) as rank from bc) b
  on b.root_id = s.root_id and b.value = s.value and b.rank = s.rank
"""

# those of Business Central that might be anybody's: without one no two meet, whatever the shop has
_LOOSE = """
from (from held_below where part = $part and side = 'businesscentral') h
anti join (
  from link_below where part = $part
    and shop_id in (select id from held_below where part = $part and side = 'customwebshop')
) l on l.bc_id = h.id
"""


def _match_all_children(db: Connection, flow: Flow, parts: Sequence[Part]) -> None:
    """Links the children of touched pairs, part by part."""
    if not parts[1:] or not (pairs := DirtyPairs.made(db, _DIRTY, {"flow": flow.name})):
        return
    links, held = find_below(db, parts, pairs)
    for part in parts[1:]:
        _match_children(db, part, pairs=pairs, links=links, held=held)


def _match_children(
    db: Connection, part: Part, *, pairs: DirtyPairs, links: LinksBelow, held: HeldBelow
) -> None:
    if not is_any(db, _LOOSE, {"part": part.name}):
        return
    prop = part.by_name[part.match[0]] if part.match else None
    refers_to = (prop and prop.refers_to) or ""
    told = {"part": part.name, "property": prop and prop.name, "refers_to": refers_to}
    FreeChildren.made(db, _FREE_CHILDREN, told)
    rows = db.execute("select * from free order by shop_id").fetchall()
    for shop_id, bc_id, _root, old_bc, old_shop in rows:
        if old_bc or old_shop:
            _let_go(db, part.name, shop_id=shop_id, bc_id=bc_id, old_shop=old_shop)
    made = [
        LinkRow(
            part=part.name,
            shop_id=shop,
            bc_id=bc,
            root_shop_id=root,
            rule=prop.name if prop else BY_POSITION,
            state=LinkState.ACTIVE,
            linked_at=now(),
        )
        for shop, bc, root, _bc, _shop in rows
    ]
    insert(db, made)


def _let_go(db: Connection, part: str, *, shop_id: str, bc_id: str, old_shop: str | None) -> None:
    """Whatever the two were linked to is missing: what they last agreed on stays with them."""
    db.execute("delete from link where part = ? and (shop_id = ? or bc_id = ?)", [part, shop_id, bc_id])
    if old_shop:
        db.execute("delete from base where part = ? and shop_id = ?", [part, shop_id])
        db.execute("update base set shop_id = ? where part = ? and shop_id = ?", [shop_id, part, old_shop])


def candidates(db: Connection, flow: str) -> list[CandidateRow]:
    """The pairs that may be one, and are not made because there is more than one of them."""
    return select(db, CandidateRow, "where flow = $flow order by all", {"flow": flow})


def by_rule(db: Connection, flow: str) -> dict[str, int]:
    """How many links that count were made by which rule: rule -> number."""
    query = "select rule, count(*) from link where part = ? and state = 'active' group by 1 order by 1"
    return dict(db.execute(query, [flow]).fetchall())
