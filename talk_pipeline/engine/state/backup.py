"""A backup of a state and its way back.

Callers hold the leases of all flows: a backup is of what a run left, and a restore never under one.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.state.connection import (
    Connection,
    StateBrokenError,
    StateMismatchError,
    now,
)
from talk_pipeline.engine.state.copies import copy_whole, replace_by_copy
from talk_pipeline.engine.state.database import FILE, State
from talk_pipeline.engine.state.left import journals_of
from talk_pipeline.engine.state.meta import known_systems, read_in_full
from talk_pipeline.pieces import alike
from talk_pipeline.wording import counted

INCOMING = "restoring"

T = TypeVar("T")


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


def restore(
    state: State,
    file: Path,
    *,
    systems: Mapping[str, str],
    compare: Callable[[Connection | None, Connection], T],
) -> tuple[Contents, Path | None, T]:
    """Puts a backup in the place of a state.

    The next run reads everything, so that what came and what left since the backup is seen.

    Args:
        state: to be replaced; it may be missing or broken.
        file: the backup, which stays as it is, with what is beside it and not in it yet.
        systems: those that the settings name.
        compare: asked of the state, or of None where it cannot be read, and of what comes in its place, before it
            does: nobody else has either of them then.

    Returns:
        What the backup holds, where what it replaced is kept, and what was found in comparing.

    Raises:
        ByHandError: the file is not there, is the state itself, or lies where a restore works and clears first.
        StateBusyError: another process keeps the state.
        StateBrokenError: the file is no state of ours.
        StateMismatchError: it is of other systems, or of a later release.
    """
    if not file.is_file():
        raise ByHandError(f"there is no file {file}")
    if state.file.exists() and file.samefile(state.file):
        raise ByHandError(f"{file} is the state itself, not a backup of it")
    folder = state.file.parent / INCOMING
    if folder.resolve() in file.resolve().parents:
        raise ByHandError(
            f"{file} lies in {folder}, which a restore clears: move it elsewhere, and name it there"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        incoming = State(folder)
        contents = _bring(incoming, file, systems)
        with _held(state) as there:
            with incoming.once() as db:
                compared = compare(there, db)
            replaced = _exchange(state.file, incoming.file)
        state.replaced()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return contents, replaced, compared


def _bring(incoming: State, file: Path, systems: Mapping[str, str]) -> Contents:
    for ending, one in {"": file, **journals_of(file)}.items():
        shutil.copyfile(one, incoming.file.with_name(f"{FILE}{ending}"))
    try:
        with incoming.once() as db:
            contents = _contents(db)
            _refuse_others(file, contents, systems)
            read_in_full(db)
    except (StateBrokenError, StateMismatchError) as error:
        raise type(error)(str(error).replace(str(incoming.file), str(file))) from None
    return contents


def _refuse_others(file: Path, contents: Contents, systems: Mapping[str, str]) -> None:
    if not contents.systems:
        raise StateBrokenError(f"{file} holds no state: no run ever worked with it")
    if contents.systems != dict(systems):
        wanted = ", ".join(f"{name} {value}" for name, value in sorted(systems.items()))
        raise StateMismatchError(
            f"{file} has {contents}, but the settings name {wanted}; nothing was replaced"
        )


@contextmanager
def _held(state: State) -> Iterator[Connection | None]:
    """What lies there, kept from everybody else; None where nothing does, or nothing that can be read."""
    with ExitStack() as stack:
        there = None
        if state.file.exists():
            with suppress(StateBrokenError):
                there = stack.enter_context(state.as_it_is())
        yield there


def _exchange(file: Path, fresh: Path) -> Path | None:
    """Puts a fresh file in the place of one that is kept by another name, with its journals; returns that name.

    Wherever this ends, a file lies there with all journals of its own. One that is left over after a kill is not of
    the fresh file, which says so when it is opened, and is put aside by the next restore.
    """
    journals = journals_of(file)
    aside = file.with_name(f"{FILE}.replaced-{now():%Y%m%dT%H%M%S}Z")
    there = {"": file, **journals} if file.exists() else journals
    kept = {one: aside.with_name(f"{aside.name}{ending}") for ending, one in there.items()}
    for place in kept.values():
        if place.exists():
            raise ByHandError(f"{place} exists already: restore again in a second")
    try:
        for one, place in kept.items():
            _name_too(one, place)
        alike(fresh, file)
        fresh.replace(file)
    except BaseException:
        for place in kept.values():
            place.unlink(missing_ok=True)
        raise
    for one in journals.values():
        one.unlink()
    return next(iter(kept.values()), None)


def _name_too(file: Path, place: Path) -> None:
    """A second name for a file; a copy where a share knows no second names."""
    try:
        place.hardlink_to(file)
    except OSError:
        copy_whole(file, place)


def _contents(db: Connection) -> Contents:
    links = db.execute("select count(*) from link where state <> 'held'").fetchall()
    runs = db.execute("select max(started_at) from run").fetchall()
    return Contents(
        known_systems(db),
        links[0][0],
        f"{runs[0][0]:%Y-%m-%d %H:%M:%S} UTC" if runs[0][0] else "never",
    )
