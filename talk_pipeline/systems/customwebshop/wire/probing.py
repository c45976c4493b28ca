"""Proving a description against the live shop: what is said of it is asked of it, one small request a statement.

Nothing is changed: the one write that is tried carries values the record already has, and either a version that
cannot be right or what makes this shop check and not write. What the records show by themselves is `evidence`.
"""

from asyncio import gather
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from talk_pipeline.engine.model import Record, Result, Write
from talk_pipeline.flows.mistakes import Location
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.description import Description, Entity, Shared
from talk_pipeline.systems.customwebshop.spec.paging import Seen, further_page, told_to_end
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.spec.places import header_of
from talk_pipeline.systems.customwebshop.spec.templates import VERSION
from talk_pipeline.systems.customwebshop.wire.answers import UnexpectedShapeFault, said_at
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.customwebshop.wire.evidence import Evidence, Probe, excerpt
from talk_pipeline.systems.customwebshop.wire.records import Reader, parse, rows_of
from talk_pipeline.systems.errors import AccessFault, SystemFault, UnreachableFault
from talk_pipeline.systems.http import Answer
from talk_pipeline.wording import counted

LOOKED_AT = 20  # records, before a list that none of them shows is told to be missing
NO_VERSION = '"no-such-version"'


async def probe(shop: Customwebshop, flow: Flow, description: Description) -> AsyncIterator[Probe]:
    """Everything that can be asked about one flow's entity."""
    name = flow.customwebshop.entity
    prober = _Prober(shop, flow, description)
    for_all = description.model_fields_set - description.entities[name].model_fields_set
    try:
        async for found in prober.run():
            yield _placed(found, name, for_all=for_all)
    except (AccessFault, UnreachableFault):
        raise
    except UnexpectedShapeFault as fault:
        key = prober.asking if fault.key == "path" else tuple(fault.key.split("."))
        yield _placed(Probe("problem", key, str(fault)), name, for_all=for_all)
    except SystemFault as fault:
        yield _placed(Probe("problem", await prober.blamed(), str(fault)), name, for_all=for_all)


def _placed(found: Probe, entity: str, *, for_all: set[str]) -> Probe:
    """Where the file says it: once for the shop or for all entities, or at this one."""
    if found.at[0] == "limits" or (found.at[0] in Shared.model_fields and found.at[0] in for_all):
        return Probe(found.level, found.at, f"{entity}: {found.message}")
    return Probe(found.level, ("entities", entity, *found.at), found.message)


class _Prober:
    def __init__(self, shop: Customwebshop, flow: Flow, description: Description) -> None:
        self.shop = shop
        self.flow = flow
        entity = description.collections[flow.customwebshop.entity]
        self.reader = Reader(flow, entity, entity.moments, address=shop.address)
        self.entity: Entity = self.reader.entity
        self.evidence = Evidence(flow, self.entity, self.reader, texts=description.xml is not None)
        self.in_flight = description.limits.in_flight
        self.asking: Location = ("path",)

    async def blamed(self) -> Location:
        """Where what the shop does not take is said: how pages are asked for, if it shows its list without."""
        if self.asking == ("path",) and self.entity.paging.first():
            try:
                await self.shop.sample(self.flow.name, sized=False)
            except SystemFault:
                return self.asking
            return ("paging",)
        return self.asking

    async def run(self) -> AsyncIterator[Probe]:
        raw, answer = await self.shop.sample(self.flow.name)
        yield Probe("ok", ("path",), f"a page of {counted(len(raw), 'record')}")
        if not raw:
            yield Probe("warning", ("path",), "no records: nothing more can be proven")
            return
        sample = [parse(one) for one in raw]
        if not all(isinstance(one, dict) for one in sample):
            yield Probe("problem", ("records",), f"entries are no records: {excerpt(sample[0])}")
            return
        for found in self.evidence.ids(sample):
            yield found
            if found.level == "problem":
                return
        self.asking = ("paging",)
        yield await self._second_page(answer, shown=len(raw))
        record_id = str(self.entity.id.read(sample[0]))
        self.asking = ("item",)
        record = await self.shop.get(self.flow.name, record_id)
        if record is None:
            yield Probe(
                "problem", ("item",), f"{self.entity.item} does not find {record_id}, which is listed"
            )
            return
        for found in self.evidence.compare_readings(sample[0], parse(record.payload)):
            yield found
        known = [record, *[one async for one in self._until_lists_show(sample[1:LOOKED_AT], record)]]
        whole = [parse(one.payload) for one in known]
        full = whole if self.entity.summaries or self.entity.parts else sample
        for found in self.evidence.properties(full, whole):
            yield found
        for found in self.evidence.modified(sample):
            yield found
        self.asking = ("updated_since",)
        async for found in self._updated_since():
            yield found
        self.asking = ("latest",)
        if self.entity.latest:
            latest = await self.shop.latest(self.flow.name)
            yield Probe("ok" if latest else "warning", ("latest",), f"latest change {latest}")
        self.asking = ("search",)
        async for found in self._search(record):
            yield found
        self.asking = ("version",)
        async for found in self._conditional(record):
            yield found
        self.asking = ("dry_run",)
        async for found in self._dry(record):
            yield found

    async def _second_page(self, answer: Answer, *, shown: int) -> Probe:
        pages = 0
        async for page in self.shop.scan(self.flow.name, since=None):
            pages += 1
            if pages == 2:
                what = (
                    "a second page is another one" if page else "a second page is empty: the list has ended"
                )
                return Probe("ok", ("paging",), what)
        paging = self.entity.paging
        seen = Seen(answer, partial(said_at, answer), 1, shown, shown)
        sign = further_page(answer, parse(answer.body), self.entity.records)
        if sign and not told_to_end(paging, seen):
            text = f"the list ends after one page, but {sign}: there is a next page that `paging` does not follow"
            return Probe("problem", ("paging",), text)
        if shown == paging.size and (untold := paging.untold(seen)):
            text = f"the list ends after one page, which is full, and there is no {' or '.join(untold)}"
            how = "look where the shop tells that a list goes on, or say another `size` if that is all it has"
            return Probe("problem", ("paging",), f"{text}: {how}")
        return Probe("ok", ("paging",), "one page is all")

    async def _until_lists_show(self, sample: Sequence[Json], record: Record) -> AsyncIterator[Record]:
        """Further records by themselves, until each list with an address of its own, and each part, was seen."""
        unseen = self._unseen(parse(record.payload))
        for one in sample:
            if not unseen:
                return
            further = await self.shop.get(self.flow.name, str(self.entity.id.read(one)))
            if further is not None:
                unseen &= self._unseen(parse(further.payload))
                yield further

    def _unseen(self, data: Json) -> set[str]:
        """What of a record lies elsewhere and does not show in it."""
        lists = {
            name for name, lines in self.reader.lists() if lines.apart and not rows_of(data, name, lines)
        }
        return lists | {f"@{name}" for name in self.entity.parts if not paths.get(data, f"@{name}")}

    async def _search(self, record: Record) -> AsyncIterator[Probe]:
        """Whether each question that finds a record by a property finds this one, with all that lists show."""
        values = self.shop.decode(self.flow.name, record.payload).values
        for name in self.entity.search:
            if (value := values.get(name)) is None:
                continue
            at: Location = ("search", name)
            found = (await self.shop.find(self.flow.name, name, values=[value])).get(value, ())
            if record.id in found:
                yield Probe("ok", at, f"{value!r} is found")
            else:
                yield Probe("problem", at, f"the record {record.id} is not found by {value!r}, which it says")

    async def _updated_since(self) -> AsyncIterator[Probe]:
        if self.entity.updated_since is None:
            return
        name = self.entity.updated_since.parameter
        future = await self._count(datetime.now(UTC) + timedelta(days=400))
        past = await self._count(datetime(2000, 1, 1, tzinfo=UTC))
        at: Location = ("updated_since", "parameter")
        if future:
            yield Probe(
                "problem", at, f"{name!r} is ignored: {counted(future, 'record')} changed after next year"
            )
        elif not past:
            yield Probe(
                "problem", at, f"{name!r} shows nothing changed since the year 2000, yet there are records"
            )
        else:
            yield Probe("ok", at, f"{name!r} is heeded")

    async def _count(self, since: datetime) -> int:
        async for page in self.shop.scan(self.flow.name, since=since):
            return len([record for record in page if record.payload])
        return 0

    async def _conditional(self, record: Record) -> AsyncIterator[Probe]:
        version = self.entity.version
        if version is None:
            yield Probe("ok", ("version",), "none: records are read again before each write")
            return
        if record.version is None:
            where = header_of(version.at) or version.at
            yield Probe("problem", ("version", "at"), f"the record {record.id} comes without {where}")
            return
        name, value = self._unchanged(record)
        if name is None or (version.condition or "").lower() == "if-unmodified-since":
            return
        wrong = "0" if record.version.isdigit() else NO_VERSION
        write = Write(
            entity=self.flow.customwebshop.entity,
            operation="update",
            id=record.id,
            version=wrong,
            values={name: value},
            idempotency_key="",
            current=record.payload,
        )
        outcome = (await self.shop.write(self.flow.name, [write]))[0]
        if outcome.result is Result.STALE:
            yield Probe("ok", ("version",), f"{version.condition or VERSION} is heeded")
        elif outcome.result is Result.DONE:
            text = f"{version.condition or VERSION} is ignored: a write against a wrong version went through"
            yield Probe("problem", ("version", "condition"), text)
        else:
            text = (
                f"a write of {name} against a wrong version: {outcome.reason}; if that says the record has "
                "changed, name it under stale or stale_code, else look at update and error"
            )
            yield Probe("warning", ("version",), text)

    async def _dry(self, record: Record) -> AsyncIterator[Probe]:
        """A write of what is there already, which the shop checks and does not carry out."""
        name, value = self._unchanged(record)
        if self.entity.dry_run is None or name is None:
            return
        write = Write(
            entity=self.flow.customwebshop.entity,
            operation="update",
            id=record.id,
            version=record.version,
            values={name: value},
            idempotency_key="",
            current=record.payload,
        )
        outcome = await self.shop.write_dry(self.flow.name, write)
        if outcome is not None and outcome.result is Result.DONE:
            yield Probe("ok", ("dry_run",), f"a write of {name} was checked")
            yield await self._at_once(write)
        elif outcome is not None:
            yield Probe(
                "problem", ("dry_run",), f"a write of {name} as it is was turned away: {outcome.reason}"
            )

    async def _at_once(self, write: Write) -> Probe:
        """As many such writes at a time as there will be when records are written."""
        at: Location = ("limits", "in_flight")
        if self.in_flight == 1:
            return Probe("ok", at, "one at a time")
        try:
            outcomes = await gather(
                *(self.shop.write_dry(self.flow.name, write) for _ in range(self.in_flight))
            )
            turned_away = next(
                (one.reason for one in outcomes if one and one.result is not Result.DONE), None
            )
        except SystemFault as fault:
            turned_away = str(fault)
        if turned_away is None:
            return Probe("ok", at, f"{counted(self.in_flight, 'write')} at a time were checked")
        said = f"one write at a time is taken, and {self.in_flight} are not: say in_flight: 1 ({turned_away})"
        return Probe("problem", at, said)

    def _unchanged(self, record: Record) -> tuple[str | None, str | None]:
        """A property of the record that can be written with the value it has, and not by a call that acts."""
        values = self.reader.contents(record.payload).values
        acting = {name for call in self.entity.update for name in call.when}
        for prop in self.flow.root.properties:
            for path in prop.shop_paths if prop.goes_to(Side.SHOP) and not prop.refers_to else ():
                field = self.reader.fields().get(path)
                if field and field.writable and values.get(path) is not None and path not in acting:
                    return path, values[path]
        return None, None
