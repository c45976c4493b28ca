"""Sync: the ops that carry a plan out: plan, upsert Businesscentral, upsert Customwebshop, settle.

The circuit breaker is in the plan op too, since materializing this asset alone passes by the blocking check
before it. Outcomes are concluded inside each upsert, so that nothing depends on the last op being reached.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import dagster as dg

from talk_pipeline.dagster.asset_keys import diffs_key, raw_key, sync_key
from talk_pipeline.dagster.assets.attention import waiting_metadata
from talk_pipeline.dagster.assets.metadata import property_table, stop_metadata, table
from talk_pipeline.dagster.io_manager import TABLES
from talk_pipeline.dagster.resources import Pipeline
from talk_pipeline.engine.kinds import Status
from talk_pipeline.engine.plan.undo import outcome
from talk_pipeline.engine.report import run_summary, runs
from talk_pipeline.engine.report.agreement import LISTED_ROWS
from talk_pipeline.engine.report.attention import attention
from talk_pipeline.engine.report.stops import stop_of
from talk_pipeline.engine.report.writes import COLUMNS as WRITTEN
from talk_pipeline.engine.report.writes import writes_of
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.run.plan import BreakerTrippedError, prepare
from talk_pipeline.run.session import Session
from talk_pipeline.run.write import settle, upsert

STAGES = PLAN, TO_BC, TO_SHOP, SETTLE = (
    "plan",
    "upsert Business Central",
    "upsert Customwebshop",
    "settle",
)


def sync_asset(flow: Flow, flows: Flows) -> dg.AssetsDefinition:
    """The graph-backed asset that synchronizes a flow."""
    # their records go before whatever would make a record they refer to unusable
    referring = [other for other in flows.values() if flow.name in other.refers_to]
    waits_for = {"diff": diffs_key(flow)} | {other.name: raw_key(other, Side.SHOP) for other in referring}

    @dg.op(
        name=f"plan_{flow.name}",
        ins={name: dg.In(dg.Nothing) for name in waits_for},
        out=dg.Out(dg.Nothing),
        description="Settles what an earlier run left open, plans anew, and stops an implausible plan.",
    )
    def plan(context: dg.OpExecutionContext, pipeline: Pipeline) -> None:
        try:
            pipeline.work(context, flow, _timed(flow, PLAN, _plan))
        except BreakerTrippedError as error:
            with pipeline.state.once() as db:
                stop = stop_of(db, pipeline.flows, flow.name, run_id=context.run.run_id)
            raise StoppedByBreaker(
                str(error), metadata=stop_metadata(stop) if stop else None, allow_retries=False
            ) from None

    @dg.op(
        name=f"upsert_businesscentral_{flow.name}",
        ins={"planned": dg.In(dg.Nothing)},
        out=dg.Out(dg.Nothing),
        description="Creates and updates records in Business Central.",
    )
    def upsert_businesscentral(context: dg.OpExecutionContext, pipeline: Pipeline) -> None:
        pipeline.work(context, flow, _timed(flow, TO_BC, partial(upsert, target=Side.BC)))

    @dg.op(
        name=f"upsert_customwebshop_{flow.name}",
        ins={"upserted": dg.In(dg.Nothing)},
        out=dg.Out(dg.Nothing),
        description="Updates records in the shop, with what Business Central answered.",
    )
    def upsert_customwebshop(context: dg.OpExecutionContext, pipeline: Pipeline) -> None:
        pipeline.work(context, flow, _timed(flow, TO_SHOP, partial(upsert, target=Side.SHOP)))

    @dg.op(
        name=f"settle_{flow.name}",
        ins={"upserted": dg.In(dg.Nothing)},
        out=dg.Out(dg.Nothing, io_manager_key=TABLES),
        description="Compares once more, and puts away what is in step.",
    )
    def settle_flow(context: dg.OpExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult[None]:
        pipeline.work(context, flow, _timed(flow, SETTLE, settle))
        pipeline.completed(context, pipeline.flows[flow.name])
        return dg.MaterializeResult(metadata=_metadata(pipeline, flow, run_id=context.run.run_id))

    @dg.graph_asset(
        key=sync_key(flow),
        group_name="sync",
        description=(
            f"Synchronization: {flow.title.lower()} in step on both sides. Its checks are the QA checklist."
            f"\n\n{property_table(flow)}"
        ),
        kinds={"duckdb", "sync"},
        tags={"layer": "sync", "flow": flow.name},
        code_version=flow.fingerprint,
        ins={name: dg.AssetIn(key=key, dagster_type=dg.Nothing) for name, key in waits_for.items()},
    )
    def synchronized(**upstream: Any) -> Any:
        return settle_flow(upsert_customwebshop(upsert_businesscentral(plan(**upstream))))

    return synchronized


WAITING = "waiting for a person"
"""In the metadata: how many do, of the flow."""


class StoppedByBreaker(dg.Failure):
    """The plan op ends here; whoever tells of the run knows by it that nothing broke."""


async def _plan(session: Session, flow: Flow) -> None:
    try:
        await prepare(session, flow)
    finally:
        with session.state.open() as db:
            runs.planned(db, flow.name, run_id=session.run_id)


def _timed(
    flow: Flow, name: str, step: Callable[[Session, Flow], Awaitable[object]]
) -> Callable[[Session], Awaitable[None]]:
    async def timed(session: Session) -> None:
        with run_summary.timed(session.state, run_id=session.run_id, flow=flow.name, name=name) as stage:
            await step(session, session.flows[flow.name])
            with session.state.open() as db:
                counted = run_summary.writes(db, flow.name, run_id=session.run_id)
            stage.records = sum(sum(one.values()) for one in counted.values())

    return timed


def _metadata(pipeline: Pipeline, flow: Flow, *, run_id: str) -> dict[str, Any]:
    with pipeline.state.once() as db:
        numbers = run_summary.summary(db, pipeline.flows[flow.name], run_id=run_id)
        overwritten = run_summary.conflicts(db, flow.name, run_id=run_id)
        total, written = writes_of(db, pipeline.flows[flow.name], run_id=run_id, most=LISTED_ROWS)
        waiting = attention(db, pipeline.flows, names=(flow.name,), most=LISTED_ROWS, run_id=run_id)
        told = waiting_metadata(db, pipeline, waiting)
        seconds = {
            name: took
            for of, name, took, _ in run_summary.stages(db, run_id=run_id)
            if of == flow.name and name in STAGES
        }
    lost = len(overwritten)
    columns = ("shop_id", "property", "rule", "winner", "shop_value", "bc_value")
    metadata: dict[str, Any] = {
        "dagster/row_count": numbers["linked"],
        "planned": numbers["changes"],
        "failed writes": numbers["failed"],
        "conflicts": numbers["conflicts"],
        "overwritten": table((asdict(row) for row in overwritten), columns),
        "overwritten shown": f"{min(lost, LISTED_ROWS)} of {lost}; all: talk-pipeline conflicts",
        "written": table(written, WRITTEN),
        "written shown": f"{len(written)} of {total}; all: talk-pipeline writes {run_id} --flow {flow.name}",
        **told,
        WAITING: waiting.total,
    }
    for side, counted in numbers["writes"].items():
        metadata |= {f"{side} {operation}": count for operation, count in counted.items()}
    metadata |= {f"seconds of {name}": took for name, took in seconds.items()}
    metadata |= _undone(pipeline, flow, run_id=run_id)
    return metadata | {f"records {state}": numbers[state] for state in Status}


def _undone(pipeline: Pipeline, flow: Flow, *, run_id: str) -> dict[str, Any]:
    """What a run that undoes another put back, and what it left."""
    options = pipeline.options
    if not options.undo:
        return {}
    with pipeline.state.once() as db:
        back, left = outcome(
            db,
            pipeline.flows[flow.name],
            options.undo,
            company=pipeline.connections.company,
            by=run_id,
            dry_run=options.dry_run,
        )
    columns = ("part", "shop_id", "bc_id", "target", "property", "now", "before", "reason")
    cases_by_name = {"put back": back, "left as they are": left}
    return {
        name: table((case.document() for case in cases[:LISTED_ROWS]), columns)
        for name, cases in cases_by_name.items()
    } | {f"{name}, in number": len(cases) for name, cases in cases_by_name.items()}
