"""Where databases of the tests lie: in memory where there is room, since each commit on a disk waits for that."""

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30


def memory() -> str | None:
    """The folder, or None where there is no room."""
    there = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return str(MEMORY) if there else None
