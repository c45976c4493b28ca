"""What a place where a shop keeps its records has to do: the smallest common ground of databases and files.

A record is one JSON object here as everywhere, its lists inside it; what is special about a place stays in it.
Calls block, and are made in threads.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from talk_pipeline.engine.model import Operation
from talk_pipeline.redaction import redacted
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.wire.evidence import Probe
from talk_pipeline.systems.customwebshop.wire.records import Reader
from talk_pipeline.systems.protocol import Stamps

Row = dict[str, Json]


class NotDoneError(Exception):
    """A change that was not carried out; the text is for a person, and loses whatever secret it repeats."""

    def __init__(self, message: str) -> None:
        super().__init__(redacted(message))


class RefusedError(NotDoneError):
    """The place does not take it.

    Args:
        message: why.
        about_another: it may be right as soon as some other record is.
    """

    def __init__(self, message: str, *, about_another: bool = False) -> None:
        super().__init__(message)
        self.about_another = about_another


class StaleError(NotDoneError):
    """The record is no longer as it was read."""


class GoneError(NotDoneError):
    """The record is not there any more."""


class PerhapsDoneError(NotDoneError):
    """It was handed over, and nobody said whether it was carried out."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one record.

    Attributes:
        operation: create, update or delete.
        id: of the record; None on create.
        fits: whether the record as it is now is the one that was read; asked of what is changed, under its lock.
        after: the record as it is to be, made from what it is now.
        key: the same for every repetition.
    """

    operation: Operation
    id: str | None
    fits: Callable[[Row], bool]
    after: Callable[[Row | None], Row]
    key: str


class Store(Protocol):
    """A place.

    Every method raises a `SystemFault` when the place cannot be used.

    Attributes:
        name: which one it is, without secrets.
        skew_seconds: how far its clock is ahead of ours.
        knows_again: whether a create that comes twice is known by its key.
    """

    name: str
    skew_seconds: float
    knows_again: bool

    def open(self) -> None:
        """Proves that it is there."""
        ...

    def close(self) -> None:
        """Lets go of it."""
        ...

    def pages(self, reader: Reader, *, since: datetime | None) -> Iterator[Sequence[Row]]:
        """Whole records: all, or those modified at or after a moment."""
        ...

    def newest(self, reader: Reader, *, most: int) -> Stamps:
        """When the records modified last were modified, by their ids."""
        ...

    def get(self, reader: Reader, record_id: str) -> Row | None:
        """One record as it is now."""
        ...

    def keyed(self, reader: Reader, path: str) -> Iterator[Row]:
        """Of every record at least its id and what a property is read from."""
        ...

    def carry_out(self, reader: Reader, change: Change) -> Row | None:
        """Makes one change, whole or not at all, and shows the record after it.

        Raises:
            NotDoneError: by its kind what is to be done next; anything else was surely not done.
        """
        ...

    def look(self, reader: Reader) -> Iterator[Probe]:
        """What does not fit the description, and what does."""
        ...
