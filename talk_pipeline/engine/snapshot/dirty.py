"""Records for which something is left to do, and whether looking at them again could find anything new.

A record is dirty from the moment it changed until it is in step; one that waits for something stays dirty. What
may become of it depends on what is known of every flow. Each flow therefore carries a mark, which is replaced by
another whenever something of the flow changes, by a landing, an outcome or a person. As long as no mark changes,
matching finds what it found before; and a flow that was at rest, with nothing to write, stays at rest.
"""

from uuid import uuid4

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.state.connection import Connection, Cursor, now
from talk_pipeline.engine.state.meta import get_meta, joined_meta, set_meta
from talk_pipeline.engine.state.rows import is_any
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow

LASTING = (
    HoldKind.WAITING,
    HoldKind.GUARDED,
    HoldKind.EXCLUDED,
    HoldKind.MANUAL,
    HoldKind.QUARANTINED,
    HoldKind.DIFFERING,
    HoldKind.REFUSED,
    HoldKind.OSCILLATING,
)
"""What holds a change back until something changes. The other kinds end by themselves, or in another run."""

_UNREST = """
select 1 from change where flow = $flow and (hold_kind is null or not list_contains($lasting::varchar[], hold_kind))
union all
select 1 from journal where flow = $flow and is_open(outcome)
limit 1
"""

_MARK = """
insert into dirty (flow, side, id, marked_at)
select $flow, $side, id, $at from ({found})
where id not in (select id from dirty where flow = $flow and side = $side)
"""


def mark_dirty(db: Connection, flow: str, side: Side, *, ids: list[str]) -> None:
    """Puts records on the list of dirty ones, in the caller's transaction: until nothing is left to do for them."""
    if ids:
        touch(db, flow)
        mark_again(db, flow, side, ids=ids)


def mark_again(db: Connection, flow: str, side: Side, *, ids: list[str]) -> None:
    """The same of records of which nothing new is known but of what they refer to, or that the flow was touched."""
    if ids:
        named = "select unnest($ids::varchar[]) as id"
        db.execute(_MARK.format(found=named), {"flow": flow, "side": side, "at": now(), "ids": ids})


def mark_found(db: Connection, flow: str, side: Side, query: str) -> None:
    """Like `mark_dirty`, of the `id`s that a query finds: they may be all there are."""
    touch(db, flow)
    db.execute(_MARK.format(found=query), {"flow": flow, "side": side, "at": now()})


def any_dirty(db: Connection, flow: str) -> bool:
    """Whether anything of a flow is marked: where nothing is, there is nothing to match or to plan."""
    return is_any(db, "from dirty where flow = $flow", {"flow": flow})


def touch(db: Connection, flow: str) -> None:
    """Something of the flow is not as it was: what was found of it before may be found otherwise."""
    set_meta(db, f"mark:{flow}", uuid4().hex)


def touch_if_changed(db: Connection, flow: str, result: Cursor) -> None:
    """The same where a statement changed any row."""
    row = result.fetchone()
    if row and row[0]:
        touch(db, flow)


def is_matched(db: Connection, flow: Flow) -> bool:
    """Whether nothing of the flow has changed since it was matched."""
    return get_meta(db, f"matched:{flow.name}") == _marks(db, flow)


def note_matched(db: Connection, flow: Flow) -> None:
    """The flow is matched as it is now, inside the caller's transaction."""
    set_meta(db, f"matched:{flow.name}", _marks(db, flow))


def note_planned(db: Connection, flows: Flows, flow: Flow) -> None:
    """The flow is planned for what is known as it is now, inside the caller's transaction."""
    set_meta(db, f"planned:{flow.name}", _marks(db, *flows.values()))


def is_at_rest(db: Connection, flows: Flows, flow: Flow) -> bool:
    """Whether a plan would find what the last one found: nothing of any flow has changed, nothing is to be done.

    What the last one held back waits for something to change, and no request is under way.
    """
    if get_meta(db, f"planned:{flow.name}") != _marks(db, *flows.values()):
        return False
    return db.execute(_UNREST, {"flow": flow.name, "lasting": list(LASTING)}).fetchone() is None


def _marks(db: Connection, *flows: Flow) -> str:
    """The marks of some flows, and their definitions."""
    marks = joined_meta(db, [f"mark:{flow.name}" for flow in flows])
    return " ".join((marks, *(flow.fingerprint for flow in flows)))
