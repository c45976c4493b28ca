"""Whether a disk takes no more, or somebody else has a file: what is said of it, or asked where nobody says.

DuckDB has no number for a file that ends early, and none for a checkpoint without room; SQLite calls a full disk an
I/O error where it maps its files. So the disk itself is asked.
"""

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeGuard

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the operating system says of a disk that takes no more."""
NO_MORE_FILES = (errno.EMFILE, errno.ENFILE)
"""What it says to a process, or a machine, that has as many files open as it may."""

_PROBE_BYTES = 1 << 20  # more than a block of DuckDB, which is written as a whole


def takes_no_more(error: OSError | None) -> bool:
    """Whether the operating system says so."""
    return error is not None and error.errno in NO_ROOM


def found_no_room(error: object, folder: Path) -> bool:
    """Whether that is why SQLite could not write into a folder; what else is an I/O error is of a broken disk."""
    return may_be_full(error) and (
        error.sqlite_errorcode == sqlite3.SQLITE_FULL or takes_no_more(without_room(folder))
    )


def may_be_full(error: object) -> TypeGuard[sqlite3.Error]:
    """Whether SQLite says so, or that a disk could not be written or read, which it says of a full one, too."""
    return isinstance(error, sqlite3.Error) and _kind(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def is_in_use(error: object) -> bool:
    """Whether that is why SQLite could not read or write: another process keeps the file for too long."""
    return isinstance(error, sqlite3.Error) and _kind(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _kind(error: sqlite3.Error) -> int:
    """What SQLite calls it, roughly; what Python itself objects to has no number."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def without_room(folder: Path) -> OSError | None:
    """What a disk says when a little more is put on it for a moment; None where it takes it."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(_PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return error
    return None


@contextmanager
def written_to(place: Path | str) -> Iterator[None]:
    """Names the place to whoever finds no room there: the operating system does not say it of what is open."""
    try:
        yield
    except OSError as error:
        if error.filename is None and takes_no_more(error):
            raise OSError(error.errno, error.strerror, str(place)) from error
        raise
