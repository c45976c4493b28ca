"""What a run did, in numbers: for the terminal, for scripts, for the metadata of assets."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any

import msgspec

from talk_pipeline.engine.model import Result
from talk_pipeline.engine.plan.status import states
from talk_pipeline.engine.report.findings import Check, Finding
from talk_pipeline.engine.state.connection import Connection, now, transaction
from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.rows import insert, select
from talk_pipeline.engine.state.tables import CheckResultRow, ConflictRow, StageRow
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.wording import counted

log = logging.getLogger(__name__)


def writes(db: Connection, flow: str, *, run_id: str) -> dict[str, dict[str, int]]:
    """Successful requests or batch parts of a run: side -> operation -> how many, none left out."""
    counted = {str(side): {"create": 0, "update": 0, "delete": 0} for side in Side}
    rows = db.execute(
        "select target, operation, count(*) from journal where flow = ? and run_id = ? and outcome = ?"
        " group by all",
        [flow, run_id, Result.DONE],
    ).fetchall()
    for target, operation, count in rows:
        counted[target][operation] = count
    return counted


def failed_writes(db: Connection, flow: str, *, run_id: str) -> int:
    """Requests of a run that ended without success; those that were stale were done anew, others wait."""
    return _count(
        db,
        "select count(*) from journal where flow = ? and run_id = ?"
        " and (outcome in ('refused', 'failed', 'gone')"
        " or is_open(outcome) and open_until is null)",
        [flow, run_id],
    )


def summary(db: Connection, flow: Flow, *, run_id: str) -> dict[str, Any]:
    """The numbers of one flow after a run.

    Returns:
        `snapshot` by side, `linked`, every state but `active` and `unaccounted`, `conflicts`, `changes`, `failed`,
        and `writes` as `writes` gives them.
    """
    counted = states(db, flow.name)
    snapshot = {
        str(side): _count(db, "select count(*) from snapshot where flow = ? and side = ?", [flow.name, side])
        for side in Side
    }
    return {
        "snapshot": snapshot,
        "linked": counted.pop("active"),
        **{state: count for state, count in counted.items() if state != "unaccounted"},
        "conflicts": _count(
            db, "select count(*) from conflict where flow = ? and run_id = ?", [flow.name, run_id]
        ),
        "changes": _count(
            db, "select coalesce(sum(planned), 0) from run where flow = ? and run_id = ?", [flow.name, run_id]
        ),
        "writes": writes(db, flow.name, run_id=run_id),
        "failed": failed_writes(db, flow.name, run_id=run_id),
    }


def totals(db: Connection, *, run_id: str) -> dict[str, int]:
    """What came of a run over all its flows: `written` requests, `failed` ones, `conflicts` that it decided."""
    flows = [row[0] for row in db.execute("select flow from run where run_id = ?", [run_id]).fetchall()]
    counted = [writes(db, flow, run_id=run_id) for flow in flows]
    return {
        "written": sum(sum(side.values()) for one in counted for side in one.values()),
        "failed": sum(failed_writes(db, flow, run_id=run_id) for flow in flows),
        "conflicts": _count(db, "select count(*) from conflict where run_id = ?", [run_id]),
    }


def conflicts(db: Connection, flow: str, *, run_id: str) -> list[ConflictRow]:
    """The conflicts that a run decided, with the value that was overwritten."""
    where = "where flow = $flow and run_id = $run_id order by shop_id, property, part"
    return select(db, ConflictRow, where, {"flow": flow, "run_id": run_id})


def record_check_results(
    db: Connection, flow: str, *, run_id: str, findings: list[tuple[Check, Finding]]
) -> None:
    """Keeps the checklist's verdicts; the last one of each check counts."""
    rows = [
        CheckResultRow(
            run_id=run_id,
            flow=flow,
            name=check.key,
            passed=finding.passed,
            severity=finding.severity,
            summary=finding.summary,
            found=finding.found,
            rows=msgspec.json.encode(finding.rows).decode(),
            checked_at=now(),
        )
        for check, finding in findings
    ]
    with transaction(db):
        db.execute(
            "delete from check_result where flow = ? and name in (select unnest(?::varchar[]))",
            [flow, [row.name for row in rows]],
        )
        insert(db, rows)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A finding as it was kept: of which run, and when it was made."""

    run_id: str
    checked_at: datetime
    finding: Finding


def check_results(db: Connection, flow: str) -> dict[str, CheckResult]:
    """The kept verdicts of a flow by the check's key, each the last one given."""
    return {
        row.name: CheckResult(
            row.run_id,
            row.checked_at,
            Finding(row.passed, row.severity, row.summary, row.found, tuple(msgspec.json.decode(row.rows))),
        )
        for row in select(db, CheckResultRow, "where flow = $flow", {"flow": flow})
    }


@dataclass(slots=True)
class Stage:
    """A stage of a run while it is timed, and what it took once it is over."""

    records: int = 0
    seconds: float = 0.0


@contextmanager
def timed(state: State, *, run_id: str, flow: str, name: str) -> Iterator[Stage]:
    """Times a stage and keeps what it took with how many records it handled."""
    stage = Stage()
    started = perf_counter()
    log.info("%s: %s ...", flow, name)
    yield stage
    stage.seconds = perf_counter() - started
    log.info("%s: %s: %d records in %.1f s", flow, name, stage.records, stage.seconds)
    row = StageRow(run_id=run_id, flow=flow, name=name, seconds=stage.seconds, records=stage.records)
    with state.open() as db:
        insert(db, [row])


def stages(db: Connection, *, run_id: str) -> list[tuple[str, str, float, int]]:
    """The timed stages of a run in their order: flow, name, seconds, records."""
    return db.execute(
        "select flow, name, seconds, records from stage where run_id = ? order by rowid", [run_id]
    ).fetchall()


def reached(db: Connection, flows: Sequence[str], *, run_id: str) -> list[str]:
    """How far a run that ended early came: a phrase for each flow, in the order asked for."""
    timed_stages = {(flow, name) for flow, name, _, _ in stages(db, run_id=run_id)}
    phrases = []
    for flow in flows:
        written = sum(sum(one.values()) for one in writes(db, flow, run_id=run_id).values())
        open_ones = _count(
            db,
            "select count(*) from journal where flow = ? and run_id = ? and is_open(outcome)",
            [flow, run_id],
        )
        if (flow, "settle") in timed_stages:
            how = f"done ({counted(written, 'write')})"
        elif written or open_ones:
            how = f"begun ({counted(written, 'write')} done)"
        else:
            how = "planned, nothing written" if (flow, "plan") in timed_stages else "not begun"
        phrases.append(
            f"{flow} {how}" + (f", {open_ones} of unknown outcome to be looked up" if open_ones else "")
        )
    return phrases


def _count(db: Connection, query: str, parameters: list[Any]) -> int:
    row = db.execute(query, parameters).fetchone()
    return int(row[0]) if row else 0
