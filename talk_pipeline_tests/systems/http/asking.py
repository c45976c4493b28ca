"""One call of a client, or several, as the tests make them."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from talk_pipeline.systems.http import Answer, Http

T = TypeVar("T")


def using(http: Http, work: Callable[[Http], Awaitable[T]]) -> T:
    """What comes of some work with a client that is opened for it and closed after."""

    async def worked() -> T:
        async with http:
            return await work(http)

    return asyncio.run(worked())


def read(http: Http, path: str = "/things", **request: Any) -> Answer:
    return using(http, lambda opened: opened.read(path, **request))


def write(http: Http, method: str = "POST", path: str = "/things", **request: Any) -> Answer:
    told: dict[str, Any] = {"content": b'{"name": "New"}', "headers": {}}
    return using(http, lambda opened: opened.write(method, path, **(told | request)))


def at_once(http: Http, paths: Sequence[str]) -> list[Answer | BaseException]:
    """All of them at the same time; what failed is in its place."""

    async def asked(opened: Http) -> list[Answer | BaseException]:
        return await asyncio.gather(*(opened.read(path) for path in paths), return_exceptions=True)

    return using(http, asked)


def nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
