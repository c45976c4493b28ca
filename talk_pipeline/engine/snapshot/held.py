"""Questions about the records that are held."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from talk_pipeline.engine.kinds import DISAPPEARED
from talk_pipeline.engine.model import Record
from talk_pipeline.engine.state.connection import Connection, naive
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow


def record_count(db: Connection, flow: str, side: Side) -> int:
    """How many records are held, those that left included."""
    row = db.execute("select count(*) from snapshot where flow = ? and side = ?", [flow, side]).fetchone()
    return int(row[0]) if row else 0


def present(db: Connection, flow: str, side: Side) -> int:
    """How many records are held that have not left."""
    query = "select count(*) from snapshot where flow = ? and side = ? and gone is null"
    row = db.execute(query, [flow, side]).fetchone()
    return int(row[0]) if row else 0


def is_there(db: Connection, flow: str, side: Side, record_id: str) -> bool:
    """Whether a record is held and has not left."""
    query = "select 1 from snapshot where flow = ? and side = ? and id = ? and gone is null"
    return db.execute(query, [flow, side, record_id]).fetchone() is not None


def record(db: Connection, flow: str, side: Side, record_id: str | None) -> Record | None:
    """A record as it is held; None where it is not, or has left."""
    query = (
        "select id, version, modified_at, payload from snapshot"
        " where flow = ? and side = ? and id = ? and gone is null"
    )
    row = db.execute(query, [flow, side, record_id]).fetchone()
    return Record(row[0], row[1], row[2], deleted=False, payload=row[3]) if row else None


def is_no_more(db: Connection, flow: str, side: Side, record_id: str | None) -> bool:
    """Whether a record was held and has left: it is not there any more, under whichever key."""
    query = f"select 1 from snapshot where flow = ? and side = ? and id = ? and gone in ({DISAPPEARED})"
    return db.execute(query, [flow, side, record_id]).fetchone() is not None


def keys_of(db: Connection, flow: Flow, side: Side, ids: Sequence[str]) -> dict[str, str]:
    """The create keys of records that are held: id -> key, as the side writes it; blank ones are left out."""
    query = (
        "select id, raw[?] as key from record where part = ? and side = ? and list_contains(?::varchar[], id)"
    )
    rows = db.execute(query, [flow.create_key, flow.name, side, list(ids)]).fetchall()
    return {record_id: key for record_id, key in rows if key}


def modified_since(db: Connection, flow: str, side: Side, moment: datetime) -> set[tuple[str, datetime]]:
    """The records modified since then as they are held, as (id, modified time in UTC without offset)."""
    query = "select id, modified_at from snapshot where flow = ? and side = ? and modified_at >= ?"
    return set(db.execute(query, [flow, side, moment]).fetchall())


def is_older(db: Connection, flow: str, side: Side, records: Iterable[Record]) -> bool:
    """Whether any of these records is as of an earlier time than it was seen at."""
    known = {record.id: naive(record.modified_at) for record in records}
    rows = db.execute(
        "select id, modified_at from snapshot where flow = ? and side = ? and id in (select unnest(?::varchar[]))",
        [flow, side, list(known)],
    ).fetchall()
    return any(seen_at and (at := known[record_id]) and at < seen_at for record_id, seen_at in rows)


_NAMESAKES = """
with keys as (
  select distinct canon[$key] as key from record
  where part = $flow and side = $side and id in (select unnest($ids::varchar[])))
select r.id from record r join snapshot s on s.flow = r.part and s.side = r.side and s.id = r.id
where s.gone is null and r.part = $flow and r.side = $side and r.canon[$key] in (select key from keys)
  and r.id not in (select unnest($ids::varchar[]))
order by r.id
"""


def namesakes(db: Connection, flow: Flow, side: Side, *, ids: Sequence[str]) -> list[str]:
    """The other records that are held and carry the create key of one of these."""
    asked = {"flow": flow.name, "side": side, "key": flow.create_key, "ids": list(ids)}
    return [row[0] for row in db.execute(_NAMESAKES, asked).fetchall()]


_NEWEST_LINKED = """
select s.id, s.payload from snapshot s
where s.flow = $flow and s.side = $side and s.gone is null and s.id in (
  select case $side when 'customwebshop' then shop_id else bc_id end from link
  where part = $flow and state = 'active')
order by s.modified_at desc nulls last, s.id desc limit $most
"""


def newest_linked(db: Connection, flow: Flow, side: Side, *, most: int) -> dict[str, str]:
    """What is held of the linked records that are there, the last modified first: id -> payload."""
    asked = {"flow": flow.name, "side": str(side), "most": most}
    return dict(db.execute(_NEWEST_LINKED, asked).fetchall())
