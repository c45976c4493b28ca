"""A plan as a person looks at it: how many operations it holds, and its changes one by one.

Nothing is decided here: what is planned is `diffs`' business, how much of it is plausible `guards`'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from talk_pipeline.engine.agreement import SHOWN_ROWS
from talk_pipeline.engine.entities import rows_of
from talk_pipeline.engine.state import Connection

PREVIEWED = ("target", "operation", "record", "property", "before", "after", "rule", "withheld")


@dataclass(frozen=True, slots=True)
class Operations:
    """How many records one operation concerns on one side; `withheld` ones are not written now."""

    target: str
    operation: str
    planned: int
    withheld: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a flow.

    Attributes:
        operations: by side and operation.
        changes: how many changes of properties there are, withheld ones counted.
        shown: the first of them, as `PREVIEWED` names their columns.
    """

    operations: Sequence[Operations]
    changes: int
    shown: Sequence[dict[str, Any]]


_PREVIEW = f"""
select target, operation, coalesce(shop_id, bc_id) as record, property, before, after, rule, withheld
from change where flow = $flow order by all limit {SHOWN_ROWS}
"""

_OPERATIONS = """
select target, operation,
       count(distinct (part, shop_id, bc_id)) filter (withheld is null) as planned,
       count(distinct (part, shop_id, bc_id)) filter (withheld is not null) as withheld
from change where flow = $flow group by all order by all
"""


def plan_of(db: Connection, flow: str) -> Plan:
    """What the table of changes holds of a flow.

    Each query is read to its end before the next one: a connection keeps only the latest result.
    """
    row = db.execute("select count(*) from change where flow = ?", [flow]).fetchone()
    return Plan(
        operations=[Operations(**one) for one in rows_of(db, _OPERATIONS, {"flow": flow})],
        changes=int(row[0]) if row else 0,
        shown=rows_of(db, _PREVIEW, {"flow": flow}),
    )
