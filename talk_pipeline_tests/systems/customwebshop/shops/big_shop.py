"""A shop of two generations of one API, as a BigCommerce tells and takes them.

Orders of the old one: bare lists, no content where there is none, moments as in mails, amounts as texts of four
decimals, products and addresses behind addresses of their own. Customers and products of the new one: lists in
envelopes, customers that are asked for by lists and told by lists. Whoever asks too often is told for how many
milliseconds to wait.
Made from that product's public documentation; it was not held against a real one.
"""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

TOKEN = "big-token"
_ADDRESS = {"address1", "city", "country_code", "first_name", "last_name", "postal_code", "state_or_province"}
_LINE = {
    "id": int,
    "product_id": int,
    "quantity": int,
    "name": str,
    "price_ex_tax": str,
    "price_inc_tax": str,
}
_ORDER = {"status_id": int, "customer_id": int, "billing_address": dict, "products": list} | {
    f"shipping_cost_{kind}_tax": str for kind in ("ex", "inc")
}


class BigShop(Shop):
    """`lost` is how many answers to come a gateway does not wait for; until `busy` requests are turned away."""

    def __init__(self) -> None:
        super().__init__()
        self.tables["addresses"] = {}
        self.lost = 0
        self.busy = 0.0
        self.asked: list[str] = []

    def made(self, table: str, **values: Any) -> Row:
        """A record of the shop's own."""
        key = self.next()
        now = _now()
        stamps = {} if table == "addresses" else {"date_created": now, "date_modified": now}
        self.tables[table][key] = {"id": int(key), **values, **stamps}
        return self.tables[table][key]

    def edit(self, table: str, key: Any, **values: Any) -> None:
        self.tables[table][str(key)] |= values | {"date_modified": _now()}

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if headers.get("x-auth-token") != TOKEN:
            return _told(401, {"status": 401, "title": "Unauthorized"})
        assert headers["accept"] == "application/json", "the old one speaks XML unless it is told otherwise"
        self.asked.append(f"{method} {target}")
        if (left := self.busy - time.monotonic()) > 0:
            wait = {
                "X-Rate-Limit-Requests-Left": "0",
                "X-Rate-Limit-Time-Reset-Ms": str(int(left * 1000) + 1),
            }
            return 429, wait, b""
        where = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(where.query).items()}
        _, _, generation, *place = where.path.strip("/").split("/")
        said: Any = json.loads(body) if body else None
        if method != "GET":
            self.writes.append(f"{method} {'/'.join(place[:2])}")
        told = (
            self._old(method, place, asked, said)
            if generation == "v2"
            else self._new(method, place, asked, said)
        )
        if method != "GET" and self.lost and told[0] < 300:
            self.lost -= 1
            return 504, {"Content-Type": "text/html"}, b"<html><body>Gateway Timeout</body></html>"
        return told

    def _new(self, method: str, place: list[str], asked: Mapping[str, str], said: Any) -> Reply:
        match method, place:
            case "GET", ["customers"]:
                return self._listed("customers", asked)
            case "POST" | "PUT", ["customers"]:
                return self._customers(method, said)
            case "DELETE", ["customers"]:
                self.tables["customers"].pop(asked["id:in"], None)
                return 204, {}, b""
            case "POST" | "PUT", ["customers", "addresses"]:
                return self._addresses(method, said)
            case "GET", ["catalog", "products"]:
                return self._listed("products", asked)
            case "POST", ["catalog", "products"]:
                return self._product(None, said)
            case _, ["catalog", "products", key] if key in self.tables["products"]:
                if method == "DELETE":
                    del self.tables["products"][key]
                    return 204, {}, b""
                return (
                    self._product(key, said) if method == "PUT" else _enveloped(self.tables["products"][key])
                )
        return _told(404, {"status": 404, "title": "Not found"})

    def _listed(self, table: str, asked: Mapping[str, str]) -> Reply:
        rows = list(self.tables[table].values())
        for name, value in asked.items():
            field, _, how = name.partition(":")
            if how == "min":
                rows = [row for row in rows if row[field] >= value[:19]]
            elif how == "in" or field == "sku":
                rows = [row for row in rows if str(row[field]) in value.split(",")]
        page, most = int(asked.get("page", 1)), int(asked.get("limit", 50))
        shown = [self._shown(table, row, asked) for row in rows[(page - 1) * most : page * most]]
        pages = -(-len(rows) // most)
        links = {"next": f"?page={page + 1}&limit={most}"} if page < pages else {}
        counts = {
            "total": len(rows),
            "count": len(shown),
            "per_page": most,
            "current_page": page,
            "total_pages": pages,
        }
        return _told(200, {"data": shown, "meta": {"pagination": {**counts, "links": links}}})

    def _shown(self, table: str, row: Row, asked: Mapping[str, str]) -> Row:
        if table != "customers" or asked.get("include") != "addresses":
            return row
        own = [one for one in self.tables["addresses"].values() if one["customer_id"] == row["id"]]
        return {**row, "addresses": own, "address_count": len(own)}

    def _customers(self, method: str, said: Any) -> Reply:
        assert isinstance(said, list)
        for one in said:
            if method == "POST" and not {"email", "first_name", "last_name"} <= one.keys():
                return _invalid({"0": "email, first_name and last_name are required"})
            if "email" in one and any(
                row["email"] == one["email"] and row["id"] != one.get("id")
                for row in self.tables["customers"].values()
            ):
                return _invalid({"0.email": f"email {one['email']} already in use"})
            if method == "PUT" and str(one["id"]) not in self.tables["customers"]:
                return _invalid({"0.id": "customer_id not found"})
        if method == "POST":
            return _enveloped([self.made("customers", **{"phone": "", "company": "", **one}) for one in said])
        for one in said:
            self.edit("customers", one["id"], **one)
        return _enveloped([self.tables["customers"][str(one["id"])] for one in said])

    def _addresses(self, method: str, said: Any) -> Reply:
        assert isinstance(said, list)
        for one in said:
            known = self.tables["addresses"].get(str(one.get("id")), {})
            lacking = _ADDRESS - {*known, *one}
            if lacking or not isinstance({**known, **one}.get("customer_id"), int):
                return _invalid({"0": f"{', '.join(sorted(lacking)) or 'customer_id'} is invalid"})
        if method == "POST":
            return _enveloped([self.made("addresses", **one) for one in said])
        for one in said:
            self.tables["addresses"][str(one["id"])] |= one
        return _enveloped([self.tables["addresses"][str(one["id"])] for one in said])

    def _product(self, key: str | None, said: Row) -> Reply:
        if key is None and not {"name", "type", "weight", "price"} <= said.keys():
            return _invalid({"weight": "missing, as name, type or price"})
        if any(
            not isinstance(said.get(name, 0), int | float) for name in ("price", "weight", "inventory_level")
        ):
            return _invalid({"price": "must be a number"})
        others = [row for at, row in self.tables["products"].items() if at != key]
        if any(said.get(name) in {row[name] for row in others} for name in ("name", "sku")):
            title = "The product sku is a duplicate"
            return _told(409, {"status": 409, "title": title, "errors": {"sku": title}})
        if key is None:
            return _enveloped(self.made("products", **{"is_visible": False, "inventory_level": 0, **said}))
        self.edit("products", key, **said)
        return _enveloped(self.tables["products"][key])

    def _old(self, method: str, place: list[str], asked: Mapping[str, str], said: Any) -> Reply:
        if place == ["orders"]:
            since = asked.get("min_date_modified")
            least = parsedate_to_datetime(since).isoformat() if since else ""
            rows = [row for row in self.tables["orders"].values() if row["date_modified"] >= least[:19]]
            return _bare([self._order(row) for row in rows], asked)
        if place[1] not in self.tables["orders"]:
            return _told(404, [{"status": 404, "message": "The requested resource was not found."}])
        order = self.tables["orders"][place[1]]
        if place[2:] == ["products"]:
            return _bare([{**line, "order_id": order["id"]} for line in order["lines"].values()], asked)
        if place[2:] == ["shipping_addresses"]:
            return _bare(order["delivery"], asked)
        if method == "PUT":
            for name, value in said.items():
                if not isinstance(value, _ORDER.get(name, type(None))):
                    return _told(400, [{"status": 400, "message": f"The field '{name}' is invalid."}])
            if refused := self._changed(order, said.pop("products", [])):
                return refused
            said["billing_address"] = order["billing_address"] | said.get("billing_address", {})
            self.edit("orders", order["id"], **said)
        return _told(200, self._order(order))

    def _changed(self, order: Row, lines: list[Row]) -> Reply | None:
        for line in lines:
            wrong = [
                name for name, value in line.items() if not isinstance(value, _LINE.get(name, type(None)))
            ]
            if ("price_ex_tax" in line) != ("price_inc_tax" in line):
                wrong.append("price_inc_tax")
            if wrong:
                return _told(
                    400, [{"status": 400, "message": f"The field '{wrong[0]}' of products is invalid."}]
                )
        for line in lines:
            key = str(line["id"]) if "id" in line else self.next()
            if line.get("quantity") == 0:
                del order["lines"][key]
            else:
                order["lines"].setdefault(key, {"id": int(key), "name": ""}).update(line)
        return None

    def _order(self, row: Row) -> Row:
        here = f"{self.address}/stores/abc/v2/orders/{row['id']}"
        shown = {name: value for name, value in row.items() if name not in ("lines", "delivery")}
        total = sum(float(line["price_ex_tax"]) * line["quantity"] for line in row["lines"].values())
        amounts = {"total_ex_tax": f"{total:.4f}", "total_inc_tax": f"{total:.4f}", "total_tax": "0.0000"}
        for name in ("date_created", "date_modified"):
            shown[name] = format_datetime(datetime.fromisoformat(row[name].replace("Z", "+00:00")))
        links = {
            name: {"url": f"{here}/{name}", "resource": ""} for name in ("products", "shipping_addresses")
        }
        return {**shown, **amounts, **links}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _bare(rows: list[Row], asked: Mapping[str, str]) -> Reply:
    page, most = int(asked.get("page", 1)), int(asked.get("limit", 50))
    shown = rows[(page - 1) * most : page * most]
    return _told(200, shown) if shown else (204, {}, b"")


def _enveloped(data: Any) -> Reply:
    return _told(200, {"data": data, "meta": {}})


def _invalid(errors: Row) -> Reply:
    return _told(422, {"status": 422, "title": "JSON data is missing or invalid", "errors": errors})


def _told(status: int, document: Any) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()
