"""JSON ``$batch``: parts one after another, stopping, carrying on, or all together.

A snapshot batch that fails is undone as a whole and still shows the answers of the parts before the failure;
that is how the service behaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.businesscentral import bodies, errors
from talk_pipeline.sandbox.businesscentral.service import Central
from talk_pipeline.sandbox.businesscentral.urls import template_of
from talk_pipeline.sandbox.exchange import Answer, Call, HungUp, Write
from talk_pipeline.sandbox.faults import Fault
from talk_pipeline.sandbox.gateway import Gateway

_LEAKING = ("Internal_EntityWithSameKeyExists", "BadRequest")


class _Undo(Exception):
    """Takes a snapshot batch back."""


class Batches:
    """Carries out batches against the sets of `central`, under the faults and pace of `gateway`."""

    def __init__(self, central: Central, gateway: Gateway) -> None:
        self._central = central
        self._gateway = gateway

    async def answer(self, call: Call, root: str, api: str) -> Answer:
        """Carry out one batch."""
        try:
            parts = self._parts(call, root, api)
        except errors.ApiError as error:
            return error.answer()
        for part in parts:
            self._gateway.traffic.count_call(part.call.method, template_of(part.call.path), part=True)
        prefer = (call.header("prefer") or "").lower().replace(" ", "")
        carry_on = "continue-on-error" in prefer and "continue-on-error=false" not in prefer
        whole = (call.header("isolation") or call.header("odata-isolation") or "").lower() == "snapshot"
        if whole:
            return await self._together(parts, root, carry_on=carry_on)
        return await self._singly(parts, root, carry_on=carry_on)

    async def _singly(self, parts: list[_Part], root: str, *, carry_on: bool) -> Answer:
        """Each part is its own transaction."""
        answers: list[tuple[_Part, Answer]] = []
        try:
            for part in parts:
                fault = self._gateway.faults.pick(part.call.method, part.call.path) or Fault()
                pace = self._gateway.budgets.limits.operation_latency + fault.delay
                if pace and part is not parts[0] or fault.delay:
                    await asyncio.sleep(pace)
                answer = self._one(part, fault, root)
                answers.append((part, answer))
                if answer.status >= 400 and not carry_on:
                    break
        except HungUp:
            self._gateway.traffic.wrote(_writes(answers))
            raise
        return _outer(answers, _writes(answers))

    async def _together(self, parts: list[_Part], root: str, *, carry_on: bool) -> Answer:
        """All parts in one transaction, without letting anyone else in between."""
        faults = [self._gateway.faults.pick(p.call.method, p.call.path) or Fault() for p in parts]
        pace = self._gateway.budgets.limits.operation_latency
        wait = sum(fault.delay for fault in faults) + pace * (len(parts) - 1)
        if wait > 0:
            await asyncio.sleep(wait)
        answers: list[tuple[_Part, Answer]] = []
        lost = False
        try:
            with self._central.store.transaction():
                for part, fault in zip(parts, faults, strict=True):
                    try:
                        answer = self._one(part, fault, root)
                    except HungUp:
                        if fault.drop == "before":
                            raise
                        lost = True  # the server finishes what nobody will hear of
                        continue
                    answers.append((part, answer))
                    if answer.status >= 400 and not carry_on:
                        break
                self._settle(answers)
        except _Undo:
            return _outer(answers, ())
        if lost:
            self._gateway.traffic.wrote(_writes(answers))
            raise HungUp
        return _outer(answers, _writes(answers))

    def _one(self, part: _Part, fault: Fault, root: str) -> Answer:
        early = self._gateway.before(fault, part.call)
        if early is not None:
            return early
        if part.refusal is not None:
            return part.refusal
        return self._gateway.after(
            fault, self._central.answer(part.call, part.path, root, part.api), part.call
        )

    def _settle(self, answers: list[tuple[_Part, Answer]]) -> None:
        """Undo everything if anything failed."""
        if any(answer.status >= 400 for _, answer in answers) and not self._leaks(answers):
            raise _Undo

    def _leaks(self, answers: list[tuple[_Part, Answer]]) -> bool:
        """Whether this failure leaves the parts before it committed, as has been seen of the service."""
        if not self._central.settings["snapshot_leaks"]:
            return False
        failed = next(answer for _, answer in answers if answer.status >= 400)
        return wire.read(failed.body)["error"]["code"] in _LEAKING

    # -- taking the batch apart -------------------------------------------------------------------------------

    def _parts(self, call: Call, root: str, api: str) -> list[_Part]:
        if call.method != "POST":
            raise errors.not_allowed(call.method, "$batch")
        document = bodies.document_of(call, self._central.settings)
        entries = document.get("requests")
        if not isinstance(entries, list):
            raise errors.bad_request("A batch is an object with a list of 'requests'.")
        maximum = self._gateway.budgets.limits.batch_size
        if len(entries) > maximum:
            raise errors.ApiError(
                500, "Unknown", f"A batch holds at most {maximum} operations; this one has {len(entries)}."
            )
        return [self._part(entry, call, root, api) for entry in entries]

    def _part(self, entry: Any, outer: Call, root: str, api: str) -> _Part:
        if not isinstance(entry, Mapping) or not all(
            isinstance(entry.get(n), str) for n in ("method", "url")
        ):
            raise errors.bad_request("Each request of a batch has a 'method' and a 'url'.")
        url = str(entry["url"])
        if url.startswith(root):
            url = url[len(root) :]
        path, _, query = url.partition("?")
        path = "/" + path.lstrip("/")
        headers = {str(name).lower(): str(value) for name, value in (entry.get("headers") or {}).items()}
        headers.setdefault("authorization", outer.header("authorization") or "")
        document: dict[str, Any] = {"document": entry["body"]} if "body" in entry else {}
        if document:
            headers.setdefault("content-type", "application/json")
        call = Call(
            method=str(entry["method"]).upper(),
            path=root[len(outer.origin) :] + path,
            query=query,
            headers=headers,
            origin=outer.origin,
            **document,
        )
        return _Part(id=entry.get("id"), call=call, path=path, api=api, refusal=self._refusal(entry, path))

    def _refusal(self, entry: Mapping[str, Any], path: str) -> Answer | None:
        dependent = entry.get("dependsOn") or entry.get("atomicityGroup")
        if dependent and self._central.settings["batch_dependencies"] == "refused":
            return errors.not_implemented("dependsOn and atomicityGroup are not supported.").answer()
        if path.startswith(("/$batch", "/subscriptions")):
            return errors.not_implemented(f"'{path}' cannot be part of a batch.").answer()
        return None


class _Part(msgspec.Struct, frozen=True):
    """One request of a batch; `refusal` answers it without any work."""

    id: Any
    call: Call
    path: str
    api: str
    refusal: Answer | None


def _writes(answers: list[tuple[_Part, Answer]]) -> tuple[Write, ...]:
    return tuple(write for _, answer in answers for write in answer.writes)


def _outer(answers: list[tuple[_Part, Answer]], writes: tuple[Write, ...]) -> Answer:
    responses = []
    for part, answer in answers:
        response: dict[str, Any] = {"id": part.id, "status": answer.status, "headers": dict(answer.headers)}
        if answer.body:
            content_type = next((v for n, v in answer.headers.items() if n.lower() == "content-type"), "")
            plain = "json" not in content_type
            response["body"] = answer.body.decode("utf-8", "replace") if plain else msgspec.Raw(answer.body)
        responses.append(response)
    headers = {"Content-Type": errors.CONTENT_TYPE, "OData-Version": "4.0"}
    return Answer(200, wire.write({"responses": responses}), headers, writes)
