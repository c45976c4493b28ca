"""Raw records in: complete or not at all, with the touched ones marked in the same transaction.

Fetched pages are spooled beside the state first (`spooling`); only a landing changes what is held, and moves the
watermark. A record that did not change costs one comparison of its payload.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from talk_pipeline.engine.model import Decode, Record
from talk_pipeline.engine.snapshot.batch import FEW, Batch, Landing
from talk_pipeline.engine.snapshot.dirty import mark_again, mark_dirty, touch
from talk_pipeline.engine.snapshot.projection import Projected, Projector
from talk_pipeline.engine.snapshot.reversals import (
    Reversal,
    backed_up_at,
    implausible,
    note,
    noted,
)
from talk_pipeline.engine.snapshot.spooling import discard
from talk_pipeline.engine.snapshot.suspicion import arises, is_suspect, keep_backup, kept_backup, looked_at
from talk_pipeline.engine.snapshot.watermarks import Watermark, set_watermark, watermark
from talk_pipeline.engine.snapshot.workspace import Incoming
from talk_pipeline.engine.state.connection import Connection, now, transaction
from talk_pipeline.engine.state.meta import set_meta
from talk_pipeline.engine.state.rows import is_any
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow


@dataclass(frozen=True, slots=True)
class Landed:
    """What a landing did: records read, of which new or changed, and those outside the flow's scope.

    Attributes:
        reversals: what went back, where that is implausible, so that nothing landed because of it; all of it where
            it was to be believed.
        new: the records that were not held, where not everything was read.
        moved_on: the other records that changed, with the modified time they were known with.
        backup: of a system that is said to be restored: a time by its clock at which its backup was not made yet.
        skew_seconds: how far that clock is ahead of ours.
    """

    read: int
    changed: int
    outside: int
    reversals: tuple[Reversal, ...] = ()
    new: Sequence[str] = ()
    moved_on: Mapping[str, datetime] = field(default_factory=dict)
    backup: datetime | None = None
    skew_seconds: float = 0.0


def land(db: Connection, projector: Projector, decode: Decode, *, landing: Landing) -> Landed:
    """Merges the spooled records into the snapshot, in one transaction of its own."""
    try:
        with transaction(db):
            return merge(db, projector, decode, landing=landing)
    except _WentBackError as stop:
        with transaction(db):
            arises(db, projector.flow.name, projector.side)
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
    counted = "select count(*), count(distinct id), max(modified_at) from incoming"
    told, read, latest = db.execute(counted).fetchone() or (0, 0, None)
    batch = Batch(projector, decode, landing)
    if told > FEW:
        batch.take_fresh(incoming)
    elif told:
        batch.take_few(incoming)
    discard(db)
    batch.take_leaving(db)
    batch.reversals = _of_pairs(db, flow, side, batch.reversals)
    if landing.believed:
        reversals = tuple(batch.reversals)  # each by itself might be chance, but a person knows of a restore
    else:
        reversals = implausible(
            projector.flow,
            batch.reversals,
            newest_read=latest if landing.full else None,
            changed=len(batch.changed),
            suspected=bool(batch.reversals) and is_suspect(db, flow, side),
        )
    if reversals and not landing.believed:
        raise _WentBackError(Landed(read, 0, batch.outside, reversals))
    if not landing.believed:
        _go_on(db, flow, [one.id for one in batch.reversals if one.kind == "unposted"])
    backup = _backed_up_at(db, flow, side, reversals) if landing.believed else None
    afresh = landing.full and (landing.believed or not _is_empty_still(db, flow, side))
    if batch.changed:
        mark_dirty(db, flow, side, ids=batch.changed)
    elif batch.replaced or afresh:
        touch(db, flow)  # now and then everything is looked at, whether it has changed or not
    if landing.fetched:
        set_watermark(db, flow, side, _moved(watermark(db, flow, side), landing, latest=latest))
        if afresh:
            note(db, flow, side, ())
        if landing.full:
            if landing.problem is None:
                looked_at(db, flow, side)
            set_meta(db, f"asked:{flow}:{side}", requested_fields(projector.flow, side))
    return Landed(
        read,
        len(batch.changed),
        batch.outside,
        reversals,
        batch.new,
        batch.moved_on,
        backup,
        landing.skew_seconds,
    )


def _is_empty_still(db: Connection, flow: str, side: Side) -> bool:
    """Whether a side holds nothing, and nothing is known of it, as when it was last read to the end.

    Each reading of such a flow is a full one, and tells nothing.
    """
    held, linked = "from snapshot where flow = $flow and side = $side", "from link where part = $flow"
    is_known = is_any(db, held, {"flow": flow, "side": side}) or is_any(db, linked, {"flow": flow})
    return watermark(db, flow, side).complete and not is_known and not noted(db, side, flow)


def _backed_up_at(db: Connection, flow: str, side: Side, found: Sequence[Reversal]) -> datetime | None:
    """When the backup was not made yet, as far as this flow, those noted and those decided before tell."""
    known = filter(None, (backed_up_at(db, side, found), kept_backup(db, flow, side)))
    backup = max(known, default=None)
    keep_backup(db, side, backup)
    return backup


def _go_on(db: Connection, flow: str, ids: Sequence[str]) -> None:
    """Stories that ended with what carried their key, which somebody deleted since: they go on, as broken ones."""
    if ids:
        taken_up = db.execute(
            "update link set state = 'active' where part = ? and bc_id in (select unnest(?::varchar[]))"
            " returning shop_id",
            [flow, ids],
        ).fetchall()
        mark_dirty(db, flow, Side.SHOP, ids=[shop_id for (shop_id,) in taken_up])


def _of_pairs(db: Connection, flow: str, side: Side, found: Sequence[Reversal]) -> list[Reversal]:
    """Without those in the place of records that were linked with nothing: there is nothing to be written over."""
    others = [one.id for one in found if one.kind == "another"]
    if not others:
        return list(found)
    own = f"{side.short}_id"
    query = (
        f"select {own} from link where part = $flow and {own} in (select unnest($others::varchar[]))"
        f" union all select {own} from loss"
        f" where flow = $flow and not {side.short}_lost and {own} in (select unnest($others::varchar[]))"
    )
    linked = {row[0] for row in db.execute(query, {"flow": flow, "others": others}).fetchall()}
    return [one for one in found if one.kind != "another" or one.id in linked]


def _moved(known: Watermark, landing: Landing, *, latest: datetime | None) -> Watermark:
    """The watermark after a completed fetch, in which the latest modified time was this."""
    # never in the server's future, also where an earlier clock of it left one there: edits would go unseen
    newest = max((at for at in (known.modified_at, latest) if at), default=None)
    if newest and landing.read_until:
        newest = min(newest, landing.read_until)
    fetched = now()
    return Watermark(
        newest,
        fetched,
        fetched if landing.full else known.full_at,
        complete=True,
        problem=landing.problem,
        skew_seconds=landing.skew_seconds,
    )


def merge_answers(
    db: Connection, projector: Projector, decode: Decode, records: Sequence[Record]
) -> list[Projected]:
    """Merges answers to our own writes, in the transaction of the outcomes; returns the rows that are new."""
    batch = Batch(projector, decode, Landing(own=True))
    landed = batch.take_answers(db, records)
    mark_again(db, projector.flow.name, projector.side, ids=batch.changed)
    return landed


def requested_fields(flow: Flow, side: Side) -> str:
    """The fields that are asked for, in a form that compares."""
    return " ".join(f"{part.name}:{field}" for part in flow.parts for field in flow.fields(part, side))
