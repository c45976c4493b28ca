"""Fetched records beside the state, until they land; and what they show otherwise than what is held.

Nothing here changes what is held, and nothing concludes that a record disappeared: whoever asks the system about
each that was not shown says what became of it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from talk_pipeline.engine.kinds import DISAPPEARED, Gone
from talk_pipeline.engine.model import Record
from talk_pipeline.engine.snapshot.workspace import Incoming
from talk_pipeline.engine.state.connection import Connection, naive
from talk_pipeline.engine.state.rows import insert_columns, rows_of
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value


def spool(db: Connection, records: Iterable[Record]) -> int:
    """Keeps fetched records beside the state until they land; returns how many."""
    rows = list(records)
    if not rows:
        return 0
    Incoming.ensure(db)
    columns: dict[str, list[Any]] = {
        "id": [one.id for one in rows],
        "version": [one.version for one in rows],
        "modified_at": [naive(one.modified_at) for one in rows],
        "deleted": [one.deleted for one in rows],
        "payload": [one.payload for one in rows],
    }
    insert_columns(db, Incoming.NAME, columns)
    return len(rows)


def discard(db: Connection) -> None:
    """Forgets what was spooled: from here on there is nothing, in which all of the questions below may look."""
    Incoming.empty(db)


def absent(
    db: Connection, flow: str, side: Side, *, gone: Gone | None = None, most: int | None = None
) -> list[str]:
    """Ids that are held and were not among the spooled records of a full scan.

    Args:
        db: the state.
        flow: the flow.
        side: one of its sides.
        gone: only those that are known to have left for this reason; by default those that are there.
        most: how many, the last ones that this was found of; by default all.
    """
    rows = db.execute(
        "select id from snapshot where flow = ? and side = ? and gone is not distinct from ?"
        " and id not in (select id from incoming) order by fetched_at desc, id limit ?",
        [flow, side, gone, most],
    )
    return [row[0] for row in rows.fetchall()]


_UNREAD = f"""
select bc_id from link where part = $flow and state = 'closed' and bc_id is not null
  and bc_id not in (select id from snapshot where flow = $flow and side = 'businesscentral')
  and bc_id not in (select id from {Incoming.NAME})
order by linked_at desc, bc_id limit $most
"""


def unread(db: Connection, flow: str, *, most: int | None) -> list[str]:
    """What closes a shop record by its key and was never read itself, nor is now; the last closed first.

    An id is that of the record of Business Central, or of what it became where that does not name it.
    """
    return [row[0] for row in db.execute(_UNREAD, {"flow": flow, "most": most}).fetchall()]


_BEREFT = f"""
select s.id, coalesce(r.raw, map([]::varchar[], []::varchar[])) as raw
from snapshot s left join record r on r.part = s.flow and r.side = s.side and r.id = s.id
where s.flow = $flow and s.side = 'businesscentral' and s.gone in ({DISAPPEARED})
  and s.id in (select bc_id from link where part = $flow and state = 'active')
  and s.id not in (select id from {Incoming.NAME})
order by s.id
"""


def bereft(db: Connection, flow: str) -> dict[str, dict[str, Value]]:
    """Of linked records that Business Central has no more, nor shows now, what they said by property: by id."""
    return {row["id"]: row["raw"] for row in rows_of(db, _BEREFT, {"flow": flow})}


def unshown(db: Connection, flow: str, side: Side, *, since: datetime | None, most: int) -> list[str]:
    """The newest of the records that are there as far as is known and were not among the spooled ones.

    Args:
        db: the state.
        flow: the flow.
        side: one of its sides.
        since: only those last modified then or later, by the server's clock.
        most: how many.
    """
    rows = db.execute(
        "select id from snapshot where flow = ? and side = ? and gone is null and modified_at is not null"
        f" and modified_at >= coalesce(?, modified_at) and id not in (select id from {Incoming.NAME})"
        " order by modified_at desc, id limit ?",
        [flow, side, since, most],
    )
    return [row[0] for row in rows.fetchall()]


def older(db: Connection, flow: str, side: Side, *, most: int) -> list[str]:
    """The newest of the held records that the spooled ones show as of an earlier time."""
    rows = db.execute(
        f"select s.id from snapshot s join {Incoming.NAME} i on i.id = s.id where s.flow = ? and s.side = ?"
        " and i.modified_at < s.modified_at group by s.id order by max(s.modified_at) desc, s.id limit ?",
        [flow, side, most],
    )
    return [row[0] for row in rows.fetchall()]
