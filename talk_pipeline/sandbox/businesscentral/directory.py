"""Which companies there are, and what an address below the API root means.

Nothing is read or written here; `service` does that with what it finds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import parse_qsl

from talk_pipeline.sandbox.businesscentral import errors, etags, values
from talk_pipeline.sandbox.businesscentral.company import ROOT_SETS, Company
from talk_pipeline.sandbox.businesscentral.credit_memos import CreditMemoLines, CreditMemos
from talk_pipeline.sandbox.businesscentral.customers import Customers
from talk_pipeline.sandbox.businesscentral.dimension_sets import SET, DimensionSetLines
from talk_pipeline.sandbox.businesscentral.items import Items
from talk_pipeline.sandbox.businesscentral.keyed import DefaultDimensions, ItemVariants, Keyed
from talk_pipeline.sandbox.businesscentral.numbered import Numbered
from talk_pipeline.sandbox.businesscentral.order_lines import OrderLines
from talk_pipeline.sandbox.businesscentral.orders import Orders
from talk_pipeline.sandbox.businesscentral.paper import WAY
from talk_pipeline.sandbox.businesscentral.people import Contacts, Employees
from talk_pipeline.sandbox.businesscentral.posting import Posting
from talk_pipeline.sandbox.businesscentral.records import Records
from talk_pipeline.sandbox.businesscentral.references import References
from talk_pipeline.sandbox.businesscentral.schema import EntitySet, schema
from talk_pipeline.sandbox.businesscentral.settling import Settling
from talk_pipeline.sandbox.businesscentral.urls import Segment
from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.exchange import Call
from talk_pipeline.sandbox.settings import Settings
from talk_pipeline.sandbox.store import Row, Store

_BELOW_ALONE = ("defaultDimensions", "dimensionSetLines")
_ACTION = "microsoft.nav.shipandinvoice"


@dataclass(frozen=True, slots=True)
class Office:
    """One company with the rules for writing in it."""

    company: Company
    records: Mapping[str, Records]
    orders: Orders
    lines: OrderLines
    posting: Posting
    settling: Settling
    contacts: Contacts


@dataclass(frozen=True, slots=True)
class Target:
    """What an address means.

    Attributes:
        kind: a collection, a record, a bound action, the count of a collection, or a record's PDF.
        office: the company it lies in; the root one for companies and subscriptions.
        set: the set of the records.
        context: the path that describes it in ``$metadata``.
        row: the record.
        within: the property and value that tie a collection to its parent.
    """

    kind: Literal["collection", "record", "action", "count", "paper"]
    office: Office
    set: EntitySet
    context: str
    row: Row | None = None
    within: tuple[str, str] | None = None


class Directory:
    """All companies of one environment.

    Attributes:
        root: holds companies and subscriptions, which lie under no company.
        offices: the companies by id.
        versions: what gives records their versions.
    """

    def __init__(self, store: Store, clock: Clock, settings: Settings) -> None:
        self.schema = schema()
        self._store = store
        self._clock = clock
        self._settings = settings
        self.versions = etags.Versions()
        self.root = self._office("_root", sets=ROOT_SETS)
        self.offices: dict[str, Office] = {}
        for row in self.root.company.table("companies").in_order():
            self.open(row["id"])

    def open(self, key: str) -> Office:
        """The company of that id, made if it is not there yet."""
        if key not in self.offices:
            names = [name for name in self.schema.sets if name not in ROOT_SETS]
            self.offices[key] = self._office(key, sets=names)
        return self.offices[key]

    def resolve(self, segments: list[Segment], call: Call, api: str) -> Target:
        """Find what an address means; raises `errors.ApiError` if there is no such thing."""
        first, rest = segments[0], segments[1:]
        sets = self.schema.of(api)
        if first.name == "companies" and sets:
            companies = self.root.company.set("companies")
            if first.key is None:
                kind = self._end(rest)
                return Target(kind, self.root, companies, "companies")
            row = self._company_row(first)
            if not rest:
                return Target("record", self.root, companies, "companies", row=row)
            return self._in_company(self.offices[row["id"]], rest, sets)
        if first.name not in sets:
            raise errors.no_segment(first.name)
        return self._in_company(self._chosen_company(call), segments, sets)

    def _in_company(self, office: Office, segments: list[Segment], sets: Mapping[str, EntitySet]) -> Target:
        first, rest = segments[0], segments[1:]
        entity_set = sets.get(first.name)
        if entity_set is None or entity_set.name in ROOT_SETS:
            raise errors.no_segment(first.name)
        context = f"companies({office.company.id})/{first.name}"
        target = Target("collection", office, entity_set, context)
        return self._deeper(target, first, rest)

    def _deeper(self, target: Target, segment: Segment, rest: list[Segment]) -> Target:
        """Follow the address from a collection, through a record, to what it ends in."""
        if segment.key is None:
            return replace(target, kind=self._end(rest))
        if (target.set.name in _BELOW_ALONE or not target.set.listed) and target.within is None:
            raise errors.dialog(f"Records of {target.set.name} are reached by way of what they belong to.")
        row = self._record(target, segment)
        record = replace(target, kind="record", row=row, within=None)
        if not rest:
            return record
        step = rest[0]
        if step.name.lower() == _ACTION and target.set.name == "salesOrders" and len(rest) == 1:
            return replace(record, kind="action")
        if tuple(one.name for one in rest) == WAY and WAY[0] in target.set.navigation:
            return replace(record, kind="paper")
        way = target.set.navigation.get(step.name)
        if way is None or way.set is None or way.by is None:
            raise errors.no_segment(step.name)
        entity_set = self.schema.sets[way.set]
        context = f"{target.context}({row['id']})/{step.name}"
        if way.many:
            inner = Target("collection", target.office, entity_set, context, within=(way.by, row["id"]))
            return self._deeper(inner, step, rest[1:])
        found = target.office.company.table(way.set).get(row[way.by])
        if found is None or len(rest) > 1:
            raise self._missing(step.name)
        return Target("record", target.office, entity_set, context, row=found)

    def _end(self, rest: list[Segment]) -> Literal["collection", "count"]:
        if not rest:
            return "collection"
        if len(rest) == 1 and rest[0].name == "$count" and self._settings["count"] != "refused":
            return "count"
        raise errors.no_segment(rest[0].name)

    def _record(self, target: Target, segment: Segment) -> Row:
        key = segment.key or ""
        if segment.quoted or segment.key_name not in (None, target.set.key) or not values.is_guid(key):
            raise errors.bad_query(f"The key '{key}' of '{segment.name}' is malformed.")
        row = target.office.company.table(target.set.name).get(key.lower())
        if row is None or (target.within is not None and row[target.within[0]] != target.within[1]):
            raise self._missing(segment.name)
        return row

    def _missing(self, name: str) -> errors.ApiError:
        code = self._settings["missing_record_code"]
        return errors.ApiError(404, code, f"The record of '{name}' does not exist.")

    def _company_row(self, segment: Segment) -> Row:
        key, column = segment.key or "", segment.key_name or "id"
        if column == "id" and not values.is_guid(key):
            raise errors.bad_query(f"The key '{key}' of a company is malformed.")
        wanted = key.lower() if column == "id" else key
        for row in self.root.company.table("companies").in_order():
            if column in ("id", "name", "businessProfileId") and row[column] == wanted and wanted:
                return row
        raise errors.ApiError(404, "Internal_CompanyNotFound", f"The company '{key}' does not exist.")

    def _chosen_company(self, call: Call) -> Office:
        wanted = dict(parse_qsl(call.query)).get("company") or call.header("company")
        if not wanted:
            raise errors.bad_request("The request must name a company.")
        column = "id" if values.is_guid(wanted) else "name"
        return self.offices[self._company_row(Segment("companies", wanted, column))["id"]]

    def _office(self, key: str, *, sets: Sequence[str]) -> Office:
        company = Company(
            key,
            store=self._store,
            schema=self.schema,
            settings=self._settings,
            clock=self._clock,
            versions=self.versions,
            sets=sets,
        )
        orders, lines = Orders(company, "salesOrders"), OrderLines(company, "salesOrderLines")
        orders.lines = lines
        customers = Customers(company, "customers")
        memos, memo_lines = (
            CreditMemos(company, "salesCreditMemos"),
            CreditMemoLines(company, "salesCreditMemoLines"),
        )
        memos.lines = memo_lines
        records: dict[str, Records] = {
            "customers": customers,
            "items": Items(company, "items"),
            "salesOrders": orders,
            "salesOrderLines": lines,
            "salesCreditMemos": memos,
            "salesCreditMemoLines": memo_lines,
            "itemVariants": ItemVariants(company, "itemVariants"),
            "defaultDimensions": DefaultDimensions(company, "defaultDimensions"),
            SET: DimensionSetLines(company, SET),
            "employees": Employees(company, "employees"),
        }
        for name in sets:
            if self.schema.sets[name].unique:
                records.setdefault(name, Keyed(company, name))
            elif name not in records:
                kind = References if "code" in self.schema.sets[name].properties else Numbered
                records[name] = kind(company, name)
        for one in records.values():
            ways = [one.set.navigation[name] for name in one.set.deep]
            one.below = {way.name: (records[way.set or ""], way.by or "") for way in ways}
        contacts = Contacts(company, "contacts")
        customers.known = contacts.know
        return Office(
            company,
            {**records, "contacts": contacts},
            orders,
            lines,
            Posting(company, orders),
            Settling(company),
            contacts,
        )
