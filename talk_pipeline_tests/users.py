"""Both systems as the people see them who work there: records made, edited and deleted, and faults ordered."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx

from talk_pipeline.systems.http.way import trusted

Row = dict[str, Any]


class Api:
    """A system as its users see it."""

    def __init__(self, base: str, headers: Mapping[str, str], control: str) -> None:
        self.http = httpx.Client(base_url=base, headers=dict(headers), timeout=30, verify=trusted())
        self._control = httpx.Client(base_url=control, timeout=30, verify=trusted())

    def control(self, path: str, body: Any = None) -> Any:
        answer = self._control.post(f"/_sandbox/{path}", json=body if body is not None else {})
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def back_office(self, method: str, place: str, values: Row | None = None, *, ago: float = 0) -> Row:
        """A record as the system's own people see and change it, without a token, and as if some seconds ago."""
        body = None if values is None else {"values": values, "modified_seconds_ago": ago}
        row: Row = self.read(self._control.request(method, f"/_sandbox/records/{place}", json=body))
        return row

    def faults(self, *rules: Row) -> None:
        self.control("faults", list(rules))

    def rules(self) -> list[Row]:
        """The rules in force, with how often each matched and fired."""
        listed: list[Row] = self._control.get("/_sandbox/faults").json()["faults"]
        return listed

    def no_faults(self) -> None:
        self._control.delete("/_sandbox/faults").raise_for_status()

    def forget_requests(self) -> None:
        self._control.delete("/_sandbox/requests").raise_for_status()

    def requests(self) -> Row:
        seen: Row = self._control.get("/_sandbox/requests").json()
        return seen

    def close(self) -> None:
        self.http.close()
        self._control.close()

    @staticmethod
    def read(answer: httpx.Response) -> Any:
        assert answer.status_code < 300, f"{answer.status_code} {answer.text}"
        return json.loads(answer.content, parse_float=Decimal) if answer.content else None


class Shop(Api):
    """The web shop, through its back office: the same fields whatever the wire shape of its API."""

    def all(self, resource: str) -> dict[str, Row]:
        rows: list[Row] = self.read(self._control.get(f"/_sandbox/records/{resource}"))["records"]
        return {row["id"]: row for row in rows}

    def get(self, resource: str, key: str) -> Row:
        row: Row = self.read(self._control.get(f"/_sandbox/records/{resource}/{key}"))
        return row

    def patch(self, resource: str, key: str, body: Row) -> Row:
        answer = self._control.patch(f"/_sandbox/records/{resource}/{key}", json={"values": body})
        row: Row = self.read(answer)
        return row

    def post(self, resource: str, body: Row) -> Row:
        row: Row = self.read(self._control.post(f"/_sandbox/records/{resource}", json={"values": body}))
        return row

    def delete(self, resource: str, key: str) -> None:
        self.read(self._control.delete(f"/_sandbox/records/{resource}/{key}"))


class Central(Api):
    """Business Central."""

    def all(self, entity: str, query: str = "") -> dict[str, Row]:
        rows: list[Row] = self.read(self.http.get(f"/{entity}{query}"))["value"]
        return {row["id"]: row for row in rows}

    def orders(self) -> dict[str, Row]:
        return self.all("salesOrders", "?$expand=salesOrderLines")

    def get(self, entity: str, key: str) -> Row:
        query = "?$expand=salesOrderLines" if entity == "salesOrders" else ""
        row: Row = self.read(self.http.get(f"/{entity}({key}){query}"))
        return row

    def patch(self, entity: str, key: str, body: Row) -> Row:
        row: Row = self.read(self.http.patch(f"/{entity}({key})", json=body, headers={"If-Match": "*"}))
        return row

    def post(self, entity: str, body: Row) -> Row:
        row: Row = self.read(self.http.post(f"/{entity}", json=body))
        return row

    def delete(self, entity: str, key: str) -> None:
        self.read(self.http.delete(f"/{entity}({key})", headers={"If-Match": "*"}))
