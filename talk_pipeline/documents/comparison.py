"""A document against the flows in use: what of it they cover, and what they keep in step beyond it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from talk_pipeline.documents.directions import direction
from talk_pipeline.documents.model import Document, Row, Says, Section, Table
from talk_pipeline.documents.phrases import both_ways, creation
from talk_pipeline.documents.proposal import leading
from talk_pipeline.documents.rows import Found, Why, find
from talk_pipeline.documents.types import Fit
from talk_pipeline.documents.vocabulary import Known, Names
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part
from talk_pipeline.wording import counted


class Verdict(StrEnum):
    """How one thing stands."""

    COVERED = "covered"
    MISSING = "missing"
    WRONG_TYPE = "of another type"
    DIFFERS = "of another rule"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class Compared:
    """One section, sentence, row or property; the line is 0 for what the document does not have."""

    line: int
    verdict: Verdict
    text: str


def compare(document: Document, flows: Mapping[str, Flow], names: Names) -> list[Compared]:
    """How the flows stand to everything the document says, in its order; then what they do beyond it."""
    leads = leading(document.sections, names)
    found = [one for section in document.sections for one in _section(section, section in leads, names)]
    rows = [
        (one.known.part.name, one.prop)
        for section in leads
        for row in section.rows_of(Table.PROPERTIES)
        if (one := find(section, row, names)).known
    ]
    listing = {name for name, _ in rows}
    said = {(name, prop.name) for name, prop in rows if prop}
    for flow in flows.values():
        found += _created(flow, leads, names)
        for part in flow.parts:
            found += _extra(part, said) if part.name in listing else ()
    return found


def _section(section: Section, leads: bool, names: Names) -> Iterator[Compared]:
    known = names.records(section.bc, section.shop) if section.toward else None
    if known is None:
        text = f"{section.heading}: {Why.NO_FLOW.value}; there are flows for {names.synchronized}"
        yield Compared(section.line, Verdict.MISSING, text)
    elif not leads:
        yield Compared(section.line, Verdict.MISSING, f"{section.heading}: {Why.OTHER_RECORDS.value}")
    else:
        text = f"{section.heading}: flow {known.flow.name}, {counted(len(known.part.properties), 'property')}"
        yield Compared(section.line, Verdict.COVERED, text)
    for sentence in section.sentences if known and leads else ():
        if sentence.says is Says.UNKNOWN:
            yield Compared(sentence.line, Verdict.DIFFERS, f"not understood: {sentence.text}")
        elif sentence.says is Says.MERGES and not section.rows_of(Table.MERGE):
            yield Compared(
                sentence.line, Verdict.DIFFERS, f"no table of merge conditions follows: {sentence.text}"
            )
    for row in section.rows:
        yield _row(row, find(section, row, names), leads=leads)


def _row(row: Row, found: Found, *, leads: bool) -> Compared:
    text = " / ".join(cell or "(blank)" for cell in row.cells)
    if found.why or found.prop is None or found.known is None:
        why = found.why.value if found.why else ""
        return Compared(row.line, Verdict.MISSING, f"{text}: {why}; {found.way_out}")
    if not leads:
        return Compared(row.line, Verdict.MISSING, f"{text}: {Why.OTHER_RECORDS.value}")
    where = f"{found.known.part.name}, {found.prop.name}"
    if row.table is Table.MERGE and found.prop.name not in found.known.part.match:
        return Compared(row.line, Verdict.MISSING, f"{text}: {where}: records are not matched by it")
    if found.fit is Fit.DIFFERS:
        return Compared(row.line, Verdict.WRONG_TYPE, f"{text}: {where}: {found.kind} in Business Central")
    if found.fit is Fit.UNKNOWN:
        return Compared(row.line, Verdict.WRONG_TYPE, f"{text}: {where}: no type that is known")
    if row.direction and row.direction != direction(found.prop):
        return Compared(row.line, Verdict.DIFFERS, f"{text}: {where}: it travels {direction(found.prop)}")
    return Compared(row.line, Verdict.COVERED, f"{text}: {where}")


def _created(flow: Flow, leads: list[Section], names: Names) -> Iterator[Compared]:
    """Whether the flow makes counterparts of those that the document says."""
    sides: dict[Side, tuple[str | None, str | None]] = {}
    line = 0
    for section in leads:
        known: Known | None = names.records(section.bc, section.shop)
        if known and known.part is flow.root and section.toward and section.toward not in sides:
            sides[section.toward] = creation(section)
            line = line or section.line
    wanted, questions = both_ways(sides)
    for question in questions:
        yield Compared(line, Verdict.DIFFERS, f"flow {flow.name}: {question}")
    if wanted and wanted != flow.settings.create and not questions:
        text = f"flow {flow.name}: create: {flow.settings.create}; the document says {wanted}"
        yield Compared(line, Verdict.DIFFERS, text)


def _extra(part: Part, said: set[tuple[str, str]]) -> Iterator[Compared]:
    """What the flow keeps in step of a part whose properties the document lists, and lists not."""
    for prop in part.properties:
        if (part.name, prop.name) not in said and prop.shop and prop.mapped:
            yield Compared(0, Verdict.EXTRA, f"{part.name}: {prop.shop} and {prop.bc}")
