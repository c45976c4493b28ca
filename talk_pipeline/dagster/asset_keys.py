"""What the assets are called, the systems that they come from, and the sensors that watch those."""

import dagster as dg

from talk_pipeline.engine.report.findings import Stage
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow

ATTENTION = dg.AssetKey(["attention"])
"""What waits for a person, over all flows."""


def system_key(side: Side) -> dg.AssetKey:
    """A system itself: where the snapshots come from, and nothing that a run makes."""
    return dg.AssetKey(["systems", side.value])


def sensor_name(side: Side) -> str:
    """The sensor that watches a system."""
    return f"{side}_changes"


def raw_key(flow: Flow, side: Side) -> dg.AssetKey:
    """The snapshot of one side."""
    return dg.AssetKey([side.value, flow.entity(side).asset])


def links_key(flow: Flow) -> dg.AssetKey:
    """The matched links."""
    return dg.AssetKey(["links", flow.name])


def diffs_key(flow: Flow) -> dg.AssetKey:
    """The planned changes."""
    return dg.AssetKey(["diffs", flow.name])


def sync_key(flow: Flow) -> dg.AssetKey:
    """The synchronized flow."""
    return dg.AssetKey(["sync", flow.name])


def stage_key(flow: Flow, stage: Stage) -> dg.AssetKey:
    """The asset a check belongs to."""
    if stage == "diffs":
        return diffs_key(flow)
    return sync_key(flow) if stage == "sync" else raw_key(flow, Side(stage))


def flow_keys(flow: Flow) -> list[dg.AssetKey]:
    """All assets of a flow, in the order of the data."""
    return [*(raw_key(flow, side) for side in Side), links_key(flow), diffs_key(flow), sync_key(flow)]


def reading_keys(flow: Flow) -> list[dg.AssetKey]:
    """The assets that read and link a flow without writing anything."""
    return [*(raw_key(flow, side) for side in Side), links_key(flow)]


def selected_keys(flows: Flows, names: tuple[str, ...]) -> list[dg.AssetKey]:
    """What a run of some flows materializes: all of these, and the reading part of what they refer to."""
    return [
        key
        for name in flows.with_references(names)
        for key in (flow_keys(flows[name]) if name in names else reading_keys(flows[name]))
    ]
