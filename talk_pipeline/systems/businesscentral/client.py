"""The Business Central connector: reading. How it writes is in `writing`.

Only what the flows use is selected. How a list is read to its end is in `lists`.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec
from pydantic import SecretStr

from talk_pipeline.engine.model import Contents, Ended, Operation, Outcome, Record, Result, Write
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.moments import rfc3339
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import tidy, upper
from talk_pipeline.systems.businesscentral import notifications
from talk_pipeline.systems.businesscentral.answers import error_code, record_in
from talk_pipeline.systems.businesscentral.companies import companies, meant
from talk_pipeline.systems.businesscentral.description import EntitySet, root_of
from talk_pipeline.systems.businesscentral.endings import ended_as
from talk_pipeline.systems.businesscentral.entities import Entities
from talk_pipeline.systems.businesscentral.groups import Groups, rows_of
from talk_pipeline.systems.businesscentral.lists import Lists
from talk_pipeline.systems.businesscentral.lookups import Lookups
from talk_pipeline.systems.businesscentral.metadata import Metadata, read_metadata
from talk_pipeline.systems.businesscentral.pacing import Pace
from talk_pipeline.systems.businesscentral.queries import conditions, encoded
from talk_pipeline.systems.businesscentral.rows import Asked
from talk_pipeline.systems.businesscentral.stamps import newest
from talk_pipeline.systems.businesscentral.values import parse
from talk_pipeline.systems.businesscentral.writing import BATCH_SIZE, Writer
from talk_pipeline.systems.errors import ConfigurationFault, SystemFault, UnavailableFault
from talk_pipeline.systems.http import Http
from talk_pipeline.systems.protocol import Identity, Known, Leaving, Stamps, unheard

RUNTIME = "microsoft/runtime/beta"  # an API that tells of the others (page `dynamics-subscriptions`)

ANY_VERSION = "*"  # the condition of what was just seen, where a page shows no versions


class Businesscentral:
    """One company of one Business Central environment."""

    side = Side.BC
    batch_size = BATCH_SIZE
    embeds_children = False

    def __init__(
        self,
        http: Http,
        flows: Flows,
        entities: Entities,
        *,
        company_id: str | None,
        company_name: str | None,
    ) -> None:
        self._http = http
        self._flows = flows
        self._entities = entities
        self._company_id = company_id
        self._company_name = company_name
        self._lists = Lists(http)
        self.longest_seconds = http.longest_seconds
        self.batches_in_flight = http.in_flight
        self._paces = {name: Pace() for name in flows}

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    @cached_property
    def _asked(self) -> Mapping[str, Asked]:
        """How each flow's records are asked for."""
        return {
            name: Asked(flow, self._entities[flow.businesscentral.entity])
            for name, flow in self._flows.items()
        }

    @cached_property
    def _lookups(self) -> Lookups:
        """What records of other sets are meant, as far as it was asked for."""
        return Lookups(self._lists.rows, lambda root, name: f"{root}{self._company}/{name}")

    @property
    def skew_seconds(self) -> float:
        """How far the server's clock is ahead of ours."""
        return self._http.skew_seconds

    async def identify(self) -> Identity:
        """Proves address, credentials and company."""
        known = await companies(self._lists, address=self._http.base_url)
        company = meant(known, company_id=self._company_id, name=self._company_name)
        self._company_id = str(company["id"])
        where = urlsplit(self._http.base_url)
        place = f"{where.hostname}{where.path}{f' ({self._http.query})' if self._http.query else ''}"
        return Identity(f"{place} company {self._company_id}", self._company_id)

    async def local_currency(self) -> str | None:
        """The company's local currency, if it tells; `identify` comes first."""
        information = await self._lists.rows(f"{self._company}/companyInformation?$select=currencyCode")
        return next((str(row["currencyCode"]) for row in information if row.get("currencyCode")), None)

    async def metadata(self, api: str) -> Metadata:
        """What an API says of itself.

        Raises:
            ConfigurationFault: there is no such API.
        """
        answer = await self._http.read(f"{root_of(api)}/$metadata", headers={"Accept": "application/xml"})
        if answer.status == 404:
            raise ConfigurationFault(
                f"Business Central has no API {api}: check how publisher, group and version are spelled"
            )
        return read_metadata(self._lists.checked(answer).body, api)

    async def notifiable(self) -> frozenset[str] | None:
        """The sets that it tells changes of, such as `v2.0/customers`, of all APIs; None where that is not told."""
        url = f"{root_of(RUNTIME)}{self._company}/webhookSupportedResources"
        try:
            return frozenset(str(row.get("resource", "")).strip("/") for row in await self._lists.rows(url))
        except SystemFault:
            return None

    def choose(self, company_id: str | None) -> None:
        """Works with the company that an earlier `identify` found."""
        self._company_id = company_id

    async def scan(self, flow: str, *, since: datetime | None) -> AsyncIterator[Sequence[Record]]:
        """Pages of records, all of them or those modified at or after `since`."""
        asked = self._asked[flow]
        if asked.set.grouped_by:
            yield await self._groups(asked.set)
            return
        query = asked.query
        if since is not None:
            query["$filter"] = f"{asked.set.modified} ge {rfc3339(since)}"
        headers = {"Data-Access-Intent": "ReadOnly"} if since is None and self.may_lag(flow) else {}
        async for rows in self._lists.pages(f"{self._place(asked.set)}?{encoded(query)}", headers):
            yield [record_in(raw, asked) for raw in rows]

    async def sample(self, flow: str) -> Sequence[str]:
        """A few records with all that the flow reads of them."""
        asked = self._asked[flow]
        query = rows_of(asked.set) if asked.set.grouped_by else asked.query
        rows = await self._lists.first(f"{self._place(asked.set)}?{encoded({**query, '$top': '20'})}")
        return [bytes(raw).decode() for raw in rows]

    async def prove(self, entity: str, properties: Iterable[str]) -> None:
        """Reads what is asked of an entity set in which records go on or are archived.

        Raises:
            SystemFault: that cannot be read.
        """
        described = self._entities[entity]
        query = {**described.selecting((*described.key_parts, *properties)), "$top": "1"}
        await self._lists.first(f"{self._place(described)}?{encoded(query)}")

    async def answers_bare(self, entity: str) -> bool:
        """Whether a set answers that is asked for all that it has, and not as it is described."""
        described = self._entities[entity]
        if not described.selects:
            return False
        try:
            await self._lists.first(f"{self._place(described)}?$top=1")
        except SystemFault:
            return False
        return True

    def lists_changes(self, flow: str) -> bool:
        """Whether its records have a modified time."""
        return self._asked[flow].set.modified is not None

    def may_lag(self, flow: str) -> bool:
        """Whether a full scan is served by a read replica."""
        return self._asked[flow].set.replica

    async def latest(self, flow: str) -> datetime | None:
        """The modified time of the record modified last."""
        described = self._asked[flow].set
        return max((await newest(self._lists, self._place(described), described)).values(), default=None)

    async def stamps(self, flow: str, *, since: datetime) -> Stamps:
        """Of those modified last."""
        described = self._asked[flow].set
        return await newest(self._lists, self._place(described), described, since=since)

    async def get(self, flow: str, record_id: str) -> Record | None:
        """One record as it is now."""
        asked = self._asked[flow]
        if asked.set.grouped_by:
            groups = await self._groups(asked.set, record_id)
            return next((one for one in groups if one.id == record_id), None)
        place = f"{self._place(asked.set)}{asked.set.keyed(record_id)}"
        answer = await self._http.read(f"{place}?{asked.question}")
        if answer.status == 404 and error_code(answer) is not None:
            return None  # a gateway's 404 says nothing of the record
        return record_in(self._lists.checked(answer).body, asked)

    async def find(
        self, flow: str, path: str, *, values: Sequence[str], among: str | None = None
    ) -> Mapping[str, Sequence[str]]:
        """Ids by value; what comes back is a candidate only, equality is decided here."""
        described = self._entities[among or self._flows[flow].businesscentral.entity]
        found = await self._having(described, path, values)
        return {value: [described.id_of(row) for row in rows] for value, rows in found.items()}

    async def ended(self, flow: str, path: str | None, *, values: Sequence[str]) -> Mapping[str, Ended]:
        """The records that name them, and what these come to together."""
        root, ending = self._flows[flow].root, self._flows[flow].businesscentral.closed_by
        if ending is None or not values:
            return {}
        described, by_key = self._entities[ending.entity], path == ending.key
        scope = ending.asks(root.alternatives) if by_key else {}
        refers = ending.refers(root.references) if by_key else ()
        asked = (ending.record, *ending.counted, *scope, *refers)
        found = await self._having(described, path or described.key, values, asked)
        return ended_as(found, described, ending, scope, refers)

    async def _having(
        self, described: EntitySet, path: str, values: Sequence[str], more: Sequence[str] = ()
    ) -> dict[str, list[dict[str, Any]]]:
        """The records whose value at a path is one of these, by value, with their key and what more is asked."""
        asked = dict.fromkeys((*described.key_parts, *(one for one in (path, *more) if one in described.own)))
        wanted = {upper(value): value for value in values}
        found: dict[str, list[dict[str, Any]]] = {}
        select = described.selecting(asked)
        narrowed = [{**select, "$filter": one} for one in conditions(described, path, values)]
        for query in narrowed if described.filters else [select] * bool(values):
            for row in await self._lists.rows(f"{self._place(described)}?{encoded(query)}"):
                if not asked.keys() <= row.keys():
                    raise UnavailableFault(f"Business Central answers without {' and '.join(asked)}: {row}")
                value = wanted.get(upper(tidy(described.says(row, path)) or ""))
                if value is not None:
                    found.setdefault(value, []).append(row)
        return found

    def decode(self, flow: str, payload: str) -> Contents:
        """The values and children of a record."""
        return self._asked[flow].contents(payload)

    def reading(self, flow: str) -> str:
        """Changes with what is described of the flow's records."""
        return self._asked[flow].reading

    def rows_at_once(self, flow: str) -> int:
        """What was answered in good time lately."""
        return self._paces[flow].rows

    def answers_once(
        self, flow: str, operation: Operation, *, makes_children: bool, versioned: bool = True
    ) -> bool:
        """A change by the version that it was planned for; a create has no key: an id sent along is not kept."""
        return operation != "create" and versioned

    async def write(
        self, flow: str, writes: Sequence[Write], *, leaving: Leaving = unheard
    ) -> Sequence[Outcome]:
        """Carries out at most a hundred independent writes as one batch."""
        asked = self._asked[flow]
        told = [
            await self._as_known(flow, one) if isinstance(one, Write) else one
            for one in await self._lookups.told(asked.set, writes)
        ]
        writer = Writer(self._http, self._company, asked, self._paces[flow], leaving)
        sent = iter(await writer.write([one for one in told if isinstance(one, Write)]))
        outcomes = [next(sent) if isinstance(one, Write) else one for one in told]
        return [await self._completed(flow, outcome) for outcome in outcomes]

    async def subscribe(self, url: str, secret: SecretStr, known: Known | None = None) -> int:
        """Keeps a subscription a flow alive."""
        return await notifications.subscribe(
            self._http, self._lists, self._told, company=self._company, url=url, secret=secret, before=known
        )

    def understand(self, headers: Mapping[str, str], body: bytes, *, secret: SecretStr) -> set[str] | None:
        """The flows a delivery tells about."""
        return notifications.understand(body, self._told, secret=secret)

    async def _as_known(self, flow: str, write: Write) -> Write | Outcome:
        """A change of a record that shows no version: it leaves only if that still says what it is known by."""
        if write.operation == "create" or write.version is not None or write.child or write.current is None:
            return write
        try:
            record = await self.get(flow, write.id or "")
        except SystemFault as fault:
            return Outcome(Result.FAILED, reason=str(fault))
        if record is None:
            gone = Result.DONE if write.operation == "delete" else Result.GONE
            return Outcome(gone, reason="the record is gone")
        if self.decode(flow, record.payload) != self.decode(flow, write.current):
            return Outcome(Result.STALE, reason="the record changed since it was read")
        return replace(write, version=record.version or ANY_VERSION)

    async def _completed(self, flow: str, outcome: Outcome) -> Outcome:
        """A record answered without its children, or without a value that was asked for, is read once more."""
        record = outcome.record
        if record is None:
            return outcome
        try:
            self._asked[flow].row(record.payload.encode())
        except msgspec.DecodeError:
            pass
        else:
            return outcome
        try:
            whole = await self.get(flow, record.id)
        except SystemFault as fault:
            return Outcome(Result.UNKNOWN, reason=f"written, but not read back: {fault}")
        return (
            Outcome(Result.DONE, record=whole)
            if whole
            else Outcome(Result.UNKNOWN, reason="written, but gone")
        )

    async def _groups(self, described: EntitySet, called: str | None = None) -> list[Record]:
        """All records that are made of rows, or few of them with one among them."""
        groups = Groups(described)
        url = f"{self._place(described)}?{encoded(rows_of(described, called))}"
        async for rows in self._lists.pages(url):
            groups.add(parse(bytes(raw)) for raw in rows)
        return groups.records()

    @property
    def _company(self) -> str:
        return f"/companies({self._company_id})"

    @cached_property
    def _told(self) -> Mapping[str, EntitySet]:
        """The entity set of each flow that Business Central tells changes of."""
        return {name: asked.set for name, asked in self._asked.items() if asked.set.notices}

    def _place(self, described: EntitySet) -> str:
        return f"{described.root}{self._company}/{described.name}"
