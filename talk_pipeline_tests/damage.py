"""What disks and power cuts do to a file."""

import os
from pathlib import Path


def cut(file: Path) -> None:
    """Its second half is gone."""
    os.truncate(file, file.stat().st_size // 2)


def overwritten(file: Path) -> None:
    """Its second half is something else."""
    half = file.stat().st_size // 2
    with file.open("r+b") as opened:
        opened.seek(half)
        opened.write(bytes(range(256)) * (half // 256))
