"""Whether a disk takes no more: what systems say of it, and what is asked where nobody says.

DuckDB has no number for a file that ends early, and none for a checkpoint without room; SQLite calls a full disk an
I/O error where it maps its files. So the disk itself is asked.
"""

import errno
import os
import sqlite3
import tempfile
from pathlib import Path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the operating system says of a disk that takes no more."""

_WROTE_NOTHING = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_PROBE_BYTES = 1 << 20  # more than a block of DuckDB, which is written as a whole


def takes_no_more(error: object) -> bool:
    """Whether an error of the operating system or of SQLite comes from the disk, and not from what is on it."""
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    return isinstance(error, sqlite3.Error) and (error.sqlite_errorcode & 0xFF) in _WROTE_NOTHING


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
