"""The time a server believes it is: the machine's own, moved by an offset that tests set.

Times are whole milliseconds since 1970, the resolution both services show.
"""

from __future__ import annotations

import datetime as dt
import time
from email.utils import formatdate

BLANK_MS = -62135596800000
"""Year 1: how Business Central stores "no time"."""


class Clock:
    """A wall clock that can be wrong on purpose."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now_ms(self) -> int:
        """Milliseconds since 1970, offset included."""
        return int((time.time() + self.offset) * 1000)

    def today(self) -> str:
        """The date in UTC, as ``YYYY-MM-DD``."""
        return to_datetime(self.now_ms()).date().isoformat()

    def http_date(self) -> str:
        """The value of a ``Date`` header."""
        return formatdate(time.time() + self.offset, usegmt=True)


def to_datetime(moment: int) -> dt.datetime:
    """The moment as an aware datetime in UTC."""
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=moment)


def from_datetime(value: dt.datetime) -> int:
    """Milliseconds since 1970 of an aware datetime, cut below the millisecond."""
    delta = value - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (delta.days * 86400 + delta.seconds) * 1000 + delta.microseconds // 1000
