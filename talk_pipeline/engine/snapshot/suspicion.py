"""Which flows of a system that looks restored are still to be looked at as a whole.

What one flow shows makes the whole system suspect, but each flow tells for itself alone what it lost. So a flow is
suspect until it was read in full, whichever of the others a run reads or a person decides first: till then a
single record that went back in it is no chance. The suspicion has a mark, and each flow keeps the one that it was
looked at for.
"""

from datetime import datetime
from uuid import uuid4

from talk_pipeline.engine.snapshot.reversals import noted
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.meta import forget_meta, get_meta, set_meta
from talk_pipeline.flows.sides import Side


def arises(db: Connection, flow: str, side: Side) -> None:
    """Every flow of a system is to be looked at, unless this one is so already; in the caller's transaction."""
    if not _pends(db, flow, side):
        set_meta(db, _mark(side), uuid4().hex)
        forget_meta(db, _backup(side))


def looked_at(db: Connection, flow: str, side: Side) -> None:
    """A flow was read in full, and what follows from it is known; in the caller's transaction."""
    if mark := get_meta(db, _mark(side)):
        set_meta(db, _looked(flow, side), mark)


def look_again(db: Connection, flow: str, side: Side) -> None:
    """A flow of a suspect system is to be read once more, since more depends on it; in the caller's transaction."""
    forget_meta(db, _looked(flow, side))


def is_suspect(db: Connection, flow: str, side: Side) -> bool:
    """Whether a system looks restored to a flow: records of whichever went back, or it is still to be looked at."""
    return noted(db, side) or _pends(db, flow, side)


def keep_backup(db: Connection, side: Side, backup: datetime | None) -> None:
    """Keeps for the flows that are decided later when the backup was not made yet; in the caller's transaction."""
    known = _kept(db, side)
    if latest := max(filter(None, (known, backup)), default=None):
        set_meta(db, _backup(side), latest.isoformat())


def kept_backup(db: Connection, flow: str, side: Side) -> datetime | None:
    """What flows that were decided before tell a flow of the time of the backup, UTC without an offset."""
    return _kept(db, side) if _pends(db, flow, side) else None


def _kept(db: Connection, side: Side) -> datetime | None:
    text = get_meta(db, _backup(side))
    return datetime.fromisoformat(text) if text else None


def _pends(db: Connection, flow: str, side: Side) -> bool:
    mark = get_meta(db, _mark(side))
    return mark is not None and get_meta(db, _looked(flow, side)) != mark


def _mark(side: Side) -> str:
    return f"suspect:{side}"


def _looked(flow: str, side: Side) -> str:
    return f"looked:{flow}:{side}"


def _backup(side: Side) -> str:
    return f"backup:{side}"
