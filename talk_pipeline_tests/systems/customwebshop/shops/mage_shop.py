"""A whole shop that is searched by criteria, as a Magento 2 is: its orders are hardly written.

Changes are wrapped by the name of what they are about and merged into it, but a list of addresses is replaced; of a
customer some values are wanted each time. Orders are told by another number than their id, take a status as a
comment and a number as an extension, and no change of their lines. Made from that product's public documentation;
it was not held against a real one.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

TOKEN = "integration"
NO_ENTITY = "No such entity with %fieldName = %fieldValue"
REQUIRED = '"%fieldName" is required. Enter and try again.'
_ASKED = re.compile(r"searchCriteria\[filter_groups\]\[(\d+)\]\[filters\]\[0\]\[(\w+)\]")
_REGIONS = {"CA": (12, "California"), "NY": (43, "New York")}


class Refused(Exception):
    """An error as the shop tells it."""

    def __init__(self, status: int, message: str, parameters: Any = None) -> None:
        super().__init__(message)
        said = {"message": message} | ({"parameters": parameters} if parameters is not None else {})
        self.reply = _told(status, said)


class MageShop(Shop):
    """Its customers and orders by their id, its products by their code; a `late` one carries changes out later."""

    key = {"customers": "id", "products": "sku", "orders": "entity_id"}

    def __init__(self) -> None:
        super().__init__()
        self.late = False
        self.awaiting: list[tuple[str, str, Mapping[str, str], bytes]] = []

    def carry_out(self) -> None:
        """What it was told and only accepted."""
        self.late = False
        for one in self.awaiting:
            assert self.answer(*one)[0] == 200
        self.awaiting.clear()

    def put(self, table: str, key: str | None, **values: Any) -> Row:
        """An edit of the shop's own, or a new record."""
        number = int(self.next())
        if key is None or key not in self.tables[table]:
            made = {self.key[table]: number, "created_at": _now()} | (
                {"id": number} if table == "products" else {}
            )
            key = key or str(number)
            self.tables[table][key] = made | ({"sku": key} if table == "products" else {})
        row = self.tables[table][key]
        told = {one["attribute_code"]: one for one in row.get("custom_attributes", ())}
        told |= {one["attribute_code"]: one for one in values.pop("custom_attributes", ())}
        if "addresses" in values:
            values["addresses"] = [self._address(one) for one in values["addresses"]]
        kept = [one for one in told.values() if one["value"] not in (None, "")]
        row.update(values, custom_attributes=kept, updated_at=_now())
        return row

    def _address(self, said: Row) -> Row:
        for name in ("firstname", "lastname", "street", "city", "country_id", "telephone"):
            if not said.get(name):
                raise Refused(400, REQUIRED, {"fieldName": name})
        region = said.get("region") or {}
        of = next((one for one in _REGIONS.items() if one[1][0] == said.get("region_id")), None)
        of = of or next((one for one in _REGIONS.items() if one[0] == region.get("region_code")), None)
        if of:
            region = {"region_code": of[0], "region": of[1][1], "region_id": of[1][0]}
        own = {"region": {"region_code": None, "region": None, "region_id": 0} | region}
        return (
            said | own | {"id": int(said.get("id") or self.next()), "region_id": own["region"]["region_id"]}
        )

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if headers.get("authorization") != f"Bearer {TOKEN}":
            parameters = {"resources": "Magento_Sales::sales"}
            return Refused(401, "The consumer isn't authorized to access %resources.", parameters).reply
        where = urlsplit(target)
        asked = {name: values[-1] for name, values in parse_qs(where.query).items()}
        said = json.loads(body, parse_float=str) if body else {}
        doors: tuple[tuple[str, Callable[..., Any]], ...] = (
            (r"GET (customers)/search", lambda table: self._searched(table, asked)),
            (r"GET (products|orders)", lambda table: self._searched(table, asked)),
            (r"GET (customers|products|orders)/([^/]+)", self._one),
            (r"GET (stockItems)/([^/]+)", lambda _, sku: self._stock(sku)),
            (r"(?:POST|PUT) (customers)(?:/([^/]+))?", lambda _, key: self._customer(key, said)),
            (r"(?:POST|PUT) (products)(?:/([^/]+))?", lambda _, key: self._product(key, said)),
            (r"PUT (products)/([^/]+)/stockItems/(\d+)", lambda _, sku, item: self._stocked(sku, item, said)),
            (r"DELETE (customers|products)/([^/]+)", self._deleted),
            (r"POST (orders)", lambda _: self._order(said)),
            (r"POST (orders)/([^/]+)/comments", lambda _, key: self._commented(key, said)),
        )
        if not where.path.startswith("/rest/V1/"):
            return Refused(404, "Request does not match any route.").reply
        call = f"{method} {where.path.removeprefix('/rest/V1/')}"
        if self.late and re.match(r"(?:PUT|POST) (?:customers|products)", call):
            self.writes.append(call)
            self.awaiting.append((method, target, headers, body))
            items = [{"id": 0, "data_hash": None, "status": "accepted"}]
            return _told(202, {"bulk_uuid": "b2f8", "request_items": items, "errors": False})
        for pattern, door in doors:
            if found := re.fullmatch(pattern, call):
                if method != "GET":
                    self.writes.append(re.sub(r"/\d+", "/N", call))
                try:
                    return _told(200, door(*(one and unquote(one) for one in found.groups())))
                except Refused as refused:
                    return refused.reply
        return Refused(404, "Request does not match any route.").reply

    def _one(self, table: str, key: str) -> Row:
        if key not in self.tables[table]:
            if table == "products":
                raise Refused(
                    404, "The product that was requested doesn't exist. Verify the product and try again."
                )
            raise Refused(404, NO_ENTITY, {"fieldName": self.key[table], "fieldValue": key})
        return self.tables[table][key]

    def _searched(self, table: str, asked: Mapping[str, str]) -> Row:
        if not any(name.startswith("searchCriteria") for name in asked):
            raise Refused(400, REQUIRED, {"fieldName": "searchCriteria"})
        filters: dict[str, dict[str, str]] = {}
        for name, value in asked.items():
            if one := _ASKED.fullmatch(name):
                filters.setdefault(one[1], {})[one[2]] = value
        rows = sorted(self.tables[table].values(), key=lambda row: row[self.key[table]])
        for told in filters.values():
            if told["field"] in ("region", "telephone"):
                raise Refused(400, "Invalid attribute name: %1", [told["field"]])
            rows = [row for row in rows if _meets(row, told)]
        size = int(asked.get("searchCriteria[pageSize]", 20))
        last = max(1, -(-len(rows) // size))
        page = min(int(asked.get("searchCriteria[currentPage]", 1)), last)
        return {
            "items": rows[(page - 1) * size : page * size],
            "search_criteria": {},
            "total_count": len(rows),
        }

    def _customer(self, key: str | None, said: Row) -> Row:
        values = said.get("customer")
        if not isinstance(values, dict):
            raise Refused(400, REQUIRED, {"fieldName": "customer"})
        for name in ("email", "firstname", "lastname", "website_id"):
            if not values.get(name):
                raise Refused(400, REQUIRED, {"fieldName": name})
        if key is not None:
            self._one("customers", key)
        others = (row for at, row in self.tables["customers"].items() if at != key)
        if any(row["email"] == values["email"] for row in others):
            raise Refused(
                400, "A customer with the same email address already exists in an associated website."
            )
        return self.put("customers", key, **{name: one for name, one in values.items() if name != "id"})

    def _product(self, key: str | None, said: Row) -> Row:
        values = said["product"]
        if key is not None:
            self._one("products", key)
        if "name" in values and not values["name"]:
            raise Refused(
                400, 'The "%1" attribute value is empty. Set the attribute and try again.', ["Name"]
            )
        sku = key or values["sku"]
        return self.put(
            "products", sku, **{name: one for name, one in values.items() if name not in ("sku", "id")}
        )

    def _stock(self, sku: str) -> Row:
        row = self._one("products", sku)
        return {
            "item_id": row["id"] + 5000,
            "product_id": row["id"],
            "qty": row.get("_qty", 0),
            "is_in_stock": True,
        }

    def _stocked(self, sku: str, item: str, said: Row) -> int:
        row = self._one("products", sku)
        if int(item) != row["id"] + 5000:
            raise Refused(
                404, 'The stock item with the "%1" ID wasn\'t found. Verify the ID and try again.', [item]
            )
        row["_qty"] = said["stockItem"]["qty"]
        return int(item)

    def _deleted(self, table: str, key: str) -> bool:
        self._one(table, key)
        del self.tables[table][key]
        return True

    def _order(self, said: Row) -> Row:
        """Only what is an extension of it, by its id; the rest of an order is made by its checkout."""
        entity = said["entity"]
        key = str(entity.get("entity_id"))
        self._one("orders", key)
        self.put("orders", key, ext_order_id=entity.get("ext_order_id"))
        return {"entity_id": int(key)}

    def _commented(self, key: str, said: Row) -> bool:
        self._one("orders", key)
        told = said["statusHistory"]
        if told["status"] not in ("pending", "processing", "shipped", "complete", "canceled"):
            raise Refused(400, 'The status "%1" is not part of the order status history.', [told["status"]])
        if not told.get("comment"):
            raise Refused(400, REQUIRED, {"fieldName": "comment"})
        self.put("orders", key, status=told["status"])
        return True


def _meets(row: Row, asked: Mapping[str, str]) -> bool:
    own = {one["attribute_code"]: one["value"] for one in row.get("custom_attributes", ())}
    value = str(row.get(asked["field"], own.get(asked["field"])))
    return value >= asked["value"] if asked.get("condition_type") == "gteq" else value == asked["value"]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _told(status: int, what: Any) -> Reply:
    return status, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(what).encode()
