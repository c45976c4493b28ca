"""Raw records in: complete or not at all, with the touched ones marked in the same transaction.

Fetched pages are spooled beside the state first; only `land` changes what is held. A record that did not
change costs one comparison of its payload. Nothing here concludes that a record disappeared: `absent` says
which were not seen, whoever asked the system about each says what became of it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from talk_pipeline.engine.kinds import Gone
from talk_pipeline.engine.model import Decode, Record
from talk_pipeline.engine.snapshot.projection import Projected, Projector, in_scope
from talk_pipeline.engine.snapshot.reversals import REMEMBERED, Reversal, implausible, marks, note, went_back
from talk_pipeline.engine.snapshot.workspace import Incoming
from talk_pipeline.engine.state.connection import Connection, naive, now, transaction
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
class Landing:
    """How spooled records are to be understood.

    Attributes:
        fetched: they are a completed fetch, which alone moves the watermark.
        full: they are all there are.
        lagging: a replica shows what was: nothing that is held is replaced by an earlier state of it.
        own: they are answers to our own writes: no time in them counts as an edit.
        gone: ids that are known to have left, with the reason.
        problem: what is implausible about the fetch, shown and guarded against.
        believed: a person has decided what follows from records that went back: they land.
        read_until: when the fetch began, by the server's clock: what it shows of later changes is by chance.
    """

    fetched: bool = False
    full: bool = False
    lagging: bool = False
    own: bool = False
    gone: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None
    skew_seconds: float = 0.0
    believed: bool = False
    read_until: datetime | None = None


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


def fetch_failed(db: Connection, flow: str, side: Side, *, problem: str) -> None:
    """Notes that a fetch broke off: what is held stays as it was, and is known to be old."""
    held = watermark(db, flow, side)
    with transaction(db):
        _set_watermark(db, flow, side, mark=_changed(held, complete=False, problem=problem))


def spool(db: Connection, records: Iterable[Record]) -> int:
    """Keeps fetched records beside the state until they land; returns how many."""
    Incoming.kept(db)
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


def held(db: Connection, flow: str, side: Side) -> int:
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
    with transaction(db):
        return merge(db, projector, decode, landing=landing)


def merge(db: Connection, projector: Projector, decode: Decode, *, landing: Landing) -> Landed:
    """Merges the spooled records into the snapshot, inside the caller's transaction."""
    spool(db, ())
    flow, side = projector.flow.name, projector.side
    batch = _Batch(projector, decode, landing)
    for row in _fresh(db, flow, side, lagging=landing.lagging):
        batch.take(row)
    for row in _leaving(db, flow, side, ids=list(landing.gone)):
        batch.leave(row, reason=landing.gone[row["id"]])
    total = db.execute("select count(distinct id), max(modified_at) from incoming").fetchone()
    read, latest = total or (0, None)
    newest_shown = latest if landing.full else None
    reversals = implausible(
        projector.flow, batch.reversals, newest_shown=newest_shown, changed=len(batch.marks)
    )
    if reversals and not landing.believed:
        note(db, flow, side, reversals)
        discard(db)
        return Landed(read, 0, batch.outside, reversals)
    batch.write(db)
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
            set_meta(db, f"asked:{flow}:{side}", asked(projector.flow, side))
    discard(db)
    return Landed(read, len(batch.marks), batch.outside, reversals, batch.moved_on)


def asked(flow: Flow, side: Side) -> str:
    """The fields that are asked for, in a form that compares."""
    return " ".join(f"{part.name}:{field}" for part in flow.parts for field in flow.fields(part, side))


def set_meta(db: Connection, key: str, value: str) -> None:
    """Keeps a fact about the state, inside the caller's transaction."""
    db.execute("delete from meta where key = ?", [key])
    db.execute("insert into meta (key, value) values (?, ?)", [key, value])


_SNAPSHOT = (
    "flow",
    "side",
    "id",
    "version",
    "modified_at",
    "edited_at",
    "fetched_at",
    "gone",
    "payload",
    "earlier",
)


class _Batch:
    """The rows one landing writes."""

    def __init__(self, projector: Projector, decode: Decode, landing: Landing) -> None:
        self.projector = projector
        self.decode = decode
        self.landing = landing
        self.snapshots: list[tuple[Any, ...]] = []
        self.projected: list[Projected] = []
        self.marks: list[str] = []
        self.reversals: list[Reversal] = []
        self.moved_on: dict[str, datetime] = {}
        self.outside = 0

    def take(self, row: dict[str, Any]) -> None:
        """A record that is new, or whose payload or version differs from what is held."""
        contents = self.decode(row["payload"])
        gone = Gone.DELETED if row["deleted"] else None
        if not in_scope(self.projector.flow.root, self.projector.side, contents.values):
            if not row["is_held"]:
                self.outside += 1
                return
            gone = Gone.OUT_OF_SCOPE
        rows = self.projector.project(row["id"], version=row["version"], contents=contents, gone=gone)
        if row["is_held"] and not self.landing.own and not row["deleted"]:
            skew = self.landing.skew_seconds
            reversal = went_back(row, row_hash=rows[0].row_hash, skew_seconds=skew)
            self.reversals += [reversal] if reversal else []
            if reversal is None and row["held_modified_at"]:
                self.moved_on[row["id"]] = row["held_modified_at"]
        self._add(row, rows, gone)

    def leave(self, row: dict[str, Any], *, reason: str) -> None:
        """A held record that is known to have left."""
        if reason == Gone.VANISHED:
            self.reversals.append(Reversal(row["id"], "vanished", row["modified_at"], None))
        contents = self.decode(row["payload"])
        self._add(
            row,
            self.projector.project(row["id"], version=row["version"], contents=contents, gone=reason),
            reason,
        )

    def _add(self, row: dict[str, Any], rows: list[Projected], gone: str | None) -> None:
        changed = rows[0].row_hash != row["row_hash"]
        edited = row["edited_at"]
        known_version = row["version"] is not None and row["version"] == row["held_version"]
        is_edit = changed and not self.landing.own and not known_version
        if is_edit or edited is None:
            edited = self._edited_at(row)
        earlier = list(row["earlier"] or ())
        known = marks(row["held_version"], row["held_modified_at"], row["row_hash"])
        earlier = [*(mark for mark in earlier if mark not in known), *known][-REMEMBERED:]
        flow, side = self.projector.flow.name, str(self.projector.side)
        head = (
            flow,
            side,
            row["id"],
            row["version"],
            row["modified_at"],
            edited,
            now(),
            gone,
            row["payload"],
        )
        self.snapshots.append((*head, json.dumps(earlier)))
        self.projected += rows
        if changed:
            self.marks.append(row["id"])

    def _edited_at(self, row: dict[str, Any]) -> datetime | None:
        """When a record got the way it is; unknown where its modified time is not told or did not move."""
        moment: datetime | None = row["modified_at"]
        if moment is None or (row["row_hash"] is not None and moment == row["held_modified_at"]):
            return None
        return moment - timedelta(seconds=self.landing.skew_seconds)

    def write(self, db: Connection) -> None:
        """Replaces the rows of the records taken, and marks those that changed."""
        flow, side = self.projector.flow.name, self.projector.side
        ids = [row[2] for row in self.snapshots]
        parts = [part.name for part in self.projector.flow.parts]
        db.execute(
            "delete from snapshot where flow = ? and side = ? and id in (select unnest(?::varchar[]))",
            [flow, side, ids],
        )
        db.execute(
            "delete from record where part in (select unnest(?::varchar[])) and side = ?"
            " and root_id in (select unnest(?::varchar[]))",
            [parts, side, ids],
        )
        insert_columns(db, "snapshot", dict(zip(_SNAPSHOT, zip(*self.snapshots, strict=True), strict=False)))
        insert(db, self.projected)
        mark_dirty(db, flow, side, ids=self.marks)


# the spooled records that differ from what is held; a deletion may tell no more than the id: what was held says
# the rest. What is held is picked by row: a handful of answers must not cost a look at all payloads
_FRESH = """
with held as (
  select * from snapshot where rowid in (
    select rowid from snapshot where flow = $flow and side = $side and id in (select id from incoming))
),
hashed as (
  select id, row_hash from record where part = $flow and side = $side and id in (select id from incoming)
),
latest as (
  select max_by(n.rowid, coalesce(n.modified_at, '-infinity'::timestamp)) as place from incoming n
  where n.payload <> '' or n.id in (select id from held) group by n.id
)
select i.id, i.version, i.modified_at, i.deleted, coalesce(nullif(i.payload, ''), s.payload) as payload,
       s.id is not null as is_held, s.version as held_version, s.modified_at as held_modified_at,
       s.fetched_at as held_fetched_at, s.gone as held_gone, s.earlier, s.edited_at, r.row_hash
from incoming i join latest on latest.place = i.rowid
left join held s on s.id = i.id
left join hashed r on r.id = i.id
where (s.id is null or s.payload <> coalesce(nullif(i.payload, ''), s.payload)
    or s.version is distinct from coalesce(i.version, s.version)
    or s.gone is distinct from case when i.deleted then 'deleted' end)
  and not coalesce(i.modified_at < s.modified_at and $lagging, false)
order by i.id
"""

# the held records that are known to have left
_LEAVING = """
select s.id, s.version, s.version as held_version, s.modified_at, s.modified_at as held_modified_at,
       s.payload, s.earlier, s.edited_at, r.row_hash
from snapshot s join record r on r.part = s.flow and r.side = s.side and r.id = s.id
where s.flow = $flow and s.side = $side and s.id in (select unnest($ids::varchar[]))
order by s.id
"""


def _fresh(db: Connection, flow: str, side: Side, *, lagging: bool) -> list[dict[str, Any]]:
    return _dicts(db.execute(_FRESH, {"flow": flow, "side": side, "lagging": lagging}))


def _leaving(db: Connection, flow: str, side: Side, *, ids: list[str]) -> list[dict[str, Any]]:
    return _dicts(db.execute(_LEAVING, {"flow": flow, "side": side, "ids": ids})) if ids else []


def _dicts(result: Connection) -> list[dict[str, Any]]:
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def mark_dirty(db: Connection, flow: str, side: Side, *, ids: list[str]) -> None:
    """Marks records as touched, inside the caller's transaction; a mark stays until its link is settled."""
    db.execute(
        "insert into dirty (flow, side, id, marked_at)"
        " select $flow, $side, id, $at from (select unnest($ids::varchar[]) as id)"
        " where id not in (select id from dirty where flow = $flow and side = $side)",
        {"flow": flow, "side": side, "at": now(), "ids": ids},
    )


def any_dirty(db: Connection, flow: str) -> bool:
    """Whether anything of a flow is marked: where nothing is, there is nothing to match or to plan."""
    return db.execute("select 1 from dirty where flow = ? limit 1", [flow]).fetchone() is not None


def _changed(mark: Watermark, *, complete: bool, problem: str | None) -> Watermark:
    return Watermark(mark.modified_at, mark.fetched_at, mark.full_at, complete, problem, mark.skew_seconds)


def _set_watermark(db: Connection, flow: str, side: Side, *, mark: Watermark) -> None:
    db.execute("delete from watermark where flow = ? and side = ?", [flow, side])
    insert(db, [WatermarkRow(flow=flow, side=side, **asdict(mark))])


def is_there(db: Connection, flow: str, side: Side, record_id: str) -> bool:
    """Whether a record is held and has not left."""
    query = "select 1 from snapshot where flow = ? and side = ? and id = ? and gone is null"
    return db.execute(query, [flow, side, record_id]).fetchone() is not None


def modified_since(db: Connection, flow: str, side: Side, moment: datetime) -> set[tuple[str, datetime]]:
    """The records modified since then as they are held, as (id, modified time in UTC without offset)."""
    query = "select id, modified_at from snapshot where flow = ? and side = ? and modified_at >= ?"
    return set(db.execute(query, [flow, side, moment]).fetchall())
