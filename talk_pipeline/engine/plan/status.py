"""The one state every shop record is in, and when nothing is left to do for a touched one.

A record without a row here is active when it has a link. The states sum to the snapshot. Of a record of Business
Central without a link it is kept what it waits for: nobody could tell later what it may have been.
"""

from talk_pipeline.engine.kinds import GIVEN_OUT_ANEW, HoldKind, LinkState, Status
from talk_pipeline.engine.match.becoming import may_be_made, may_meet
from talk_pipeline.engine.match.scopes import ended, outside
from talk_pipeline.engine.match.sharing import may_lead
from talk_pipeline.engine.match.workspace import MayBeMade, MayMeet
from talk_pipeline.engine.plan import crossing
from talk_pipeline.engine.plan.creates import SYNCHRONIZED
from talk_pipeline.engine.plan.losses import strike_regained
from talk_pipeline.engine.plan.posted import close_posted
from talk_pipeline.engine.plan.workspace import Before, Concerned, Evaluated, Unfinished, Unlinked
from talk_pipeline.engine.state.connection import Connection, now, transaction
from talk_pipeline.engine.state.rows import is_any
from talk_pipeline.flows.vocabulary import Flow

_EVALUATED = """
select shop_id from concerned where shop_held
union
select id from snapshot where flow = $flow and side = 'customwebshop' and id in (
  select id from dirty where flow = $flow and side = 'customwebshop' and id not in (select shop_id from concerned))
"""

_STATES = """
with known as (
  select e.shop_id, l.state as link, l.rule, l.shop_gone, l.bc_gone, u.state as unlinked,
         u.reason as unlinked_why, coalesce(shared.own_key, l.shared_id) as shared, shared.leader,
         c.state as held, c.reason as held_why,
         coalesce('; ' || if(c.state = 'quarantined', c.reason, null), '') as refused_why,
         scope.reason as outside, old.since, heirs.number as heirs,
         crossed.own_key, crossed.other_key,
         l.state = 'closed' and coalesce(l.bc_gone, 'posted') <> 'posted' and l.shop_gone is null
           and not coalesce(scope.ended, false) as is_back,
         l.state = 'closed' and l.bc_held and l.bc_gone is null as other_is_back
  from evaluated e
  left join concerned l on l.shop_id = e.shop_id
  left join ({shared}) shared on shared.shop_id = e.shop_id
  left join ({crossed}) crossed on crossed.shop_id = e.shop_id
  left join unlinked u on u.side = 'customwebshop' and u.id = e.shop_id
  left join ({held}) c on c.shop_id = e.shop_id
  left join before old on old.shop_id = e.shop_id
  left join ({heirs}) heirs on heirs.bc_id = l.own_bc_id and l.state = 'active'
  left join ({scope}) scope on scope.shop_id = e.shop_id
),
told as (
  select shop_id, since, case
      when is_back or other_is_back then 'broken'
      when link = 'attached' and bc_gone <> 'posted' then 'broken'
      when link = 'attached' and outside is not null then 'excluded'
      when link in ('closed', 'held', 'attached') then link
      when link = 'active' and (shop_gone is not null or bc_gone <> 'posted') then 'broken'
      when link = 'active' and outside is not null then if(heirs > 1, 'ambiguous', 'excluded')
      when unlinked is not null then unlinked
      else held end as state,
    case
      when is_back then 'it is back, and its Business Central record is ' || replace(bc_gone, '_', ' ')
      when other_is_back
        then 'its Business Central record is back, and the shop record is ' || coalesce(shop_gone, 'there')
      when link = 'closed' and shop_gone is not null and bc_gone <> 'posted'
        then 'gone on both sides'
      when link = 'closed' and bc_gone <> 'posted'
        then 'it is over in the shop, and the Business Central record is ' || bc_gone
      when link = 'closed' then 'posted in Business Central: its story ended there'
      when link = 'held' and rule = 'disappearance'
        then 'unlinked: the Business Central record is ' || coalesce(bc_gone, 'back')
      when link = 'held' and rule = '{CROSSED}'
        then 'unlinked: its ' || $key || ' is ' || own_key || ' in the shop and ' || other_key
             || ' in Business Central, and one of the two is another record''s by now: under its id somebody else'
             || ' may be shown'
      when link = 'held' and rule = '{GIVEN_OUT_ANEW}'
        then 'unlinked: under the id and the ' || $key || ' of what was linked the shop shows another record since'
             || ' it was restored; if both are to stay, give one of them another ' || $key || ' first'
      when link = 'held' then 'unlinked by hand'
      when link = 'attached' and bc_gone <> 'posted'
        then 'the Business Central record that it shares is ' || replace(bc_gone, '_', ' ')
      when link = 'attached' and outside is not null then 'left the scope: ' || outside
      when link = 'attached' then 'it shares Business Central''s ' || shared
        || case when starts_with(leader, '?') then ', with which none is linked'
           else ' with ' || leader || ', which leads' end
        || coalesce('; the shop record is ' || replace(shop_gone, '_', ' '), '')
      when link = 'active' and shop_gone is not null then 'the shop record is ' || shop_gone || refused_why
      when link = 'active' and bc_gone <> 'posted'
        then 'the Business Central record is ' || replace(bc_gone, '_', ' ') || refused_why
      when link = 'active' and outside is not null then 'left the scope: ' || outside
        || if(heirs > 1, '; ' || heirs || ' others share its counterpart, and one of them is to lead', '')
      when unlinked is not null then unlinked_why
      else held_why end as reason
  from known
)
insert into status (flow, shop_id, state, reason, since)
select $flow, shop_id, state, reason, coalesce(since, $at) from told where state is not null
"""


# of all that is looked at, with a counterpart or without
_LOOKED_AT = """
delete from bc_status where flow = $flow
  and bc_id in (select id from dirty where flow = $flow and side = 'businesscentral')
"""

_UNPAIRED = """
insert into bc_status (flow, bc_id, state, reason)
select $flow, id, state, reason from unlinked
where side = 'businesscentral' and gone is null and state is not null and state <> 'excluded'
"""


# what a state may hang on besides; a statement costs by what it names, so whatever there is nothing of is not named
_THERE = f"""
select coalesce(bool_or(state = '{LinkState.ATTACHED}'), false),
       coalesce(bool_or(state = '{LinkState.HELD}' and rule = '{crossing.RULE}'), false),
       exists (from change where flow = $flow and hold_label(hold_kind) in ('quarantined', 'waiting'))
from concerned
"""

_SHARED = f"""
select l.shop_id, s.own_key, led.leader
from (from concerned where state = '{LinkState.ATTACHED}') l
left join led on led.part = $flow and led.shop_id = l.shop_id
left join (
  select id, raw[$key] as own_key from record where rowid in (select rowid from record
    where part = $flow and side = 'businesscentral' and id in (select shared_id from concerned))
) s on s.id = l.shared_id
"""
_NO_SHARED = "select null::varchar as shop_id, null::varchar as own_key, null::varchar as leader limit 0"

_CROSSED = f"""
select l.shop_id, s.raw[$key] as own_key, b.raw[$key] as other_key
from (from concerned where state = '{LinkState.HELD}' and rule = '{crossing.RULE}') l
join record s on s.part = $flow and s.side = 'customwebshop' and s.id = l.shop_id
join record b on b.part = $flow and b.side = 'businesscentral' and b.id = l.bc_id
"""
_NO_CROSSED = "select null::varchar as shop_id, null::varchar as own_key, null::varchar as other_key limit 0"

_HELD = """
select root_shop_id as shop_id, min(state) as state, min_by(reason, (state, reason)) as reason
from (select root_shop_id, hold_label(hold_kind) as state, hold_reason as reason from change where flow = $flow)
where state in ('quarantined', 'waiting') group by 1
"""
_NO_HELD = "select null::varchar as shop_id, null::varchar as state, null::varchar as reason limit 0"

# of a scope only what lies outside of it, or shows that it is over, is of interest
_SCOPE = """
select id as shop_id, {outside} as reason, {ended} as ended from record r
where rowid in (select rowid from record
    where part = $flow and side = 'customwebshop' and id in (select shop_id from evaluated))
  and ({outside} is not null or {ended})
"""

# how many might lead instead of a pair's shop record; where nothing is shared, or all is in scope, nobody asks
_HEIRS = "select bc_id, count(*) as number from ({may_lead}) group by 1"
_NO_HEIRS = "select cast(null as varchar) as bc_id, 0 as number limit 0"


def rewrite_status(db: Connection, flow: Flow, *, concerned: Concerned, unlinked: Unlinked) -> None:
    """The states of all touched records, from the plan just made; inside the caller's transaction."""
    db.execute(_LOOKED_AT, {"flow": flow.name})
    if unlinked:
        db.execute(_UNPAIRED, {"flow": flow.name})
    if not Evaluated.made(db, _EVALUATED, {"flow": flow.name}):
        return
    Before.made(
        db,
        "select shop_id, any_value(since) as since from status"
        " where flow = $flow and shop_id in (select shop_id from evaluated) group by shop_id",
        {"flow": flow.name},
    )
    db.execute(
        "delete from status where flow = ? and shop_id in (select shop_id from evaluated)", [flow.name]
    )
    [(shares, crosses, holds)] = db.execute(_THERE, {"flow": flow.name}).fetchall()
    heirs_asked = flow.settings.shared and flow.settings.scope
    reason = outside(flow, flow.settings.scope, "r", meaning=SYNCHRONIZED)
    states = _STATES.format(
        shared=_SHARED if shares else _NO_SHARED,
        crossed=_CROSSED if crosses else _NO_CROSSED,
        held=_HELD if holds else _NO_HELD,
        scope=_SCOPE.format(outside=reason, ended=ended(flow, "r")),
        heirs=_HEIRS.format(may_lead=may_lead(flow)) if heirs_asked else _NO_HEIRS,
        CROSSED=crossing.RULE,
        GIVEN_OUT_ANEW=GIVEN_OUT_ANEW,
    )
    told = {"flow": flow.name, "key": flow.create_key, "at": now()}
    db.execute(states, told)


# whatever still has something to do, or waits for something, stays dirty
_UNFINISHED = f"""
select root_shop_id as shop_id, root_bc_id as bc_id from change where flow = $flow
  and hold_kind is distinct from '{HoldKind.POSTED}'
union
select shop_id, null from status
where flow = $flow and (state in ('waiting', 'ambiguous', 'quarantined') or $keep_excluded and state = 'excluded')
union
select null, bc_id from candidate where flow = $flow and linked is distinct from 'businesscentral'
union
select root_shop_id, root_bc_id from journal where flow = $flow and is_open(outcome)
union
select null, id from {{made}} where side = 'businesscentral'
union
select null, id from {{meeting}} where side = 'businesscentral'
"""


# pairs that have met: nothing of them waits to be written, whether it is in step or given up on
_MET = """
part = $flow and state = 'active' and met_at is null
  and shop_id not in (select root_shop_id from change where flow = $flow and root_shop_id is not null
                      and (hold_kind is null or hold_label(hold_kind) in ('deferred', 'waiting', 'manual')))
"""


def clear_dirty(db: Connection, flow: Flow, *, run_id: str | None = None) -> int:
    """Closes ended pairs, takes off the list of dirty records whatever is in step; returns how many remain."""
    keep = flow.settings.create == "when_referenced"
    with transaction(db):
        made: MayBeMade = may_be_made(db, flow)
        meeting: MayMeet = may_meet(db, flow, made)
        unfinished = Unfinished.made(
            db,
            _UNFINISHED.format(made=made.NAME, meeting=meeting.NAME),
            {"flow": flow.name, "keep_excluded": keep},
        )
        close_posted(db, flow, unfinished, run_id=run_id)
        strike_regained(db, flow)
        if is_any(db, f"from link where {_MET}", {"flow": flow.name}):
            db.execute(f"update link set met_at = $at where {_MET}", {"flow": flow.name, "at": now()})
        db.execute(
            "delete from dirty where flow = ? and (side, id) not in ("
            " select ('customwebshop', shop_id) from unfinished where shop_id is not null"
            " union all select ('businesscentral', bc_id) from unfinished where bc_id is not null)",
            [flow.name],
        )
    row = db.execute("select count(*) from dirty where flow = ?", [flow.name]).fetchone()
    return int(row[0]) if row else 0


def states(db: Connection, flow: str) -> dict[str, int]:
    """Shop records by state: state -> number, `active` included; they sum to the shop's snapshot."""
    rows = db.execute(
        """
        select coalesce(st.state, case when l.state = 'active' then 'active' else 'unaccounted' end), count(*)
        from snapshot s
        left join status st on st.flow = s.flow and st.shop_id = s.id
        left join link l on l.part = s.flow and l.shop_id = s.id
        where s.flow = ? and s.side = 'customwebshop' group by 1
        """,
        [flow],
    ).fetchall()
    return dict.fromkeys(("active", *map(str, Status)), 0) | {str(state): int(count) for state, count in rows}
