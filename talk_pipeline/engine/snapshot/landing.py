"""Raw records in: complete or not at all, with the touched ones marked in the same transaction.

Fetched pages are spooled beside the state first; only `land` changes what is held. A record that did not
change costs one comparison of its payload. Nothing here concludes that a record disappeared: `absent` says
which were not seen, whoever asked the system about each says what became of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from talk_pipeline.engine.model import Decode, Record
from talk_pipeline.engine.snapshot.batch import Batch, Landing
from talk_pipeline.engine.snapshot.dirty import mark_again, mark_dirty, touch
from talk_pipeline.engine.snapshot.projection import Projected, Projector
from talk_pipeline.engine.snapshot.reversals import Reversal, implausible, note
from talk_pipeline.engine.snapshot.workspace import Incoming
from talk_pipeline.engine.state.connection import Connection, naive, now, transaction
from talk_pipeline.engine.state.meta import set_meta
from talk_pipeline.engine.state.rows import insert, insert_columns
from talk_pipeline.engine.state.tables import WatermarkRow
from talk_pipeline.flows.properties import Side
from talk_pipeline.flows.vocabulary import Flow


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a side of a flow has been read.

    Attributes:
        modified_at: latest modified time the server gave, UTC without offset.
        full_at: when a full scan last ended.
        complete: the last fetch ended without error.
        problem: why it did not, or what is implausible about it.
    """

    modified_at: datetime | None = None
    fetched_at: datetime | None = None
    full_at: datetime | None = None
    complete: bool = False
    problem: str | None = None
    skew_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Landed:
    """What a landing did: records read, of which new or changed, and those outside the flow's scope.

    Attributes:
        reversals: what went back; unless it was to be believed, nothing landed because of it.
        moved_on: the other records that changed, with the modified time they were known with.
    """

    read: int
    changed: int
    outside: int
    reversals: tuple[Reversal, ...] = ()
    moved_on: Mapping[str, datetime] = field(default_factory=dict)


def watermark(db: Connection, flow: str, side: Side) -> Watermark:
    """The watermark of a side, or an empty one."""
    row = db.execute(
        "select modified_at, fetched_at, full_at, complete, problem, skew_seconds from watermark"
        " where flow = ? and side = ?",
        [flow, side],
    ).fetchone()
    return Watermark(*row) if row else Watermark()


def fetch_problems(db: Connection, flow: str) -> list[tuple[str, str]]:
    """What is wrong with the last fetch of a flow, as (side, problem), the shop's first."""
    query = "select side, problem from watermark where flow = ? and problem is not null order by side desc"
    return db.execute(query, [flow]).fetchall()


def fetch_failed(db: Connection, flow: str, side: Side, *, problem: str) -> None:
    """Notes that a fetch broke off: what is held stays as it was, and is known to be old."""
    known = watermark(db, flow, side)
    with transaction(db):
        _set_watermark(db, flow, side, mark=_changed(known, complete=False, problem=problem))


def spool(db: Connection, records: Iterable[Record]) -> int:
    """Keeps fetched records beside the state until they land; returns how many."""
    Incoming.ensure(db)
    rows = list(records)
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
    """Forgets what was spooled."""
    Incoming.dropped(db)


def absent(db: Connection, flow: str, side: Side) -> list[str]:
    """Ids that are held and were not among the spooled records of a full scan."""
    spool(db, ())
    rows = db.execute(
        "select id from snapshot where flow = ? and side = ? and gone is null"
        " and id not in (select id from incoming) order by id",
        [flow, side],
    )
    return [row[0] for row in rows.fetchall()]


def record_count(db: Connection, flow: str, side: Side) -> int:
    """How many records are held, those that left included."""
    row = db.execute("select count(*) from snapshot where flow = ? and side = ?", [flow, side]).fetchone()
    return int(row[0]) if row else 0


def present(db: Connection, flow: str, side: Side) -> int:
    """How many records are held that have not left."""
    query = "select count(*) from snapshot where flow = ? and side = ? and gone is null"
    row = db.execute(query, [flow, side]).fetchone()
    return int(row[0]) if row else 0


def land(db: Connection, projector: Projector, decode: Decode, *, landing: Landing) -> Landed:
    """Merges the spooled records into the snapshot, in one transaction of its own."""
    try:
        with transaction(db):
            return merge(db, projector, decode, landing=landing)
    except _WentBackError as stop:
        with transaction(db):
            note(db, projector.flow.name, projector.side, stop.landed.reversals)
            discard(db)
        return stop.landed


class _WentBackError(Exception):
    """What was read cannot be believed: nothing of it lands."""

    def __init__(self, landed: Landed) -> None:
        super().__init__()
        self.landed = landed


def merge(db: Connection, projector: Projector, decode: Decode, *, landing: Landing) -> Landed:
    """Merges the spooled records into the snapshot, inside the caller's transaction."""
    incoming = Incoming.ensure(db)
    flow, side = projector.flow.name, projector.side
    total = db.execute("select count(distinct id), max(modified_at) from incoming").fetchone()
    read, latest = total or (0, None)
    batch = Batch(projector, decode, landing)
    if read:
        batch.take_fresh(incoming)
    discard(db)
    batch.take_leaving(db)
    newest_read = latest if landing.full else None
    reversals = implausible(
        projector.flow, batch.reversals, newest_read=newest_read, changed=len(batch.marks)
    )
    if reversals and not landing.believed:
        raise _WentBackError(Landed(read, 0, batch.outside, reversals))
    if batch.marks:
        mark_dirty(db, flow, side, ids=batch.marks)
    elif batch.replaced or landing.full:
        touch(db, flow)  # now and then everything is looked at, whether it has changed or not
    if landing.fetched:
        known = watermark(db, flow, side)
        # never in the server's future, also where an earlier clock of it left one there: edits would go unseen
        newest = max((at for at in (known.modified_at, latest) if at), default=None)
        if newest and landing.read_until:
            newest = min(newest, landing.read_until)
        fetched = now()
        mark = Watermark(
            newest,
            fetched,
            fetched if landing.full else known.full_at,
            complete=True,
            problem=landing.problem,
            skew_seconds=landing.skew_seconds,
        )
        _set_watermark(db, flow, side, mark=mark)
        if landing.full:
            note(db, flow, side, ())
            set_meta(db, f"asked:{flow}:{side}", requested_fields(projector.flow, side))
    return Landed(read, len(batch.marks), batch.outside, reversals, batch.moved_on)


def merge_answers(
    db: Connection, projector: Projector, decode: Decode, records: Sequence[Record]
) -> list[Projected]:
    """Merges answers to our own writes, in the transaction of the outcomes; returns the rows that are new."""
    batch = Batch(projector, decode, Landing(own=True))
    landed = batch.take_answers(db, records)
    mark_again(db, projector.flow.name, projector.side, ids=batch.marks)
    return landed


def requested_fields(flow: Flow, side: Side) -> str:
    """The fields that are asked for, in a form that compares."""
    return " ".join(f"{part.name}:{field}" for part in flow.parts for field in flow.fields(part, side))


def _changed(mark: Watermark, *, complete: bool, problem: str | None) -> Watermark:
    return Watermark(mark.modified_at, mark.fetched_at, mark.full_at, complete, problem, mark.skew_seconds)


def _set_watermark(db: Connection, flow: str, side: Side, *, mark: Watermark) -> None:
    db.execute("delete from watermark where flow = ? and side = ?", [flow, side])
    insert(db, [WatermarkRow(flow=flow, side=side, **asdict(mark))])


def is_there(db: Connection, flow: str, side: Side, record_id: str) -> bool:
    """Whether a record is held and has not left."""
    query = "select 1 from snapshot where flow = ? and side = ? and id = ? and gone is null"
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
