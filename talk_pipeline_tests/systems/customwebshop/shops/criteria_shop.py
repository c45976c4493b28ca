"""A shop that is asked by criteria, whose clients make ids, and whose orders are changed in a version of their own.

As a Shopware 6 tells and takes them: searches by POST, no content where something was written, prices by currency,
states that are moved on by transitions, errors in a list. Made from that product's public documentation; it was not
held against a real one.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

CONNECTOR = Path(__file__).with_suffix(".yaml")
DKK = "00000000000000000000000000000dcc"
TRANSITIONS = {"process": "in_progress", "complete": "completed", "cancel": "cancelled"}
NAMES = {"customer": "customers", "product": "products", "order": "orders"}


class Refused(Exception):
    """What a client is told is wrong, each by status, code, what it is about and a text."""

    def __init__(self, status: int, *wrong: tuple[str, str, str]) -> None:
        errors = [
            {"status": str(status), "code": code, "detail": text, "source": {"pointer": pointer}}
            for code, pointer, text in wrong
        ]
        self.reply: Reply = (
            status,
            {"Content-Type": "application/json"},
            json.dumps({"errors": errors}).encode(),
        )


class CriteriaShop(Shop):
    """`lost` is how many answers to come are lost after what they tell was done; `broken` takes no lines."""

    def __init__(self) -> None:
        super().__init__()
        self.versions: dict[str, tuple[str, dict[str, Row]]] = {}
        self.lost = 0
        self.broken = False

    def next(self) -> str:
        return super().next().zfill(32)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if target == "/api/oauth/token":
            return _told({"access_token": "let-in", "token_type": "Bearer", "expires_in": 600})
        said = json.loads(body, parse_float=str) if body else {}
        if headers.get("authorization") != "Bearer let-in":
            return Refused(
                401, ("9", "", "The resource owner or authorization server denied the request.")
            ).reply
        version = headers.get("sw-version-id")
        doors: tuple[tuple[str, Callable[..., Any]], ...] = (
            (r"POST /api/search/(\w+)", lambda name: self._searched(NAMES[name], said)),
            (r"POST /api/search/order-line-item", lambda: self._beside("orders", said)),
            (r"POST /api/search/customer-contact", lambda: self._beside("customers", said)),
            (r"POST /api/(customer|product)", lambda name: self._created(NAMES[name], said)),
            (
                r"PATCH /api/(customer|product|order)/(\w{32})",
                lambda name, key: self._patched(name, key, said),
            ),
            (r"DELETE /api/(customer|product)/(\w{32})", self._deleted),
            (r"POST /api/_action/order/(\w{32})/state/(\w+)", self._moved),
            (r"POST /api/_action/version/order/(\w{32})", self._begun),
            (r"POST /api/_action/version/merge/order/(\w{32})", self._merged),
            (r"DELETE /api/_action/version/(\w{32})/order/\w{32}", self._given_up),
            (r"POST /api/order-line-item", lambda: self._line(version, None, said)),
            (r"PATCH /api/order-line-item/(\w{32})", lambda key: self._line(version, key, said)),
            (r"DELETE /api/order-line-item/(\w{32})", lambda key: self._line(version, key, None)),
        )
        for pattern, door in doors:
            if found := re.fullmatch(pattern, f"{method} {target}"):
                if "/search/" not in target:
                    self.writes.append(re.sub(r"/\w{32}", "", f"{method} {target.removeprefix('/api/')}"))
                return self._answered(door, found.groups())
        return Refused(404, ("FRAMEWORK__NO_ROUTE", "", f"No route found for {method} {target}")).reply

    def _answered(self, door: Callable[..., Any], said: tuple[str, ...]) -> Reply:
        try:
            told = door(*said)
        except Refused as refused:
            return refused.reply
        if isinstance(told, str) and self.lost:
            self.lost -= 1
            return 504, {"Content-Type": "text/html"}, b"<html><body>Gateway Timeout</body></html>"
        if isinstance(told, str):
            return 204, {"Location": f"{self.address}{told}"}, b""
        return (204, {}, b"") if told is None else _told(told)

    def _searched(self, table: str, asked: Row) -> Row:
        rows = list(self.tables[table].values())
        if ids := asked.get("ids"):
            rows = [row for row in rows if row["id"] in ids]
        for one in asked.get("filter", ()):
            if one["type"] == "range":
                rows = [row for row in rows if row["changed"] >= one["parameters"]["gte"]]
            else:
                rows = [row for row in rows if row[one["field"]] == one["value"]]
        size, page = asked.get("limit", 500), asked.get("page", 1)
        shown = [
            self._shown(row, asked.get("associations", {})) for row in rows[(page - 1) * size : page * size]
        ]
        return {"total": len(rows), "data": shown}

    def _beside(self, table: str, asked: Row) -> Row:
        """What belongs to one record and is searched for by itself: the lines of an order, a contact."""
        (about,) = asked["filter"]
        row = self.tables[table][about["value"]]
        rows = (
            [_line_shown(one) for one in row["lines"].values()]
            if "lines" in row
            else [{"mail": row["email"]}]
        )
        size, page = asked.get("limit", 500), asked.get("page", 1)
        return {"total": len(rows), "data": rows[(page - 1) * size : page * size]}

    def _shown(self, row: Row, associations: Row) -> Row:
        told = {name: value for name, value in row.items() if name not in ("lines", "changed")}
        told |= {"updatedAt": row["changed"], "createdAt": "2026-01-01T00:00:00.000Z"}
        if "price" in row:
            told["price"] = [{"currencyId": DKK, "net": row["price"], "gross": row["price"], "linked": False}]
        if "customer" in row:
            told["stateMachineState"] = {"technicalName": row.get("state", "open")}
            told["orderCustomer"] = {"customerId": row["customer"]}
        if "lineItems" in associations and "lines" in row:
            told["lineItems"] = [_line_shown(one) for one in row["lines"].values()]
        return told

    def _created(self, table: str, said: Row) -> str:
        key = said.pop("id", None)
        if not re.fullmatch(r"[0-9a-f]{32}", key or ""):
            raise Refused(400, ("c1051bb4", "/0/id", "This value should be a valid id."))
        if key in self.tables[table]:
            raise Refused(400, ("FRAMEWORK__WRITE_DUPLICATE", "/0/id", f"Primary key {key} already exists."))
        self._check(table, said)
        self.tables[table][key] = {"id": key}
        self.edit(table, key, **said)
        return f"/api/{table[:-1]}/{key}"

    def _patched(self, name: str, key: str, said: Row) -> None:
        table = NAMES[name]
        if key not in self.tables[table]:
            raise Refused(404, ("FRAMEWORK__WRITE_RESOURCE_NOT_FOUND", "", f"{name} {key} is not found."))
        self._check(table, said)
        if "price" in said:
            (price,) = said["price"]
            assert price["net"] == price["gross"]
            assert (price["currencyId"], price["linked"]) == (DKK, False)
            said["price"] = str(price["net"])
        self.edit(table, key, **said)

    def _deleted(self, name: str, key: str) -> None:
        del self.tables[NAMES[name]][key]

    def _check(self, table: str, said: Row) -> None:
        short = [name for name in ("company", "street", "title") if len(said.get(name) or "long") < 3]
        if short:
            wrong = [("VIOLATION::TOO_SHORT", f"/0/{name}", "This value is too short.") for name in short]
            raise Refused(400, *wrong)

    def _moved(self, key: str, transition: str) -> Row:
        order = self.tables["orders"][key]
        if transition not in TRANSITIONS or order.get("state") == "completed":
            text = f'Illegal transition "{transition}" from state "{order.get("state", "open")}".'
            raise Refused(400, ("SYSTEM__ILLEGAL_STATE_TRANSITION", "", text))
        self.edit("orders", key, state=TRANSITIONS[transition])
        return {"data": {"attributes": {"technicalName": TRANSITIONS[transition]}}}

    def _begun(self, order: str) -> Row:
        version = self.next()
        lines = {key: dict(line) for key, line in self.tables["orders"][order]["lines"].items()}
        self.versions[version] = order, lines
        return {"versionId": version, "versionName": None, "id": order, "entity": "order"}

    def _line(self, version: str | None, key: str | None, said: Row | None) -> str | None:
        if version not in self.versions:
            raise Refused(403, ("ORDER__LIVE_VERSION", "", "Lines are changed in a version of the order."))
        if self.broken:
            raise Refused(400, ("FRAMEWORK__WRITE_TYPE_INTEND", "/0/id", "There is no such line."))
        _, lines = self.versions[version]
        if said is None:
            del lines[str(key)]
            return None
        key = key or said.pop("id")
        if not re.fullmatch(r"[0-9a-f]{32}", key):
            raise Refused(400, ("c1051bb4", "/0/id", "This value should be a valid id."))
        names = {"productId": "product", "label": "text", "quantity": "quantity", "unitPrice": "unit_price"}
        assert said.pop("orderId", None) in (None, *self.tables["orders"])
        told = {names[name]: str(value) for name, value in said.items()}
        lines[key] = {"id": key, "text": "", "unit_price": "0"} | lines.get(key, {}) | told
        return None

    def _given_up(self, version: str) -> None:
        del self.versions[version]

    def _merged(self, version: str) -> None:
        order, lines = self.versions.pop(version)
        self.edit("orders", order, lines=lines)


def _line_shown(line: Row) -> Row:
    return {
        "id": line["id"],
        "productId": line["product"],
        "label": line["text"],
        "quantity": int(line["quantity"]),
        "unitPrice": float(line["unit_price"]),
    }


def _told(document: Any) -> Reply:
    return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()
