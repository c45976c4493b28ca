"""Small files that are there in one piece: whoever reads finds the old one or the new one, whatever happens."""

import os
from pathlib import Path


def put(file: Path, content: bytes) -> None:
    """Writes a file whole; it is on disk when this returns."""
    fresh = file.with_name(f"{file.name}.new")
    with fresh.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
