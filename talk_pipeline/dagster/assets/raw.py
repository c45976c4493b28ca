"""Snapshots: what each system said, record by record. Nothing is mapped here."""

import dagster as dg

from talk_pipeline.dagster.asset_keys import raw_key, sync_key, system_key
from talk_pipeline.dagster.assets.metadata import snapshot_schema
from talk_pipeline.dagster.io_manager import TABLES
from talk_pipeline.dagster.resources import Pipeline
from talk_pipeline.engine.report.run_summary import timed
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.run.fetch import fetch
from talk_pipeline.run.session import Session
from talk_pipeline.wording import counted


def raw_asset(flow: Flow, side: Side, flows: Flows) -> dg.AssetsDefinition:
    """The snapshot asset of one side of a flow; what other flows may make there for it is there before."""
    entity = flow.entity(side)
    made_before = [sync_key(other) for other in flows.reads_after(flow)] if side is Side.BC else []

    @dg.asset(
        key=raw_key(flow, side),
        deps=[system_key(side), *made_before],
        io_manager_key=TABLES,
        group_name=side.value,
        description=(
            f"Snapshot: `{entity.entity}` of {side.system}, as received. Read since the watermark, or in full "
            f"when asked for or every {counted(flow.settings.full_scan_minutes, 'minute')}."
        ),
        kinds={"duckdb", "snapshot"},
        tags={"layer": "snapshot", "system": side.value, "flow": flow.name},
        code_version=flow.fingerprint,
        metadata={"dagster/column_schema": snapshot_schema(flow, side)},
    )
    def snapshot(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult[None]:
        async def step(session: Session) -> dg.MaterializeResult[None]:
            name = f"snapshot {side}"
            with timed(session.state, run_id=session.run_id, flow=flow.name, name=name) as stage:
                fetched = await fetch(session, session.flows[flow.name], side)
                stage.records = fetched.landed.read
            context.log.info(
                f"{entity.entity}: read {fetched.landed.read}, changed {fetched.landed.changed}, "
                f"held {fetched.records}"
            )
            return dg.MaterializeResult(
                metadata={
                    "dagster/row_count": fetched.records,
                    "read": fetched.landed.read,
                    "changed": fetched.landed.changed,
                    "outside the flow's scope": fetched.landed.outside,
                    "gone": fetched.gone,
                    "full scan": fetched.full,
                    "implausible": fetched.problem or "nothing",
                    "seconds": stage.seconds,
                }
            )

        return pipeline.work(context, flow, step)

    return snapshot
