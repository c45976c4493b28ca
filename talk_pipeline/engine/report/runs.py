"""What is known of runs, flow by flow: that they began, planned, were stopped, broke off or ended.

Kept from the first moment, so that a run which got nowhere is the last run all the same.
"""

from collections.abc import Iterable

from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.state.connection import Connection, now, transaction
from talk_pipeline.engine.state.rows import insert, select
from talk_pipeline.engine.state.tables import RunRow
from talk_pipeline.wording import counted

LISTED = 10
SHORTEST = 4
"""So many characters of a run's id are meant, and not mistyped."""

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
        rows = [
            RunRow(
                run_id=run_id, flow=flow, started_at=started, full_scan=full, dry_run=dry_run, undoes=undoes
            )
            for flow in flows
            if flow not in known
        ]
        insert(db, rows)


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


def runs_of(db: Connection, run_id: str) -> dict[str, RunRow]:
    """What is known of one run, by flow."""
    return {row.flow: row for row in select(db, RunRow, "where run_id = $run_id", {"run_id": run_id})}


def latest(db: Connection) -> str | None:
    """The id of the last run."""
    row = db.execute("select run_id from run order by started_at desc limit 1").fetchone()
    return str(row[0]) if row else None


def named_run(db: Connection, text: str) -> str:
    """The run that a person means by its id or the beginning of it.

    Raises:
        ByHandError: no run or several are known by it, or it is too short; the latest that wrote are listed.
    """
    text = text.strip()
    rows = db.execute(
        "select run_id from run where starts_with(run_id, $1)"
        " union select run_id from journal where starts_with(run_id, $1)",
        [text],
    ).fetchall()
    found = [str(row[0]) for row in rows] if text else []
    if text in found:
        return text
    if found and len(text) < SHORTEST:
        wrong = f"{text!r} is too little of a run's id: give at least {counted(SHORTEST, 'character')}"
    elif len(found) == 1:
        return found[0]
    else:
        wrong = f"{'several runs are' if found else 'no run is'} known as {text!r}"
    written = db.execute(
        "select run_id, min(intent_at), count(*) from journal where outcome = 'done'"
        f" group by 1 order by 2 desc limit {LISTED}"
    ).fetchall()
    listed = [
        f"\n  {run_id}  {at:%Y-%m-%d %H:%M:%S} UTC, {counted(count, 'write')}"
        for run_id, at, count in written
    ]
    listing = "the latest that wrote:" + "".join(listed) if listed else "none has written anything yet"
    raise ByHandError(f"{wrong}; {listing}")
