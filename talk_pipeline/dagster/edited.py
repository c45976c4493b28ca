"""Whether files were edited since they were loaded."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def as_they_are(files: Iterable[Path]) -> frozenset[tuple[Path, int, int]]:
    """Those of the files that are there, each with when it was changed, in nanoseconds, and its size."""
    found = set()
    for file in files:
        with suppress(OSError):  # it is not there, or no more
            now = file.stat()
            found.add((file, now.st_mtime_ns, now.st_size))
    return frozenset(found)
