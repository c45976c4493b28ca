"""`talk-pipeline audit`: what the second opinion says, in counts, and by name where nobody explains it."""

import csv
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from talk_pipeline.audit.audit import audit
from talk_pipeline.audit.judge import Finding, Judged
from talk_pipeline.cli.company import tell
from talk_pipeline.cli.exits import Exit, into_a_folder
from talk_pipeline.cli.tables import console
from talk_pipeline.disks import written_to
from talk_pipeline.pieces import put
from talk_pipeline.settings import Settings
from talk_pipeline.spreadsheets import as_text

SHOWN = 50
COUNTED = "what differs is a property, or a record or line as a whole, such as one without a counterpart"


def print_audit(names: tuple[str, ...], *, as_json: bool, file: Path | None) -> Exit:
    """Judges the named flows, all by default, and prints what was found.

    Raises:
        UsageError: there is no folder for the file.
        NotAuditableError: something is set up in a way that the audit does not know.
        UnreachableError: a system, or the state, cannot be read.
    """
    if file:
        into_a_folder(file)
    found = audit(Settings.load(), names)
    if file:
        _write(file, found)
    if as_json:
        tell({"flows": {one.flow: _document(one) for one in found}})
    else:
        _print(console(), found)
    return Exit.CHECK_FAILED if any(one.unexplained for one in found) else Exit.OK


def _document(one: Judged) -> dict[str, Any]:
    return {**one.counts, "findings": [finding._asdict() for finding in one.findings]}


def _write(file: Path, found: list[Judged]) -> None:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(Finding._fields)
    for finding in (finding for one in found for finding in one.findings):
        writer.writerow([as_text(value or "") for value in finding])
    with written_to(file):
        put(file, text.getvalue().encode())


def _print(out: Console, found: list[Judged]) -> None:
    table = Table(title="audit: what both systems say now", title_justify="left")
    for name in ("flow", *found[0].counts):
        table.add_column(name.replace("_", " "), justify="left" if name == "flow" else "right")
    for one in found:
        table.add_row(one.flow, *map(str, one.counts.values()))
    out.print(table)
    out.print(COUNTED, soft_wrap=True)
    for one in found:
        for finding in one.unexplained[:SHOWN]:
            where = f"{finding.part} {finding.name or ''} ({finding.shop_id or '-'} / {finding.bc_id or '-'})"
            sides = f": shop {finding.shop!r}, Business Central {finding.bc!r}" if finding.property else ""
            told = f"unexplained: {where} {finding.property} {finding.what}{sides}"
            out.print(escape(" ".join(told.split())), soft_wrap=True)
        if len(one.unexplained) > SHOWN:
            out.print(f"... and {len(one.unexplained) - SHOWN} more of {one.flow}: see --csv or --json")
