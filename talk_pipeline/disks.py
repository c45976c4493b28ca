"""Whether a disk takes no more: what systems say of it, and what is asked where nobody says.

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

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the operating system says of a disk that takes no more."""

_PROBE_BYTES = 1 << 20  # more than a block of DuckDB, which is written as a whole


def takes_no_more(error: OSError | None) -> bool:
    """Whether the operating system says so."""
    return error is not None and error.errno in NO_ROOM


def found_no_room(error: object, folder: Path) -> bool:
    """Whether that is why SQLite could not write into a folder; what else is an I/O error is of a broken disk."""
    if not isinstance(error, sqlite3.Error):
        return False
    kind = error.sqlite_errorcode & 0xFF
    return kind == sqlite3.SQLITE_FULL or (
        kind == sqlite3.SQLITE_IOERR and takes_no_more(without_room(folder))
    )


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
