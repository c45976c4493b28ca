"""What the pipeline asks of a system. Two implementations: `businesscentral` and `customwebshop`.

Records arrive as received, with id, version and modified time already found; `decode` reads their values.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from pydantic import SecretStr

from talk_pipeline.engine.model import Contents, Ended, Operation, Outcome, Record, Write
from talk_pipeline.flows.sides import Side

Leaving = Callable[[Sequence[str]], None]
"""Is told the idempotency keys of writes just before a request with them is handed to the wire."""


def unheard(_keys: Sequence[str]) -> None:
    """For whoever need not know that a write leaves."""


Stamps = Mapping[str, datetime]
"""When records were modified, by their ids."""

MOST_STAMPS = 100
"""Of how many records that is asked at once, at most."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which installation a system is: what a database remembers of it.

    Attributes:
        name: stays the same when only the port of the address changes.
        key: of the company within the system.
    """

    name: str
    key: str | None = None


class System(Protocol):
    """One system, used as an async context manager.

    Every method raises a `SystemFault` when the call as a whole fails.

    Attributes:
        batch_size: independent writes one call carries out at most.
        embeds_children: whether a record and its children are written in one request.
        longest_seconds: how long after a request left it may still be at work, at most.
    """

    side: Side
    batch_size: int
    batches_in_flight: int
    embeds_children: bool
    longest_seconds: float

    async def __aenter__(self) -> Self:
        """Opens connections."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes them."""
        ...

    @property
    def skew_seconds(self) -> float:
        """How far the server's clock is ahead of ours, measured on the answers so far."""
        ...

    async def identify(self) -> Identity:
        """Proves address, credentials and company."""
        ...

    def scan(self, flow: str, *, since: datetime | None) -> AsyncIterator[Sequence[Record]]:
        """Pages of records, all of them or those modified at or after `since`.

        Ends only when the system said that there is no more; whatever breaks off raises. A record may come
        twice where pages shift.
        """
        ...

    def lists_changes(self, flow: str) -> bool:
        """Whether a scan can be asked for what changed; else every snapshot is a full one."""
        ...

    def may_lag(self, flow: str) -> bool:
        """Whether a full scan may show records as they were a little while ago, or not yet at all."""
        ...

    async def latest(self, flow: str) -> datetime | None:
        """The modified time of the record modified last: the cheap question of a sensor."""
        ...

    async def stamps(self, flow: str, *, since: datetime) -> Stamps:
        """Some of what `scan` would bring since then, by ids and times alone: as much as one request tells.

        All of it, where that is little; nothing where the system has no cheap question. Asked only of flows whose
        changes are listed.
        """
        ...

    async def get(self, flow: str, record_id: str) -> Record | None:
        """One record as it is now, from the primary; None when the system says that it is not there."""
        ...

    async def find(
        self, flow: str, path: str, *, values: Sequence[str], among: str | None = None
    ) -> Mapping[str, Sequence[str]]:
        """Ids of the records whose value at a path is one of `values`, by value; equality checked here.

        Args:
            flow: the flow whose entity is meant.
            path: the property.
            values: what is looked for.
            among: another entity, in which records of the flow are archived; none is there in a shop.
        """
        ...

    async def ended(self, flow: str, path: str | None, *, values: Sequence[str]) -> Mapping[str, Ended]:
        """What records of the flow became whose story ended (`closed_by`), by value; nothing of a shop's.

        Args:
            flow: the flow whose records are meant.
            path: the property of what they became that names them, by their id or their create key; None: `values`
                are ids of what they became.
            values: what is looked for.
        """
        ...

    def decode(self, flow: str, payload: str) -> Contents:
        """The values and children of a record; never fails on a value, only on what is no record."""
        ...

    def reading(self, flow: str) -> str:
        """Another text whenever the flow's records are described otherwise than before: read, or written."""
        ...

    def rows_at_once(self, flow: str) -> int:
        """How many records and children one call of `write` may hold now and be answered in good time."""
        ...

    def answers_once(
        self, flow: str, operation: Operation, *, makes_children: bool, versioned: bool = True
    ) -> bool:
        """Whether a write may be repeated though it may be at work: the receiver knows it again.

        By its key, or since only the first can meet the condition that goes along.

        Args:
            flow: whose record is written.
            operation: what is done with it.
            makes_children: new children go along.
            versioned: the record was shown with a version.
        """
        ...

    async def write(
        self, flow: str, writes: Sequence[Write], *, leaving: Leaving = unheard
    ) -> Sequence[Outcome]:
        """Carries out at most `batch_size` independent writes; one outcome each, in their order.

        A refused write leaves the others done. An outcome is DONE only when the system confirmed it, and then
        holds the whole record; UNKNOWN when it may or may not have happened. Nothing of unknown outcome is
        repeated here.
        """
        ...

    async def subscribe(self, url: str, secret: SecretStr, known: "Known | None" = None) -> int:
        """Asks for change notices to an address that already answers, or renews that; may be called at any time.

        Args:
            url: the address.
            secret: what proves a notice.
            known: with which secret that was done before, which no system shows.

        Returns:
            How many calls that took beside looking.
        """
        ...

    def understand(self, headers: Mapping[str, str], body: bytes, *, secret: SecretStr) -> set[str] | None:
        """The flows a notice tells about; None when it is not authentic. A notice is a hint and nothing more."""
        ...


class Known(Protocol):
    """With which secret notices were asked for, by what they are of, such as an event."""

    def is_of_another(self, what: str) -> bool:
        """Whether that was with another secret than the one at hand, so that it has to be said anew."""
        ...

    def keep(self, what: str) -> None:
        """That was said with the one at hand; it is remembered when this returns."""
        ...


@runtime_checkable
class AnswersLater(Protocol):
    """A system that answers a write by what it shows later, such as a shop that takes files and exports files.

    Each of its writes is UNKNOWN until a record shows it, or until the time in which it may be at work is over.
    """

    async def heard(self, flow: str, keys: Sequence[str]) -> Mapping[str, Outcome]:
        """What it says of writes that no record shows, by their idempotency keys; of most it says nothing."""
        ...


@runtime_checkable
class Acts(Protocol):
    """A system in which some values are written by calls that act each time they come, as one that ships."""

    def acts_by(self, flow: str, paths: Collection[str]) -> bool:
        """Whether a change of one of these properties, by path, does."""
        ...


@runtime_checkable
class MakesInSteps(Protocol):
    """A system in which a new record or entry may take several requests, so that one may be there only begun."""

    def makes_in_steps(self, flow: str, children: str | None = None) -> bool:
        """Whether a new record of the flow does, or a new entry of its list at a path."""
        ...
