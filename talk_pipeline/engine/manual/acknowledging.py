"""What a person says to have seen: conflicts that were decided, which are shown until then.

It changes nothing that a run looks at, so that no run has anything to carry out by it.
"""

from datetime import datetime

from talk_pipeline.engine.manual.links import Decision, Hand
from talk_pipeline.engine.manual.lookup import find
from talk_pipeline.engine.state.connection import now
from talk_pipeline.wording import counted

_ACKNOWLEDGE = """
update conflict set acknowledged_by = $by, acknowledged_at = $at
where flow = $flow and acknowledged_at is null and recorded_at <= $until and ($shop_id is null
  or part = $flow and shop_id = $shop_id
  or starts_with(part, $flow || '.') and starts_with(shop_id, $shop_id || '/'))
"""


def acknowledge(hand: Hand, text: str | None = None, *, until: datetime | None = None) -> Decision:
    """Acknowledges conflicts of a flow: all of them or those of one record.

    Args:
        hand: who says so.
        text: the record, by an id or a key.
        until: only those that were recorded up to then, UTC without an offset.

    Returns:
        What was done; `details` holds `conflicts`, how many.

    Raises:
        ByHandError: there is no such record.
    """
    entity = find(hand.db, hand.flow, text) if text is not None else None
    asked = {
        "flow": hand.flow.name,
        "shop_id": entity.shop_id or "" if entity else None,
        "until": until or now(),
        "by": hand.by,
        "at": now(),
    }
    row = hand.db.execute(_ACKNOWLEDGE, asked).fetchone()
    number = int(row[0]) if row else 0
    ids = (entity.shop_id, entity.bc_id) if entity else (None, None)
    message = f"{entity.name if entity else hand.flow.name}: {counted(number, 'conflict')} acknowledged"
    return Decision(hand.flow.name, "acknowledged", *ids, message, {"conflicts": number}, for_a_run=False)
