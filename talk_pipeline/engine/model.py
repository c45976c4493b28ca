"""What the rooms of the engine share, and what crosses the border to the systems.

Values are text or None on both ways (see `flows.values`): a system decodes its wire format into them and
encodes them again.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from talk_pipeline.engine.kinds import RefusalKind
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline.redaction import redacted

Operation = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Record:
    """One record as a system gave it.

    Attributes:
        id: opaque.
        version: ETag or equivalent, None where the system has none.
        modified_at: aware, None where the system does not say.
        deleted: the system itself lists it as deleted.
        payload: the JSON text as received.
    """

    id: str
    version: str | None
    modified_at: datetime | None
    deleted: bool
    payload: str


@dataclass(frozen=True, slots=True)
class Child:
    """One child of a record, such as an order line.

    Attributes:
        id: opaque, unique within its parent.
        version: its own ETag where children have one.
        values: by path in the system's own names.
    """

    id: str
    version: str | None
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a payload says, by path in the system's own names: the values a flow reads, and its children.

    Attributes:
        made_at: when the record was made, where the system tells that; it never changes.
    """

    values: Mapping[str, Value]
    children: Mapping[str, tuple[Child, ...]] = field(default_factory=dict)
    made_at: datetime | None = None


Decode = Callable[[str], Contents]


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a record whose story ended.

    Attributes:
        ids: of the records in which it goes on.
        comes_to: what these come to together, by path of the record.
        was: ids of the record itself, as those name it: none, or several where they do not agree.
        called: what those call the first of these, by path of the record.
        refers: whom they name where the record refers to another one, by path of the record, each once.
        counts: whether any of these counts; else nothing has ended, such as where every invoice was cancelled.
    """

    ids: Sequence[str]
    comes_to: Mapping[str, Value] = field(default_factory=dict)
    was: Sequence[str] = ()
    called: Mapping[str, Value] = field(default_factory=dict)
    refers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    counts: bool = True


@dataclass(frozen=True, slots=True)
class ChildEdit:
    """One child within a write of its parent, for systems that write both in one request."""

    operation: Operation
    id: str | None
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Write:
    """One request to change a system.

    Attributes:
        entity: the system's name of the collection.
        id: None on create.
        version: goes along as the condition, on update and delete.
        values: by path, in the order in which they must be sent.
        children: by path; on create the new children, on update only where the system embeds them.
        child: path of the child collection when the record written is a child.
        parent_id: the child's parent.
        current: payload of the record as last seen, for systems that send children as a whole list.
        idempotency_key: names the request, and is the same for every repetition of it.
    """

    entity: str
    operation: Operation
    id: str | None
    version: str | None
    values: Mapping[str, Value]
    idempotency_key: str
    children: Mapping[str, tuple[ChildEdit, ...]] = field(default_factory=dict)
    child: str | None = None
    parent_id: str | None = None
    current: str | None = None

    @property
    def rows(self) -> int:
        """How many records and children it writes."""
        return 1 + sum(len(edits) for edits in self.children.values())


class Result(StrEnum):
    """How a write ended."""

    DONE = "done"
    REFUSED = "refused"  # permanent for this version of the data
    STALE = "stale"  # the record changed since it was read
    GONE = "gone"  # the record is not there any more
    FAILED = "failed"  # surely not done; may be tried again
    UNKNOWN = "unknown"  # perhaps done: to be settled before anything is repeated


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a write.

    Attributes:
        record: the whole record after a successful create or update, children included.
        child: instead of it, after a write of a single child.
        reason: for a person, when it is not done.
        about_another: what was refused may be right as soon as some other record is.
        ended: the receiver itself said that it is over: of what is UNKNOWN, whatever is not there now never comes.
        refusal: what a refusal rests on.
        awaited: the receiver said that it will carry it out: what is UNKNOWN waits until it shows.
        untold: why values were not told though the rest was done, by path.
    """

    result: Result
    record: Record | None = None
    child: Child | None = None
    reason: str = ""
    about_another: bool = False
    ended: bool = False
    refusal: RefusalKind = RefusalKind.REFUSED
    awaited: bool = False
    untold: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """What a server says may repeat a secret of ours; from here on it is kept and shown."""
        if self.reason:
            object.__setattr__(self, "reason", redacted(self.reason))


SEND_WITH = "send_with"  # goes along with another property, with the value the receiver has anyway
BEGUN = "begun"  # not told yet to a new record or entry that is there: what stands there is nobody's word
UNDO = "undo"  # put back as the receiver held it: in its own words already, and to the pair an edit there


@dataclass(frozen=True, slots=True)
class Sent:
    """One value on its way: what it comes from, what goes out, what it replaces."""

    source: Value
    sent: Value
    before: Value
    rule: str = SEND_WITH
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Intended:
    """One record or child within a request."""

    part: str
    operation: Operation
    shop_id: str | None
    bc_id: str | None
    sent: Mapping[str, Sent]

    def id_on(self, side: Side) -> str | None:
        """Its id on a side, None where it is not there yet."""
        return self.shop_id if side is Side.SHOP else self.bc_id

    def source_id(self, target: Side) -> str | None:
        """On the side that it does not go to: the id of what it says."""
        return self.id_on(target.other)


@dataclass(frozen=True, slots=True)
class Intent:
    """One request: the record or child it writes, and the children that go along in it.

    Attributes:
        natural_key: by which a created record is found again, where the receiver is told one.
        at: when it was put on disk, UTC without offset; None before that.
        left_at: when it was handed to the wire, as far as that was put on disk.
        open_until: as long as there is no answer, the receiver may be at it until then.
        skew_seconds: how far the receiver's clock was ahead of ours when that was said.
        interrupted: its run ended before there was any outcome.
        reason: what was said of it when it was sent, for people.
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
    skew_seconds: float = 0.0
    interrupted: bool = False
    reason: str | None = None

    @property
    def target_root_id(self) -> str | None:
        """The id of its record on the side that it goes to, None where it makes one."""
        return self.root_shop_id if self.target is Side.SHOP else self.root_bc_id

    @property
    def creates_record(self) -> bool:
        """Whether it makes a new record of the flow."""
        return self.main.part == self.flow and self.main.operation == "create"

    @property
    def made(self) -> tuple[Intended, ...]:
        """What would be there twice if it were carried out twice."""
        return tuple(one for one in (self.main, *self.children) if one.operation == "create")


@dataclass(frozen=True, slots=True)
class UnheededValue:
    """One value that was not taken.

    Attributes:
        intent_id: the request it went with.
        shop_id: of the record or child, in the shop.
        current: what the receiver holds instead.
        why: it was not even told, if that is so.
    """

    intent_id: str
    part: str
    shop_id: str
    target: Side
    name: str
    current: Value
    why: str = ""

    @property
    def reason(self) -> str:
        """For a person."""
        if self.why:
            return f"{self.name}: {self.why}"
        current = "nothing" if self.current is None else repr(self.current)
        return f"{self.name}: {self.target} accepted it with success, but still holds {current}"


@dataclass(frozen=True, slots=True)
class UnkeptValue:
    """One value that does not stay beside another one.

    Attributes:
        shop_id: of the record or child, in the shop.
        beside: the properties that set it anew.
        taken: what was sent and taken before that.
        current: what Business Central holds instead.
    """

    part: str
    shop_id: str
    name: str
    beside: tuple[str, ...]
    taken: Value
    current: Value
    target: Side = Side.BC

    @property
    def reason(self) -> str:
        """For a person."""
        others = " and ".join(self.beside)
        return f"{self.name}: {self.target} took {self.taken!r}, and made it {self.current!r} again with {others}"


RefusedValue = UnheededValue | UnkeptValue


class ByHandError(ValueError):
    """What a person asked for does not exist or cannot be done, and the way out."""
