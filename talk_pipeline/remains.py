"""Where anything of a person may lie beside the state of a company, and what of that is in no file of this machine.

Dagster's home is one for all companies, and lies where services say, too. What a database or another machine holds
cannot be looked into from here: it is told by name, with what becomes of it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from talk_pipeline.clients import TOKENS
from talk_pipeline.engine.state.database import FILE, SNAPSHOTS
from talk_pipeline.engine.state.lease import FOLDER as LEASES
from talk_pipeline.engine.state.left import JOURNALS
from talk_pipeline.engine.state.traces import Words, take_from_files
from talk_pipeline.settings import Settings

HOME = "dagster_home"
HOME_SETTINGS, SHIPPED = "dagster.yaml", ".shipped"
CRASH_FILE = "crash.txt"
_NOT_OURS = ("sandbox", "seed")
"""What lies in the data folder and is not the pipeline's: the sandbox's own records."""

_KEEPERS = ("storage", "run_storage", "event_log_storage", "schedule_storage", "compute_logs")
"""Under which keys the settings of a home name what keeps something of runs; without them that is in the home."""
_OF_RUNS = "what is held of a run there goes with it, TALK_KEEP_RUNS_DAYS after it was made"


class Unread(NamedTuple):
    """What cannot be looked into, for a person.

    Attributes:
        what: a file by its path, or what else it is.
        way: what to do about it, or what becomes of it.
    """

    what: str
    way: str


def take_out(settings: Settings, words: Words) -> list[Unread]:
    """Takes words out of all files in which something of a company may be; returns what was not looked into.

    Raises:
        StateBusyError: another process keeps a file for too long.
    """
    shared, folders = settings.shared_dir, (settings.talk_data_dir, settings.work_dir)
    homes = [one for one in (shared / HOME, settings.dagster_home) if one and one.is_dir()]
    kept = [_kept_by(home / HOME_SETTINGS) for home in homes]
    unread = [one for _, elsewhere in kept for one in elsewhere]
    if not homes:
        unread.append(Unread(f"Dagster's home: none lies in {shared}, and DAGSTER_HOME is not set", _OF_RUNS))
    if settings.talk_work_dir:
        brought = "talk-pipeline status there puts the present one in the place of each"
        unread.append(Unread("copies of the state on other machines (TALK_WORK_DIR)", brought))
    places = [*folders, *homes, *(folder for found, _ in kept for folder in found), shared / CRASH_FILE]
    state = (FILE, *(f"{FILE}{ending}" for ending in JOURNALS))
    but = {folder / name for folder in folders for name in (*state, LEASES, SNAPSHOTS, TOKENS, *_NOT_OURS)}
    but |= {home / f"{HOME_SETTINGS}{ending}" for home in homes for ending in ("", SHIPPED)}
    left = take_from_files(places, words, but=but)
    return [*(Unread(str(file), "delete it if it is not needed") for file in left), *unread]


def _kept_by(settings: Path) -> tuple[list[Path], list[Unread]]:
    """Folders beside a home in which its settings have something kept, and what else they have it kept by."""
    folders, unread = [], []
    try:
        said = yaml.safe_load(settings.read_bytes()) if settings.exists() else {}
    except (OSError, yaml.YAMLError):
        return [], [Unread(f"whatever {settings} names: it cannot be read", _OF_RUNS)]
    for key, keeper in _keepers(said):
        config = keeper.get("sqlite") or keeper.get("config")
        folder = config.get("base_dir") if isinstance(config, dict) else None
        if isinstance(folder, str):
            folders.append(Path(folder))
        elif not str(keeper.get("module")).startswith("talk_pipeline."):
            named = f"Dagster's {key} as {settings} names it, and the homes of other machines"
            unread.append(Unread(named, _OF_RUNS))
    return folders, unread


def _keepers(said: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for key in _KEEPERS if isinstance(said, dict) else ():
        if isinstance(said.get(key), dict):
            yield key, said[key]
