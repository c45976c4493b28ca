"""Reading a side of a flow into its snapshot: in full or since the watermark, complete or not at all."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from talk_pipeline import stopping
from talk_pipeline.engine.manual import both_restored, restoring
from talk_pipeline.engine.manual.decisions import Hand
from talk_pipeline.engine.model import Record
from talk_pipeline.engine.plan import refusals
from talk_pipeline.engine.snapshot import held, landing, reprojection, reversals, spooling, watermarks
from talk_pipeline.engine.snapshot.batch import Landing
from talk_pipeline.engine.snapshot.landing import Landed
from talk_pipeline.engine.snapshot.suspicion import arises, is_suspect
from talk_pipeline.engine.snapshot.watermarks import Watermark
from talk_pipeline.engine.state.connection import now, transaction
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.run.missing import (
    LATELY,
    Left,
    as_far_as_told,
    became_of,
    explained,
    no_longer_posted,
    posted_since,
)
from talk_pipeline.run.pace import Pace
from talk_pipeline.run.session import Session
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline.systems.protocol import System

EXAMPLES = 10  # records asked for by themselves before a system is read in full because of them
PRECISION = timedelta(seconds=2)  # what lies as close to the time asked about may be shown or not
EVERYTHING = datetime(1, 1, 2, tzinfo=UTC)  # since then: all there is, and never from a replica


class RestoredError(RuntimeError):
    """A system shows older records than it did: it was restored from a backup; nothing more is written."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch found.

    Attributes:
        full: everything was read.
        records: how many are held afterwards.
        gone: records that turned out to have left.
        problem: what is implausible about it.
    """

    full: bool
    landed: Landed
    records: int
    gone: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class _Question:
    """What a fetch asks a side for.

    Attributes:
        watermark: how far it was read.
        full: everything is asked for, not only what changed since.
        suspected: records of the system, of whichever flow, were seen to have gone back.
        decided: a person said what follows from that.
    """

    watermark: Watermark
    full: bool
    suspected: bool
    decided: bool


async def fetch(session: Session, flow: Flow, side: Side) -> Fetched:
    """Brings the snapshot of a side up to date.

    Raises:
        SystemFault: the fetch broke off; what was held stays as it was and is known to be old.
    """
    question = _question(session, flow, side)
    # what is read lies beside the state until it is complete; meanwhile the file is free for others
    session.state.release()
    spooling.discard(session.state.beside)
    try:
        arrived = await _ask(session, flow, side, question)
    except SystemFault as fault:
        spooling.discard(session.state.beside)
        with session.state.open() as db:
            watermarks.fetch_failed(db, flow.name, side, problem=str(fault))
        raise
    fetched = _land(session, flow, side, question, arrived)
    new = fetched.landed.new
    if not new:  # as nearly always; to look through all keys takes as long as there are records
        return fetched
    return replace(fetched, gone=fetched.gone + await _look_at_namesakes(session, flow, side, new))


async def _look_at_namesakes(session: Session, flow: Flow, side: Side, new: Sequence[str]) -> int:
    """Asks for what is held under the key of a new record; returns how many of it are gone.

    Most likely it was deleted and made again, which what has changed since does not tell.
    """
    with session.state.open() as db:
        ids = held.namesakes(db, flow, side, ids=new)
    if not ids:
        return 0
    await reread(session, flow, side, ids=ids)
    with session.state.open() as db:
        return sum(not held.is_there(db, flow.name, side, one) for one in ids)


def _question(session: Session, flow: Flow, side: Side) -> _Question:
    system, options = session.systems[side], session.options
    with session.state.open() as db:
        reading = system.reading(flow.name)
        reprojection.reproject(db, session.projector(flow, side), session.decode(flow, side), reading=reading)
        watermark = watermarks.watermark(db, flow.name, side)
        asks_for_more = reprojection.asks_for_more(db, flow, side)
        suspected = is_suspect(db, flow.name, side)
    full = (
        options.full
        or asks_for_more
        or suspected
        or options.restored is side
        or _full_scan_due(flow, watermark)
        or not system.lists_changes(flow.name)
    )
    return _Question(watermark, full, suspected, decided=_is_decided(session, side))


async def _ask(session: Session, flow: Flow, side: Side, question: _Question) -> Landing:
    """Reads what is asked for, and whatever is in doubt by it, beside the state."""
    system, watermark, full, started = session.systems[side], question.watermark, question.full, now()
    if not full:
        full = not await _read_changes(session, flow, side, watermark=watermark, started=started)
    # at first nothing newer than what a replica shows is read after it, such as what another flow has just made
    made_now = side is Side.BC and watermark.modified_at is None and bool(session.flows.reads_after(flow))
    primary = question.suspected or question.decided or made_now
    lagging = full and await _read_all(session, flow, side, watermark=watermark, primary=primary)
    with session.state.open() as db:
        missing = spooling.absent(db, flow.name, side) if full else []
        suspected = is_suspect(db, flow.name, side)
    left, problem = await explained(session, flow, side, missing=missing)
    again = Left()
    if full or question.decided:
        again = await no_longer_posted(session, flow, side, most=None if question.decided else LATELY)
    since = await posted_since(session, flow, side) if full else Left()
    return Landing(
        fetched=True,
        full=full,
        lagging=lagging,
        gone={**left.gone, **again.gone, **since.gone},
        comes_to={**left.comes_to, **since.comes_to},
        problem=problem,
        skew_seconds=system.skew_seconds,
        suspected=suspected,
        believed=question.decided,
        read_until=started + timedelta(seconds=system.skew_seconds),
    )


def _land(session: Session, flow: Flow, side: Side, question: _Question, arrived: Landing) -> Fetched:
    """Makes what was read the snapshot, all of it or nothing."""
    system, options = session.systems[side], session.options
    projector, decode = session.projector(flow, side), session.decode(flow, side)
    with session.state.open() as db:
        if question.decided:
            with transaction(db):
                if options.restored is side:
                    arises(db, flow.name, side)
                landed = landing.merge(db, projector, decode, landing=arrived)
                if options.restored is side:
                    hand = Hand(db, session.flows, flow, session.run_id)
                    restoring.bring_forward(hand, side, landed, company=session.company)
                else:
                    restoring.reopen(db, flow, side, landed)
        else:
            landed = landing.land(db, projector, decode, landing=arrived)
            if question.suspected and not landed.reversals:  # of this flow it is what it was
                with transaction(db):
                    both_restored.strike_found(db, flow, side)
        # a scan that is full for want of a watermark, or every time, is not the periodic one
        periodic = arrived.full and question.watermark.modified_at and system.lists_changes(flow.name)
        if options.full or periodic:
            refusals.ask_again(db, flow, side)
        records = held.record_count(db, flow.name, side)
    return Fetched(arrived.full, landed, records, gone=len(arrived.gone), problem=arrived.problem)


def _is_decided(session: Session, side: Side) -> bool:
    """Whether a person said what follows from records that went back; an approval is of what was shown before."""
    options = session.options
    if options.dry_run:
        return False
    if options.restored:
        return options.restored is side
    with session.state.open() as db:
        return options.approve and reversals.noted(db, side)


async def reread(session: Session, flow: Flow, side: Side, *, ids: Sequence[str]) -> Collection[str]:
    """Reads single records anew, after a system said that they changed or are gone; returns those it tells of."""
    if not ids:
        return ()
    session.state.release()  # others may have the file while it is asked
    found = await as_far_as_told(session.systems[side], flow, ids)
    left = await became_of(session, flow, side, [one for one, record in found.items() if record is None])
    land_records(session, flow, side, records=[record for record in found.values() if record], left=left)
    return found.keys()


def land_records(
    session: Session,
    flow: Flow,
    side: Side,
    *,
    records: Sequence[Record],
    left: Left | None = None,
    own: bool = False,
) -> None:
    """Lands single records as they are now."""
    left = left or Left()
    arrived = Landing(
        own=own, gone=left.gone, comes_to=left.comes_to, skew_seconds=session.systems[side].skew_seconds
    )
    with session.state.open() as db:
        spooling.spool(db, records)
        landed = landing.land(db, session.projector(flow, side), session.decode(flow, side), landing=arrived)
        if landed.reversals:
            raise RestoredError(f"{flow.name}: {reversals.summary(db, side)}")


def _full_scan_due(flow: Flow, watermark: Watermark) -> bool:
    """In its time, or where our own clock says that the last one is still to come."""
    if watermark.full_at is None or watermark.modified_at is None:
        return True
    since = now() - watermark.full_at
    return since < timedelta() or since > timedelta(minutes=flow.settings.full_scan_minutes)


async def _read_changes(
    session: Session, flow: Flow, side: Side, *, watermark: Watermark, started: datetime
) -> bool:
    """Reads what changed since the watermark; False where that is no answer and everything is to be read.

    How far the server's clock went back since the last fetch is measured on these very answers: by as much
    earlier are the times of what was edited since. A watermark that is in the server's future all the same was
    left by a clock nobody measured. And what was seen to be modified since the time that is asked about must be
    shown again: else it was deleted, or is not any more what it was. What is shown as it was earlier, and by
    itself is not, was kept by a cache.
    """
    system = session.systems[side]
    read = await _read(session, flow, side, since=_start(flow, watermark))
    went_back = _went_back(watermark, system)
    if went_back:
        read += await _read(session, flow, side, since=_start(flow, watermark, went_back=went_back))
    server_now = started + timedelta(seconds=system.skew_seconds)
    if not (watermark.modified_at and watermark.fetched_at):
        return False
    if read and await _is_of_a_cache(session, flow, side):
        return False
    if watermark.modified_at - went_back > server_now or watermark.fetched_at > started:
        return False
    since = _start(flow, watermark).replace(tzinfo=None) + PRECISION
    with session.state.open() as db:
        unshown = spooling.unshown(db, flow.name, side, since=since, most=EXAMPLES)
    if not unshown:
        return True
    with session.state.open() as db:
        unshown = spooling.unshown(db, flow.name, side, since=None, most=EXAMPLES)
    return not await _looks_restored(session, flow, side, unshown)


async def _read_all(session: Session, flow: Flow, side: Side, *, watermark: Watermark, primary: bool) -> bool:
    """Reads everything; returns whether what was read may be older than what is held, being from a replica."""
    system = session.systems[side]
    lagging = system.may_lag(flow.name) and not primary
    since = None if lagging or not system.may_lag(flow.name) else EVERYTHING
    spooling.discard(session.state.beside)
    await _read(session, flow, side, since=since)
    if not lagging:
        if await _is_of_a_cache(session, flow, side):
            spooling.discard(session.state.beside)
            await _read(session, flow, side, since=since)
        return False
    with session.state.open() as db:
        older = spooling.older(db, flow.name, side, most=EXAMPLES)
    if older and await _looks_restored(session, flow, side, older):
        return await _read_all(session, flow, side, watermark=watermark, primary=True)
    if watermark.modified_at:
        await _read(
            session, flow, side, since=_start(flow, watermark, went_back=_went_back(watermark, system))
        )
    return True


async def _is_of_a_cache(session: Session, flow: Flow, side: Side) -> bool:
    """Whether records that were listed as they were earlier are not so, asked for by themselves."""
    with session.state.open() as db:
        older = spooling.older(db, flow.name, side, most=EXAMPLES)
    return bool(older) and not await _looks_restored(session, flow, side, older)


async def _looks_restored(session: Session, flow: Flow, side: Side, ids: Sequence[str]) -> bool:
    """Whether records, asked for by themselves, are older than they were seen, or several are gone.

    Where none of them is told of, that may be.
    """
    found = await as_far_as_told(session.systems[side], flow, ids)
    with session.state.open() as db:
        is_older = held.is_older(db, flow.name, side, [record for record in found.values() if record])
    return is_older or not found or list(found.values()).count(None) >= reversals.SEVERAL


def _went_back(watermark: Watermark, system: System) -> timedelta:
    """By how much the server's clock lost on ours since the last fetch."""
    return timedelta(seconds=max(0.0, watermark.skew_seconds - system.skew_seconds))


def _start(flow: Flow, watermark: Watermark, *, went_back: timedelta = timedelta()) -> datetime:
    assert watermark.modified_at is not None
    overlap = timedelta(minutes=flow.settings.overlap_minutes)
    return (watermark.modified_at - went_back - overlap).replace(tzinfo=UTC)


async def _read(session: Session, flow: Flow, side: Side, *, since: datetime | None) -> int:
    """Reads into the spool; returns how many records."""
    pace, read = Pace(flow.name, f"read from {side}"), 0
    async for page in session.systems[side].scan(flow.name, since=since):
        read += spooling.spool(session.state.beside, page)
        pace.note(len(page))
        stopping.go_on()
    return read
