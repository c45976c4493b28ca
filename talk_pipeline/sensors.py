"""Sensors: one a system. Each asks one cheap question a flow and starts a run for the flows concerned.

They never page and never open the state: the cursor, and what the last run left as metadata, tell what is known.
What a modified time does not tell is found by a full scan, for which a run is started as often as the flow says.
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
from talk_pipeline.flows.vocabulary import Flow
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
        known, looked, started = (cursor.get(key, {}) for key in ("seen", "looked", "started"))
        looked = looked or 0.0
        now = datetime.now(UTC).timestamp()
        try:
            settings = Settings.load()
            woken = woken_after(settings.talk_data_dir, side, timestamp=looked)
            if not woken and now - looked < settings.talk_poll_seconds:
                return dg.SkipReason(f"{side} was asked {now - looked:.0f} s ago, and no notice came since")
            latest = asyncio.run(_latest(settings, side))
        except (SettingsError, SystemFault) as error:
            return dg.SkipReason(str(error))
        left = _left_by_runs(context, flows)
        moved = {
            name: at
            for name, at in latest.items()
            if at > max(left[name].get(f"latest {side}", ""), known.get(name, ""))
        }
        due = [
            name for name in flows if _is_due(flows[name], side, left=left[name], now=now, started=started)
        ]
        started = started | dict.fromkeys([*moved, *due], now)
        told = json.dumps({"seen": known | moved, "looked": now, "started": started}, sort_keys=True)
        names = tuple(name for name in flows if name in moved or name in due)
        if not names:
            return dg.SensorResult(skip_reason=f"nothing changed in {side}", cursor=told)
        asked = moved | {name: f"full {now:.0f}" for name in due}
        request = dg.RunRequest(
            run_key=f"{side}:{json.dumps(asked, sort_keys=True)}",
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


def _left_by_runs(context: dg.SensorEvaluationContext, flows: Flows) -> dict[str, dict[str, str]]:
    """What each flow's last run has seen or made itself, so that our own writes start no run."""
    left: dict[str, dict[str, str]] = {}
    for name, flow in flows.items():
        event = context.instance.get_latest_materialization_event(sync_key(flow))
        materialization = event.asset_materialization if event else None
        left[name] = {
            key: _text(datetime.fromisoformat(str(value.value)).replace(tzinfo=UTC))
            for key, value in (materialization.metadata if materialization else {}).items()
            if key.startswith(("latest ", "full ", "rests "))
        }
    return left


def _is_due(
    flow: Flow, side: Side, *, left: Mapping[str, str], now: float, started: Mapping[str, float]
) -> bool:
    """Whether a side is to be read in full again or an edit has rested, and no run was started for it meanwhile."""
    if rests := left.get("rests until"):
        rested = datetime.fromisoformat(rests).timestamp()
        if now > rested > started.get(flow.name, 0.0):
            return True
    every = flow.settings.full_scan_minutes * 60
    last = left.get(f"full {side}")
    read = datetime.fromisoformat(last).timestamp() if last else 0.0
    return now - max(read, started.get(flow.name, 0.0)) > every


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
