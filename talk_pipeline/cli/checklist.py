"""`talk-pipeline checklist`: what the last run found, for a terminal, for scripts, and as a document.

Every form begins with the run, its time and its verdict; every line says which run it is from.
"""

import json
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from talk_pipeline.cli.exits import Exit, UsageError
from talk_pipeline.cli.tables import TEXT_WIDTH
from talk_pipeline.cli.telling import counts, describe, headline, of_run, run_document, stamp
from talk_pipeline.engine.report.sheet import Line, Section, Sheet, Word, sheet_of
from talk_pipeline.engine.report.stops import Stop, stops_of
from talk_pipeline.flows.loading import load_flows
from talk_pipeline.installation import state_of
from talk_pipeline.settings import Settings

_MARKS: dict[Word, tuple[str, str]] = {
    "passed": ("green", "ok"),
    "warned": ("yellow", "WARN"),
    "failed": ("red", "FAIL"),
    "not run": ("magenta", "not run"),
}
EXITS = {
    "passed": Exit.OK,
    "warned": Exit.OK,
    "failed": Exit.CHECK_FAILED,
    "incomplete": Exit.INCOMPLETE,
}
EXAMPLE_ROWS = 5


def print_checklist(form: str, *, out: Path | None) -> Exit:
    """Writes the checklist of the last run.

    Raises:
        UsageError: nothing ran yet.
    """
    settings = Settings.load()
    flows = load_flows(settings.talk_flows_dir)
    state = state_of(settings)
    sheet = None
    if state.file.exists():
        with state.once() as db:
            sheet = sheet_of(db, flows)
    if sheet is None:
        raise UsageError(f"no run is recorded in {settings.talk_data_dir}; run talk-pipeline sync first")
    text = _written(form, sheet)
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, encoding="utf-8")
    return EXITS[sheet.verdict]


def _written(form: str, sheet: Sheet) -> str:
    if form == "json":
        return json.dumps(_as_json(sheet), indent=2) + "\n"
    if form == "text":
        console = Console(highlight=False, record=True, file=StringIO(), width=TEXT_WIDTH)
        print_sheet(console, sheet)
        return console.export_text()
    from talk_pipeline.cli.documents import document

    return document(form, sheet)


def _as_json(sheet: Sheet) -> dict[str, Any]:
    flows = {one.flow.name: [_line_document(line) for line in one.lines] for one in sheet.sections}
    return {"run": run_document(sheet), "flows": flows, "checks": counts(sheet)}


def _line_document(line: Line) -> dict[str, Any]:
    finding, result, earlier = line.finding, line.result, line.earlier
    document: dict[str, Any] = {
        "check": line.check.name,
        "asset": line.check.stage,
        "title": line.check.title,
        "verdict": line.verdict,
        "severity": finding.severity if finding else None,
        "summary": finding.summary if finding else f"not run: {line.why_not}",
        "found": finding.found if finding else 0,
        "rows": finding.rows if finding else [],
        "run": result.run_id if result else None,
        "checked_at": stamp(result.checked_at) if result else None,
    }
    if earlier:
        document["earlier"] = {
            "verdict": earlier.finding.verdict,
            "summary": earlier.finding.summary,
            "run": earlier.run_id,
            "checked_at": stamp(earlier.checked_at),
        }
    return document


def print_sheet(console: Console, sheet: Sheet) -> None:
    """The checklist of a run, with what stopped it before anything else."""
    console.print(headline(sheet), markup=False)
    for stop in stops_of(sheet):
        _print_stop(console, stop)
    for section in sheet.sections:
        _print_section(console, section)


def _print_stop(console: Console, stop: Stop) -> None:
    console.print(f"\n[bold red]{escape(stop.headline)}[/]")
    if stop.largest:
        title = f"the {len(stop.largest)} largest of {stop.total} changes"
        table = Table(title=title, title_justify="left")
        for name in stop.largest[0]:
            table.add_column(name.replace("_", " "), overflow="fold")
        for row in stop.largest:
            table.add_row(*(escape("" if value is None else str(value)) for value in row.values()))
        console.print(table)
    for way in stop.ways:
        console.print(f"{way.what}: {way.how}", markup=False, soft_wrap=True)
    console.print()


def _print_section(console: Console, section: Section) -> None:
    """One flow's checklist, each failing check with its first rows."""
    flow = section.flow
    table = Table(title=f"{flow.title}: {flow.description}", title_justify="left", show_lines=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("check", overflow="fold")
    table.add_column("found", overflow="fold")
    table.add_column("run, time (UTC)", no_wrap=True)
    for line in section.lines:
        colour, mark = _MARKS[line.verdict]
        table.add_row(f"[{colour}]{mark}[/]", line.check.title, escape(describe(line)), of_run(line))
        finding = line.finding
        if finding is None or finding.passed:
            continue
        for row in finding.rows[:EXAMPLE_ROWS]:
            cells = " · ".join(f"{key} {value}" for key, value in row.items() if value)
            table.add_row("", "", escape(cells), "")
        if finding.found > EXAMPLE_ROWS:
            table.add_row("", "", f"... and {finding.found - EXAMPLE_ROWS} more", "")
    console.print(table)
