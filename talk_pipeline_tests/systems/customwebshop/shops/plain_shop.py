"""A shop of JSON records by any name, on pages of two, that are patched."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Shop


class Plain(Shop):
    """Its tables are what is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = {}

    def add(self, table: str, **values: Any) -> str:
        self.tables.setdefault(table, {})
        return super().add(table, **values)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        where = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(where.query).items()}
        table, *keys = where.path.strip("/").split("/")[1:] or [""]
        rows = self.tables.setdefault(table, {})
        if not keys and method == "GET":
            found, page = self.since(table, asked.get("since")), int(asked.get("page", 1))
            return told(200, {"data": found[(page - 1) * 2 : page * 2], "pages": -(-len(found) // 2)})
        if keys and keys[0] not in rows:
            return told(404, {"message": "no such record"})
        if method == "GET":
            return told(200, rows[keys[0]])
        self.writes.append(f"{method} {table}")
        if method == "DELETE":
            del rows[keys[0]]
            return 204, {}, b""
        said = json.loads(body, parse_float=str)
        key = self.add(table, **said) if method == "POST" else keys[0]
        self.edit(table, key, **said)
        return told(200, rows[key])


def told(status: int, what: Any) -> Reply:
    """An answer."""
    return status, {"Content-Type": "application/json"}, json.dumps(what).encode()
