"""The plan of one flow from what is held now, and what stops it from being carried out."""

from talk_pipeline.engine.match import links
from talk_pipeline.engine.plan import compare, ended_before
from talk_pipeline.engine.report import run_summary, runs
from talk_pipeline.engine.report.checklist import NOT_RESTORED, VOLUME
from talk_pipeline.engine.report.findings import CheckContext
from talk_pipeline.engine.snapshot import reversals
from talk_pipeline.engine.snapshot.dirty import is_at_rest
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.run.recover import recover
from talk_pipeline.run.session import Session


class BreakerTrippedError(RuntimeError):
    """The plan is implausible; nothing of it is written until a person approves."""


def replan(session: Session, flow: Flow, *, defer: bool = True) -> None:
    """Matches and diffs anew; `defer` lets the records of later flows go first."""
    later = session.later(flow) if defer else frozenset()
    with session.state.open() as db:
        links.match(db, flow)
        if is_at_rest(db, session.flows, flow) and not session.options.undo:
            return
        compare.plan(
            db,
            session.flows,
            flow,
            company=session.company,
            later=later,
            undo=session.options.undo,
            run_id=session.run_id,
            read=session.decode(flow, Side.BC),
        )


async def prepare(session: Session, flow: Flow) -> None:
    """Settles what an earlier run left open, and plans what this one is to write.

    Raises:
        BreakerTrippedError: the plan is implausible and nobody approved it.
    """
    refuse_restored(session, flow)
    for side in Side:
        await recover(session, flow, side)
    replan(session, flow)
    await close_posted(session, flow)
    options, run_id = session.options, session.run_id
    with session.state.open() as db:
        finding = VOLUME.run(
            CheckContext(db, session.flows[flow.name], run_id, options.dry_run, options.approve)
        )
        if not finding.passed:
            run_summary.record_check_results(db, flow.name, run_id=run_id, findings=[(VOLUME, finding)])
            runs.stopped(db, flow.name, run_id=run_id, by=VOLUME.name, reason=finding.summary)
    if not finding.passed:
        raise BreakerTrippedError(f"{flow.name}: nothing was written: {finding.summary}")


def refuse_restored(session: Session, flow: Flow) -> None:
    """Nothing is written while a system is suspected of having been restored.

    Raises:
        BreakerTrippedError: naming what was seen; in a run that decided, only what it left undecided counts.
    """
    decided = session.options.approve and not session.options.dry_run
    with session.state.open() as db:
        for side in Side:
            if reversals.noted(db, side, flow.name if decided else None):
                reason = reversals.summary(db, side) or ""
                runs.stopped(db, flow.name, run_id=session.run_id, by=NOT_RESTORED, reason=reason)
                raise BreakerTrippedError(f"{flow.name}: nothing was written: {reason}")


async def close_posted(session: Session, flow: Flow) -> None:
    """Records about to be created whose key an ended record already carries: their story ended there."""
    if (ended := flow.businesscentral.closed_by) is None:
        return
    with session.state.open() as db:
        by_key, half_known = ended_before.keys_to_create(db, flow), ended_before.half_known(db, flow)
    bc = session.systems[Side.BC]
    found = await bc.ended(flow.name, ended.key, values=list(by_key | half_known))
    closing = {key: one for key, one in found.items() if key in by_key and one.counts}
    if not (closing or half_known):
        return
    with session.state.open() as db:
        ended_before.complete(db, flow, ended=found, by_key=half_known)
        ended_before.close(db, session.flows, flow, ended=closing, by_key=by_key, run_id=session.run_id)
    replan(session, flow)
