"""A system as its own users see it, through the back office of its sandbox."""

import json
from decimal import Decimal
from typing import Any

import httpx

from talk_pipeline.systems.http.way import trusted

Row = dict[str, Any]


class Refused(Exception):
    """A system does not let its user do that."""


class Office:
    """One system from the inside."""

    def __init__(self, root: str) -> None:
        self._http = httpx.Client(base_url=f"{root}/_sandbox", timeout=30, verify=trusted())

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._http.request(method, f"/{path}", json=body)
        if answer.status_code >= 300:
            raise Refused(answer.text)
        return json.loads(answer.content, parse_float=Decimal)

    def sets(self, *collections: str) -> dict[str, list[Row]]:
        """All records of several sets, by set."""
        asked = "&".join(f"set={name}" for name in collections)
        found: dict[str, list[Row]] = self.call("GET", f"records?{asked}")
        return found

    def all(self, collection: str) -> list[Row]:
        rows: list[Row] = self.call("GET", f"records/{collection}")["records"]
        return rows

    def create(self, collection: str, values: Row) -> Row:
        row: Row = self.call("POST", f"records/{collection}", {"values": values})
        return row

    def update(self, collection: str, key: str, values: Row) -> None:
        self.call("PATCH", f"records/{collection}/{key}", {"values": values})

    def delete(self, collection: str, key: str) -> None:
        self.call("DELETE", f"records/{collection}/{key}")

    def close(self) -> None:
        self._http.close()
