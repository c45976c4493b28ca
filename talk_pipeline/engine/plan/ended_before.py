"""Records about to be created whose key an ended record already carries: their story ended there.

Which records have ended only the system can say; it is asked by the keys found here. What referred to such a record
names it and not what it became, so that its own id and what it was called are kept with the link. Where an earlier
release did not ask for these, they are asked for once. Where the flow's scope asks for something that ended records
do not say, another shop's may carry the same key: then none is believed to be the one. Nor is one that is of
another customer than the shop's record: people used that key for something else.
"""

from collections.abc import Mapping, Sequence

import msgspec

from talk_pipeline.engine.kinds import Gone, HoldKind, LinkState
from talk_pipeline.engine.model import Ended
from talk_pipeline.engine.plan.posted import CameTo, keep_differing
from talk_pipeline.engine.plan.refusals import hold_back
from talk_pipeline.engine.snapshot.dirty import touch
from talk_pipeline.engine.state.connection import Connection, now, transaction
from talk_pipeline.engine.state.rows import insert, is_any
from talk_pipeline.engine.state.tables import LinkRow
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Flow

RULE = "posted"

# one that is held for what it would come to may have been entered there by a person, and posted
_KEYS = f"""
select distinct r.canon[$key], r.id
from change c join record r on r.part = c.part and r.side = $shop and r.id = c.shop_id
where c.flow = $flow and c.part = $flow and c.target = $bc and c.operation = 'create'
  and coalesce(c.hold_kind, '{HoldKind.DIFFERING}') = '{HoldKind.DIFFERING}' and r.canon[$key] is not null
order by all
"""

_HALF_KNOWN = f"""
select shop_id from link where part = $flow and rule = '{RULE}' and state = '{LinkState.CLOSED}'
  and (called is null or not list_has_all(map_keys(called), $names::varchar[]))
"""

_KEYS_OF = """
select canon[$key], id from record
where part = $flow and side = $shop and id in (select unnest($ids::varchar[])) and canon[$key] is not null
order by all
"""


def keys_to_create(db: Connection, flow: Flow) -> dict[str, list[str]]:
    """The shop records that are to be created in Business Central: create key -> ids of those that carry it."""
    return _by_key(db, flow, _KEYS, {"bc": Side.BC})


def half_known(db: Connection, flow: Flow) -> dict[str, list[str]]:
    """The shop records that were closed here before it was asked what they had been, by create key."""
    found = db.execute(_HALF_KNOWN, {"flow": flow.name, "names": [*_called(flow, {})]}).fetchall()
    # mostly none: then no record is looked at
    return _by_key(db, flow, _KEYS_OF, {"ids": [shop_id for (shop_id,) in found]}) if found else {}


def _by_key(db: Connection, flow: Flow, query: str, more: Mapping[str, object]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    parameters = {"flow": flow.name, "key": flow.create_key, "shop": Side.SHOP, **more}
    for key, shop_id in db.execute(query, parameters).fetchall():
        found.setdefault(key, []).append(shop_id)
    return found


# what a reference of some records is to there, and what is said instead of it where they ended under their keys
_REFERENCES = """
select r.id, r.raw[$property], s.other_id
from record r
join said s on s.part = $refers_to and s.side = $shop and s.id = r.raw[$property] and s.told_by = $told_by
where r.part = $part and r.side = $shop and r.id in (select unnest($shop_ids::varchar[]))
"""

_NAMED = """
select raw[$key] from record where part = $refers_to and side = $bc and id = $id
"""


def close(
    db: Connection,
    flows: Flows,
    flow: Flow,
    *,
    ended: Mapping[str, Ended],
    by_key: Mapping[str, Sequence[str]],
    run_id: str | None = None,
) -> None:
    """One record and one ended record belong together; where either is contested a person decides.

    Args:
        db: the state.
        flows: all flows, for references between them.
        flow: theirs.
        ended: by key, what became of the records that carry it.
        by_key: what `keys_to_create` found.
        run_id: the run at work.
    """
    with transaction(db):
        touch(db, flow.name)
        others = _anothers(db, flows, flow, ended=ended, by_key=by_key)
        closed = [
            _close(db, flow, key=key, shop_ids=by_key[key], ended=one, anothers=others.get(key))
            for key, one in ended.items()
        ]
        keep_differing(db, flow, filter(None, closed), run_id=run_id)


def _close(
    db: Connection, flow: Flow, *, key: str, shop_ids: Sequence[str], ended: Ended, anothers: str | None
) -> CameTo | None:
    closed_ids = [*ended.was, *ended.ids]  # what refers to the record names it, not what it became
    if unsaid := _unsaid(flow):
        hold_back(db, flow, shop_ids=shop_ids, reason=_may_be_anothers(flow, key, ended.ids, unsaid))
        return None
    if anothers:
        reason = (
            f"{key} was posted before, as {', '.join(ended.ids)}, {anothers}: give it a number of its own"
        )
        hold_back(db, flow, shop_ids=shop_ids, reason=reason)
        return None
    taken = _linked(db, flow, closed_ids)
    if len(shop_ids) == 1 and not taken:
        # one that was held before it ended still has a last word for the shop, and closes after that
        held = _is_held(db, flow, shop_id=shop_ids[0], bc_id=closed_ids[0])
        link = LinkRow(
            part=flow.name,
            shop_id=shop_ids[0],
            bc_id=closed_ids[0],
            root_shop_id=shop_ids[0],
            rule=RULE,
            state=LinkState.ACTIVE if held else LinkState.CLOSED,
            linked_at=now(),
            called=_called(flow, ended.called),
        )
        insert(db, [link])
        return None if held else CameTo(shop_ids[0], closed_ids[0], ended.comes_to)
    claims = [f"{other} ({closed_id})" for closed_id, other in taken] or list(shop_ids)
    reason = f"{key} was posted before, and is claimed by {', '.join(claims)}: give it a number of its own"
    hold_back(db, flow, shop_ids=shop_ids, reason=reason)
    return None


_HELD = f"""
from snapshot where flow = $flow and side = '{Side.BC}' and id = $bc_id and gone = '{Gone.POSTED}'
  and not exists (from apart where flow = $flow and shop_id = $shop_id and bc_id = $bc_id and never)
"""


def _is_held(db: Connection, flow: Flow, *, shop_id: str, bc_id: str) -> bool:
    """Whether a record that ended was read while it was there, and nobody said that it is none of the shop's."""
    return is_any(db, _HELD, {"flow": flow.name, "shop_id": shop_id, "bc_id": bc_id})


def complete(
    db: Connection, flow: Flow, *, ended: Mapping[str, Ended], by_key: Mapping[str, Sequence[str]]
) -> None:
    """Links that name what a record became come to name the record, where that belongs to nobody else.

    Args:
        db: the state.
        flow: theirs.
        ended: by key, what became of the records that carry it; of one without, nothing more is known.
        by_key: what `half_known` found.
    """
    with transaction(db):
        touch(db, flow.name)
        for key, shop_ids in by_key.items():
            one = Ended([]) if _unsaid(flow) else ended.get(key, Ended([]))
            others = [shop_id for _, shop_id in _linked(db, flow, one.was) if [shop_id] != shop_ids]
            known = one.was[:1] if len(shop_ids) == 1 and not others else ()
            _name(db, flow, shop_ids, known, _called(flow, one.called if known else {}))


def _name(
    db: Connection, flow: Flow, shop_ids: Sequence[str], known: Sequence[str], called: Mapping[str, Value]
) -> None:
    db.execute(
        "update link set bc_id = coalesce($bc_id, bc_id), called = $called::json::map(varchar, varchar)"
        " where part = $part and list_contains($shop_ids::varchar[], shop_id)",
        {
            "part": flow.name,
            "shop_ids": list(shop_ids),
            "bc_id": next(iter(known), None),
            "called": msgspec.json.encode(called).decode(),
        },
    )


def _linked(db: Connection, flow: Flow, ids: Sequence[str]) -> list[tuple[str, str]]:
    """Those of some records there that belong to a link, with the shop record of each."""
    return db.execute(
        "select bc_id, shop_id from link where part = ? and bc_id in (select unnest(?::varchar[]))",
        [flow.name, list(ids)],
    ).fetchall()


def _anothers(
    db: Connection,
    flows: Flows,
    flow: Flow,
    *,
    ended: Mapping[str, Ended],
    by_key: Mapping[str, Sequence[str]],
) -> dict[str, str]:
    """Whose ended records are, by key, where the shop's refers to somebody else; what is not said is no matter."""
    alone = {by_key[key][0]: key for key in ended if len(by_key[key]) == 1}
    whose: dict[str, str] = {}
    for prop in flow.root.references:
        said = {
            key: [prop.told(one) for one in ended[key].refers.get(prop.bc or "", ())]
            for key in alone.values()
        }
        asked = {"property": prop.name, "refers_to": prop.refers_to, "told_by": prop.told_by or ""}
        asked |= {"part": flow.name, "shop": Side.SHOP}
        of = [shop_id for shop_id, key in alone.items() if said[key]]
        for shop_id, meant, told in (
            db.execute(_REFERENCES, {**asked, "shop_ids": of}).fetchall() if of else ()
        ):
            if others := [one for one in said[alone[shop_id]] if one and one != told]:
                named = [_named(db, flows, prop, bc_id) for bc_id in (*others, told)]
                why = f"for {prop.name} {', '.join(named[:-1])} and not {named[-1]} ({meant})"
                whose.setdefault(alone[shop_id], why)
    return whose


def _named(db: Connection, flows: Flows, prop: Property, bc_id: str) -> str:
    """What people call a record of Business Central that is referred to, as far as it was read."""
    named = flows[prop.refers_to or ""]
    asked = {"key": named.create_key, "refers_to": named.name, "bc": Side.BC, "id": bc_id}
    (called,) = db.execute(_NAMED, asked).fetchone() or (None,)
    return f"{called} ({bc_id})" if called else bc_id


def _unsaid(flow: Flow) -> list[str]:
    """What the scope asks for and ended records do not say."""
    ended = flow.businesscentral.closed_by
    return ended.leaves_open(flow.businesscentral.scope) if ended else []


def _may_be_anothers(flow: Flow, key: str, ids: Sequence[str], unsaid: Sequence[str]) -> str:
    ended = flow.businesscentral.closed_by
    entity, told = ended.entity if ended else "", " and ".join(unsaid)
    return (
        f"{key} was posted before, as {', '.join(ids)} of {entity}, which may be another shop's: the scope asks for"
        f" {told}, and it is not declared that {entity} say that too; add it to businesscentral.closed_by.same, or"
        " give it a number that no other shop has"
    )


def _called(flow: Flow, said: Mapping[str, Value]) -> dict[str, Value]:
    """What a record was called, by property; blank what is not said."""
    ended = flow.businesscentral.closed_by
    return {prop.name: said.get(prop.bc) for prop in flow.properties if ended and prop.bc in ended.called}
