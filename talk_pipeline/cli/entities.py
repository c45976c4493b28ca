"""`talk-pipeline new-entity`: a description of an entity set, made of what Business Central says of it."""

import asyncio
import re
from pathlib import Path

from talk_pipeline.cli.terminal import say
from talk_pipeline.clients import central
from talk_pipeline.disks import written_to
from talk_pipeline.flows.loading import Flows
from talk_pipeline.pieces import put
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline.systems.businesscentral.description import API
from talk_pipeline.systems.businesscentral.drafting import Draft, draft_of, text_of
from talk_pipeline.systems.businesscentral.entities import Entities
from talk_pipeline.systems.businesscentral.probing import capabilities
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline.wording import counted

FOLDER = Path("entities")
"""Where descriptions are written as long as no setting says where they are."""


def new_entity(name: str, *, api: str, called: str | None) -> None:
    """Writes a description into the folder of descriptions, and tells how to go on.

    Raises:
        SettingsError: Business Central is not named, or there is such a file already.
        ConfigurationFault: there is no such API or set, or no description can hold what it is.
        SystemFault: Business Central does not answer as it should.
    """
    settings = Settings.load()
    settings.require_systems(with_shop=False)
    folder = settings.businesscentral_entities_dir or FOLDER
    file = folder / f"{called or name}.yaml"
    if file.parent != folder:
        raise SettingsError(f"{called or name!r} is no name of an entity set; write one such as contacts")
    if not re.match(API, api):
        raise SettingsError(
            f"--api {api}: write publisher/group/version of an API page, such as sample/things/v1.0"
        )
    if file.exists() or file.is_symlink():
        raise SettingsError(f"{file} is there already: move it away, or say what else to call it (--as)")
    draft = asyncio.run(_draft(settings, name, api=api, called=called))
    if wrong := [f"{'.'.join(map(str, at))}: {text}" for at, text in draft.set.problems()]:
        raise ConfigurationFault(f"{name} is such as no description can hold: {'; '.join(wrong)}")
    folder.mkdir(parents=True, exist_ok=True)
    with written_to(file):
        put(file, text_of(draft).encode())
    said = draft.set
    below = f", {counted(len(said.children), 'collection')} below" if said.children else ""
    say(f"{file} is written: {counted(len(said.properties), 'property')}{below}")
    say(f"  {capabilities(said)}")
    for left, why in draft.left_out.items():
        say(f"  left out: {left}: {why}")
    if settings.businesscentral_entities_dir is None:
        say(f"set BUSINESSCENTRAL_ENTITIES_DIR={folder}, so that it counts")
    say("look through its types, name it in a flow file (businesscentral: {entity: ...}), run check-config")


async def _draft(settings: Settings, name: str, *, api: str, called: str | None) -> Draft:
    async with central(settings, Flows(()), Entities({})) as bc:
        await bc.identify()
        metadata = await bc.metadata(api)
        metadata.type_of(name)
        told = await bc.notifiable()
        return draft_of(metadata, name, called=called, notices=told is None or f"{api}/{name}" in told)
