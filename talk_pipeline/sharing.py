"""What several companies share, and what one of them alone may have."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import combinations, product
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from talk_pipeline.flows.loading import PACKAGED, FlowError, load_flows, read_yaml, stamp
from talk_pipeline.flows.scoping import apart
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline.systems.customwebshop.spec.files import Files
from talk_pipeline.systems.customwebshop.spec.stores import Database


class Systems(NamedTuple):
    """The two systems that a company keeps in step, as its settings name them."""

    shop: str
    central: str
    company: str


def claims(settings: Settings) -> Iterator[tuple[str, tuple[object, ...]]]:
    """What one company alone may have, in words and as a key."""
    folder = settings.talk_data_dir.resolve()
    yield f"the data folder {folder} (TALK_DATA_DIR)", ("folder", folder)
    if settings.talk_work_dir:
        work = settings.talk_work_dir.resolve()
        yield f"the folder {work} (TALK_WORK_DIR)", ("work", work)
    if found := _systems(settings):
        what = f"the shop {found.shop} and the company {found.company} of Business Central"
        yield what, ("systems", *found)


def _systems(settings: Settings) -> Systems | None:
    """Both systems, as far as they are named."""
    company = settings.businesscentral_company_id or settings.businesscentral_company
    central = settings.businesscentral_url
    shop = _shop(settings) if central and company else None
    if not (shop and central and company):
        return None
    return Systems(shop, central.rstrip("/").lower(), company.lower())


def _shop(settings: Settings) -> str | None:
    """The shop by its address, or by that of its database or folder, without what lets us in."""
    if settings.customwebshop_url:
        return settings.customwebshop_url.rstrip("/").lower()
    connector = settings.customwebshop_connector
    with suppress(FlowError, SettingsError, OSError, ValueError):  # whoever acts for it is told
        door = _door(connector, stamp(connector)) if connector else None
        if isinstance(door, Database):
            return _place(settings.secret(door.url).get_secret_value())
        if isinstance(door, Files):
            where = settings.named(door.at)
            return _place(where) if "://" in where else str(Path(where).expanduser().resolve())
    return None


@lru_cache(maxsize=256)  # sensors ask every few seconds, and nobody has edited anything
def _door(connector: Path, _stamp: object) -> Database | Files | None:
    """What a shop's description says in the place of an address."""
    described, _ = read_yaml(connector)
    said = described if isinstance(described, dict) else {}
    if "database" in said:
        return Database.model_validate(said["database"])
    return Files.model_validate(said["files"]) if "files" in said else None


def _place(address: str) -> str:
    """Where an address leads, by whatever driver and whoever enters."""
    url = urlsplit(address)
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme.partition('+')[0]}://{url.hostname or ''}{port}{url.path}"


def contested(loaded: Mapping[str, Settings]) -> Iterator[tuple[str, str, Flow]]:
    """Two that share a company of Business Central, and a flow of which each could take the other's records."""
    for names in _sharing(loaded):
        flows = {name: _taking(loaded[name]) for name in names}
        for one, other in combinations(names, 2):
            yield from (
                (one, other, mine)
                for mine, theirs in product(flows[one], flows[other])
                if _may_hold_the_same(mine, theirs)
            )


def _sharing(loaded: Mapping[str, Settings]) -> list[list[str]]:
    """The companies that share one of Business Central, as groups."""
    sharing: dict[tuple[str, str], list[str]] = {}
    for name, settings in loaded.items():
        if systems := _systems(settings):
            sharing.setdefault((systems.central, systems.company), []).append(name)
    return [names for names in sharing.values() if len(names) > 1]


def flow_files(loaded: Mapping[str, Settings]) -> tuple[object, ...]:
    """What tells the flow files of those that share from edited ones."""
    folders = {loaded[name].talk_flows_dir or PACKAGED for names in _sharing(loaded) for name in names}
    return tuple(stamp(file) for folder in sorted(folders) for file in sorted(folder.glob("*.yaml")))


def _may_hold_the_same(mine: Flow, theirs: Flow) -> bool:
    here, there = mine.businesscentral, theirs.businesscentral
    if here.entity != there.entity or (here.several_shops and there.several_shops):
        return False
    return not apart(mine.root.alternatives, theirs.root.alternatives)


def _taking(settings: Settings) -> list[Flow]:
    """The flows that may take a record for theirs; what is born in Business Central follows what it refers to."""
    try:
        flows = load_flows(settings.talk_flows_dir)
    except FlowError:
        return []  # whoever acts for that company is told
    chosen = settings.company.flows if settings.company else ()
    return [
        flow
        for name, flow in flows.items()
        if (not chosen or name in chosen) and flow.settings.create != "businesscentral"
    ]
