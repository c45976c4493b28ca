"""How far each flow has come: what sensors compare the two systems with, since they never open the state.

One small file a flow beside the state. Only who holds the flow's lease writes it: a run when it begins and when it
has completed the flow, a person's decision just before it is made. A run that failed or was killed leaves the
beginning without the end, so nothing that was to be done is forgotten with it. A dry run leaves no trace: it did
nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from talk_pipeline.engine.plan.holds import quiet_at
from talk_pipeline.engine.plan.unanswered import waits_until
from talk_pipeline.engine.snapshot.watermarks import Watermark, watermark
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.database import FILE, PROGRESS, SNAPSHOTS
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.pieces import put

PRECISION = timedelta(seconds=2)  # of what is known of a server's clock
MOST_RECENT = 50
"""Of how many records that were modified last it is told: of fewer than a system tells of at once."""


class Recent(msgspec.Struct, frozen=True):
    """What a run left in the state of what was modified last on a side, and shortly before.

    Attributes:
        since: modified at or after it are all of them.
        held: when they were modified, by their ids, at least one.
    """

    since: datetime
    held: dict[str, datetime]

    @property
    def latest(self) -> datetime:
        """The latest of them."""
        return max(self.held.values())

    def unknown(self, shown: Mapping[str, datetime]) -> dict[str, datetime]:
        """What is not held of what a system shows, or is held as it was before."""
        return {
            key: at
            for key, at in shown.items()
            if at >= self.since and not (key in self.held and self.held[key] >= at)
        }


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """What the last run that completed a flow left.

    Attributes:
        began_at: when it got the lease, by our clock: what was decided or changed before was there for it to see.
        ended_at: when it was done with the flow.
        read: the sides it read itself.
        latest: the latest modified time held of a side, its answers to our own writes included.
        recent: what was modified last on a side and as shortly before as a fetch asks again, answers included.
        full_at: when a side was last read in full.
        rests_until: when the last of the edits that rest may travel, or a write that was not answered is over.
        undone: whether something it planned is still to be done, the outcome of a write could not be settled, or an
            edit came after it had read.
    """

    run_id: str
    began_at: datetime
    read: tuple[Side, ...] = ()
    latest: dict[Side, datetime] = {}
    recent: dict[Side, Recent] = {}
    full_at: dict[Side, datetime] = {}
    rests_until: datetime | None = None
    undone: bool = False
    ended_at: datetime | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a flow has come.

    Attributes:
        begun_at: when the last run began, whatever became of it.
        decided_at: when a person last decided something that a run is to carry out.
        completed: the last run that completed the flow.
    """

    begun_at: datetime | None = None
    decided_at: datetime | None = None
    completed: Completed | None = None


def progress(data_dir: Path, flow: str) -> Progress:
    """How far a flow has come; nowhere without a state, and as a record of another release is read."""
    file = _file(data_dir, flow)
    if not file.exists() or not any((data_dir / name).exists() for name in (FILE, SNAPSHOTS)):
        return Progress()
    try:
        return msgspec.json.decode(file.read_bytes(), type=Progress)
    except msgspec.MsgspecError:
        return Progress()  # costs one run, which writes it anew


def begin(data_dir: Path, flows: Iterable[str], *, at: datetime) -> None:
    """Notes that a run begins to work on flows it has the leases of."""
    for flow in flows:
        _put(data_dir, flow, msgspec.structs.replace(progress(data_dir, flow), begun_at=at))


def decide(data_dir: Path, flows: Iterable[str]) -> Mapping[str, Progress]:
    """Notes that a run has something to carry out, before it is on record that a person decided it.

    Whatever ends it in between costs a run that finds nothing to do. Noted afterwards, what a person decided would
    wait for the next run that there is for another reason.

    Returns:
        What was known, for `undecide`.
    """
    at, known = datetime.now(UTC), {flow: progress(data_dir, flow) for flow in flows}
    for flow, record in known.items():
        _put(data_dir, flow, msgspec.structs.replace(record, decided_at=at))
    return known


def undecide(data_dir: Path, known: Mapping[str, Progress]) -> None:
    """Takes that back, under the same lease: no run has anything to carry out."""
    for flow, record in known.items():
        _put(data_dir, flow, record)


def forget_progress(data_dir: Path, flows: Iterable[str]) -> None:
    """How far flows have come is not known any more: that was of another state than is there now."""
    for flow in flows:
        _file(data_dir, flow).unlink(missing_ok=True)


def complete(
    data_dir: Path, db: Connection, flow: Flow, *, run_id: str, began_at: datetime, missed: bool
) -> None:
    """Notes that a run has done all it could for a flow, and what it leaves.

    Args:
        data_dir: where the state lies.
        db: the state.
        flow: what it has done all for.
        run_id: the run.
        began_at: when it got the lease.
        missed: whether it knows of an edit that it has not read.
    """
    marks = {side: watermark(db, flow.name, side) for side in Side}
    # what it refers to comes first: what waits for an answer about that goes in the same run
    answered_by = waits_until(db, (flow.name, *flow.refers_to))
    rests_until = min(filter(None, (quiet_at(db, flow), answered_by)), default=None)
    newest = {side: _newest(db, flow, side, mark) for side, mark in marks.items()}
    done = Completed(
        run_id=run_id,
        began_at=began_at,
        read=tuple(
            side for side, mark in marks.items() if mark.fetched_at and _utc(mark.fetched_at) >= began_at
        ),
        latest={side: max(times.values()) for side, times in newest.items() if times},
        recent={side: known for side, times in newest.items() if (known := _recent(flow, times))},
        full_at={side: _utc(mark.full_at) for side, mark in marks.items() if mark.full_at},
        rests_until=_utc(rests_until) if rests_until else None,
        undone=missed or _undone(db, flow),
        ended_at=datetime.now(UTC),
    )
    _put(data_dir, flow.name, msgspec.structs.replace(progress(data_dir, flow.name), completed=done))


def _newest(db: Connection, flow: Flow, side: Side, mark: Watermark) -> dict[str, datetime]:
    """Up to the server's own now: what a wrong clock stamped later is not what the next change comes after."""
    server_now = now() + timedelta(seconds=mark.skew_seconds) + PRECISION
    rows = db.execute(
        "select id, modified_at from snapshot where flow = ? and side = ? and modified_at <= ?"
        " order by modified_at desc limit ?",
        [flow.name, side, server_now, MOST_RECENT],
    ).fetchall()
    return {key: _utc(at) for key, at in rows}


def _recent(flow: Flow, newest: Mapping[str, datetime]) -> Recent | None:
    """Of the newest those within the overlap; of the oldest moment there may be more than these."""
    if not newest:
        return None
    since = max(newest.values()) - timedelta(minutes=flow.settings.overlap_minutes)
    if len(newest) == MOST_RECENT:
        since = max(since, min(newest.values()) + timedelta(milliseconds=1))
    held = {key: at for key, at in newest.items() if at >= since}
    return Recent(since, held) if held else None


def _undone(db: Connection, flow: Flow) -> bool:
    row = db.execute(
        "select exists (select 1 from change where flow = $flow and hold_kind is null)"
        " or exists (select 1 from journal where flow = $flow and is_open(outcome) and open_until is null)",
        {"flow": flow.name},
    ).fetchone()
    return bool(row and row[0])


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _put(data_dir: Path, flow: str, record: Progress) -> None:
    file = _file(data_dir, flow)
    file.parent.mkdir(parents=True, exist_ok=True)
    put(file, msgspec.json.encode(record))


def _file(data_dir: Path, flow: str) -> Path:
    return data_dir / PROGRESS / f"{flow}.json"
