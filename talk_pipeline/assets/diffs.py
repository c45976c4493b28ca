"""Diffs: what would be written where, and why, before anything is written."""

import dagster as dg

from talk_pipeline.assets.metadata import property_columns, property_lineage, property_table, table
from talk_pipeline.engine.agreement import SHOWN_ROWS
from talk_pipeline.engine.report import timed
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.keys import diffs_key, links_key
from talk_pipeline.resources import Pipeline
from talk_pipeline.sinks.planning import replan
from talk_pipeline.sinks.session import Session

_PREVIEW = f"""
select target, operation, coalesce(shop_id, bc_id) as record, property, before, after, rule, withheld
from change where flow = ? order by all limit {SHOWN_ROWS}
"""
_TOTAL = "select count(*) from change where flow = ?"
_COUNTS = """
select target, operation, count(distinct (part, shop_id, bc_id)) filter (withheld is null) as planned,
       count(distinct (part, shop_id, bc_id)) filter (withheld is not null) as withheld
from change where flow = ? group by all order by all
"""


def diffs_asset(flow: Flow) -> dg.AssetsDefinition:
    """The asset of planned changes of a flow."""

    @dg.asset(
        key=diffs_key(flow),
        deps=[links_key(flow)],
        group_name=flow.name,
        description=(
            f"What the two sides of {flow.title.lower()} have to tell each other: three-way, property by "
            f"property.\n\n{property_table(flow)}"
        ),
        kinds={"duckdb", "diffs"},
        tags={"layer": "diffs"},
        code_version=flow.fingerprint,
        metadata={
            "dagster/column_schema": property_columns(flow),
            "dagster/column_lineage": property_lineage(flow),
        },
    )
    def planned(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult[None]:
        async def step(session: Session) -> dg.MaterializeResult[None]:
            with timed(session.state, run_id=session.run_id, flow=flow.name, name="diffs") as stage:
                replan(session, session.flows[flow.name])
                with session.state.open() as db:
                    counts = db.execute(_COUNTS, [flow.name]).fetchall()
                    result = db.execute(_PREVIEW, [flow.name])
                    names = [column[0] for column in result.description]
                    told = db.execute(_TOTAL, [flow.name]).fetchone()
                    preview = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
                stage.records = sum(row[2] for row in counts)
                total = told[0] if told else 0
            context.log.info(f"{stage.records} operations planned")
            return dg.MaterializeResult(
                metadata={
                    "dagster/row_count": stage.records,
                    "dagster/column_lineage": property_lineage(flow),
                    "changes": table(preview, names),
                    "changes shown": f"{len(preview)} of {total}; all: talk-pipeline sync --dry-run --plan FILE",
                    **{f"{target} {op}": planned for target, op, planned, _ in counts},
                    "withheld": sum(row[3] for row in counts),
                }
            )

        return pipeline.work(context, step)

    return planned
