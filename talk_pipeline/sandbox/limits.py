"""What a server grants one caller: requests in a sliding window, requests at once, a queue, and its pace.

Only the counting is here; what a refused call is told is each server's own.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers; 0 switches a limit off.

    Attributes:
        rate: requests within `window`.
        window: seconds of the sliding window.
        concurrency: requests worked on at once.
        queue: requests that may wait for a place.
        queue_timeout: seconds one waits before it is refused.
        page_size: records on a page at most.
        batch_size: operations in one batch at most.
        latency: seconds each request takes at least.
        operation_latency: seconds each operation takes, every part of a batch by itself.
        operation_timeout: seconds after which an operation is cancelled.
    """

    rate: int = 0
    window: float = 300.0
    concurrency: int = 0
    queue: int = 0
    queue_timeout: float = 480.0
    page_size: int = 20_000
    batch_size: int = 100
    latency: float = 0.0
    operation_latency: float = 0.0
    operation_timeout: float = 480.0

    def changed(self, values: Mapping[str, Any]) -> Limits:
        """These limits with some of them set anew; raises `ValueError` naming what is wrong."""
        names = {entry.name: type(getattr(self, entry.name)) for entry in fields(self)}
        for name, value in values.items():
            if name not in names:
                raise ValueError(f"there is no limit `{name}`; there are {', '.join(names)}")
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise ValueError(f"`{name}` is a number from 0 on")
        return replace(self, **{name: names[name](value) for name, value in values.items()})


class TooMany(Exception):
    """A limit is exceeded.

    Attributes:
        actual: what there would be.
        maximum: what is granted.
        wait: seconds until it is worth trying again.
    """

    def __init__(self, *, actual: int, maximum: int, wait: float) -> None:
        super().__init__(f"{actual} of {maximum}")
        self.actual = actual
        self.maximum = maximum
        self.wait = wait


class QueueTimeout(Exception):
    """The call waited too long for a place."""


class Budget:
    """Counts the calls of one caller against the limits in force."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._moments: deque[float] = deque()
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def reset(self, limits: Limits) -> None:
        """Forget the window and grant these limits from now on."""
        self.limits = limits
        self._moments.clear()
        self._wake()

    def spend(self, count: int = 1) -> None:
        """Count requests against the window, all of them or none; raises `TooMany`."""
        limits, now = self.limits, time.monotonic()
        while self._moments and self._moments[0] <= now - limits.window:
            self._moments.popleft()
        if limits.rate and len(self._moments) + count > limits.rate:
            spare = len(self._moments) + count - limits.rate
            oldest = self._moments[min(spare, len(self._moments)) - 1] if self._moments else now
            raise TooMany(
                actual=len(self._moments) + count,
                maximum=limits.rate,
                wait=max(0.0, oldest + limits.window - now),
            )
        self._moments.extend([now] * count)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold one of the places for requests at once, queueing for it first come, first served."""
        limits = self.limits
        if limits.concurrency and self._running >= limits.concurrency:
            if len(self._waiting) >= limits.queue:
                pending = self._running + len(self._waiting)
                raise TooMany(actual=pending + 1, maximum=limits.concurrency + limits.queue, wait=1.0)
            await self._queue(limits.queue_timeout)
        else:
            self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            self._wake()

    async def _queue(self, timeout: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await asyncio.wait_for(asyncio.shield(turn), timeout)
        except (TimeoutError, asyncio.CancelledError) as error:
            if turn.done():  # the place came in the same moment: hand it on
                self._running -= 1
                self._wake()
            else:
                self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise QueueTimeout from error
            raise

    def _wake(self) -> None:
        limits = self.limits
        while self._waiting and (not limits.concurrency or self._running < limits.concurrency):
            self._running += 1
            self._waiting.popleft().set_result(None)


class Budgets:
    """A budget for each caller, all with the same limits.

    Attributes:
        limits: those in force.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._of: dict[str, Budget] = {}

    def of(self, caller: str) -> Budget:
        """What one caller has."""
        return self._of.setdefault(caller, Budget(self.limits))

    def reset(self, limits: Limits) -> None:
        """Forget every window and grant these limits from now on."""
        self.limits = limits
        for budget in self._of.values():
            budget.reset(limits)
