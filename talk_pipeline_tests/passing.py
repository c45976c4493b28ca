"""One pass over some flows as a run makes it, without Dagster around it."""

import asyncio

from talk_pipeline.engine.match import links
from talk_pipeline.engine.report import runs
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.installation import Connections
from talk_pipeline.run.fetch import RestoredError, fetch
from talk_pipeline.run.plan import BreakerTrippedError, prepare
from talk_pipeline.run.session import Options, Session
from talk_pipeline.run.write import settle, upsert
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline_tests.proof.states import Watch


def tried(
    connections: Connections, names: tuple[str, ...], *, run_id: str, options: Options, watch: Watch
) -> list[str]:
    """A run without Dagster around it; returns what stopped it."""
    try:
        asyncio.run(_step(connections, names, run_id=run_id, options=options, watch=watch))
    except (SystemFault, BreakerTrippedError, RestoredError) as error:
        if connections.state.file.exists():
            with connections.state.once() as db:
                watch.look_after_run(db)
        return [str(error)]
    return []


async def _step(
    connections: Connections, names: tuple[str, ...], *, run_id: str, options: Options, watch: Watch
) -> None:
    """What the assets of these flows do, in their order."""
    flows = connections.flows
    async with connections.session(run_id, options=options, flows_in_run=names) as session:
        with session.state.open() as db:
            runs.begin(db, names, run_id=run_id, full=options.full, undoes=options.undo)
        order = flows.with_references(names)
        late = [name for name in order if any(one.name in names for one in flows.reads_after(flows[name]))]
        for name in order:
            await _read(session, flows[name], *((Side.SHOP,) if name in late else Side))
        for name in order:
            if name in late:
                await _read(session, flows[name], Side.BC)
            if name in names:
                await _write(session, flows[name], watch)
        with session.state.open() as db:
            watch.look_after_run(db)


async def _read(session: Session, flow: Flow, *sides: Side) -> None:
    for side in sides:
        await fetch(session, flow, side)
    with session.state.open() as db:
        links.match(db, flow)


async def _write(session: Session, flow: Flow, watch: Watch) -> None:
    await prepare(session, flow)
    with session.state.open() as db:
        runs.planned(db, flow.name, run_id=session.run_id)
        watch.look_at_plan(db)
    for side in (Side.BC, Side.SHOP):
        await upsert(session, flow, side)
    await settle(session, flow)
