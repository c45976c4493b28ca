"""Sensors: one a system. Each asks one cheap question a flow and starts a run for the flows concerned.

They never page and never open the state: the cursor, and what the last run left as metadata, tell what is known.
Where change notices come in, `TALK_POLL_SECONDS` may be long: a notice makes the next tick look.
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from talk_pipeline.connections import Connections
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Side
from talk_pipeline.keys import selected_keys, sync_key
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline.wakes import woken_after

if TYPE_CHECKING:
    from talk_pipeline.jobs import AssetJob

INTERVAL_SECONDS = 5


def change_sensor(flows: Flows, side: Side, *, everything: "AssetJob") -> dg.SensorDefinition:
    """The sensor that watches one system."""

    @dg.sensor(
        name=f"{side}_changes",
        job=everything,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Asks {side} for its latest change and starts a run for the flows concerned.",
    )
    def changes(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        cursor = json.loads(context.cursor or "{}")
        known, looked = cursor.get("seen", {}), cursor.get("looked", 0.0)
        now = datetime.now(UTC).timestamp()
        try:
            settings = Settings.load()
            woken = woken_after(settings.talk_data_dir, side, timestamp=looked)
            if not woken and now - looked < settings.talk_poll_seconds:
                return dg.SkipReason(f"{side} was asked {now - looked:.0f} s ago, and no notice came since")
            latest = asyncio.run(_latest(settings, side))
        except (SettingsError, SystemFault) as error:
            return dg.SkipReason(str(error))
        seen = _left_by_runs(context, flows, side)
        moved = {name: at for name, at in latest.items() if at > max(seen.get(name, ""), known.get(name, ""))}
        told = json.dumps({"seen": known | moved, "looked": now}, sort_keys=True)
        if not moved:
            return dg.SensorResult(skip_reason=f"nothing changed in {side}", cursor=told)
        names = tuple(moved)
        request = dg.RunRequest(
            run_key=f"{side}:{json.dumps(moved, sort_keys=True)}",
            asset_selection=selected_keys(flows, names),
            tags={"flow": "+".join(names), "trigger": side.value},
        )
        return dg.SensorResult(run_requests=[request], cursor=told)

    return changes


async def _latest(settings: Settings, side: Side) -> dict[str, str]:
    """The latest change of each flow in a system, as comparable text."""
    connections = Connections(settings)
    opened = connections.shop() if side is Side.SHOP else connections.businesscentral()
    async with opened as system:
        if side is Side.BC:
            await system.identify()
        found = {name: await system.latest(name) for name in connections.flows}
    return {name: _text(at) for name, at in found.items() if at}


def _left_by_runs(context: dg.SensorEvaluationContext, flows: Flows, side: Side) -> Mapping[str, str]:
    """The latest change each flow's last run has seen or made itself: our own writes start no run."""
    seen: dict[str, str] = {}
    for name, flow in flows.items():
        event = context.instance.get_latest_materialization_event(sync_key(flow))
        materialization = event.asset_materialization if event else None
        value = materialization.metadata.get(f"latest {side}") if materialization else None
        if value is not None:
            seen[name] = _text(datetime.fromisoformat(str(value.value)).replace(tzinfo=UTC))
    return seen


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
