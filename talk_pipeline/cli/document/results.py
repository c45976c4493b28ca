"""What a run found, put beside what the declarations say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from talk_pipeline.cli.document.tree import CheckLine, Halt, Judged, OpenItem, OpenItems, Section, Table
from talk_pipeline.cli.telling import describe, of_run
from talk_pipeline.engine.report.open_items import OpenRecord
from talk_pipeline.engine.report.property_checks import property_check
from talk_pipeline.engine.report.sheet import Line, Sheet
from talk_pipeline.engine.report.stops import Stop
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.vocabulary import Flow, Part
from talk_pipeline.wording import counted, unit_of

Lines = Mapping[str, Line]
"""The lines of a part by the property they are of, and those of none by the check's own key."""


def facts(sheet: Sheet, systems: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What the head tells of the run and of whose it is."""
    run = sheet.run
    kind = "everything read" if run.full_scan else "what changed was read"
    kind = f"dry run, nothing written; {kind}" if run.dry_run else kind
    ended = f", ended {moment(run.ended_at)}" if run.ended_at else ", not ended"
    yield "Run", f"{run.run_id} ({kind})"
    yield "Started", f"{moment(run.started_at)}{ended}"
    yield "Flows", ", ".join(sheet.runs)
    yield "Verdict", sheet.verdict.upper()
    yield from systems.items()


def notices(flows: Flows, sheet: Sheet) -> Iterator[str]:
    """What a reader must know before the verdicts."""
    run = sheet.run
    if run.dry_run:
        yield "This was a dry run: it planned and wrote nothing. What it found is what a run would find."
    if run.undoes:
        yield f"This run put back what run {run.undoes} had written."
    for section in sheet.stopped:
        yield f"STOPPED: {section.flow.title}: {section.ran.stopped if section.ran else ''}"
    for section in sheet.broken_off:
        yield f"BROKEN OFF: {section.flow.title}: {section.ran.problem if section.ran else ''}"
    if run.ended_at is None:
        yield "The run has not ended: it goes on, or its process was ended."
    if left := [name for name in flows if name not in sheet.runs]:
        yield f"The run was of {', '.join(sheet.runs)} alone: nothing is said of {', '.join(left)}."


def lines_by_part(flow: Flow, sheet: Sheet) -> Mapping[str, Lines]:
    """The checks of a flow by part; those of no property belong to its own record."""
    lines = {
        line.check.key: line for one in sheet.sections if one.flow.name == flow.name for line in one.lines
    }
    found: dict[str, dict[str, Line]] = {part.name: {} for part in flow.parts}
    for part in flow.parts:
        for prop in part.properties:
            if line := lines.pop(property_check(flow, part, prop).key, None):
                found[part.name][prop.name] = line
    found[flow.name] |= lines
    return found


def with_results(
    section: Section,
    part: Part,
    lines: Lines,
    *,
    open_records: tuple[int, Sequence[OpenRecord]] | None,
    now: datetime,
) -> Section:
    """A section with the verdicts of its checks, and with what is open."""
    names = part.by_name
    return replace(
        section,
        properties=tuple(
            replace(one, judged=_judged(lines[one.name])) if one.name in lines else one
            for one in section.properties
        ),
        checks=tuple(
            CheckLine(line.check.title, _judged(line)) for key, line in lines.items() if key not in names
        ),
        open_items=_open_items(*open_records, now=now) if open_records else None,
    )


def _judged(line: Line) -> Judged:
    finding = line.finding
    rows = table(line.check.title, finding.rows, total=finding.found) if finding and finding.rows else None
    return Judged(line.verdict, shown(describe(line)), of_run(line), rows)


_VALUES = ("shop_value", "bc_value", "before", "after")


def _cell(column: str, value: object) -> str:
    """A value as its column asks: what is blank there says so, a time is one without fractions."""
    if value and (column == "since" or column.endswith("_at")):
        return moment(datetime.fromisoformat(str(value)))
    return shown(value) or ("(blank)" if column in _VALUES else "")


def table(title: str, rows: Sequence[Mapping[str, Any]], *, total: int) -> Table:
    """Rows of one shape as a table; of a value it is told that it is blank."""
    columns = tuple(rows[0])
    return Table(
        title,
        tuple(name.replace("_", " ") for name in columns),
        tuple(tuple(_cell(name, row[name]) for name in columns) for row in rows),
        total,
    )


def halt(stop: Stop) -> Halt:
    """What the circuit breaker stopped."""
    largest = table("The largest changes", stop.largest, total=stop.total) if stop.largest else None
    return Halt(shown(stop.headline), largest, tuple((way.what, way.how) for way in stop.ways))


def _open_items(total: int, records: Sequence[OpenRecord], *, now: datetime) -> OpenItems:
    return OpenItems(tuple(_open_item(one, now) for one in records), total)


def _open_item(one: OpenRecord, now: datetime) -> OpenItem:
    known = [part for part in (one.number, one.name) if part]
    held = f"{one.properties}: " if one.properties else ""
    return OpenItem(
        record=shown(", ".join(dict.fromkeys(known)) or one.shop_id or one.bc_id),
        shop_id=shown(one.shop_id),
        bc_id=shown(one.bc_id),
        state=one.state,
        reason=shown(f"{held}{one.reason}"),
        since=moment(one.since) if one.since else "",
        age=age(now - one.since) if one.since else "unknown",
    )


def age(passed: timedelta) -> str:
    """How long ago; a document is read later, and seconds are no news then."""
    seconds = int(passed.total_seconds())
    if seconds < 60:
        return "less than a minute"
    unit, length = unit_of(seconds)
    return counted(seconds // length, unit)


def moment(at: datetime | None) -> str:
    """A time as the document tells it."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else ""


def shown(value: object) -> str:
    """A value for a reader: one line, and what would not be seen, or turn the text around, by its code."""
    words = " ".join(("" if value is None else str(value)).split())
    return "".join(one if one.isprintable() else f"<U+{ord(one):04X}>" for one in words)
