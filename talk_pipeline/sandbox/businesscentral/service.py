"""What each method does with what an address means.

Works on one call at a time and never waits. `directory` finds what the address means; batches, subscriptions
and the token endpoint lie beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.businesscentral import bodies, errors, etags, reading
from talk_pipeline.sandbox.businesscentral.directory import Directory, Target
from talk_pipeline.sandbox.businesscentral.metadata import metadata_xml
from talk_pipeline.sandbox.businesscentral.options import Options, read_options, with_options
from talk_pipeline.sandbox.businesscentral.paper import printed
from talk_pipeline.sandbox.businesscentral.questions import QUESTIONS
from talk_pipeline.sandbox.businesscentral.replica import Replica
from talk_pipeline.sandbox.businesscentral.urls import Segment, segments_of
from talk_pipeline.sandbox.businesscentral.views import all_properties
from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.exchange import Answer, Call, Write
from talk_pipeline.sandbox.limits import Limits
from talk_pipeline.sandbox.settings import Settings
from talk_pipeline.sandbox.store import Row, Store

_METHODS: Mapping[str, Mapping[str, str | None]] = {
    "collection": {"GET": None, "POST": "create"},
    "record": {"GET": None, "PATCH": "update", "DELETE": "delete"},
    "action": {"POST": None},
    "count": {"GET": None},
    "paper": {"GET": None},
}
"""What can be done with each kind of target, and the capability of the set it takes."""
_NEEDS_DOCUMENT = ("salesOrderLines", "salesInvoiceLines", "salesCreditMemoLines")


class Central:
    """All companies of one environment."""

    def __init__(self, store: Store, clock: Clock, *, limits: Callable[[], Limits]) -> None:
        self.store = store
        self.clock = clock
        self.settings = Settings(QUESTIONS)
        self.directory = Directory(store, clock, self.settings)
        self.schema = self.directory.schema
        self._limits = limits
        self._replica = Replica(store, clock, lambda: float(self.settings["replica_lag"]))

    def answer(self, call: Call, path: str, root: str, api: str) -> Answer:
        """Carry out one call.

        Args:
            call: the call.
            path: its path below the API root.
            root: the address of the API root, for links.
            api: whose root that is.
        """
        try:
            segments = segments_of(path)
            if not segments or segments[0].name == "$metadata":
                return self._about(call, segments, root, api)
            target = self.directory.resolve(segments, call, api)
            self._permitted(call, target)
            return self._carry_out(call, target, root)
        except errors.ApiError as error:
            answer = error.answer()
            return replace(answer, body=b"") if bodies.is_bodiless(error) else answer

    # -- methods ----------------------------------------------------------------------------------------------

    def _carry_out(self, call: Call, target: Target, root: str) -> Answer:
        method, allowed = call.method, _METHODS[target.kind]
        if method not in allowed or (allowed[method] and allowed[method] not in target.set.writes):
            raise errors.not_allowed(method, target.set.name)
        if method != "GET" and _reads_only(call):
            raise errors.dialog("The request was sent with the intent to read only.")
        if target.kind == "count":
            return self._count(call, target)
        if target.kind == "action":
            return self._act(call, target)
        if target.kind == "paper":
            file = printed(target.office.company, _row_of(target), called=target.set.entity)
            return Answer(200, file, {"Content-Type": "application/pdf", "OData-Version": "4.0"})
        options = read_options(call.query)
        if method == "GET":
            reader = self._list if target.kind == "collection" else self._get
            return reader(call, target, options, root)
        writer = {"POST": self._create, "PATCH": self._update, "DELETE": self._delete}[method]
        with self.store.transaction():
            return writer(call, target, options, root)

    def _get(self, call: Call, target: Target, options: Options, root: str) -> Answer:
        row: Row | None = _row_of(target)
        if _reads_only(call):
            table = target.office.company.table(target.set.name)
            row = self._replica.earlier(table).get(_row_of(target)["id"], row)
        if row is None:
            raise errors.ApiError(404, self.settings["missing_record_code"], "The record does not exist.")
        if row.get("_pending"):
            if _reads_only(call):
                raise errors.dialog("The order has a discount to redistribute and cannot be read only.")
            with self.store.transaction():
                row = target.office.orders.redistribute(row)
        return self._one(200, target, row, options, root)

    def _list(self, call: Call, target: Target, options: Options, root: str) -> Answer:
        company = target.office.company
        earlier = self._replica.earlier(company.table(target.set.name)) if _reads_only(call) else None
        source = reading.Source(company, target.set, within=target.within, earlier=earlier)
        if target.set.name in _NEEDS_DOCUMENT and target.within is None:
            wanted = reading.filter_of(source, options)
            if wanted is None or not wanted.among.keys() & {"documentId", "id"}:
                raise errors.dialog(f"{target.set.name} needs a filter on documentId or id.")
        if options.count and self.settings["count"] != "supported":
            if self.settings["count"] == "refused":
                raise errors.not_implemented("$count is not supported.")
            options = replace(options, count=False)
        size, preferred = self._page_size(call, options)
        page = reading.read_page(source, options, size=size)
        shape = reading.shaper(company, target.set, options)
        document: dict[str, Any] = {"@odata.context": _context(target, root, options)}
        if page.count is not None:
            document["@odata.count"] = page.count
        document["value"] = [shape(row) for row in page.rows]
        if page.token is not None:
            document["@odata.nextLink"] = self._next_link(call, options, page, size=size)
        headers = {"Preference-Applied": f"odata.maxpagesize={preferred}"} if preferred else {}
        return _json(200, document, headers)

    def _create(self, call: Call, target: Target, options: Options, root: str) -> Answer:
        document = bodies.document_of(call, self.settings)
        body = bodies.accept(document, target.set, settings=self.settings, current=None)
        if target.within is not None:
            name, value = target.within
            if body.values.setdefault(name, value) != value:
                raise errors.dialog(f"The {name} differs from the one in the address.")
        row = target.office.records[target.set.name].create(body)
        lines_answer = self.settings["deep_insert_answer"]
        if body.lines and lines_answer != "on_expand":
            expand = {name: inner for name, inner in options.expand.items() if name not in body.lines}
            extra = dict.fromkeys(body.lines, Options()) if lines_answer == "always" else {}
            options = replace(options, expand={**extra, **expand})
        context = target.context if target.within is None else f"{_company_path(target)}/{target.set.name}"
        location = f"{root}/{context}({row['id']})"
        writes = [Write(target.set.name, "create")]
        ways = target.set.navigation
        writes += [Write(ways[way].set or way, "create", len(of)) for way, of in body.lines.items() if of]
        if _wants_nothing_back(call):
            headers = {"Location": location, "OData-Version": "4.0", "OData-EntityId": location}
            return Answer(204, headers=headers, writes=tuple(writes))
        answer = self._one(201, target, row, options, root)
        return replace(answer, headers={**answer.headers, "Location": location}, writes=tuple(writes))

    def _update(self, call: Call, target: Target, options: Options, root: str) -> Answer:
        row = _row_of(target)
        etags.check(call.header("if-match"), target.set, row)
        document = bodies.document_of(call, self.settings)
        current = all_properties(target.office.company, target.set, row)
        body = bodies.accept(document, target.set, settings=self.settings, current=current)
        new = target.office.records[target.set.name].update(row, body)
        new = target.office.company.table(target.set.name).rows[new["id"]]
        writes = (Write(target.set.name, "update"),)
        if _wants_nothing_back(call):
            return Answer(204, headers={"OData-Version": "4.0"}, writes=writes)
        return replace(self._one(200, target, new, options, root), writes=writes)

    def _delete(self, call: Call, target: Target, _options: Options, _root: str) -> Answer:
        row = _row_of(target)
        if call.header("if-match") is not None:
            etags.check(call.header("if-match"), target.set, row)
        target.office.records[target.set.name].delete(row)
        return Answer(204, headers={"OData-Version": "4.0"}, writes=(Write(target.set.name, "delete"),))

    def _act(self, call: Call, target: Target) -> Answer:
        row = _row_of(target)
        if call.header("if-match") is not None:
            etags.check(call.header("if-match"), target.set, row)
        with self.store.transaction():
            target.office.posting.ship_and_invoice(row)
        return Answer(204, headers={"OData-Version": "4.0"}, writes=(Write("salesOrders", "update"),))

    def _count(self, call: Call, target: Target) -> Answer:
        options = read_options(call.query)
        source = reading.Source(target.office.company, target.set, within=target.within)
        count = sum(1 for _ in source.rows(reading.filter_of(source, options)))
        return Answer(200, str(count).encode(), {"Content-Type": "text/plain", "OData-Version": "4.0"})

    def _one(self, status: int, target: Target, row: Row, options: Options, root: str) -> Answer:
        shape = reading.shaper(target.office.company, target.set, options)
        document = {"@odata.context": f"{_context(target, root, options)}/$entity", **shape(row)}
        headers = {"ETag": etags.etag_of(target.set, row)} if target.set.etag else {}
        return _json(status, document, headers)

    # -- details ----------------------------------------------------------------------------------------------

    def _about(self, call: Call, segments: list[Segment], root: str, api: str) -> Answer:
        if not self.schema.of(api):
            raise errors.no_segment(api)
        if call.method != "GET":
            raise errors.not_allowed(call.method, "the service document")
        if segments:
            xml = metadata_xml(self.schema, api)
            return Answer(200, xml, {"Content-Type": "application/xml", "OData-Version": "4.0"})
        sets = [{"name": name, "kind": "EntitySet", "url": name} for name in self.schema.of(api)]
        return _json(200, {"@odata.context": f"{root}/$metadata", "value": sets}, {})

    def _page_size(self, call: Call, options: Options) -> tuple[int, int | None]:
        """Records on a page, and the preference that was honoured."""
        maximum = self._limits().page_size or 20_000
        preferred = _preferred_size(call)
        oversized = max(preferred or 0, options.top or 0) > maximum
        if oversized and self.settings["oversized_page"] == "refused":
            raise errors.ApiError(413, "BadRequest", f"A page holds {maximum} records at most.")
        remembered = dict(parse_qsl(call.query)).get("$pagesize", "")
        if preferred is None and self.settings["next_link_keeps_page_size"] and remembered.isdigit():
            preferred = int(remembered)
        return (min(preferred, maximum), preferred) if preferred else (maximum, None)

    def _next_link(self, call: Call, options: Options, page: reading.Page, *, size: int) -> str:
        add = {"$top": str(page.left)} if page.left is not None else {}
        if self.settings["next_link"] == "skip":
            add["$skip"] = str(options.skip + len(page.rows))
        else:
            add["$skiptoken"] = page.token or ""
        if self.settings["next_link_keeps_page_size"]:
            add["$pagesize"] = str(size)
        query = with_options(call.query, drop=("$top=", "$skip=", "$skiptoken=", "$pagesize="), add=add)
        return f"{call.origin}{call.path}?{query}"

    def _permitted(self, call: Call, target: Target) -> None:
        what = {"read_orders": call.method == "GET", "write_orders": call.method != "GET"}
        if target.set.name.startswith("salesOrder") and what.get(self.settings["forbidden"]):
            raise errors.ApiError(
                self.settings["forbidden_status"],
                "Authorization_RequestDenied",
                "The application has no permission for sales orders.",
            )


def _row_of(target: Target) -> Row:
    if target.row is None:
        raise AssertionError("only a record has a row")
    return target.row


def _json(status: int, document: Any, headers: Mapping[str, str]) -> Answer:
    common = {"Content-Type": errors.CONTENT_TYPE, "OData-Version": "4.0"}
    return Answer(status, wire.write(document), {**common, **headers})


def _context(target: Target, root: str, options: Options) -> str:
    picked = f"({','.join(options.select)})" if options.select else ""
    return f"{root}/$metadata#{target.context}{picked}"


def _company_path(target: Target) -> str:
    return f"companies({target.office.company.id})"


def _wants_nothing_back(call: Call) -> bool:
    prefer = (call.header("prefer") or "").replace(" ", "").lower()
    return "return-no-content" in prefer or "return=minimal" in prefer


def _reads_only(call: Call) -> bool:
    return (call.header("data-access-intent") or "").lower() == "readonly"


def _preferred_size(call: Call) -> int | None:
    for part in (call.header("prefer") or "").split(","):
        name, _, value = part.strip().partition("=")
        if name.strip().lower() in ("odata.maxpagesize", "maxpagesize") and value.strip().isdigit():
            return int(value) or None
    return None
