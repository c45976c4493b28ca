"""`talk-pipeline writes`: every value that a run wrote, and what came of it."""

from collections.abc import Mapping
from typing import Any

from talk_pipeline.cli.company import tell
from talk_pipeline.cli.tables import console, line, print_table, value
from talk_pipeline.declarations import flows_of
from talk_pipeline.engine.manual.lookup import named_flow
from talk_pipeline.engine.report import runs
from talk_pipeline.engine.report.writes import writes_of
from talk_pipeline.engine.state.connection import stamp
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state, nothing_ran
from talk_pipeline.wording import counted

COLUMNS = ("record", "property", "before", "after", "what", "why", "outcome")


def print_writes(run: str | None, *, flow: str | None, as_json: bool) -> None:
    """What a run wrote, the last one by default.

    Raises:
        ByHandError: no run, or several, are known by that id, or nothing ran yet; no flow has that name.
    """
    settings = Settings.load()
    flows = flows_of(settings)
    asked = [named_flow(flows, flow)] if flow else list(flows.values())
    with known_state(settings).once() as db:
        run_id = runs.named_run(db, run) if run else runs.latest(db)
        if run_id is None:
            raise nothing_ran(settings)
        rows = [row for one in asked for row in writes_of(db, one, run_id=run_id)[1]]
    if as_json:
        told = [row | {"at": stamp(row["at"])} for row in rows]
        tell({"run": run_id, "writes": told})
        return
    out = console()
    print_table(out, f"written by run {run_id}", COLUMNS, map(_cells, rows))
    line(out, f"run {run_id} sent {counted(len(rows), 'value')}")


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        f"{row['flow']} {row['number']}",
        row["property"] or "",
        value(row["before"]) if row["property"] else "",
        value(row["after"]) if row["property"] else "",
        f"{row['operation']} in {row['target']}",
        row["rule"] or "",
        ": ".join(filter(None, (row["outcome"], row["reason"]))),
    )
