"""What a system allows one application, counted over the processes of several machines in a Redis they share.

It needs the extra `deploy`. What is kept there may be lost at any time: it is no more than the requests of one
window.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from pyrate_limiter import Limiter, Rate, RedisBucket, SingleBucketFactory

from talk_pipeline.systems.errors import ConfigurationFault, UnavailableFault

SLOT_POLL_SECONDS = 0.05
SLOT_SECONDS = 120
"""After which the slot of a process that is gone is free; an answer that takes longer lets one more request go."""
FORGET_EVERY = 1000
RETRIES = 20
LONGEST_PAUSE_SECONDS = 1.0
ASKED_SECONDS = 5
"""By whom only looks."""


class SharedCount:
    """The requests in a window and those under way, of one application.

    Args:
        url: of the Redis.
        account: whose requests they are, for all who are limited together.
        requests: at most in a window.
        window_ms: how long that is.
        in_flight: at most at once.
    """

    def __init__(self, url: str, account: str, *, requests: int, window_ms: int, in_flight: int) -> None:
        try:
            from redis.asyncio import Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import ExponentialBackoff
        except ImportError as error:
            raise ConfigurationFault("TALK_LIMITS_URL needs the extra deploy: it is not installed") from error
        try:
            # about a quarter of a minute, in which a Redis that is restarted is back
            retry = Retry(ExponentialBackoff(LONGEST_PAUSE_SECONDS, 0.05), RETRIES)
            self._redis: Any = Redis.from_url(url, retry=retry)
        except ValueError as error:
            raise ConfigurationFault(f"TALK_LIMITS_URL is no address of a Redis: {error}") from None
        self._key = f"talk_pipeline:{account}"
        self._requests = _requests_of(account)
        self._rate, self._window_ms = Rate(requests, window_ms), window_ms
        self._limiter: Limiter | None = None
        self._free = asyncio.Semaphore(in_flight)
        self._slots = in_flight
        self._taken = 0

    async def take(self, weight: int) -> None:
        """Waits until the window has room, and counts.

        Raises:
            UnavailableFault: the Redis does not answer.
        """
        from redis.exceptions import NoScriptError, RedisError

        try:
            while True:
                if self._limiter is None:
                    bucket: Any = RedisBucket.init([self._rate], self._redis, self._requests)
                    bucket = await bucket
                    bucket.now = self._now
                    self._limiter = Limiter(SingleBucketFactory(bucket, schedule_leak=False))
                try:
                    await self._limiter.try_acquire_async("request", weight=weight)
                except NoScriptError:
                    self._limiter = None  # it was restarted, and forgot how to count
                else:
                    break
            if self._taken % FORGET_EVERY == 0:
                await self._redis.zremrangebyscore(self._requests, 0, await self._now() - self._window_ms)
            self._taken += 1
        except RedisError as error:
            raise _away(error) from error

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Waits for a slot and holds it.

        Raises:
            UnavailableFault: the Redis does not answer.
        """
        from redis.exceptions import LockError, RedisError

        async with self._free:
            try:
                while (lock := await self._one()) is None:
                    await asyncio.sleep(SLOT_POLL_SECONDS)
            except RedisError as error:
                raise _away(error) from error
            try:
                yield
            finally:
                with suppress(LockError, RedisError):  # it ends by itself
                    await lock.release()

    async def _one(self) -> Any:
        for at in range(self._slots):
            lock = self._redis.lock(f"{self._key}:slot-{at}", timeout=SLOT_SECONDS, thread_local=False)
            if await lock.acquire(blocking=False):
                return lock
        return None

    async def _now(self) -> int:
        """By the clock of the Redis, since those of several machines differ."""
        seconds, micros = await self._redis.time()
        return int(seconds) * 1000 + int(micros) // 1000

    async def close(self) -> None:
        """Closes connections."""
        await self._redis.aclose()


def counted(url: str, account: str, *, window_ms: int) -> int | None:
    """How many requests of an account the window that ends now holds; None where nobody knows at the moment."""
    try:
        from redis import Redis, RedisError
    except ImportError:
        return None
    try:
        with Redis.from_url(url, socket_timeout=ASKED_SECONDS, socket_connect_timeout=ASKED_SECONDS) as redis:
            seconds, micros = redis.time()
            since = seconds * 1000 + micros // 1000 - window_ms
            return int(redis.zcount(_requests_of(account), since, "+inf"))
    except (RedisError, ValueError):
        return None


def _requests_of(account: str) -> str:
    return f"talk_pipeline:{account}:requests"


def _away(error: Exception) -> UnavailableFault:
    return UnavailableFault(
        f"the Redis of TALK_LIMITS_URL, which counts the requests, does not answer: {error}"
    )
