"""What the pages need to know of a system.

Values are texts here, as forms have them; a desk knows what they mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from talk_pipeline.sandbox.store import Row

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a form.

    Attributes:
        name: what the system calls it; parts of an object are named as in ``address.city``.
        hint: what it takes, in words.
        choices: value and label of each, where only these are taken.
        refers_to: if the value names another record, its sheet and what it names it by, as ``customers.id``.
        default: what an empty form holds.
        long: whether it holds more than a line.
        on_create: whether a new record takes it.
        on_change: whether a record that is there takes it.
    """

    name: str
    hint: str
    choices: tuple[tuple[str, str], ...] = ()
    refers_to: str | None = None
    default: str = ""
    long: bool = False
    on_create: bool = True
    on_change: bool = True


@dataclass(frozen=True, slots=True)
class Sheet:
    """One kind of record.

    Attributes:
        name: its part of the address.
        one: what a record of it is called.
        columns: the fields a list shows; the first names the record.
        fields: all of them.
        lines: the sheet of what belongs to a record of this one.
        of: the sheet of what a record of this one belongs to.
        actions: what can be done with a record beside changing and deleting it.
    """

    name: str
    one: str
    columns: tuple[str, ...]
    fields: tuple[Field, ...]
    lines: str | None = None
    of: str | None = None
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A record as a page shows it.

    Attributes:
        key: its part of the address.
        version: another one after each change.
        texts: field -> value.
        of: the key of the record it belongs to.
    """

    key: str
    version: str
    texts: Texts = field(default_factory=dict)
    of: str = ""


class Desk(Protocol):
    """A system as somebody who works in it sees it. What it refuses raises `control.Refused`."""

    title: str
    sheets: Mapping[str, Sheet]

    def rows(self, sheet: Sheet, *, of: str = "") -> Iterable[Row]:
        """The records that are not deleted: those of another one in their order, else the latest change first."""

    def read(self, sheet: Sheet, row: Row) -> Record:
        """One of these rows."""

    def find(self, sheet: Sheet, key: str) -> Record:
        """The record of that key; refused with status 404 if there is none, or none any more."""

    def create(self, sheet: Sheet, texts: Texts, *, of: str = "") -> str:
        """Make a record of what was typed; returns its key."""

    def change(self, sheet: Sheet, key: str, texts: Texts) -> None:
        """Change some of its fields."""

    def delete(self, sheet: Sheet, key: str) -> None:
        """Delete it."""

    def act(self, sheet: Sheet, key: str, action: str) -> None:
        """Do one of the sheet's actions."""

    def offers(self, target: str) -> Iterable[tuple[str, str]]:
        """Value and label of what a field that refers to the target may hold."""
