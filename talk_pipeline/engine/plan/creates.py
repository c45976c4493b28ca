"""Records without a counterpart: which are to be created, and why each of the others is not.

Every unlinked shop record is excluded, ambiguous, quarantined or waiting, or a create in the table of changes.
"""

from collections.abc import Sequence

from talk_pipeline.engine.match.becoming import may_be_made
from talk_pipeline.engine.match.claims import claims
from talk_pipeline.engine.match.scopes import inside, outside
from talk_pipeline.engine.plan.unanswered import doubt_creates, wait_with_creates
from talk_pipeline.engine.plan.workspace import Claims, Concerned, OnTheirWay, Unlinked
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import insert, is_any, used_in
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.referring import asked_of
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part

SYNCHRONIZED = "synchronized only while"
CREATED = "created only while"
NEVER = "links and never creates"
ONLY_THERE = "makes records in the shop alone"

_WORDLESS = """
delete from change
where flow = $flow and operation = 'create' and after is null and (part, target, property) in (
  select (unnest($parts::varchar[]), unnest($targets::varchar[]), unnest($properties::varchar[])))
"""


def leave_out_wordless(db: Connection, flow: Flow) -> None:
    """Takes blanks out of the plan that are not sent with a new record or child: what it is given there stays."""
    wordless = [
        (part.name, str(side), prop.name)
        for part in flow.parts
        for side in Side
        for prop in part.properties
        if prop.wordless(side)
    ]
    if wordless:
        parts, targets, properties = (list(column) for column in zip(*wordless, strict=True))
        named = {"parts": parts, "targets": targets, "properties": properties}
        db.execute(_WORDLESS, {"flow": flow.name, **named})


def plan_creates(
    db: Connection,
    flows: Flows,
    flow: Flow,
    *,
    parts: Sequence[Part],
    concerned: Concerned,
    on_their_way: OnTheirWay,
) -> Unlinked:
    """Plans the creates; returns every touched record without a counterpart, with its state and why.

    Args:
        db: the state.
        flows: all flows, for references between them.
        flow: the one to plan.
        parts: those of it there is anything of.
        concerned: the links of what is touched.
        on_their_way: what requests without an answer may be creating.
    """
    parameters = {"flow": flow.name, "parts": [part.name for part in flow.parts]}
    unlinked = Unlinked.made(db, _UNLINKED, {"flow": flow.name})
    if not unlinked:
        return unlinked
    Claims.empty(db)
    insert(db, claims(db, flow))
    for statement in (_LEFT, _HELD):
        db.execute(statement, used_in(statement, parameters))
    made = may_be_made(db, flow)
    wait_with_creates(db, flow, unlinked, on_their_way, made)
    for statement in (_CONTESTED, _UNREPRESENTABLE):
        db.execute(statement, used_in(statement, parameters))
    _exclude(db, flows, flow)
    db.execute(_CLAIMED)
    doubt_creates(db, flow, unlinked, made)
    if not is_any(db, "from unlinked where state is null"):
        return unlinked
    for part in parts:
        _wait(db, flows, part)
    for part in parts:
        db.execute(
            _CREATES,
            {
                "flow": flow.name,
                "part": part.name,
                "properties": [prop.name for prop in part.properties if prop.dir not in ("=", "-")],
            },
        )
    return unlinked


# by row: what the linked ones say is left unread
_UNLINKED = """
with unpaired as materialized (
  select side, id from dirty where flow = $flow and side = 'customwebshop'
    and id not in (select shop_id from concerned)
  union all
  select side, id from dirty where flow = $flow and side = 'businesscentral'
    and id not in (select own_bc_id from concerned where own_bc_id is not null)
)
select r.side, r.id, r.raw, r.canon, cast(null as varchar) as state, cast(null as varchar) as reason, s.gone
from unpaired u
join (
  from record where rowid in (select rowid from record where part = $flow and id in (select id from unpaired))
) r on r.side = u.side and r.id = u.id
join snapshot s on s.flow = $flow and s.side = u.side and s.id = u.id
"""

_LEFT = """
update unlinked set state = 'excluded', reason = case gone
    when 'deleted' then 'deleted, and not linked' else 'disappeared, and is not linked' end
where gone is not null
"""

# a shop record that is held has a link row that says so; here the other half of what was unlinked
_HELD = """
update unlinked set state = 'held', reason = 'unlinked by hand'
where side = 'businesscentral' and state is null and id in (select bc_id from apart where flow = $flow and held)
"""

_CONTESTED = """
update unlinked set state = 'ambiguous', reason = c.reason from claims c
where c.contested and c.side = unlinked.side and c.id = unlinked.id and unlinked.state is null
"""

# what is not created anyway needs no decision; a value that does not fit would be mended in vain
_CLAIMED = """
update unlinked set state = 'ambiguous', reason = c.reason from claims c
where not c.contested and c.side = unlinked.side and c.id = unlinked.id
  and coalesce(unlinked.state, 'quarantined') = 'quarantined'
"""

_UNREPRESENTABLE = """
update unlinked set state = 'quarantined', reason = p.reason
from (
  select side, root_id, string_agg(e.key || ': ' || e.value, '; ' order by position, e.key) as reason
  from (select side, root_id, position, unnest(map_entries(problems)) as e
        from record where rowid in (select rowid from record
              where list_contains($parts::varchar[], part)
                and root_id in (select id from unlinked where state is null))
          and cardinality(problems) > 0
          and (side, root_id) in (select (side, id) from unlinked where state is null))
  group by side, root_id
) p
where p.side = unlinked.side and p.root_id = unlinked.id
"""

_CREATES = """
insert into change (flow, part, target, operation, shop_id, bc_id, root_shop_id, root_bc_id, property,
  before, after, base, rule, conflict, hold_kind, hold_reason)
select $flow, $part, case r.side when 'customwebshop' then 'businesscentral' else 'customwebshop' end, 'create',
       case r.side when 'customwebshop' then r.id end, case r.side when 'businesscentral' then r.id end,
       case r.side when 'customwebshop' then u.id end, case r.side when 'businesscentral' then u.id end,
       p.property, null, r.raw[p.property], null, 'create', false, null, null
from unlinked u
join (
  from record where rowid in (select rowid from record
    where part = $part and root_id in (select id from unlinked where state is null))
) r on r.side = u.side and r.root_id = u.id
cross join (select unnest($properties::varchar[]) as property) p
where u.state is null
"""


def _exclude(db: Connection, flows: Flows, flow: Flow) -> None:
    """Outside what the flow creates. A scope outranks a problem: history need not be valid."""
    settings = flow.settings
    if not settings.creates(Side.SHOP):
        db.execute("delete from unlinked where side = 'businesscentral'")
    if not settings.creates(Side.BC):
        _set_excluded(db, "true", reason=f"'the flow {ONLY_THERE if settings.creates(Side.SHOP) else NEVER}'")
    for side, conditions, meaning in (
        (Side.SHOP, settings.scope, SYNCHRONIZED),
        *((side, settings.created_while(side), CREATED) for side in Side),
    ):
        reason = outside(flow, conditions, "unlinked", meaning=meaning, side=side)
        db.execute(
            f"update unlinked set state = 'excluded', reason = {reason}"
            f" where side = '{side}' and coalesce(state, '') not in ('excluded', 'ambiguous', 'waiting')"
            f" and {reason} is not null"
        )
    if settings.create == "when_referenced":
        referring = [
            f"select r.raw['{prop.name}'] from record r where r.part = '{part.name}'"
            f" and r.side = 'customwebshop' and r.raw['{prop.name}'] is not null"
            f" and ({_synchronized(other)})"
            for other in flows.values()
            for part in other.parts
            for prop in part.references
            if prop.refers_to == flow.name
        ]
        used = " union all ".join(referring) or "select null where false"
        _set_excluded(db, f"id not in ({used})", reason="'no synchronized record refers to it'")


def _synchronized(flow: Flow) -> str:
    """Whether record r of a referring flow is linked, or would be created."""
    linked = f"r.root_id in (select shop_id from link where part = '{flow.name}')"
    settings = flow.settings
    scope = f"{inside(flow, settings.scope, 'x')} and {inside(flow, settings.create_scope, 'x')}"
    return (
        f"{linked} or r.root_id in (select x.id from record x"
        f" where x.part = '{flow.name}' and x.side = 'customwebshop' and {scope})"
    )


def _set_excluded(db: Connection, condition: str, *, reason: str) -> None:
    db.execute(
        f"update unlinked set state = 'excluded', reason = {reason}"
        f" where side = 'customwebshop' and state is null and {condition}"
    )


def asked(prop: Property, part: Part, flows: Flows) -> dict[str, list[str | None]]:
    """What `UNUSABLE` holds against a record that is referred to."""
    rows = asked_of(prop, part, flows)
    return {
        "keys": [one.key for one in rows],
        "wanted": [one.wanted for one in rows],
        "taken": [one.taken for one in rows],
        "whose": [one.whose for one in rows],
    }


def _wait(db: Connection, flows: Flows, part: Part) -> None:
    """Records that refer to one which has no counterpart yet, or one that may not be used."""
    for prop in part.references:
        assert prop.refers_to is not None
        db.execute(
            _WAITING,
            {
                "part": part.name,
                "property": prop.name,
                "refers_to": prop.refers_to,
                "otherwise": prop.otherwise or "",
                **asked(prop, part, flows),
            },
        )


# of the shop records in `asked` those that may not be referred to, and why. What ended, such as what was posted,
# is still what it is, and under no further condition; one that has just been made for a record that stands in is
# not held here yet
UNUSABLE = """
referred as materialized (
  select id, other_id from counterpart
  where part = $refers_to and side = 'customwebshop' and not ended and id in (select shop_id from asked)
),
unusable as (
  select l.id as shop_id, l.other_id as bc_id,
         case when s.gone is not null then 'left Business Central (' || s.gone || ')'
              else u.key || ' is ' || coalesce(t.canon[u.key], 'blank') || ' in Business Central'
                || coalesce(', which is for ' || u.whose, '') end as why
  from referred l
  left join snapshot s on s.flow = $refers_to and s.side = 'businesscentral' and s.id = l.other_id
  left join (
    select id, canon from record where rowid in (select rowid from record
      where part = $refers_to and side = 'businesscentral' and id in (select other_id from referred))
  ) t on t.id = l.other_id
  left join (select unnest($keys::varchar[]) as key, unnest($wanted::varchar[]) as wanted,
                    unnest($taken::varchar[]) as taken, unnest($whose::varchar[]) as whose) u
    on t.id is not null and if(u.taken is null,
      not coalesce(t.canon[u.key] = coalesce(u.wanted, t.canon[u.key]), false), upper(t.canon[u.key]) = u.taken)
  where s.gone is not null or u.key is not null
)
"""

_STANDS_IN = "starts_with(a.told, $otherwise || ':')"

_WAITING = f"""
with referring as materialized (
  select r.side, r.root_id, r.raw[$property] as told from record r
  where r.rowid in (select rowid from record where part = $part
                      and root_id in (select id from unlinked where state is null))
    and (r.side, r.root_id) in (select (side, id) from unlinked where state is null)
    and r.raw[$property] is not null
),
asked as materialized (
  select r.side, r.root_id, r.told, l.id,
         case l.side when 'customwebshop' then l.id else l.other_id end as shop_id
  from referring r
  left join counterpart l on l.part = $refers_to and l.side = r.side and l.id = r.told
),
{UNUSABLE},
waiting as (
  select a.side, a.root_id, min(
    $property || ' ' || a.told || ' ' || case
      when a.id is null then 'is not linked' || coalesce(' (' || st.state || ': ' || st.reason || ')', ' yet')
      else u.why end) as reason
  from asked a
  -- what Business Central says of a record goes to the shop's, whatever became of its own
  left join unusable u on u.shop_id = a.shop_id and a.side = 'customwebshop'
  left join status st on a.side = 'customwebshop' and st.flow = if({_STANDS_IN}, $otherwise, $refers_to)
    and st.shop_id = if({_STANDS_IN}, a.told[len($otherwise) + 2 :], a.told)
  where a.id is null or u.shop_id is not null
  group by a.side, a.root_id
)
update unlinked set state = 'waiting', reason = waiting.reason
from waiting where waiting.side = unlinked.side and waiting.root_id = unlinked.id
"""
