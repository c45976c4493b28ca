"""Carrying out a plan towards one side, in rounds: what turns out to be stale is read again and planned anew.

One failed record never stops the others, and is not tried again in the same run.
"""

import asyncio
import logging
from collections.abc import Sequence

from talk_pipeline import stopping
from talk_pipeline.engine.apply.changesets import pending_changesets, pending_roots
from talk_pipeline.engine.plan.circuit_breaker import volume
from talk_pipeline.engine.plan.holds import deferred
from talk_pipeline.engine.plan.status import clear_dirty
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.run.fetch import reread
from talk_pipeline.run.pace import Pace
from talk_pipeline.run.plan import replan
from talk_pipeline.run.record_writer import ChangesetWriter
from talk_pipeline.run.recover import recover
from talk_pipeline.run.sender import Sender
from talk_pipeline.run.session import Session
from talk_pipeline.systems.errors import SystemFault

log = logging.getLogger(__name__)

CHANGESETS_AT_ONCE = 500  # at least: more where several applications keep more batches on their way

Root = tuple[str | None, str | None]


async def upsert(session: Session, flow: Flow, target: Side, *, only: set[Root] | None = None) -> bool:
    """Writes to a side all that the plan has for it; the plan is current before and after.

    Args:
        session: the run.
        flow: whose plan it is.
        target: the side to write to.
        only: the records that had let others go first and may go now; by default all but such.

    Returns:
        Whether everything that was tried got through.

    Raises:
        SystemFault: the system refuses the run as a whole; the outcomes so far are on disk.
    """
    if session.options.dry_run:
        return False
    given_up: set[Root] = set()
    for _ in range(flow.settings.max_rounds):
        with session.state.open() as db:
            roots = [
                root
                for root in pending_roots(db, flow, target)
                if root not in given_up and (only is None or root in only)
            ]
        if not roots:
            break
        pace = Pace(flow.name, f"sent to {target}", records=len(roots))
        system = session.systems[target]
        most = max(CHANGESETS_AT_ONCE, system.batch_size * system.batches_in_flight)
        for at in range(0, len(roots), most):
            given_up |= await _write_changesets(session, flow, target, roots=roots[at : at + most], pace=pace)
        await recover(session, flow, target)
        replan(session, flow, defer=only is None)
    return not given_up


async def settle(session: Session, flow: Flow) -> None:
    """The last word of a flow's run: what turned up meanwhile; whatever is in step is dirty no more.

    A shop that stored something else, or was edited while we wrote, has something to tell Business Central again.
    Changes of referenced flows that let this flow's records go first are written now; what else there is to write
    of those flows, and a plan of theirs that is implausible, is left to a run of their own.
    """
    await _write_rest(session, flow)
    for name in flow.refers_to:
        other = session.flows[name]
        with session.state.open() as db:
            waiting = deferred(db, name)
        if not waiting:
            continue
        replan(session, other, defer=False)
        with session.state.open() as db:
            plausible = volume(db, other).safe or session.options.approve
        if plausible:
            await _write_rest(session, other, only=waiting)


async def _write_rest(session: Session, flow: Flow, *, only: set[Root] | None = None) -> None:
    for _ in range(flow.settings.max_rounds):
        with session.state.open() as db:
            left = [side for side in (Side.BC, Side.SHOP) if pending_roots(db, flow, side)]
        written = [await upsert(session, flow, side, only=only) for side in left]
        if not any(written):
            break
    with session.state.open() as db:
        clear_dirty(db, flow, run_id=session.run_id)


async def _write_changesets(
    session: Session, flow: Flow, target: Side, *, roots: Sequence[Root], pace: Pace
) -> set[Root]:
    """Writes some changesets; returns those not to be tried again in this run."""
    stopping.go_on()
    with session.state.open() as db:
        changesets = pending_changesets(db, flow, target, roots=list(roots))
    sender = Sender(session, flow, target)
    writers = [ChangesetWriter(session, sender, changeset) for changeset in changesets]
    async with sender.running():
        ended = await asyncio.gather(*(_written(writer, pace) for writer in writers), return_exceptions=True)
    stopping.go_on()  # what a stop left undone is no error of its records
    if sender.fault is not None:
        raise sender.fault
    if errors := [e for e in ended if isinstance(e, BaseException) and not isinstance(e, SystemFault)]:
        raise _as_one(errors)
    stale = {writer.changeset.target_id for writer in writers if writer.needs_reread} - {None}
    untold = stale - {*await reread(session, flow, target, ids=[one for one in stale if one])}
    given_up = set()
    for writer, error in zip(writers, ended, strict=True):
        changeset = writer.changeset
        if error is not None:
            log.warning("%s: the rest of it waits for the next run: %s", changeset.name, error)
        if writer.failed or error is not None or (writer.needs_reread and changeset.target_id in untold):
            given_up.add((changeset.root_shop_id, changeset.root_bc_id))
    return given_up


def _as_one(errors: Sequence[BaseException]) -> BaseException:
    """What is told of a run that they end: each once, in its own words."""
    texts = dict.fromkeys(map(str, errors))
    return errors[0] if len(texts) == 1 else BaseExceptionGroup("; ".join(texts), errors)


async def _written(writer: ChangesetWriter, pace: Pace) -> None:
    try:
        await writer.run()
    finally:
        pace.note()
