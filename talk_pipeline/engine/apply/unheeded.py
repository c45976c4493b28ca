"""Values that a system accepted and did not take: it answers with success and holds what it held before.

That is a refusal of these properties and no edit of the receiver, else the user's word would be put back to what
the other system kept, without anybody being told. What the receiver stored as something new is not meant here: it
flows back as its edit (`apply.bases`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from talk_pipeline.engine.model import BEGUN, SEND_WITH, UNDO, Operation, Sent
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.snapshot.holding import took
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.texts import Country, Currency
from talk_pipeline.flows.types import Flag
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Part


@dataclass(frozen=True, slots=True)
class Answer:
    """What a record or child holds after a write, as the system that was written to says."""

    side: Side
    raw: Mapping[str, Any]
    canon: Mapping[str, Any]
    company: Company

    def differs(self, prop: Property, value: Value) -> bool:
        """Whether the side holds something else than a value of its own, by what the two mean."""
        canon = self.canon.get(prop.name)
        return not took(prop, value, self.side, raw=self.raw, canon=canon, company=self.company)

    def unheeded(self, part: Part, operation: Operation, sent: Mapping[str, Sent]) -> dict[str, Value]:
        """What was sent and is held as before, by property, with what is held.

        What Business Central may have worked out anew, since it took another value of the same request, is not
        among them: that goes once more, by itself. Nor is a property of which the flow says that its word is the
        receiver's in any case.
        """
        if operation == "delete":
            return {}
        unheeded: dict[str, Value] = {}
        for name, one in sent.items():
            prop = part.by_name[name]
            if one.rule in (SEND_WITH, UNDO, BEGUN) or prop.only or name not in self.canon:
                continue
            if prop.conflict == self.side or not self.differs(prop, one.sent):
                continue
            if self._as_new(prop) if operation == "create" else self._as_before(prop, one.before):
                unheeded[name] = self.raw.get(name)
        return unheeded

    def _as_before(self, prop: Property, before: Value) -> bool:
        return self.raw.get(prop.name) == before or not self.differs(prop, before)

    def _as_new(self, prop: Property) -> bool:
        """Whether this is what a new record holds of itself: a blank, or the default from a closed list.

        Business Central has no blank numbers: there zero says nothing. Of free text and numbers a value of the
        receiver's own may be another spelling of what was sent; of a closed list it is not.
        """
        current = self.raw.get(prop.name)
        if (
            current is None
            or (prop.is_number and self.canon[prop.name] == "0")
            or not self.differs(prop, None)
        ):
            return True
        closed = isinstance(prop.value_type, Flag | Country | Currency)
        return closed or bool(prop.values) or prop.refers_to is not None
