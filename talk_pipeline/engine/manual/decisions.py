"""A decision of a person, and whose it is: noted with who and when, and carried out by the next sync.

What can be decided is told by the modules beside this one. Callers hold the leases of `concerned`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from talk_pipeline.engine.snapshot.dirty import touch
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import insert
from talk_pipeline.engine.state.tables import DecisionRow
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.vocabulary import Flow


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person did.

    Attributes:
        action: linked | attached | unlinked | kept apart | released | resolved | retried | restored |
            acknowledged | forgotten.
        message: what follows, for the person.
        for_a_run: whether a run has something to carry out by it.
    """

    flow: str
    action: str
    shop_id: str | None
    bc_id: str | None
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
    for_a_run: bool = True

    def document(self) -> dict[str, Any]:
        """For scripts: `flow`, `action`, `shop_id`, `bc_id`, `message`, `details`."""
        ids = {"flow": self.flow, "action": self.action, "shop_id": self.shop_id, "bc_id": self.bc_id}
        return ids | {"message": self.message, "details": dict(self.details)}


@dataclass(frozen=True, slots=True)
class Hand:
    """A person at work on one flow; `said_at` is when that was, before any run was waited for."""

    db: Connection
    flows: Flows
    flow: Flow
    by: str
    said_at: datetime = field(default_factory=now)

    def note(self, decision: Decision) -> Decision:
        """Keeps a decision, in the caller's transaction."""
        row = DecisionRow(
            flow=decision.flow,
            action=decision.action,
            shop_id=decision.shop_id,
            bc_id=decision.bc_id,
            details=decision.details,
            done_by=self.by,
            done_at=now(),
        )
        insert(self.db, [row])
        touch(self.db, decision.flow)
        return decision


def concerned(flows: Flows, name: str) -> tuple[str, ...]:
    """The flows whose records a decision in this flow may touch: itself, and those that refer to it."""
    return (name, *(other.name for other in flows.values() if name in other.refers_to and other.name != name))
