"""The cheap question of a sensor, asked so that neither a wrong clock nor a late answer hides anything.

What was changed last in a flow? A change may show after a later one was read: of a long transaction the times are
those of its beginning. So as long as that may be, all is asked for that was modified shortly before, by ids and
times alone; it takes as many requests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from talk_pipeline.engine.report.progress import PRECISION, Recent
from talk_pipeline.engine.state.connection import to_the_millisecond
from talk_pipeline.systems.protocol import System

HIDDEN = timedelta(minutes=10)  # how long an edit is looked for behind a change from the future


@dataclass(frozen=True, slots=True)
class Look:
    """What a system showed of a flow.

    Attributes:
        latest: the modified time of the latest change.
        shown: of some records the modified times, by their ids.
    """

    latest: datetime
    shown: Mapping[str, datetime] = field(default_factory=dict)


async def look(system: System, flow: str, *, recent: Recent | None) -> Look | None:
    """What was changed last, and, where it is said what is known of it, what else was shortly before.

    What is shown may be the beginning of more, or of a system that was restored: where it does not reach as far as
    what is known, the latest change is asked for, too.

    Returns:
        None where nothing was ever changed.
    """
    shown: Mapping[str, datetime] = {}
    if recent is not None and system.lists_changes(flow):
        stamps = await system.stamps(flow, since=recent.since)
        until = _server_now(system)
        shown = {key: cut(at) for key, at in stamps.items() if at <= until}
        if shown and max(shown.values()) >= recent.latest:
            return Look(max(shown.values()), shown)
    at = await latest_change(system, flow)
    return Look(cut(at), shown) if at else None


def cut(moment: datetime) -> datetime:
    """As exact as every system tells it and the state holds it."""
    return to_the_millisecond(moment.astimezone(UTC))


async def latest_change(system: System, flow: str) -> datetime | None:
    """The latest change; where that lies in the server's future, the latest before, if it was just now.

    A record that a wrong clock stamped would hide all edits after it until its time has come.
    """
    latest = await system.latest(flow)
    until = _server_now(system)
    if latest is None or latest <= until or not system.lists_changes(flow):
        return latest
    pages = [page async for page in system.scan(flow, since=until - PRECISION - HIDDEN)]
    times = [record.modified_at for page in pages for record in page if record.modified_at]
    return max((at for at in times if at <= until), default=None)


def _server_now(system: System) -> datetime:
    """As exact as it is known: what is later was stamped by a wrong clock."""
    return datetime.now(UTC) + timedelta(seconds=system.skew_seconds) + PRECISION
