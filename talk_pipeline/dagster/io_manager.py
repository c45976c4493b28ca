"""Assets as pandas frames, for whoever builds on them: reports, notebooks, assets of their own.

The pipeline's own assets pass nothing through here: their rows stay in DuckDB. Downstream of them a parameter
annotated with a frame, or `load_asset_value`, reads the rows as they are now.
"""

from typing import TYPE_CHECKING

import dagster as dg

from talk_pipeline.dagster.asset_keys import diffs_key, links_key, raw_key, sync_key
from talk_pipeline.flows.properties import Side
from talk_pipeline.installation import Connections
from talk_pipeline.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

_SNAPSHOT = "select * exclude (flow, side) from snapshot where flow = ? and side = '{}' order by id"
_LINKS = "select * from link where part = ? order by shop_id"
_DIFFS = "select * exclude (flow) from change where flow = ? order by all"
_SYNC = "select * exclude (flow) from journal where flow = ? order by intent_at"


class Tables(dg.IOManager):
    """Loads any asset of the pipeline as a frame: snapshots, links, planned changes, and the journal of a sync."""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Keeps nothing: rows are in the state before an asset is materialized."""

    def load_input(self, context: dg.InputContext) -> "pd.DataFrame":
        """The rows of the upstream asset.

        Raises:
            KeyError: no asset of the pipeline has that key.
        """
        connections = Connections(Settings.load())
        for name, flow in connections.flows.items():
            queries = {raw_key(flow, side): _SNAPSHOT.format(side) for side in Side}
            queries |= {links_key(flow): _LINKS, diffs_key(flow): _DIFFS, sync_key(flow): _SYNC}
            if context.asset_key in queries:
                with connections.state.once() as db:
                    return db.execute(queries[context.asset_key], [name]).df()
        raise KeyError(f"no asset of the pipeline is called {context.asset_key.to_user_string()}")
