"""How runs are interrupted at a certain point: something else happens there, or the process ends.

It ends as `cut` has it, by an exception that nobody handles, after which everything is opened anew; or as `killed`
has it, by a signal that no process survives.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple
from unittest import mock

import httpx

from talk_pipeline.engine.apply import outcomes
from talk_pipeline.engine.match import links
from talk_pipeline.engine.plan import compare
from talk_pipeline.engine.snapshot import landing
from talk_pipeline.engine.state import journal
from talk_pipeline.run.sender import Sender
from talk_pipeline.systems.businesscentral.client import Businesscentral
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.http.way import trusted

SECONDS = 60.0


class Cut(BaseException):
    """The process ends here."""


class Place(NamedTuple):
    """Before or after each call of a function."""

    holder: Any
    name: str
    after: bool = False


PLACES = {
    "intend": Place(journal, "intend"),
    "intended": Place(journal, "intend", after=True),
    "leave": Place(journal, "leave"),
    "settle": Place(outcomes, "conclude"),
    "settling": Place(outcomes, "note_outcomes"),  # links and bases are in place, the transaction goes on
    "settled": Place(outcomes, "conclude", after=True),
    "land": Place(landing, "land"),
    "landing": Place(landing, "merge", after=True),  # the same
    "landed": Place(landing, "land", after=True),
    "plan": Place(compare, "plan"),
    "planned": Place(compare, "plan", after=True),
    "match": Place(links, "match", after=True),
    "write": Place(Businesscentral, "write", after=True),
    "written": Place(Customwebshop, "write", after=True),
}
"""Where a run can be interrupted; scenarios that are kept name these."""


def cut() -> None:
    """The process ends, as far as it can within one that goes on."""
    raise Cut


def killed() -> None:
    """The process ends."""
    os.kill(os.getpid(), signal.SIGKILL)


def is_cut(error: BaseException) -> bool:
    """Whether that is why a run ended."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_cut(one) for one in error.exceptions)
    return isinstance(error, Cut)


@contextmanager
def surviving() -> Iterator[None]:
    """The block is to be cut; it is an error where it is not."""
    try:
        yield
    except BaseException as error:
        if not is_cut(error):
            raise
    else:
        raise AssertionError("the run ended before it could be cut")


@contextmanager
def interrupted(place: Place, nth: int, *, by: Callable[[], None], ever: bool = False) -> Iterator[None]:
    """Something happens before or after the nth call of a function, or `ever` after that too.

    What ends a process in the middle of several things ends all of them.
    """
    real, calls = getattr(place.holder, place.name), 0

    @contextmanager
    def called() -> Iterator[None]:
        nonlocal calls
        calls += 1
        due = calls == nth or (ever and calls > nth)
        if due and not place.after:
            by()
        yield
        if due and place.after:
            by()

    def call(*args: Any, **more: Any) -> Any:
        with called():
            return real(*args, **more)

    async def wait(*args: Any, **more: Any) -> Any:
        with called():
            return await real(*args, **more)

    with mock.patch.object(place.holder, place.name, wait if asyncio.iscoroutinefunction(real) else call):
        yield


@dataclass(frozen=True)
class Together:
    """So many records are written at the same moment.

    Attributes:
        records: how many; whoever is ready sooner waits for the others.
        requests: how many requests that takes, where they go in one batch.
    """

    records: int
    requests: int

    @contextmanager
    def ready(self, *, singly: bool = False) -> Iterator[None]:
        """They are ready at the same moment, and go in one batch; or `singly` in one after the other."""
        real, sends, all_ready = Sender.send, 0, asyncio.Barrier(self.records)
        real_work, turn = Sender._carry_out, asyncio.Lock()

        async def send(*args: Any, **more: Any) -> Any:
            nonlocal sends
            sends += 1
            if sends <= self.records:
                async with asyncio.timeout(SECONDS):
                    await all_ready.wait()
            return await real(*args, **more)

        async def carry_out(*args: Any) -> None:
            async with turn:
                await real_work(*args)

        workers = self.records if singly else 1
        told = property(lambda _: workers, lambda _, value: None)  # whatever a system says of itself
        with ExitStack() as stack:
            stack.enter_context(mock.patch.object(Sender, "send", send))
            stack.enter_context(mock.patch.object(Sender, "_carry_out", carry_out))
            for system in (Businesscentral, Customwebshop):
                stack.enter_context(mock.patch.object(system, "batches_in_flight", told, create=True))
                if singly:
                    stack.enter_context(mock.patch.object(system, "batch_size", 1))
            yield

    @contextmanager
    def on_the_wire(self, *, answered: bool, by: Callable[[], None]) -> Iterator[None]:
        """It happens when all requests are sent: not begun yet, or all done with the answers under way."""
        real, seen, over = httpx.AsyncHTTPTransport.handle_async_request, 0, asyncio.Event()

        async def handle(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
            nonlocal seen
            if request.extensions.get("leaving") is None:
                return await real(transport, request)
            control = f"{request.url.scheme}://{request.url.netloc.decode()}/_sandbox/faults"
            if not answered:
                match = {"method": request.method, "path": request.url.path}
                httpx.post(control, json=[{"match": match, "fault": {"hold": True}}], verify=trusted())
            sent = asyncio.ensure_future(real(transport, request))
            if answered:
                await sent
            seen += 1
            async with asyncio.timeout(SECONDS):
                while seen == self.requests and not (answered or self._held(control)):
                    await asyncio.sleep(0.005)
                if seen == self.requests:
                    over.set()
                await over.wait()
            sent.cancel()
            by()
            raise AssertionError("it is over")

        with mock.patch.object(httpx.AsyncHTTPTransport, "handle_async_request", handle):
            yield

    def _held(self, control: str) -> bool:
        fired: int = sum(rule["fired"] for rule in httpx.get(control, verify=trusted()).json()["faults"])
        return fired == self.requests


@dataclass(frozen=True)
class Point:
    """A numbered point of a run that writes several records at once.

    Attributes:
        place: where it is, but for what happens on the wire.
        answered: on the wire, whether the requests are carried out by then.
        singly: with a batch for each record, so that there is a place between two of them.
        open: how many of the requests are in the journal without an outcome then: none, all of them.
        done: how many are there with one; between batches the first is.
    """

    place: str = ""
    answered: bool = False
    singly: bool = False
    open: bool = False
    done: bool = False

    @contextmanager
    def reached(self, together: Together, *, nth: int, by: Callable[[], None]) -> Iterator[None]:
        """It happens when a run comes to this point, for the nth time where it comes there for each landing."""
        if self.place == "landing":
            with interrupted(PLACES[self.place], nth, by=by, ever=True):
                yield
            return
        with together.ready(singly=self.singly):
            if self.place:
                with interrupted(PLACES[self.place], 2 if self.singly else 1, by=by, ever=True):
                    yield
            else:
                with together.on_the_wire(answered=self.answered, by=by):
                    yield


POINTS = {
    "before the intent": Point("intend"),
    "after the intent": Point("intended", open=True),
    "after sending": Point(open=True),
    "after the server's commit": Point(answered=True, open=True),
    "after the answer": Point("settle", open=True),
    "after the outcome": Point("settled", done=True),
    "between batches": Point("intend", singly=True, done=True),
    "inside a snapshot": Point("landing"),
    "inside an update of links": Point("settling", open=True),
}
"""The numbered points of the kill matrix, in the order of a run but for the last three."""
