"""How much of what a system allows is used: read where the limits count, in files or in a Redis."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

from pyrate_limiter import Rate, SQLiteBucket

from talk_pipeline.systems.http import shared
from talk_pipeline.systems.http.limits import ACCOUNT, COUNTED_IN, WINDOW_MARGIN_MS


def requests_in_window(
    folder: Path, *, window_seconds: float, redis: str | None = None, together: Path | None = None
) -> Iterator[tuple[str, int | None]]:
    """How many requests each application has made in the window that ends now; None where that cannot be read.

    Args:
        folder: that of the limits of a system; the first application, whose name is blank, counts in it.
        window_seconds: what the system counts in.
        redis: where several machines count.
        together: the folder in which several companies count.
    """
    window_ms = int(window_seconds * 1000 + WINDOW_MARGIN_MS)
    for file in sorted(folder.glob(f"**/{ACCOUNT if redis or together else COUNTED_IN}")):
        application = unquote(file.parent.relative_to(folder).as_posix()).removeprefix(".")
        if redis:
            used = shared.counted(redis, file.read_text(encoding="ascii"), window_ms=window_ms)
        else:
            counted_in = together / file.read_text(encoding="ascii") / COUNTED_IN if together else file
            used = _counted(counted_in, window_ms=window_ms)
        yield application, used


def _counted(file: Path, *, window_ms: int) -> int | None:
    try:
        bucket = SQLiteBucket.init_from_file(
            [Rate(1, window_ms)], table="requests", db_path=str(file), use_file_lock=True
        )
        with closing(bucket):
            bucket.leak(bucket.now())  # type: ignore[no-untyped-call]
            return int(bucket.count())
    except sqlite3.Error:
        return None
