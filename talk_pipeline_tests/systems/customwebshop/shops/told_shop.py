"""A shop whose records are changed by actions, in a body that says the version they are meant for.

As commercetools has it: a list of actions, each for a value or two, no header for a version, and 409 where another
one is there. Made from that product's public documentation; it was not held against a real one.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

CONNECTOR = Path(__file__).with_suffix(".yaml")
VALUES = {
    "setName": {"company"},
    "setContact": {"email", "phone"},
    "setAddress": {"street", "city", "zip", "country"},
    "setTitle": {"title"},
    "setPrice": {"price"},
}


class ToldShop(Shop):
    """`meanwhile` is what somebody else edits just before the next change; `stale` counts other versions.

    `slow` is an action that a gateway gives up waiting for; what of it is to be done yet is in `later`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stale = 0
        self.meanwhile: tuple[str, str, Row] | None = None
        self.slow = ""
        self.later: list[tuple[str, str, Row]] = []

    def edit(self, table: str, key: str, **values: Any) -> None:
        super().edit(table, key, **values, version=self.tables[table][key].get("version", 1) + 1)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        where = urlsplit(target)
        table, *keys = where.path.strip("/").split("/")
        asked = dict(parse_qsl(where.query))
        if not keys and method == "GET":
            return self._listed(table, asked)
        if not keys:
            self.writes.append(f"POST {table}")
            return _told(201, self._shown(self.tables[table][self.add(table, **json.loads(body))]))
        if method != "GET" and self.meanwhile:
            changed, key, values = self.meanwhile
            self.meanwhile = None
            self.edit(changed, key, **values)
        if keys[0] not in self.tables[table]:
            return _wrong(404, "ResourceNotFound", f"There is no {table} {keys[0]}.")
        if method != "GET":
            said: Row = json.loads(body) if body else {"version": int(asked["version"]), "actions": []}
            if said["version"] != self.tables[table][keys[0]].get("version", 1):
                self.stale += 1
                return _wrong(409, "ConcurrentModification", "Another version is there.")
            if method == "DELETE":
                del self.tables[table][keys[0]]
                return _told(200, {})
            if any(action["action"] == self.slow for action in said["actions"]):
                self.later += [(table, keys[0], action) for action in said["actions"]]
                return 504, {"Content-Type": "text/html"}, b"<html><body>Gateway Timeout</body></html>"
            for action in said["actions"]:
                self._done(table, keys[0], action)
        return _told(200, self._shown(self.tables[table][keys[0]]))

    def carry_out(self) -> None:
        """What was slow is done."""
        self.slow, later, self.later = "", self.later, []
        for table, key, action in later:
            self._done(table, key, action)

    def _listed(self, table: str, asked: Mapping[str, str]) -> Reply:
        rows = [self._shown(row) for row in self.since(table, asked.get("since"))]
        start, size = int(asked.get("offset", 0)), int(asked.get("limit", 20))
        return _told(200, {"results": rows[start : start + size], "total": len(rows)})

    def _shown(self, row: Row) -> Row:
        told = {"version": 1, **row}
        return told | {"lines": list(row["lines"].values())} if "lines" in row else told

    def _done(self, table: str, key: str, said: Row) -> None:
        action = said.pop("action")
        self.writes.append(f"{action} {table}")
        if action in VALUES:
            assert set(said) <= VALUES[action], f"{action} takes no {said}"
            self.edit(table, key, **said)
            return
        if action == "makeNine":
            said["quantity"] = "9"
        values = (
            None if action == "removeLine" else {name: one for name, one in said.items() if name != "line"}
        )
        self.change_line(key, said.get("line"), values)


def _wrong(status: int, code: str, message: str) -> Reply:
    return _told(
        status, {"statusCode": status, "message": message, "errors": [{"code": code, "message": message}]}
    )


def _told(status: int, document: Any) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()
