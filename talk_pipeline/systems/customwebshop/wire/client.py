"""The client that drives any shop description."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import SecretStr

from talk_pipeline.engine.model import Contents, Ended, Operation, Outcome, Record, Result, Write
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.addresses import (
    list_path,
    with_query,
)
from talk_pipeline.systems.customwebshop.spec.description import Description, Entity
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.spec.questions import asked_for, since_query
from talk_pipeline.systems.customwebshop.spec.templates import filled
from talk_pipeline.systems.customwebshop.wire import notifications
from talk_pipeline.systems.customwebshop.wire.answers import (
    is_missing,
    of_an_empty_list,
    record_in,
    shows_error,
)
from talk_pipeline.systems.customwebshop.wire.choosing import answered_once
from talk_pipeline.systems.customwebshop.wire.faults import Faults
from talk_pipeline.systems.customwebshop.wire.included import with_included
from talk_pipeline.systems.customwebshop.wire.joining import Joiner, check_lists, together
from talk_pipeline.systems.customwebshop.wire.lists import Lists
from talk_pipeline.systems.customwebshop.wire.records import Reader, Sought, parse
from talk_pipeline.systems.customwebshop.wire.writing import Writer
from talk_pipeline.systems.errors import AccessFault, SystemFault
from talk_pipeline.systems.http import Answer, Http
from talk_pipeline.systems.protocol import Identity, Known, Leaving, Stamps, unheard


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
        self._faults = Faults(description.name, http.base_url)
        self._lists = Lists(http, self._faults)
        self._joiner = Joiner(http, self._lists, self._faults)
        self.longest_seconds = http.longest_seconds
        self._readers = {
            name: Reader(
                flow,
                entity,
                entity.moments,
                address=http.base_url,
                skew_seconds=lambda: http.skew_seconds,
            )
            for name, flow in flows.items()
            for entity in (description.collections[flow.customwebshop.entity],)
        }

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

    @property
    def address(self) -> str:
        """Where it is."""
        return self._http.base_url

    async def identify(self) -> Identity:
        """Proves address and credentials by a cheap question about one collection."""
        for flow in self._flows:
            entity = self._readers[flow].entity
            if entity.latest:
                await self.latest(flow)
            else:
                await self.sample(flow)
            break
        where = urlsplit(self._http.base_url)
        return Identity(f"{where.hostname}{where.path}")

    async def sample(self, flow: str, *, sized: bool = True) -> tuple[Sequence[str], Answer]:
        """The records of a flow's first page, as received, and the answer they are from.

        Args:
            flow: whose.
            sized: as many as the description says, not as the shop would have it by itself.
        """
        entity = self._readers[flow].entity
        first = entity.paging.first() if sized else {}
        return await self._lists.one_page(entity, list_path(entity), {**entity.query, **first})

    async def scan(self, flow: str, *, since: datetime | None) -> AsyncIterator[Sequence[Record]]:
        """Pages of records, deleted ones included where the shop shows them."""
        reader = self._readers[flow]
        entity = reader.entity
        if since is not None and entity.updated_since is None:
            since = None
        async for elements in self._lists.pages(entity, list_path(entity), self._changed(entity, since)):
            yield await self._whole(flow, elements)
        if entity.deleted and entity.deleted.listed and since is not None:
            async for removed in self._lists.deletions(entity, since):
                yield removed

    def lists_changes(self, flow: str) -> bool:
        """Whether the description names a parameter for it."""
        return self._readers[flow].entity.updated_since is not None

    def may_lag(self, flow: str) -> bool:
        """A shop answers from what it has."""
        return False

    async def latest(self, flow: str) -> datetime | None:
        """The modified time of the record modified last; None where the shop has no such question."""
        entity = self._readers[flow].entity
        if entity.latest is None:
            return None
        path = filled(entity.latest.path, path=entity.path)
        body = entity.latest.body
        content = None if body is None else paths.encoded(dict(body))
        answer = await self._http.read(with_query(path, dict(entity.latest.query)), content=content)
        if not answer.ok or shows_error(entity, answer):
            raise self._faults.without_success(entity, answer)
        found = paths.get(self._faults.json(answer), entity.latest.at)
        if found is paths.MISSING and of_an_empty_list(answer, entity.latest.at):
            return None
        moment = self._readers[flow].passed(found)
        if found is paths.MISSING or (moment is None and paths.text_of(found) is not None):
            where = f"no latest change at {entity.latest.at!r}"
            raise self._faults.unlike("latest", answer, where)
        return moment

    async def stamps(self, flow: str, *, since: datetime) -> Stamps:
        """Of the first page of a scan, without what its records have elsewhere."""
        reader = self._readers[flow]
        entity = reader.entity
        if entity.latest is None or entity.summaries:
            return {}
        query = {**self._changed(entity, since), **entity.paging.first()}
        elements, _ = await self._lists.one_page(entity, list_path(entity), query)
        return reader.stamps(parse(one) for one in elements)

    async def get(self, flow: str, record_id: str) -> Record | None:
        """One record as it is now, its lists included."""
        reader = self._readers[flow]
        asked = asked_for(reader.entity, record_id)
        answer = await self._http.read(asked.path, content=asked.content)
        if is_missing(reader.entity, answer):
            return None
        if not answer.ok or shows_error(reader.entity, answer):
            raise self._faults.without_success(reader.entity, answer)
        payload = record_in(answer, reader.entity)
        payload = payload and with_included(reader.entity, answer.body, [payload])[0]
        if payload is None:
            where = f"no record with {reader.entity.id}"
            at = f" at {reader.entity.record!r}" if reader.entity.record else ""
            raise self._faults.unlike("record", answer, where + at)
        whole = await self._joiner.joined(reader, record_id, payload)
        if whole is None:
            return None
        data = parse(whole)
        record = reader.told(whole, data, headers=answer.headers)
        if record.deleted:
            return None
        check_lists(reader, data, payload=whole)
        return record

    async def find(
        self, flow: str, path: str, *, values: Sequence[str], among: str | None = None
    ) -> Mapping[str, Sequence[str]]:
        """Ids by value: by the shop's search where the description tells one, else by reading everything."""
        sought = Sought(values)
        if among or not values:
            return sought.ids
        async for page in self._candidates(flow, path, values):
            for record in page:
                value = sought.meant(self.decode(flow, record.payload).values.get(path))
                if value is not None:
                    sought.note(value, record)
        return sought.ids

    async def ended(self, flow: str, path: str | None, *, values: Sequence[str]) -> Mapping[str, Ended]:
        """A shop's records go on nowhere else."""
        return {}

    def decode(self, flow: str, payload: str) -> Contents:
        """The values and children of a record."""
        return self._readers[flow].contents(payload)

    def reading(self, flow: str) -> str:
        """What the description says of the entity."""
        return self._readers[flow].reading

    def rows_at_once(self, flow: str) -> int:
        """Writes go one by one, each with an answer of its own."""
        return self.batch_size

    def answers_once(
        self, flow: str, operation: Operation, *, makes_children: bool, versioned: bool = True
    ) -> bool:
        """A create by its key, an update by its version, as far as each is one request.

        A version that lists do not show is read just before.
        """
        return answered_once(self._readers[flow], operation, makes_children=makes_children)

    def acts_by(self, flow: str, paths: Collection[str]) -> bool:
        """Whether the description has calls of their own for values of one of them."""
        entity = self._readers[flow].entity
        acting = {name for call in entity.update for name in call.when}
        for key, lines in entity.children.items():
            acting |= {f"{key}.{name}" for call in lines.update for name in call.when}
        return not acting.isdisjoint(paths)

    def makes_in_steps(self, flow: str, children: str | None = None) -> bool:
        """Whether the description says more than one call of a create; a draft of several is taken whole."""
        reader = self._readers[flow]
        if children is None:
            return len(reader.entity.create) > 1
        return any(name == children and lines.made_in_steps for name, lines in reader.lists())

    async def write(
        self, flow: str, writes: Sequence[Write], *, leaving: Leaving = unheard
    ) -> Sequence[Outcome]:
        """Carries out independent writes side by side."""
        writer = Writer(
            self._http, self._readers[flow], lambda record_id: self.get(flow, record_id), leaving=leaving
        )
        ended = await asyncio.gather(*(writer.write(write) for write in writes), return_exceptions=True)
        outcomes: list[Outcome] = []
        for one in ended:
            if isinstance(one, BaseException) and not isinstance(one, SystemFault):
                raise one
            # one that never left says nothing about those beside it
            outcomes.append(Outcome(Result.FAILED, reason=str(one)) if isinstance(one, SystemFault) else one)
        if ended and all(isinstance(one, AccessFault) for one in ended):
            raise AccessFault(outcomes[0].reason)
        return outcomes

    async def write_dry(self, flow: str, write: Write) -> Outcome | None:
        """A write that the shop checks and does not carry out; None where it has no such thing."""
        reader = self._readers[flow]
        dry = reader.entity.dry_run
        if dry is None:
            return None
        calls = {
            kind: tuple(
                call.but(query={**call.query, **dry.query}, headers={**call.headers, **dry.headers})
                for call in getattr(reader.entity, kind)
            )
            for kind in ("create", "update", "delete")
        }
        checked = Reader(
            self._flows[flow], reader.entity.but(**calls), reader.times, address=self._http.base_url
        )
        return await Writer(self._http, checked, lambda record_id: self.get(flow, record_id)).write(write)

    async def subscribe(self, url: str, secret: SecretStr, known: Known | None = None) -> int:
        """Registers the address where the shop has webhooks."""
        webhooks = self._shop.webhooks
        if not webhooks:
            return 0
        return await notifications.subscribe(self._http, webhooks, url=url, secret=secret, before=known)

    def understand(self, headers: Mapping[str, str], body: bytes, *, secret: SecretStr) -> set[str] | None:
        """The flows a delivery tells about."""
        webhooks = self._shop.webhooks
        if webhooks is None:
            return None
        return notifications.understand(headers, body, self._flows, webhooks=webhooks, secret=secret)

    async def _whole(self, flow: str, elements: Sequence[str]) -> Sequence[Record]:
        """The records of a page with all that lists leave out."""
        reader = self._readers[flow]
        if reader.entity.summaries:
            listed = [reader.record(element) for element in elements]
            whole = iter(await together(self.get(flow, one.id) for one in listed if not one.deleted))
            found = [one if one.deleted else next(whole) for one in listed]
            return [record for record in found if record is not None]
        if reader.entity.asks_for_parts or any(
            lines.apart or lines.paged_within for _, lines in reader.lists()
        ):
            listed = [reader.record(element) for element in elements]
            joined = await together(self._joiner.joined(reader, one.id, one.payload) for one in listed)
            elements = [payload for payload in joined if payload is not None]
        records: list[Record] = []
        for element in elements:
            data = parse(element)
            record = reader.told(element, data)
            if not record.deleted:  # of what was deleted little may be left
                check_lists(reader, data, payload=element)
            records.append(record)
        return records

    async def _candidates(
        self, flow: str, path: str, values: Sequence[str]
    ) -> AsyncIterator[Sequence[Record]]:
        entity = self._readers[flow].entity
        search = entity.search.get(path)
        if search is None:
            async for page in self.scan(flow, since=None):
                yield page
            return
        for value in values:
            query = search.replace("{value}", quote(value, safe=""))
            parameters = {**entity.query, **dict(parse_qsl(query, keep_blank_values=True))}
            async for elements in self._lists.pages(entity, list_path(entity), parameters):
                yield await self._whole(flow, elements)

    def _changed(self, entity: Entity, since: datetime | None) -> dict[str, Json]:
        """What a list is asked, deleted records included where the shop shows them."""
        changed = since_query(entity, entity.updated_since, since) if since and entity.updated_since else {}
        return {**entity.query, **changed, **(entity.deleted.query if entity.deleted else {})}
