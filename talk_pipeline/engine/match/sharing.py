"""Shop records that share one of Business Central, where the flow lets them: one is linked, others are attached.

An attached record has a link of its own that names what it shares. Whoever refers to it is told that one; its own
properties go nowhere. By hand that is `manual.sharing`'s business, here it is done by the match properties that
`shared_by` names, and where the one that leads is merged into another or leaves the flow's scope.
"""

from talk_pipeline.engine.kinds import DISAPPEARED, LinkState
from talk_pipeline.engine.match.claims import note_paired
from talk_pipeline.engine.match.scopes import inside
from talk_pipeline.engine.match.workspace import Claimed, Paired, Pool, Shared
from talk_pipeline.engine.snapshot.dirty import mark_dirty
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import is_any
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow

_ATTACH = f"""
insert into link (part, shop_id, bc_id, root_shop_id, rule, state, linked_at, shared_id)
select $flow, shop_id, null, shop_id, $property, '{LinkState.ATTACHED}', $at, min(bc_id)
"""

_JUST_ATTACHED = """
select place, id as shop_id, null as bc_id from pool
where side = 'customwebshop' and id in (select unnest($ids::varchar[]))
"""

# newcomers whose key belongs to one pair, and to nothing that is free
_NEWCOMERS = f"""
{_ATTACH} from claimed
where side = 'customwebshop' and shop_id not in (select shop_id from shared)
group by shop_id
having count(distinct bc_id) = 1
  and min(bc_id) in (
    select l.bc_id from link l
    join snapshot b on b.flow = l.part and b.side = 'businesscentral' and b.id = l.bc_id and b.gone is null
    where l.part = $flow and l.state = 'active')
returning shop_id
"""


def attach_newcomers(
    db: Connection, flow: Flow, prop: str, pool: Pool, paired: Paired, claimed: Claimed, shared: Shared
) -> None:
    """Attaches the newcomers whose key belongs to a pair, and takes them out of the pool."""
    if not claimed:
        return
    attached = db.execute(_NEWCOMERS, {"flow": flow.name, "property": prop, "at": now()}).fetchall()
    _take_out(db, "claimed", "shop_id", attached, "side = 'customwebshop' and ")
    ids = [shop_id for (shop_id,) in attached]
    note_paired(db, flow, paired, _JUST_ATTACHED, {"ids": ids})
    _take_out(db, "pool", "id", attached, "side = 'customwebshop' and ")


# of records that share a key and nothing else, one in scope, and of those the one that has been there longest, as
# far as an id tells
_LEADERS = """
update shared set certain = true from (
  select bc_id, first(shop_id order by coalesce({inside}, false) desc, length(shop_id), shop_id) as shop_id
  from shared join (select shop_id, count(*) as candidates from shared group by 1) using (shop_id)
  join record r on r.rowid = shop_place
  group by bc_id
  having max(candidates) = 1
    and bc_id not in (select bc_id from candidate where flow = $flow)
    and bc_id not in (select id from claimed where side = 'businesscentral')
    and not bool_or(shop_id in (select id from claimed where side = 'customwebshop'))
) chosen
where shared.bc_id = chosen.bc_id and shared.shop_id = chosen.shop_id
"""


def choose_leaders(db: Connection, flow: Flow, claimed: Claimed, shared: Shared) -> None:
    """Of several records that share a key with one that is free, one is certain to be linked with it."""
    db.execute(_LEADERS.format(inside=inside(flow, flow.settings.scope, "r")), {"flow": flow.name})


_BESIDE = f"""
{_ATTACH} from shared
where not certain and bc_id in (select bc_id from shared where certain)
group by shop_id
returning shop_id
"""


def attach_beside(db: Connection, flow: Flow, prop: str, pool: Pool, paired: Paired, shared: Shared) -> None:
    """Attaches whatever shares its key with a pair that was just made: no later rule has a say in it."""
    attached = db.execute(_BESIDE, {"flow": flow.name, "property": prop, "at": now()}).fetchall()
    _take_out(db, "shared", "shop_id", attached)
    ids = [shop_id for (shop_id,) in attached]
    note_paired(db, flow, paired, _JUST_ATTACHED, {"ids": ids})
    _take_out(db, "pool", "id", attached, "side = 'customwebshop' and ")


def _take_out(db: Connection, table: str, key: str, attached: list[tuple[str]], only: str = "") -> None:
    """Takes what is attached out of a table of what is to be decided."""
    ids = [shop_id for (shop_id,) in attached]
    db.execute(f"delete from {table} where {only}{key} in (select unnest(?::varchar[]))", [ids])


def may_lead(flow: Flow) -> str:
    """The records that share one, as SQL, with that: of those that are there and in scope each might lead.

    What is outside would be told nothing, and tell nothing.
    """
    return f"""
select a.shared_id as bc_id, a.shop_id from link a
join snapshot h on h.flow = a.part and h.side = 'customwebshop' and h.id = a.shop_id and h.gone is null
join record r on r.part = a.part and r.side = 'customwebshop' and r.id = a.shop_id
  and {inside(flow, flow.settings.scope, "r")}
where a.part = $flow and a.state = '{LinkState.ATTACHED}'
"""


HANDED_OVER = "handed over"
"""The rule of a link whose shop record shared the other one until that which led left the flow's scope."""

# pairs whose shop record is gone or outside the scope, with the only one that might lead instead
_HEIRS = f"""
select l.shop_id, l.bc_id, any_value(a.shop_id) as heir, if(s.gone is null, '{HANDED_OVER}', 'merged') as rule
from link l
join snapshot s on s.flow = l.part and s.side = 'customwebshop' and s.id = l.shop_id
join snapshot b on b.flow = l.part and b.side = 'businesscentral' and b.id = l.bc_id and b.gone is null
join ({{may_lead}}) a on a.bc_id = l.bc_id
left join record o on o.part = l.part and o.side = 'customwebshop' and o.id = l.shop_id
where l.part = $flow and l.state = 'active'
  and (s.gone in ({DISAPPEARED}) or s.gone is null and not ({{inside}}))
group by all having count(*) = 1
"""

_ATTACHED = f"from link where part = $flow and state = '{LinkState.ATTACHED}'"


def hand_over(db: Connection, flow: Flow) -> None:
    """Lets the only record that is left in scope lead, where the one that led is gone or outside.

    Else a person decides.
    """
    if not flow.settings.shared or not is_any(db, _ATTACHED, {"flow": flow.name}):
        return
    heirs = _HEIRS.format(may_lead=may_lead(flow), inside=inside(flow, flow.settings.scope, "o"))
    for leader, bc_id, heir, rule in db.execute(heirs, {"flow": flow.name}).fetchall():
        swap(db, flow, leader=leader, heir=heir, bc_id=bc_id, rule=rule)


def swap(db: Connection, flow: Flow, *, leader: str, heir: str, bc_id: str, rule: str) -> None:
    """Links the heir with what it shares and attaches the one that led, in the caller's transaction.

    What the two agreed on was said of the other record: they meet for the first time.
    """
    for part in flow.parts:
        for table in ("base", "edit", "resolution"):
            db.execute(
                f"delete from {table} where part = ? and shop_id in (select shop_id from link"
                " where part = ? and root_shop_id in (?, ?))",
                [part.name, part.name, leader, heir],
            )
    db.execute(
        "delete from link where root_shop_id in (?, ?) and (part = ? or starts_with(part, ? || '.'))",
        [leader, heir, flow.name, flow.name],
    )
    db.execute(
        "insert into link (part, shop_id, bc_id, root_shop_id, rule, state, linked_at, shared_id) values"
        f" ($flow, $heir, $bc_id, $heir, $rule, '{LinkState.ACTIVE}', $at, null),"
        f" ($flow, $leader, null, $leader, $rule, '{LinkState.ATTACHED}', $at, $bc_id)",
        {"flow": flow.name, "heir": heir, "leader": leader, "bc_id": bc_id, "rule": rule, "at": now()},
    )
    # whoever leads, what refers to either goes where it went
    mark_dirty(db, flow.name, Side.SHOP, ids=[leader, heir])
    mark_dirty(db, flow.name, Side.BC, ids=[bc_id])
