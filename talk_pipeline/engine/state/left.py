"""Whether the file of a state is as it was left: what was found of it holds no longer than that.

Other programs can write to it, an older release as well, and whoever likes puts a copy in its place. DuckDB counts
in the file how often what was new was written into it, as whoever closes it does; what was not is in a journal
beside the file. So whoever leaves it notes beside it what the count comes to, with a word that stands in the file
too and is a new one each time. A file of which that is not true is another one, or was written since, or was not
left in peace, however both were copied and whatever the clocks say. Nothing depends on the note being there.
"""

import hashlib
import struct
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.content import FORGET, FOUND
from talk_pipeline.engine.state.meta import get_meta, set_meta

NOTE = ".left"
"""How the name of the note ends, after that of the file."""
JOURNALS = (".wal", ".wal.checkpoint", ".wal.recovery")
"""How the names of what DuckDB has not written into a file yet end, after that of the file."""
_WORD = "left"
# what the file is called by is in its first block; the next two tell in turn how often it was written
_BLOCK, _COUNT_AT, _COUNT = 4096, 8, struct.Struct("<Q")


class Left:
    """A state's file from one opening to the next.

    Args:
        file: that of the state.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._note = file.with_name(f"{file.name}{NOTE}")
        self._status: tuple[int, ...] = ()
        self._found = self._noted = ""
        self._count = 0

    def look(self) -> None:
        """Before the file is opened: nobody may read it beside the database afterwards, or its lock is gone."""
        self._status, self._noted = _status(self._file), ""
        self._found, self._count = _read(self._file)

    def opened(self, db: Connection) -> None:
        """Forgets what was found of it, unless it is as it was left."""
        # somebody else had it in between, or it was brought to another form just now
        if _status(self._file) != self._status or _is_any(self._file, JOURNALS):
            self._found = ""
        any_found = any(key.startswith(FOUND) for key in db.facts)
        word = get_meta(db, _WORD)
        if any_found and not (self._found and self._said() == _line(word, self._found, self._count)):
            db.execute(FORGET)

    def leave(self, db: Connection) -> None:
        """Before the file is closed, which writes what is new into it."""
        if self._found and _is_any(self._file, JOURNALS[:1]):
            word = uuid4().hex
            set_meta(db, _WORD, word)
            self._noted = _line(word, self._found, self._count + 1)

    def closed(self) -> None:
        """Once that is done, and all of it was written."""
        if self._noted and not _is_any(self._file, JOURNALS):
            with suppress(OSError):  # without a note, or with a part of one, everything is looked for again
                self._note.write_text(self._noted, encoding="ascii")

    def _said(self) -> str:
        try:
            return self._note.read_text(encoding="ascii")
        except (OSError, ValueError):
            return ""


def journals_of(file: Path) -> dict[str, Path]:
    """What is beside a file and not in it yet, by how its name ends: without it the last that was done is lost."""
    named = {ending: file.with_name(f"{file.name}{ending}") for ending in JOURNALS}
    return {ending: journal for ending, journal in named.items() if journal.exists()}


def _line(word: str | None, which: str, count: int) -> str:
    return f"{word} {which} {count}\n"


def _status(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _is_any(file: Path, endings: tuple[str, ...]) -> bool:
    """Whether anything is in a journal."""
    return any(_size(file.with_name(f"{file.name}{ending}")) for ending in endings)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _read(file: Path) -> tuple[str, int]:
    """Which file it is and how often it was written; neither where that is not known for certain."""
    if _is_any(file, JOURNALS):
        return "", 0
    try:
        with file.open("rb") as opened:
            begins = opened.read(3 * _BLOCK)
    except OSError:
        return "", 0
    if len(begins) < 3 * _BLOCK:
        return "", 0
    counts = (_COUNT.unpack_from(begins, block * _BLOCK + _COUNT_AT)[0] for block in (1, 2))
    return hashlib.sha256(begins[:_BLOCK]).hexdigest(), max(counts)
