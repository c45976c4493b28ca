"""How much of what a system allows is used: read from the files in which the limits count."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

from pyrate_limiter import Rate, SQLiteBucket

from talk_pipeline.systems.http.limits import COUNTED_IN, WINDOW_MARGIN_MS


def requests_in_window(folder: Path, *, window_seconds: float) -> Iterator[tuple[str, int]]:
    """How many requests each application has made in the window that ends now; the first one's name is blank.

    Args:
        folder: that of the limits of a system.
        window_seconds: what the system counts in.
    """
    for file in sorted(folder.glob(f"**/{COUNTED_IN}")):
        application = unquote(file.parent.relative_to(folder).as_posix()).removeprefix(".")
        yield application, _counted(file, window_ms=int(window_seconds * 1000 + WINDOW_MARGIN_MS))


def _counted(file: Path, *, window_ms: int) -> int:
    try:
        bucket = SQLiteBucket.init_from_file(
            [Rate(1, window_ms)], table="requests", db_path=str(file), use_file_lock=True
        )
        with closing(bucket):
            bucket.leak(bucket.now())  # type: ignore[no-untyped-call]
            return int(bucket.count())
    except sqlite3.Error:
        return 0  # it is made anew with the next request
