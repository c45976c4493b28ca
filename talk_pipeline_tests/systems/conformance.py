"""What every system must do, whatever it is: one suite that each connector passes, and any further one must.

A connector's tests subclass `SystemConformance`, or `ReadingConformance` where writes are answered later, and say
in a fixture `subject` how its users make, edit and delete records of one flow, and how the server is made to fail.
Nothing here knows how a system speaks.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import pytest

from talk_pipeline.engine.model import Operation, Outcome, Record, Result, Write
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline.systems.protocol import Stamps, System

PAGE = 3

T = TypeVar("T")


class Subject(Protocol):
    """A system under test, and the hands of its users.

    Attributes:
        flow: of whose records it is about.
        entity: what the system calls them.
        key: path of the natural key.
        name: path of a text that may be edited.
    """

    flow: str
    entity: str
    key: str
    name: str

    def opened(self) -> AbstractAsyncContextManager[System]:
        """The connector, connected and identified."""
        ...

    def make(self, key: str) -> str:
        """A user makes a record; returns its id."""
        ...

    def edit(self, record_id: str, name: str) -> None:
        """A user edits the name of a record."""
        ...

    def delete(self, record_id: str) -> None:
        """A user deletes a record."""
        ...

    def names(self) -> dict[str, str]:
        """Natural key -> name of every record there is, as its users see it."""
        ...

    def values(self, key: str) -> Mapping[str, str | None]:
        """The least that a new record must be sent, by path."""
        ...

    def pages_of(self, size: int) -> None:
        """The server serves pages of that many records at most."""
        ...

    def loses_answer(self, *, done: bool) -> None:
        """The next write's answer is lost, after it was carried out or before."""
        ...

    def fails_reading_after(self, pages: int) -> None:
        """Reading breaks off for good after some pages."""
        ...

    def let_time_pass(self) -> None:
        """Until two edits have different modified times."""
        ...


class ReadingConformance:
    """What is read. What is promised where is in `systems.protocol`."""

    def test_a_scan_brings_every_record_once(self, subject: Subject) -> None:
        ids = {subject.make(f"K{n}") for n in range(4)}
        assert _ids(_run(subject, _scan(subject))) == ids

    @pytest.mark.parametrize("records", [0, PAGE, PAGE + 1, 10 * PAGE])
    def test_pages_are_followed_to_the_end(self, subject: Subject, records: int) -> None:
        subject.pages_of(PAGE)
        ids = {subject.make(f"K{n:02}") for n in range(records)}
        found = _run(subject, _scan(subject))
        assert _ids(found) == ids
        assert len(found) == records

    def test_a_scan_that_breaks_off_never_ends_quietly(self, subject: Subject) -> None:
        subject.pages_of(PAGE)
        for n in range(3 * PAGE):
            subject.make(f"K{n}")
        subject.fails_reading_after(2)
        with pytest.raises(SystemFault):
            _run(subject, _scan(subject))

    def test_a_scan_since_a_moment_brings_what_was_modified_at_or_after_it(self, subject: Subject) -> None:
        old, edited = subject.make("K1"), subject.make("K2")
        subject.let_time_pass()
        subject.edit(edited, "edited")

        async def since(system: System) -> tuple[set[str], set[str]]:
            latest = await system.latest(subject.flow)
            assert latest is not None
            at = await _collected(system, subject.flow, since=latest)
            after = await _collected(system, subject.flow, since=latest + timedelta(milliseconds=1))
            return _ids(at), _ids(after)

        at, after = _run(subject, since)
        assert edited in at, "a moment is part of what comes since it"
        assert old not in at
        assert old not in after

    def test_what_was_modified_since_a_moment_is_told_by_ids_and_times_as_a_scan_tells_it(
        self, subject: Subject
    ) -> None:
        subject.make("K1")
        subject.let_time_pass()
        made = [subject.make(f"K{n}") for n in (2, 3)]

        async def told(system: System) -> tuple[Stamps, list[Record]]:
            first = next(one for one in await _collected(system, subject.flow) if one.id == made[0])
            assert first.modified_at is not None
            stamps = await system.stamps(subject.flow, since=first.modified_at)
            return stamps, await _collected(system, subject.flow, since=first.modified_at)

        stamps, scanned = _run(subject, told)
        assert stamps == {one.id: one.modified_at for one in scanned}
        assert set(made) == set(stamps)

    def test_a_record_read_alone_is_the_one_that_was_listed(self, subject: Subject) -> None:
        subject.make("K1")

        async def both(system: System) -> tuple[Record, Record | None]:
            (listed,) = await _collected(system, subject.flow)
            return listed, await system.get(subject.flow, listed.id)

        listed, alone = _run(subject, both)
        assert alone is not None
        assert (alone.id, alone.modified_at) == (listed.id, listed.modified_at)
        assert listed.version in (None, alone.version), (
            "a list may leave versions out, and never tells other ones"
        )

    def test_what_was_deleted_is_not_there(self, subject: Subject) -> None:
        gone, there = subject.make("K1"), subject.make("K2")
        subject.delete(gone)

        async def looked(system: System) -> tuple[Record | None, Record | None, list[Record]]:
            alone = [await system.get(subject.flow, one) for one in (gone, there)]
            return alone[0], alone[1], await _collected(system, subject.flow)

        deleted, kept, listed = _run(subject, looked)
        assert deleted is None or deleted.deleted
        assert kept is not None
        assert not kept.deleted
        assert {one.id for one in listed if not one.deleted} == {there}

    def test_records_are_found_by_key_and_nothing_that_merely_resembles_it(self, subject: Subject) -> None:
        one, _other = subject.make("K1"), subject.make("K11")

        async def found(system: System) -> dict[str, list[str]]:
            hits = await system.find(subject.flow, subject.key, values=["K1", "K2"])
            return {value: list(ids) for value, ids in hits.items() if ids}

        assert _run(subject, found) == {"K1": [one]}


class SystemConformance(ReadingConformance):
    """What is read, and what is written and answered at once."""

    def test_a_create_is_answered_with_the_whole_record(self, subject: Subject) -> None:
        (outcome,) = _write(subject, _new(subject, "K1"))
        assert outcome.result is Result.DONE
        assert outcome.record is not None
        assert subject.names() == {"K1": "named K1"}

        async def again(system: System) -> tuple[str | None, str | None]:
            assert outcome.record is not None
            told = system.decode(subject.flow, outcome.record.payload).values[subject.name]
            read = await system.get(subject.flow, outcome.record.id)
            assert read is not None
            return told, system.decode(subject.flow, read.payload).values[subject.name]

        assert _run(subject, again) == ("named K1", "named K1")

    def test_an_update_changes_what_it_names_and_moves_the_version(self, subject: Subject) -> None:
        before = _read(subject, subject.make("K1"))
        (outcome,) = _write(subject, _change(subject, before, "new name"))
        assert outcome.result is Result.DONE
        assert subject.names() == {"K1": "new name"}
        assert _read(subject, before.id).version != before.version

    def test_a_stale_update_changes_nothing(self, subject: Subject) -> None:
        seen = _read(subject, subject.make("K1"))
        subject.let_time_pass()
        subject.edit(seen.id, "edited meanwhile")
        (outcome,) = _write(subject, _change(subject, seen, "overwritten"))
        assert outcome.result is Result.STALE
        assert subject.names() == {"K1": "edited meanwhile"}

    def test_a_refused_write_leaves_the_others_done(self, subject: Subject) -> None:
        subject.make("TAKEN")
        outcomes = _write(subject, *(_new(subject, key) for key in ("K1", "TAKEN", "K2")))
        assert [outcome.result for outcome in outcomes] == [Result.DONE, Result.REFUSED, Result.DONE]
        assert outcomes[1].reason
        assert set(subject.names()) == {"TAKEN", "K1", "K2"}

    @pytest.mark.parametrize("done", [True, False], ids=["carried out", "not carried out"])
    def test_a_create_without_an_answer_is_unknown_and_not_repeated(
        self, subject: Subject, *, done: bool
    ) -> None:
        subject.loses_answer(done=done)
        (outcome,) = _write(subject, _new(subject, "K1"))
        assert outcome.result is Result.UNKNOWN
        assert list(subject.names()) == (["K1"] if done else [])

    def test_an_update_without_an_answer_is_unknown_or_read_again(self, subject: Subject) -> None:
        before = _read(subject, subject.make("K1"))
        subject.loses_answer(done=True)
        (outcome,) = _write(subject, _change(subject, before, "new name"))
        assert outcome.result in (Result.UNKNOWN, Result.DONE)
        assert subject.names() == {"K1": "new name"}

    def test_a_deletion_is_done_once_and_gone_after(self, subject: Subject) -> None:
        before = _read(subject, subject.make("K1"))
        results = [_write(subject, _gone(subject, before))[0].result for _ in range(2)]
        assert results[0] is Result.DONE
        assert results[1] in (Result.DONE, Result.GONE), "what is gone already is what was wanted"
        assert subject.names() == {}

    def test_an_update_of_what_is_gone_says_so(self, subject: Subject) -> None:
        before = _read(subject, subject.make("K1"))
        subject.delete(before.id)
        (outcome,) = _write(subject, _change(subject, before, "new name"))
        assert outcome.result in (Result.GONE, Result.STALE)


def _run(subject: Subject, work: Callable[[System], Awaitable[T]]) -> T:
    async def opened() -> T:
        async with subject.opened() as system:
            return await work(system)

    return asyncio.run(opened())


def _scan(subject: Subject) -> Callable[[System], Awaitable[list[Record]]]:
    return lambda system: _collected(system, subject.flow)


async def _collected(system: System, flow: str, *, since: datetime | None = None) -> list[Record]:
    pages: AsyncIterator[Sequence[Record]] = system.scan(flow, since=since)
    return [record async for page in pages for record in page]


def _ids(records: Sequence[Record]) -> set[str]:
    return {record.id for record in records}


def _read(subject: Subject, record_id: str) -> Record:
    record = _run(subject, lambda system: system.get(subject.flow, record_id))
    assert record is not None
    return record


def _write(subject: Subject, *writes: Write) -> Sequence[Outcome]:
    return _run(subject, lambda system: system.write(subject.flow, writes))


def _new(subject: Subject, key: str) -> Write:
    return Write(subject.entity, "create", None, None, subject.values(key), idempotency_key=f"new {key}")


def _change(subject: Subject, seen: Record, name: str) -> Write:
    return _on(subject, seen, "update", {subject.name: name})


def _gone(subject: Subject, seen: Record) -> Write:
    return _on(subject, seen, "delete", {})


def _on(subject: Subject, seen: Record, operation: Operation, values: dict[str, str | None]) -> Write:
    return Write(
        subject.entity, operation, seen.id, seen.version, values, idempotency_key="", current=seen.payload
    )


@asynccontextmanager
async def identified(system: System) -> AsyncIterator[System]:
    """A connector that knows its company."""
    async with system:
        await system.identify()
        yield system
