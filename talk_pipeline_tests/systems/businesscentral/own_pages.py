"""A Business Central with pages that others wrote: its addresses, `$metadata`, filters, versions and refusals.

What a page is, is said by an `OwnPage`; what is done with it is the same for all. Made from the service's public
documentation (OData 4: pages `api-endpoint-structure`, `use-odata-batch`, `dynamics-error-codes`).
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from talk_pipeline_tests.systems.answering import Answering, Asked, Reply
from talk_pipeline_tests.systems.businesscentral.own_page import Field, OwnPage, Refused, Row, metadata_of

COMPANY_ID = "7e1f2f5c-53c5-4e3c-8f0e-5a0c6a2d5a11"


class Central:
    """The service with these pages, by API."""

    def __init__(
        self, server: Answering, apis: Mapping[str, Mapping[str, OwnPage]], *, page_size: int = 3
    ) -> None:
        self.server, self.apis, self._size = server, apis, page_size
        self.rows: dict[str, list[Row]] = {name: [] for pages in apis.values() for name in pages}
        self.subscriptions: list[Row] = []
        self.writes: list[str] = []
        self.lost = 0  # how many answers to come of creates do not arrive
        self.slow = 0  # how many changes to come are carried out when they `arrive`, and not answered
        self._under_way: list[Callable[[], None]] = []
        server.answer(self._answer)

    def page(self, name: str) -> OwnPage:
        return next(pages[name] for pages in self.apis.values() if name in pages)

    def add(self, name: str, **values: Any) -> Row:
        """A record that somebody enters there."""
        page = self.page(name)
        row = {one: page.blank(one) for one in page.fields}
        for one in page.fields:
            if page.fields[one].type == "Guid" and page.fields[one].read:
                row[one] = str(uuid.uuid4())
        self.rows[name].append(row)
        self.change(name, row, **values)
        return row

    def change(self, name: str, row: Row, **values: Any) -> None:
        """An edit of somebody there, or of the page itself."""
        row.update(values)
        row["@odata.etag"] = f'W/"{uuid.uuid4().hex}"'
        if (modified := self.page(name).modified) in row:
            row[modified] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def arrive(self) -> None:
        """Carries out what was slow."""
        under_way, self._under_way = self._under_way, []
        for one in under_way:
            one()

    def _answer(self, asked: Asked) -> Reply:
        try:
            return self._answered(asked)
        except Refused as refused:
            return refused.reply

    def _answered(self, asked: Asked) -> Reply:
        if asked.path == "/token":
            return Reply(200, {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
        if asked.headers.get("authorization") != "Bearer t":
            raise Refused(
                401,
                "Authentication_InvalidCredentials",
                "The server has rejected the client credentials.",
            )
        api, _, rest = asked.path.partition("/api/")[2].partition("/companies")
        if not rest and "/$" in api:
            api, _, rest = api.partition("/$")
            if rest == "batch":
                return self._batch(api, asked)
            return self._metadata(api)
        if api.endswith("/subscriptions") or "/subscriptions(" in api:
            return self._subscribed(asked)
        if asked.path.endswith("/companies"):
            return Reply(200, {"value": [{"id": COMPANY_ID, "name": "CRONUS"}]})
        target = asked.target.partition("/companies")[2]
        return self._one(api, asked.method, target, asked.headers, asked.body)

    def _one(self, api: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        where = urlsplit(target)
        if not (found := re.match(rf"\({COMPANY_ID}\)/(.*)", where.path)):
            raise Refused(404, "Internal_CompanyNotFound", "no such company")
        query, ways = dict(parse_qsl(where.query)), _ways(found[1])
        if ways[0][0] == "companyInformation":
            return Reply(200, {"value": [{"currencyCode": "DKK"}]})
        name, key = ways[0]
        if name not in self.apis.get(api, {}):
            raise Refused(404, "BadRequest_NotFound", f"No HTTP resource was found that matches '{name}'.")
        page, rows, given = self.apis[api][name], self.rows[name], Row()
        if query and not page.selects and {"$select", "$expand"} & query.keys():
            raise Refused(400, "BadRequest", "The query specified in the URI is not valid.")
        if len(ways) > 1:
            whole = self._row(page, rows, key or "")
            of, ties = page.below[ways[1][0]]
            name, key, page, given = (
                of,
                ways[1][1],
                self.page(of),
                {own: whole[up] for own, up in ties.items()},
            )
            rows = [row for row in self.rows[of] if given.items() <= row.items()]
        if key is None:
            return (
                self._list(name, page, rows, query, target, api)
                if method == "GET"
                else self._made(name, given, query, body)
            )
        row = self._row(page, rows, key)
        if method == "GET":
            return Reply(200, self._shown(page, row, query))
        self.writes.append(f"{method} {name}")
        version = headers.get("if-match") or headers.get("If-Match")
        if method == "PATCH" and page.etag and not version:
            raise Refused(400, "BadRequest_InvalidToken", "Could not validate the client concurrency token.")
        if page.etag and version not in (None, "*", row["@odata.etag"]):
            raise Refused(409, "Request_EntityChanged", "Another user has already changed the record.")
        if method == "DELETE":
            self.rows[name].remove(row)
            for of, ties in page.below.values():
                self.rows[of] = [
                    one for one in self.rows[of] if any(one[a] != row[b] for a, b in ties.items())
                ]
            return Reply(204)
        change = partial(
            self.change, name, row, **{one: page.taken(one, value) for one, value in _said(body).items()}
        )
        if self.slow:
            self.slow -= 1
            self._under_way.append(change)
            return Reply(dropped=True)
        change()
        return Reply(200, self._shown(page, row, query))

    def _made(self, name: str, given: Row, query: Mapping[str, str], body: bytes) -> Reply:
        page, said = self.page(name), _said(body)
        self.writes.append(f"POST {name}")
        lines = {way: said.pop(way) for way in [*said] if way in page.below}
        values = {one: page.taken(one, value) for one, value in said.items()} | given
        own = {one: values[one] for one in page.keys if one in values}
        if own and len(own) == len(page.keys) and any(own.items() <= row.items() for row in self.rows[name]):
            raise Refused(400, "Internal_EntityWithSameKeyExists", "The record already exists.")
        row = self.add(name, **values)
        for way, entries in lines.items():
            of, ties = page.below[way]
            for entry in entries:
                below = {one: self.page(of).taken(one, value) for one, value in entry.items()}
                self.add(of, **below, **{mine: row[up] for mine, up in ties.items()})
        if self.lost:
            self.lost -= 1
            return Reply(dropped=True)
        return Reply(201, self._shown(page, row, query))

    def _row(self, page: OwnPage, rows: Sequence[Row], key: str) -> Row:
        said = (
            dict(re.findall(r"(\w+)=('(?:[^']|'')*'|[^,]+)", key))
            if len(page.keys) > 1
            else {page.keys[0]: key}
        )
        if set(said) != set(page.keys):
            raise Refused(400, "BadRequest", "Bad Request - Error in query syntax.")
        wanted = {name: _literal(page.fields[name], value) for name, value in said.items()}
        for row in rows:
            if wanted.items() <= row.items():
                return row
        raise Refused(404, "BadRequest_ResourceNotFound", "The record in table was not found.")

    def _list(
        self, name: str, page: OwnPage, rows: Sequence[Row], query: Mapping[str, str], target: str, api: str
    ) -> Reply:
        if told := query.get("$filter"):
            if not page.filters:
                raise Refused(400, "BadRequest", "The query option '$filter' is not allowed.")
            rows = [row for row in rows if _meets(page, row, told)]
        if order := query.get("$orderby"):
            by, _, way = order.partition(" ")
            rows = sorted(rows, key=lambda row: row[by], reverse=way == "desc")
        if "$top" in query:
            rows = rows[: int(query["$top"])]
        begin = int(query.get("$skiptoken", 0))
        page_of = rows[begin : begin + self._size]
        body: Row = {"value": [self._shown(page, row, query) for row in page_of]}
        if begin + self._size < len(rows):
            bare = re.sub(r"[?&]\$skiptoken=\d+", "", target)
            mark = "&" if "?" in bare else "?"
            root = f"{self.server.url}/t/e/api/{api}/companies"
            body["@odata.nextLink"] = f"{root}{bare}{mark}$skiptoken={begin + self._size}"
        return Reply(200, _numbers(body))

    def _shown(self, page: OwnPage, row: Row, query: Mapping[str, str]) -> Row:
        names = query["$select"].split(",") if "$select" in query else [*page.fields]
        for one in names:
            if one not in page.fields:
                raise Refused(
                    400, "BadRequest", f"Could not find a property named '{one}' on type '{page.single}'."
                )
        versions = {"@odata.etag": row["@odata.etag"]} if page.etag else {}
        shown = {**versions, **{one: row[one] for one in names}}
        for way, inner in _expanded(query.get("$expand", "")):
            of, ties = page.below[way]
            shown[way] = [
                self._shown(self.page(of), one, inner)
                for one in self.rows[of]
                if all(one[own] == row[up] for own, up in ties.items())
            ]
        told: Row = _numbers(shown)
        return told

    def _batch(self, api: str, asked: Asked) -> Reply:
        answers = []
        for one in json.loads(asked.body, parse_float=Decimal)["requests"]:
            target, body = (
                one["url"].removeprefix("companies"),
                json.dumps(one.get("body"), default=float).encode(),
            )
            try:
                reply = self._one(api, one["method"], target, one["headers"], body)
            except Refused as refused:
                reply = refused.reply
            answers.append({"id": one["id"], "status": reply.status, "body": reply.body or None})
        return Reply(200, {"responses": answers})

    def _subscribed(self, asked: Asked) -> Reply:
        if asked.method == "GET":
            return Reply(200, {"value": self.subscriptions})
        if asked.method == "POST":
            self.subscriptions.append(
                {**asked.json(), "subscriptionId": uuid.uuid4().hex, "@odata.etag": "W/1"}
            )
        return Reply(201, self.subscriptions[-1])

    def _metadata(self, api: str) -> Reply:
        if api not in self.apis:
            raise Refused(404, "BadRequest_NotFound", "no such API")
        return Reply(200, metadata_of(self.apis[api]), {"Content-Type": "application/xml"})


def _literal(said: Field, text: str) -> Any:
    if said.type == "Int32":
        return int(text)
    if said.type == "Decimal":
        return Decimal(text)
    if said.type == "Boolean":
        return text == "true"
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def _meets(page: OwnPage, row: Row, told: str) -> bool:
    asked = re.findall(r"(\w+) (eq|ge|gt|le|lt) ('(?:[^']|'')*'|\S+)", told)
    if " or " in told and len({name for name, _, _ in asked}) > 1:
        raise Refused(501, "BadRequest_MethodNotImplemented", "OR on distinct fields is not supported")
    found = []
    for name, how, text in asked:
        if name not in page.fields:
            raise Refused(400, "BadRequest", f"Could not find a property named '{name}'")
        value, there = _literal(page.fields[name], text), row[name]
        value = value.upper() if page.fields[name].code else value
        found.append(there == value if how == "eq" else there >= value if how == "ge" else there > value)
    return any(found) if " or " in told else all(found)


def _ways(path: str) -> list[tuple[str, str | None]]:
    found = re.findall(r"([^/(]+)(?:\(([^)]*)\))?/?", path)
    return [(name, unquote(key) or None) for name, key in found]


def _expanded(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    for way, inner in re.findall(r"(\w+)(?:\(([^)]*)\))?", text):
        yield way, dict(one.split("=", 1) for one in inner.split(";") if one)


def _said(body: bytes) -> Row:
    said: Row = json.loads(body, parse_float=Decimal)
    return said


def _numbers(value: Any) -> Any:
    """Decimals with all their digits, as far as JSON of this language can."""
    if isinstance(value, dict):
        return {name: _numbers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_numbers(one) for one in value]
    return float(value) if isinstance(value, Decimal) else value
