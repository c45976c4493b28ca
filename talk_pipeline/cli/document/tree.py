"""The document as data: everything it says, in words and in the order of reading.

Nothing here knows a form. Every text is plain, without markup; each writer escapes for its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from talk_pipeline.documents.directions import DIRECTION
from talk_pipeline.engine.report.sheet import Overall, Word

BOX = "☐"
JUDGED = ("Verdict", "Found", "Run, time (UTC)")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts under their columns; `total` tells how many there are where only the first are listed."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int

    @property
    def caption(self) -> str:
        """The title, with how many there are where not all are listed."""
        listed = len(self.rows)
        return f"{self.title} (the first {listed} of {self.total})" if self.total > listed else self.title


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one check.

    Attributes:
        verdict: the outcome in a word.
        found: what was found with its numbers, or why nobody looked.
        checked: the run that gave the verdict, and when; empty where there is none.
        rows: the rows that are listed with it.
    """

    verdict: Word
    found: str
    checked: str
    rows: Table | None = None

    @property
    def fine(self) -> bool:
        """Whether nobody need look at it."""
        return self.verdict == "passed"


def _cells(judged: Judged | None) -> tuple[str, ...]:
    return (judged.verdict, judged.found, judged.checked) if judged else ("", "", "")


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A check of a section that is of no single property."""

    title: str
    judged: Judged


@dataclass(frozen=True, slots=True)
class PropertyLine:
    """A row of a property table; without `judged` where the document is the specification alone."""

    name: str
    shop: str
    bc: str
    bc_type: str
    direction: str
    judged: Judged | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds of a section's records, under a heading of its own."""

    title: str
    sentences: tuple[str, ...]
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a tester does, and what must come of it."""

    do: str
    expect: str


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A record that is not in step: `record` as people know it, what keeps it, and for how long."""

    record: str
    shop_id: str
    bc_id: str
    state: str
    reason: str
    since: str
    age: str


@dataclass(frozen=True, slots=True)
class OpenItems:
    """The records of a section that are not in step, the oldest first; `total` where not all are listed."""

    items: tuple[OpenItem, ...]
    total: int

    @property
    def table(self) -> Table:
        """The same as rows."""
        columns = ("Record", "State", "Reason", "Since", "Age", "Shop id", "Business Central id")
        rows = tuple(
            (one.record, one.state, one.reason, one.since, one.age, one.shop_id, one.bc_id)
            for one in self.items
        )
        return Table("Open items", columns, rows, self.total)


@dataclass(frozen=True, slots=True)
class Section:
    """One flow, or a child collection of it.

    Attributes:
        anchor: what links within the document call it.
        shop, bc: both ends by name, such as a reader of the systems knows them.
        every: the sentence that says who is synchronized, and what limits it.
        in_step: the sentence that says what stays in step, and what limits it.
        open_items: None where there are no results, or the section is of children.
    """

    anchor: str
    title: str
    shop: str
    bc: str
    every: str
    every_limits: tuple[str, ...]
    in_step: str
    in_step_limits: tuple[str, ...]
    table_sentence: str
    properties: tuple[PropertyLine, ...]
    rules: tuple[Rule, ...]
    steps: tuple[Step, ...]
    checks: tuple[CheckLine, ...] = ()
    open_items: OpenItems | None = None

    @property
    def property_table(self) -> Table:
        """The property table: the three columns of the family, the direction, the verdict if there is one."""
        columns = (
            f"{self.shop} Property",
            f"{self.bc} Property",
            f"{self.bc.split()[0]} Data Type",
            DIRECTION,
        )
        judged = any(line.judged for line in self.properties)
        rows = tuple(
            (line.shop, line.bc, line.bc_type, line.direction, *(_cells(line.judged) if judged else ()))
            for line in self.properties
        )
        return Table("", (*columns, *(JUDGED if judged else ())), rows, len(rows))

    @property
    def check_table(self) -> Table:
        """The checks of no single property."""
        rows = tuple((line.title, *_cells(line.judged)) for line in self.checks)
        return Table("General checks", ("Check", *JUDGED), rows, len(rows))

    @property
    def step_table(self) -> Table:
        """What a tester does, with room to tick and to sign."""
        columns = ("Done", "Step", "What must come of it", "Name", "Date", "Signature")
        rows = tuple((BOX, step.do, step.expect, "", "", "") for step in self.steps)
        return Table("Steps for a tester", columns, rows, len(rows))

    @property
    def judged(self) -> Iterator[tuple[str, Judged]]:
        """Every check of the section by its title."""
        yield from ((one.title, one.judged) for one in self.checks)
        for line in self.properties:
            if line.judged:
                yield f"{line.shop} and {line.bc}", line.judged

    @property
    def fine(self) -> bool:
        """Whether all of it passed and nothing is open."""
        return all(judged.fine for _, judged in self.judged) and not (
            self.open_items and self.open_items.items
        )

    def counted(self, verdict: Word) -> int:
        """How many checks have that verdict."""
        return sum(judged.verdict == verdict for _, judged in self.judged)


@dataclass(frozen=True, slots=True)
class Halt:
    """What the circuit breaker stopped: the largest changes that were not written, and how to go on."""

    headline: str
    largest: Table | None
    ways: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Document:
    """The whole.

    Attributes:
        facts: what the head tells, label and text.
        verdict: of the run; None for the specification alone.
        headline: run, time and verdict in a line.
        notices: what a reader must know before the verdicts: a dry run, a stop, what was not looked at.
    """

    title: str
    generated_at: datetime
    facts: tuple[tuple[str, str], ...]
    introduction: tuple[str, ...]
    sections: tuple[Section, ...]
    verdict: Overall | None = None
    headline: str = ""
    notices: tuple[str, ...] = ()
    halts: tuple[Halt, ...] = ()
