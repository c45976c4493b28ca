"""`talk-pipeline sync`: one Dagster run in this process, judged by its checks.

A run whose checks failed ends green for Dagster, and a tripped breaker red: the exit status tells them apart.
"""

import asyncio
from pathlib import Path
from typing import Any

from talk_pipeline.cli.checklist import EXITS, document_of
from talk_pipeline.cli.company import tell
from talk_pipeline.cli.document import text
from talk_pipeline.cli.document.tree import Document
from talk_pipeline.cli.exits import Exit, Interrupted, UsageError, into_a_folder
from talk_pipeline.cli.tables import console
from talk_pipeline.cli.telling import counts, run_document
from talk_pipeline.cli.terminal import Terminal
from talk_pipeline.cli.undoing import print_undone, undone_by, undone_document
from talk_pipeline.engine.manual.lookup import named_flow
from talk_pipeline.engine.report import run_summary
from talk_pipeline.engine.report.plan_file import write_plan
from talk_pipeline.engine.report.sheet import sheet_of
from talk_pipeline.flows.loading import Flows
from talk_pipeline.installation import Connections
from talk_pipeline.run.session import Options
from talk_pipeline.settings import Settings

EXAMPLE_ROWS = 5
"""Of each table after a run; `talk-pipeline checklist` lists them all."""


def synchronize(names: tuple[str, ...], *, options: Options, as_json: bool, plan: Path | None = None) -> Exit:
    """Runs the named flows, all by default, prints what came of it, and writes the plan of a dry run to a file."""
    if plan and (not options.dry_run or plan.suffix not in (".csv", ".json")):
        raise UsageError(f"--plan {plan}: a plan is written by --dry-run, into a file called .csv or .json")
    if plan:
        into_a_folder(plan)
    if options.restored and options.dry_run:
        raise UsageError(
            f"--restored {options.restored} decides what is written and goes with no --dry-run; "
            "talk-pipeline checklist shows what went back"
        )
    connections = Connections(Settings.load())
    wanted = _wanted(connections.flows, names)
    asyncio.run(_reachable(connections, wanted))
    run = _execute(connections, wanted, options=options)
    numbers = numbers_of(connections, wanted, run_id=run.run_id)
    if plan:
        with connections.state.once() as db:
            write_plan(db, wanted, file=plan)
    undone = undone_by(connections, wanted, run_id=run.run_id, options=options)
    with connections.state.once() as db:
        sheet = sheet_of(db, connections.flows, names=wanted, run_id=run.run_id)
        told = None if as_json else sheet
        document = document_of(db, connections.flows, connections.entities, told) if told else None
    if as_json:
        tell(numbers | undone_document(options, undone, by=run.run_id))
    else:
        print_undone(options, undone)
        _print(connections, document, run_id=run.run_id, numbers=numbers)
    found, stopped = _problems(connections, wanted, run)
    if found:
        Terminal(stderr=True, highlight=False, soft_wrap=True).print(
            f"error: {'; '.join(found)}", markup=False
        )
    if stopped:
        raise Interrupted(Exit.INCOMPLETE)
    if found or sheet is None:
        return Exit.INCOMPLETE
    return EXITS[sheet.verdict]


def _problems(connections: Connections, wanted: tuple[str, ...], run: Any) -> tuple[list[str], bool]:
    """What broke the run off, and whether that was a signal."""
    from talk_pipeline.dagster.execute import interrupted, problems

    if not interrupted(run):
        return problems(run), False
    with connections.state.once() as db:
        reached = run_summary.reached(db, wanted, run_id=run.run_id)
    return [f"stopped: {', '.join(reached)}; run it again to go on"], True


def _wanted(flows: Flows, names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        named_flow(flows, name)
    return tuple(name for name in flows if not names or name in names)


async def _reachable(connections: Connections, wanted: tuple[str, ...]) -> None:
    """Address, credentials, company and lease, before anything heavy is loaded."""
    async with connections.session("probe"):
        pass
    flows = connections.flows.with_references(wanted)
    with connections.state.leased(flows, by="probe"):
        pass


def _execute(connections: Connections, wanted: tuple[str, ...], *, options: Options) -> Any:
    from talk_pipeline.dagster.execute import execute
    from talk_pipeline.dagster.instance import open_home

    company = connections.settings.company
    with open_home(connections.settings.shared_dir, several=company is not None) as instance:
        return execute(
            connections.flows,
            wanted,
            options=options,
            instance=instance,
            company=company.name if company else None,
        )


def numbers_of(connections: Connections, wanted: tuple[str, ...], *, run_id: str) -> dict[str, Any]:
    """The document that `--json` prints."""
    with connections.state.once() as db:
        flows = {name: run_summary.summary(db, connections.flows[name], run_id=run_id) for name in wanted}
        sheet = sheet_of(db, connections.flows, names=wanted, run_id=run_id)
    run = {"run": run_document(sheet)} if sheet else {}
    return {
        **run,
        "flows": flows,
        "checks": counts(sheet) if sheet else dict.fromkeys(("passed", "warned", "failed"), 0),
    }


def _print(
    connections: Connections, document: Document | None, *, run_id: str, numbers: dict[str, Any]
) -> None:
    """Timings and numbers, then the checklist, which ends on the verdict."""
    from rich.table import Table

    out = console()
    with connections.state.once() as db:
        timed = run_summary.stages(db, run_id=run_id)
    stages = Table("flow", "stage", "records", "seconds", title="where the time went")
    for flow, stage, seconds, records in timed:
        stages.add_row(flow, stage, str(records), f"{seconds:.2f}")
    out.print(stages)
    table = Table("flow", "linked", "waiting", "quarantined", "ambiguous", "excluded", "writes", "failed")
    for name, one in numbers["flows"].items():
        written = sum(sum(counts.values()) for counts in one["writes"].values())
        states = (str(one[state]) for state in ("linked", "waiting", "quarantined", "ambiguous", "excluded"))
        table.add_row(name, *states, str(written), str(one["failed"]))
    out.print(table)
    if document:
        text.show(out, document, rows=EXAMPLE_ROWS)
    else:
        out.print(f"run {run_id}", markup=False)
