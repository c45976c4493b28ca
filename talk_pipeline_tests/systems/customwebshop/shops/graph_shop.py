"""A shop whose only door is GraphQL: every question and change is a POST to one address, answered with 200."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from graphql import GraphQLError, build_schema, graphql_sync

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

CONNECTOR = Path(__file__).with_suffix(".yaml").read_text()

SCHEMA = build_schema(Path(__file__).with_suffix(".graphql").read_text())
PREFIX = "gid://shop/"


class GraphShop(Shop):
    """Its resolvers; `refuses` are the user errors of each change, `fails` the code of whatever is asked.

    `in_drafts`: lines are changed in an edit of the order, which then is committed.
    """

    schema = SCHEMA

    def __init__(self) -> None:
        super().__init__()
        self.refuses: str | None = None
        self.fails: str | None = None
        self.fails_changes = True
        self.edits: dict[str, tuple[str, list[tuple[str | None, Row | None]]]] = {}
        self.in_drafts = False
        self.refresh = "refresh-0"
        self.token = ""
        self.root: dict[str, Callable[..., Any]] = {}
        for table in self.tables:
            self.root[table] = lambda info, _table=table, **asked: self._page(_table, **asked)
            self.root[table[:-1]] = lambda info, id, _table=table: self._one(_table, id)
        self.root |= {
            "customerCreate": lambda info, input: self._made(self.add("customers", **input)),
            "customerUpdate": lambda info, id, input: self._changed("customers", id, input),
            "productUpdate": lambda info, id, input: self._changed("products", id, input),
            "editBegin": lambda info, order: self._edit(key_of(order)),
            "editCommit": lambda info, edit: self._commit(edit),
            "lineAdd": lambda info, order, input: self._line(order, None, input),
            "lineUpdate": lambda info, order, line, input: self._line(order, key_of(line), input),
            "lineRemove": lambda info, order, line: self._line(order, key_of(line), None),
        }

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert method == "POST"
        if target == "/token":
            return self._let_in(dict(parse_qsl(body.decode())))
        assert (target, headers["authorization"]) == ("/graphql", f"Bearer {self.token}")
        asked = json.loads(body)
        change = asked["query"].startswith("mutation")
        if change:
            self.writes.append(asked["query"].partition("made: ")[2].partition("(")[0])
        if self.fails and change == self.fails_changes:
            return _told({"errors": [{"message": f"it is {self.fails}", "extensions": {"code": self.fails}}]})
        done = graphql_sync(self.schema, asked["query"], self.root, variable_values=asked.get("variables"))
        return _told(done.formatted)

    def _let_in(self, form: Mapping[str, str]) -> Reply:
        assert (form["grant_type"], form["refresh_token"]) == ("refresh_token", self.refresh)
        self.refresh, self.token = f"refresh-{self.next()}", f"token-{self.next()}"
        return _told({"access_token": self.token, "refresh_token": self.refresh, "expires_in": 3600})

    def _page(
        self, table: str, first: int, after: str = "", since: str = "", newest: bool = False
    ) -> dict[str, Any]:
        rows = sorted(self.since(table, since), key=lambda row: row["changed"], reverse=newest)
        start = int(after or 0)
        end = start + first
        page = {"hasNextPage": end < len(rows), "endCursor": str(end)}
        return {"nodes": [self._shown(row) for row in rows[start:end]], "pageInfo": page}

    def _one(self, table: str, id: str) -> Row | None:
        row = self.tables[table].get(key_of(id))
        return self._shown(row) if row else None

    def _shown(self, row: Row) -> Row:
        shown = row | {"id": PREFIX + row["id"]}
        if "customer" in row:
            shown["customer"] = self._one("customers", PREFIX + row["customer"])
        if "lines" in row:
            products = {
                key: self._one("products", PREFIX + line["product"]) for key, line in row["lines"].items()
            }
            lines = [
                {**line, "id": PREFIX + key, "product": products[key]} for key, line in row["lines"].items()
            ]
            shown["lines"] = {"nodes": lines}
        return shown

    def _shown_line(self, line: Row) -> Row:
        return line | {"id": PREFIX + line["id"], "product": self._one("products", PREFIX + line["product"])}

    def _changed(self, table: str, id: str, values: Row) -> Row:
        if not self.refuses:
            self.edit(table, key_of(id), **values)
        return self._made(None)

    def _edit(self, order: str) -> Row:
        edit = f"gid://edit/{self.next()}"
        self.edits[edit] = (order, [])
        return {"edit": {"id": edit}, "userErrors": []}

    def _commit(self, edit: str) -> Row:
        order, changes = self.edits.pop(edit)
        for key, values in changes:
            self.change_line(order, key, values)
        return self._made(None)

    def _line(self, order: str, key: str | None, values: Row | None) -> Row:
        if self.in_drafts:
            if values and "product" in values:
                values = values | {"product": key_of(values["product"])}
            self.edits[order][1].append((key, values))
        elif not self.refuses:
            said = (
                {**values, **({"product": key_of(values["product"])} if "product" in values else {})}
                if values
                else None
            )
            self.change_line(key_of(order), key, said)
        return self._made(None)

    def _made(self, customer: str | None) -> Row:
        errors = [{"field": ["input", "name"], "message": self.refuses}] if self.refuses else []
        made = self._one("customers", PREFIX + customer) if customer else None
        return {"customer": made, "userErrors": errors}


def key_of(id: str) -> str:
    if not id.startswith(PREFIX):
        raise GraphQLError(f"{id} is no id")
    return id.removeprefix(PREFIX)


def _told(document: Any) -> Reply:
    return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()
