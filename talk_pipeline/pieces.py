"""Small files that are there in one piece: whoever reads finds the old one or the new one, whatever happens."""

import os
from pathlib import Path


def put(file: Path, content: bytes, *, unfinished: str = ".new") -> None:
    """Writes a file whole; it is on disk when this returns.

    Args:
        file: the file.
        content: all of it.
        unfinished: how its name ends while it is written.
    """
    fresh = file.with_name(f"{file.name}{unfinished}")
    with fresh.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)  # which has the new name
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
