"""Attention: what waits for a person over all flows, once they are synchronized.

A run that breaks off or is stopped reaches no asset behind: what waits is told then by a hook of the jobs.
"""

from typing import Any

import dagster as dg

from talk_pipeline.dagster.asset_keys import ATTENTION, sync_key
from talk_pipeline.dagster.assets.metadata import table
from talk_pipeline.dagster.assets.pages import Pair, links_to
from talk_pipeline.dagster.io_manager import TABLES
from talk_pipeline.dagster.resources import Pipeline
from talk_pipeline.declarations import record_pages_of
from talk_pipeline.engine.report.agreement import LISTED_ROWS
from talk_pipeline.engine.report.attention import attention
from talk_pipeline.engine.report.waiting import COLUMNS, Waiting
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.loading import Flows

DESCRIPTION = """\
Everything that waits for a person, over all flows: what it is, why, for how long, and the next step; a row a
record, or a property where one is in conflict. It is told after every run of all flows, and when any run is stopped
or breaks off.

What the next step says by a command is done here as well. Decisions about a record: in the launchpad of the job
`by_hand`, which opens with every key of one, and tells what each does. About a run: in the launchpad of any
sync job, under `resources: pipeline: config`, by `dry_run`, `approve`, `full`, `restored` and `undo`.
"""


def attention_asset(flows: Flows) -> dg.AssetsDefinition:
    """The asset of what waits for a person."""

    @dg.asset(
        key=ATTENTION,
        deps=[sync_key(flow) for flow in flows.values()],
        io_manager_key=TABLES,
        group_name="attention",
        description=DESCRIPTION,
        kinds={"duckdb", "report"},
        tags={"layer": "report"},
        metadata={
            "dagster/column_schema": dg.TableSchema([dg.TableColumn(name, "text") for name in COLUMNS])
        },
    )
    def waiting(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata=attention_metadata(pipeline, context.run.run_id))

    return waiting


def waiting_metadata(db: Connection, pipeline: Pipeline, waiting: Waiting) -> dict[str, Any]:
    """The table of what waits, how much of it that is, and where the records are shown."""
    pages = record_pages_of(pipeline.connections.settings)
    pairs = [Pair(one.flow, one.shop_id, one.bc_id) for one in waiting.items]
    rows = [one.row() for one in waiting.items]
    called = [" ".join(filter(None, (one["flow"], one["number"], one["name"]))) for one in rows]
    return {
        "waiting": table(rows, COLUMNS),
        "waiting shown": f"{len(waiting.items)} of {waiting.total}; all: talk-pipeline attention",
        **links_to(db, pages, pipeline.flows, pairs, called=called),
    }


def attention_metadata(pipeline: Pipeline, run_id: str) -> dict[str, Any]:
    """What waits when a run is done with its writes: the first rows, how many there are, and of each kind."""
    with pipeline.state.once() as db:
        waiting = attention(db, pipeline.flows, most=LISTED_ROWS, run_id=run_id)
        told = waiting_metadata(db, pipeline, waiting)
    return {
        "dagster/row_count": waiting.total,
        **told,
        **waiting.counts,
    }
