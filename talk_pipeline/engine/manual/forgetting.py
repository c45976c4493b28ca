"""Forgetting a person: no value of an entity stays but what a system that still has it says itself.

What is needed so that nothing is made twice or anew stays: the ids, that a record is gone, that a request was made,
and the key of a create as its hash. Callers hold the leases of all flows, and write the file anew afterwards, since
deleted rows stay in its pages (`state.copies`); what lies beside the file is `state.traces`'s business.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from talk_pipeline.engine.manual.decisions import Decision, Hand
from talk_pipeline.engine.manual.lookup import Entity, entity_of, key_of
from talk_pipeline.engine.manual.objections import refuse_open_writes
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.snapshot.projection import FORGOTTEN
from talk_pipeline.engine.state.connection import Connection, transaction
from talk_pipeline.engine.state.rows import rows_of, used_in
from talk_pipeline.engine.state.traces import MASK, Words
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part
from talk_pipeline.wording import counted

_OWN = """
(part = $flow and shop_id = $shop_id or starts_with(part, $flow || '.') and starts_with(shop_id, $shop_id || '/'))
"""
_ABOUT = """
flow = $flow and (root_shop_id = $shop_id or root_bc_id = $bc_id
  or part = $flow and (shop_id = $shop_id or bc_id = $bc_id))
"""
_INTENTS = f"select intent_id from journal where {_ABOUT}"

_HALVES = """
select side, id, gone, payload from snapshot
where flow = $flow and (side = 'customwebshop' and id = $shop_id or side = 'businesscentral' and id = $bc_id)
"""

_TO_BE_WRITTEN = """
select 1 from change where flow = $flow and hold_kind is null and (root_shop_id = $shop_id or root_bc_id = $bc_id)
"""

# every value that is known of a property, of the record and of its children, by whoever said it
_KNOWN_VALUES = f"""
with one as (
  select part, map_entries(raw) || map_entries(canon) as entries from record
  where (part = $flow or starts_with(part, $flow || '.'))
    and root_id = case side when 'customwebshop' then $shop_id else $bc_id end
)
select part, e.key as property, e.value as value from (select part, unnest(entries) as e from one)
union
select part, property, unnest([source, sent, before]) from written where intent_id in ({_INTENTS})
union
select part, property, unnest([shop_value, bc_value]) from base where {_OWN}
union
select part, property, unnest([shop_value, bc_value]) from conflict where {_OWN}
union
select part, property, unnest([before, after, base]) from change
where flow = $flow and (root_shop_id = $shop_id or root_bc_id = $bc_id)
"""

# a value that others have too tells nothing of one of them
_OTHERS = """
select distinct e.value from (
  select unnest(map_entries(raw)) as e from record
  where part in (select unnest($parts::varchar[]))
    and (part, side, root_id) not in (
      select (unnest($own_parts::varchar[]), unnest($own_sides::varchar[]), unnest($own_ids::varchar[]))))
where list_contains($values::varchar[], e.value)
"""

_PAST = {
    "journal_value": f"delete from journal_value where intent_id in ({_INTENTS})",
    "conflict": f"delete from conflict where {_OWN}",
    "resolution": f"delete from resolution where {_OWN}",
    # what a system said of its requests may name anything of it, in words too short to look for
    "journal": f"update journal set reason = '{MASK}' where {_ABOUT} and reason is not null",
}
_KEYS = f"""
update journal set natural_key = 'sha256:' || sha256(natural_key)
where {_ABOUT} and natural_key is not null and not starts_with(natural_key, 'sha256:')
"""

# what is not compared any more
_BASES = f"delete from base where {_OWN} and ($parted or property in (select unnest($unused::varchar[])))"
_CHANGES = "delete from change where flow = $flow and (root_shop_id = $shop_id or root_bc_id = $bc_id)"
_PAYLOAD = f"update snapshot set payload = '{FORGOTTEN}' where flow = $flow and side = $side and id = $id"
_VALUES = """
update record set raw = map(map_keys(raw), list_transform(map_values(raw), lambda v: null::varchar)),
  canon = map(map_keys(canon), list_transform(map_values(canon), lambda v: null::varchar)),
  problems = map([]::varchar[], []::varchar[])
where (part = $flow or starts_with(part, $flow || '.')) and side = $side and root_id = $id
"""

# in words for people: whose record it is about cannot be told
_TEXTS = {
    "journal": ("reason",),
    "refusal": ("reason",),
    "status": ("reason",),
    "bc_status": ("reason",),
    "change": ("hold_reason",),
    "run": ("problem", "stopped_by", "stopped"),
    "watermark": ("problem",),
    "check_result": ("summary", "rows"),
    "decision": ("details",),
}

_REFERRING = """
select distinct root_id from record where part = $part and side = $side and raw[$property] = $id order by 1
"""

# what an entity was linked with before and is nobody else's now; not what it was only kept apart from
_FORMER = """
with former as (
  select shop_id, bc_id from apart where flow = $flow and (held or not never)
  union
  select shop_id, bc_id from decision where flow = $flow and action in ('linked', 'unlinked')
  union
  select coalesce(shop_id, root_shop_id), coalesce(bc_id, root_bc_id) from journal
  where flow = $flow and part = $flow
)
select null as shop_id, p.bc_id from former p anti join link l on l.part = $flow and l.bc_id = p.bc_id
where p.shop_id = $shop_id and p.bc_id is not null and p.bc_id <> $bc_id
union
select p.shop_id, null from former p
anti join link l on l.part = $flow and l.shop_id = p.shop_id and l.bc_id is not null
where p.bc_id = $bc_id and p.shop_id is not null and p.shop_id <> $shop_id
order by all
"""

_LONG_GONE = f"""
select s.id as shop_id, null as bc_id from snapshot s
anti join link l on l.part = s.flow and l.shop_id = s.id and l.bc_id is not null
where s.flow = $flow and s.side = 'customwebshop' and s.gone is not null and s.fetched_at < $before
  and s.payload <> '{FORGOTTEN}'
union all
select null, b.id from snapshot b anti join link l on l.part = b.flow and l.bc_id = b.id
where b.flow = $flow and b.side = 'businesscentral' and b.gone is not null and b.fetched_at < $before
  and b.payload <> '{FORGOTTEN}'
union all
select l.shop_id, l.bc_id from link l
join snapshot s on s.flow = l.part and s.side = 'customwebshop' and s.id = l.shop_id
join snapshot b on b.flow = l.part and b.side = 'businesscentral' and b.id = l.bc_id
where l.part = $flow and s.gone is not null and b.gone is not null
  and greatest(s.fetched_at, b.fetched_at) < $before
  and (s.payload <> '{FORGOTTEN}' or b.payload <> '{FORGOTTEN}')
"""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten of one entity.

    Attributes:
        there: systems that still have it, with the properties that they still fill.
    """

    entity: Entity
    name: str
    there: Mapping[Side, Sequence[str]]

    def __str__(self) -> str:
        """For a person."""
        text = f"forgotten: {self.name}"
        for side, names in self.there.items():
            kept = f" and says of it: {', '.join(names)}" if names else ", with nothing personal in it"
            text += f"; {side} still has it{kept}" + (
                "; erase it there, sync, and forget it again" if names else ""
            )
        return text


def refuse_unsettled(db: Connection, flow: Flow, entity: Entity) -> None:
    """Objects to forgetting what is still on its way.

    Raises:
        ByHandError: something of it is still to be written, or it is not known what became of a write.
    """
    refuse_open_writes(db, entity)
    if rows_of(db, _TO_BE_WRITTEN, _about(entity)):
        raise ByHandError(
            f"{entity.name} has something to be written yet; first: talk-pipeline sync --flow {flow.name}"
        )


def forget(hand: Hand, entity: Entity) -> Forgotten:
    """Forgets an entity, both halves, in one transaction; nothing of it is on its way."""
    db, flow = hand.db, hand.flow
    about = _about(entity)
    name = entity.name + key_of(db, flow, *entity.end)
    halves = rows_of(db, _HALVES, about)
    there = {Side(row["side"]): _filled(db, flow, row) for row in halves if row["gone"] is None}
    with transaction(db):
        for statement in (*_PAST.values(), _KEYS):
            db.execute(statement, used_in(statement, about))
        unused = [
            prop.name for part in flow.parts for prop in part.properties if prop.only or prop.dir == "="
        ]
        parted = len(there) < len(list(Side))
        db.execute(_BASES, used_in(_BASES, about) | {"parted": parted, "unused": unused})
        if parted:
            db.execute(_CHANGES, used_in(_CHANGES, about))
        for row in halves:
            if row["gone"] is not None:
                half = {"flow": flow.name, "side": row["side"], "id": row["id"]}
                db.execute(_PAYLOAD, half)
                db.execute(_VALUES, half)
        hand.note(Decision(flow.name, "forgotten", entity.shop_id, entity.bc_id, ""))
    return Forgotten(entity, name, there)


def words_of(db: Connection, flows: Flows, entities: Collection[Entity]) -> Iterator[str]:
    """Their personal values that nothing else has, in whatever form they are known; once forgotten, none."""
    vocabulary = {name for flow in flows.values() for name in (flow.name, *_property_names(flow))}
    known: dict[tuple[str, str], set[str]] = {}
    for entity in entities:
        personal = {
            (part.name, prop.name)
            for part in flows[entity.flow].parts
            for prop in part.properties
            if is_personal(flows[entity.flow], prop)
        }
        for row in rows_of(db, _KNOWN_VALUES, _about(entity)):
            if row["value"] and (row["part"], row["property"]) in personal:
                known.setdefault((entity.flow, row["part"]), set()).add(row["value"])
    for (name, part), values in known.items():
        shared = _shared(db, flows[name].part(part), sorted(values), entities)
        for value in sorted(values - shared):
            if value.lower() not in vocabulary and re.search(r"\w{2}", value):
                yield value


def _shared(db: Connection, part: Part, values: list[str], entities: Collection[Entity]) -> set[str]:
    """What others of the part have, or what its children refer to, such as the name of an article."""
    referred = [str(prop.refers_to) for prop in part.references] if part.parent else []
    own = [(part.name, side, one.id_on(side)) for one in entities for side in Side if one.id_on(side)]
    parts, sides, ids = ([row[at] for row in own] for at in range(3))
    asked = {"parts": [part.name, *referred], "own_parts": parts, "own_sides": sides, "own_ids": ids}
    return {row[0] for row in db.execute(_OTHERS, asked | {"values": values}).fetchall()}


def _property_names(flow: Flow) -> Iterator[str]:
    return (prop.name for part in flow.parts for prop in part.properties)


def forget_texts(db: Connection, words: Words) -> None:
    """Takes words out of every text for people, wherever it is about."""
    with transaction(db):
        for table, columns in _TEXTS.items():
            for column in columns:
                rows = db.execute(
                    f"select rowid, {column}::varchar from {table} where {column} is not null"
                ).fetchall()
                for row_id, text in rows:
                    if (without := words.taken_from(text)) != text:
                        db.execute(f"update {table} set {column} = ? where rowid = ?", [without, row_id])


def with_former(db: Connection, entity: Entity) -> list[Entity]:
    """An entity, and the records it was linked with until a person or a disappearance parted them."""
    rows = db.execute(_FORMER, _about(entity)).fetchall()
    return [entity, *(Entity(entity.flow, shop_id, bc_id) for shop_id, bc_id in rows)]


def referring(db: Connection, flows: Flows, entity: Entity) -> list[Entity]:
    """The records of other flows that refer to an entity, and so may hold values of it."""
    found: dict[Entity, None] = {}
    for flow in flows.values():
        for part in flow.parts:
            for prop in part.references:
                if prop.refers_to != entity.flow or part.parent:
                    continue
                for side in Side:
                    asked = {"part": part.name, "side": side, "property": prop.name, "id": entity.id_on(side)}
                    for (root_id,) in db.execute(_REFERRING, asked).fetchall():
                        found[entity_of(db, flow, side, root_id)] = None
    return list(found)


def long_gone(db: Connection, flow: Flow, *, before: datetime) -> list[Entity]:
    """The entities that both systems lost before, as far as they ever had them, and of which values are known."""
    rows = db.execute(_LONG_GONE, {"flow": flow.name, "before": before}).fetchall()
    return [Entity(flow.name, shop_id, bc_id) for shop_id, bc_id in rows]


def named(db: Connection, flows: Flows, entities: Iterable[Entity]) -> str:
    """Entities for a person, in number and by name."""
    by_flow: dict[str, list[str]] = {}
    for one in entities:
        key = key_of(db, flows[one.flow], *one.end)
        by_flow.setdefault(one.flow, []).append(f"{one.shop_id or one.bc_id}{key}")
    return "; ".join(f"{counted(len(names), flow)}: {', '.join(names)}" for flow, names in by_flow.items())


def _about(entity: Entity) -> dict[str, Any]:
    # an id that is not known is none, and equals none
    return {"flow": entity.flow, "shop_id": entity.shop_id or "", "bc_id": entity.bc_id or ""}


def _filled(db: Connection, flow: Flow, half: Mapping[str, Any]) -> list[str]:
    rows = db.execute(
        "select raw from record where part = ? and side = ? and id = ?", [flow.name, half["side"], half["id"]]
    ).fetchall()
    raw = rows[0][0] if rows else {}
    return [
        prop.name for prop in flow.properties if is_personal(flow, prop) and raw.get(prop.name) is not None
    ]


def is_personal(flow: Flow, prop: Property) -> bool:
    """Whether a property may tell a person from others: free words, but for the key and what is numbered."""
    return prop.is_words and prop.dir in ("<->", "->") and prop.name != flow.create_key
