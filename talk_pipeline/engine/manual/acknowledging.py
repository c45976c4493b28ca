"""What a person says to have seen: conflicts that were decided, and records that were lost; shown until then.

It changes nothing that a run looks at, so that no run has anything to carry out by it.
"""

from datetime import datetime
from typing import Any

from talk_pipeline.engine.manual.decisions import Decision, Hand
from talk_pipeline.engine.manual.lookup import Entity, find
from talk_pipeline.engine.plan.losses import losses
from talk_pipeline.engine.state.connection import now
from talk_pipeline.engine.state.rows import used_in
from talk_pipeline.wording import counted

_ACKNOWLEDGE = """
update conflict set acknowledged_by = $by, acknowledged_at = $at
where flow = $flow and acknowledged_at is null
  and recorded_at <= $until and recorded_at >= coalesce($since, recorded_at)
  and ($shop_id is null
  or part = $flow and shop_id = $shop_id
  or starts_with(part, $flow || '.') and starts_with(shop_id, $shop_id || '/'))
"""

_LOSSES = """
update loss set acknowledged_by = $by, acknowledged_at = $at
where flow = $flow and bc_id in (select unnest($bc_ids::varchar[]))
"""


def acknowledge(
    hand: Hand, text: str | None = None, *, since: datetime | None = None, until: datetime | None = None
) -> Decision:
    """Acknowledges conflicts and lost records of a flow: all of them or those of one record.

    Args:
        hand: who says so.
        text: the record, by an id or a key.
        since: only what was recorded from then on, UTC without an offset.
        until: only what was recorded up to then, likewise; by default, up to when they said so.

    Returns:
        What was done; `details` holds `conflicts` and `losses`, how many.

    Raises:
        ByHandError: there is no such record.
    """
    entity = find(hand.db, hand.flow, text) if text is not None else None
    asked: dict[str, Any] = {
        "flow": hand.flow.name,
        "shop_id": entity.shop_id or "" if entity else None,
        "since": since,
        "until": until or hand.said_at,
        "by": hand.by,
        "at": now(),
    }
    seen = {"conflicts": _changed(hand, _ACKNOWLEDGE, asked)}
    asked["bc_ids"] = _lost(hand, entity, asked["since"], asked["until"])
    seen["losses"] = _changed(hand, _LOSSES, asked)
    ids = (entity.shop_id, entity.bc_id) if entity else (None, None)
    told = in_numbers(conflicts=seen["conflicts"], losses=seen["losses"])
    message = f"{entity.name if entity else hand.flow.name}: {told} acknowledged"
    return Decision(hand.flow.name, "acknowledged", *ids, message, seen, for_a_run=False)


def in_numbers(*, conflicts: int, losses: int) -> str:
    """How much there is to acknowledge, for a person; lost records are rare."""
    lost = f" and {counted(losses, 'lost record')}" if losses else ""
    return f"{counted(conflicts, 'conflict')}{lost}"


def _lost(hand: Hand, entity: Entity | None, since: datetime | None, until: datetime) -> list[str]:
    """What Business Central called the lost records that are meant: it gives no id out twice."""
    told = [one for one in losses(hand.db, hand.flow) if (since or one.lost_at) <= one.lost_at <= until]
    return [
        one.bc_id
        for one in told
        if entity is None or one.shop_id == entity.shop_id or one.bc_id == entity.bc_id
    ]


def _changed(hand: Hand, statement: str, asked: dict[str, Any]) -> int:
    row = hand.db.execute(statement, used_in(statement, asked)).fetchone()
    return int(row[0]) if row else 0
