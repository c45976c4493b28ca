"""What a django-oscar answers through its admin API, in the shapes recorded of a real one (4.2.1, API 3.3.0).

Basic authentication; ids that are addresses beside ids that are numbers; prices in stock records of their own;
orders that are only shown, their lines behind an address.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

USER, PASSWORD = "erp", "secret"
_KNOWN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
_WHEN = "2026-11-28T22:58:12.410712Z"


class OscarShop(Shop):
    """Users, products with their stock records, and orders with their lines."""

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if headers.get("authorization") != f"Basic {_KNOWN}":
            return _told(401, {"detail": "Authentication credentials were not provided."})
        table, *place = urlsplit(target).path.removeprefix("/api/admin/").strip("/").split("/")
        said: Row = json.loads(body) if body else {}
        if method != "GET":
            self.writes.append(f"{method} {table}")
        match (method, table, place):
            case "GET", "users" | "products" | "orders", []:
                return _told(200, [self._shown(table, row) for row in self.tables[_TABLES[table]].values()])
            case "GET", "orders", [key, "lines"]:
                return _told(200, self._lines(key))
            case "GET", "users" | "products" | "orders", [key]:
                return _told(200, self._shown(table, self.tables[_TABLES[table]][key]))
            case "PATCH", "users" | "products", [key]:
                row = self.tables[_TABLES[table]][key]
                if unknown := sorted(said.keys() - row.keys() - {"stockrecords"}):
                    return _told(400, {name: ["This field is not known."] for name in unknown})
                row |= said
                return _told(200, self._shown(table, row))
            case "PATCH", "stockrecords", [key]:
                self.tables["products"][key] |= said
                return _told(200, self._stock(self.tables["products"][key]))
        return _told(405, {"detail": f'Method "{method}" not allowed.'})

    def place(self, owner: str, *lines: tuple[str, int, str]) -> str:
        """An order of products, each with its quantity and the price of one."""
        number = str(2000 + len(self.tables["orders"]))
        rows = {
            self.next(): {"product": product, "quantity": quantity, "price": price}
            for product, quantity, price in lines
        }
        return self.add("orders", number=number, owner=owner, lines=rows)

    def _shown(self, table: str, row: Row) -> Row:
        url = f"{self.address}/api/admin/{table}/{row['id']}/"
        if table == "users":
            return {**row, "id": int(row["id"]), "url": url, "date_joined": _WHEN}
        if table == "products":
            more = {"id": int(row["id"]), "url": url, "stockrecords": [self._stock(row)]}
            return {
                name: value for name, value in row.items() if name not in ("price", "num_in_stock")
            } | more
        total = sum(float(line["price"]) * line["quantity"] for line in row["lines"].values())
        owner = self.tables["customers"][row["owner"]]
        address = {
            "country": f"{self.address}/api/countries/DK/",
            "first_name": owner["first_name"],
            "last_name": owner["last_name"],
            "line1": "Street 1",
            "line2": "",
            "line4": "Aarhus",
            "state": "",
            "postcode": "8000",
        }
        return {  # no id beside the address
            "number": row["number"],
            "url": url,
            "lines": f"{url}lines/",
            "owner": f"{self.address}/api/users/{row['owner']}/",
            "billing_address": address,
            "shipping_address": address | {"phone_number": "", "notes": ""},
            "currency": "DKK",
            "total_incl_tax": f"{total:.2f}",
            "total_excl_tax": f"{total:.2f}",
            "shipping_incl_tax": "0.00",
            "shipping_excl_tax": "0.00",
            "status": "Pending",
            "email": owner["email"],
            "date_placed": _WHEN,
        }

    def _stock(self, row: Row) -> Row:
        return {
            "url": f"{self.address}/api/admin/stockrecords/{row['id']}/",
            "product": int(row["id"]),
            "partner_sku": row["upc"],
            "price_currency": "DKK",
            "price": row["price"],
            "num_in_stock": row["num_in_stock"],
        }

    def _lines(self, order: str) -> list[Row]:
        return [
            {
                "url": f"{self.address}/api/admin/orderlines/{key}/",
                "product": f"{self.address}/api/products/{line['product']}/",
                "quantity": line["quantity"],
                "price_currency": "DKK",
                "price_excl_tax": f"{float(line['price']) * line['quantity']:.2f}",
                "price_excl_tax_excl_discounts": f"{float(line['price']) * line['quantity']:.2f}",
                "order": f"{self.address}/api/orders/{order}/",
            }
            for key, line in self.tables["orders"][order]["lines"].items()
        ]


_TABLES = {"users": "customers", "products": "products", "orders": "orders"}


def _told(status: int, document: Any) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()
