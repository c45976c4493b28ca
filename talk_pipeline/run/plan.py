"""The plan of one flow from what is held now, and what stops it from being carried out."""

from collections.abc import Sequence

from talk_pipeline.engine.apply.changesets import pending_roots
from talk_pipeline.engine.match import links
from talk_pipeline.engine.plan import compare
from talk_pipeline.engine.plan.refusals import hold_back
from talk_pipeline.engine.report import run_summary, runs
from talk_pipeline.engine.report.checklist import NOT_RESTORED, VOLUME
from talk_pipeline.engine.report.findings import CheckContext
from talk_pipeline.engine.snapshot import reversals
from talk_pipeline.engine.state.connection import Connection, now, transaction
from talk_pipeline.flows.properties import Side
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
        compare.plan(db, session.flows, flow, company=session.company, later=later, undo=session.options.undo)


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
    if flow.businesscentral.closed_by is None:
        return
    with session.state.open() as db:
        roots = [shop_id for shop_id, bc_id in pending_roots(db, flow, Side.BC) if shop_id and not bc_id]
        rows = db.execute(
            "select id, canon[?] from record where part = ? and side = ? and id in (select unnest(?::varchar[]))",
            [flow.create_key, flow.name, Side.SHOP, roots],
        ).fetchall()
    by_key: dict[str, list[str]] = {}
    for shop_id, key in rows:
        if key:
            by_key.setdefault(key, []).append(shop_id)
    path = flow.businesscentral.closed_by.key
    found = await session.systems[Side.BC].find(flow.name, path, values=list(by_key), closed=True)
    if found:
        with session.state.open() as db, transaction(db):
            for key, closed_ids in found.items():
                _close(db, flow, key=key, shop_ids=by_key[key], closed_ids=closed_ids)
        replan(session, flow)


def _close(
    db: Connection, flow: Flow, *, key: str, shop_ids: Sequence[str], closed_ids: Sequence[str]
) -> None:
    """One record and one ended record belong together; where either is contested a person decides."""
    taken = db.execute(
        "select bc_id, shop_id from link where part = ? and bc_id in (select unnest(?::varchar[]))",
        [flow.name, list(closed_ids)],
    ).fetchall()
    if len(shop_ids) == 1 and not taken:
        db.execute(
            "insert into link (part, shop_id, bc_id, root_shop_id, rule, state, linked_at)"
            " values (?, ?, ?, ?, 'posted', 'closed', ?)",
            [flow.name, shop_ids[0], closed_ids[0], shop_ids[0], now()],
        )
        return
    claims = [f"{other} ({closed_id})" for closed_id, other in taken] or list(shop_ids)
    for shop_id in shop_ids:
        reason = (
            f"{key} was posted before, and is claimed by {', '.join(claims)}: give it a number of its own"
        )
        hold_back(db, flow, shop_id=shop_id, reason=reason)
