"""The cases that a flow lists and that nothing acts on: a person decides what becomes of them."""

from typing import Any

from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import rows_of
from talk_pipeline.flows.vocabulary import Flow

_FLAGGED = """
select l.shop_id, l.bc_id, r.raw[$name] as value from link l
join record r on r.part = l.part and r.side = 'customwebshop' and r.id = l.shop_id
join snapshot b on b.flow = l.part and b.side = 'businesscentral' and b.id = l.bc_id
where l.part = $flow and l.state = 'active' and b.gone is null
  and r.raw[$name] in (select unnest($values::varchar[])) order by 1
"""


def flagged(db: Connection, flow: Flow) -> list[dict[str, Any]]:
    """The linked records that show a listed value: `shop_id`, `bc_id`, the value by its property, `reason`."""
    return [
        {"shop_id": row["shop_id"], "bc_id": row["bc_id"], name: row["value"], "reason": listed.reason}
        for listed in flow.flags
        for name, values in listed.shop.items()
        for row in rows_of(db, _FLAGGED, {"flow": flow.name, "name": name, "values": list(values)})
    ]
