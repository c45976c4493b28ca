"""After writing: did somebody else edit while we did?

A sensor compares the latest modified time of a system with the latest we hold, answers to our own writes included.
An edit that came after we had read and before our last write would hide behind that write until the next one.
"""

from datetime import UTC

from talk_pipeline.engine.report.run_summary import writes
from talk_pipeline.engine.snapshot.held import modified_since
from talk_pipeline.engine.snapshot.watermarks import watermark
from talk_pipeline.engine.state.connection import naive
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.run.session import Session


async def edited_meanwhile(session: Session, flow: Flow) -> bool:
    """Whether a side that this run wrote to lists a record as modified at another time than it is held with.

    Times, since not every system lists versions.
    """
    with session.state.open() as db:
        counted = writes(db, flow.name, run_id=session.run_id)
    for side, system in session.systems.items():
        if any(counted[side].values()) and system.lists_changes(flow.name):
            with session.state.open() as db:
                read_until = watermark(db, flow.name, side).modified_at
                if read_until is None:
                    continue
                known = modified_since(db, flow.name, side, read_until)
            session.state.release()
            async for page in system.scan(flow.name, since=read_until.replace(tzinfo=UTC)):
                if any((record.id, naive(record.modified_at)) not in known for record in page):
                    return True
    return False
