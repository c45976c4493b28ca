"""A person lets a shop record share what another one is linked with, or says which of them leads.

What sharing means is told in `match.sharing`. Each decision is one transaction, as in `manual.links`.
"""

from talk_pipeline.engine.kinds import BY_HAND
from talk_pipeline.engine.manual import links
from talk_pipeline.engine.manual.decisions import Decision, Hand
from talk_pipeline.engine.manual.links import by_hand, forget, put
from talk_pipeline.engine.manual.lookup import Entity, find_on, key_of
from talk_pipeline.engine.manual.objections import refuse_gone, refuse_open_writes, taken
from talk_pipeline.engine.match.sharing import swap
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.state.connection import transaction
from talk_pipeline.flows.sides import Side

_LEADER = """
select l.shop_id, s.gone is not null as gone from link l
join snapshot s on s.flow = l.part and s.side = 'customwebshop' and s.id = l.shop_id
where l.part = $1 and l.bc_id = $2 and l.state = 'active' and l.shop_id <> $3
"""


def link(hand: Hand, shop: str, bc: str, *, lead: bool = False) -> Decision:
    """Links two records; where another one is linked with the second and the flow lets them share it, attaches.

    Args:
        hand: the person.
        shop: the shop record, by whatever a person has of it.
        bc: Business Central's.
        lead: take the place of the one that is linked with it, which is attached then.

    Raises:
        ByHandError: one of them is unknown, has left, or belongs to another link that is not shared.
    """
    db, flow = hand.db, hand.flow
    entity = Entity(flow.name, find_on(db, flow, shop, side=Side.SHOP), find_on(db, flow, bc, side=Side.BC))
    leader = db.execute(_LEADER, [flow.name, entity.bc_id, entity.shop_id]).fetchone()
    if lead and not flow.settings.shared:
        raise ByHandError(f"nothing leads in {flow.name}: its flow does not say shared: {Side.BC}")
    if leader is None or not flow.settings.shared:
        return links.link(hand, shop, bc)
    for side in Side:
        refuse_gone(db, flow, side, entity.id_on(side) or "")
    taken(db, flow, Entity(flow.name, entity.shop_id, None))
    led_by = Entity(flow.name, leader[0], entity.bc_id)
    for one in (entity, led_by):
        refuse_open_writes(db, one)
    if lead or leader[1]:  # what is gone leads nobody
        return _lead(hand, entity, led_by)
    return _attach(hand, entity, led_by)


def _attach(hand: Hand, entity: Entity, leader: Entity) -> Decision:
    db, name, shop_id, bc_id = hand.db, entity.flow, entity.shop_id or "", entity.bc_id or ""
    shared = f"{bc_id}{key_of(db, hand.flow, Side.BC, bc_id)}"
    known = db.execute(
        "select 1 from link where part = ? and shop_id = ? and shared_id = ?", [name, shop_id, bc_id]
    ).fetchone()
    if known:
        return Decision(name, "attached", shop_id, bc_id, f"{entity.name} shares {shared} already")
    with transaction(db):
        put(hand, entity, by_hand(name, shop_id, shared=bc_id))
        message = (
            f"{entity.name} shares {shared} with {leader.name}, which leads: what refers to it goes there, "
            "its own properties are left alone"
        )
        return hand.note(Decision(name, "attached", shop_id, bc_id, message, {"leader": leader.shop_id}))


def _lead(hand: Hand, entity: Entity, leader: Entity) -> Decision:
    db, name = hand.db, entity.flow
    shop_id, bc_id, led = entity.shop_id or "", entity.bc_id or "", leader.shop_id or ""
    with transaction(db):
        forget(hand, leader)
        forget(hand, Entity(name, shop_id, None))
        swap(db, hand.flow, leader=led, heir=shop_id, bc_id=bc_id, rule=BY_HAND)
        db.execute("delete from apart where flow = ? and shop_id = ? and bc_id = ?", [name, shop_id, bc_id])
        message = (
            f"{entity.name} leads {bc_id}{key_of(db, hand.flow, Side.BC, bc_id)} now, and {leader.name} shares it; "
            f"the next sync treats the two as a first meeting (initial: {hand.flow.settings.initial})"
        )
        return hand.note(Decision(name, "linked", shop_id, bc_id, message, {"led_before": led}))
