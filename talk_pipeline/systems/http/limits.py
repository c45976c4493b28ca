"""What a system allows: requests in a window and at once, counted over every process of this installation.

Where several machines enter a system as one application, they count in a Redis: `shared.py`.
"""

import asyncio
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from filelock import FileLock, Timeout
from pyrate_limiter import Limiter, Rate, SingleBucketFactory, SQLiteBucket

from talk_pipeline.disks import found_no_room
from talk_pipeline.systems.errors import ConfigurationFault, UnavailableFault
from talk_pipeline.systems.http.shared import SharedCount
from talk_pipeline.systems.http.way import way_to
from talk_pipeline.systems.http.whole import whole_answer

WINDOW_MARGIN_MS = 1000
COUNTED_IN = "requests.sqlite"
ACCOUNT = "account"
SLOT_POLL_SECONDS = 0.01
FORGET_EVERY = 1000

# an answer may take minutes in which nothing is said: the line is kept open through whatever forgets silent ones
_ALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)] + [
    (socket.IPPROTO_TCP, getattr(socket, name), seconds)
    for name, seconds in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 30))
    if hasattr(socket, name)
]


@dataclass(frozen=True, slots=True)
class Wait:
    """A header of a system's own that says how long whoever asked too often is to wait.

    Attributes:
        header: its name.
        per_second: how many of its units are a second.
        statuses: those with which it says: slower.
    """

    header: str
    per_second: int
    statuses: Collection[int]

    def translate(self, response: httpx.Response) -> None:
        """Says it in the header that everybody knows, which counts whole seconds, unless that is there."""
        said = response.headers.get(self.header, "")
        if response.status_code in self.statuses and said.isdigit():
            response.headers.setdefault("Retry-After", str(-(-int(said) // self.per_second)))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a system allows one client: requests in a sliding window, and at once.

    Attributes:
        folder: in which every process of this installation counts.
        redis: where those of several machines do instead.
        together: in which those of several companies do instead, a folder for each account.
        account: whose requests they are, there.
        wait: where it says how long to wait, if not in Retry-After.
    """

    requests: int
    window_seconds: float
    in_flight: int
    folder: Path
    redis: str | None = None
    together: Path | None = None
    account: str = ""
    wait: Wait | None = None

    @property
    def counted_in(self) -> Path:
        """The folder in which the processes of this machine count."""
        return self.together / self.account if self.together else self.folder


@dataclass(slots=True)
class Flight:
    """Whether a request has left, and its answer is not there yet."""

    away: bool = False


class Gate(httpx.AsyncBaseTransport):
    """Lets through to an address what the limits allow, each attempt counted, and times the answers."""

    def __init__(self, address: str, limits: Limits, measure: Callable[..., None]) -> None:
        self._transport = way_to(
            address,
            limits=httpx.Limits(max_connections=limits.in_flight * 2, keepalive_expiry=30),
            socket_options=_ALIVE,
        )
        self._measure = measure
        self._wait = limits.wait
        # the server's window starts when a request arrives, a little after we counted it
        window_ms = int(limits.window_seconds * 1000 + WINDOW_MARGIN_MS)
        if limits.redis or limits.together:  # whoever asks what is used finds out here whose count that is
            limits.folder.mkdir(parents=True, exist_ok=True)
            (limits.folder / ACCOUNT).write_text(limits.account, encoding="ascii")
        self._count = (
            SharedCount(
                limits.redis,
                limits.account,
                requests=limits.requests,
                window_ms=window_ms,
                in_flight=limits.in_flight,
            )
            if limits.redis
            else _Count(limits, window_ms)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends one request once there is room for it; whoever asked to is told just before it leaves."""
        async with self._count.slot():
            await self._count.take(int(request.extensions.get("weight", 1)))
            if leaving := request.extensions.get("leaving"):
                leaving()
            flight = request.extensions.get("flight") or Flight()
            sent = time.time()
            flight.away = True
            response = await whole_answer(self._transport, request)
            flight.away = False
            received = time.time()
            response.extensions["seconds"] = received - sent
            self._measure(response, sent=sent, received=received)
            if self._wait:
                self._wait.translate(response)
            return response

    async def aclose(self) -> None:
        """Closes connections."""
        await self._count.close()
        await self._transport.aclose()


class _Count:
    """The requests in a window and those under way, over every process of the installation.

    A slot is a lock on a file, which the kernel drops with its process.
    """

    def __init__(self, limits: Limits, window_ms: int) -> None:
        limits.counted_in.mkdir(parents=True, exist_ok=True)
        names = (limits.counted_in / f"slot-{at}.lock" for at in range(limits.in_flight))
        self._locks = [FileLock(name, is_singleton=False) for name in names]
        self._free = asyncio.Semaphore(limits.in_flight)
        self._file = limits.counted_in / COUNTED_IN
        self._rate = Rate(limits.requests, window_ms)
        self._limiter: Limiter | None = None
        self._taken = 0

    async def take(self, weight: int) -> None:
        """Waits until the window has room, and counts."""
        with self._counting():
            limiter = self._opened()
            self._forget()
            await limiter.try_acquire_async("request", weight=weight)

    def _opened(self) -> Limiter:
        """The file, opened by the first request: most steps of a run with nothing to do ask for nothing."""
        if self._limiter is None:
            self._bucket = SQLiteBucket.init_from_file(
                [self._rate], table="requests", db_path=str(self._file), use_file_lock=True
            )
            self._limiter = Limiter(SingleBucketFactory(self._bucket, schedule_leak=False))
        return self._limiter

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """The file holds no more than the requests of one window: it may go at any time."""
        try:
            yield
        except sqlite3.Error as error:
            message = f"{self._file}, which counts the requests, cannot be used ({error})"
            if found_no_room(error, self._file.parent):
                raise UnavailableFault(f"{message}: make room on the disk") from error
            raise ConfigurationFault(f"{message}: remove it, or let us write it; it is made anew") from error

    def _forget(self) -> None:
        """Drops requests that left the window, now and then; a thread for it would outlive short connections."""
        if self._taken % FORGET_EVERY == 0:
            self._bucket.leak(self._bucket.now())  # type: ignore[no-untyped-call]
        self._taken += 1

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Waits for a slot and holds it."""
        async with self._free:
            lock = self._lock()
            while lock is None:
                await asyncio.sleep(SLOT_POLL_SECONDS)
                lock = self._lock()
            try:
                yield
            finally:
                lock.release()

    def _lock(self) -> FileLock | None:
        for lock in self._locks:
            if not lock.is_locked:
                with suppress(Timeout):
                    lock.acquire(blocking=False)
                    return lock
        return None

    async def close(self) -> None:
        """Leaves the file."""
        if self._limiter is not None:
            self._limiter.close()
