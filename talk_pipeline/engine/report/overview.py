"""Where the flows are: when each was last carried through, and what of it is under way."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from talk_pipeline.engine.report.ages import seconds_since
from talk_pipeline.engine.state.connection import Connection, stamp
from talk_pipeline.engine.state.rows import rows_of

# a flow is carried through once it is settled; a dry run carries nothing through
_CARRIED_THROUGH = """
select r.run_id, r.started_at from run r
where r.flow = $flow and not r.dry_run and r.problem is null and r.stopped_by is null
  and exists (from stage s where s.run_id = r.run_id and s.flow = r.flow and s.name = 'settle')
order by r.started_at desc limit 1
"""

_OPEN_REQUESTS = """
select count(*) as number, min(open_until) as until from journal where flow = $flow and is_open(outcome)
"""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where one flow is.

    Attributes:
        run_id: the last run that carried it through, None where none did.
        in_step_at: when that run began, UTC without an offset: what was edited before was there for it to see.
        open_requests: those whose outcome is not known.
        open_until: when the first of them is certainly over.
    """

    flow: str
    run_id: str | None
    in_step_at: datetime | None
    open_requests: int
    open_until: datetime | None

    def document(self) -> dict[str, Any]:
        """For scripts: the attributes, and how far the flow lags behind."""
        return {
            "last_success": self.run_id,
            "in_step_at": stamp(self.in_step_at),
            "lag_seconds": seconds_since(self.in_step_at) if self.in_step_at else None,
            "open_requests": self.open_requests,
            "open_until": stamp(self.open_until),
        }


def whereabouts(db: Connection, flows: Iterable[str]) -> list[Whereabouts]:
    """Where the flows are, in their order."""
    return [_where(db, flow) for flow in flows]


def _where(db: Connection, flow: str) -> Whereabouts:
    done = next(iter(rows_of(db, _CARRIED_THROUGH, {"flow": flow})), {"run_id": None, "started_at": None})
    (open_ones,) = rows_of(db, _OPEN_REQUESTS, {"flow": flow})
    return Whereabouts(flow, done["run_id"], done["started_at"], open_ones["number"], open_ones["until"])
