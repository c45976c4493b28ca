"""Assets as pandas frames, for whoever builds on them: reports, notebooks, assets of their own.

The pipeline's own assets pass nothing through here: their rows stay in DuckDB. Downstream of them a parameter
annotated with a frame, or `load_asset_value`, reads the rows as they are now.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG

from talk_pipeline.dagster.asset_keys import ATTENTION, diffs_key, links_key, raw_key, sync_key
from talk_pipeline.dagster.company import settings_of
from talk_pipeline.engine.report import frames
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.installation import Connections

if TYPE_CHECKING:
    import pandas as pd

    Frame = Callable[[Connection, Flow], pd.DataFrame]


TABLES = "talk_tables"
"""The key of the resource; a project may have an `io_manager` of its own."""


class Tables(dg.IOManager):
    """Loads any asset of the pipeline as a frame: its rows as the state holds them now."""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Keeps nothing: rows are in the state before an asset is materialized."""

    def load_input(self, context: dg.InputContext) -> "pd.DataFrame":
        """The rows of the upstream asset.

        Raises:
            KeyError: no asset of the pipeline has that key.
        """
        tags = {PARTITION_NAME_TAG: context.partition_key} if context.has_partition_key else {}
        connections = Connections(settings_of(tags))
        for flow in connections.flows.values():
            made: dict[dg.AssetKey, Frame] = {
                raw_key(flow, side): partial(frames.snapshot_frame, side=side) for side in Side
            }
            made |= {
                links_key(flow): frames.links_frame,
                diffs_key(flow): frames.changes_frame,
                sync_key(flow): frames.journal_frame,
            }
            if context.asset_key in made:
                with connections.state.once() as db:
                    return made[context.asset_key](db, flow)
        if context.asset_key == ATTENTION:
            with connections.state.once() as db:
                return frames.attention_frame(db, connections.flows)
        raise KeyError(f"no asset of the pipeline is called {context.asset_key.to_user_string()}")
