"""What the journal keeps of a request: the record or child it writes, and every value on its way."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from talk_pipeline.engine.records import Operation
from talk_pipeline.engine.units import Edit, Sent, Unit
from talk_pipeline.flows.properties import Side


@dataclass(frozen=True, slots=True)
class Intended:
    """One record or child within a request."""

    part: str
    operation: Operation
    shop_id: str | None
    bc_id: str | None
    sent: Mapping[str, Sent]


@dataclass(frozen=True, slots=True)
class Intent:
    """One request: the record or child it writes, and the children that go along in it.

    Attributes:
        natural_key: by which a created record is found again, where the receiver is told one.
        at: when it was put on disk, UTC without offset; None before that.
        left_at: when it was handed to the wire, as far as that was put on disk.
        open_until: as long as there is no answer, the receiver may be at it until then.
        interrupted: its run ended before there was any outcome.
    """

    flow: str
    target: Side
    root_shop_id: str | None
    root_bc_id: str | None
    main: Intended
    children: tuple[Intended, ...] = ()
    natural_key: str | None = None
    intent_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    at: datetime | None = None
    left_at: datetime | None = None
    open_until: datetime | None = None
    interrupted: bool = False

    @property
    def creates_record(self) -> bool:
        """Whether it makes a new record of the flow."""
        return self.main.part == self.flow and self.main.operation == "create"

    @property
    def made(self) -> tuple[Intended, ...]:
        """What would be there twice if it were carried out twice."""
        return tuple(one for one in (self.main, *self.children) if one.operation == "create")


def intended(edit: Edit, sent: Mapping[str, Sent]) -> Intended:
    """What the journal keeps of an edit."""
    return Intended(edit.part.name, edit.operation, edit.shop_id, edit.bc_id, sent)


def intent_for(
    unit: Unit, main: Intended, *, children: tuple[Intended, ...] = (), natural_key: str | None = None
) -> Intent:
    """The intent of one request of a unit."""
    return Intent(
        unit.flow.name, unit.target, unit.root_shop_id, unit.root_bc_id, main, children, natural_key
    )
