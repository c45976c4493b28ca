"""Which runs have a process: what tells a run that works from one whose process was killed.

A run holds a file locked for as long as it executes, and removes it before it lets go. The kernel drops the lock
with the process, so a file that lies there unlocked belongs to a run that is over, whatever ended it: a kill, a
power cut, and no number of a process that could meanwhile be another's.
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


@contextmanager
def present(folder: Path, run_id: str) -> Iterator[None]:
    """Shows that the run has a process: this one. It waits for another process that shows it, not for itself."""
    file = _file(folder, run_id)
    if file in _shown:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        _shown.add(file)
        yield
    finally:
        _shown.discard(file)
        file.unlink(missing_ok=True)
        os.close(descriptor)


def is_gone(folder: Path, run_id: str) -> bool:
    """Whether the run once had a process and has none any more."""
    file = _file(folder, run_id)
    try:
        descriptor = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return False  # it has not come so far yet, or has just ended by itself
    try:
        if time.time() - os.fstat(descriptor).st_mtime < MADE_SECONDS:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file.exists()  # who ends by itself removes the file first
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)


def process_of(folder: Path, run_id: str) -> int | None:
    """The process that executes a run, or did when it was killed."""
    file = _file(folder, run_id)
    text = file.read_text(encoding="utf-8").strip() if file.exists() else ""
    return int(text) if text else None


def _file(folder: Path, run_id: str) -> Path:
    return folder / "alive" / run_id
