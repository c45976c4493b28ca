"""Which runs have a process: what tells a run that works from one whose process was killed.

A run holds a file locked for as long as it executes. The kernel drops the lock with the process, so a file that
lies there unlocked belongs to a run that is over, whatever ended it: a kill, a power cut, and no number of a
process that could meanwhile be another's. Who ends by itself empties the file, and has then to tell Dagster what
came of it, which a full disk may keep it from. The file goes when the run is pruned. Where there is none nothing is
known: jobs of other code show no process.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_shown: set[Path] = set()
"""By this process: who waited for itself would wait for ever."""
MADE_SECONDS = 5.0
"""Between making a file and locking it another process may look; so young a one says nothing."""
ENDED_SECONDS = 60.0
"""Whoever is at its end may be kept from Dagster's files for half of that, and says then what came of it."""


@contextmanager
def present(folder: Path, run_id: str) -> Iterator[None]:
    """Shows that the run has a process: this one. It waits for another process that shows it, not for itself."""
    file = _file(folder, run_id)
    if file in _shown:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        _shown.add(file)
        yield
    finally:
        _shown.discard(file)
        os.ftruncate(descriptor, 0)
        os.close(descriptor)


def is_gone(folder: Path, run_id: str) -> bool:
    """Whether the run once had a process, has none any more, and had the time to say what came of it."""
    try:
        descriptor = os.open(_file(folder, run_id), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        about = os.fstat(descriptor)  # not before: it may just have ended by itself
    except BlockingIOError:
        return False
    else:
        says_nothing = MADE_SECONDS if about.st_size else ENDED_SECONDS
        # a later time is one of a clock that was set back
        return not 0 <= time.time() - about.st_mtime < says_nothing
    finally:
        os.close(descriptor)


def process_of(folder: Path, run_id: str) -> int | None:
    """The process that executes a run, or did when it was killed; None once it has ended by itself."""
    file = _file(folder, run_id)
    text = file.read_text(encoding="utf-8").strip() if file.exists() else ""
    return int(text) if text else None


def forget(folder: Path, run_id: str) -> None:
    """Removes what a run that is over has left."""
    _file(folder, run_id).unlink(missing_ok=True)


def _file(folder: Path, run_id: str) -> Path:
    return folder / "alive" / run_id
