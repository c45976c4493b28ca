"""The client that drives any shop description."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from pydantic import SecretStr

from talk_pipeline.engine.records import Child, ChildEdit, Contents, Outcome, Record, Result, Write
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Side
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.systems.customwebshop import notifications
from talk_pipeline.systems.customwebshop.description import Description, Entity, Wire
from talk_pipeline.systems.errors import ConfigurationFault, SystemFault, UnavailableFault
from talk_pipeline.systems.http import Answer, Http, OutcomeUnknownError
from talk_pipeline.systems.protocol import Identity

_encoder = msgspec.json.Encoder(decimal_format="number")


class Customwebshop:
    """One web shop."""

    side = Side.SHOP
    batch_size = 100
    batches_in_flight = 1
    embeds_children = True

    def __init__(self, http: Http, flows: Flows, *, description: Description) -> None:
        self._http = http
        self._flows = flows
        self._shop = description

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    @property
    def skew_seconds(self) -> float:
        """How far the server's clock is ahead of ours."""
        return self._http.skew_seconds

    async def identify(self) -> Identity:
        """Proves address and token by the cheap question about one collection."""
        for flow in self._flows:
            await self.latest(flow)
            break
        where = urlsplit(self._http.base_url)
        return Identity(f"{where.hostname}{where.path}")

    async def scan(self, flow: str, *, since: datetime | None) -> AsyncIterator[Sequence[Record]]:
        """Pages of records, deleted ones included."""
        paging = self._shop.paging
        query = {paging.size_parameter: str(paging.size), self._shop.deleted.parameter: "true"}
        if since is not None:
            query[self._shop.updated_since] = _timestamp(since)
        cursor: str | None = None
        while True:
            page = query if cursor is None else query | {paging.parameter: cursor}
            data = self._page(await self._http.read(f"{self._path(flow)}?{urlencode(page)}"))
            yield [
                self._record(raw)
                for raw in msgspec.json.decode(data[self._shop.records], type=list[msgspec.Raw])
            ]
            cursor = msgspec.json.decode(data.get(paging.next, b"null"))
            if cursor is None:
                return

    def may_lag(self, flow: str) -> bool:
        """A shop answers from what it has."""
        return False

    async def latest(self, flow: str) -> datetime | None:
        """The modified time of the record modified last."""
        answer = await self._http.read(f"{self._path(flow)}/{self._shop.count.path}")
        data = self._page(answer)
        if self._shop.count.latest not in data:
            raise ConfigurationFault(self._not_this_shop(answer))
        return _moment(msgspec.json.decode(data[self._shop.count.latest]))

    async def get(self, flow: str, record_id: str, *, closed: bool = False) -> Record | None:
        """One record as it is now; a shop keeps no closed ones elsewhere."""
        answer = await self._http.read(f"{self._path(flow)}/{quote(record_id, safe='')}")
        if closed or answer.status in (404, 410):
            return None
        if not answer.ok:
            raise self._fault(answer)
        return self._record(answer.body, version=answer.headers.get(self._shop.version.header))

    async def find(
        self, flow: str, path: str, *, values: Sequence[str], closed: bool = False
    ) -> Mapping[str, Sequence[str]]:
        """Ids by value, by reading the whole collection: the reference API has no search by key."""
        wanted = {value.upper(): value for value in values}
        found: dict[str, list[str]] = {}
        if closed or not wanted:
            return found
        async for page in self.scan(flow, since=None):
            for record in page:
                value = wanted.get((self.decode(flow, record.payload).values.get(path) or "").upper())
                if value is not None and not record.deleted:
                    found.setdefault(value, []).append(record.id)
        return found

    def decode(self, flow: str, payload: str) -> Contents:
        """The values and children of a record."""
        declared = self._flows[flow]
        data = json.loads(payload, parse_float=str, parse_int=str)
        values = {path: _text(_at(data, path)) for path in declared.fields(declared.root, Side.SHOP)}
        children: dict[str, tuple[Child, ...]] = {}
        for part in declared.parts[1:]:
            path, fields = part.paths[Side.SHOP], declared.fields(part, Side.SHOP)
            key = self._entity(declared).children[path].id
            children[path] = tuple(
                Child(str(_at(row, key)), None, {field: _text(_at(row, field)) for field in fields})
                for row in _at(data, path) or ()
            )
        return Contents(values, children)

    async def write(self, flow: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Carries out independent writes side by side, one request each."""
        return await asyncio.gather(*(self._write(flow, write) for write in writes))

    async def subscribe(self, url: str, secret: SecretStr) -> int:
        """Registers the address where the shop has webhooks."""
        webhooks = self._shop.webhooks
        return await notifications.subscribe(self._http, webhooks, url=url, secret=secret) if webhooks else 0

    def understand(self, headers: Mapping[str, str], body: bytes, *, secret: SecretStr) -> set[str] | None:
        """The flows a delivery tells about."""
        webhooks = self._shop.webhooks
        if webhooks is None:
            return None
        return notifications.understand(headers, body, self._flows, webhooks=webhooks, secret=secret)

    async def _write(self, flow: str, write: Write) -> Outcome:
        headers = {"Content-Type": "application/json"}
        if write.operation == "create":
            headers[self._shop.idempotency_header] = write.idempotency_key
            return await self._send(flow, write, method="POST", headers=headers)
        version = write.version
        if version is None:
            read = await self._reread(flow, write)
            if isinstance(read, Outcome):
                return read
            version = read
        if version is not None:
            headers[self._shop.version.condition] = version
        method = "DELETE" if write.operation == "delete" else self._shop.update
        return await self._send(flow, write, method=method, headers=headers)

    async def _reread(self, flow: str, write: Write) -> str | Outcome | None:
        """The version to write against, from a fresh read that shows nothing newer than what is known."""
        try:
            record = await self.get(flow, write.id or "")
        except SystemFault as fault:
            return Outcome(Result.FAILED, reason=str(fault))
        if record is None:
            return Outcome(Result.GONE, reason="the record is gone")
        if write.current is None or self.decode(flow, record.payload) != self.decode(flow, write.current):
            return Outcome(Result.STALE, reason="the record changed since it was read")
        return record.version

    async def _send(self, flow: str, write: Write, *, method: str, headers: Mapping[str, str]) -> Outcome:
        path = self._path(flow) + (f"/{quote(write.id, safe='')}" if write.id else "")
        content = b"" if write.operation == "delete" else _encoder.encode(self._body(flow, write))
        try:
            answer = await self._http.write(method, path, content=content, headers=headers)
        except OutcomeUnknownError as error:
            return Outcome(Result.UNKNOWN, reason=str(error))
        if answer.ok:
            if write.operation == "delete":
                return Outcome(Result.DONE)
            return Outcome(
                Result.DONE,
                record=self._record(answer.body, version=answer.headers.get(self._shop.version.header)),
            )
        return self._refusal(write, answer)

    def _refusal(self, write: Write, answer: Answer) -> Outcome:
        reason = self._reason(answer)
        if answer.status == 412:
            return Outcome(Result.STALE, reason=reason)
        if answer.status in (404, 410):
            if write.operation == "create":
                return Outcome(Result.FAILED, reason=reason)
            return Outcome(Result.DONE if write.operation == "delete" else Result.GONE, reason=reason)
        if answer.status == 429:
            return Outcome(Result.FAILED, reason=reason)
        if answer.status == 408 or answer.status >= 500:
            return Outcome(Result.UNKNOWN, reason=reason)
        return Outcome(Result.REFUSED, reason=reason)

    def _body(self, flow: str, write: Write) -> dict[str, Any]:
        entity = self._entity(self._flows[flow])
        body = _nested(entity, write.values)
        for path, edits in write.children.items():
            child = entity.children[path]
            current = json.loads(write.current or "{}", parse_float=str, parse_int=str)
            body[path] = _lines(_at(current, path) or [], edits, key=child.id, wire=child)
        return body

    def _record(self, raw: msgspec.Raw | bytes, *, version: str | None = None) -> Record:
        payload = bytes(raw).decode()
        data = json.loads(payload)
        return Record(
            id=str(_at(data, self._shop.id)),
            version=version,
            modified_at=_moment(_at(data, self._shop.modified)),
            deleted=_at(data, self._shop.deleted.field) is not None,
            payload=payload,
        )

    def _page(self, answer: Answer) -> dict[str, msgspec.Raw]:
        if not answer.ok:
            raise self._fault(answer)
        try:
            return msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw])
        except msgspec.DecodeError as error:
            raise ConfigurationFault(self._not_this_shop(answer)) from error

    def _fault(self, answer: Answer) -> SystemFault:
        if answer.status == 404:
            return ConfigurationFault(self._not_this_shop(answer))
        return UnavailableFault(f"{self._shop.name} answers {answer.status}: {self._reason(answer)}")

    def _not_this_shop(self, answer: Answer) -> str:
        return (
            f"{self._http.base_url} does not answer like {self._shop.name} ({answer.status}): "
            "check CUSTOMWEBSHOP_URL and CUSTOMWEBSHOP_CONNECTOR"
        )

    def _reason(self, answer: Answer) -> str:
        shape = self._shop.error
        try:
            data = json.loads(answer.body)
        except ValueError:
            return answer.body[:200].decode(errors="replace")
        code, message, field = (_at(data, path) for path in (shape.code, shape.message, shape.field))
        return f"{code or answer.status}: {f'{field}: ' if field else ''}{message or ''}"

    def _entity(self, flow: Flow) -> Entity:
        return self._shop.entities[flow.customwebshop.entity]

    def _path(self, flow: str) -> str:
        return self._entity(self._flows[flow]).path


def check_flows(flows: Flows, description: Description) -> Iterator[str]:
    """What the flows ask of the shop that its description does not tell."""
    for flow in flows.values():
        name = flow.customwebshop.entity
        entity = description.entities.get(name)
        if entity is None:
            yield f"{flow.name}: the shop has no {name!r}; allowed: {', '.join(description.entities)}"
            continue
        for part in flow.parts[1:]:
            if part.paths[Side.SHOP] not in entity.children:
                yield f"{part.name}: {name} has no list {part.paths[Side.SHOP]!r}"


def base_url(url: str, description: Description) -> str:
    """The shop's address with the description's base path, however the setting was written."""
    plain = url.rstrip("/")
    return plain if plain.endswith(description.base_path) else plain + description.base_path


def _at(data: Any, path: str) -> Any:
    for step in path.split("."):
        if not isinstance(data, dict):
            return None
        data = data.get(step)
    return data


def _text(value: Any) -> Value:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _wire(wire: Wire, path: str, value: Value) -> object:
    if value is None:
        return None
    if path in wire.booleans:
        return value == "true"
    if path in wire.numbers:
        return msgspec.Raw(value.encode())
    return value


def _nested(wire: Wire, values: Mapping[str, Value]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for path, value in values.items():
        *parents, last = path.split(".")
        inner = body
        for step in parents:
            inner = inner.setdefault(step, {})
        inner[last] = _wire(wire, path, value)
    return body


def _lines(
    current: list[dict[str, Any]], edits: Sequence[ChildEdit], *, key: str, wire: Wire
) -> list[dict[str, Any]]:
    """The whole list as it is to be: untouched lines by id alone, since only what is named changes."""
    by_id = {edit.id: edit for edit in edits if edit.id is not None}
    lines: list[dict[str, Any]] = []
    for row in current:
        edit = by_id.get(str(row[key]))
        if edit is None:
            lines.append({key: row[key]})
        elif edit.operation == "update":
            lines.append({key: row[key], **_nested(wire, edit.values)})
    lines += [_nested(wire, edit.values) for edit in edits if edit.operation == "create"]
    return lines


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
