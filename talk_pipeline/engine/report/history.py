"""What happened to one entity, in the order of time, from what the database keeps of it.

Writes with every value before and after, what was refused of them, conflicts and decisions by hand are told as long
as they are kept (`engine.state.retention`); of links the present one, and those that a decision undid. Of edits
only those are known that were seen and not yet carried over, that lost a conflict, and the last of each side.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from talk_pipeline.engine.kinds import BY_HAND
from talk_pipeline.engine.manual.both_restored import RESTORED
from talk_pipeline.engine.manual.lookup import Entity, labels
from talk_pipeline.engine.match.sharing import HANDED_OVER
from talk_pipeline.engine.plan.posted import POSTED
from talk_pipeline.engine.state.connection import Connection, stamp
from talk_pipeline.engine.state.rows import rows_of, select
from talk_pipeline.engine.state.tables import WrittenRow
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import quoted
from talk_pipeline.flows.vocabulary import Flow

Event = dict[str, Any]

# rows about the entity's own record or one of its children, which are keyed by the shop's id alone
OWN = """(part = $flow and shop_id = $shop_id
  or starts_with(part, $flow || '.') and starts_with(shop_id, $shop_id || '/'))"""

_JOURNAL = """
select intent_id, run_id, target, operation, part, shop_id, bc_id, intent_at, outcome, reason, outcome_at
from journal
where flow = $flow and (root_shop_id = $shop_id or part = $flow and bc_id = $bc_id)
order by intent_at
"""

_SENT = "where intent_id in (select unnest($ids::varchar[])) order by intent_at, place, nth"

_CONFLICTS = (
    f"select * from conflict where flow = $flow and {OWN} order by recorded_at, part, shop_id, property"
)

_DECISIONS = """
select action, shop_id, bc_id, details, done_by, done_at from decision
where flow = $flow and (shop_id = $shop_id or bc_id = $bc_id) order by done_at
"""

# that an edit was seen is not enough: it may be another spelling of the same value
_UNDER_WAY = f"""
select part, shop_id, property, side, edited_at from edit g
where {OWN} and edited_at is not null
  and exists (from change c where c.part = g.part and c.shop_id = g.shop_id and c.property = g.property)
order by edited_at, part, shop_id, property
"""

_EDITED = """
select side, id, edited_at, gone from snapshot
where flow = $flow and edited_at is not null
  and (side = 'customwebshop' and id = $shop_id or side = 'businesscentral' and id = $bc_id)
"""

_STATUS = "select state, reason, since from status where flow = $flow and shop_id = $shop_id"


def parameters(flow: Flow, entity: Entity) -> dict[str, Any]:
    """What queries about an entity take: `flow`, `shop_id`, `bc_id`."""
    return {"flow": flow.name, "shop_id": entity.shop_id, "bc_id": entity.bc_id}


def history(db: Connection, flow: Flow, entity: Entity) -> dict[str, Any]:
    """Everything that is known to have happened, oldest first, as one document.

    Returns:
        `flow`, `shop_id`, `bc_id` and `events`: each has `at`, `event` and `text`, a write and a conflict also what
        `writes` and `conflicts` tell of it, an edit `side` and `property`, a link `rule` and `bc_id`, a decision
        `by`, `shop_id`, `bc_id` and `details`.
    """
    about = parameters(flow, entity)
    written = writes(db, flow, entity)
    own = [one for one in written if one["part"] == flow.name and one["outcome"] == "done"]
    events = [
        *_links(db, about),
        *_decisions(db, about),
        *_edits(db, flow, about, own),
        *(_wrote(write) for write in written),
        *(_conflict(flow, row) for row in conflicts(db, flow, entity)),
        *_status(db, about),
    ]
    events.sort(key=lambda event: event["at"] or "")
    return {**about, "events": events}


def writes(db: Connection, flow: Flow, entity: Entity) -> list[dict[str, Any]]:
    """The journal of an entity, oldest first: what was sent where, and how it ended.

    Returns:
        One for each request: `at`, `ended_at`, `run_id`, `target`, `operation`, `part`, `shop_id`, `bc_id`,
        `outcome`, `reason`, and in `sent` for the record and each child `part`, `operation`, `shop_id`, `bc_id` and
        `properties`, by name with `before`, `after` and `rule`.
    """
    requests = rows_of(db, _JOURNAL, parameters(flow, entity))
    sent: dict[str, dict[int, dict[str, Any]]] = {}
    for one in select(db, WrittenRow, _SENT, {"ids": [row["intent_id"] for row in requests]}):
        head = {"part": one.part, "operation": one.operation, "shop_id": one.shop_id, "bc_id": one.bc_id}
        record = sent.setdefault(one.intent_id, {}).setdefault(one.place, head | {"properties": {}})
        if one.property is not None:
            record["properties"][one.property] = {"before": one.before, "after": one.sent, "rule": one.rule}
    return [_write(row, list(sent[row["intent_id"]].values())) for row in requests]


def conflicts(db: Connection, flow: Flow, entity: Entity) -> list[dict[str, Any]]:
    """The conflicts that were settled, oldest first: the columns of table `conflict` but for the flow."""
    rows = rows_of(db, _CONFLICTS, parameters(flow, entity))
    moments = ("shop_edited_at", "bc_edited_at", "recorded_at", "decided_at", "acknowledged_at")
    return [
        {key: value for key, value in row.items() if key != "flow"}
        | {name: stamp(row[name]) for name in moments}
        for row in rows
    ]


def _write(row: Mapping[str, Any], sent: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "at": stamp(row["intent_at"]),
        "ended_at": stamp(row["outcome_at"]),
        "run_id": row["run_id"],
        "target": row["target"],
        "operation": row["operation"],
        "part": row["part"],
        "shop_id": row["shop_id"],
        "bc_id": row["bc_id"],
        "outcome": row["outcome"] or "unknown",
        "reason": row["reason"],
        "sent": sent,
    }


def too_late(db: Connection, flow: Flow, entity: Entity) -> list[str]:
    """What the shop said of a record that had been posted by then, as far as nobody has taken note of it."""
    return [
        f"{labels(flow, row['part'], row['shop_id'], prop=row['property'])[0]} is {quoted(row['shop_value'])}"
        f" in the shop, and was {quoted(row['bc_value'])} when it was posted"
        for row in conflicts(db, flow, entity)
        if row["rule"] == POSTED and row["acknowledged_at"] is None
    ]


def _links(db: Connection, about: Mapping[str, Any]) -> Iterator[Event]:
    """The present link; one made by hand is among the decisions."""
    query = "select rule, state, bc_id, linked_at from link where part = $flow and shop_id = $shop_id"
    for row in rows_of(db, query, dict(about)):
        if row["rule"] != BY_HAND:
            yield _linked(row["rule"], stamp(row["linked_at"]), row["bc_id"])


def _linked(rule: str, at: str | None, bc_id: str | None) -> Event:
    return {"at": at, "event": "linked", "rule": rule, "bc_id": bc_id, "text": f"with {bc_id}, {how(rule)}"}


def how(rule: str) -> str:
    """How a link came about, from the rule it keeps."""
    return {
        "created": "created there by a sync",
        "posted": "found among the records whose story ended",
        "disappearance": "parted when one of the two left",
        "returned": "linked again when the one that had left came back",
        "merged": "what was linked before is gone, and this one shared its counterpart",
        HANDED_OVER: "of two that share their counterpart, the other one led until it left the scope",
        BY_HAND: BY_HAND,
    }.get(rule, f"matched by {rule}")


def _decisions(db: Connection, about: Mapping[str, Any]) -> Iterator[Event]:
    for row in rows_of(db, _DECISIONS, dict(about)):
        details = json.loads(row["details"])
        if row["action"] == "unlinked" and details["rule"] != BY_HAND:
            yield _linked(details["rule"], details["linked_at"], row["bc_id"])
        text = ", ".join(f"{key}: {_plain(value)}" for key, value in details.items())
        yield {
            "at": stamp(row["done_at"]),
            "event": row["action"],
            "by": row["done_by"],
            "shop_id": row["shop_id"],
            "bc_id": row["bc_id"],
            "details": details,
            "text": "; ".join(filter(None, (f"by {row['done_by']}", row["bc_id"], text))),
        }


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(map(str, value))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _edits(
    db: Connection, flow: Flow, about: dict[str, Any], made: Sequence[Mapping[str, Any]]
) -> Iterator[Event]:
    for row in rows_of(db, _UNDER_WAY, about):
        name = labels(flow, row["part"], row["shop_id"], prop=row["property"])[0]
        yield _edited(row["edited_at"], row["side"], name, note="not carried over yet")
    for row in rows_of(db, _CONFLICTS, about):
        name = labels(flow, row["part"], row["shop_id"], prop=row["property"])[0]
        for side in Side:
            if edited_at := row[f"{side.short}_edited_at"]:
                yield _edited(edited_at, str(side), name, note=f"to {quoted(row[f'{side.short}_value'])}")
    created = {one["target"]: one["ended_at"] for one in made if one["operation"] == "create"}
    for row in rows_of(db, _EDITED, about):
        if (stamp(row["edited_at"]) or "") <= (created.get(row["side"]) or ""):
            continue  # nobody touched it since we made it
        left = f", {row['gone']} since" if row["gone"] else ""
        yield _edited(row["edited_at"], row["side"], None, note=f"the last edit seen{left}")


def _edited(at: datetime, side: str, prop: str | None, *, note: str) -> Event:
    text = f"{side}: {prop} {note}" if prop else f"{side}: {note}"
    return {"at": stamp(at), "event": "edited", "side": side, "property": prop, "text": text}


def _wrote(write: Mapping[str, Any]) -> Event:
    event = {"done": "wrote", "refused": "refused"}.get(write["outcome"], f"write {write['outcome']}")
    reason = f"; {write['reason']}" if write["reason"] else ""
    return {**write, "event": event, "text": f"{write['operation']} in {write['target']}{reason}"}


def _conflict(flow: Flow, row: Mapping[str, Any]) -> Event:
    name = labels(flow, row["part"], row["shop_id"], prop=row["property"])[0]
    by = f", {whose(row)}" if row["decided_by"] or row["acknowledged_by"] else ""
    values = f"customwebshop {quoted(row['shop_value'])}, businesscentral {quoted(row['bc_value'])}"
    text = f"{name}: {values}: {row['winner']} won {by_rule(row['rule'])}{by}"
    return {"at": row["recorded_at"], "event": "conflict", **row, "text": text}


def by_rule(rule: str) -> str:
    """Why the winner of a conflict won."""
    why = {POSTED: "since it had been posted", RESTORED: "since a restore lost the other value"}
    return why.get(rule, f"by {rule}")


def whose(row: Mapping[str, Any]) -> str:
    """Who decided a conflict, or took note of it, for a person."""
    if row["decided_by"]:
        return f"decided by {row['decided_by']}"
    return f"acknowledged by {row['acknowledged_by']}" if row["acknowledged_by"] else ""


def _status(db: Connection, about: dict[str, Any]) -> Iterator[Event]:
    for row in rows_of(db, _STATUS, about):
        yield {"at": stamp(row["since"]), "event": row["state"], "text": row["reason"]}
