"""Sending writes in batches, each with its intent on disk before it leaves and its outcome after it ended.

Changesets run side by side as coroutines, and the steps of one in order; whatever steps are ready at the same
moment travel together.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from talk_pipeline import stopping
from talk_pipeline.engine.apply import outcomes
from talk_pipeline.engine.apply.bases import recalculations
from talk_pipeline.engine.model import Intent, Outcome, Result, Write
from talk_pipeline.engine.state import journal
from talk_pipeline.engine.state.connection import now
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.logs import RECORDS, about
from talk_pipeline.run.session import Session
from talk_pipeline.systems.errors import AccessFault, SystemFault
from talk_pipeline.systems.protocol import Acts, AnswersLater, Leaving

SOON_SECONDS, LONGEST_SECONDS = 0.25, 1.0
"""The file of the state is kept from others while one thing follows on the other, for so long at most: to close it
and to open it again costs as much as half of all else that is done with it for a batch."""


@dataclass(slots=True)
class _Queued:
    intent: Intent
    write: Write
    outcome: asyncio.Future[Outcome]


class Sender:
    """Takes writes of one flow to one system."""

    def __init__(self, session: Session, flow: Flow, target: Side) -> None:
        self._session = session
        self._flow = flow
        self._target = target
        self._system = session.systems[target]
        self._queue: asyncio.Queue[_Queued] = asyncio.Queue()
        self.fault: SystemFault | None = None
        self._ended: BaseException | None = None
        self._closing: asyncio.TimerHandle | None = None

    async def send(self, intent: Intent, write: Write) -> Outcome:
        """The outcome of one write, on disk when it returns."""
        if self._ended is not None:
            raise self._ended
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        await self._queue.put(_Queued(intent, write, outcome))
        return await outcome

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Workers take batches from the queue until the block ends; the file is left to whoever goes on."""
        workers = [asyncio.create_task(self._work()) for _ in range(self._system.batches_in_flight)]
        try:
            yield
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            if self._closing:
                self._closing.cancel()

    async def _work(self) -> None:
        while True:
            batch = [await self._queue.get()]
            await asyncio.sleep(0)  # let every changeset that is ready add its step
            rows, room = batch[0].write.rows, self._system.rows_at_once(self._flow.name)
            while rows < room and len(batch) < self._system.batch_size and not self._queue.empty():
                batch.append(self._queue.get_nowait())
                rows += batch[-1].write.rows
            try:
                stopping.go_on()
                await self._carry_out(batch)
            except BaseException as error:
                # whoever waits must not wait for ever, nor anybody begin to where workers end
                ends = not isinstance(error, Exception)
                self._ended = error if ends else self._ended
                while ends and not self._queue.empty():
                    batch.append(self._queue.get_nowait())
                for queued in batch:
                    if not queued.outcome.done():
                        queued.outcome.set_exception(error)
                if ends:
                    raise

    async def _carry_out(self, batch: list[_Queued]) -> None:
        intents = [queued.intent for queued in batch]
        bare = {queued.intent.intent_id for queued in batch if queued.write.version is None}
        leaving = departures(self._session, self._flow, self._target, intents, then=self._rest, bare=bare)
        with self._session.state.open() as db:
            recalculated = recalculations(db, self._flow, intents)
            journal.intend(db, self._session.run_id, intents, recalculated=recalculated)
        self._rest()
        try:
            answers = await self._system.write(
                self._flow.name, [queued.write for queued in batch], leaving=leaving
            )
        except SystemFault as fault:
            # turned away before anything was done; a refused token concerns the whole run
            answers = [Outcome(Result.FAILED, reason=str(fault)) for _ in batch]
            self.fault = fault if isinstance(fault, AccessFault) else self.fault
        self._session.state.require()
        awaited = [q.intent.intent_id for q, one in zip(batch, answers, strict=True) if one.awaited]
        with self._session.state.open() as db:
            if awaited:
                until = now() + timedelta(seconds=self._system.longest_seconds)
                journal.leave(db, self._flow.name, self._target, awaited, until=until)
            outcomes.conclude(
                db,
                self._session.projector(self._flow, self._target),
                self._session.decode(self._flow, self._target),
                run_id=self._session.run_id,
                outcomes=[(q.intent, outcome) for q, outcome in zip(batch, answers, strict=True)],
            )
        self._rest()
        for queued, outcome in zip(batch, answers, strict=True):
            _tell_of_record(queued.intent, outcome)
            queued.outcome.set_result(outcome)

    def _rest(self) -> None:
        """Leaves the file to others before what may take long, unless it is wanted again at once."""
        state = self._session.state
        if self._closing:
            self._closing.cancel()
        if state.open_seconds > LONGEST_SECONDS:
            state.release()
        self._closing = asyncio.get_running_loop().call_later(SOON_SECONDS, state.release)


def _tell_of_record(intent: Intent, outcome: Outcome) -> None:
    """A line a record, where logs are JSON: what was done and what came of it, and no value."""
    if RECORDS.isEnabledFor(logging.INFO):
        what = f"{intent.main.part}: {intent.main.operation} in {intent.target}: {outcome.result}"
        with about(record=intent.root_shop_id or intent.root_bc_id):
            RECORDS.info("%s%s", what, f": {outcome.reason}" if outcome.reason else "")


def matters_twice(session: Session, intent: Intent, *, versioned: bool = True) -> bool:
    """Whether it must not be sent again as long as it may be at work, or anything else in its place.

    It would make or do something twice, or is only answered later; or nothing in it stops it from being carried out
    after what was told since, which it would undo.

    Args:
        session: whose systems are asked.
        intent: what it is to carry out.
        versioned: the version that it was planned for goes along. Of one that did not leave nobody knows that any
            more: then it is looked at like one that did.
    """
    system, operation = session.systems[intent.target], intent.main.operation
    if isinstance(system, AnswersLater) or _acts(session, intent):
        return True
    if intent.main.part != intent.flow and operation == "create":
        return True
    if intent.creates_record:
        return True
    changes = bool(intent.made) or operation == "update"
    return changes and not system.answers_once(
        intent.flow, operation, makes_children=bool(intent.made), versioned=versioned
    )


def _acts(session: Session, intent: Intent) -> bool:
    system, flow, target = session.systems[intent.target], session.flows[intent.flow], intent.target
    if not isinstance(system, Acts) or intent.main.part != intent.flow or intent.main.operation != "update":
        return False
    paths = [path for name in intent.main.sent for path in flow.root.by_name[name].paths(target)]
    for one in intent.children:
        part = flow.part(one.part)
        told = (path for name in one.sent for path in part.by_name[name].paths(target))
        paths += [f"{part.paths[target]}.{path}" for path in told]
    return system.acts_by(intent.flow, paths)


def departures(
    session: Session,
    flow: Flow,
    target: Side,
    intents: Sequence[Intent],
    *,
    then: Callable[[], None],
    bare: Collection[str] = (),
) -> Leaving:
    """Lets a request leave while the flow is ours; puts that on disk where it would matter if it happened twice.

    Args:
        session: whose state is told.
        flow: whose requests they are.
        target: where they go.
        intents: what they are to carry out.
        then: leaves the file of the state to others, now or soon.
        bare: those of them with which no version goes along.
    """
    matter = {
        intent.intent_id
        for intent in intents
        if matters_twice(session, intent, versioned=intent.intent_id not in bare)
    }
    longest = timedelta(seconds=session.systems[target].longest_seconds)

    def leaving(keys: Sequence[str]) -> None:
        session.state.require()
        if leave := [key for key in keys if key in matter]:
            with session.state.open() as db:
                journal.leave(db, flow.name, target, leave, until=now() + longest)
        then()

    return leaving
