"""An answer, read to its end: one that never ends, or is larger than memory, is none."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

SLOWEST = 1000
"""Bytes a second at which an answer may come, once it takes longer than its first byte may."""
LARGEST_ANSWER = 500_000_000
"""Bytes, as they are without compression: a page has some millions, an hour of a busy system."""
_OF_THE_WAY = ("content-encoding", "content-length", "transfer-encoding")


async def whole_answer(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
    """What a request is answered.

    A read time-out is about the time between two bytes: an answer that trickles would be waited for for days.

    Raises:
        httpx.ReadTimeout: it comes too slowly.
        httpx.DecodingError: it is too large, or not compressed as it says.
    """
    async with _in_time(request) as limit:
        response = await transport.handle_async_request(request)
        began, patience, size = time.monotonic(), _patience(request), 0
        parts: list[bytes] = []
        try:
            async for part in response.aiter_bytes():
                parts.append(part)
                size += len(part)
                if size > LARGEST_ANSWER:
                    raise httpx.DecodingError(f"an answer of more than {LARGEST_ANSWER:,} bytes")
                if patience is not None:
                    late = began + patience + size / SLOWEST - time.monotonic()
                    limit.reschedule(asyncio.get_running_loop().time() + late)
        finally:
            await response.aclose()
    headers = response.headers.copy()
    for name in _OF_THE_WAY:  # what is read is whole, and as it was before it was compressed
        headers.pop(name, None)
    return httpx.Response(
        response.status_code, headers=headers, content=b"".join(parts), extensions=response.extensions
    )


@asynccontextmanager
async def _in_time(request: httpx.Request) -> AsyncIterator[asyncio.Timeout]:
    """Until its head is there it may take as long as connecting, sending and waiting may take together."""
    told = request.extensions.get("timeout", {})
    steps = [told.get(name) for name in ("pool", "connect", "write", "read")]
    most = None if None in steps else sum(steps)
    try:
        async with asyncio.timeout(most) as limit:
            yield limit
    except TimeoutError as error:
        raise httpx.ReadTimeout("an answer that comes too slowly", request=request) from error


def _patience(request: httpx.Request) -> float | None:
    seconds = request.extensions.get("timeout", {}).get("read")
    return None if seconds is None else float(seconds)
