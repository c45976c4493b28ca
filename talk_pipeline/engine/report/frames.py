"""Rows of the state as pandas frames, for reports and notebooks."""

from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from talk_pipeline.engine.report import places
from talk_pipeline.engine.report.attention import attention
from talk_pipeline.engine.report.waiting import Item
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow

if TYPE_CHECKING:
    import pandas as pd


def snapshot_frame(db: Connection, flow: Flow, side: Side) -> "pd.DataFrame":
    """What a system said: a row a record, by id; the columns of table `snapshot` but for flow and side."""
    return db.execute(f"select * exclude (flow, side) from {places.snapshot(flow, side)} order by id").df()


def links_frame(db: Connection, flow: Flow) -> "pd.DataFrame":
    """A row a pair, by shop id; the columns of table `link`."""
    return db.execute(f"select * from {places.links(flow)} order by shop_id").df()


def changes_frame(db: Connection, flow: Flow) -> "pd.DataFrame":
    """A row a property to be written; the columns of table `change` but for the flow."""
    return db.execute(f"select * exclude (flow) from {places.changes(flow)} order by all").df()


def journal_frame(db: Connection, flow: Flow) -> "pd.DataFrame":
    """A row a request, oldest first; the columns of table `journal` but for the flow."""
    return db.execute(f"select * exclude (flow) from {places.journal(flow)} order by intent_at").df()


def attention_frame(db: Connection, flows: Flows) -> "pd.DataFrame":
    """A row for each thing that waits for a person, the most urgent first; the attributes of `attention.Item`."""
    import pandas as pd

    names = [field.name for field in fields(Item)]
    return pd.DataFrame([asdict(item) for item in attention(db, flows).items], columns=names)
