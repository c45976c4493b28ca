"""`talk-pipeline checklist`: the verdicts of the last run, for a terminal, for scripts, and as a document."""

import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from talk_pipeline.cli.exits import Exit, UsageError
from talk_pipeline.engine import report
from talk_pipeline.engine.checklist import Check, Finding, checks
from talk_pipeline.engine.state import State
from talk_pipeline.flows.loading import Flows, load_flows
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.settings import Settings

_MARKS = {"passed": ("green", "ok"), "warned": ("yellow", "WARN"), "failed": ("red", "FAIL")}
SHOWN = 5
TEXT_WIDTH = 140

Listed = Sequence[tuple[Check, Finding]]


def print_checklist(form: str, *, out: Path | None) -> Exit:
    """Writes the checklist of the last run.

    Raises:
        UsageError: nothing ran yet.
    """
    settings = Settings.load()
    flows = load_flows(settings.talk_flows_dir)
    kept = _kept(State(settings.talk_data_dir, wait_seconds=settings.talk_wait_seconds), flows)
    if not any(kept.values()):
        raise UsageError(f"no run is recorded in {settings.talk_data_dir}; run talk-pipeline sync first")
    text = _written(form, flows, kept)
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, encoding="utf-8")
    failed = any(finding.verdict == "failed" for listed in kept.values() for _, finding in listed)
    return Exit.CHECK_FAILED if failed else Exit.OK


def _kept(state: State, flows: Flows) -> dict[str, Listed]:
    if not state.file.exists():
        return {}
    kept: dict[str, Listed] = {}
    with state.once() as db:
        for name, flow in flows.items():
            verdicts = report.verdicts(db, name)
            kept[name] = [
                (check, verdicts[key][1])
                for check in checks(flow)
                if (key := f"{check.stage}.{check.name}") in verdicts
            ]
    return kept


def _written(form: str, flows: Flows, kept: dict[str, Listed]) -> str:
    if form == "json":
        return json.dumps(_as_json(kept), indent=2) + "\n"
    if form == "text":
        console = Console(highlight=False, record=True, file=StringIO(), width=TEXT_WIDTH)
        for name, listed in kept.items():
            print_findings(console, flows[name], listed)
        return console.export_text()
    from talk_pipeline.cli.documents import document

    return document(form, [(flows[name], listed) for name, listed in kept.items()])


def _as_json(kept: dict[str, Listed]) -> dict[str, Any]:
    counted = {"passed": 0, "warned": 0, "failed": 0}
    flows: dict[str, list[dict[str, Any]]] = {}
    for name, listed in kept.items():
        flows[name] = []
        for check, finding in listed:
            counted[finding.verdict] += 1
            flows[name].append(
                {
                    "check": check.name,
                    "asset": check.stage,
                    "title": check.title,
                    "verdict": finding.verdict,
                    "severity": finding.severity,
                    "summary": finding.summary,
                    "found": finding.found,
                    "rows": finding.rows,
                }
            )
    return {"flows": flows, "checks": counted}


def print_findings(console: Console, flow: Flow, listed: Listed) -> None:
    """One flow's checklist, each failing check with its first rows."""
    table = Table(title=f"{flow.title}: {flow.description}", title_justify="left", show_lines=False)
    table.add_column("verdict")
    table.add_column("check", overflow="fold")
    table.add_column("found", overflow="fold")
    for check, finding in listed:
        colour, mark = _MARKS[finding.verdict]
        table.add_row(f"[{colour}]{mark}[/]", check.title, _plain(finding.summary))
        for row in finding.rows[:SHOWN] if not finding.passed else ():
            table.add_row("", "", _plain(" · ".join(f"{key} {value}" for key, value in row.items() if value)))
        if not finding.passed and finding.found > SHOWN:
            table.add_row("", "", f"... and {finding.found - SHOWN} more")
    console.print(table)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
