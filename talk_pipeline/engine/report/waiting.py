"""What waits for a person, as it is told: the kinds of it, a row of the table, and how many there are.

Who finds it is `report.attention`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from talk_pipeline.engine.report.ages import age, seconds_since
from talk_pipeline.engine.state.connection import stamp


class Kind(StrEnum):
    """Why something waits for a person, the most urgent first."""

    STOPPED = "stopped"  # a blocking check stopped the flow's last run
    FAILED = "failed"  # a check of what is held, such as that no two records carry one create key
    UNANSWERED = "unanswered"  # a write without an answer, past the time in which one may come
    UNDECIDED = "undecided"  # an open conflict under the policy `manual`, a row a property
    REFUSED = "refused"  # quarantined, since a system said no
    QUARANTINED = "quarantined"  # quarantined for any other reason
    AMBIGUOUS = "ambiguous"
    LOST = "lost"  # a restored system lost it, and nobody has acknowledged that
    BROKEN = "broken"
    FLAGGED = "flagged"  # a case that the flow lists and nothing acts on
    HELD = "held"
    UNACKNOWLEDGED = "unacknowledged"  # a decided conflict that nobody has seen, a row a property


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits for a person.

    Attributes:
        number: the record's key, and `name` what people call it; None where a whole flow waits.
        state: of the record, as `explain` tells it.
        since: UTC without an offset; None where it is not known.
    """

    kind: Kind
    flow: str
    shop_id: str | None
    bc_id: str | None
    number: str | None
    name: str | None
    state: str
    reason: str
    since: datetime | None
    next_step: str

    def document(self) -> dict[str, Any]:
        """For scripts: the attributes, and `age_seconds`."""
        return {
            "kind": str(self.kind),
            "flow": self.flow,
            "shop_id": self.shop_id,
            "bc_id": self.bc_id,
            "number": self.number,
            "name": self.name,
            "state": self.state,
            "reason": self.reason,
            "since": stamp(self.since),
            "age_seconds": seconds_since(self.since) if self.since else None,
            "next_step": self.next_step,
        }

    def row(self) -> dict[str, str]:
        """For a table of people."""
        return {
            "kind": str(self.kind),
            "flow": self.flow,
            "number": self.number or self.shop_id or self.bc_id or "",
            "name": self.name or "",
            "reason": self.reason,
            "next step": self.next_step,
            "age": age(self.since),
            "state": self.state,
        }


COLUMNS = ("kind", "flow", "number", "name", "reason", "next step", "age", "state")


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a person.

    Attributes:
        items: the most urgent kind first, of each the oldest; as many as were asked for.
        counts: how many there are of each kind, none left out.
    """

    items: list[Item]
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """How many there are in all."""
        return sum(self.counts.values())
