"""What a person decides of links: which two are a pair, which are none, and who is let go.

A person's word outranks the match rules for good. Each decision is one transaction that leaves the state as if the
pipeline had known it all along: what it concerns is dirty, so that the next sync acts on it. Conflicts, and what
was given up on, are the business of `manual.resolutions`.
"""

from collections.abc import Mapping
from typing import Any

from talk_pipeline.engine.kinds import BY_HAND, LinkState, Status
from talk_pipeline.engine.manual.decisions import Decision, Hand
from talk_pipeline.engine.manual.lookup import Entity, find, find_on, key_of
from talk_pipeline.engine.manual.objections import (
    refuse_closed,
    refuse_gone,
    refuse_open_writes,
    still_holds_key,
    taken,
)
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.snapshot.dirty import mark_dirty
from talk_pipeline.engine.snapshot.held import is_no_more
from talk_pipeline.engine.state.connection import Connection, now, stamp, transaction
from talk_pipeline.engine.state.rows import insert
from talk_pipeline.engine.state.tables import ApartRow, LinkRow, StatusRow
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow


def link(hand: Hand, shop: str, bc: str) -> Decision:
    """Links two records, whatever the rules say; they meet for the first time.

    Raises:
        ByHandError: one of them is unknown, has left, or belongs to another link.
    """
    db, name = hand.db, hand.flow.name
    shop_id = find_on(db, hand.flow, shop, side=Side.SHOP)
    bc_id = find_on(db, hand.flow, bc, side=Side.BC)
    entity = Entity(name, shop_id, bc_id)
    for side in Side:
        refuse_gone(db, hand.flow, side, entity.id_on(side) or "")
    if taken(db, hand.flow, entity):
        return Decision(name, "linked", shop_id, bc_id, f"{entity.name} and {bc_id} are linked already")
    refuse_open_writes(db, entity)
    with transaction(db):
        put(hand, entity, by_hand(name, shop_id, bc_id))
        statement = f"linked {entity.name} with {bc_id}{key_of(db, hand.flow, Side.BC, bc_id)}"
        meeting = f"the next sync treats them as a first meeting (initial: {hand.flow.settings.initial})"
        return hand.note(Decision(name, "linked", shop_id, bc_id, f"{statement}; {meeting}"))


def put(hand: Hand, entity: Entity, row: LinkRow) -> None:
    """A link in the place of whatever the shop record had, in the caller's transaction.

    What it shares is another's, which stays as it is.
    """
    own, key = Entity(entity.flow, entity.shop_id, row.bc_id), [entity.flow, entity.shop_id]
    forget(hand, own)
    hand.db.execute("delete from link where part = ? and shop_id = ?", key)
    hand.db.execute("delete from apart where flow = ? and shop_id = ? and bc_id = ?", [*key, entity.bc_id])
    insert(hand.db, [row])
    stir(hand, own)


def unlink(hand: Hand, text: str, *, recreate: bool = False) -> Decision:
    """Parts a pair for good; the shop record is held until it is linked again or, with `recreate`, let go.

    Where the counterpart is still there under the same key, nothing can be created beside it: then the two are
    let go to be matched anew.

    Raises:
        ByHandError: there is no link to undo, or the record could neither be matched nor created.
    """
    entity = find(hand.db, hand.flow, text)
    found = _link_of(hand, entity)
    if found is None:
        raise ByHandError(f"{entity.name} is not linked; see talk-pipeline explain {entity.name}")
    if found["state"] == LinkState.HELD and (recreate or found["rule"] == BY_HAND):
        if not recreate:
            raise ByHandError(
                f"{entity.name} is unlinked by hand already; to match or create it anew: "
                f"talk-pipeline unlink {entity.name} --recreate"
            )
        return _release(hand, entity)
    if found["state"] == LinkState.ATTACHED:
        entity = Entity(entity.flow, entity.shop_id, found["bc_id"])
    refuse_closed(hand.db, entity, found)
    refuse_open_writes(hand.db, entity)
    again = recreate and still_holds_key(hand.db, hand.flow, entity, found["bc_id"])
    with transaction(hand.db):
        return _part(hand, entity, found, hold=not recreate, again=again)


def keep_apart(hand: Hand, shop: str, bc: str) -> Decision:
    """Keeps the rules from ever making a pair; if it is linked now, it is unlinked and held.

    Raises:
        ByHandError: one of them is unknown, or their story ended.
    """
    db, name = hand.db, hand.flow.name
    shop_id = find_on(db, hand.flow, shop, side=Side.SHOP)
    bc_id = find_on(db, hand.flow, bc, side=Side.BC)
    entity = Entity(name, shop_id, bc_id)
    refuse_open_writes(hand.db, entity)
    found = _link_of(hand, entity)
    if found is not None and found["bc_id"] == bc_id:
        refuse_closed(hand.db, entity, found)
        with transaction(db):
            return _part(hand, entity, found, hold=True, never=True)
    statement = f"the rules never match {entity.name} with {bc_id}"
    these = "where flow = ? and shop_id = ? and bc_id = ?"
    known = db.execute(f"select never from apart {these}", [name, shop_id, bc_id]).fetchone()
    if known == (True,):
        return Decision(name, "kept apart", shop_id, bc_id, f"{statement}; so it was already")
    with transaction(db):
        db.execute(f"update apart set never = true {these}", [name, shop_id, bc_id])
        if known is None:
            insert(db, [_apart(hand, shop_id, bc_id, hold=False, never=True)])
        db.execute(f"delete from candidate {these}", [name, shop_id, bc_id])
        mark_dirty(db, name, Side.SHOP, ids=[shop_id])
        mark_dirty(db, name, Side.BC, ids=[bc_id])
        message = f"{statement}; {_then(entity, found)}"
        return hand.note(Decision(name, "kept apart", shop_id, bc_id, message))


def _then(entity: Entity, found: Mapping[str, Any] | None) -> str:
    """What becomes of a record that is kept from a match, for the person."""
    if found is None:
        return "the next sync finds another counterpart or creates one"
    return _HELD.format(name=entity.name) if found["state"] == LinkState.HELD else "its present link stays"


_HELD = "it stays unlinked until linked again, or: talk-pipeline unlink {name} --recreate"


def _part(
    hand: Hand,
    entity: Entity,
    found: Mapping[str, Any],
    *,
    hold: bool,
    never: bool = False,
    again: bool = False,
) -> Decision:
    """Undoes an active link, in the caller's transaction; `again`: the rules may make it anew."""
    db, name, shop_id, bc_id = hand.db, entity.flow, entity.shop_id, entity.bc_id
    # what it shared is another's, which it leaves as it is
    own = Entity(name, shop_id, None if found["state"] == LinkState.ATTACHED else bc_id)
    forget(hand, own)
    db.execute("delete from link where part = ? and shop_id = ?", [name, shop_id])
    db.execute("delete from apart where flow = ? and shop_id = ? and bc_id = ?", [name, shop_id, bc_id])
    if not again and (hold or never or not is_no_more(db, name, Side.BC, bc_id)):
        insert(db, [_apart(hand, shop_id, bc_id, hold=hold, never=never)])
    if hold:
        insert(db, [by_hand(name, shop_id)])
    stir(hand, own)
    if hold:
        _stand(hand, shop_id, state=Status.HELD, reason="unlinked by hand")
        next_step = _HELD.format(name=entity.name)
    else:
        next_step = _let_go(hand, shop_id, again=bc_id if again else None)
    was = {"rule": found["rule"], "linked_at": stamp(found["linked_at"])}
    message = f"unlinked {entity.name} from {bc_id}; {next_step}"
    return hand.note(Decision(name, "unlinked", shop_id, bc_id, message, was | {"held": hold}))


def lose(hand: Hand, entity: Entity) -> None:
    """Forgets a pair one of which is lost, in the caller's transaction: the other is matched or created anew."""
    forget(hand, entity)
    hand.db.execute("delete from link where part = ? and shop_id = ?", [entity.flow, entity.shop_id])
    stir(hand, entity)


def _release(hand: Hand, entity: Entity) -> Decision:
    """Lets go of a shop record that is held, and of what it was parted from."""
    db, name, shop_id = hand.db, entity.flow, entity.shop_id
    query = "select bc_id from apart where flow = ? and shop_id = ? and held"
    parted = [row[0] for row in db.execute(query, [name, shop_id]).fetchall()]
    again = [bc_id for bc_id in parted if still_holds_key(hand.db, hand.flow, entity, bc_id)]
    with transaction(db):
        forget(hand, entity)
        db.execute("delete from link where part = ? and shop_id = ?", [name, shop_id])
        db.execute("update apart set held = false where flow = ? and shop_id = ?", [name, shop_id])
        db.execute(
            "delete from apart where flow = ? and shop_id = ? and bc_id in (select unnest(?::varchar[]))"
            " and never is not true",
            [name, shop_id, [*again, *(one for one in parted if is_no_more(db, name, Side.BC, one))]],
        )
        stir(hand, entity)
        mark_dirty(db, name, Side.BC, ids=parted)
        next_step = _let_go(hand, shop_id, again=next(iter(again), None))
        return hand.note(Decision(name, "released", shop_id, None, f"released {entity.name}; {next_step}"))


def _let_go(hand: Hand, shop_id: str | None, *, again: str | None) -> str:
    """What becomes of a record that is free again, for the person."""
    _stand(
        hand, shop_id, state=Status.WAITING, reason="released by hand: the next sync matches or creates it"
    )
    named = f"{again}{key_of(hand.db, hand.flow, Side.BC, again)}" if again else ""
    if shop_id and is_no_more(hand.db, hand.flow.name, Side.SHOP, shop_id):
        left = f"; {named} is free: the next sync matches it with another record of its keys, if there is one"
        return f"the shop has it no more, so that nothing is created for it{left if named else ''}"
    if again is None:
        return "the next sync finds another counterpart or creates one"
    return (
        f"{named} is still there under its key, so the next sync matches the two anew, as at a first meeting"
    )


def _link_of(hand: Hand, entity: Entity) -> dict[str, Any] | None:
    row = hand.db.execute(
        "select coalesce(bc_id, shared_id), state, rule, linked_at from link where part = ? and shop_id = ?",
        [entity.flow, entity.shop_id],
    ).fetchone()
    return dict(zip(("bc_id", "state", "rule", "linked_at"), row, strict=True)) if row else None


def forget(hand: Hand, entity: Entity) -> None:
    """All that the two were to each other: what they agreed on, their children's links, what is planned."""
    db, name, shop_id, bc_id = hand.db, entity.flow, entity.shop_id, entity.bc_id
    for part in hand.flow.parts:
        own = "starts_with(shop_id, $root || '/')" if part.parent else "shop_id = $root"
        parameters = {"part": part.name, "root": shop_id}
        for table in ("edit", "resolution"):
            db.execute(f"delete from {table} where part = $part and {own}", parameters)
        # what the shop was told of its counterpart is true of that one only: the next one says it anew
        db.execute(
            f"delete from base where part = $part and {own}"
            " and (agreed_at is null or property not in (select unnest($from_bc::varchar[])))",
            {**parameters, "from_bc": [prop.name for prop in part.properties if prop.dir == "<-"]},
        )
        db.execute(
            f"update base set bc_value = null, mismatches = 0, resend = null where part = $part and {own}",
            parameters,
        )
        if part.parent:
            db.execute("delete from link where part = $part and root_shop_id = $root", parameters)
    for table in ("change", "refusal"):
        db.execute(f"delete from {table} where flow = ? and root_shop_id = ?", [name, shop_id])
    db.execute("delete from change where flow = ? and root_bc_id = ?", [name, bc_id])
    db.execute("delete from candidate where flow = ? and (shop_id = ? or bc_id = ?)", [name, shop_id, bc_id])
    db.execute("delete from status where flow = ? and shop_id = ?", [name, shop_id])


def stir(hand: Hand, entity: Entity) -> None:
    """Both records are dirty, and whatever refers to them: to those it is as if the two had just been linked."""
    db = hand.db
    for side in Side:
        record_id = entity.id_on(side)
        mark_dirty(db, entity.flow, side, ids=[record_id] if record_id else [])
    for other in hand.flows.values():
        for part in other.parts:
            for prop in part.references:
                if prop.refers_to == entity.flow:
                    _meet_anew(db, other, part.name, prop=prop.name, entity=entity)


def _meet_anew(db: Connection, flow: Flow, part: str, *, prop: str, entity: Entity) -> None:
    ids = [entity.shop_id, entity.bc_id]
    rows = db.execute(
        "delete from base where part = ? and property = ? and (shop_value = ? or bc_value = ?)"
        " returning shop_id",
        [part, prop, *ids],
    ).fetchall()
    referring = [row[0] for row in rows]
    db.execute(
        "delete from edit where part = ? and property = ? and shop_id in (select unnest(?::varchar[]))",
        [part, prop, referring],
    )
    roots = db.execute(
        "select distinct root_shop_id from link where part = ? and shop_id in (select unnest(?::varchar[]))",
        [part, referring],
    ).fetchall()
    mark_dirty(db, flow.name, Side.SHOP, ids=[row[0] for row in roots])


def _stand(hand: Hand, shop_id: str | None, *, state: Status, reason: str) -> None:
    row = StatusRow(flow=hand.flow.name, shop_id=shop_id or "", state=state, reason=reason, since=now())
    insert(hand.db, [row])


def by_hand(flow: str, shop_id: str | None, bc_id: str | None = None, shared: str | None = None) -> LinkRow:
    """A link by hand; without a counterpart it keeps the rules from making one, or shares that of another."""
    alone = LinkState.ATTACHED if shared else LinkState.HELD
    return LinkRow(
        part=flow,
        shop_id=shop_id or "",
        bc_id=bc_id,
        root_shop_id=shop_id or "",
        rule=BY_HAND,
        state=LinkState.ACTIVE if bc_id else alone,
        linked_at=now(),
        shared_id=shared,
    )


def _apart(hand: Hand, shop_id: str | None, bc_id: str | None, *, hold: bool, never: bool) -> ApartRow:
    return ApartRow(
        flow=hand.flow.name,
        shop_id=shop_id or "",
        bc_id=bc_id or "",
        held=hold,
        parted_at=now(),
        parted_by=hand.by,
        never=never,
    )
