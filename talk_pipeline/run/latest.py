"""The cheap question of a sensor, asked so that a wrong clock hides nothing: what was changed last in a flow?"""

from datetime import UTC, datetime, timedelta

from talk_pipeline.engine.report.progress import PRECISION
from talk_pipeline.systems.protocol import System

HIDDEN = timedelta(minutes=10)  # how long an edit is looked for behind a change from the future


async def latest_change(system: System, flow: str) -> datetime | None:
    """The latest change; where that lies in the server's future, the latest before, if it was just now.

    A record that a wrong clock stamped would hide all edits after it until its time has come.
    """
    latest = await system.latest(flow)
    now = datetime.now(UTC) + timedelta(seconds=system.skew_seconds)
    if latest is None or latest <= now + PRECISION or not system.lists_changes(flow):
        return latest
    pages = [page async for page in system.scan(flow, since=now - HIDDEN)]
    times = [record.modified_at for page in pages for record in page if record.modified_at]
    return max((at for at in times if at <= now + PRECISION), default=None)
