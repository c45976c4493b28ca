"""What is known of runs, flow by flow: that they began, planned, were stopped, broke off or ended.

Kept from the first moment, so that a run which got nowhere is the last run all the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from talk_pipeline.engine.state.database import Connection, insert_rows, now, rows_of, transaction


@dataclass(frozen=True, slots=True)
class Ran:
    """A run, as far as it concerns one flow.

    Attributes:
        problem: what broke it off, None where nothing did.
        stopped_by: the blocking check that stopped it; `stopped` says why.
        undoes: the run whose updates it puts back.
    """

    run_id: str
    flow: str
    started_at: datetime
    full_scan: bool
    dry_run: bool
    ended_at: datetime | None
    problem: str | None
    stopped_by: str | None
    stopped: str | None
    undoes: str | None


_COLUMNS = "run_id, flow, started_at, full_scan, dry_run, ended_at, problem, stopped_by, stopped, undoes"

_PLANNED = """
update run set planned = (select count(*) from (
  select distinct part, target, operation, shop_id, bc_id from change where flow = $flow and hold_kind is null))
where run_id = $run_id and flow = $flow
"""


def begin(
    db: Connection,
    flows: Iterable[str],
    *,
    run_id: str,
    full: bool = False,
    dry_run: bool = False,
    undoes: str | None = None,
) -> None:
    """Notes that a run starts to work on flows; what is noted already stays."""
    with transaction(db):
        known = {row[0] for row in db.execute("select flow from run where run_id = ?", [run_id]).fetchall()}
        started = now()
        rows = [(run_id, flow, started, full, dry_run, None) for flow in flows if flow not in known]
        insert_rows(db, "run", [(*row, None, None, None, None, undoes) for row in rows])


def planned(db: Connection, flow: str, *, run_id: str) -> None:
    """Notes how much the run plans for a flow, from the table of changes."""
    db.execute(_PLANNED, {"flow": flow, "run_id": run_id})


def stopped(db: Connection, flow: str, *, run_id: str, by: str, reason: str) -> None:
    """Notes that a blocking check lets the run go no further."""
    db.execute(
        "update run set stopped_by = ?, stopped = ? where run_id = ? and flow = ?", [by, reason, run_id, flow]
    )


def broke_off(db: Connection, flow: str, *, run_id: str, problem: str) -> None:
    """Notes what broke the run off."""
    db.execute("update run set problem = ? where run_id = ? and flow = ?", [problem, run_id, flow])


def ended(db: Connection, *, run_id: str) -> None:
    """Notes that the run is over, however it went."""
    db.execute("update run set ended_at = ? where run_id = ?", [now(), run_id])


def runs_of(db: Connection, run_id: str) -> dict[str, Ran]:
    """What is known of one run, by flow."""
    rows = rows_of(db, f"select {_COLUMNS} from run where run_id = $run_id", {"run_id": run_id})
    return {row["flow"]: Ran(**row) for row in rows}


def latest(db: Connection) -> str | None:
    """The id of the last run."""
    row = db.execute("select run_id from run order by started_at desc limit 1").fetchone()
    return str(row[0]) if row else None
