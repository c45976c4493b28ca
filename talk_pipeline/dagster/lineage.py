"""What every asset shows of itself without a run: who answers for it, where its rows lie, how old it may become.

And the two systems, which stand before the snapshots and which no run makes. What one kind of asset alone shows
is said where it is made.
"""

import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster._core.definitions.metadata.source_code import (
    CodeReferencesMetadataSet,
    CodeReferencesMetadataValue,
    LocalFileCodeReference,
)

from talk_pipeline.dagster.asset_keys import diffs_key, links_key, raw_key, sync_key, system_key
from talk_pipeline.dagster.company import Partitions, partitioned
from talk_pipeline.engine.report import places
from talk_pipeline.engine.state.database import FILE
from talk_pipeline.flows.loading import PACKAGED, Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.settings import Settings

Described = Callable[[dg.AssetSpec], dg.AssetSpec]


def system_specs(settings: Settings | None) -> Iterator[dg.AssetSpec]:
    """Both systems, as what the snapshots are made of."""
    for side in Side:
        address = None
        if settings:
            address = settings.customwebshop_url if side is Side.SHOP else settings.businesscentral_url
        yield dg.AssetSpec(
            system_key(side),
            group_name=side.value,
            description=f"{side.system} itself, with the records that people and programs edit there.",
            kinds={"api"},
            tags={"layer": "system", "system": side.value},
            metadata={"dagster/uri": address} if address else {},
            owners=settings.owners if settings else None,
        )


def description_of(
    flows: Flows, settings: Settings | None, *, companies: Partitions | None = None
) -> Described:
    """What adds to an asset whatever follows from its place in the lineage."""
    added = {key: _of_flow(flow, settings) | more for flow in flows.values() for key, more in _of_keys(flow)}

    def described(spec: dg.AssetSpec) -> dg.AssetSpec:
        own = added.get(spec.key, {})
        return spec.replace_attributes(
            metadata={**spec.metadata, **own.get("metadata", {}), **own.get("place", {})},
            owners=settings.owners if settings else ...,
            freshness_policy=own.get("freshness_policy", ...),
            **partitioned(companies),
        )

    return described


def _of_keys(flow: Flow) -> Iterator[tuple[dg.AssetKey, dict[str, Any]]]:
    fresh = {"freshness_policy": freshness(flow)}
    for side in Side:
        yield raw_key(flow, side), {"place": _table(places.snapshot(flow, side)), **fresh}
    yield links_key(flow), {"place": _table(places.links(flow))}
    yield diffs_key(flow), {"place": _table(places.changes(flow))}
    yield sync_key(flow), {"place": _table(places.journal(flow)), **fresh}


def freshness(flow: Flow) -> dg.FreshnessPolicy:
    """How old may become what every full scan makes anew: who sees it age knows that no sensor is at work."""
    every = timedelta(minutes=flow.settings.full_scan_minutes)
    warn = every + max(every / 4, timedelta(minutes=15))
    return dg.FreshnessPolicy.time_window(fail_window=warn + (warn - every), warn_window=warn)


def _table(rows: str) -> dict[str, str]:
    """What follows `from` in a query of its rows: several flows share a table, and no two assets are the same."""
    return {
        "dagster/table_name": f"{FILE.removesuffix('.duckdb')}.main.{rows}",
        "dagster/storage_kind": "duckdb",
    }


def _of_flow(flow: Flow, settings: Settings | None) -> dict[str, Any]:
    folder = settings.talk_flows_dir if settings and settings.talk_flows_dir else PACKAGED
    file = (folder / f"{flow.name}.yaml").resolve()
    metadata: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        reference = LocalFileCodeReference(
            file_path=str(file), line_number=1, label="the flow, as it is declared"
        )
        metadata |= CodeReferencesMetadataSet(
            code_references=CodeReferencesMetadataValue(code_references=[reference])
        )
    if settings and settings.talk_companies is None:  # else each company has its own
        metadata["dagster/uri"] = (settings.work_dir / FILE).resolve().as_uri()
    return {"metadata": metadata}
