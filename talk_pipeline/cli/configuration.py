"""`talk-pipeline check-config`: are the files right, do the systems answer, and is the shop as it is described?"""

import asyncio
from pathlib import Path

from talk_pipeline.connections import Connections, checked_files
from talk_pipeline.flows.loading import mistake, read_yaml
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline.systems.customwebshop.description import REFERENCE
from talk_pipeline.systems.customwebshop.probing import Probe, probe
from talk_pipeline.systems.protocol import System

MARKS = {"ok": " ok ", "warning": "note", "problem": "FAIL"}


def check_configuration() -> int:
    """Prints what was checked; returns the exit status.

    Raises:
        FlowError: a flow or connector file has mistakes, a line each.
        SystemFault: a system that the settings name does not answer as it should.
    """
    settings = Settings.load()
    flows, description = checked_files(settings)
    for flow in flows.values():
        properties = sum(len(part.properties) for part in flow.parts)
        print(f"flow {flow.name}: {properties} properties, matched by {', '.join(flow.match)}")
        for name, why in flow.shop_lacks.items():
            print(f"  {name}: {why}")
    print(f"shop: {description.name}: {', '.join(description.entities)}")
    try:
        settings.require_systems(description.auth.variables)
    except SettingsError as error:
        print(f"the systems were not asked: {error}")
        return 0
    return asyncio.run(_ask(Connections(settings), settings.customwebshop_connector or REFERENCE))


async def _ask(connections: Connections, file: Path) -> int:
    async with connections.shop() as shop, connections.businesscentral() as bc:
        identity = await bc.identify()
        currency = f", local currency {identity.currency}" if identity.currency else ""
        print(f"Business Central: {identity.name} answers{currency}{_skew(bc)}")
        _, tree = read_yaml(file)
        problems = 0
        for flow in connections.flows.values():
            async for found in probe(shop, flow, connections.description):
                located = mistake(file, tree, at=found.at, message=found.message)
                print(f"  {MARKS[found.level]} {_told(found, located)}")
                problems += found.level == "problem"
        print(f"Customwebshop: {connections.settings.customwebshop_url} answers{_skew(shop)}")
    print(f"{problems} problems" if problems else "the shop is as described")
    return 2 if problems else 0


def _skew(system: System) -> str:
    return f", clock off by {system.skew_seconds:+.0f} s" if system.skew_seconds else ""


def _told(found: Probe, located: str) -> str:
    """Where to look, for what is not in order."""
    if found.level == "ok":
        return f"{'.'.join(str(step) for step in found.at)}: {found.message}"
    return located
