"""Links: which shop record and which Business Central record are the same thing."""

from dataclasses import asdict

import dagster as dg

from talk_pipeline.dagster.asset_keys import links_key, raw_key, sync_key
from talk_pipeline.dagster.assets.metadata import table
from talk_pipeline.dagster.io_manager import TABLES
from talk_pipeline.dagster.resources import Pipeline
from talk_pipeline.engine.match import links
from talk_pipeline.engine.report.agreement import LISTED_ROWS
from talk_pipeline.engine.report.run_summary import timed
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.run.session import Session
from talk_pipeline.wording import counted


def links_asset(flow: Flow, flows: Flows) -> dg.AssetsDefinition:
    """The link asset of a flow; it waits for the flows it refers to, so that their new links count."""
    referenced = [sync_key(flows[name]) for name in flow.refers_to]

    @dg.asset(
        key=links_key(flow),
        deps=[*(raw_key(flow, side) for side in Side), *referenced],
        io_manager_key=TABLES,
        group_name="links",
        description=f"Links: pairs of {flow.title.lower()}, one to one, matched by {', then '.join(flow.match)}.",
        kinds={"duckdb", "links"},
        tags={"layer": "links", "flow": flow.name},
        code_version=flow.fingerprint,
        metadata={
            "dagster/column_schema": dg.TableSchema(
                [
                    dg.TableColumn("shop_id", "text", description="Record in the shop"),
                    dg.TableColumn("bc_id", "text", description="Record in Business Central"),
                    dg.TableColumn("rule", "text", description="How they were found to be the same"),
                    dg.TableColumn("state", "text", description="active, held or closed"),
                    dg.TableColumn("linked_at", "timestamp"),
                ]
            )
        },
    )
    def linked(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult[None]:
        async def step(session: Session) -> dg.MaterializeResult[None]:
            with timed(session.state, run_id=session.run_id, flow=flow.name, name="links") as stage:
                with session.state.open() as db:
                    matched = links.match(db, session.flows[flow.name])
                    ambiguous = links.candidates(db, flow.name)
                    by_rule = links.by_rule(db, flow.name)
                stage.records = sum(by_rule.values())
            context.log.info(
                f"{counted(matched.linked, 'new link')}, {counted(matched.ambiguous, 'ambiguous record')}"
            )
            columns = ("shop_id", "bc_id", "property", "linked")
            listed = min(len(ambiguous), LISTED_ROWS)
            return dg.MaterializeResult(
                metadata={
                    "dagster/row_count": stage.records,
                    "new links": matched.linked,
                    # of the other states the plan knows more: they are told with the synchronization
                    "ambiguous records": matched.ambiguous,
                    "ambiguous": table((asdict(row) for row in ambiguous), columns),
                    "ambiguous shown": f"{listed} of {counted(len(ambiguous), 'candidate')}",
                    "linked by": table(
                        ({"rule": rule, "links": count} for rule, count in by_rule.items()), ("rule", "links")
                    ),
                    "seconds": stage.seconds,
                }
            )

        return pipeline.work(context, flow, step)

    return linked
