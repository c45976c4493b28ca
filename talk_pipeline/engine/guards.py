"""The circuit breaker: how much a plan would change, and whether that is plausible.

Creating what is missing is the pipeline's purpose and does not count; rewriting or deleting a large share of
what is in step does, and so do records that disappeared in numbers.
"""

from dataclasses import dataclass

from talk_pipeline.engine.snapshots import watermark
from talk_pipeline.engine.state import Connection
from talk_pipeline.flows.properties import Side
from talk_pipeline.flows.vocabulary import Flow


@dataclass(frozen=True, slots=True)
class Volume:
    """How much of a flow a plan would rewrite.

    Attributes:
        touched: linked pairs with a change to write, first meetings and creates not counted.
        links: active links.
        reason: why that is too much, None when it is safe.
    """

    touched: int
    links: int
    reason: str | None

    @property
    def safe(self) -> bool:
        """Whether the sinks may write without a person's approval."""
        return self.reason is None


_TOUCHED = """
select count(distinct coalesce(root_shop_id, root_bc_id)) from change
where flow = $flow and withheld is null and root_shop_id is not null and root_bc_id is not null
  -- two records that meet for the first time have no base; a property new in the mapping meets old pairs
  and (rule <> 'initial' or exists (select 1 from base b where b.part = change.part and b.shop_id = change.shop_id))
"""


def volume(db: Connection, flow: Flow) -> Volume:
    """The volume of the plan in the table of changes."""
    touched = _count(db, _TOUCHED, flow.name)
    links = _count(db, "select count(*) from link where part = $flow and state = 'active'", flow.name)
    breaker = flow.settings.breaker
    reasons = [f"{side}: {problem}" for side in Side if (problem := watermark(db, flow.name, side).problem)]
    if touched >= breaker.minimum and touched > breaker.share * links:
        reasons.append(
            f"{touched} of {links} linked pairs would change, more than the {breaker.share:.0%} allowed"
        )
    return Volume(touched, links, "; ".join(reasons) or None)


def _count(db: Connection, query: str, flow: str) -> int:
    row = db.execute(query, {"flow": flow}).fetchone()
    return int(row[0]) if row else 0
