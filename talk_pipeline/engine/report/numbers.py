"""By which number a system itself knows a record: what its own pages are found by."""

from collections.abc import Collection

from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import rows_of
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow

# picked by row: values are read slowly, and these are few
_NUMBERS = """
select id, raw[$property] as number from record where raw[$property] is not null and rowid in (
  select rowid from record where part = $flow and side = $side and id in (select unnest($ids::varchar[])))
"""


def numbers_of(db: Connection, flow: Flow, side: Side, ids: Collection[str]) -> dict[str, str]:
    """The numbers of records of a flow, by id.

    What a system calls `number`; where the flow maps no such property, the key by which the flow finds a record.
    """
    own = [prop.name for prop in flow.properties if prop.paths(side) == ("number",)]
    asked = {"flow": flow.name, "side": side, "ids": list(ids), "property": (own or [flow.create_key])[0]}
    return {row["id"]: row["number"] for row in rows_of(db, _NUMBERS, asked)}
