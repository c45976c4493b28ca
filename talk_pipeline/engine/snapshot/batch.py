"""What a landing makes of the records that differ from what is held: snapshots, rows, and what changed by it.

When it happens, and what follows for the watermark, is `landing`'s business.
"""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from talk_pipeline.engine.kinds import Gone
from talk_pipeline.engine.model import Contents, Decode, Record
from talk_pipeline.engine.snapshot.few import Row, as_told, differing
from talk_pipeline.engine.snapshot.projection import (
    FORGOTTEN,
    Projected,
    Projector,
    Told,
    in_scope,
    keep,
    understood,
)
from talk_pipeline.engine.snapshot.reversals import REMEMBERED, Reversal, another, signs, unposted, went_back
from talk_pipeline.engine.snapshot.workspace import Fresh, Incoming
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import insert_columns, rows_of
from talk_pipeline.engine.state.workspace import Temp
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value

AT_ONCE = 1000  # records
FEW = 100  # records, of which to compare each here costs less than to work out the comparison of them all

_SAID_OF = ("version", "modified_at", "edited_at", "fetched_at", "gone", "payload", "earlier")
_SNAPSHOT = ("flow", "side", "id", *_SAID_OF)


@dataclass(frozen=True, slots=True)
class Landing:
    """How spooled records are to be understood.

    Attributes:
        fetched: they are a completed fetch, which alone moves the watermark.
        full: they are all there are.
        lagging: a replica shows what was: nothing that is held is replaced by an earlier state of it.
        own: they are answers to our own writes: no time in them counts as an edit.
        gone: ids that are known to have left, with the reason.
        comes_to: what those of them whose story ended came to, by id and path: what was held says the rest.
        problem: what is implausible about the fetch, shown and guarded against.
        suspected: records of the system, of whichever flow, went back, and nobody has decided yet, or just now.
        believed: a person has decided what follows from records that went back: they land.
        read_until: when the fetch began, by the server's clock: what it shows of later changes is by chance.
    """

    fetched: bool = False
    full: bool = False
    lagging: bool = False
    own: bool = False
    gone: Mapping[str, str] = field(default_factory=dict)
    comes_to: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    problem: str | None = None
    skew_seconds: float = 0.0
    suspected: bool = False
    believed: bool = False
    read_until: datetime | None = None


# a deletion may tell no more than the id: what was held says the rest. It may also go on telling all there was,
# which brings nothing back of a record that was forgotten
_SAID = f"""
if(i.payload = '' or i.deleted and coalesce(s.payload = '{FORGOTTEN}', false), s.payload, i.payload)
"""

# the spooled records that differ from what is held, which is picked by row: to compare some of them must not cost a
# look at all payloads. `few` says the same of a few
_FRESH = f"""
with held as (
  select *, rowid as held_row from snapshot where rowid in (
    select rowid from snapshot where flow = $flow and side = $side and id in (select id from incoming))
),
hashed as (
  select id, row_hash from record where part = $flow and side = $side and id in (select id from incoming)
),
unread as (  -- posted before it was ever held
  select bc_id as id, 'posted' as gone from link
  where part = $flow and state = 'closed' and $side = 'businesscentral' and bc_id not in (select id from held)
),
latest as (
  select max_by(n.rowid, coalesce(n.modified_at, '-infinity'::timestamp)) as place from incoming n
  where n.payload <> '' or n.id in (select id from held) group by n.id
)
select row_number() over (order by i.id) as place, i.id, i.version, i.modified_at, i.deleted,
       {_SAID} as payload,
       s.id is not null as is_held, s.held_row, s.version as held_version, s.modified_at as held_modified_at,
       s.fetched_at as held_fetched_at, coalesce(s.gone, unread.gone) as held_gone, s.earlier, s.edited_at,
       r.row_hash,
       case when $side = 'customwebshop' then s.payload end as held_payload -- the other gives no id out twice
from incoming i join latest on latest.place = i.rowid
left join held s on s.id = i.id
left join hashed r on r.id = i.id
left join unread on unread.id = i.id
where (s.id is null or s.payload <> {_SAID}
    or s.version is distinct from coalesce(i.version, s.version)
    or s.gone is distinct from case when i.deleted then 'deleted' end)
  and not coalesce(i.modified_at < s.modified_at and $lagging, false)
"""

# the held records that are known to have left
_LEAVING = """
select s.id, s.version, s.version as held_version, s.modified_at, s.modified_at as held_modified_at,
       s.payload, s.earlier, s.edited_at, r.row_hash, s.gone as held_gone
from snapshot s join record r on r.part = s.flow and r.side = s.side and r.id = s.id
where s.flow = $flow and s.side = $side and s.id in (select unnest($ids::varchar[]))
order by s.id
"""


def pieces(table: Temp) -> Iterator[list[dict[str, Any]]]:
    """The rows of a table whose column `place` counts them from 1, some thousands at a time."""
    for at in count(1, AT_ONCE):
        window = {"at": at, "end": at + AT_ONCE}
        rows = rows_of(table.db, f"select * from {table.NAME} where place >= $at and place < $end", window)
        yield rows
        if len(rows) < AT_ONCE:
            return


@contextmanager
def uncollected() -> Iterator[None]:
    """While Python does not look for what nobody holds any more: what is made of records goes by itself.

    A sixth of the cost was looking through all of it, again and again.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class Batch:
    """The rows one landing writes, some thousands at a time: all of them at once are gigabytes of Python objects.

    Attributes:
        replaced: whether anything is held otherwise than before, be it that a value is understood otherwise.
        changed: records that say something else than before.
        new: those of them that were not held, where not everything was read.
        outside: how many were not held and do not belong to the flow.
        moved_on: other records that changed, with the modified time they were known with.
    """

    def __init__(self, projector: Projector, decode: Decode, landing: Landing) -> None:
        self.projector = projector
        self.decode = decode
        self.landing = landing
        self.snapshots: list[tuple[Any, ...]] = []
        self.projected: list[Projected] = []
        self.replaced = False
        self.changed: list[str] = []
        self.new: list[str] = []
        self.reversals: list[Reversal] = []
        self.moved_on: dict[str, datetime] = {}
        self.outside = 0

    def take_fresh(self, incoming: Incoming) -> None:
        """Replaces what is held by the spooled records that differ."""
        db = incoming.db
        flow, side = self.projector.flow.name, str(self.projector.side)
        fresh = Fresh.made(db, _FRESH, {"flow": flow, "side": side, "lagging": self.landing.lagging})
        if fresh:
            db.execute(
                f"delete from snapshot where rowid in (select held_row from {fresh.NAME} where is_held)"
            )
            self._clear(db, f"(select id from {fresh.NAME} where is_held)", [])
            for rows in pieces(fresh):
                with uncollected():
                    self.take(rows)
                    self._write(db)
        Fresh.dropped(db)

    def take_few(self, incoming: Incoming) -> None:
        """The same where they are few: the statement that finds them costs more than all else."""
        told = "select id, version, modified_at, deleted, payload from incoming order by rowid"
        self._take_told(incoming.db, rows_of(incoming.db, told, {}))

    def take_answers(self, db: Connection, records: Sequence[Record]) -> list[Projected]:
        """The same by answers that are at hand; returns the rows that are new."""
        # of two as of the same time the later counts
        return self._take_told(db, [as_told(one) for one in reversed(records)])

    def _take_told(self, db: Connection, told: Sequence[Row]) -> list[Projected]:
        flow, side = self.projector.flow.name, self.projector.side
        fresh = differing(db, flow, side, told, lagging=self.landing.lagging, own=self.landing.own)
        replaced = [row for row in fresh if row["is_held"]]
        if replaced:
            rows, ids = [row["held_row"] for row in replaced], [row["id"] for row in replaced]
            db.execute("delete from snapshot where rowid in (select unnest(?::bigint[]))", [rows])
            self._clear(db, "(select unnest(?::varchar[]))", [ids])
        self.take(fresh)
        rows = self.projected
        self._write(db)
        return rows

    def take_leaving(self, db: Connection) -> None:
        """Marks what is known to have left."""
        flow, side = self.projector.flow.name, str(self.projector.side)
        ids = list(self.landing.gone)
        for at in range(0, len(ids), AT_ONCE):
            rows = rows_of(db, _LEAVING, {"flow": flow, "side": side, "ids": ids[at : at + AT_ONCE]})
            left = [row["id"] for row in rows]
            db.execute(
                "delete from snapshot where flow = ? and side = ? and id in (select unnest(?::varchar[]))",
                [flow, side, left],
            )
            self._clear(db, "(select unnest(?::varchar[]))", [left])
            self.leave(rows)
            self._write(db)
            unread = sorted({*ids[at : at + AT_ONCE]} - {*left})
            self.reversals += unposted(db, flow, self.projector.side, unread) if unread else ()

    def take(self, rows: Sequence[dict[str, Any]]) -> None:
        """Records that are new, or whose payload or version differs from what is held."""
        kept: list[dict[str, Any]] = []
        told: list[Told] = []
        for row in rows:
            contents = understood(self.decode, row["payload"])
            gone = Gone.DELETED if row["deleted"] else None
            if not in_scope(self.projector.flow.root, self.projector.side, contents.values):
                if not (row["is_held"] or self.landing.own):  # what we made ourselves has a link
                    self.outside += 1
                    continue
                gone = Gone.OUT_OF_SCOPE
            kept.append(row)
            told.append(Told(row["id"], row["version"], contents, gone))
        for row, one, found in zip(kept, told, self.projector.project_all(told), strict=True):
            known = row["is_held"] or row["held_gone"]
            if known and not self.landing.own and not row["deleted"]:
                skew, suspected = self.landing.skew_seconds, self.landing.suspected
                reversal = self._another(row, one.contents) or went_back(
                    row, row_hash=found[0].row_hash, skew_seconds=skew, suspected=suspected
                )
                self.reversals += [reversal] if reversal else []
                if reversal is None and row["held_modified_at"]:
                    self.moved_on[row["id"]] = row["held_modified_at"]
            if not (row["is_held"] or self.landing.full):
                self.new.append(row["id"])
            self._add(row, found, one.gone)

    def _another(self, row: Mapping[str, Any], shown: Contents) -> Reversal | None:
        """Whether another record is shown under the id of what is held."""
        if self.projector.side is Side.BC or shown.made_at is None or not row["held_payload"]:
            return None
        known = understood(self.decode, row["held_payload"])
        return another(row, known=known.made_at, shown=shown.made_at)

    def leave(self, rows: Sequence[dict[str, Any]]) -> None:
        """Held records that are known to have left."""
        told = [
            Told(row["id"], row["version"], self._at_last(row), self.landing.gone[row["id"]]) for row in rows
        ]
        for row, one, found in zip(rows, told, self.projector.project_all(told), strict=True):
            if row["held_gone"] == Gone.POSTED:
                self.reversals.append(Reversal(row["id"], "unposted", row["modified_at"], None, certain=True))
            elif one.gone == Gone.VANISHED:
                self.reversals.append(Reversal(row["id"], "vanished", row["modified_at"], None))
            self._add(row, found, one.gone)

    def _at_last(self, row: dict[str, Any]) -> Contents:
        """What is held of a record that left, with what it came to."""
        contents = understood(self.decode, row["payload"])
        return replace(contents, values={**contents.values, **self.landing.comes_to.get(row["id"], {})})

    def _add(self, row: dict[str, Any], rows: list[Projected], gone: str | None) -> None:
        changed = rows[0].row_hash != row["row_hash"]
        edited = row["edited_at"]
        known_version = row["version"] is not None and row["version"] == row["held_version"]
        is_edit = changed and not self.landing.own and not known_version
        if is_edit or edited is None:
            edited = self._edited_at(row)
        earlier = list(row["earlier"] or ())
        known = signs(row["held_version"], row["held_modified_at"], row["row_hash"])
        earlier = [*(sign for sign in earlier if sign not in known), *known][-REMEMBERED:]
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
        self.snapshots.append((*head, earlier))
        self.projected += rows
        self.replaced = True
        if changed:
            self.changed.append(row["id"])

    def _edited_at(self, row: dict[str, Any]) -> datetime | None:
        """When a record got the way it is; unknown where its modified time is not told or did not move."""
        moment: datetime | None = row["modified_at"]
        if moment is None or (row["row_hash"] is not None and moment == row["held_modified_at"]):
            return None
        return moment - timedelta(seconds=self.landing.skew_seconds)

    def _clear(self, db: Connection, ids: str, parameters: list[Any]) -> None:
        flow, side = self.projector.flow, str(self.projector.side)
        parts = [part.name for part in flow.parts]
        db.execute(
            f"delete from record where list_contains(?::varchar[], part) and side = ? and root_id in {ids}",
            [parts, side, *parameters],
        )

    def _write(self, db: Connection) -> None:
        insert_columns(db, "snapshot", dict(zip(_SNAPSHOT, zip(*self.snapshots, strict=True), strict=False)))
        keep(db, self.projected)
        self.snapshots, self.projected = [], []
