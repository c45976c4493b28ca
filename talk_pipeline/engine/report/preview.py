"""A plan as a person looks at it: how many operations it holds, and its changes one by one.

What is planned is decided in `plan.compare`, how much of it is plausible in `plan.circuit_breaker`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.report.agreement import LISTED_ROWS
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import rows_of
from talk_pipeline.flows.vocabulary import Flow

LARGEST = 20
OPERATIONS = ("create", "update", "delete")
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
        rows: the first of them, as `PREVIEWED` names their columns; whose they are: `root_shop_id`, `root_bc_id`.
    """

    operations: Sequence[Operations]
    changes: int
    rows: Sequence[dict[str, Any]]


_PREVIEW = f"""
select target, operation, coalesce(shop_id, bc_id) as record, property, before, after, rule,
       withheld(hold_kind, hold_reason) as withheld, root_shop_id, root_bc_id
from change where flow = $flow order by all limit {LISTED_ROWS}
"""

_OPERATIONS = """
select target, operation,
       count(distinct (part, shop_id, bc_id)) filter (hold_kind is null) as planned,
       count(distinct (part, shop_id, bc_id)) filter (hold_kind is not null) as withheld
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
        rows=rows_of(db, _PREVIEW, {"flow": flow}),
    )


# By the weight of what happens: a record that goes, then updates, then what is new; among updates the records
# with most to change, and of each record first what changes most: a value that is emptied, a number by the share
# it moves, a text by how little is left of it. Each record shows one change before any shows a second one.
_LARGEST = f"""
with planned as (
  select c.*, coalesce(c.root_shop_id, c.root_bc_id) as root,
         coalesce(s.raw[$key], b.raw[$key], root) as number, coalesce(s.raw[$label], b.raw[$label]) as name,
         c.part = $flow as own,
         case when own then c.property else substr(c.part, length($flow) + 2) || '.' || c.property end as told,
         case when own then list_position(['delete', 'update', 'create'], c.operation) else 2 end as kind,
         try_cast(before as double) as was, try_cast(after as double) as becomes
  from change c
  left join record s on s.part = $flow and s.side = 'customwebshop' and s.id = c.root_shop_id
  left join record b on b.part = $flow and b.side = 'businesscentral' and b.id = c.root_bc_id
  where c.flow = $flow and (c.hold_kind is null or c.hold_kind = '{HoldKind.DEFERRED}')
),
sized as (
  select *, min(kind) over (partition by root) as weight, count(*) over (partition by root) as changes,
         case when after is null then 2
              when before is null then 1
              when was is not null and becomes is not null
                then abs(was - becomes) / greatest(abs(was), abs(becomes), 1e-9)
              else 1 - jaro_similarity(before, after) end as size
  from planned
),
ranked as (
  select *, row_number() over (
      partition by root order by kind, property = $key and operation <> 'update' desc, size desc, told) as nth
  from sized
),
chosen as (
  select * from ranked order by nth > 1, weight, changes desc, number, root, nth limit {LARGEST}
)
select number, name, target, operation, told as property, before, after, changes as changes_of_record
from chosen order by weight, changes desc, number, root, nth
"""


def largest(db: Connection, flow: Flow) -> tuple[int, tuple[dict[str, Any], ...]]:
    """How many changes a plan holds, and the largest of them.

    Returns:
        The number, and at most `LARGEST` rows: `number`, `name`, `target`, `operation`, `property`, `before`,
        `after`, `changes_of_record`.
    """
    row = db.execute(
        "select count(*) from change where flow = ?"
        f" and (hold_kind is null or hold_kind = '{HoldKind.DEFERRED}')",
        [flow.name],
    ).fetchone()
    rows = rows_of(db, _LARGEST, {"flow": flow.name, "key": flow.create_key, "label": flow.shown_by})
    return int(row[0]) if row else 0, tuple(rows)
