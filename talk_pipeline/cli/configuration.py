"""`talk-pipeline check-config`: are the files right, do the systems answer, and is the shop as it is described?"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from talk_pipeline.cli.terminal import say
from talk_pipeline.declarations import checked_files
from talk_pipeline.flows.loading import mistake, read_yaml
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.installation import Connections
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline.systems.businesscentral.client import Businesscentral
from talk_pipeline.systems.businesscentral.probing import declared
from talk_pipeline.systems.businesscentral.probing import probe as probe_bc
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE, Description
from talk_pipeline.systems.customwebshop.stores.shop import StoredShop
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.customwebshop.wire.evidence import Probe
from talk_pipeline.systems.customwebshop.wire.probing import probe
from talk_pipeline.systems.errors import AccessFault, SystemFault
from talk_pipeline.systems.protocol import System
from talk_pipeline.wording import counted

MARKS = {"ok": " ok ", "warning": "note", "problem": "FAIL"}


def check_configuration(*, files_only: bool = False) -> int:
    """Prints what was checked; returns the exit status.

    Raises:
        SettingsError: the systems are not named, and were to be asked.
        FlowError: a flow or connector file has mistakes, a line each.
        SystemFault: a system that the settings name does not answer as it should.
    """
    settings = Settings.load()
    flows, description = checked_files(settings)
    for flow in flows.values():
        properties = sum(len(part.properties) for part in flow.parts)
        say(f"flow {flow.name}: {counted(properties, 'property')}, matched by {', '.join(flow.match)}")
        for name, why in flow.shop_lacks.items():
            say(f"  {name}: {why}")
        for part in flow.parts[1:]:
            if part.unset:
                key = part.key
                say(f"  {key}: settings.constants.{part.unset} is blank: a record that has any waits by name")
    say(f"shop: {description.name}: {', '.join(description.entities)}")
    if files_only:
        say("the files are as they should be; the systems were not asked")
        return 0
    try:
        settings.require_systems(description.variables, address=description.has_address)
    except SettingsError as error:
        raise SettingsError(
            f"the systems were not asked: {error}; --files-only checks the files alone"
        ) from None
    return asyncio.run(_ask(Connections(settings), settings.customwebshop_connector or REFERENCE))


async def _ask(connections: Connections, file: Path) -> int:
    problems, currency = 0, None
    applications = connections.applications
    for application in applications:  # each has permissions of its own
        if len(applications) > 1:
            say(f"as the application of {application.settings[0]}:")
        try:
            async with connections.businesscentral([application]) as bc:
                found_there, currency = await _ask_bc(connections, bc)
                problems += found_there
        except AccessFault as fault:
            if len(applications) == 1:
                raise
            say(f"  {MARKS['problem']} {fault}")
            problems += 1
    async with connections.shop() as shop:
        if isinstance(shop, StoredShop):
            await shop.identify()
        _, tree = read_yaml(file)
        for flow in connections.flows.values():
            async for found in _probed(shop, flow, connections.description):
                located = mistake(file, tree, at=found.at, message=found.message)
                say(f"  {MARKS[found.level]} {_describe(found, located)}")
                problems += found.level == "problem"
            for message in [text async for text in _foreign(shop, flow, currency)]:
                say(f"  {MARKS['warning']} {message}")
        say(f"Customwebshop: {shop.address} answers{_skew(shop)}")
    say(counted(problems, "problem") if problems else "both systems are as described")
    return 2 if problems else 0


async def _ask_bc(connections: Connections, bc: Businesscentral) -> tuple[int, str | None]:
    """What Business Central lets one application do: the problems, and the company's local currency."""
    identity = await bc.identify()
    local = await bc.local_currency()
    currency = f", local currency {local}" if local else ""
    say(f"Business Central: {identity.name} answers{currency}{_skew(bc)}")
    problems = _currency(connections.settings.businesscentral_currency, local)
    flows = connections.flows
    async for answered in declared(bc, connections.entities.used_by(flows), flows.values()):
        say(f"  {MARKS[answered.level]} {answered.message}")
        problems += answered.level == "problem"
    for flow in flows.values():
        async for answered in probe_bc(bc, flow, connections.entities):
            say(f"  {MARKS[answered.level]} {answered.message}")
            problems += answered.level == "problem"
    return problems, local


def _currency(set_to: str | None, local: str | None) -> int:
    """Prices would be booked in the wrong currency: counted as a problem."""
    if set_to is None or local is None or set_to.upper() == local.upper():
        return 0
    say(
        f"  {MARKS['problem']} BUSINESSCENTRAL_CURRENCY is {set_to}, but the company's local currency is {local}"
    )
    return 1


async def _probed(
    shop: Customwebshop | StoredShop, flow: Flow, description: Description
) -> AsyncIterator[Probe]:
    """What the shop shows of its description."""
    if isinstance(shop, StoredShop):
        for found in await shop.look(flow.name):
            yield replace(found, at=("entities", flow.customwebshop.entity, *found.at))
        return
    async for found in probe(shop, flow, description):
        yield found


async def _foreign(shop: Customwebshop | StoredShop, flow: Flow, currency: str | None) -> AsyncIterator[str]:
    """Amounts that the flow keeps in the local currency, and the shop shows in another."""
    paths = {prop.in_currency for prop in flow.root.properties if prop.in_currency}
    if currency is None or not paths:
        return
    try:
        sample, _ = await shop.sample(flow.name)
    except SystemFault:
        return  # told by what was asked before
    for path in sorted(paths):
        found = [shop.decode(flow.name, payload).values.get(path) for payload in sample]
        others = [one.upper() for one in found if one and one.upper() != currency.upper()]
        if others:
            are = "is" if len(others) == 1 else "are"
            text = f"{len(others)} of {counted(len(sample), 'record')} shown {are} in"
            text += f" {', '.join(sorted(set(others)))}, not in {currency}"
            yield f"{flow.customwebshop.entity}: {text}: the amounts will be quarantined"


def _skew(system: System) -> str:
    return f", clock off by {system.skew_seconds:+.0f} s" if system.skew_seconds else ", clock in step"


def _describe(found: Probe, located: str) -> str:
    """Where to look, for what is not in order."""
    if found.level == "ok":
        return f"{'.'.join(str(step) for step in found.at)}: {found.message}"
    return located
