"""Which of a few told records differ from what is held, found here and not by the statement that finds it of many.

That one names seven tables, and costs ten milliseconds to work out, whatever it is asked of (`batch`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from talk_pipeline.engine.kinds import Gone
from talk_pipeline.engine.model import Record
from talk_pipeline.engine.snapshot.projection import FORGOTTEN
from talk_pipeline.engine.state.connection import Connection, naive
from talk_pipeline.engine.state.rows import rows_of
from talk_pipeline.flows.sides import Side

Row = dict[str, Any]

_HELD = """
select id, rowid as held_row, version as held_version, modified_at as held_modified_at,
       fetched_at as held_fetched_at, gone as held_gone, payload as held_payload, earlier, edited_at
from snapshot where rowid in (
  select rowid from snapshot where flow = $flow and side = $side and id in (select unnest($ids::varchar[])))
"""

_HASHES = """
select id, row_hash from record where part = $flow and side = $side and id in (select unnest($ids::varchar[]))
"""

# posted before they were ever held
_UNREAD = """
select bc_id from link where part = $flow and state = 'closed' and bc_id in (select unnest($ids::varchar[]))
"""

_NOT_HELD: Row = dict.fromkeys(
    (
        *("held_row", "held_version", "held_modified_at", "held_fetched_at", "held_gone", "held_payload"),
        *("earlier", "edited_at", "row_hash"),
    )
)


def as_told(record: Record) -> Row:
    """A record as it is spooled."""
    return {
        "id": record.id,
        "version": record.version,
        "modified_at": naive(record.modified_at),
        "deleted": record.deleted,
        "payload": record.payload,
    }


def differing(
    db: Connection, flow: str, side: Side, told: Sequence[Row], *, lagging: bool, own: bool
) -> list[Row]:
    """Those that are not held as they are told, with what is held of them, by id.

    Args:
        db: the state.
        flow: theirs.
        side: that tells them.
        told: as they are spooled; of one that is told twice the later by its own time counts, or else the first.
        lagging: a replica tells them: one that is as of an earlier time than what is held tells nothing new.
        own: they are answers to our own writes, of which no end is asked for.
    """
    asked = {"flow": flow, "side": str(side), "ids": list({row["id"] for row in told})}
    held = {row["id"]: row for row in rows_of(db, _HELD, asked)}
    found = (_compared(row, held.get(row["id"]), lagging=lagging) for row in _latest(told, held))
    fresh = [row for row in found if row is not None]
    replaced = [row["id"] for row in fresh if row["is_held"]]
    if replaced:
        hashes = dict(db.execute(_HASHES, asked | {"ids": replaced}).fetchall())
        for row in fresh:
            row["row_hash"] = hashes.get(row["id"])
    new = [row["id"] for row in fresh if not row["is_held"]]
    if new and side is Side.BC and not own:
        posted = {bc_id for (bc_id,) in db.execute(_UNREAD, {"flow": flow, "ids": new}).fetchall()}
        for row in fresh:
            row["held_gone"] = Gone.POSTED if row["id"] in posted else row["held_gone"]
    return fresh


def _latest(told: Iterable[Row], held: Mapping[str, Row]) -> list[Row]:
    """What counts of each record: what tells nothing, as a deletion may, counts of one that is held."""
    latest: dict[str, Row] = {}
    for row in told:
        if row["payload"] or row["id"] in held:
            known_at, told_at = latest.setdefault(row["id"], row)["modified_at"], row["modified_at"]
            if told_at and (known_at is None or told_at > known_at):
                latest[row["id"]] = row
    return [latest[record_id] for record_id in sorted(latest)]


def _compared(row: Row, held: Row | None, *, lagging: bool) -> Row | None:
    """A told record with what is held of it; nothing where it is held as it is, or what was is told."""
    if held is None:
        return {**_NOT_HELD, **row, "is_held": False}
    # a deletion may tell no more than the id; it may also tell all of a record that was forgotten
    says_nothing = not row["payload"] or (row["deleted"] and held["held_payload"] == FORGOTTEN)
    payload = held["held_payload"] if says_nothing else row["payload"]
    version = held["held_version"] if row["version"] is None else row["version"]
    gone = Gone.DELETED if row["deleted"] else None
    if (payload, version, gone) == (held["held_payload"], held["held_version"], held["held_gone"]):
        return None
    shown_at, known_at = row["modified_at"], held["held_modified_at"]
    if lagging and shown_at and known_at and shown_at < known_at:
        return None
    return {**held, **row, "payload": payload, "is_held": True, "row_hash": None}
