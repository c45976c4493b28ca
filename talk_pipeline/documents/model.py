"""A data-flow document as it was read: sections, sentences and rows, each with its line in the file.

What they mean for a flow is not said here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from talk_pipeline.flows.sides import Side


class DocumentError(ValueError):
    """A file that is no data-flow document, with the line where that shows and the way out."""


class Says(StrEnum):
    """What a sentence of the family says."""

    EVERY_RECORD = "every record gets a counterpart"
    LINK_FIRST = "nothing happens before a link is there"
    WHEN_CONNECTED = "a counterpart is made only for what another synchronized record is connected to"
    ON_CONDITION = "a counterpart is made on a condition of its own"
    CREATES = "a counterpart is made"
    MERGES = "by which properties two records are found to be the same"
    STAYS_IN_SYNC = "edits travel both ways"
    TABLE_FOLLOWS = "the property table follows"
    UNKNOWN = "not understood"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, or whatever else stands in a section and is no row."""

    line: int
    text: str
    says: Says


class Table(StrEnum):
    """What a table is for."""

    PROPERTIES = "properties"
    MERGE = "merge"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, whatever it says.

    Attributes:
        shop, bc: the property on either side; both blank in a table that is not understood.
        type: the data type as it is written, without quotes; blank where the table has none.
        direction: the way edits travel, in words; blank where the table has no column of that name.
        cells: all of the row as it is written.
    """

    line: int
    table: Table
    shop: str
    bc: str
    type: str
    cells: tuple[str, ...]
    direction: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One "A X to B Y".

    Attributes:
        line: that of the heading.
        toward: the side that gets counterparts; None where the heading does not join the shop and Business Central.
        shop, bc: what the heading calls the records on either side; blank where `toward` is None.
    """

    line: int
    heading: str
    toward: Side | None
    shop: str
    bc: str
    sentences: tuple[Sentence, ...]
    rows: tuple[Row, ...]

    def says(self, what: Says) -> bool:
        """Whether any of its sentences says so."""
        return any(sentence.says is what for sentence in self.sentences)

    def rows_of(self, table: Table) -> tuple[Row, ...]:
        """The rows of its tables of one kind."""
        return tuple(row for row in self.rows if row.table is table)


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document; the introduction and the date are not kept."""

    source: str
    target: str
    sections: tuple[Section, ...]

    def rows(self) -> Iterator[tuple[Section, Row]]:
        """Every row with its section, in the order of the file."""
        for section in self.sections:
            for row in section.rows:
                yield section, row
