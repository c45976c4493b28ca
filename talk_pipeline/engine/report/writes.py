"""What a run wrote, value by value: what was there before, why it was written, and what came of it."""

from typing import Any

from talk_pipeline.engine.manual.lookup import labels
from talk_pipeline.engine.model import SEND_WITH
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import rows_of
from talk_pipeline.flows.vocabulary import Flow

COLUMNS = ("number", "property", "before", "after", "target", "operation", "rule", "outcome", "reason")

# what did not succeed first, then what goes, what changes and what is new, of each the newest first; what only went
# along unchanged is none of it
_WRITES = f"""
with told as (
  select w.*, j.reason, coalesce(w.outcome, 'unknown') as ended,
         list_position(['delete', 'update', 'create'], w.operation) as kind
  from written w join journal j on j.intent_id = w.intent_id
  where w.flow = $flow and w.run_id = $run_id and w.rule is distinct from '{SEND_WITH}'
    and (w.property is null or w.operation <> 'create' or w.sent is not null)
),
counted as (
  select *, count(*) over () as total from told
  order by ended = 'done', kind, intent_at desc, intent_id, place, nth limit $most
)
select coalesce(s.raw[$key], b.raw[$key], c.root_shop_id, c.root_bc_id) as number, c.part, c.shop_id, c.bc_id,
       c.root_shop_id, c.root_bc_id, c.property, c.before, c.sent as after, c.target, c.operation, c.rule,
       c.ended as outcome, c.reason, c.intent_at, c.total
from counted c
left join record s on s.part = $flow and s.side = 'customwebshop' and s.id = c.root_shop_id
left join record b on b.part = $flow and b.side = 'businesscentral' and b.id = c.root_bc_id
order by c.ended = 'done', c.kind, c.intent_at desc, c.intent_id, c.place, c.nth
"""

ALL = 2**62


def writes_of(
    db: Connection, flow: Flow, *, run_id: str, most: int = ALL
) -> tuple[int, list[dict[str, Any]]]:
    """The values that a run sent of a flow.

    Args:
        db: the state.
        flow: the flow.
        run_id: the run.
        most: how many rows at the most.

    Returns:
        How many there are, and the first of them: `COLUMNS`, `flow`, the record's `shop_id` and `bc_id`, and `at`,
        UTC without an offset. One without values, such as a deletion, has one row without a property.
    """
    asked = {"flow": flow.name, "run_id": run_id, "key": flow.create_key, "most": most}
    rows = rows_of(db, _WRITES, asked)
    return (rows[0]["total"] if rows else 0), [_told(flow, row) for row in rows]


def _told(flow: Flow, row: dict[str, Any]) -> dict[str, Any]:
    label = labels(flow, row["part"], row["shop_id"] or row["bc_id"], prop=row["property"] or "")[0]
    about = {
        "flow": flow.name,
        "shop_id": row["root_shop_id"],
        "bc_id": row["root_bc_id"],
        "at": row["intent_at"],
    }
    return {name: row[name] for name in COLUMNS} | {"property": label.removesuffix(".") or None} | about
