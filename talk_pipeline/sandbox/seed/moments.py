"""When things happened: all of it well in the past, so that an edit made today is later than any of it."""

from __future__ import annotations

import datetime as dt
import random

_START = dt.datetime(2025, 3, 3, 8, 0, tzinfo=dt.UTC)
_DAYS = 80


def moment(rng: random.Random) -> str:
    """A time within office hours."""
    value = _START + dt.timedelta(days=rng.randrange(_DAYS), milliseconds=rng.randrange(8 * 3600 * 1000))
    return show(value)


def later(text: str, rng: random.Random) -> str:
    """A time of the same day or a few days on."""
    value = dt.datetime.fromisoformat(text) + dt.timedelta(days=rng.randrange(5), seconds=rng.randrange(3600))
    return show(value)


def show(value: dt.datetime) -> str:
    """RFC 3339 with milliseconds."""
    return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


def days_on(text: str, days: int) -> str:
    """The date some days after a time."""
    return (dt.datetime.fromisoformat(text).date() + dt.timedelta(days=days)).isoformat()
