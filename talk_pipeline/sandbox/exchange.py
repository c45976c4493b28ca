"""One call and one answer, and the plain ASGI that carries them.

A call is what a server works on, whether it came over the wire or as a part of a batch. What happens to it
on the way (token, limits, faults) is in `gateway`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Literal

from talk_pipeline.sandbox import wire

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_UNREAD: Any = object()


@dataclass(frozen=True, slots=True)
class Call:
    """A request.

    Attributes:
        method: upper case.
        path: as sent, still percent-encoded, without the query.
        query: the raw query string.
        headers: names in lower case.
        body: the raw body.
        origin: scheme, host and port the caller used.
        document: the body of a batch part, which arrives decoded.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    origin: str = ""
    document: Any = _UNREAD

    def json(self) -> Any:
        """The decoded body; raises `wire.MalformedJson`."""
        return wire.read(self.body) if self.document is _UNREAD else self.document

    def has_body(self) -> bool:
        """Whether there is anything to decode."""
        return bool(self.body) if self.document is _UNREAD else True

    def header(self, name: str) -> str | None:
        """A header's value, by its lower-case name."""
        return self.headers.get(name)

    def url(self) -> str:
        """The address the caller asked for."""
        return self.origin + self.path + (f"?{self.query}" if self.query else "")


@dataclass(frozen=True, slots=True)
class Write:
    """So many records of an entity created, updated or deleted by a call."""

    entity: str
    operation: Literal["create", "update", "delete"]
    count: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and what the call has written."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    writes: tuple[Write, ...] = ()


class HungUp(Exception):
    """The connection is to be closed without an answer."""


async def read_call(scope: Scope, receive: Receive) -> Call:
    """Collect a whole request."""
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HungUp
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    host = headers.get("host") or ":".join(str(part) for part in scope["server"])
    return Call(
        method=scope["method"],
        path=raw_path.split(b"?", 1)[0].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=b"".join(chunks),
        origin=f"{scope['scheme']}://{host}",
    )


async def send_answer(answer: Answer, send: Send, *, date: str, cut: bool = False) -> None:
    """Send a whole answer, or with `cut` its first half under the length of the whole."""
    headers = {"date": date, **{name.lower(): value for name, value in answer.headers.items()}}
    bodiless = answer.status in (204, 304)
    if not bodiless:
        headers["content-length"] = str(len(answer.body))
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
    )
    if cut:
        await send(
            {"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True}
        )
        hang_up(send)
        return
    await send({"type": "http.response.body", "body": b"" if bodiless else answer.body})


def hang_up(send: Send) -> None:
    """Close the connection under a request.

    ASGI has no word for it. The callable uvicorn hands to an application is a method of the object that
    holds the transport; closing that one lets bytes already written out and sends nothing more.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("this ASGI server does not let the sandbox close connections")
    transport.close()
