"""Where a shop's files lie: what has to be done with a folder, and one on this machine that does it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from talk_pipeline.pieces import rename_through, write_through
from talk_pipeline.systems.customwebshop.stores.store import NotDoneError, PerhapsDoneError
from talk_pipeline.systems.errors import AccessFault, ConfigurationFault, UnavailableFault

UNFINISHED = ".part"
"""How the name of a file ends while it is written: no pattern of a shop is to find it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as the folder lists it.

    Attributes:
        name: its path below the folder.
        size: in bytes.
        modified: seconds of the clock where the file is.
    """

    name: str
    size: int
    modified: float


def below(folder: str, name: str) -> str:
    """The path of a file, below the folder of all, that lies in one within it."""
    return f"{folder}/{name}" if folder else name


def beside(path: str) -> str:
    """The pattern of all files that lie where one lies."""
    return below(path.rpartition("/")[0], "*")


class Folder(Protocol):
    """A folder. Every method raises a `SystemFault` when it cannot be used.

    Attributes:
        name: which one it is, without secrets.
        own_clock: whether files are dated by the clock of this machine.
    """

    name: str
    own_clock: bool

    def open(self) -> None:
        """Proves that it is there."""
        ...

    def close(self) -> None:
        """Lets go of it."""
        ...

    def listed(self, pattern: str) -> list[Seen]:
        """The files that a pattern finds, in no order."""
        ...

    def read(self, name: str) -> bytes | None:
        """What is in a file; None when it is not there any more."""
        ...

    def put(self, name: str, content: bytes) -> None:
        """Makes a file that is there as a whole or not at all, and on disk when this returns.

        Raises:
            NotDoneError: it was surely not made.
            PerhapsDoneError: nobody said whether it was.
        """
        ...


class LocalFolder:
    """A folder of this machine.

    Args:
        path: where it is.
        setting: the variable that says so.
    """

    own_clock = True

    def __init__(self, path: Path, *, setting: str) -> None:
        self._path = path
        self._setting = setting
        self.name = str(path)

    def open(self) -> None:
        """Proves that it is there."""
        if not self._path.is_dir():
            raise ConfigurationFault(f"{self._setting}: there is no folder {self.name}")

    def close(self) -> None:
        """Nothing is held open."""

    def listed(self, pattern: str) -> list[Seen]:
        """The files that a pattern finds."""
        within, _, last = pattern.rpartition("/")
        with self._told(within), os.scandir(self._path / within) as found:
            return [
                Seen(below(within, one.name), stat.st_size, stat.st_mtime_ns / 1e9)
                for one in found
                if fnmatchcase(one.name, last) and one.is_file() and (stat := one.stat())
            ]

    def read(self, name: str) -> bytes | None:
        """What is in a file."""
        try:
            with self._told(name):
                return (self._path / name).read_bytes()
        except ConfigurationFault:
            return None

    def put(self, name: str, content: bytes) -> None:
        """Makes a file."""
        final = self._path / name
        fresh = final.with_name(f"{final.name}{UNFINISHED}")
        try:
            write_through(fresh, content)
        except OSError as error:
            raise NotDoneError(f"{name} could not be put into {self.name}: {error.strerror}") from None
        try:
            rename_through(fresh, final)
        except OSError as error:
            kind = NotDoneError if os.path.lexists(fresh) else PerhapsDoneError
            raise kind(f"{name} could not be given its name in {self.name}: {error.strerror}") from None

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, NotADirectoryError):
            raise ConfigurationFault(
                f"{self._setting}: there is no {what or 'folder'} in {self.name}"
            ) from None
        except PermissionError:
            raise AccessFault(f"{self._setting}: {what or 'it'} may not be read in {self.name}") from None
        except OSError as error:
            raise UnavailableFault(f"{self.name}: {what} cannot be read: {error.strerror}") from None
