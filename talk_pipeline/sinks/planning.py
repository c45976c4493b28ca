"""The plan of one flow from what is held now, and what stops it from being carried out."""

from collections.abc import Iterable

from talk_pipeline.engine import diffs, guards, links
from talk_pipeline.engine.guards import Volume
from talk_pipeline.engine.state import now, transaction
from talk_pipeline.engine.units import pending_roots
from talk_pipeline.flows.properties import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.sinks.session import Session
from talk_pipeline.sinks.settling import settle_unknown


class BreakerTrippedError(RuntimeError):
    """The plan is implausible; nothing of it is written until a person approves."""


def replan(session: Session, flow: Flow, *, defer: bool = True) -> None:
    """Matches and diffs anew; `defer` lets the records of later flows go first."""
    later = session.later(flow) if defer else frozenset()
    with session.state.open() as db:
        links.match(db, flow)
        diffs.plan(db, session.flows, flow, company=session.company, later=later)


async def prepare(session: Session, flow: Flow) -> Volume:
    """Settles what an earlier run left open, and plans what this one is to write.

    Raises:
        BreakerTrippedError: the plan is implausible and nobody approved it.
    """
    for side in Side:
        await settle_unknown(session, flow, side)
    replan(session, flow)
    await close_posted(session, flow)
    with session.state.open() as db:
        volume = guards.volume(db, flow)
    if not (volume.safe or session.options.approve or session.options.dry_run):
        raise BreakerTrippedError(
            f"{flow.name}: nothing was written: {volume.reason}. Look at the changes in diffs/{flow.name}; "
            "run again with --approve (or approve: true in the run config) if they are right"
        )
    return volume


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
    by_key = {key: shop_id for shop_id, key in rows if key}
    path = flow.businesscentral.closed_by.key
    found = await session.systems[Side.BC].find(flow.name, path, values=list(by_key), closed=True)
    _close(session, flow, pairs=[(by_key[key], ids[0]) for key, ids in found.items()])


def _close(session: Session, flow: Flow, *, pairs: Iterable[tuple[str, str]]) -> None:
    pairs = list(pairs)
    if not pairs:
        return
    with session.state.open() as db, transaction(db):
        for shop_id, closed_id in pairs:
            db.execute(
                "insert into link values (?, ?, ?, ?, 'posted', 'closed', ?)",
                [flow.name, shop_id, closed_id, shop_id, now()],
            )
    replan(session, flow)
