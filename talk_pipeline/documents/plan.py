"""What follows from a document, in data: the flow files that it asks for, and what became of its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from talk_pipeline.documents.model import Document, Row, Section
from talk_pipeline.documents.rows import Found, Why
from talk_pipeline.flows.vocabulary import Flow, Part


@dataclass(frozen=True, slots=True)
class Taken:
    """A row that is in a flow file."""

    section: Section
    row: Row
    found: Found

    @property
    def at(self) -> tuple[str, str]:
        """The part and the property."""
        assert self.found.known is not None
        assert self.found.prop is not None
        return self.found.known.part.name, self.found.prop.name


@dataclass(frozen=True, slots=True)
class Listed:
    """A row for a person."""

    section: Section
    row: Row
    why: Why
    way_out: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a person has to decide that is no row."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Became:
    """What became of a section: the flow it is in, or why it is in none."""

    section: Section
    flow: str | None
    text: str


@dataclass(slots=True)
class Plan:
    """One flow file to write.

    Attributes:
        because: why there is one, where no section says so.
        lines: part and property -> lines of the document that say so.
        whole: parts of which the document lists no properties: the packaged table is proposed.
        kept: part and property -> why it is kept though the document does not name it.
        match: properties by which records are matched, with the lines that say so; None: as packaged.
        create: `settings.create`; None: as packaged.
    """

    flow: Flow
    because: str = ""
    lines: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    kept: dict[tuple[str, str], str] = field(default_factory=dict)
    match: dict[str, list[int]] | None = None
    create: str | None = None

    def keeps(self, part: Part, name: str) -> bool:
        """Whether a property of a part is in the file."""
        at = part.name, name
        return part.name in self.whole or at in self.lines or at in self.kept

    def left_out(self) -> Sequence[tuple[Part, str]]:
        """What the packaged flow keeps in step and this file does not."""
        return [
            (part, prop.name)
            for part in self.flow.parts
            for prop in part.properties
            if not self.keeps(part, prop.name)
        ]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What follows from a document."""

    document: Document
    plans: Mapping[str, Plan]
    sections: Sequence[Became]
    taken: Sequence[Taken]
    listed: Sequence[Listed]
    questions: Sequence[Question]
