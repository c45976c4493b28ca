"""Conflicts that were decided and that nobody has acknowledged yet: which edit lost, and to what.

A conflict stays visible until a person says that it was seen, however many runs follow; those of a person's own
decision (`resolve`) are known to somebody from the start.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.manual.lookup import labels
from talk_pipeline.engine.report.ages import age, seconds_since
from talk_pipeline.engine.report.agreement import LISTED_ROWS
from talk_pipeline.engine.report.findings import Check, CheckContext, Finding, in_words
from talk_pipeline.engine.state.connection import Connection, stamp
from talk_pipeline.engine.state.rows import rows_of
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Flow

# conflicts under the policy `manual` that nobody has decided as they are now: the changes, with both values
UNDECIDED = f"""
select o.* from (
  select *, case target when 'customwebshop' then before else after end as shop_value,
         case target when 'customwebshop' then after else before end as bc_value
  from change where flow = $flow and hold_kind = '{HoldKind.MANUAL}') o
left join resolution r on r.part = o.part and r.shop_id = o.shop_id and r.property = o.property
  and r.shop_value is not distinct from o.shop_value and r.bc_value is not distinct from o.bc_value
where r.part is null
"""

# of one run, and those that are open
OF_RUN = f"""
select shop_id, property, rule, winner, shop_value, bc_value, shop_edited_at, bc_edited_at from conflict
where flow = $flow and run_id = $run_id
union all
select shop_id, property, rule, 'open', case target when 'customwebshop' then before else after end,
       case target when 'customwebshop' then after else before end,
       (select any_value(edited_at) from edit s where s.part = change.part and s.shop_id = change.shop_id
        and s.property = change.property and s.side = 'customwebshop'),
       (select any_value(edited_at) from edit s where s.part = change.part and s.shop_id = change.shop_id
        and s.property = change.property and s.side = 'businesscentral')
from change where flow = $flow and hold_kind = '{HoldKind.MANUAL}'
order by 1, 2
"""

_UNACKNOWLEDGED = """
with known as (
  select *, rowid as nth, case when part = flow then shop_id else regexp_replace(shop_id, '/[^/]*$', '') end as root
  from conflict
  where flow = $flow and acknowledged_at is null and recorded_at >= coalesce($since, recorded_at)
  order by recorded_at desc, nth desc limit coalesce($most, 9223372036854775807)
)
select k.flow, k.part, k.shop_id, k.bc_id, k.root, coalesce(s.raw[$key], b.raw[$key]) as number,
       coalesce(s.raw[$label], b.raw[$label]) as name, k.property, k.shop_value, k.bc_value, k.rule, k.winner,
       k.run_id, k.recorded_at, l.bc_id as root_bc_id
from known k
left join link l on l.part = $flow and l.shop_id = k.root
left join record s on s.part = $flow and s.side = 'customwebshop' and s.id = k.root
left join record b on b.part = $flow and b.side = 'businesscentral' and b.id = l.bc_id
order by k.recorded_at desc, k.nth desc
"""

_HOW_MANY = "select count(*) from conflict where flow = $flow and acknowledged_at is null"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A conflict that was decided and not yet acknowledged.

    Attributes:
        shop_id, bc_id: the record's, where a child of it is concerned too.
        number: the record's key, as far as it is still known; `name`: what people call it.
        prop: the property, as `resolve` takes it; of a child `lines[id].name`.
        recorded_at: UTC without an offset.
    """

    flow: str
    shop_id: str
    bc_id: str | None
    number: str | None
    name: str | None
    prop: str
    shop_value: Value
    bc_value: Value
    rule: str
    winner: Side
    run_id: str
    recorded_at: datetime

    @property
    def loser(self) -> Side:
        """The side whose value was overwritten."""
        return self.winner.other

    @property
    def lost(self) -> Value:
        """The value that was overwritten."""
        return self.shop_value if self.loser is Side.SHOP else self.bc_value

    def document(self) -> dict[str, Any]:
        """For scripts: the attributes, with `loser`, `lost` and `age_seconds`."""
        return {
            "at": stamp(self.recorded_at),
            "age_seconds": seconds_since(self.recorded_at),
            "flow": self.flow,
            "shop_id": self.shop_id,
            "bc_id": self.bc_id,
            "number": self.number,
            "name": self.name,
            "property": self.prop,
            "customwebshop": self.shop_value,
            "businesscentral": self.bc_value,
            "rule": self.rule,
            "winner": str(self.winner),
            "loser": str(self.loser),
            "lost": self.lost,
            "run": self.run_id,
        }


def unacknowledged(
    db: Connection, flows: Iterable[Flow], *, since: datetime | None = None, most: int | None = None
) -> list[Conflict]:
    """The conflicts that nobody has acknowledged, the newest first.

    Args:
        db: the state.
        flows: whose.
        since: only what was recorded from then on, UTC without an offset; by default all, however long ago.
        most: how many of each flow, by default all.
    """
    found = [
        _conflict(flow, row)
        for flow in flows
        for row in rows_of(
            db,
            _UNACKNOWLEDGED,
            {
                "flow": flow.name,
                "since": since,
                "most": most,
                "key": flow.create_key,
                "label": flow.shown_by,
            },
        )
    ]
    return sorted(found, key=lambda one: one.recorded_at, reverse=True)


def undecided(db: Connection, flows: Iterable[Flow]) -> int:
    """How many open conflicts (policy `manual`) nobody has decided, of whatever age."""
    return sum(len(rows_of(db, UNDECIDED, {"flow": flow.name})) for flow in flows)


def _conflict(flow: Flow, row: dict[str, Any]) -> Conflict:
    return Conflict(
        flow=flow.name,
        shop_id=row["root"],
        bc_id=row["bc_id"] if row["part"] == flow.name else row["root_bc_id"],
        number=row["number"],
        name=row["name"],
        prop=labels(flow, row["part"], row["shop_id"], prop=row["property"])[0],
        shop_value=row["shop_value"],
        bc_value=row["bc_value"],
        rule=row["rule"],
        winner=Side(row["winner"]),
        run_id=row["run_id"],
        recorded_at=row["recorded_at"],
    )


def _all_acknowledged(context: CheckContext) -> Finding:
    flow = context.flow
    row = context.db.execute(_HOW_MANY, {"flow": flow.name}).fetchone()
    found = row[0] if row else 0
    rows = tuple(
        {
            "recorded_at": one.recorded_at,
            "age": age(one.recorded_at),
            "number": one.number or one.shop_id,
            "property": one.prop,
            "rule": one.rule,
            "loser": str(one.loser),
            "lost": one.lost,
            "shop_value": one.shop_value,
            "bc_value": one.bc_value,
            "run": one.run_id,
        }
        for one in (unacknowledged(context.db, [flow], most=LISTED_ROWS) if found else ())
    )
    summary = in_words(found, "conflict", " that nobody has acknowledged")
    return Finding(not found, "WARN", summary, found, rows)


ACKNOWLEDGED = Check(
    "conflicts_acknowledged",
    "Every edit that was overwritten is known to somebody",
    "sync",
    _all_acknowledged,
)
