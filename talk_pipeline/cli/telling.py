"""The words in which a run's checklist is told, whatever the form: its headline, its lines, what stopped it."""

from datetime import datetime
from typing import Any

from talk_pipeline.engine.report.sheet import WORDS, Line, Sheet
from talk_pipeline.engine.report.stops import Stop, stops_of


def counts(sheet: Sheet | None) -> dict[str, int]:
    """How many checks have which verdict."""
    return {word.replace(" ", "_"): sheet.counted(word) if sheet else 0 for word in WORDS}


def headline(sheet: Sheet) -> str:
    """The run, its time and its verdict in a line."""
    run = sheet.run
    kind = f"{'dry ' if run.dry_run else ''}run {run.run_id} of {run.started_at:%Y-%m-%d %H:%M:%S} UTC"
    verdicts = ", ".join(f"{sheet.counted(word)} {word}" for word in WORDS if sheet.counted(word))
    return f"{kind}, {', '.join(sheet.runs)}: {sheet.verdict.upper()} ({verdicts})"


def run_document(sheet: Sheet) -> dict[str, Any]:
    """The run, for scripts."""
    run = sheet.run
    return {
        "id": run.run_id,
        "started_at": stamp(run.started_at),
        "ended_at": stamp(run.ended_at),
        "dry_run": run.dry_run,
        "full_scan": run.full_scan,
        "flows": list(sheet.runs),
        "verdict": sheet.verdict,
        "problems": {one.flow.name: one.ran.problem for one in sheet.broken_off if one.ran},
        "stopped": [_stop_document(stop) for stop in stops_of(sheet)],
    }


def _stop_document(stop: Stop) -> dict[str, Any]:
    return {
        "flow": stop.flow,
        "written": 0,
        "told": stop.headline,
        "reason": stop.reason,
        "changes": stop.total,
        "largest": list(stop.largest),
        "ways": [{"what": way.what, "how": way.how} for way in stop.ways],
    }


def stamp(moment: datetime | None) -> str | None:
    """A time as scripts read it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None


def describe(line: Line) -> str:
    """What this run found, or why it did not look and what was found last."""
    if line.finding:
        return line.finding.summary
    earlier = line.earlier
    before = (
        f" (earlier: {earlier.finding.verdict}, {_of(earlier.run_id, earlier.checked_at)})" if earlier else ""
    )
    return f"{line.why_not}{before}"


def of_run(line: Line) -> str:
    """Which run a verdict is from, and when it was given."""
    return _of(line.result.run_id, line.result.checked_at) if line.result else ""


def _of(run_id: str, at: datetime) -> str:
    return f"{run_id[:8]} {at:%Y-%m-%d %H:%M:%S}"
