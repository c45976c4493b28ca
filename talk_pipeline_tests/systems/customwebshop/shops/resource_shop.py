"""A shop that speaks JSON:API: attributes and relationships, cursors, versions, and types everywhere.

It insists on its own media type, on the type and id of what a change is about and on the version it was read at;
nested attributes are replaced. The lines of orders are resources of their own. Made from the public specification.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

TOKEN = "visitor"
MEDIA = "application/vnd.api+json"
RELATED = {"orders": ("customer",), "lines": ("order", "product"), "customers": (), "products": ()}
REQUIRED = {"customers": "company-name", "products": "title", "lines": "quantity"}


class Refused(Exception):
    """An error as the shop tells it."""

    def __init__(self, status: int, code: str, detail: str, pointer: str | None = None) -> None:
        super().__init__(detail)
        said: Row = {"status": str(status), "code": code, "title": code.title(), "detail": detail}
        self.reply = _told(status, {"errors": [said | ({"source": {"pointer": pointer}} if pointer else {})]})


class ResourceShop(Shop):
    """Its resources by type and id; `meanwhile` is an edit of the shop's own before the next change is heeded."""

    def __init__(self) -> None:
        super().__init__()
        self.tables["lines"] = {}
        self.meanwhile: tuple[str, str, Row] | None = None

    def attributes(self, table: str, key: str) -> Row:
        """What a record says of itself."""
        row = self.tables[table][key]
        return {name: row[name] for name in row if name not in ("id", *RELATED[table])}

    def version(self, table: str, key: str) -> str:
        return f'"{self.tables[table][key].get("_version", 0)}"'

    def edit(self, table: str, key: str, **values: Any) -> None:
        super().edit(table, key, **values)
        row = self.tables[table][key]
        row["_version"] = row.get("_version", 0) + 1
        if table == "lines":
            self.edit("orders", row["order"])

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        try:
            return self._answer(method, target, headers, body)
        except Refused as refused:
            return refused.reply

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if headers.get("authorization") != f"Token {TOKEN}":
            raise Refused(401, "unauthenticated", "Who are you?")
        if headers.get("accept") != MEDIA:
            raise Refused(406, "not_acceptable", f"Only {MEDIA} is spoken here.")
        if body and headers.get("content-type") != MEDIA:
            raise Refused(415, "unsupported", f"Only {MEDIA} is understood here.")
        where = urlsplit(target)
        asked = {name: values[-1] for name, values in parse_qs(where.query).items()}
        found = re.fullmatch(r"/v3/(customers|products|orders|lines)(?:/(\d+)(/lines)?)?", where.path)
        if not found:
            raise Refused(404, "no_route", "There is nothing here.")
        table, key, below = found.groups()
        if key is not None and key not in self.tables[table]:
            raise Refused(404, "not_found", f"There are no {table} {key}.")
        if below:
            rows = [row for row in self.tables["lines"].values() if row["order"] == key]
            return self._page("lines", rows, where.path, asked)
        if method == "GET" and key is None:
            since = asked.get("filter[changed-at][ge]")
            return self._page(table, self.since(table, since), where.path, asked)
        if method == "GET" and key is not None:
            return _told(200, {"data": self._shown(table, key, asked)}, etag=self.version(table, key))
        return self._changed(method, table, key, headers, json.loads(body, parse_float=str) if body else {})

    def _changed(
        self, method: str, table: str, key: str | None, headers: Mapping[str, str], said: Row
    ) -> Reply:
        self.writes.append(f"{method} {table}")
        if self.meanwhile:
            edited, self.meanwhile = self.meanwhile, None
            self.edit(edited[0], edited[1], **edited[2])
        if key is not None and table != "lines":
            if "if-match" not in headers:
                raise Refused(428, "version_required", "Say which version is meant.")
            if headers["if-match"] != self.version(table, key):
                raise Refused(412, "changed", "It has been changed.")
        if method == "DELETE" and key is not None:
            row = self.tables[table].pop(key)
            if table == "lines":
                self.edit("orders", row["order"])
            return 204, {}, b""
        values = self._understood(table, key, said.get("data"))
        if key is None:
            key = self.add(table, **values)
            if table == "lines":
                self.edit("orders", values["order"])
            told = {"data": self._shown(table, key, {})}
            return _told(
                201, told, etag=self.version(table, key), Location=f"{self.address}/v3/{table}/{key}"
            )
        self.edit(table, key, **values)
        return _told(200, {"data": self._shown(table, key, {})}, etag=self.version(table, key))

    def _understood(self, table: str, key: str | None, data: Any) -> Row:
        """What a document says, as it is kept."""
        if not isinstance(data, dict) or data.get("type") != table or data.get("id") != key:
            raise Refused(409, "conflict", f"That is no {table} {key}.", "/data")
        if unknown := data.keys() - {"type", "id", "attributes", "relationships"}:
            raise Refused(400, "unknown", f"{sorted(unknown)}", "/data")
        values: Row = dict(data.get("attributes", {}))
        wanted = REQUIRED.get(table)
        if wanted and ((key is None and wanted not in values) or values.get(wanted, "x") in (None, "")):
            raise Refused(422, "blank", "cannot be blank", f"/data/attributes/{wanted}")
        for name, one in data.get("relationships", {}).items():
            linked = one["data"]
            if linked is None:
                values[name] = None
                continue
            if linked.keys() != {"type", "id"} or linked["id"] not in self.tables.get(linked["type"], ()):
                raise Refused(422, "dangling", f"{linked} is nothing", f"/data/relationships/{name}")
            values[name] = linked["id"]
        return values

    def _page(self, table: str, rows: list[Row], path: str, asked: Mapping[str, str]) -> Reply:
        size, after = int(asked.get("page[size]", 2)), int(asked.get("page[cursor]", 0))
        rows = sorted(rows, key=lambda row: int(row["id"]))
        if asked.get("sort") == "-changed-at":
            rows = sorted(rows, key=lambda row: row["changed"], reverse=True)
        shown = [row for row in rows if int(row["id"]) > after] if "sort" not in asked else rows
        shown, more = shown[:size], len(shown) > size
        following = f"{path}?page[size]={size}&page[cursor]={shown[-1]['id']}" if more else None
        since = asked.get("filter[changed-at][ge]")
        following = following + f"&filter[changed-at][ge]={since}" if following and since else following
        if following and table == "lines":  # a reference, as relative as it may be
            following = following.removeprefix(path)
        told = [self._shown(table, row["id"], asked) for row in shown]
        return _told(
            200, {"data": told, "links": {"self": path, "next": following}, "meta": {"n": len(rows)}}
        )

    def _shown(self, table: str, key: str, asked: Mapping[str, str]) -> Row:
        row = self.tables[table][key]
        fields = asked.get(f"fields[{table}]")
        own = {name: one for name, one in self.attributes(table, key).items() if not name.startswith("_")}
        own["changed-at"] = own.pop("changed")
        if fields:
            own = {name: one for name, one in own.items() if name in fields.split(",")}
        of = {name[:-1]: name for name in self.tables}
        links: Row = {
            name: {"data": row.get(name) and {"type": of[name], "id": row[name]}} for name in RELATED[table]
        }
        if table == "orders":
            links["lines"] = {"links": {"related": f"/v3/orders/{key}/lines"}}
        me = {"links": {"self": f"/v3/{table}/{key}"}}
        return {"type": table, "id": key, "attributes": own, "relationships": links, **me}


def _told(status: int, what: Any, *, etag: str | None = None, **headers: str) -> Reply:
    told = {"Content-Type": MEDIA, **headers} | ({"ETag": etag} if etag else {})
    return status, told, json.dumps(what).encode()
