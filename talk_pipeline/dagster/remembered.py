"""What a sensor remembers from tick to tick: what a system showed, and the runs that were asked for."""

from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Literal

import msgspec

from talk_pipeline.engine.report.progress import MOST_RECENT, Recent
from talk_pipeline.run.latest import Look

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)


class Reason(msgspec.Struct, frozen=True):
    """Why a run is wanted, and since when: two that are equal are the same work."""

    kind: Literal["changed", "full scan due", "decided", "not completed", "rested", "left undone"]
    at: datetime | None = None


class Seen(msgspec.Struct, frozen=True):
    """What the system showed of a flow, and when it was first asked and said so.

    Attributes:
        latest: the latest change.
        unknown: when those records were modified that no run had read so, by their ids, the newest first.
    """

    latest: datetime
    asked_at: datetime
    unknown: dict[str, datetime] = {}


class Tried(msgspec.Struct, frozen=True):
    """Runs that were asked for in a row.

    Attributes:
        why: what for, the last time.
        at: when, the last time.
        over_at: when it was last seen under way.
        times: how many.
    """

    why: Reason
    at: datetime
    over_at: datetime
    times: int

    def pauses(self, now: datetime) -> timedelta:
        """For how long no more may be asked for; not at all where the clock was set back since."""
        pause = min(FIRST_PAUSE * (1 << min(self.times - 1, 10)), LONGEST_PAUSE)
        return pause - (now - self.over_at) if self.over_at <= now < self.over_at + pause else timedelta()


class Cursor(msgspec.Struct, frozen=True):
    """What a sensor remembers: the system's answers, by flow, and the runs it asked for that are not done yet."""

    looked_at: datetime = datetime.fromtimestamp(0, UTC)
    seen: dict[str, Seen] = {}
    tried: dict[str, Tried] = {}


def noted(before: Seen | None, found: Look, *, recent: Recent | None, now: datetime) -> Seen:
    """What was shown, since when; what was unknown and is not asked for any more stays so until a run has read."""
    unknown = dict(before.unknown) if before and not found.shown else {}
    if recent is not None:
        newest = sorted(recent.unknown(found.shown).items(), key=itemgetter(1), reverse=True)
        unknown |= dict(newest[:MOST_RECENT])
    if before and before.latest == found.latest and unknown.items() <= before.unknown.items():
        return Seen(before.latest, before.asked_at, unknown)
    return Seen(found.latest, now, unknown)
