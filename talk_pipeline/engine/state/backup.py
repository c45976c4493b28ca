"""A backup of a state and its way back.

Callers hold the leases of all flows: a backup is of what a run left, and a restore never under one.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.state.connection import (
    Connection,
    StateBrokenError,
    StateMismatchError,
    now,
)
from talk_pipeline.engine.state.copies import replace_by_copy
from talk_pipeline.engine.state.database import FILE, State
from talk_pipeline.engine.state.meta import known_systems, read_in_full
from talk_pipeline.wording import counted

INCOMING = "restoring"


@dataclass(frozen=True, slots=True)
class Contents:
    """Whose state a file holds, and of when.

    Attributes:
        systems: the two systems by name, as the state knows them.
        links: pairs of records, children included.
        last_run: when the last run began, for a person.
    """

    systems: Mapping[str, str]
    links: int
    last_run: str

    def __str__(self) -> str:
        """For a person."""
        whose = ", ".join(f"{name} {value}" for name, value in sorted(self.systems.items()))
        return f"{counted(self.links, 'link')}, last run {self.last_run}, of {whose}"


def back_up(state: State, file: Path, *, overwrite: bool) -> Contents:
    """Writes a backup and proves it; an earlier file of that name stays until then.

    Raises:
        ByHandError: the file is there already, or its folder is not.
    """
    if file.exists() and (not overwrite or file.samefile(state.file)):
        way = "" if file.samefile(state.file) else ", or say --overwrite"
        raise ByHandError(f"{file} exists already and stays as it is: name another file{way}")
    if not file.parent.is_dir():
        raise ByHandError(f"the folder {file.parent} does not exist: make it first")
    replace_by_copy(state, file)
    with state.once() as db:
        return _contents(db)


def restore(state: State, file: Path, *, systems: Mapping[str, str]) -> tuple[Contents, Path | None]:
    """Puts a backup in the place of a state; returns what it holds, and where what it replaced is kept.

    The next run reads everything, so that what came and what left since the backup is seen.

    Args:
        state: to be replaced; it may be missing or broken.
        file: the backup, which stays as it is.
        systems: those that the settings name.

    Raises:
        StateBrokenError: the file is no state of ours.
        StateMismatchError: it is of other systems, or of a later release.
    """
    if not file.is_file():
        raise ByHandError(f"there is no file {file}")
    if state.file.exists() and file.samefile(state.file):
        raise ByHandError(f"{file} is the state itself, not a backup of it")
    folder = state.file.parent / INCOMING
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        shutil.copyfile(file, folder / FILE)
        try:
            with State(folder).once() as db:
                contents = _contents(db)
                _refuse_others(file, contents, systems)
                read_in_full(db)
        except (StateBrokenError, StateMismatchError) as error:
            raise type(error)(str(error).replace(str(folder / FILE), str(file))) from None
        replaced = _put_aside(state)
        (folder / FILE).replace(state.file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return contents, replaced


def _refuse_others(file: Path, contents: Contents, systems: Mapping[str, str]) -> None:
    if not contents.systems:
        raise StateBrokenError(f"{file} holds no state: no run ever worked with it")
    if contents.systems != dict(systems):
        wanted = ", ".join(f"{name} {value}" for name, value in sorted(systems.items()))
        raise StateMismatchError(
            f"{file} has {contents}, but the settings name {wanted}; nothing was replaced"
        )


def _put_aside(state: State) -> Path | None:
    """A second name for the file that is there, and a place of its own for what was not written into it yet."""
    if not state.file.exists():
        return None
    aside = state.file.parent / f"{FILE}.replaced-{now():%Y%m%dT%H%M%S}Z"
    if aside.exists():
        raise ByHandError(f"{aside} exists already: restore again in a second")
    journal = state.file.with_name(f"{FILE}.wal")
    if journal.exists():
        journal.replace(aside.with_name(f"{aside.name}.wal"))
    aside.hardlink_to(state.file)
    return aside


def _contents(db: Connection) -> Contents:
    links = db.execute("select count(*) from link where state <> 'held'").fetchall()
    runs = db.execute("select max(started_at) from run").fetchall()
    return Contents(
        known_systems(db),
        links[0][0],
        f"{runs[0][0]:%Y-%m-%d %H:%M:%S} UTC" if runs[0][0] else "never",
    )
