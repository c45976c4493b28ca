"""What every call to a server passes, in this order: token, window of requests, place, fault, pace, work.

The gateway is the same for both systems; a `Service` says how each lets callers in, refuses them and does
the work. The control API lies beside it and passes nothing of this.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Protocol

from starlette.types import ASGIApp

from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.exchange import (
    Answer,
    Call,
    HungUp,
    Receive,
    Scope,
    Send,
    hang_up,
    read_call,
    send_answer,
)
from talk_pipeline.sandbox.faults import Fault, Switchboard
from talk_pipeline.sandbox.limits import Budgets, Limits, QueueTimeout, TooMany
from talk_pipeline.sandbox.traffic import Traffic

_REMEMBERED_PAGES = 256


class Service(Protocol):
    """One system behind a gateway."""

    def admits(self, call: Call) -> Answer | None:
        """None if the caller may enter, else the refusal."""

    def revoke(self, call: Call) -> None:
        """Make the token of this call worthless."""

    def caller(self, call: Call) -> str:
        """Whose budget the call counts in."""

    def weight(self, call: Call) -> int:
        """How many requests the call counts as in the window; 0 for one that is not limited."""

    def template(self, path: str) -> str:
        """The path with its keys taken out."""

    def refuse(self, status: int, *, over: TooMany | None = None) -> Answer:
        """This system's answer of that status when the work is not to blame."""

    async def work(self, call: Call) -> Answer:
        """Do what the call asks for."""


class Gateway:
    """The ASGI application of one server.

    Attributes:
        control: the application under ``/_sandbox``, set once it is made.
    """

    def __init__(self, service: Service, *, clock: Clock, limits: Limits) -> None:
        self.service = service
        self.clock = clock
        self.defaults = limits
        self.budgets = Budgets(limits)
        self.faults = Switchboard(service.template)
        self.traffic = Traffic()
        self.control: ASGIApp | None = None
        self._pages: OrderedDict[str, Answer] = OrderedDict()

    def reset(self) -> None:
        """Grant the default limits again, drop all faults and forget what was seen."""
        self.budgets.reset(self.defaults)
        self.faults.clear()
        self.traffic.clear()
        self._pages.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        if self.control is not None and scope["path"].startswith("/_sandbox"):
            await self.control(scope, receive, send)
            return
        try:
            call = await read_call(scope, receive)
            answer, fault = await self._pass(call)
        except HungUp:
            hang_up(send)
            await asyncio.sleep(0)  # lets uvicorn notice, which would otherwise miss an answer
            await asyncio.sleep(0)
            return
        self.traffic.answered(answer.status)
        if fault.drip:
            await _drip(answer, send, date=self.clock.http_date(), seconds=fault.drip)
        else:
            await send_answer(answer, send, date=self.clock.http_date(), cut=fault.truncate)
            if fault.truncate:
                await asyncio.sleep(0)
                await asyncio.sleep(0)

    async def _pass(self, call: Call) -> tuple[Answer, Fault]:
        """Take a call through all stations; returns the answer and the fault that hit it, if any."""
        self.traffic.count_call(call.method, self.service.template(call.path))
        refusal = self.service.admits(call)
        if refusal is not None:
            return refusal, Fault()
        async with AsyncExitStack() as resources:
            weight = self.service.weight(call)
            if weight:
                caller = self.service.caller(call)
                budget = self.budgets.of(caller)
                self.traffic.callers[caller] += weight
                resources.enter_context(self.traffic.open())
                try:
                    budget.spend(weight)
                    await resources.enter_async_context(budget.place())
                except TooMany as over:
                    return self.service.refuse(429, over=over), Fault()
                except QueueTimeout:
                    return self.service.refuse(503), Fault()
                resources.enter_context(self.traffic.running())
            return await self._work(call)

    async def _work(self, call: Call) -> tuple[Answer, Fault]:
        fault = self.faults.pick(call.method, call.path) or Fault()
        limits = self.budgets.limits
        pace = limits.latency + limits.operation_latency + fault.delay
        if pace > limits.operation_timeout:
            await asyncio.sleep(limits.operation_timeout)
            return self.service.refuse(408), fault
        if pace:
            await asyncio.sleep(pace)
        if fault.hold:
            await self.faults.hold()
        answer = self.before(fault, call)
        if answer is None:
            answer = self.after(fault, await self.service.work(call), call)
        self.traffic.wrote(answer.writes)
        if call.method == "GET":
            answer = self._page(call, answer, fault)
        return answer, fault

    def before(self, fault: Fault, call: Call) -> Answer | None:
        """The answer that a fault gives in place of the work; None if the work is to be done.

        Raises:
            HungUp: if the fault drops the connection before the work.
        """
        if fault == Fault():
            return None
        self.traffic.faults += 1
        if fault.expired_token:
            self.service.revoke(call)
            return self.service.admits(call) or self.service.refuse(401)
        if fault.drop == "before":
            raise HungUp
        if fault.status is not None and fault.when == "before":
            return self._replaced(self.service.refuse(fault.status), fault, call)
        return None

    def after(self, fault: Fault, answer: Answer, call: Call) -> Answer:
        """What a fault makes of the answer once the work is done.

        Raises:
            HungUp: if the fault drops the connection after the work.
        """
        if fault == Fault():
            return answer
        if fault.drop == "after":
            self.traffic.wrote(answer.writes)
            raise HungUp
        if fault.status is not None:
            answer = replace(self.service.refuse(fault.status), writes=answer.writes)
        return self._replaced(answer, fault, call)

    def _replaced(self, answer: Answer, fault: Fault, call: Call) -> Answer:
        """The answer with the body and headers the fault names."""
        headers = {**answer.headers, **(fault.headers or {})}
        if fault.content_type is not None:
            headers["content-type"] = fault.content_type
        if fault.retry_after is not None:
            headers["retry-after"] = fault.retry_after
        body = answer.body if fault.body is None else fault.body
        for name, value in (call.headers if fault.echo else {}).items():
            body = body.replace(b"{%s}" % name.encode(), value.encode())
        return replace(answer, headers={n.lower(): v for n, v in headers.items()}, body=body)

    def _page(self, call: Call, answer: Answer, fault: Fault) -> Answer:
        """Remember pages for the fault that serves an old one again."""
        same, previous = call.path + "?" + call.query, call.path
        if fault.stale_page and answer.status == 200:
            first, second = (same, previous) if fault.stale_page == "same" else (previous, same)
            return self._pages.get(first) or self._pages.get(second) or answer
        if answer.status == 200:
            for name in (same, previous):
                self._pages[name] = answer
                self._pages.move_to_end(name)
            while len(self._pages) > _REMEMBERED_PAGES:
                self._pages.popitem(last=False)
        return answer


async def _drip(answer: Answer, send: Send, *, date: str, seconds: float) -> None:
    """Send the body in ten pieces spread over some seconds."""
    pieces = [answer.body[n * len(answer.body) // 10 : (n + 1) * len(answer.body) // 10] for n in range(10)]
    headers = {"date": date, "content-length": str(len(answer.body)), **answer.headers}
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers.items()],
        }
    )
    for piece in pieces:
        await asyncio.sleep(seconds / 10)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
