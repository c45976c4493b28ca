"""What is not in step and why, record by record: what a person works through, the oldest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from talk_pipeline.engine.kinds import HoldKind, Status
from talk_pipeline.engine.report.agreement import LISTED_ROWS
from talk_pipeline.engine.report.not_created import NOT_CREATED
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import rows_of
from talk_pipeline.flows.vocabulary import Flow

# a state that needs nobody: what is outside the flow, what has ended, and what another one leads
_AT_REST = (Status.EXCLUDED, Status.CLOSED, Status.ATTACHED)

# kinds that put the record itself into a state
_TOLD_BY_STATE = tuple(kind for kind in HoldKind if kind.label in tuple(Status))


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """A record that is not in step, or some properties of it.

    Attributes:
        number, name: what people know it by, where it has such.
        state: a state of table `status`, or the kind of what is held back of a record that has none.
        properties: those that are held back, where the record as a whole is not.
        since: when that began, None where nobody knows.
    """

    shop_id: str | None
    bc_id: str | None
    number: str | None
    name: str | None
    state: str
    properties: str | None
    reason: str
    since: datetime | None


_OPEN = f"""
with open as (
  select st.shop_id, l.bc_id, st.state, null as properties, st.reason, st.since
  from status st left join link l on l.part = st.flow and l.shop_id = st.shop_id
  where st.flow = $flow and st.state not in ({", ".join(f"'{state}'" for state in _AT_REST)})
  union all
  select null, bc_id, '{Status.QUARANTINED}', null, reason, since from ({NOT_CREATED})
  union all
  select c.root_shop_id, c.root_bc_id, c.hold_kind, string_agg(distinct
           case when c.part = c.flow then '' else substr(c.part, length(c.flow) + 2) || '.' end
             || c.property, ', '),
         c.hold_reason, min(e.edited_at)
  from change c left join edit e on e.part = c.part and e.shop_id = c.shop_id and e.property = c.property
  where c.flow = $flow and c.hold_kind not in ({", ".join(f"'{kind}'" for kind in _TOLD_BY_STATE)})
  group by c.root_shop_id, c.root_bc_id, c.hold_kind, c.hold_reason
)
select o.*, coalesce(s.raw[$key], b.raw[$key]) as number, coalesce(s.raw[$label], b.raw[$label]) as name,
       count(*) over () as total
from open o
left join record s on s.part = $flow and s.side = 'customwebshop' and s.id = o.shop_id
left join record b on b.part = $flow and b.side = 'businesscentral' and b.id = o.bc_id
order by o.since nulls last, o.shop_id, o.state, o.reason limit {LISTED_ROWS}
"""


def open_records(db: Connection, flow: Flow) -> tuple[int, Sequence[OpenRecord]]:
    """How many there are, and the first `LISTED_ROWS`."""
    key, label = flow.create_key, flow.shown_by
    rows = rows_of(db, _OPEN, {"flow": flow.name, "key": key, "label": label})
    total = int(rows[0]["total"]) if rows else 0
    return total, [OpenRecord(**{k: v for k, v in row.items() if k != "total"}) for row in rows]
