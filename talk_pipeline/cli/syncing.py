"""`talk-pipeline sync`: one Dagster run in this process, judged by its checks.

A run whose checks failed ends green for Dagster, and a tripped breaker red: the exit status tells them apart.
"""

import asyncio
import json
import sys
import warnings
from typing import Any

from rich.console import Console

from talk_pipeline.cli.checklist import TEXT_WIDTH, print_findings
from talk_pipeline.cli.exits import Exit, UsageError
from talk_pipeline.connections import Connections
from talk_pipeline.engine import report
from talk_pipeline.engine.checklist import checks
from talk_pipeline.engine.lease import leases
from talk_pipeline.flows.loading import Flows
from talk_pipeline.settings import Settings
from talk_pipeline.sinks.session import Options


def synchronize(names: tuple[str, ...], *, options: Options, as_json: bool) -> Exit:
    """Runs the named flows, all by default, and prints what came of it."""
    connections = Connections(Settings.load())
    wanted = _wanted(connections.flows, names)
    asyncio.run(_reachable(connections, wanted))
    run = _execute(connections, wanted, options=options)
    numbers = _numbers(connections, wanted, run_id=run.run_id)
    if as_json:
        print(json.dumps(numbers, indent=2))
    else:
        _print(connections, wanted, run_id=run.run_id, numbers=numbers)
    problems = _problems(run)
    if problems:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"error: {'; '.join(problems)}", markup=False
        )
    if numbers["checks"]["failed"] or any("nothing was written" in problem for problem in problems):
        return Exit.CHECK_FAILED
    return Exit.OK if run.success else Exit.INCOMPLETE


def _wanted(flows: Flows, names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in flows:
            raise UsageError(f"no flow {name!r}; there are: {', '.join(flows)}")
    return tuple(name for name in flows if not names or name in names)


async def _reachable(connections: Connections, wanted: tuple[str, ...]) -> None:
    """Address, credentials, company and lease, before anything heavy is loaded."""
    async with connections.session("probe"):
        pass
    folder = connections.settings.talk_data_dir / "leases"
    flows = connections.flows.with_references(wanted)
    with leases(folder, flows, run_id="probe", wait_seconds=connections.settings.talk_wait_seconds):
        pass


def _execute(connections: Connections, wanted: tuple[str, ...], *, options: Options) -> Any:
    import dagster as dg

    from talk_pipeline.assets.keys import selected_keys
    from talk_pipeline.build import build_defs
    from talk_pipeline.home import prepare_home
    from talk_pipeline.jobs import EVERYTHING, RESOURCE

    flows = connections.flows
    config = {"full": options.full, "dry_run": options.dry_run, "approve": options.approve}
    home = prepare_home(connections.settings.talk_data_dir)
    everything = len(wanted) == len(flows)
    with dg.DagsterInstance.from_config(str(home)) as instance, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (
            build_defs(flows)
            .resolve_job_def(EVERYTHING)
            .execute_in_process(
                instance=instance,
                run_config={
                    "resources": {RESOURCE: {"config": config}},
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
                asset_selection=None if everything else selected_keys(flows, wanted),
                tags={"trigger": "command line"},
                raise_on_error=False,
            )
        )


def _problems(run: Any) -> list[str]:
    """Why steps failed, in the words of the first cause; a failed check speaks for itself."""
    problems: list[str] = []
    for event in run.all_events:
        if not event.is_step_failure:
            continue
        data = event.step_failure_data
        failure = data.user_failure_data
        error = data.error
        while error is not None and error.cause is not None:
            error = error.cause
        text = failure.description if failure else (error.message if error else "")
        if error and "AssetCheck" in (error.cls_name or ""):
            continue
        problems.append(" ".join(str(text).split(": ", 1)[-1].split()))
    return list(dict.fromkeys(problems))


def _numbers(connections: Connections, wanted: tuple[str, ...], *, run_id: str) -> dict[str, Any]:
    counted = {"passed": 0, "warned": 0, "failed": 0}
    flows: dict[str, Any] = {}
    with connections.state.open() as db:
        for name in wanted:
            flows[name] = report.summary(db, connections.flows[name], run_id=run_id)
            for verdict_run, finding in report.verdicts(db, name).values():
                if verdict_run == run_id:
                    counted[finding.verdict] += 1
    return {"flows": flows, "checks": counted}


def _print(
    connections: Connections, wanted: tuple[str, ...], *, run_id: str, numbers: dict[str, Any]
) -> None:
    from rich.table import Table

    console = Console(highlight=False, width=None if sys.stdout.isatty() else TEXT_WIDTH)
    with connections.state.open() as db:
        kept = {name: report.verdicts(db, name) for name in wanted}
        timed = report.stages(db, run_id=run_id)
    for name in wanted:
        listed = [
            (check, kept[name][key][1])
            for check in checks(connections.flows[name])
            if (key := f"{check.stage}.{check.name}") in kept[name]
        ]
        print_findings(console, connections.flows[name], listed)
    table = Table("flow", "linked", "waiting", "quarantined", "ambiguous", "excluded", "writes", "failed")
    for name, one in numbers["flows"].items():
        written = sum(sum(counts.values()) for counts in one["writes"].values())
        states = (str(one[state]) for state in ("linked", "waiting", "quarantined", "ambiguous", "excluded"))
        table.add_row(name, *states, str(written), str(one["failed"]))
    console.print(table)
    stages = Table("flow", "stage", "records", "seconds", title="where the time went")
    for flow, stage, seconds, records in timed:
        stages.add_row(flow, stage, str(records), f"{seconds:.2f}")
    console.print(stages)
