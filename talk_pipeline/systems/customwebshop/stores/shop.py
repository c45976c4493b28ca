"""The system that any store is: what the pipeline asks of a shop, answered from its records."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from talk_pipeline.engine.model import Contents, Ended, Operation, Outcome, Record, Result, Write
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.description import Description
from talk_pipeline.systems.customwebshop.stores.store import (
    Change,
    GoneError,
    NotDoneError,
    PerhapsDoneError,
    RefusedError,
    Row,
    StaleError,
    Store,
)
from talk_pipeline.systems.customwebshop.wire.bodies import Composer
from talk_pipeline.systems.customwebshop.wire.evidence import Probe
from talk_pipeline.systems.customwebshop.wire.naming import Names
from talk_pipeline.systems.customwebshop.wire.records import Reader, Sought, parse
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline.systems.protocol import MOST_STAMPS, Identity, Known, Leaving, Stamps, unheard

WHOLE = Call(whole=True)
"""A record is composed as it is to be; what of it is written is the store's business."""


class StoredShop:
    """One web shop behind a store."""

    side = Side.SHOP
    batch_size = 100
    batches_in_flight = 1
    embeds_children = True

    def __init__(
        self, store: Store, flows: Flows, *, description: Description, longest_seconds: float
    ) -> None:
        self._store = store
        self._flows = flows
        self.longest_seconds = longest_seconds
        self._readers = {
            name: Reader(flow, entity, entity.moments, skew_seconds=lambda: store.skew_seconds)
            for name, flow in flows.items()
            for entity in (description.collections[flow.customwebshop.entity],)
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._store.close)

    @property
    def skew_seconds(self) -> float:
        """How far the store's clock is ahead of ours."""
        return self._store.skew_seconds

    @property
    def address(self) -> str:
        """Where it is."""
        return self._store.name

    async def identify(self) -> Identity:
        """Proves that the store is there."""
        await asyncio.to_thread(self._store.open)
        return Identity(self._store.name)

    async def sample(self, flow: str) -> tuple[Sequence[str], None]:
        """Some records."""
        async for page in self._pages(flow, None):
            return [_payload(row) for row in page], None
        return [], None

    async def look(self, flow: str) -> Sequence[Probe]:
        """What fits the description of a flow's records, and what does not."""
        return await asyncio.to_thread(lambda: [*self._store.look(self._readers[flow])])

    async def scan(self, flow: str, *, since: datetime | None) -> AsyncIterator[Sequence[Record]]:
        """Pages of records."""
        reader = self._readers[flow]
        async for page in self._pages(flow, since if self.lists_changes(flow) else None):
            yield [reader.record(_payload(row)) for row in page]

    def lists_changes(self, flow: str) -> bool:
        """Whether records say when they were modified."""
        return bool(self._readers[flow].entity.modified)

    def may_lag(self, flow: str) -> bool:
        """A store shows what it holds."""
        return False

    async def latest(self, flow: str) -> datetime | None:
        """The modified time of the record modified last."""
        if not self.lists_changes(flow):
            return None
        newest = await asyncio.to_thread(self._store.newest, self._readers[flow], most=1)
        return max(newest.values(), default=None)

    async def stamps(self, flow: str, *, since: datetime) -> Stamps:
        """Those modified last."""
        newest = await asyncio.to_thread(self._store.newest, self._readers[flow], most=MOST_STAMPS)
        return {key: at for key, at in newest.items() if at >= since}

    async def get(self, flow: str, record_id: str) -> Record | None:
        """One record as it is now."""
        reader = self._readers[flow]
        row = await asyncio.to_thread(self._store.get, reader, record_id)
        record = reader.record(_payload(row)) if row is not None else None
        return None if record is None or record.deleted else record

    async def find(
        self, flow: str, path: str, *, values: Sequence[str], among: str | None = None
    ) -> Mapping[str, Sequence[str]]:
        """Ids by value, compared here: what a store takes for equal is its own affair."""
        if among or not values:
            return {}
        return await asyncio.to_thread(self._find, self._readers[flow], path, values)

    def _find(self, reader: Reader, path: str, values: Sequence[str]) -> Mapping[str, Sequence[str]]:
        sought = Sought(values)
        for row in self._store.keyed(reader, path):
            value = sought.meant(reader.values(row).get(path))
            if value is not None:
                sought.note(value, reader.record(_payload(row)))
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
        """Each record is a change of its own."""
        return self.batch_size

    def answers_once(
        self, flow: str, operation: Operation, *, makes_children: bool, versioned: bool = True
    ) -> bool:
        """An update is carried out on what was read only: the second one is stale."""
        return operation != "create" or self._store.knows_again

    async def write(
        self, flow: str, writes: Sequence[Write], *, leaving: Leaving = unheard
    ) -> Sequence[Outcome]:
        """Carries out independent writes, one after the other."""
        reader = self._readers[flow]
        return [await self._write(reader, write, leaving) for write in writes]

    async def subscribe(self, url: str, secret: SecretStr, known: Known | None = None) -> int:
        """A store tells nobody."""
        return 0

    def understand(self, headers: Mapping[str, str], body: bytes, *, secret: SecretStr) -> set[str] | None:
        """Nor does it deliver notices."""
        return None

    async def _pages(self, flow: str, since: datetime | None) -> AsyncIterator[Sequence[Row]]:
        pages = self._store.pages(self._readers[flow], since=since)
        while (page := await asyncio.to_thread(next, pages, None)) is not None:
            yield page

    async def _write(self, reader: Reader, write: Write, leaving: Leaving) -> Outcome:
        if not getattr(reader.entity, write.operation):
            return Outcome(Result.REFUSED, reason=f"nothing is to {write.operation} in {reader.entity.path}")
        change = Change(
            write.operation,
            write.id,
            fits=_fitting(reader, write),
            after=_composing(reader, write),
            key=write.idempotency_key,
        )
        leaving([write.idempotency_key])
        try:
            row = await asyncio.to_thread(self._store.carry_out, reader, change)
        except NotDoneError as error:
            return outcome_of(error, write.operation)
        except SystemFault as fault:
            return Outcome(Result.FAILED, reason=str(fault))
        return Outcome(Result.DONE, record=reader.record(_payload(row)) if row is not None else None)


def outcome_of(error: NotDoneError, operation: Operation) -> Outcome:
    """What became of a write that was not simply done."""
    if isinstance(error, GoneError):
        return Outcome(Result.DONE if operation == "delete" else Result.GONE, reason=str(error))
    if isinstance(error, RefusedError):
        return Outcome(Result.REFUSED, reason=str(error), about_another=error.about_another)
    kinds = {StaleError: Result.STALE, PerhapsDoneError: Result.UNKNOWN}
    return Outcome(kinds.get(type(error), Result.FAILED), reason=str(error))


def _fitting(reader: Reader, write: Write) -> Callable[[Row], bool]:
    """By the version where there is one, else by all that the flow reads."""

    def fits(row: Row) -> bool:
        now = reader.record(_payload(row))
        if now.version is not None and write.version is not None:
            return now.version == write.version
        return write.current is not None and reader.contents(now.payload) == reader.contents(write.current)

    return fits


def _composing(reader: Reader, write: Write) -> Callable[[Row | None], Row]:
    composer = Composer(reader)

    def after(row: Row | None) -> Row:
        body = composer.body(
            WHOLE,
            names=reader.writable(write.values),
            values=write.values,
            children=write.children,
            current=row,
            known=Names(reader.entity, write.idempotency_key).known,
        )
        composed = parse(body)
        return composed if isinstance(composed, dict) else {}

    return after


def _payload(row: Row) -> str:
    return paths.encoded(row).decode()
