"""What an installation is declared by: flows, and the descriptions of both systems; none of them is asked.

All of them are proven against each other, and read again only when one was edited.
"""

from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from talk_pipeline.flows.loading import PACKAGED, FlowError, Flows, load_flows, stamp
from talk_pipeline.flows.record_pages import RecordPages
from talk_pipeline.flows.sides import Side
from talk_pipeline.settings import Settings
from talk_pipeline.systems.businesscentral.behaviour import behaving
from talk_pipeline.systems.businesscentral.entities import Entities, files_of, load_entities
from talk_pipeline.systems.businesscentral.fitting import check_flows as check_against_bc

# what a shop can be described by is loaded by whoever reads one: Dagster shows the flows alone
if TYPE_CHECKING:
    from talk_pipeline.systems.customwebshop.spec.description import Description


def checked_files(settings: Settings) -> "tuple[Flows, Description]":
    """The flows and the shop's description, proven to fit each other and Business Central.

    Raises:
        FlowError: with a line for each mistake.
    """
    from talk_pipeline.systems.customwebshop.spec.description import REFERENCE

    folder, connector = settings.talk_flows_dir or PACKAGED, settings.customwebshop_connector or REFERENCE
    described = settings.businesscentral_entities_dir
    files = (*sorted(folder.glob("*.yaml")), connector, *files_of(described))
    flows, shop = _proven(folder, connector, described, tuple(map(_stamp, files)))
    return _chosen(settings, flows), shop


def flows_of(settings: Settings) -> Flows:
    """The flows, with what is described of the entity sets that they write to.

    Raises:
        FlowError: with a line for each mistake.
    """
    return _chosen(settings, behaving(load_flows(settings.talk_flows_dir), entities_of(settings)))


def _chosen(settings: Settings, flows: Flows) -> Flows:
    """Those that the company synchronizes, where there are several companies."""
    company = settings.company
    if company is None or not company.flows:
        return flows
    try:
        return flows.chosen(company.flows)
    except FlowError as error:
        raise FlowError(f"company {company.name}: {error}") from None


def entities_of(settings: Settings) -> Entities:
    """What is described of Business Central.

    Raises:
        FlowError: with a line for each mistake.
    """
    return _described(settings.businesscentral_entities_dir)


def record_pages_of(settings: Settings) -> RecordPages:
    """Where people look at a record in either system.

    Raises:
        FlowError: with a line for each mistake in what is described of Business Central.
    """
    found = {Side.SHOP: settings.customwebshop_record_url, Side.BC: settings.businesscentral_record_url}
    cards = {name: one.card for name, one in entities_of(settings).items() if one.card}
    return RecordPages({side: template for side, template in found.items() if template}, cards)


def _described(folder: Path | None) -> Entities:
    return _read_entities(folder, tuple(map(_stamp, files_of(folder))))


def _stamp(file: Path) -> object:
    """What tells a file from an edited one; of one that is not there, whoever reads it tells."""
    with suppress(OSError):
        return stamp(file)
    return None


@lru_cache(maxsize=32)
def _read_entities(folder: Path | None, _stamps: tuple[object, ...]) -> Entities:
    return load_entities(folder)


@lru_cache(maxsize=32)  # a sensor asks every few seconds, and nobody has edited a file
def _proven(
    folder: Path, connector: Path, described_in: Path | None, _stamps: tuple[object, ...]
) -> "tuple[Flows, Description]":
    from talk_pipeline.systems.customwebshop.wire.fitting import fitted, load_description

    entities = _described(described_in)
    flows = behaving(load_flows(folder), entities)
    described = load_description(connector, flows=flows)
    if mistakes := [*check_against_bc(flows, folder, entities)]:
        raise FlowError("\n".join(mistakes))
    return fitted(flows, described), described
