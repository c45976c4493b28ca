"""Diffs: what would be written where, and why, before anything is written."""

import dagster as dg

from talk_pipeline.dagster.asset_keys import diffs_key, links_key
from talk_pipeline.dagster.assets.metadata import property_columns, property_lineage, property_table, table
from talk_pipeline.dagster.assets.pages import Pair, links_to
from talk_pipeline.dagster.io_manager import TABLES
from talk_pipeline.dagster.resources import Pipeline
from talk_pipeline.declarations import record_pages_of
from talk_pipeline.engine.report import runs
from talk_pipeline.engine.report.preview import OPERATIONS, PREVIEWED, plan_of
from talk_pipeline.engine.report.run_summary import timed
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.run.plan import replan
from talk_pipeline.run.session import Session
from talk_pipeline.wording import counted


def diffs_asset(flow: Flow) -> dg.AssetsDefinition:
    """The asset of planned changes of a flow."""

    @dg.asset(
        key=diffs_key(flow),
        deps=[links_key(flow)],
        io_manager_key=TABLES,
        group_name="diffs",
        description=(
            f"Planned changes: what the two sides of {flow.title.lower()} have to tell each other, three-way, "
            f"property by property.\n\n{property_table(flow)}"
        ),
        kinds={"duckdb", "diffs"},
        tags={"layer": "diffs", "flow": flow.name},
        code_version=flow.fingerprint,
        metadata={
            "dagster/column_schema": property_columns(flow),
            "dagster/column_lineage": property_lineage(flow),
        },
    )
    def planned(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult[None]:
        pages = record_pages_of(pipeline.connections.settings)

        async def step(session: Session) -> dg.MaterializeResult[None]:
            with timed(session.state, run_id=session.run_id, flow=flow.name, name="diffs") as stage:
                replan(session, session.flows[flow.name])
                with session.state.open() as db:
                    runs.planned(db, flow.name, run_id=session.run_id)
                    plan = plan_of(db, flow.name)
                    pairs = [Pair(flow.name, one["root_shop_id"], one["root_bc_id"]) for one in plan.rows]
                    called = [str(one["record"]) for one in plan.rows]
                    links = links_to(db, pages, session.flows, pairs, called=called)
                stage.records = sum(one.planned for one in plan.operations)
            context.log.info(f"{counted(stage.records, 'operation')} planned")
            numbers = {f"{side} {operation}": 0 for side in Side for operation in OPERATIONS}
            numbers |= {f"{one.target} {one.operation}": one.planned for one in plan.operations}
            extent = f"{len(plan.rows)} of {plan.changes}; all: talk-pipeline sync --dry-run --plan FILE"
            return dg.MaterializeResult(
                metadata={
                    "dagster/row_count": stage.records,
                    "dagster/column_lineage": property_lineage(flow),
                    "changes": table(plan.rows, PREVIEWED),
                    "changes shown": extent,
                    **links,
                    **numbers,
                    "withheld": sum(one.withheld for one in plan.operations),
                    "seconds": stage.seconds,
                }
            )

        return pipeline.work(context, flow, step)

    return planned
