"""`talk-pipeline check-config`: are the files right, and do the systems answer?"""

import asyncio

from talk_pipeline.connections import Connections, checked_files
from talk_pipeline.settings import Settings, SettingsError


def check_configuration() -> None:
    """Prints what was checked.

    Raises:
        FlowError: a flow or connector file has mistakes, a line each.
        SystemFault: a system that the settings name does not answer as it should.
    """
    settings = Settings.load()
    flows, description = checked_files(settings)
    for flow in flows.values():
        properties = sum(len(part.properties) for part in flow.parts)
        print(f"flow {flow.name}: {properties} properties, matched by {', '.join(flow.match)}")
    print(f"shop: {description.name}: {', '.join(description.entities)}")
    try:
        settings.require_systems()
    except SettingsError as error:
        print(f"the systems were not asked: {error}")
        return
    asyncio.run(_ask(Connections(settings)))


async def _ask(connections: Connections) -> None:
    async with connections.shop() as shop, connections.businesscentral() as bc:
        for name, system in (("Customwebshop", shop), ("Business Central", bc)):
            identity = await system.identify()
            currency = f", local currency {identity.currency}" if identity.currency else ""
            skew = f", clock off by {system.skew_seconds:+.0f} s" if system.skew_seconds else ""
            print(f"{name}: {identity.name} answers{currency}{skew}")
