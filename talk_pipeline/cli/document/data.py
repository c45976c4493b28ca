"""The document for scripts: the run, its checks with their rows as they are, and all that the document says."""

import json
from typing import Any

import msgspec

from talk_pipeline.cli.document.tree import Document
from talk_pipeline.cli.telling import counts, run_document, stamp
from talk_pipeline.engine.report.sheet import Line, Sheet


def written(document: Document, sheet: Sheet | None) -> str:
    """One JSON document; without a sheet it is the specification alone."""
    told = {"document": msgspec.to_builtins(document)}
    return json.dumps((_of_run(sheet) if sheet else {}) | told, indent=2) + "\n"


def _of_run(sheet: Sheet) -> dict[str, Any]:
    flows = {one.flow.name: [_line(line) for line in one.lines] for one in sheet.sections}
    return {"run": run_document(sheet), "flows": flows, "checks": counts(sheet)}


def _line(line: Line) -> dict[str, Any]:
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
